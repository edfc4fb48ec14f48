/* SPDX-License-Identifier: ISC */
#include "proto/imap_verb.h"

#include "proto/reply.h"

#define REQUEST_S 300 /* unless the user says something else */

static const struct verb {
	const char *name;
	unsigned int timeout_s;
	enum err_kind no; /* of NO whose code and text say nothing; BAD is a
	                     fault of the protocol */
} verbs[] = {
	[IMAP_VERB_CAPABILITY] = { "capability", 0, ERR_PROTO },
	[IMAP_VERB_STARTTLS] = { "starttls", 0, ERR_TLS },
	[IMAP_VERB_LOGIN] = { "login", 0, ERR_AUTH },
	[IMAP_VERB_ID] = { "id", 60, ERR_PROTO },
	[IMAP_VERB_LOGOUT] = { "logout", 30, ERR_PROTO },
	[IMAP_VERB_LIST] = { "list", REQUEST_S, ERR_PROTO },
	[IMAP_VERB_LIST_STATUS] = { "list status", REQUEST_S, ERR_PROTO },
	[IMAP_VERB_DELIMITER] = { "delimiter", REQUEST_S, ERR_PROTO },
	[IMAP_VERB_STATUS] = { "status", REQUEST_S, ERR_MAILBOX },
	[IMAP_VERB_SELECT] = { "select", REQUEST_S, ERR_MAILBOX },
	[IMAP_VERB_SEARCH] = { "search", REQUEST_S, ERR_PROTO },
	[IMAP_VERB_FETCH] = { "fetch", REQUEST_S, ERR_MESSAGE },
	[IMAP_VERB_SIZES] = { "sizes", REQUEST_S, ERR_MESSAGE },
	[IMAP_VERB_HEADERS] = { "headers", REQUEST_S, ERR_MESSAGE },
	[IMAP_VERB_WHOLE_HEADERS] = { "whole headers", REQUEST_S, ERR_MESSAGE },
	[IMAP_VERB_STORE] = { "store", REQUEST_S, ERR_PROTO },
	[IMAP_VERB_EXPUNGE] = { "expunge", REQUEST_S, ERR_PROTO },
	[IMAP_VERB_NOTIFY] = { "notify", REQUEST_S, ERR_PROTO },
	[IMAP_VERB_NOOP] = { "noop", 60, ERR_PROTO },
	[IMAP_VERB_IDLE] = { "idle", 60, ERR_PROTO }, /* not while it idles */
};

const char *
imap_verb_name(enum imap_verb verb)
{
	return verbs[verb].name;
}

/* What is short by nature is not made longer. */
unsigned int
imap_verb_timeout(enum imap_verb verb, unsigned int user_s)
{
	unsigned int s = verbs[verb].timeout_s;

	if (user_s == 0)
		return s;
	return s == REQUEST_S || user_s < s ? user_s : s;
}

/* Dovecot says so of a message that it cannot read; it is not the server's
 * trouble as a whole, though RFC 5530 would have it so. */
static bool
is_about_message(const struct imap_read *r, enum err_kind kind)
{
	return kind == ERR_MESSAGE && span_ieq(r->code, SPAN("SERVERBUG"));
}

enum err_kind
imap_verb_refusal(enum imap_verb verb, const struct imap_read *r)
{
	enum err_kind kind =
	    r->status == IMAP_STATUS_BAD ? ERR_PROTO : verbs[verb].no;

	return is_about_message(r, kind) ? kind
					 : reply_kind(r->code, r->rest, kind);
}
