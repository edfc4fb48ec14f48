/* SPDX-License-Identifier: ISC */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "io/proxy_talk.h"
#include "util/betray.h"
#include "util/text.h"

/* CONNECT: RFC 9110 9.3.6 and 11.7.2, RFC 9112 3.2.3, and Basic of RFC 7617. */

#define LOGIN_MAX 2048 /* octets of "user:password" */
#define INTERIM_MAX 16 /* answers */

/* ---- what we say ---- */

static void
put_base64(struct buf *out, struct span s)
{
	size_t room;
	char *dst = buf_room(out, (s.n + 2) / 3 * 4 + 1, &room);

	buf_wrote(out,
	    (size_t)EVP_EncodeBlock(
		(unsigned char *)dst, (const unsigned char *)s.p, (int)s.n));
}

/* user:password, in base64; a secret. */
static void
put_token(const struct proxy *p, struct buf *out)
{
	struct buf login;

	buf_init(&login, LOGIN_MAX);
	(void)buf_add(&login, span_of(p->user));
	(void)buf_addc(&login, ':');
	(void)buf_add(&login, secret_span(p->password));
	put_base64(out, buf_span(&login));
	buf_wipe(&login);
}

/* An address of IPv6 stands in brackets. */
static void
put_target(struct proxy *p)
{
	bool v6 = strchr(p->host, ':') != NULL;

	(void)buf_printf(&p->out, "%s%s%s:%u", v6 ? "[" : "", p->host,
	    v6 ? "]" : "", p->port);
}

static bool
can_be_said(const struct proxy *p)
{
	struct span user = span_of(p->user);

	return strlen(p->host) <= PROXY_HOST_MAX &&
	    !text_breaks_line(span_of(p->host)) &&
	    strchr(p->host, ' ') == NULL && span_find(user, ':') == user.n &&
	    user.n + secret_span(p->password).n < LOGIN_MAX;
}

int
proxy_http_begin(struct proxy *p)
{
	if (!can_be_said(p)) {
		proxy_fail(p, ERR_CONFIG,
		    "cannot be asked by HTTP: a user has no colon there, and "
		    "with the password at most %d octets",
		    LOGIN_MAX - 1);
		return -1;
	}
	(void)buf_add(&p->out, SPAN("CONNECT "));
	put_target(p);
	(void)buf_add(&p->out, SPAN(" HTTP/1.1\r\nHost: "));
	put_target(p);
	if (p->user != NULL) {
		(void)buf_add(&p->out, SPAN("\r\nProxy-Authorization: Basic "));
		put_token(p, &p->out);
	}
	(void)buf_add(&p->out, SPAN("\r\n\r\n"));
	return 0;
}

/* ---- what we hear ---- */

/* Of what the proxy says in its own words, what may be shown: not when it
 * repeats our secret. */
static struct span
quotable(const struct proxy *p, struct span reason)
{
	struct buf token;
	bool repeats;

	if (p->user == NULL)
		return reason;
	buf_init(&token, PROXY_SAY_MAX);
	put_token(p, &token);
	repeats = betrays(reason, p->user, p->password) ||
	    span_has(reason, buf_span(&token));
	buf_wipe(&token);
	return repeats ? SPAN("") : reason;
}

static enum proxy_says
refuse(struct proxy *p, unsigned int status, struct span reason)
{
	char why[200], shown[120];

	if (status == 407 && p->user == NULL)
		return proxy_fail(p, ERR_CONFIG,
		    "wants a user and a password: write them into the option "
		    "proxy");
	if (status == 407)
		return proxy_fail(p, ERR_CONFIG,
		    "refuses the user or the password of the option proxy");
	text_printable(shown, sizeof(shown), quotable(p, reason));
	(void)snprintf(why, sizeof(why), "%s%u%s%s",
	    status == 403 ? "the proxy's rules do not allow it: " : "", status,
	    shown[0] == '\0' ? "" : " ", shown);
	return proxy_fail_to_reach(p, why);
}

/* "HTTP/1.1 200 Connection established"; 0: it is something else. */
static unsigned int
read_status(struct span line, struct span *reason)
{
	uint64_t status, minor;

	if (!span_skip(&line, SPAN("HTTP/1.")) ||
	    !text_number(&line, 9, &minor) || !span_skip(&line, SPAN(" ")) ||
	    !text_number(&line, 999, &status) || status < 100)
		return 0;
	*reason = span_trim(line);
	return (unsigned int)status;
}

/* The header is whole: of it, the first line counts. What it says about a
 * body is to be ignored in a 2xx (RFC 9110 9.3.6): what follows is the
 * server's. An interim answer is followed by another. */
static enum proxy_says
on_header(struct proxy *p)
{
	struct span all = buf_span(&p->in);
	struct span reason = SPAN("");
	unsigned int status = read_status(span_until(&all, '\n'), &reason);

	if (status == 0)
		return proxy_fail(p, ERR_PROTO, "does not speak HTTP");
	if (status >= 300)
		return refuse(p, status, reason);
	if (status >= 200)
		return PROXY_DONE;
	if (status == 101)
		return proxy_fail(p, ERR_PROTO, "answers CONNECT with \"101\"");
	if (++p->interim > INTERIM_MAX) /* whoever listens must have an end */
		return proxy_fail(
		    p, ERR_PROTO, "answers again and again, and says nothing");
	buf_clear(&p->in);
	return PROXY_MORE;
}

/* Its last line is empty; CR is optional (RFC 9112 2.2). */
static bool
is_whole(struct span in)
{
	return in.n >= 2 && in.p[in.n - 1] == '\n' &&
	    (in.p[in.n - 2] == '\n' ||
		(in.n >= 3 && in.p[in.n - 2] == '\r' &&
		    in.p[in.n - 3] == '\n'));
}

/* What cannot become an answer of HTTP is not waited for. */
static bool
may_become(struct span in)
{
	struct span front = SPAN("HTTP/1.");

	if (front.n > in.n)
		front.n = in.n;
	return span_skip(&in, front);
}

/* The next line, or what there is of it. */
static struct span
take_line(struct span *in)
{
	size_t n = span_find(*in, '\n');

	return span_take(in, n < in->n ? n + 1 : n);
}

enum proxy_says
proxy_http_hear(struct proxy *p, struct span *in)
{
	enum proxy_says says = PROXY_MORE;

	while (says == PROXY_MORE && in->n > 0) {
		if (buf_add(&p->in, take_line(in)) != 0)
			return proxy_fail(p, ERR_PROTO,
			    "answers with a header of more than %d octets",
			    PROXY_ANSWER_MAX);
		if (!may_become(buf_span(&p->in)))
			return proxy_fail(p, ERR_PROTO, "does not speak HTTP");
		if (is_whole(buf_span(&p->in)))
			says = on_header(p);
	}
	return says;
}
