/* SPDX-License-Identifier: ISC */
#include "proto/imap_login.h"

#include <stdlib.h>

#include "proto/imap_words.h"
#include "proto/sasl.h"
#include "util/betray.h"
#include "util/mem.h"

#define PARTS_MAX 3 /* LOGIN {n}, the user and {n}, the secret */
#define PART_OCTETS_MAX (4 * SECRET_MAX)
#define LITERAL_MINUS_MAX 4096 /* RFC 7888 */
#define ANSWERS_MAX 10         /* to the ever same server */
#define MECHANISMS_MAX 4096    /* of what is kept of their names */
#define BINDING_MAX 64
/* RFC 7162 4: lines of 8192 octets are to be taken. What is longer is not
 * sent along with the command. */
#define LINE_OCTETS_MAX 8000

struct imap_login {
	enum sasl_auth auth; /* as wanted */
	struct sasl_have have;
	char *user, *host;
	unsigned int port;
	struct secret *secret;
	struct buf binding;
	struct sasl_choice choice;
	const char *why_again; /* instead of the choice's */
	struct sasl *sasl;
	unsigned int answers;
	struct buf response; /* the last one, in base64 */
	bool held;           /* it waits for the first "+" */
	bool waits;          /* for a response from elsewhere */
	bool cancelled, again;
	struct err why;
	/* LOGIN in parts: each but the first waits for a "+" */
	struct buf part[PARTS_MAX];
	size_t parts, sent;
};

struct imap_login *
imap_login_new(const struct imap_params *params)
{
	struct span secret =
	    params->secret == NULL ? SPAN("") : secret_span(params->secret);
	struct imap_login *l = mem_new(sizeof(*l));

	l->auth = params->auth;
	l->user = mem_strdup(params->user);
	l->host = mem_strdup(params->host);
	l->port = params->port;
	l->secret = secret_new(secret);
	l->have = (struct sasl_have){ .password = secret.n > 0,
		.token = params->secret_is_token,
		.certificate = params->has_certificate,
		.tls = params->tls != IMAP_TLS_NONE,
		.clear = params->tls == IMAP_TLS_NONE,
		.scram = sasl_scram_takes(params->user) };
	buf_init(&l->binding, BINDING_MAX);
	buf_init(&l->response, PART_OCTETS_MAX);
	for (size_t i = 0; i < PARTS_MAX; i++)
		buf_init(&l->part[i], PART_OCTETS_MAX);
	return l;
}

void
imap_login_free(struct imap_login **l)
{
	struct imap_login *it = *l;

	*l = NULL;
	if (it == NULL)
		return;
	for (size_t i = 0; i < PARTS_MAX; i++)
		buf_wipe(&it->part[i]);
	buf_wipe(&it->response);
	buf_wipe(&it->binding);
	sasl_free(&it->sasl);
	secret_free(&it->secret);
	free(it->user);
	free(it->host);
	free(it);
}

void
imap_login_bind(struct imap_login *l, struct span binding)
{
	buf_clear(&l->binding);
	l->have.binding = binding.n > 0 && buf_add(&l->binding, binding) == 0;
}

/* ---- AUTHENTICATE ---- */

static int
too_long(struct err *e)
{
	return err_set(e, ERR_CONFIG, 0, "user or password too long");
}

/* RFC 4959 3: in the command, nothing is "=". */
static int
put_initial(struct imap_login *l, struct buf *out, struct err *e)
{
	struct span said = buf_span(&l->response);

	if (buf_addc(out, ' ') != 0 ||
	    buf_add(out, said.n == 0 ? SPAN("=") : said) != 0)
		return too_long(e);
	return 0;
}

static int
start_sasl(struct imap_login *l, struct span capabilities, struct buf *out,
    struct err *e)
{
	const struct sasl_params params = { .mechanism = l->choice.mechanism,
		.user = l->user,
		.secret = l->secret,
		.host = l->host,
		.port = l->port,
		.binding = buf_span(&l->binding) };

	l->sasl = sasl_new(&params, e);
	if (l->sasl == NULL)
		return -1;
	if (buf_add(out, SPAN("AUTHENTICATE ")) != 0 ||
	    buf_add(out, span_of(sasl_name(params.mechanism))) != 0)
		return too_long(e);
	buf_clear(&l->response);
	if (sasl_client_first(l->sasl) && !sasl_is_elsewhere(l->sasl)) {
		if (sasl_step(l->sasl, SPAN(""), &l->response, e) != 0)
			return -1;
		l->held = !imap_words_have(capabilities, SPAN("SASL-IR")) ||
		    l->response.n > LINE_OCTETS_MAX;
		if (!l->held && put_initial(l, out, e) != 0)
			return -1;
	}
	return buf_add(out, SPAN("\r\n")) == 0 ? 0 : too_long(e);
}

/* RFC 3501 6.2.2: a line of "*" ends an exchange that makes no sense. */
static int
cancel(struct imap_login *l, struct buf *out)
{
	l->cancelled = true;
	return buf_add(out, SPAN("*\r\n"));
}

static int
put_response(struct span response, struct buf *out, struct err *e)
{
	if (buf_add(out, response) != 0 || buf_add(out, SPAN("\r\n")) != 0)
		return too_long(e);
	return 0;
}

static int
continue_sasl(
    struct imap_login *l, struct span challenge, struct buf *out, struct err *e)
{
	if (l->waits)
		return err_set(e, ERR_PROTO, 0,
		    "the server asks again before it was answered");
	if (l->cancelled)
		return err_set(e, ERR_PROTO, 0,
		    "the server goes on with a cancelled login");
	if (++l->answers > ANSWERS_MAX) {
		err_set(&l->why, ERR_PROTO, 0,
		    "the server asks again and again in the login");
		return cancel(l, out);
	}
	if (sasl_is_elsewhere(l->sasl)) {
		l->waits = true;
		return 0;
	}
	if (!l->held) {
		buf_clear(&l->response);
		if (sasl_step(l->sasl, challenge, &l->response, &l->why) != 0)
			return cancel(l, out);
	}
	l->held = false;
	return put_response(buf_span(&l->response), out, e);
}

bool
imap_login_waits(const struct imap_login *l)
{
	return l->waits;
}

int
imap_login_respond(struct imap_login *l, struct span response, bool last,
    struct buf *out, struct err *e)
{
	l->waits = false;
	sasl_responded(l->sasl, last);
	return put_response(response, out, e);
}

int
imap_login_give_up(
    struct imap_login *l, const struct err *why, struct buf *out, struct err *e)
{
	l->waits = false;
	l->why = *why;
	return cancel(l, out) == 0 ? 0 : too_long(e);
}

/* ---- LOGIN ---- */

static bool
need_not_wait(struct span capabilities, size_t n)
{
	return imap_words_have(capabilities, SPAN("LITERAL+")) ||
	    (n <= LITERAL_MINUS_MAX &&
		imap_words_have(capabilities, SPAN("LITERAL-")));
}

static int
put_astring(struct imap_login *l, struct span capabilities, struct span s)
{
	struct buf *now = &l->part[l->parts - 1];
	bool wait = !need_not_wait(capabilities, s.n);

	if (imap_words_quotable(s))
		return imap_words_put_quoted(now, s);
	if (buf_printf(now, wait ? "{%zu}\r\n" : "{%zu+}\r\n", s.n) != 0)
		return -1;
	if (wait)
		now = &l->part[l->parts++];
	return buf_add(now, s);
}

static int
start_login(struct imap_login *l, struct span capabilities, struct buf *out,
    struct err *e)
{
	struct span secret = secret_span(l->secret);

	if (span_find(secret, '\0') < secret.n)
		return err_set(e, ERR_CONFIG, 0,
		    "a password with a NUL octet cannot be sent by LOGIN");
	l->parts = l->sent = 1;
	if (buf_add(&l->part[0], SPAN("LOGIN ")) != 0 ||
	    put_astring(l, capabilities, span_of(l->user)) != 0 ||
	    buf_addc(&l->part[l->parts - 1], ' ') != 0 ||
	    put_astring(l, capabilities, secret) != 0 ||
	    buf_add(&l->part[l->parts - 1], SPAN("\r\n")) != 0 ||
	    buf_add(out, buf_span(&l->part[0])) != 0)
		return too_long(e);
	return 0;
}

static int
continue_login(struct imap_login *l, struct buf *out, struct err *e)
{
	if (l->sent == l->parts) /* a "+" that nobody waits for */
		return 0;
	if (buf_add(out, buf_span(&l->part[l->sent++])) != 0)
		return too_long(e);
	return 0;
}

/* ---- either ---- */

static void
find_mechanisms(struct span capabilities, struct buf *to)
{
	while (capabilities.n > 0) {
		struct span word = span_until(&capabilities, ' ');

		if (!span_iskip(&word, SPAN("AUTH=")))
			continue;
		if (to->n > 0)
			(void)buf_addc(to, ' ');
		(void)buf_add(to, word);
	}
}

static int
choose(struct imap_login *l, struct span capabilities, struct err *e)
{
	struct sasl_offer offer = {
		.command =
		    !imap_words_have(capabilities, SPAN("LOGINDISABLED")),
	};
	struct buf mechanisms;
	int r;

	buf_init(&mechanisms, MECHANISMS_MAX);
	find_mechanisms(capabilities, &mechanisms);
	offer.mechanisms = buf_span(&mechanisms);
	offer.hide = betrays(offer.mechanisms, l->user, l->secret);
	r = sasl_choose(l->auth, &offer, &l->have, &l->choice, e);
	if (r == 0 && l->why_again != NULL)
		l->choice.why = l->why_again;
	buf_deinit(&mechanisms);
	return r;
}

int
imap_login_start(struct imap_login *l, struct span capabilities,
    struct buf *out, struct err *e)
{
	if (choose(l, capabilities, e) != 0)
		return -1;
	return l->choice.command ? start_login(l, capabilities, out, e)
				 : start_sasl(l, capabilities, out, e);
}

const struct sasl_choice *
imap_login_chosen(const struct imap_login *l)
{
	return &l->choice;
}

int
imap_login_continue(
    struct imap_login *l, struct span challenge, struct buf *out, struct err *e)
{
	if (l->sasl != NULL)
		return continue_sasl(l, challenge, out, e);
	return continue_login(l, out, e);
}

int
imap_login_finish(const struct imap_login *l, struct err *e)
{
	return l->sasl == NULL ? 0 : sasl_finish(l->sasl, e);
}

const struct err *
imap_login_why(const struct imap_login *l)
{
	if (l->cancelled)
		return &l->why;
	return l->sasl == NULL ? NULL : sasl_refusal(l->sasl);
}

const char *
imap_login_refused(const struct imap_login *l)
{
	if (l->auth != SASL_AUTO)
		return "the server refuses the login";
	return sasl_choose_refused(l->choice.mechanism);
}

static bool
try_again(struct imap_login *l, const char *why)
{
	l->again = true;
	l->why_again = why;
	l->cancelled = l->held = false;
	l->answers = 0;
	sasl_free(&l->sasl);
	return true;
}

bool
imap_login_again(struct imap_login *l, bool bad, struct span capabilities)
{
	if (l->auth != SASL_AUTO || l->sasl == NULL || l->again)
		return false;
	if (sasl_unbound(l->sasl)) {
		l->have.binding = false;
		return try_again(
		    l, "the server does not know our channel binding");
	}
	if (!bad || l->cancelled || l->choice.mechanism != SASL_PLAIN ||
	    imap_words_have(capabilities, SPAN("LOGINDISABLED")))
		return false;
	l->auth = SASL_LOGIN;
	return try_again(
	    l, "the server does not understand AUTHENTICATE PLAIN");
}
