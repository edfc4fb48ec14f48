/* SPDX-License-Identifier: ISC */
#include "deliver/expand.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/buf.h"
#include "util/mem.h"
#include "util/span.h"
#include "util/text.h"

/* The argument is the user's: what he writes may be as long as he likes. */
#define RESULT_MAX ((size_t)1 << 30)

static void
put_value(struct buf *b, const char *value)
{
	size_t i;

	for (i = 0; value != NULL && value[i] != '\0'; i++) {
		if (i == EXPAND_VALUE_MAX)
			break;
		buf_addc(b, text_is_plain(value[i]) ? value[i] : '_');
	}
}

/* Steps over a placeholder at the front of *s. Its place in v, or NULL. */
static const char *const *
placeholder(const struct expand_values *v, struct span *s, const char **name)
{
	const struct {
		const char *name;
		const char *const *value;
	} known[] = {
		{ "%{account}", &v->account },
		{ "%{mailbox}", &v->mailbox },
		{ "%{user}", &v->user },
		{ "%{sender}", &v->sender },
		{ "%{recipient}", &v->recipient },
		{ "%{uid}", &v->uid },
	};

	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!span_skip(s, span_of(known[i].name)))
			continue;
		*name = known[i].name;
		return known[i].value;
	}
	return NULL;
}

/* The name of the last placeholder that stood at the front, or NULL. */
static const char *
put_argument(struct buf *b, const struct expand_values *v, struct span rest)
{
	const char *name, *front = NULL;
	const char *const *value;

	while (rest.n > 0) {
		if (span_skip(&rest, SPAN("%%{"))) {
			buf_add(b, SPAN("%{"));
		} else if ((value = placeholder(v, &rest, &name)) != NULL) {
			front = b->n == 0 ? name : front;
			put_value(b, *value);
		} else {
			buf_add(b, span_take(&rest, 1));
		}
	}
	return front;
}

int
expand(const struct expand_values *v, const char *argument, char **out,
    struct err *e)
{
	const char *front;
	struct buf b;

	buf_init(&b, RESULT_MAX);
	front = put_argument(&b, v, span_of(argument));
	*out = mem_spandup(buf_span(&b));
	buf_deinit(&b);
	if (front == NULL || **out != '-')
		return 0;
	free(*out);
	*out = NULL;
	return err_set(e, ERR_MESSAGE, EINVAL,
	    "%s would begin an argument with \"-\"", front);
}
