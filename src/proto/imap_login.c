/* SPDX-License-Identifier: ISC */
#include "proto/imap_login.h"

#include <stdlib.h>

#include "proto/imap_words.h"
#include "proto/sasl.h"
#include "util/mem.h"

#define PARTS_MAX 3 /* LOGIN {n}, the user and {n}, the secret */
#define PART_OCTETS_MAX (4 * SECRET_MAX)
#define LITERAL_MINUS_MAX 4096 /* RFC 7888 */
#define ANSWERS_MAX 10         /* to the ever same server */

struct imap_login {
	enum imap_auth auth;
	char *user;
	struct secret *secret;
	struct sasl *sasl;
	unsigned int answers;
	struct buf response; /* the last one, in base64 */
	bool cancelled;
	struct err why;
	/* LOGIN in parts: each but the first waits for a "+" */
	struct buf part[PARTS_MAX];
	size_t parts, sent;
};

struct imap_login *
imap_login_new(const struct imap_params *params)
{
	struct imap_login *l = mem_new(sizeof(*l));

	l->auth = params->auth;
	l->user = mem_strdup(params->user);
	l->secret = secret_new(secret_span(params->secret));
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
	sasl_free(&it->sasl);
	secret_free(&it->secret);
	free(it->user);
	free(it);
}

/* ---- AUTHENTICATE ---- */

static int
respond(
    struct imap_login *l, struct span challenge, struct buf *out, struct err *e)
{
	buf_clear(&l->response);
	if (sasl_step(l->sasl, challenge, &l->response, e) != 0)
		return -1;
	if (buf_add(out, buf_span(&l->response)) != 0 ||
	    buf_add(out, SPAN("\r\n")) != 0)
		return err_set(e, ERR_CONFIG, 0, "user or password too long");
	return 0;
}

static int
start_sasl(struct imap_login *l, struct span capabilities, struct buf *out,
    struct err *e)
{
	bool at_once;

	l->sasl = sasl_new("PLAIN", l->user, l->secret, e);
	if (l->sasl == NULL)
		return -1;
	at_once = sasl_client_first(l->sasl) &&
	    imap_words_have(capabilities, SPAN("SASL-IR"));
	if (buf_add(out, SPAN("AUTHENTICATE PLAIN")) != 0 ||
	    buf_add(out, at_once ? SPAN(" ") : SPAN("\r\n")) != 0)
		return err_set(e, ERR_PROTO, 0, "too much waits to be sent");
	return at_once ? respond(l, SPAN(""), out, e) : 0;
}

/* RFC 3501 6.2.2: a line of "*" ends an exchange that makes no sense. */
static int
cancel(struct imap_login *l, struct buf *out)
{
	l->cancelled = true;
	return buf_add(out, SPAN("*\r\n"));
}

static int
continue_sasl(
    struct imap_login *l, struct span challenge, struct buf *out, struct err *e)
{
	if (l->cancelled)
		return err_set(e, ERR_PROTO, 0,
		    "the server goes on with a cancelled login");
	if (++l->answers > ANSWERS_MAX) {
		err_set(&l->why, ERR_PROTO, 0,
		    "the server asks again and again in the login");
		return cancel(l, out);
	}
	if (respond(l, challenge, out, &l->why) != 0)
		return cancel(l, out);
	return 0;
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

	if (imap_words_have(capabilities, SPAN("LOGINDISABLED")))
		return err_set(
		    e, ERR_AUTH, 0, "the server does not allow LOGIN here");
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
		return err_set(e, ERR_CONFIG, 0, "user or password too long");
	return 0;
}

static int
continue_login(struct imap_login *l, struct buf *out, struct err *e)
{
	if (l->sent == l->parts) /* a "+" that nobody waits for */
		return 0;
	if (buf_add(out, buf_span(&l->part[l->sent++])) != 0)
		return err_set(e, ERR_CONFIG, 0, "user or password too long");
	return 0;
}

/* ---- either ---- */

static bool
may_authenticate(const struct imap_login *l, struct span capabilities)
{
	return l->auth == IMAP_AUTH_PLAIN ||
	    (l->auth == IMAP_AUTH_AUTO &&
		imap_words_have(capabilities, SPAN("AUTH=PLAIN")));
}

int
imap_login_start(struct imap_login *l, struct span capabilities,
    struct buf *out, struct err *e)
{
	if (may_authenticate(l, capabilities))
		return start_sasl(l, capabilities, out, e);
	return start_login(l, capabilities, out, e);
}

int
imap_login_continue(
    struct imap_login *l, struct span challenge, struct buf *out, struct err *e)
{
	if (l->sasl != NULL)
		return continue_sasl(l, challenge, out, e);
	return continue_login(l, out, e);
}

const struct err *
imap_login_cancelled(const struct imap_login *l)
{
	return l->cancelled ? &l->why : NULL;
}

bool
imap_login_again(struct imap_login *l, struct span capabilities)
{
	if (l->auth != IMAP_AUTH_AUTO || l->sasl == NULL || l->cancelled ||
	    imap_words_have(capabilities, SPAN("LOGINDISABLED")))
		return false;
	l->auth = IMAP_AUTH_LOGIN;
	sasl_free(&l->sasl);
	return true;
}
