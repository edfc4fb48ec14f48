/* SPDX-License-Identifier: ISC */
#include "proto/imap_entry.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/imap_words.h"
#include "proto/reply.h"
#include "util/betray.h"
#include "util/mem.h"

#ifndef MAILHAUL_VERSION
#define MAILHAUL_VERSION "1"
#endif

#define CAPABILITIES_MAX 16384
#define GREETING_MAX 1024
#define QUOTED_MAX 1000

enum place {
	AT_GREETING,
	AT_STARTTLS,
	AT_UPGRADE,
	AT_CAPABILITY, /* before the login */
	AT_LOGIN,
	AT_ASK, /* CAPABILITY once more, after it */
	AT_END
};

static const struct {
	const char *name;
	unsigned int timeout_s;
} places[] = {
	[AT_GREETING] = { "greeting", 300 }, /* tarpits take minutes */
	[AT_STARTTLS] = { "starttls", 60 },
	[AT_UPGRADE] = { "tls", 60 },
	[AT_CAPABILITY] = { "capability", 60 },
	[AT_LOGIN] = { "login", 120 },
	[AT_ASK] = { "capability", 60 },
	[AT_END] = { "ready", 0 },
};

/* Whoever has none may get in by PREAUTH. */
static bool
lacks_secret(const struct imap_params *params)
{
	return params->tunnelled && params->auth != SASL_EXTERNAL &&
	    params->auth != SASL_GSSAPI &&
	    (params->secret == NULL || secret_span(params->secret).n == 0);
}

void
imap_entry_init(struct imap_entry *n, const struct imap_params *params)
{
	*n = (struct imap_entry){
		.at = AT_GREETING,
		.tls = params->tls,
		.preauth_ok = params->tls == IMAP_TLS_NONE || params->tunnelled,
		.lacks_secret = lacks_secret(params),
		.secure = params->tls != IMAP_TLS_UPGRADE,
		.id = params->id,
		.timeout_s = params->timeout_s,
		.login = imap_login_new(params),
		.user = mem_strdup(params->user),
		.secret = params->secret == NULL
		    ? NULL
		    : secret_new(secret_span(params->secret)),
	};
	n->keep_offer = params->keep_offer;
	buf_init(&n->caps, CAPABILITIES_MAX);
	buf_init(&n->offered, CAPABILITIES_MAX);
	buf_init(&n->greeting, GREETING_MAX);
}

void
imap_entry_deinit(struct imap_entry *n)
{
	imap_login_free(&n->login);
	secret_free(&n->secret);
	free(n->user);
	buf_deinit(&n->caps);
	buf_deinit(&n->greeting);
	buf_deinit(&n->offered);
}

unsigned int
imap_entry_timeout(const struct imap_entry *n)
{
	unsigned int s = places[n->at].timeout_s;

	return n->timeout_s > 0 && n->timeout_s < s ? n->timeout_s : s;
}

const char *
imap_entry_name(const struct imap_entry *n)
{
	return places[n->at].name;
}

struct span
imap_entry_quotable(const struct imap_entry *n, struct span text)
{
	text = span_take(&text, text.n < QUOTED_MAX ? text.n : QUOTED_MAX);
	return betrays(text, n->user, n->secret) ? SPAN("") : text;
}

static enum imap_event
fail(struct imap_entry *n, enum err_kind kind, const char *what,
    struct span quoted)
{
	imap_words_err(&n->err, kind, what, imap_entry_quotable(n, quoted));
	if (!n->secure) /* anybody may have said it */
		n->err.after_s = 0;
	return IMAP_FAILED;
}

/* ---- what we say ---- */

static enum imap_event
ask_capability(struct imap_entry *n, struct imap_say *say, enum place at)
{
	n->at = at;
	imap_say_command(say, IMAP_VERB_CAPABILITY, SPAN("CAPABILITY"));
	return IMAP_MORE;
}

static enum imap_event
log_in(struct imap_entry *n, struct imap_say *say)
{
	assert(n->secure);
	if (n->lacks_secret)
		return fail(n, ERR_CONFIG,
		    "the server wants a login, and there is no password",
		    SPAN(""));
	n->at = AT_LOGIN;
	buf_clear(&n->offered);
	if (n->keep_offer)
		(void)buf_add(&n->offered, buf_span(&n->caps));
	imap_say_begin(say, IMAP_VERB_LOGIN);
	if (imap_login_start(
		n->login, buf_span(&n->caps), &say->out, &n->err) != 0)
		return IMAP_FAILED;
	imap_say_secret(say);
	n->choice = *imap_login_chosen(n->login);
	n->fresh = false;
	return IMAP_MORE;
}

static enum imap_event
be_ready(struct imap_entry *n, struct imap_say *say)
{
	n->at = AT_END;
	/* in front of SELECT, or NetEase refuses that */
	if (n->id && imap_words_have(buf_span(&n->caps), SPAN("ID")))
		imap_say_command(say, IMAP_VERB_ID,
		    SPAN("ID (\"name\" \"mailhaul\" "
			 "\"version\" \"" MAILHAUL_VERSION "\")"));
	return IMAP_READY;
}

/* The proxy of iCloud, known by XAPPLEPUSHSERVICE, changes what the server
 * says behind the word CAPABILITY, even in mail, until that is asked for. */
static enum imap_event
be_logged_in(struct imap_entry *n, struct imap_say *say)
{
	bool proxied =
	    imap_words_have(buf_span(&n->caps), SPAN("XAPPLEPUSHSERVICE"));

	imap_login_free(&n->login);
	return n->fresh && !proxied ? be_ready(n, say)
				    : ask_capability(n, say, AT_ASK);
}

/* ---- what we hear ---- */

void
imap_entry_learn(struct imap_entry *n, struct span capabilities)
{
	buf_clear(&n->caps);
	imap_words_add(&n->caps, capabilities);
	n->fresh = true;
}

static enum imap_event
greeted(struct imap_entry *n, struct imap_say *say, const struct imap_read *r)
{
	struct span text = r->rest;

	buf_add(&n->greeting,
	    span_take(&text, text.n < GREETING_MAX ? text.n : GREETING_MAX));
	if (span_ieq(r->code, SPAN("CAPABILITY")))
		imap_entry_learn(n, r->args);
	if (r->status == IMAP_STATUS_PREAUTH)
		return be_logged_in(n, say);
	return n->fresh ? log_in(n, say)
			: ask_capability(n, say, AT_CAPABILITY);
}

static enum imap_event
hear_greeting(struct imap_entry *n, struct imap_say *say, enum imap_heard heard,
    const struct imap_read *r)
{
	bool preauth = r->status == IMAP_STATUS_PREAUTH;

	if (heard == IMAP_HEARD_CONTINUE) /* "+OK" */
		return fail(n, ERR_PROTO,
		    "this is no IMAP server, but looks like one for POP3",
		    r->text);
	if (heard != IMAP_HEARD_STATUS)
		return fail(n, ERR_PROTO, "this is no IMAP server", SPAN(""));
	if (r->tag != 0 || (r->status != IMAP_STATUS_OK && !preauth))
		return fail(n, ERR_PROTO, "this is no IMAP server", r->text);
	if (preauth && n->tls == IMAP_TLS_UPGRADE)
		return fail(n, ERR_TLS,
		    "PREAUTH before TLS leaves no way to STARTTLS", r->text);
	if (preauth && !n->preauth_ok)
		return fail(n, ERR_AUTH, "PREAUTH unasked for", r->text);
	if (n->tls != IMAP_TLS_UPGRADE)
		return greeted(n, say, r);
	/* whatever is offered: who strips it gains nothing */
	n->at = AT_STARTTLS;
	imap_say_command(say, IMAP_VERB_STARTTLS, SPAN("STARTTLS"));
	return IMAP_MORE;
}

static enum imap_event
hear_continue(struct imap_entry *n, struct imap_say *say, struct span text)
{
	if (n->at != AT_LOGIN)
		return IMAP_MORE;
	if (imap_login_continue(n->login, text, &say->out, &n->err) != 0)
		return IMAP_FAILED;
	if (imap_login_waits(n->login))
		return IMAP_CHALLENGED;
	imap_say_secret(say);
	return IMAP_MORE;
}

bool
imap_entry_waits(const struct imap_entry *n)
{
	return n->login != NULL && imap_login_waits(n->login);
}

enum imap_event
imap_entry_respond(
    struct imap_entry *n, struct imap_say *say, struct span response, bool last)
{
	if (!imap_entry_waits(n))
		return IMAP_MORE;
	if (imap_login_respond(n->login, response, last, &say->out, &n->err) !=
	    0)
		return IMAP_FAILED;
	imap_say_secret(say);
	return IMAP_MORE;
}

enum imap_event
imap_entry_give_up(
    struct imap_entry *n, struct imap_say *say, const struct err *why)
{
	if (!imap_entry_waits(n))
		return IMAP_MORE;
	return imap_login_give_up(n->login, why, &say->out, &n->err) == 0
	    ? IMAP_MORE
	    : IMAP_FAILED;
}

enum imap_event
imap_entry_hear(struct imap_entry *n, struct imap_say *say,
    enum imap_heard heard, const struct imap_read *r)
{
	if (n->at == AT_GREETING)
		return hear_greeting(n, say, heard, r);
	if (heard == IMAP_HEARD_CONTINUE)
		return hear_continue(n, say, r->text);
	if (!n->secure)
		return IMAP_MORE;
	if (heard == IMAP_HEARD_CAPABILITY)
		imap_entry_learn(n, r->text);
	else if (heard == IMAP_HEARD_STATUS &&
	    span_ieq(r->code, SPAN("CAPABILITY")))
		imap_entry_learn(n, r->args);
	return IMAP_MORE;
}

/* ---- what ends our commands ---- */

static enum imap_event
done_starttls(struct imap_entry *n, const struct imap_read *r, size_t behind)
{
	if (r->status != IMAP_STATUS_OK)
		return fail(n, ERR_TLS, "the server refuses STARTTLS", r->text);
	if (behind > 0)
		return imap_entry_intruded(n);
	n->at = AT_UPGRADE;
	return IMAP_UPGRADE;
}

bool
imap_entry_wants_tls(const struct imap_entry *n)
{
	return n->at == AT_UPGRADE;
}

enum imap_event
imap_entry_intruded(struct imap_entry *n)
{
	err_set(&n->err, ERR_TLS, 0,
	    "something was said behind the answer to STARTTLS, before TLS");
	return IMAP_FAILED;
}

void
imap_entry_upgraded(struct imap_entry *n, struct imap_say *say)
{
	n->secure = true;
	ask_capability(n, say, AT_CAPABILITY);
}

/* It may have been said within the exchange why it came to nothing. */
static enum imap_event
refused(struct imap_entry *n, struct imap_say *say, const struct imap_read *r)
{
	enum err_kind kind = reply_kind(r->code, r->rest, ERR_AUTH);
	const struct err *why = imap_login_why(n->login);

	if (kind == ERR_AUTH &&
	    imap_login_again(
		n->login, r->status == IMAP_STATUS_BAD, buf_span(&n->caps)))
		return log_in(n, say);
	if (why == NULL)
		return fail(n, kind, imap_login_refused(n->login), r->text);
	n->err = *why;
	return IMAP_FAILED;
}

static enum imap_event
done_login(
    struct imap_entry *n, struct imap_say *say, const struct imap_read *r)
{
	const struct err *why = imap_login_why(n->login);

	if (r->status != IMAP_STATUS_OK)
		return refused(n, say, r);
	if (why != NULL) {
		n->err = *why;
		return IMAP_FAILED;
	}
	return imap_login_finish(n->login, &n->err) == 0 ? be_logged_in(n, say)
							 : IMAP_FAILED;
}

enum imap_event
imap_entry_done(struct imap_entry *n, struct imap_say *say, enum imap_verb verb,
    const struct imap_read *r, size_t behind)
{
	if (verb == IMAP_VERB_STARTTLS)
		return done_starttls(n, r, behind);
	if (span_ieq(r->code, SPAN("CAPABILITY")))
		imap_entry_learn(n, r->args);
	if (verb == IMAP_VERB_LOGIN)
		return done_login(n, say, r);
	/* CAPABILITY: a server that refuses it has none */
	return n->at == AT_CAPABILITY ? log_in(n, say) : be_ready(n, say);
}
