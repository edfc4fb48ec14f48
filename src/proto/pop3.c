/* SPDX-License-Identifier: ISC */
#include "proto/pop3.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/pop3_line.h"
#include "proto/pop3_login.h"
#include "proto/pop3_requests.h"
#include "proto/pop3_text.h"
#include "proto/reply.h"
#include "util/buf.h"
#include "util/mem.h"

#define OUTPUT_MAX 262144 /* base64 of the longest secret fits */

/* A line longer than this is taken to have no end. What is kept of it is far
 * less; a listing may have a bad line, and shall be read on behind it. */
#define REPLY_MAX 1048576
#define LISTED_MAX 16777216

#define LISTING_MAX 10000000 /* lines; no maildrop holds more */

struct pop3 {
	enum { IN_LOGIN, IN_READY, IN_CLOSED, IN_FAILED } phase;
	struct pop3_line line;
	struct buf output;
	struct pop3_login login;
	struct pop3_requests requests;
	uint32_t listed; /* lines of the listing that is coming */
	bool pipelining;
	unsigned int timeout_s;  /* 0: ours */
	struct pop3_info closed; /* how QUIT was answered */
	struct err err;
};

/* ---- life ---- */

struct pop3 *
pop3_new(const struct pop3_params *params)
{
	struct pop3 *m = mem_new(sizeof(*m));

	m->phase = IN_LOGIN;
	m->pipelining = params->pipelining;
	m->timeout_s = params->timeout_s;
	pop3_line_init(&m->line);
	buf_init(&m->output, OUTPUT_MAX);
	pop3_login_init(&m->login, params, &m->output);
	pop3_requests_init(&m->requests);
	return m;
}

void
pop3_free(struct pop3 **m)
{
	if (*m == NULL)
		return;
	pop3_requests_deinit(&(*m)->requests);
	pop3_login_deinit(&(*m)->login);
	pop3_line_deinit(&(*m)->line);
	buf_wipe(&(*m)->output);
	free(*m);
	*m = NULL;
}

/* ---- hearing ---- */

/* The machine is over; quote is what the server said, or empty. */
static enum pop3_event
fail(struct pop3 *m, enum err_kind kind, const char *what, struct span quote)
{
	quote = pop3_login_quotable(&m->login, quote);
	err_set(&m->err, kind, 0, "%s%s%.*s", what, quote.n > 0 ? ": " : "",
	    (int)quote.n, quote.p);
	m->err.after_s = reply_after_s(quote);
	m->phase = IN_FAILED;
	return POP3_FAILED;
}

/* Most servers say one thing without being asked: why they hang up. */
static enum pop3_event
unasked(struct pop3 *m, bool refusal, struct span text)
{
	struct span code;
	struct span args;
	struct span rest;
	enum err_kind kind = ERR_PROTO;

	reply_split(text, &code, &args, &rest);
	if (refusal)
		kind = reply_kind(code, rest, ERR_PROTO);
	return fail(m, kind, "the server speaks unasked", text);
}

static enum pop3_event
on_status(struct pop3 *m, struct span line, struct pop3_info *info)
{
	struct span text;
	enum pop3_status status = pop3_text_status(line, &text);

	if (status != POP3_STATUS_OK && status != POP3_STATUS_ERR)
		return fail(m, ERR_PROTO, "neither +OK nor -ERR", line);
	if (m->requests.said == 0)
		return unasked(m, status == POP3_STATUS_ERR, text);
	if (status == POP3_STATUS_ERR)
		return pop3_requests_no(&m->requests, text,
		    pop3_login_quotable(&m->login, text), info);
	return pop3_requests_ok(&m->requests, text, m->line.bare, info);
}

static enum pop3_event
on_listed(struct pop3 *m, struct span line, struct pop3_info *info)
{
	if (span_eq(line, SPAN("."))) {
		m->listed = 0;
		return pop3_requests_over(&m->requests);
	}
	if (++m->listed > LISTING_MAX)
		return fail(m, ERR_PROTO,
		    "the server lists more than 10000000 messages", SPAN(""));
	span_skip(&line, SPAN(".")); /* RFC 1939 3: stuffed */
	return pop3_requests_line(&m->requests, line, info);
}

static bool
endless(const struct pop3 *m, bool listed)
{
	return m->line.seen > (listed ? LISTED_MAX : REPLY_MAX);
}

static enum pop3_event
on_login(
    struct pop3 *m, struct span line, size_t behind, struct pop3_info *info)
{
	enum pop3_event ev = pop3_login_line(&m->login, line, behind);

	if (ev == POP3_CHALLENGED)
		info->data = m->login.challenge;
	return ev;
}

static enum pop3_event
on_input(struct pop3 *m, struct span *in, struct pop3_info *info)
{
	bool listed = m->requests.part == POP3_PART_LINES;
	struct span line;
	bool whole;

	if (m->requests.part == POP3_PART_BODY)
		return pop3_requests_body(&m->requests, in, info);
	whole = pop3_line_next(&m->line, in, &line);
	if (endless(m, listed))
		return fail(m, ERR_PROTO, "a line has no end", SPAN(""));
	if (!whole)
		return POP3_MORE;
	if (m->phase == IN_LOGIN)
		return on_login(m, line, in->n, info);
	return listed ? on_listed(m, line, info) : on_status(m, line, info);
}

static enum pop3_event
turn(struct pop3 *m, struct span *in, struct pop3_info *info)
{
	if (m->phase == IN_FAILED)
		return POP3_FAILED;
	if (m->phase == IN_CLOSED) {
		*info = m->closed;
		return POP3_CLOSED;
	}
	if (m->requests.answered)
		return pop3_requests_done(&m->requests, info);
	if (in->n == 0)
		return POP3_MORE;
	if (pop3_login_in_tls(&m->login))
		return fail(m, ERR_TLS, "octets before TLS began", SPAN(""));
	return on_input(m, in, info);
}

static void
say_requests(struct pop3 *m)
{
	if (m->phase == IN_READY)
		pop3_requests_say(&m->requests, m->pipelining, &m->output);
}

/* The only way to change the phase, fail() apart. */
static void
settle(struct pop3 *m, enum pop3_event ev, const struct pop3_info *info)
{
	if (ev == POP3_READY) {
		m->phase = IN_READY;
		m->pipelining = m->pipelining && pop3_can(m, "PIPELINING");
	} else if (ev == POP3_CLOSED) {
		m->phase = IN_CLOSED;
		m->closed = *info;
	} else if (ev == POP3_FAILED && m->phase == IN_LOGIN) {
		m->phase = IN_FAILED;
		m->err = m->login.err;
	}
}

enum pop3_event
pop3_step(struct pop3 *m, struct span *in, struct pop3_info *info)
{
	enum pop3_event ev;

	do {
		*info = (struct pop3_info){ 0 };
		ev = turn(m, in, info);
		settle(m, ev, info);
		say_requests(m);
	} while (ev == POP3_MORE && (in->n > 0 || m->requests.answered));
	return ev;
}

void
pop3_upgraded(struct pop3 *m)
{
	struct pop3_info none = { 0 };

	settle(m, pop3_login_upgraded(&m->login), &none);
}

void
pop3_respond(struct pop3 *m, struct span response, bool last)
{
	struct pop3_info none = { 0 };

	if (m->phase == IN_LOGIN)
		settle(m, pop3_login_respond(&m->login, response, last), &none);
}

void
pop3_respond_failed(struct pop3 *m, const struct err *why)
{
	struct pop3_info none = { 0 };

	if (m->phase == IN_LOGIN)
		settle(m, pop3_login_give_up(&m->login, why), &none);
}

void
pop3_bind(struct pop3 *m, struct span binding)
{
	pop3_way_bind(&m->login.way, binding);
}

const struct sasl_choice *
pop3_login_choice(const struct pop3 *m)
{
	const struct sasl_choice *choice = &m->login.way.choice;

	return choice->why == NULL ? NULL : choice;
}

static void
end(struct pop3 *m, const char *what)
{
	if (m->phase == IN_LOGIN || m->phase == IN_READY)
		fail(m, ERR_NET, what, span_of(pop3_state_name(m)));
}

enum pop3_event
pop3_eof(struct pop3 *m)
{
	end(m, "the server closed the connection");
	return m->phase == IN_CLOSED ? POP3_CLOSED : POP3_FAILED;
}

void
pop3_expire(struct pop3 *m)
{
	end(m,
	    m->phase == IN_LOGIN && m->login.way.waits
		? "Kerberos has not answered in time"
		: "the server has not answered in time");
}

/* ---- saying ---- */

struct span
pop3_output(const struct pop3 *m)
{
	return buf_span(&m->output);
}

void
pop3_sent(struct pop3 *m, size_t n)
{
	buf_drop(&m->output, n);
	if (m->output.n == 0 && m->login.output_is_secret) {
		buf_wipe(&m->output);
		m->login.output_is_secret = false;
	}
	say_requests(m);
}

bool
pop3_output_is_secret(const struct pop3 *m)
{
	return m->login.output_is_secret;
}

/* The end may come at any time, so a request that is too late is no mistake of
 * the caller's; one that is too early is. */
static void
ask(struct pop3 *m, enum pop3_request request, uint32_t number)
{
	if (m->phase == IN_FAILED || m->phase == IN_CLOSED)
		return;
	assert(m->phase == IN_READY);
	pop3_requests_ask(&m->requests, request, number);
	say_requests(m);
}

void
pop3_stat(struct pop3 *m)
{
	ask(m, POP3_REQ_STAT, 0);
}

void
pop3_uidl(struct pop3 *m)
{
	ask(m, POP3_REQ_UIDL, 0);
}

void
pop3_list(struct pop3 *m)
{
	ask(m, POP3_REQ_LIST, 0);
}

void
pop3_retr(struct pop3 *m, uint32_t number)
{
	ask(m, POP3_REQ_RETR, number);
}

void
pop3_dele(struct pop3 *m, uint32_t number)
{
	ask(m, POP3_REQ_DELE, number);
}

void
pop3_top(struct pop3 *m, uint32_t number)
{
	ask(m, POP3_REQ_TOP, number);
}

void
pop3_noop(struct pop3 *m)
{
	ask(m, POP3_REQ_NOOP, 0);
}

void
pop3_quit(struct pop3 *m)
{
	ask(m, POP3_REQ_QUIT, 0);
}

/* ---- questions ---- */

bool
pop3_can(const struct pop3 *m, const char *capability)
{
	return pop3_text_capability(
	    pop3_capabilities(m), span_of(capability), NULL);
}

struct span
pop3_capabilities(const struct pop3 *m)
{
	return buf_span(&m->login.capabilities);
}

unsigned int
pop3_login_delay_s(const struct pop3 *m)
{
	return pop3_text_login_delay(pop3_capabilities(m));
}

bool
pop3_expires(const struct pop3 *m, unsigned int *days)
{
	return pop3_text_expire(pop3_capabilities(m), days);
}

struct span
pop3_greeting(const struct pop3 *m)
{
	return buf_span(&m->login.greeting);
}

size_t
pop3_pending(const struct pop3 *m)
{
	return m->requests.asked.n;
}

unsigned int
pop3_timeout(const struct pop3 *m)
{
	unsigned int s = 0;

	if (m->phase == IN_LOGIN)
		s = pop3_login_timeout(&m->login);
	else if (m->phase == IN_READY)
		s = pop3_requests_timeout(&m->requests);
	if (s == 0 || m->timeout_s == 0)
		return s;
	if (m->phase == IN_READY && s == POP3_REQUEST_S)
		return m->timeout_s;
	/* what is short by nature is not made longer */
	return m->timeout_s < s ? m->timeout_s : s;
}

const struct err *
pop3_error(const struct pop3 *m)
{
	return &m->err;
}

const char *
pop3_state_name(const struct pop3 *m)
{
	if (m->phase == IN_LOGIN)
		return pop3_login_name(&m->login);
	if (m->phase == IN_READY)
		return pop3_requests_name(&m->requests);
	return m->phase == IN_CLOSED ? "closed" : "failed";
}
