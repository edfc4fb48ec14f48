/* SPDX-License-Identifier: ISC */
#include "proto/pop3_login.h"

#include "proto/pop3_text.h"
#include "proto/reply.h"
#include "util/betray.h"
#include <assert.h>

#define ANSWERS_MAX 10      /* to the ever same server */
#define GREETING_MAX 512    /* what is kept of it */
#define CAPA_MAX 16384      /* what is kept of them */
#define CAPA_LINES_MAX 1000 /* more have no end */

enum st {
	ST_GREETING,
	ST_STLS,
	ST_TLS, /* the connection's turn: no octet is ours */
	ST_CAPA,
	ST_AUTH,
	ST_CANCEL,
	ST_APOP,
	ST_USER,
	ST_PASS,
	ST_RECAPA,
	ST_READY,
	ST_FAILED,
	ST_MAX
};

static void enter(struct pop3_login *l, enum st to);
static enum pop3_event begin_login(struct pop3_login *l);
static enum pop3_event log_in(struct pop3_login *l);
static enum pop3_event be_ready(struct pop3_login *l);

/* ---- what goes wrong ---- */

struct span
pop3_login_quotable(const struct pop3_login *l, struct span text)
{
	return betrays(text, l->way.user, l->way.secret) ? SPAN("") : text;
}

/* The machine is over; quote is what the server said, or empty. */
static enum pop3_event
fail(struct pop3_login *l, enum err_kind kind, const char *what,
    struct span quote)
{
	quote = pop3_login_quotable(l, quote);
	err_set(&l->err, kind, 0, "%s%s%.*s", what, quote.n > 0 ? ": " : "",
	    (int)quote.n, quote.p);
	/* anybody may have said it before TLS */
	l->err.after_s = l->insecure ? 0 : reply_after_s(quote);
	l->st = ST_FAILED;
	return POP3_FAILED;
}

static enum err_kind
kind_of(struct span text, enum err_kind otherwise)
{
	struct span code;
	struct span args;
	struct span rest;

	reply_split(text, &code, &args, &rest);
	return reply_kind(code, rest, otherwise);
}

/* ---- the words we say ---- */

static void
put_line(struct pop3_login *l, struct span command, struct span argument)
{
	if (buf_add(l->output, command) != 0 ||
	    buf_add(l->output, argument) != 0 ||
	    buf_add(l->output, SPAN("\r\n")) != 0)
		fail(l, ERR_CONFIG, "user or password is too long", SPAN(""));
}

/* The only way of a credential into the output. */
static void
put_secret_line(struct pop3_login *l, struct span command, struct span argument)
{
	assert(!l->insecure);
	l->output_is_secret = true;
	put_line(l, command, argument);
}

static void
say_stls(struct pop3_login *l)
{
	put_line(l, SPAN("STLS"), SPAN(""));
}

static void
say_capa(struct pop3_login *l)
{
	put_line(l, SPAN("CAPA"), SPAN(""));
}

/* A line that is a secret, and may not have been made. */
static void
say_made(struct pop3_login *l, int made, bool secret, const struct err *e)
{
	assert(!l->insecure);
	if (made != 0)
		fail(l, e->kind, e->text, SPAN(""));
	else if (secret)
		l->output_is_secret = true;
}

static void
say_auth(struct pop3_login *l)
{
	struct err e;
	bool secret = false;
	int r = pop3_way_auth(&l->way, l->output, &secret, &e);

	l->answers = 0;
	say_made(l, r, secret, &e);
}

static void
say_apop(struct pop3_login *l)
{
	struct err e;
	int r = pop3_way_apop(&l->way, l->output, &e);

	say_made(l, r, true, &e);
}

static void
say_cancel(struct pop3_login *l)
{
	put_line(l, SPAN("*"), SPAN(""));
}

static void
say_user(struct pop3_login *l)
{
	put_line(l, SPAN("USER "), span_of(l->way.user));
}

static void
say_pass(struct pop3_login *l)
{
	put_secret_line(l, SPAN("PASS "), secret_span(l->way.secret));
}

/* ---- the words we hear before the login ---- */

static enum pop3_event
ok_greeting(struct pop3_login *l, struct span text)
{
	pop3_way_greeted(&l->way, text);
	buf_add(&l->greeting, span_take(&text, GREETING_MAX));
	if (!l->insecure)
		return begin_login(l);
	enter(l, ST_STLS); /* whatever CAPA would say about it */
	return POP3_MORE;
}

/* Nobody has logged in: nothing is wrong with the password yet. */
static enum pop3_event
no_greeting(struct pop3_login *l, struct span text)
{
	enum err_kind kind = kind_of(text, ERR_TEMP);

	return fail(l, kind == ERR_AUTH ? ERR_TEMP : kind,
	    "the server does not serve us", text);
}

/* RFC 2595 4; what stands behind +OK was not said by whom TLS will show. */
static enum pop3_event
ok_stls(struct pop3_login *l, struct span text)
{
	(void)text;
	if (l->behind > 0)
		return fail(
		    l, ERR_TLS, "octets behind the answer to STLS", SPAN(""));
	enter(l, ST_TLS);
	return POP3_UPGRADE;
}

static enum pop3_event
no_stls(struct pop3_login *l, struct span text)
{
	return fail(l, ERR_TLS, "the server refuses STLS", text);
}

static enum pop3_event
ok_capa(struct pop3_login *l, struct span text)
{
	(void)text;
	buf_clear(&l->capabilities);
	l->capa_lines = 0;
	l->in_capa = true;
	return POP3_MORE;
}

static enum pop3_event
hear_capa(struct pop3_login *l, struct span line)
{
	if (++l->capa_lines > CAPA_LINES_MAX)
		return fail(l, ERR_PROTO, "CAPA has no end", SPAN(""));
	line = span_trim(line);
	if (line.n == 0 || line.n >= CAPA_MAX - l->capabilities.n)
		return POP3_MORE;
	if (l->capabilities.n > 0)
		buf_addc(&l->capabilities, '\n');
	buf_add(&l->capabilities, line);
	return POP3_MORE;
}

/* The end of the list, or the refusal to give one. */
static enum pop3_event
over_capa(struct pop3_login *l, struct span text)
{
	(void)text;
	l->in_capa = false;
	return l->st == ST_CAPA ? log_in(l) : be_ready(l);
}

static enum pop3_event
begin_login(struct pop3_login *l)
{
	if (!l->capa)
		return log_in(l);
	enter(l, ST_CAPA);
	return POP3_MORE;
}

/* ---- the words we hear during the login ---- */

static bool
has(const struct pop3_login *l, struct span capability)
{
	return pop3_text_capability(
	    buf_span(&l->capabilities), capability, NULL);
}

static enum pop3_event
log_in(struct pop3_login *l)
{
	const struct sasl_choice *choice = &l->way.choice;
	struct err e;

	if (pop3_way_choose(&l->way, buf_span(&l->capabilities), &e) != 0)
		return fail(l, e.kind, e.text, SPAN(""));
	if (choice->mechanism == SASL_APOP)
		enter(l, ST_APOP);
	else
		enter(l, choice->command ? ST_USER : ST_AUTH);
	return POP3_MORE;
}

/*
 * RFC 2449 3: the list may be another one after the login. Asking again costs
 * a round trip, so it is done only where a list came before and had neither of
 * the two that all of today's servers put into a full one, or said itself that
 * it depends on the user.
 */
static enum pop3_event
ok_login(struct pop3_login *l, struct span text)
{
	bool full = has(l, SPAN("PIPELINING")) || has(l, SPAN("UIDL"));

	(void)text;
	pop3_way_forget(&l->way);
	if (l->capabilities.n == 0 ||
	    (full && !pop3_text_is_per_user(buf_span(&l->capabilities))))
		return be_ready(l);
	enter(l, ST_RECAPA);
	return POP3_MORE;
}

static enum pop3_event
be_ready(struct pop3_login *l)
{
	enter(l, ST_READY);
	return POP3_READY;
}

static enum pop3_event
no_login(struct pop3_login *l, struct span text)
{
	return fail(
	    l, kind_of(text, ERR_AUTH), pop3_way_refused(&l->way), text);
}

static enum pop3_event
ok_auth(struct pop3_login *l, struct span text)
{
	struct err e;

	if (sasl_finish(l->way.sasl, &e) != 0)
		return fail(l, e.kind, e.text, SPAN(""));
	return ok_login(l, text);
}

/* Another way only where AUTH was not understood, and nothing else is said to
 * be wrong: what may be a wrong password is not tried twice, since servers
 * count. */
static enum pop3_event
no_auth(struct pop3_login *l, struct span text)
{
	const struct err *why = sasl_refusal(l->way.sasl);
	enum err_kind kind = kind_of(text, ERR_NONE);

	if ((kind == ERR_NONE || kind == ERR_AUTH) &&
	    pop3_way_again(&l->way,
		kind == ERR_NONE && pop3_text_is_unknown_command(text)))
		return log_in(l);
	if (why != NULL)
		return fail(l, why->kind, why->text, SPAN(""));
	return no_login(l, text);
}

static void
cancel(struct pop3_login *l)
{
	enter(l, ST_CANCEL);
}

static enum pop3_event
go_on_auth(struct pop3_login *l, struct span challenge)
{
	if (l->way.waits)
		return fail(l, ERR_PROTO,
		    "the server asks again before it was answered", SPAN(""));
	if (++l->answers > ANSWERS_MAX) {
		err_set(&l->cancelled, ERR_PROTO, 0,
		    "the server asks again and again in the login");
		cancel(l);
	} else if (sasl_is_elsewhere(l->way.sasl)) {
		l->way.waits = true;
		l->challenge = challenge;
		return POP3_CHALLENGED;
	} else if (pop3_way_answer(
		       &l->way, challenge, l->output, &l->cancelled) != 0) {
		cancel(l);
	} else {
		l->output_is_secret = true;
	}
	return POP3_MORE;
}

static enum pop3_event
ok_cancel(struct pop3_login *l, struct span text)
{
	return fail(l, ERR_PROTO, "+OK to an AUTH that was cancelled", text);
}

/* It asked again behind an initial response: perhaps it knows none. */
static enum pop3_event
no_cancel(struct pop3_login *l, struct span text)
{
	(void)text;
	if (pop3_way_again(&l->way, !l->way.answered))
		return log_in(l);
	return fail(l, l->cancelled.kind, l->cancelled.text, SPAN(""));
}

static enum pop3_event
ok_user(struct pop3_login *l, struct span text)
{
	(void)text;
	enter(l, ST_PASS);
	return POP3_MORE;
}

/* ---- the states ---- */

typedef enum pop3_event hear_fn(struct pop3_login *l, struct span text);

static const struct state {
	const char *name;
	unsigned int timeout_s; /* without input */
	void (*say)(struct pop3_login *l);
	hear_fn *ok;    /* +OK */
	hear_fn *no;    /* -ERR */
	hear_fn *go_on; /* "+": a challenge; NULL where there is none */
} states[ST_MAX] = {
	/* clang-format off */
	/* some servers make strangers wait for minutes */
	[ST_GREETING] = { "greeting", 300, NULL, ok_greeting, no_greeting,
	    NULL },
	[ST_STLS] = { "stls", 60, say_stls, ok_stls, no_stls, NULL },
	[ST_TLS] = { "tls", 120, NULL, NULL, NULL, NULL },
	[ST_CAPA] = { "capa", 60, say_capa, ok_capa, over_capa, NULL },
	[ST_AUTH] = { "auth", 120, say_auth, ok_auth, no_auth, go_on_auth },
	[ST_CANCEL] = { "cancel", 60, say_cancel, ok_cancel, no_cancel, NULL },
	[ST_APOP] = { "apop", 120, say_apop, ok_login, no_login, NULL },
	[ST_USER] = { "user", 120, say_user, ok_user, no_login, NULL },
	[ST_PASS] = { "pass", 120, say_pass, ok_login, no_login, NULL },
	[ST_RECAPA] = { "capa", 60, say_capa, ok_capa, over_capa, NULL },
	[ST_READY] = { "ready", 0, NULL, NULL, NULL, NULL },
	[ST_FAILED] = { "failed", 0, NULL, NULL, NULL, NULL },
	/* clang-format on */
};

/* The only way to change the state, fail() apart. */
static void
enter(struct pop3_login *l, enum st to)
{
	l->st = to;
	if (states[to].say != NULL)
		states[to].say(l);
}

/* ---- what pop3.c asks of us ---- */

void
pop3_login_init(
    struct pop3_login *l, const struct pop3_params *params, struct buf *output)
{
	*l = (struct pop3_login){ 0 };
	l->st = ST_GREETING;
	l->insecure = params->tls == POP3_TLS_UPGRADE;
	l->capa = params->capa;
	pop3_way_init(&l->way, params);
	l->output = output;
	buf_init(&l->greeting, GREETING_MAX);
	buf_init(&l->capabilities, CAPA_MAX);
}

void
pop3_login_deinit(struct pop3_login *l)
{
	pop3_way_deinit(&l->way);
	buf_deinit(&l->greeting);
	buf_deinit(&l->capabilities);
}

static enum pop3_event
on_listed(struct pop3_login *l, struct span line)
{
	if (span_eq(line, SPAN(".")))
		return over_capa(l, line);
	return hear_capa(l, line);
}

static enum pop3_event
on_status(struct pop3_login *l, struct span line)
{
	const struct state *s = &states[l->st];
	struct span text;

	switch (pop3_text_status(line, &text)) {
	case POP3_STATUS_OK:
		return s->ok(l, text);
	case POP3_STATUS_ERR:
		return s->no(l, text);
	case POP3_STATUS_GO_ON:
		if (s->go_on != NULL)
			return s->go_on(l, text);
		break;
	case POP3_STATUS_NONE:
		break;
	}
	return fail(l, ERR_PROTO, "neither +OK nor -ERR", line);
}

enum pop3_event
pop3_login_line(struct pop3_login *l, struct span line, size_t behind)
{
	enum pop3_event ev;

	l->behind = behind;
	ev = l->in_capa ? on_listed(l, line) : on_status(l, line);
	return l->st == ST_FAILED ? POP3_FAILED : ev;
}

enum pop3_event
pop3_login_respond(struct pop3_login *l, struct span response, bool last)
{
	struct err e;

	if (!l->way.waits || l->st != ST_AUTH)
		return POP3_MORE;
	if (pop3_way_respond(&l->way, response, last, l->output, &e) != 0)
		return fail(l, e.kind, e.text, SPAN(""));
	l->output_is_secret = true;
	return POP3_MORE;
}

enum pop3_event
pop3_login_give_up(struct pop3_login *l, const struct err *why)
{
	if (!l->way.waits || l->st != ST_AUTH)
		return POP3_MORE;
	l->way.waits = false;
	l->cancelled = *why;
	cancel(l);
	return l->st == ST_FAILED ? POP3_FAILED : POP3_MORE;
}

bool
pop3_login_in_tls(const struct pop3_login *l)
{
	return l->st == ST_TLS;
}

enum pop3_event
pop3_login_upgraded(struct pop3_login *l)
{
	enum pop3_event ev;

	assert(l->st == ST_TLS);
	l->insecure = false;
	buf_clear(&l->greeting); /* anybody may have said it */
	ev = begin_login(l);
	return l->st == ST_FAILED ? POP3_FAILED : ev;
}

unsigned int
pop3_login_timeout(const struct pop3_login *l)
{
	return states[l->st].timeout_s;
}

const char *
pop3_login_name(const struct pop3_login *l)
{
	return states[l->st].name;
}
