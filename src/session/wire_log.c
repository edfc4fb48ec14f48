/* SPDX-License-Identifier: ISC */
#include "session/wire_log.h"

#include <stdlib.h>

#include "sys/log.h"
#include "util/betray.h"
#include "util/buf.h"
#include "util/mem.h"

#define LINE_MAX_OCTETS 65536
#define SHOWN_MAX 1024 /* the log shows less of it */

struct wire_log {
	char *subject, *user;
	struct secret *secret;
	struct buf line; /* whose end has not come yet */
};

struct wire_log *
wire_log_new(const char *subject, const char *user, const struct secret *secret)
{
	struct wire_log *w = mem_new(sizeof(*w));

	w->subject = mem_strdup(subject);
	w->user = mem_strdup(user);
	if (secret != NULL)
		w->secret = secret_new(secret_span(secret));
	buf_init(&w->line, LINE_MAX_OCTETS);
	return w;
}

static void
tell(struct wire_log *w)
{
	struct span line = buf_span(&w->line);
	struct span rest = line;
	struct span shown =
	    span_take(&rest, line.n < SHOWN_MAX ? line.n : SHOWN_MAX);

	if (betrays(shown, w->user, w->secret))
		line = SPAN("(credentials)");
	log_wire(w->subject, 'S', line);
	buf_wipe(&w->line);
}

void
wire_log_free(struct wire_log **w)
{
	struct wire_log *it = *w;

	*w = NULL;
	if (it == NULL)
		return;
	tell(it);
	secret_free(&it->secret);
	free(it->user);
	free(it->subject);
	free(it);
}

static void
add(struct wire_log *w, struct span piece)
{
	size_t room = LINE_MAX_OCTETS - w->line.n;

	buf_add(&w->line, span_take(&piece, piece.n < room ? piece.n : room));
}

void
wire_log_heard(
    struct wire_log *w, struct span before, struct span after, bool body)
{
	struct span used = span_make(before.p, before.n - after.n);

	if (!log_wants(LOG_LEVEL_TRACE) || body)
		return;
	while (used.n > 0) {
		bool whole = span_find(used, '\n') < used.n;

		add(w, span_until(&used, '\n'));
		if (whole)
			tell(w);
	}
}
