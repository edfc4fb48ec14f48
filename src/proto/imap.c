/* SPDX-License-Identifier: ISC */
#include "proto/imap.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/imap_data.h"
#include "proto/imap_entry.h"
#include "proto/imap_read.h"
#include "proto/imap_say.h"
#include "proto/imap_words.h"
#include "proto/reply.h"
#include "util/buf.h"
#include "util/mem.h"

#define COMMAND_MAX (1 << 20)
#define REQUEST_S 300 /* unless the user says something else */

enum st {
	ST_ENTRY, /* proto/imap_entry.h speaks */
	ST_READY,
	ST_LOGOUT,
	ST_CLOSED,
	ST_FAILED
};

struct imap {
	enum st st;
	bool bye; /* heard in ST_LOGOUT */
	struct imap_read read;
	struct imap_say say;
	struct imap_entry entry;
	struct imap_data data;
	unsigned int timeout_s; /* 0: ours */
	struct err err;
};

typedef enum imap_event done_fn(struct imap *m, const struct imap_cmd *cmd,
    size_t behind, struct imap_info *info);

static done_fn done_entry, done_id, done_logout, done_request, done_select;

/* What ends a command: how long it may take, what NO means where its code
 * and text do not say (BAD is a fault of the protocol), and who acts on it.
 * The time of those before IMAP_READY is in proto/imap_entry.c. */
static const struct verb {
	const char *name;
	unsigned int timeout_s;
	enum err_kind no;
	done_fn *done;
} verbs[] = {
	[IMAP_VERB_CAPABILITY] = { "capability", 0, ERR_PROTO, done_entry },
	[IMAP_VERB_STARTTLS] = { "starttls", 0, ERR_TLS, done_entry },
	[IMAP_VERB_LOGIN] = { "login", 0, ERR_AUTH, done_entry },
	[IMAP_VERB_ID] = { "id", 60, ERR_PROTO, done_id },
	[IMAP_VERB_LOGOUT] = { "logout", 30, ERR_PROTO, done_logout },
	[IMAP_VERB_LIST] = { "list", REQUEST_S, ERR_PROTO, done_request },
	[IMAP_VERB_DELIMITER] = { "delimiter", REQUEST_S, ERR_PROTO,
	    done_request },
	[IMAP_VERB_SELECT] = { "select", REQUEST_S, ERR_MAILBOX, done_select },
	[IMAP_VERB_SEARCH] = { "search", REQUEST_S, ERR_PROTO, done_request },
	[IMAP_VERB_FETCH] = { "fetch", REQUEST_S, ERR_MESSAGE, done_request },
	[IMAP_VERB_SIZES] = { "sizes", REQUEST_S, ERR_MESSAGE, done_request },
	[IMAP_VERB_HEADERS] = { "headers", REQUEST_S, ERR_MESSAGE,
	    done_request },
	[IMAP_VERB_WHOLE_HEADERS] = { "whole headers", REQUEST_S, ERR_MESSAGE,
	    done_request },
	[IMAP_VERB_STORE] = { "store", REQUEST_S, ERR_PROTO, done_request },
	[IMAP_VERB_EXPUNGE] = { "expunge", REQUEST_S, ERR_PROTO, done_request },
	[IMAP_VERB_NOOP] = { "noop", 60, ERR_PROTO, done_request },
};

/* ---- life ---- */

struct imap *
imap_new(const struct imap_params *params)
{
	struct imap *m = mem_new(sizeof(*m));

	m->st = ST_ENTRY;
	imap_read_init(&m->read);
	imap_say_init(&m->say);
	imap_entry_init(&m->entry, params);
	imap_data_init(&m->data);
	m->timeout_s = params->timeout_s;
	return m;
}

void
imap_free(struct imap **m)
{
	struct imap *it = *m;

	*m = NULL;
	if (it == NULL)
		return;
	imap_read_deinit(&it->read);
	imap_say_deinit(&it->say);
	imap_entry_deinit(&it->entry);
	imap_data_deinit(&it->data);
	free(it);
}

/* ---- ends ---- */

/* Nothing is sent any more. */
static void
end(struct imap *m, enum st st)
{
	m->st = st;
	imap_login_free(&m->entry.login);
	imap_say_nothing(&m->say);
}

static enum imap_event
fail(struct imap *m, enum err_kind kind, const char *what, struct span quoted)
{
	imap_words_err(
	    &m->err, kind, what, imap_entry_quotable(&m->entry, quoted));
	end(m, ST_FAILED);
	return IMAP_FAILED;
}

/* What the way to IMAP_READY came to. */
static enum imap_event
entered(struct imap *m, enum imap_event ev)
{
	if (ev == IMAP_READY)
		m->st = ST_READY;
	if (ev != IMAP_FAILED)
		return ev;
	m->err = m->entry.err;
	end(m, ST_FAILED);
	return ev;
}

/* ---- ends of commands ---- */

static enum imap_event
done_entry(struct imap *m, const struct imap_cmd *cmd, size_t behind,
    struct imap_info *info)
{
	(void)info;
	return entered(m,
	    imap_entry_done(&m->entry, &m->say, cmd->verb, &m->read, behind));
}

static enum imap_event
done_id(struct imap *m, const struct imap_cmd *cmd, size_t behind,
    struct imap_info *info)
{
	(void)m;
	(void)cmd;
	(void)behind;
	(void)info;
	return IMAP_MORE;
}

static enum imap_event
done_logout(struct imap *m, const struct imap_cmd *cmd, size_t behind,
    struct imap_info *info)
{
	(void)cmd;
	(void)behind;
	(void)info;
	end(m, ST_CLOSED);
	return IMAP_CLOSED;
}

/* Dovecot says so of a message that it cannot read; it is not the server's
 * trouble as a whole, though RFC 5530 would have it so. */
static bool
is_about_message(const struct imap_read *r, enum err_kind kind)
{
	return kind == ERR_MESSAGE && span_ieq(r->code, SPAN("SERVERBUG"));
}

static void
refused(const struct imap *m, const struct verb *verb, struct err *e)
{
	const struct imap_read *r = &m->read;
	enum err_kind kind =
	    r->status == IMAP_STATUS_BAD ? ERR_PROTO : verb->no;

	if (!is_about_message(r, kind))
		kind = reply_kind(r->code, r->rest, kind);
	imap_words_err(
	    e, kind, verb->name, imap_entry_quotable(&m->entry, r->text));
}

static enum imap_event
done_request(struct imap *m, const struct imap_cmd *cmd, size_t behind,
    struct imap_info *info)
{
	const struct verb *verb = &verbs[cmd->verb];

	(void)behind;
	info->ticket = cmd->tag;
	if (m->read.status != IMAP_STATUS_OK)
		refused(m, verb, &info->err);
	else if (cmd->spoilt)
		err_set(&info->err, ERR_PROTO, 0,
		    "the answer to %s is more than can be read", verb->name);
	else
		info->ok = true;
	return IMAP_DONE;
}

static enum imap_event
done_select(struct imap *m, const struct imap_cmd *cmd, size_t behind,
    struct imap_info *info)
{
	struct span code = m->read.code;

	if (m->read.status != IMAP_STATUS_OK)
		m->data.exists = 0; /* RFC 3501 6.3.1: none is selected now */
	info->exists = cmd->exists;
	info->uidvalidity = cmd->uidvalidity;
	info->uidnext = cmd->uidnext;
	info->read_only = span_ieq(code, SPAN("READ-ONLY")) ||
	    (cmd->read_only && !span_ieq(code, SPAN("READ-WRITE")));
	return done_request(m, cmd, behind, info);
}

/* ---- what we hear ---- */

static enum imap_event
hear_tagged(struct imap *m, size_t behind, struct imap_info *info)
{
	struct imap_cmd cmd;

	if (!imap_flight_take(&m->say.flight, m->read.tag, &cmd))
		return fail(m, ERR_PROTO,
		    "an answer to a command that was not sent", m->read.text);
	if (m->st == ST_LOGOUT && cmd.verb != IMAP_VERB_LOGOUT)
		return IMAP_MORE;
	return verbs[cmd.verb].done(m, &cmd, behind, info);
}

static enum imap_event
hear_bye(struct imap *m)
{
	const struct imap_read *r = &m->read;

	if (m->st != ST_LOGOUT)
		return fail(m, reply_kind(r->code, r->rest, ERR_NET),
		    "the server ends the session", r->text);
	m->bye = true;
	return IMAP_MORE;
}

static enum imap_event
hear_data(struct imap *m, enum imap_heard heard, struct imap_info *info)
{
	const struct imap_read *r = &m->read;
	enum imap_event ev;

	if (m->st != ST_READY)
		return IMAP_MORE;
	if (heard == IMAP_HEARD_CAPABILITY)
		imap_entry_learn(&m->entry, r->text);
	if (heard == IMAP_HEARD_STATUS && span_ieq(r->code, SPAN("CAPABILITY")))
		imap_entry_learn(&m->entry, r->args);
	ev = imap_data_hear(&m->data, &m->say.flight, heard, r, info);
	if (ev == IMAP_NOTICE)
		info->text = imap_entry_quotable(&m->entry, info->text);
	return ev == IMAP_NOTICE && info->text.n == 0 ? IMAP_MORE : ev;
}

static enum imap_event
hear(struct imap *m, enum imap_heard heard, size_t behind,
    struct imap_info *info)
{
	const struct imap_read *r = &m->read;
	bool status = heard == IMAP_HEARD_STATUS;

	if (heard == IMAP_HEARD_LOST)
		return fail(m, ERR_PROTO,
		    "the server's words cannot be followed any more", SPAN(""));
	if (status && r->tag != 0 && m->say.tag > 0)
		return hear_tagged(m, behind, info);
	if (status && r->tag == 0 && r->status == IMAP_STATUS_BYE)
		return hear_bye(m);
	if (m->st == ST_ENTRY)
		return entered(
		    m, imap_entry_hear(&m->entry, &m->say, heard, r));
	return hear_data(m, heard, info);
}

static bool
is_over(const struct imap *m)
{
	return m->st == ST_CLOSED || m->st == ST_FAILED;
}

enum imap_event
imap_step(struct imap *m, struct span *in, struct imap_info *info)
{
	enum imap_event ev = IMAP_MORE;

	while (ev == IMAP_MORE && !is_over(m)) {
		enum imap_heard heard;

		*info = (struct imap_info){ 0 };
		if (imap_entry_wants_tls(&m->entry) && in->n > 0)
			return entered(m, imap_entry_intruded(&m->entry));
		heard = imap_read_next(&m->read, in);
		if (heard == IMAP_HEARD_MORE)
			return IMAP_MORE;
		ev = hear(m, heard, in->n, info);
	}
	if (ev != IMAP_MORE)
		return ev;
	*info = (struct imap_info){ 0 };
	return m->st == ST_CLOSED ? IMAP_CLOSED : IMAP_FAILED;
}

enum imap_event
imap_eof(struct imap *m)
{
	if (m->st == ST_LOGOUT && m->bye)
		end(m, ST_CLOSED);
	if (is_over(m))
		return m->st == ST_CLOSED ? IMAP_CLOSED : IMAP_FAILED;
	return fail(m, ERR_NET, "the server closed the connection", SPAN(""));
}

void
imap_expire(struct imap *m)
{
	if (is_over(m))
		return;
	err_set(&m->err, ERR_NET, 0, "no answer for %u s (%s)", imap_timeout(m),
	    imap_state_name(m));
	end(m, ST_FAILED);
}

void
imap_upgraded(struct imap *m)
{
	if (is_over(m) || !imap_entry_wants_tls(&m->entry))
		return;
	/* nothing that was said before TLS is kept */
	imap_read_deinit(&m->read);
	imap_read_init(&m->read);
	imap_entry_upgraded(&m->entry, &m->say);
}

/* ---- requests ---- */

static uint32_t
command(struct imap *m, enum imap_verb verb, struct span words)
{
	uint32_t tag = imap_say_command(&m->say, verb, words);

	if (m->say.full)
		fail(m, ERR_PROTO, "too much waits to be sent", SPAN(""));
	return tag;
}

/* Ends the text. r is what building it came to. */
static uint32_t
request(struct imap *m, enum imap_verb verb, struct buf *text, int r)
{
	uint32_t tag;

	assert(m->st != ST_ENTRY);
	if (m->st == ST_READY && r == 0) {
		tag = command(m, verb, buf_span(text));
	} else { /* it will never be answered */
		tag = ++m->say.tag;
		if (m->st == ST_READY)
			fail(m, ERR_CONFIG, "a command cannot be written",
			    SPAN("not UTF-8, or too long"));
	}
	buf_deinit(text);
	return tag;
}

static uint32_t
request_words(struct imap *m, enum imap_verb verb, struct span words)
{
	struct buf text;

	buf_init(&text, COMMAND_MAX);
	return request(m, verb, &text, buf_add(&text, words));
}

static uint32_t
request_set(struct imap *m, enum imap_verb verb, struct span before,
    const struct set *uids, struct span after)
{
	struct buf text;
	int r;

	assert(!set_empty(uids));
	buf_init(&text, COMMAND_MAX);
	r = buf_add(&text, before) | set_write(uids, &text) |
	    buf_add(&text, after);
	return request(m, verb, &text, r);
}

uint32_t
imap_list(struct imap *m)
{
	return request_words(m, IMAP_VERB_LIST, SPAN("LIST \"\" \"*\""));
}

uint32_t
imap_list_delimiter(struct imap *m)
{
	return request_words(m, IMAP_VERB_DELIMITER, SPAN("LIST \"\" \"\""));
}

uint32_t
imap_select(struct imap *m, const char *mailbox)
{
	struct buf text;
	int r;

	buf_init(&text, COMMAND_MAX);
	r = buf_add(&text, SPAN("SELECT ")) |
	    imap_words_put_mailbox(&text, span_of(mailbox));
	return request(m, IMAP_VERB_SELECT, &text, r);
}

uint32_t
imap_search_uids(struct imap *m, const struct set *uids, uint32_t from)
{
	bool some = uids != NULL && !set_empty(uids);
	struct buf text;
	int r;

	assert(some || from > 0);
	buf_init(&text, COMMAND_MAX);
	r = buf_add(&text, SPAN("UID SEARCH UID "));
	if (some)
		r |= set_write(uids, &text);
	if (from > 0)
		r |= buf_printf(&text, some ? ",%u:*" : "%u:*", from);
	return request(m, IMAP_VERB_SEARCH, &text, r);
}

uint32_t
imap_search_deleted(struct imap *m)
{
	return request_words(m, IMAP_VERB_SEARCH, SPAN("UID SEARCH DELETED"));
}

uint32_t
imap_fetch(struct imap *m, const struct set *uids, bool with_flags)
{
	return request_set(m, IMAP_VERB_FETCH, SPAN("UID FETCH "), uids,
	    with_flags ? SPAN(" (UID FLAGS INTERNALDATE BODY.PEEK[])")
		       : SPAN(" (UID BODY.PEEK[])"));
}

uint32_t
imap_fetch_sizes(struct imap *m, const struct set *uids)
{
	return request_set(m, IMAP_VERB_SIZES, SPAN("UID FETCH "), uids,
	    SPAN(" (RFC822.SIZE)"));
}

uint32_t
imap_fetch_headers(struct imap *m, const struct set *uids)
{
	return request_set(m, IMAP_VERB_HEADERS, SPAN("UID FETCH "), uids,
	    SPAN(" (UID RFC822.SIZE "
		 "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM)])"));
}

uint32_t
imap_fetch_whole_headers(struct imap *m, const struct set *uids)
{
	return request_set(m, IMAP_VERB_WHOLE_HEADERS, SPAN("UID FETCH "), uids,
	    SPAN(" (RFC822.SIZE BODY.PEEK[HEADER])"));
}

uint32_t
imap_store_deleted(struct imap *m, const struct set *uids)
{
	return request_set(m, IMAP_VERB_STORE, SPAN("UID STORE "), uids,
	    SPAN(" +FLAGS.SILENT (\\Deleted)"));
}

uint32_t
imap_expunge_uids(struct imap *m, const struct set *uids)
{
	return request_set(
	    m, IMAP_VERB_EXPUNGE, SPAN("UID EXPUNGE "), uids, SPAN(""));
}

uint32_t
imap_expunge(struct imap *m)
{
	return request_words(m, IMAP_VERB_EXPUNGE, SPAN("EXPUNGE"));
}

uint32_t
imap_noop(struct imap *m)
{
	return request_words(m, IMAP_VERB_NOOP, SPAN("NOOP"));
}

void
imap_logout(struct imap *m)
{
	if (m->st == ST_ENTRY)
		end(m, ST_CLOSED);
	if (m->st != ST_READY)
		return;
	command(m, IMAP_VERB_LOGOUT, SPAN("LOGOUT"));
	if (m->st == ST_READY)
		m->st = ST_LOGOUT;
}

/* ---- output and questions ---- */

struct span
imap_output(const struct imap *m)
{
	return buf_span(&m->say.out);
}

void
imap_sent(struct imap *m, size_t n)
{
	imap_say_sent(&m->say, n);
}

bool
imap_output_is_secret(const struct imap *m)
{
	return m->say.secret > 0;
}

bool
imap_can(const struct imap *m, const char *capability)
{
	return imap_words_have(imap_capabilities(m), span_of(capability));
}

struct span
imap_capabilities(const struct imap *m)
{
	return m->st == ST_ENTRY ? SPAN("") : buf_span(&m->entry.caps);
}

struct span
imap_greeting(const struct imap *m)
{
	return buf_span(&m->entry.greeting);
}

uint32_t
imap_exists(const struct imap *m)
{
	return m->data.exists;
}

size_t
imap_pending(const struct imap *m)
{
	return imap_flight_requests(&m->say.flight);
}

/* What is short by nature is not made longer. */
static unsigned int
timeout_of(const struct imap *m, enum imap_verb verb)
{
	unsigned int s = verbs[verb].timeout_s;

	if (m->timeout_s == 0)
		return s;
	return s == REQUEST_S || m->timeout_s < s ? m->timeout_s : s;
}

unsigned int
imap_timeout(const struct imap *m)
{
	const struct imap_cmd *cmd = imap_flight_first_request(&m->say.flight);

	if (m->st == ST_ENTRY)
		return imap_entry_timeout(&m->entry);
	if (m->st == ST_LOGOUT)
		return timeout_of(m, IMAP_VERB_LOGOUT);
	return m->st == ST_READY && cmd != NULL ? timeout_of(m, cmd->verb) : 0;
}

const char *
imap_state_name(const struct imap *m)
{
	static const char *const names[] = {
		[ST_ENTRY] = "entry",
		[ST_READY] = "ready",
		[ST_LOGOUT] = "logout",
		[ST_CLOSED] = "closed",
		[ST_FAILED] = "failed",
	};
	const struct imap_cmd *cmd = imap_flight_first_request(&m->say.flight);

	if (m->st == ST_ENTRY)
		return imap_entry_name(&m->entry);
	return m->st == ST_READY && cmd != NULL ? verbs[cmd->verb].name
						: names[m->st];
}

const struct err *
imap_error(const struct imap *m)
{
	return &m->err;
}
