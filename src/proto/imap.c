/* SPDX-License-Identifier: ISC */
#include "proto/imap.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/imap_data.h"
#include "proto/imap_entry.h"
#include "proto/imap_read.h"
#include "proto/imap_request.h"
#include "proto/imap_say.h"
#include "proto/imap_verb.h"
#include "proto/imap_watch.h"
#include "proto/imap_words.h"
#include "proto/reply.h"
#include "util/buf.h"
#include "util/mem.h"

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
	struct imap_watch watch;
	unsigned int timeout_s; /* 0: ours */
	unsigned int hurry_s;   /* for the next answer; 0: no hurry */
	struct err err;
};

typedef enum imap_event done_fn(struct imap *m, const struct imap_cmd *cmd,
    size_t behind, struct imap_info *info);

static done_fn done_entry, done_id, done_logout, done_select, done_idle,
    done_request;

/* Who acts on the end of a command; NULL: done_request. */
static done_fn *const dones[] = {
	[IMAP_VERB_CAPABILITY] = done_entry,
	[IMAP_VERB_STARTTLS] = done_entry,
	[IMAP_VERB_LOGIN] = done_entry,
	[IMAP_VERB_ID] = done_id,
	[IMAP_VERB_LOGOUT] = done_logout,
	[IMAP_VERB_SELECT] = done_select,
	[IMAP_VERB_IDLE] = done_idle,
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

static bool
is_over(const struct imap *m)
{
	return m->st == ST_CLOSED || m->st == ST_FAILED;
}

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
	if (!m->entry.secure) /* anybody may have said it */
		m->err.after_s = 0;
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

/* A session that cannot say what it must is of no use. */
static void
check_room(struct imap *m)
{
	if (m->say.full && !is_over(m))
		fail(m, ERR_PROTO, "too much waits to be sent", SPAN(""));
}

/* Once; behind the end of IDLE, which waits for its "+". */
static void
say_logout(struct imap *m)
{
	if (imap_watch_is_asked(&m->watch) ||
	    imap_flight_oldest(&m->say.flight, IMAP_VERB_LOGOUT) != NULL)
		return;
	imap_say_command(&m->say, IMAP_VERB_LOGOUT, SPAN("LOGOUT"));
	check_room(m);
}

/* Nothing is asked but IDLE: it may be long until anything happens. */
static bool
is_at_rest(const struct imap *m)
{
	return m->st == ST_READY &&
	    imap_flight_requests(&m->say.flight) == (imap_idling(m) ? 1 : 0);
}

/* A session that waits for mail is small: there may be thousands. */
static void
rest(struct imap *m)
{
	if (!is_at_rest(m))
		return;
	imap_read_rest(&m->read);
	imap_data_rest(&m->data);
	imap_say_rest(&m->say);
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

static enum imap_event
done_request(struct imap *m, const struct imap_cmd *cmd, size_t behind,
    struct imap_info *info)
{
	const struct imap_read *r = &m->read;
	const char *name = imap_verb_name(cmd->verb);

	(void)behind;
	m->hurry_s = 0;
	info->ticket = cmd->tag;
	if (r->status != IMAP_STATUS_OK)
		imap_words_err(&info->err, imap_verb_refusal(cmd->verb, r),
		    name, imap_entry_quotable(&m->entry, r->text));
	else if (cmd->spoilt)
		err_set(&info->err, ERR_PROTO, 0,
		    "the answer to %s is more than can be read", name);
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

static enum imap_event
done_idle(struct imap *m, const struct imap_cmd *cmd, size_t behind,
    struct imap_info *info)
{
	imap_watch_end(&m->watch);
	if (m->st != ST_LOGOUT)
		return done_request(m, cmd, behind, info);
	say_logout(m);
	return IMAP_MORE;
}

/* ---- what we hear ---- */

static enum imap_event
hear_tagged(struct imap *m, size_t behind, struct imap_info *info)
{
	struct imap_cmd cmd;
	done_fn *done;

	if (!imap_flight_take(&m->say.flight, m->read.tag, &cmd))
		return fail(m, ERR_PROTO,
		    "an answer to a command that was not sent", m->read.text);
	if (m->st == ST_LOGOUT && cmd.verb != IMAP_VERB_LOGOUT &&
	    cmd.verb != IMAP_VERB_IDLE)
		return IMAP_MORE;
	done = dones[cmd.verb] == NULL ? done_request : dones[cmd.verb];
	return done(m, &cmd, behind, info);
}

static enum imap_event
hear_bye(struct imap *m)
{
	const struct imap_read *r = &m->read;
	enum err_kind kind = reply_kind(r->code, r->rest, ERR_NET);

	m->bye = true;
	if (m->st == ST_LOGOUT)
		return IMAP_MORE;
	if (!m->entry.secure && kind == ERR_AUTH)
		kind = ERR_TEMP; /* no password was said yet */
	return fail(m, kind, "the server ends the session", r->text);
}

/* "+": only IDLE waits for one by now. */
static enum imap_event
hear_continue(struct imap *m, struct imap_info *info)
{
	const struct imap_cmd *idle =
	    imap_flight_oldest(&m->say.flight, IMAP_VERB_IDLE);

	if (idle == NULL || !imap_watch_is_asked(&m->watch))
		return IMAP_MORE;
	info->ticket = idle->tag;
	if (imap_watch_plus(&m->watch, &m->say))
		return IMAP_IDLING;
	if (m->st == ST_LOGOUT)
		say_logout(m);
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
	if (ev == IMAP_NOTICE || ev == IMAP_IDENTIFIED)
		info->text = imap_entry_quotable(&m->entry, info->text);
	else
		return ev;
	return info->text.n == 0 ? IMAP_MORE : ev;
}

static enum imap_event
hear_entry(struct imap *m, enum imap_heard heard, struct imap_info *info)
{
	enum imap_event ev =
	    imap_entry_hear(&m->entry, &m->say, heard, &m->read);

	if (ev == IMAP_CHALLENGED)
		info->data = m->read.text;
	return entered(m, ev);
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
		return hear_entry(m, heard, info);
	if (heard == IMAP_HEARD_CONTINUE)
		return hear_continue(m, info);
	return hear_data(m, heard, info);
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
			break;
		ev = hear(m, heard, in->n, info);
	}
	if (ev != IMAP_MORE)
		return ev;
	*info = (struct imap_info){ 0 };
	if (is_over(m))
		return m->st == ST_CLOSED ? IMAP_CLOSED : IMAP_FAILED;
	rest(m);
	return IMAP_MORE;
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
	err_set(&m->err, ERR_NET, 0, "no answer %sfor %u s (%s)",
	    imap_entry_waits(&m->entry) ? "of Kerberos " : "", imap_timeout(m),
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

void
imap_respond(struct imap *m, struct span response, bool last)
{
	if (m->st == ST_ENTRY)
		(void)entered(
		    m, imap_entry_respond(&m->entry, &m->say, response, last));
}

void
imap_respond_failed(struct imap *m, const struct err *why)
{
	if (m->st == ST_ENTRY)
		(void)entered(m, imap_entry_give_up(&m->entry, &m->say, why));
}

void
imap_bind(struct imap *m, struct span binding)
{
	if (m->entry.login != NULL)
		imap_login_bind(m->entry.login, binding);
}

const struct sasl_choice *
imap_login_choice(const struct imap *m)
{
	return m->entry.choice.why == NULL ? NULL : &m->entry.choice;
}

/* ---- requests ---- */

uint32_t
imap_request(struct imap *m, enum imap_verb verb, struct buf *text, int r)
{
	uint32_t tag;

	assert(m->st != ST_ENTRY);
	assert(m->st != ST_READY || !imap_idling(m));
	if (m->st == ST_READY && r == 0) {
		tag = imap_say_command(&m->say, verb, buf_span(text));
		if (verb == IMAP_VERB_IDLE)
			imap_watch_begin(&m->watch);
		check_room(m);
	} else { /* it will never be answered */
		tag = ++m->say.tag;
		if (m->st == ST_READY)
			fail(m, ERR_CONFIG, "a command cannot be written",
			    SPAN("not UTF-8, or too long"));
	}
	buf_deinit(text);
	return tag;
}

void
imap_idle_done(struct imap *m)
{
	if (m->st != ST_READY)
		return;
	imap_watch_leave(&m->watch, &m->say);
	check_room(m);
}

bool
imap_idling(const struct imap *m)
{
	return imap_flight_oldest(&m->say.flight, IMAP_VERB_IDLE) != NULL;
}

void
imap_logout(struct imap *m)
{
	if (m->st == ST_ENTRY)
		end(m, ST_CLOSED);
	if (m->st != ST_READY)
		return;
	m->st = ST_LOGOUT;
	imap_watch_leave(&m->watch, &m->say);
	say_logout(m);
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
	if (is_at_rest(m))
		imap_say_rest(&m->say);
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
imap_offered(const struct imap *m)
{
	return buf_span(&m->entry.offered);
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

static unsigned int
timeout_of(const struct imap *m, enum imap_verb verb)
{
	if (verb == IMAP_VERB_IDLE && imap_watch_is_on(&m->watch))
		return 0;
	return imap_verb_timeout(verb, m->timeout_s);
}

static unsigned int
timeout_unhurried(const struct imap *m)
{
	const struct imap_cmd *cmd = imap_flight_first_request(&m->say.flight);

	if (m->st == ST_ENTRY)
		return imap_entry_timeout(&m->entry);
	if (m->st == ST_LOGOUT)
		return timeout_of(m, IMAP_VERB_LOGOUT);
	return m->st == ST_READY && cmd != NULL ? timeout_of(m, cmd->verb) : 0;
}

unsigned int
imap_timeout(const struct imap *m)
{
	unsigned int s = timeout_unhurried(m);

	return m->hurry_s > 0 && m->hurry_s < s ? m->hurry_s : s;
}

void
imap_hurry(struct imap *m, unsigned int s)
{
	m->hurry_s = s;
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
	return m->st == ST_READY && cmd != NULL ? imap_verb_name(cmd->verb)
						: names[m->st];
}

const struct err *
imap_error(const struct imap *m)
{
	return &m->err;
}
