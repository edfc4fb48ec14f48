/* SPDX-License-Identifier: ISC */
#include "deliver/envelope.h"

#include <stdio.h>
#include <string.h>

#include "util/text.h"

#define FROM_MAX 80
#define SUBJECT_MAX 100

enum { RETURN_PATH, SENDER, FROM, SUBJECT, FIXED };

static const char *const names[FIXED] = { "Return-Path", "Sender", "From",
	"Subject" };

/* Where the recipient stands: it may be one of the fixed fields. */
static size_t
recipient_place(const struct envelope_rules *rules)
{
	size_t i = 0;

	while (i < FIXED &&
	    !span_ieq(span_of(names[i]), span_of(rules->recipient_header)))
		i++;
	return i;
}

struct header *
envelope_header(const struct envelope_rules *rules)
{
	const char *all[FIXED + 1];
	size_t n = FIXED;

	memcpy(all, names, sizeof(names));
	if (rules->recipient_header != NULL && recipient_place(rules) == FIXED)
		all[n++] = rules->recipient_header;
	return header_new(all, n);
}

static bool
address_in(const struct header *h, size_t i, struct address *out)
{
	struct span value = header_value(h, i);

	/* the last word may have been longer */
	while (header_cut(h, i) && value.n > 0 && value.p[value.n - 1] != ' ')
		value.n--;
	return address_find(value, out);
}

static void
read_sender(const struct header *h, struct envelope *out)
{
	struct address a;

	for (size_t i = RETURN_PATH; i <= FROM; i++) {
		if (!address_in(h, i, &a) || (a.n == 0 && i != RETURN_PATH))
			continue;
		memcpy(out->sender, a.v, a.n + 1);
		return;
	}
}

/* Nothing is left to be an address of: then it is none. */
static struct span
less_prefix(struct span s, const char *prefix)
{
	span_skip(&s, span_of(prefix));
	return s.n > 0 && s.p[0] == '@' ? SPAN("") : s;
}

static void
set_recipient(struct envelope *out, struct span s)
{
	memcpy(out->recipient, s.p, s.n);
	out->recipient[s.n] = '\0';
}

static bool
read_recipient(const struct header *h, const struct envelope_rules *rules,
    struct envelope *out)
{
	struct address a;
	struct span s;

	if (rules->recipient_header == NULL ||
	    !address_in(h, recipient_place(rules), &a))
		return false;
	s = less_prefix(span_make(a.v, a.n), rules->recipient_prefix);
	if (!address_tame(s))
		return false;
	set_recipient(out, s);
	return true;
}

static void
describe(const struct header *h, struct envelope *out)
{
	struct span from = header_value(h, FROM);
	struct span subject = header_value(h, SUBJECT);
	char f[FROM_MAX + 1], s[SUBJECT_MAX + 1];
	bool both = from.n > 0 && subject.n > 0;

	text_printable(f, sizeof(f), from);
	text_printable(s, sizeof(s), subject);
	/* it fits: 19 octets stand around the two */
	snprintf(out->about, sizeof(out->about), "%s%s%s%s%s%s%s",
	    from.n > 0 ? "from \"" : "", f, from.n > 0 ? "\"" : "",
	    both ? ", " : "", subject.n > 0 ? "subject \"" : "", s,
	    subject.n > 0 ? "\"" : "");
}

void
envelope_read(const struct header *h, const struct envelope_rules *rules,
    struct envelope *out)
{
	struct span configured = span_of(rules->recipient);

	*out = (struct envelope){ 0 };
	if (h != NULL) {
		read_sender(h, out);
		describe(h, out);
	}
	if (h != NULL && read_recipient(h, rules, out))
		return;
	if (address_tame(configured))
		set_recipient(out, configured);
}
