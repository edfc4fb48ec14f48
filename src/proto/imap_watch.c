/* SPDX-License-Identifier: ISC */
#include "proto/imap_watch.h"

enum place {
	AT_NOTHING,
	AT_ASKED, /* "+" is awaited */
	AT_ON,    /* the server tells of changes */
	AT_LEFT   /* DONE was said, the answer to IDLE is awaited */
};

static void
say_done(struct imap_watch *w, struct imap_say *say)
{
	w->at = AT_LEFT;
	if (buf_add(&say->out, SPAN("DONE\r\n")) != 0)
		say->full = true;
}

void
imap_watch_begin(struct imap_watch *w)
{
	*w = (struct imap_watch){ .at = AT_ASKED };
}

bool
imap_watch_plus(struct imap_watch *w, struct imap_say *say)
{
	if (w->at != AT_ASKED)
		return false;
	w->at = AT_ON;
	if (w->enough)
		say_done(w, say);
	return w->at == AT_ON;
}

void
imap_watch_leave(struct imap_watch *w, struct imap_say *say)
{
	w->enough = true;
	if (w->at == AT_ON)
		say_done(w, say);
}

void
imap_watch_end(struct imap_watch *w)
{
	*w = (struct imap_watch){ .at = AT_NOTHING };
}

bool
imap_watch_is_asked(const struct imap_watch *w)
{
	return w->at == AT_ASKED;
}

bool
imap_watch_is_on(const struct imap_watch *w)
{
	return w->at == AT_ON;
}
