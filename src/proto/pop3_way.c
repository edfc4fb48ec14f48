/* SPDX-License-Identifier: ISC */
#include "proto/pop3_way.h"

#include <stdlib.h>

#include "proto/pop3_text.h"
#include "proto/sasl_digest.h"
#include "util/betray.h"
#include "util/mem.h"
#include "util/text.h"

#define RESPONSE_MAX 262144 /* base64 of the longest secret fits */
#define COMMAND_MAX 255     /* RFC 2449 4, with CRLF */
#define BINDING_MAX 64

/* ---- life ---- */

void
pop3_way_init(struct pop3_way *w, const struct pop3_params *params)
{
	struct span secret =
	    params->secret == NULL ? SPAN("") : secret_span(params->secret);

	*w = (struct pop3_way){ .auth = params->auth,
		.user = mem_strdup(params->user),
		.host = mem_strdup(params->host),
		.port = params->port,
		.secret = secret_new(secret),
		.have = { .password = secret.n > 0,
		    .token = params->secret_is_token,
		    .certificate = params->has_certificate,
		    .tls = params->tls != POP3_TLS_NONE,
		    .clear = params->tls == POP3_TLS_NONE,
		    .scram = sasl_scram_takes(params->user) } };
	buf_init(&w->binding, BINDING_MAX);
	buf_init(&w->stamp, POP3_STAMP_MAX);
	buf_init(&w->response, RESPONSE_MAX);
}

void
pop3_way_forget(struct pop3_way *w)
{
	sasl_free(&w->sasl);
	buf_wipe(&w->response);
	buf_wipe(&w->binding);
}

void
pop3_way_deinit(struct pop3_way *w)
{
	pop3_way_forget(w);
	secret_free(&w->secret);
	buf_deinit(&w->stamp);
	free(w->user);
	free(w->host);
}

void
pop3_way_bind(struct pop3_way *w, struct span binding)
{
	buf_clear(&w->binding);
	w->have.binding = binding.n > 0 && buf_add(&w->binding, binding) == 0;
}

/*
 * Whoever may have said it before TLS: only APOP wants it, whose answer goes
 * through TLS to who has to know it.
 */
void
pop3_way_greeted(struct pop3_way *w, struct span greeting)
{
	struct span stamp;

	if (w->auth == SASL_APOP && pop3_text_timestamp(greeting, &stamp))
		(void)buf_add(&w->stamp, stamp);
}

/* ---- which ---- */

/* What lists SASL's LOGIN, but no USER (RFC 2449 6.1, 6.3), has no USER. */
int
pop3_way_choose(struct pop3_way *w, struct span capabilities, struct err *e)
{
	struct sasl_offer offer = { .apop = true };
	int r;

	if (!pop3_text_capability(
		capabilities, SPAN("SASL"), &offer.mechanisms))
		offer.mechanisms = SPAN("");
	offer.hide = betrays(offer.mechanisms, w->user, w->secret);
	offer.command =
	    pop3_text_capability(capabilities, SPAN("USER"), NULL) ||
	    !pop3_text_has_word(offer.mechanisms, SPAN("LOGIN"));
	r = sasl_choose(w->auth, &offer, &w->have, &w->choice, e);
	if (r == 0 && w->why_again != NULL)
		w->choice.why = w->why_again;
	if (r == 0 && w->choice.command &&
	    (text_breaks_line(span_of(w->user)) ||
		text_breaks_line(secret_span(w->secret))))
		r = err_set(e, ERR_CONFIG, 0,
		    "USER and PASS can carry no CR, LF or NUL in user and "
		    "password");
	return r;
}

/* ---- AUTH ---- */

static int
too_long(struct err *e)
{
	return err_set(e, ERR_CONFIG, 0, "user or password is too long");
}

static int
end_line(struct buf *out, struct err *e)
{
	return buf_add(out, SPAN("\r\n")) == 0 ? 0 : too_long(e);
}

/*
 * RFC 5034 4: an initial response only if the line stays a short one.
 * Microsoft takes none at all with XOAUTH2, and hangs up.
 */
static bool
fits_command(const struct pop3_way *w, struct span name)
{
	return w->choice.mechanism != SASL_XOAUTH2 &&
	    sizeof("AUTH  \r\n") - 1 + name.n + w->response.n <= COMMAND_MAX;
}

static bool
speaks_first(const struct pop3_way *w)
{
	return sasl_client_first(w->sasl) && !sasl_is_elsewhere(w->sasl);
}

static int
put_command(struct pop3_way *w, struct buf *out, bool *secret, struct err *e)
{
	struct span name = span_of(sasl_name(w->choice.mechanism));
	struct span said = buf_span(&w->response);
	bool first = speaks_first(w);
	bool at_once = first && fits_command(w, name);

	w->held = first && !at_once;
	w->answered = !at_once;
	*secret = at_once;
	if (buf_add(out, SPAN("AUTH ")) != 0 || buf_add(out, name) != 0)
		return too_long(e);
	if (at_once &&
	    (buf_addc(out, ' ') != 0 ||
		buf_add(out, said.n == 0 ? SPAN("=") : said) != 0))
		return too_long(e);
	return end_line(out, e);
}

int
pop3_way_auth(struct pop3_way *w, struct buf *out, bool *secret, struct err *e)
{
	const struct sasl_params params = { .mechanism = w->choice.mechanism,
		.user = w->user,
		.secret = w->secret,
		.host = w->host,
		.port = w->port,
		.binding = buf_span(&w->binding) };

	w->sasl = sasl_new(&params, e);
	if (w->sasl == NULL)
		return -1;
	buf_clear(&w->response);
	if (speaks_first(w) &&
	    sasl_step(w->sasl, SPAN(""), &w->response, e) != 0)
		return -1;
	return put_command(w, out, secret, e);
}

int
pop3_way_answer(
    struct pop3_way *w, struct span challenge, struct buf *out, struct err *e)
{
	if (!w->held) {
		buf_clear(&w->response);
		if (sasl_step(w->sasl, challenge, &w->response, e) != 0)
			return -1;
	}
	w->held = false;
	if (buf_add(out, buf_span(&w->response)) != 0)
		return too_long(e);
	return end_line(out, e);
}

int
pop3_way_respond(struct pop3_way *w, struct span response, bool last,
    struct buf *out, struct err *e)
{
	w->waits = false;
	sasl_responded(w->sasl, last);
	if (buf_add(out, response) != 0)
		return too_long(e);
	return end_line(out, e);
}

/* ---- APOP ---- */

int
pop3_way_apop(struct pop3_way *w, struct buf *out, struct err *e)
{
	struct span user = span_of(w->user);

	if (w->stamp.n == 0)
		return err_set(e, ERR_AUTH, 0,
		    "the server cannot do APOP: its greeting has no timestamp "
		    "of the form <id@host>; set auth = auto");
	if (text_breaks_line(user) || span_find(user, ' ') < user.n)
		return err_set(e, ERR_CONFIG, 0,
		    "APOP can carry no blank, CR or LF in the user");
	if (buf_add(out, SPAN("APOP ")) != 0 || buf_add(out, user) != 0 ||
	    buf_addc(out, ' ') != 0 ||
	    sasl_digest_apop(
		out, buf_span(&w->stamp), secret_span(w->secret)) != 0)
		return too_long(e);
	return end_line(out, e);
}

/* ---- once more ---- */

static bool
try_again(struct pop3_way *w, const char *why)
{
	w->again = true;
	w->why_again = why;
	w->held = false;
	sasl_free(&w->sasl);
	return true;
}

bool
pop3_way_again(struct pop3_way *w, bool unknown)
{
	if (w->auth != SASL_AUTO || w->sasl == NULL || w->again)
		return false;
	if (sasl_unbound(w->sasl)) {
		w->have.binding = false;
		return try_again(
		    w, "the server does not know our channel binding");
	}
	if (!unknown || w->choice.mechanism != SASL_PLAIN)
		return false;
	w->auth = SASL_LOGIN;
	return try_again(w, "the server does not understand AUTH PLAIN");
}

const char *
pop3_way_refused(const struct pop3_way *w)
{
	return w->auth == SASL_AUTO ? sasl_choose_refused(w->choice.mechanism)
				    : "the server refuses the login";
}
