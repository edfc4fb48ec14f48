/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_greet.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/pop3_text.h"
#include "util/mem.h"
#include "util/text.h"

#define TEXT_MAX 512 /* of a reply, in an error */

enum st {
	ST_GREETING,
	ST_HELLO, /* LHLO or EHLO */
	ST_HELO,  /* for servers of SMTP that know no EHLO */
	ST_STARTTLS,
	ST_TLS, /* the connection's turn: no octet is ours */
	ST_READY,
	ST_FAILED,
	ST_MAX
};

static void enter(struct lmtp_greet *g, enum st to);

/* ---- what goes wrong ---- */

static const char *
protocol(const struct lmtp_greet *g)
{
	return g->smtp ? "SMTP" : "LMTP";
}

static enum lmtp_event
fail(struct lmtp_greet *g, enum err_kind kind, const char *what,
    const struct lmtp_reply *reply)
{
	char text[TEXT_MAX];

	err_set(&g->err, kind, 0, "%s: %s", what,
	    lmtp_reply_text(reply, text, sizeof(text)));
	g->st = ST_FAILED;
	return LMTP_FAILED;
}

void
lmtp_greet_doubt(const struct lmtp_greet *g, struct err *e)
{
	struct err was = *e;

	err_set(e, was.kind, 0, "%.150s (is it an %s server?)", was.text,
	    protocol(g));
}

/* Refused for good, before it knew anything of us. */
static enum lmtp_event
fail_wholly(struct lmtp_greet *g, const struct lmtp_reply *reply)
{
	fail(g, ERR_DELIVER, "the server does not serve us", reply);
	lmtp_greet_doubt(g, &g->err);
	return LMTP_FAILED;
}

static enum lmtp_event
no_service(struct lmtp_greet *g, const struct lmtp_reply *reply)
{
	if (reply->code >= 500)
		return fail_wholly(g, reply);
	return fail(g, ERR_TEMP, "the server does not serve us for now", reply);
}

/* ---- the words we say ---- */

static void
say_hello(struct lmtp_greet *g)
{
	buf_printf(g->output, "%s %s\r\n", g->smtp ? "EHLO" : "LHLO", g->helo);
}

static void
say_helo(struct lmtp_greet *g)
{
	buf_printf(g->output, "HELO %s\r\n", g->helo);
}

static void
say_starttls(struct lmtp_greet *g)
{
	buf_add(g->output, SPAN("STARTTLS\r\n"));
}

/* ---- the words we hear ---- */

static enum lmtp_event
ok_greeting(struct lmtp_greet *g, const struct lmtp_reply *reply)
{
	(void)reply;
	enter(g, ST_HELLO);
	return LMTP_MORE;
}

/* STARTTLS is said whether it is offered or not: who sits between us and the
 * server may have taken the offer away. */
static enum lmtp_event
ok_hello(struct lmtp_greet *g, const struct lmtp_reply *reply)
{
	if (g->st == ST_HELLO)
		buf_add(&g->capabilities, lmtp_reply_behind_first(reply));
	enter(g, g->insecure ? ST_STARTTLS : ST_READY);
	return g->insecure ? LMTP_MORE : LMTP_READY;
}

/* RFC 5321 4.1.4 */
static enum lmtp_event
no_hello(struct lmtp_greet *g, const struct lmtp_reply *reply)
{
	if (!g->smtp || reply->code < 500)
		return no_service(g, reply);
	enter(g, ST_HELO);
	return LMTP_MORE;
}

/* RFC 3207 6; what stands behind the answer was not said by whom TLS will
 * show. */
static enum lmtp_event
ok_starttls(struct lmtp_greet *g, const struct lmtp_reply *reply)
{
	if (g->behind > 0)
		return fail(
		    g, ERR_TLS, "octets behind the answer to STARTTLS", reply);
	enter(g, ST_TLS);
	return LMTP_UPGRADE;
}

static enum lmtp_event
no_starttls(struct lmtp_greet *g, const struct lmtp_reply *reply)
{
	return fail(g, ERR_TLS, "the server refuses STARTTLS", reply);
}

/* ---- the states ---- */

typedef enum lmtp_event hear_fn(
    struct lmtp_greet *g, const struct lmtp_reply *reply);

static const struct state {
	const char *name;
	unsigned int timeout_s; /* RFC 5321 4.5.3.2 */
	void (*say)(struct lmtp_greet *g);
	hear_fn *ok; /* 2xx */
	hear_fn *no; /* 4xx, 5xx */
} states[ST_MAX] = {
	/* clang-format off */
	[ST_GREETING] = { "greeting", 300, NULL, ok_greeting, no_service },
	[ST_HELLO] = { "hello", 300, say_hello, ok_hello, no_hello },
	[ST_HELO] = { "helo", 300, say_helo, ok_hello, no_service },
	[ST_STARTTLS] = { "starttls", 120, say_starttls, ok_starttls,
	    no_starttls },
	[ST_TLS] = { "tls", 120, NULL, NULL, NULL },
	[ST_READY] = { "ready", 0, NULL, NULL, NULL },
	[ST_FAILED] = { "failed", 0, NULL, NULL, NULL },
	/* clang-format on */
};

/* The only way to change the state, fail() apart. */
static void
enter(struct lmtp_greet *g, enum st to)
{
	g->st = to;
	if (states[to].say != NULL)
		states[to].say(g);
}

/* ---- what lmtp.c asks of us ---- */

void
lmtp_greet_init(
    struct lmtp_greet *g, const struct lmtp_params *params, struct buf *output)
{
	assert(params->helo != NULL);
	assert(!text_breaks_line(span_of(params->helo)));
	*g = (struct lmtp_greet){ 0 };
	g->st = ST_GREETING;
	g->smtp = params->smtp;
	g->insecure = params->tls == LMTP_TLS_UPGRADE;
	g->helo = mem_strdup(params->helo);
	g->output = output;
	buf_init(&g->capabilities, LMTP_REPLY_TEXT_MAX);
}

void
lmtp_greet_deinit(struct lmtp_greet *g)
{
	free(g->helo);
	buf_deinit(&g->capabilities);
}

enum lmtp_event
lmtp_greet_reply(
    struct lmtp_greet *g, const struct lmtp_reply *reply, size_t behind)
{
	const struct state *st = &states[g->st];

	assert(st->ok != NULL);
	g->behind = behind;
	if (reply->code < 300)
		return st->ok(g, reply);
	if (reply->code >= 400)
		return st->no(g, reply);
	return fail(g, ERR_PROTO, "the server answers beside the point", reply);
}

bool
lmtp_greet_in_tls(const struct lmtp_greet *g)
{
	return g->st == ST_TLS;
}

/* What was offered before TLS may have been anybody's word. */
void
lmtp_greet_upgraded(struct lmtp_greet *g)
{
	assert(g->st == ST_TLS);
	g->insecure = false;
	buf_clear(&g->capabilities);
	enter(g, ST_HELLO);
}

bool
lmtp_greet_can(
    const struct lmtp_greet *g, struct span capability, struct span *args)
{
	return pop3_text_capability(
	    buf_span(&g->capabilities), capability, args);
}

unsigned int
lmtp_greet_timeout(const struct lmtp_greet *g)
{
	return states[g->st].timeout_s;
}

const char *
lmtp_greet_name(const struct lmtp_greet *g)
{
	return states[g->st].name;
}
