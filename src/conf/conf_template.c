/* SPDX-License-Identifier: ISC */
#include "conf/conf_template.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_names.h"
#include "conf/conf_report.h"
#include "util/mem.h"
#include "util/span.h"

static const char *const placeholders[] = { "account", "mailbox", "user",
	"sender", "recipient", "uid", NULL };

/* Steps over all before the next placeholder and over its "%{"; false when
 * there is none. */
static bool
find_next(struct span *s)
{
	while (s->n > 0) {
		if (span_skip(s, SPAN("%%{")))
			continue;
		if (span_skip(s, SPAN("%{")))
			return true;
		span_take(s, 1);
	}
	return false;
}

static int
check_name(const char *name, struct err *e)
{
	const char *nearest = conf_nearest_word(name, placeholders);

	if (conf_is_in(placeholders, name))
		return 0;
	if (nearest != NULL)
		return err_set(e, ERR_CONFIG, 0,
		    "unknown placeholder %%{%s} (did you mean %%{%s}?)", name,
		    nearest);
	return err_set(e, ERR_CONFIG, 0,
	    "unknown placeholder %%{%s}: there are %%{account}, %%{mailbox}, "
	    "%%{user}, %%{sender}, %%{recipient} and %%{uid}",
	    name);
}

int
conf_template_check(const char *s, struct err *e)
{
	struct span rest = span_of(s);
	int r = 0;

	while (r == 0 && find_next(&rest)) {
		char *name;

		if (span_find(rest, '}') == rest.n)
			return err_set(e, ERR_CONFIG, 0,
			    "a placeholder is not closed: add \"}\", or write "
			    "%%%%{ for %%{ itself");
		name = mem_spandup(span_until(&rest, '}'));
		r = check_name(name, e);
		free(name);
	}
	return r;
}

bool
conf_template_has_any(const char *s)
{
	struct span rest = span_of(s);

	return find_next(&rest);
}
