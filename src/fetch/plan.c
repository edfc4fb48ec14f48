/* SPDX-License-Identifier: ISC */
#include "fetch/plan.h"

#include <string.h>

#include "util/span.h"

void
plan_search(const struct set *handled, struct set *gaps, uint32_t *from)
{
	uint32_t last = set_last(handled);

	set_invert(gaps, handled, 1, last);
	*from = last == SET_MAX_NUMBER ? 0 : last + 1;
	plan_shorten(gaps);
}

void
plan_shorten(struct set *gaps)
{
	if (gaps->n > PLAN_GAPS_MAX)
		set_add(gaps, gaps->r[PLAN_GAPS_MAX - 1].first, set_last(gaps));
}

bool
plan_nothing_new(const struct set *gaps, uint32_t from, uint32_t uidnext)
{
	return set_empty(gaps) &&
	    (from == 0 || (uidnext != 0 && uidnext <= from));
}

bool
plan_all_exist(uint32_t exists, uint32_t uidnext, struct set *found)
{
	if (uidnext == 0 || exists != uidnext - 1)
		return false;
	set_clear(found);
	set_add(found, 1, exists);
	return true;
}

void
plan_todo(struct set *todo, const struct set *found, const struct set *handled)
{
	set_copy(todo, found);
	set_remove_set(todo, handled);
}

void
plan_absent(struct set *absent, const struct set *gaps, uint32_t from,
    const struct set *found, const struct set *handled)
{
	uint32_t end = set_last(found);

	if (set_last(handled) > end)
		end = set_last(handled);
	set_copy(absent, gaps);
	if (from != 0)
		set_add(absent, from, SET_MAX_NUMBER);
	set_remove_set(absent, found);
	set_remove(absent, end > PLAN_MARGIN ? end - PLAN_MARGIN + 1 : 1,
	    SET_MAX_NUMBER);
}

/* ---- mailboxes ---- */

bool
plan_is_pattern(const char *name)
{
	return name[0] == '!' || strpbrk(name, "*%") != NULL;
}

/* Linear in pattern and name but for the last wildcard: it alone needs to be
 * tried again, since every earlier one may stop at its first fit. A "%" that
 * cannot reach falls back to the "*" before it. */
static bool
fits(const char *pattern, const char *name, char delimiter)
{
	const char *star = NULL;
	const char *star_at = NULL;
	const char *percent = NULL;
	const char *percent_at = NULL;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			star_at = name;
			percent = NULL;
		} else if (*pattern == '%') {
			percent = ++pattern;
			percent_at = name;
		} else if (*pattern == *name) {
			if (*name == '\0')
				return true;
			pattern++;
			name++;
		} else if (percent != NULL && *percent_at != '\0' &&
		    *percent_at != delimiter) {
			pattern = percent;
			name = ++percent_at;
		} else if (star != NULL && *star_at != '\0') {
			pattern = star;
			name = ++star_at;
			percent = NULL;
		} else {
			return false;
		}
	}
}

static bool
is_inbox(const char *name)
{
	return span_ieq(span_of(name), SPAN("INBOX"));
}

bool
plan_chooses(
    const char *const *patterns, size_t n, const char *name, char delimiter)
{
	bool chosen = false;

	if (is_inbox(name))
		name = "INBOX";
	for (size_t i = 0; i < n; i++) {
		const char *p = patterns[i];
		bool negated = p[0] == '!';

		p += negated;
		if (!fits(is_inbox(p) ? "INBOX" : p, name, delimiter))
			continue;
		if (negated)
			return false;
		chosen = true;
	}
	return chosen;
}
