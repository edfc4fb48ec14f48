/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <string.h>

#include "io/proxy_talk.h"

/* SOCKS5: RFC 1928, and RFC 1929 for user and password. */

#define VERSION 5
#define PASSWORD_VERSION 1
#define CREDENTIAL_MAX 255

#define METHOD_NONE 0
#define METHOD_PASSWORD 2
#define METHOD_REFUSED 0xff

#define COMMAND_CONNECT 1

#define ADDRESS_IPV4 1
#define ADDRESS_NAME 3
#define ADDRESS_IPV6 4

enum step { ASKED_METHOD, ASKED_LOGIN, ASKED_CONNECT };

/* ---- what we say ---- */

static void
put(struct proxy *p, unsigned int octet)
{
	(void)buf_addc(&p->out, (char)octet);
}

/* With its length in front. */
static void
put_counted(struct proxy *p, struct span s)
{
	put(p, (unsigned int)s.n);
	(void)buf_add(&p->out, s);
}

/* The least that is needed is offered: who takes no password for an open
 * proxy need not see it. */
static void
say_methods(struct proxy *p)
{
	put(p, VERSION);
	put(p, p->user == NULL ? 1 : 2);
	put(p, METHOD_NONE);
	if (p->user != NULL)
		put(p, METHOD_PASSWORD);
	p->step = ASKED_METHOD;
}

static void
say_login(struct proxy *p)
{
	put(p, PASSWORD_VERSION);
	put_counted(p, span_of(p->user));
	put_counted(p, secret_span(p->password));
	p->step = ASKED_LOGIN;
}

static void
say_connect(struct proxy *p)
{
	char ip[16];

	put(p, VERSION);
	put(p, COMMAND_CONNECT);
	put(p, 0);
	if (inet_pton(AF_INET, p->host, ip) == 1) {
		put(p, ADDRESS_IPV4);
		(void)buf_add(&p->out, span_make(ip, 4));
	} else if (inet_pton(AF_INET6, p->host, ip) == 1) {
		put(p, ADDRESS_IPV6);
		(void)buf_add(&p->out, span_make(ip, 16));
	} else {
		put(p, ADDRESS_NAME);
		put_counted(p, span_of(p->host));
	}
	put(p, p->port >> 8);
	put(p, p->port & 0xff);
	p->step = ASKED_CONNECT;
}

/* RFC 1929 has 1 to 255 octets of each; that a password is empty is let
 * through, as others do. */
int
proxy_socks_begin(struct proxy *p)
{
	size_t user = span_of(p->user).n;

	if (strlen(p->host) > PROXY_HOST_MAX ||
	    (p->user != NULL && user == 0) || user > CREDENTIAL_MAX ||
	    secret_span(p->password).n > CREDENTIAL_MAX) {
		proxy_fail(p, ERR_CONFIG,
		    "cannot be asked by SOCKS5: host, user and password have "
		    "at most %d octets there",
		    CREDENTIAL_MAX);
		return -1;
	}
	say_methods(p);
	return 0;
}

/* ---- what we hear ---- */

static unsigned int
octet(const struct proxy *p, size_t i)
{
	return (unsigned char)buf_span(&p->in).p[i];
}

/* Has the answer n octets by now? No more than that is taken from *in. */
static bool
have(struct proxy *p, size_t n, struct span *in)
{
	if (p->in.n < n)
		(void)buf_add(&p->in, span_take(in, n - p->in.n));
	return p->in.n >= n;
}

static enum proxy_says
no_socks(struct proxy *p)
{
	return proxy_fail(p, ERR_PROTO, "does not speak SOCKS5");
}

static enum proxy_says
refused(struct proxy *p)
{
	if (p->user == NULL)
		return proxy_fail(p, ERR_CONFIG,
		    "wants a user and a password: write them into the option "
		    "proxy");
	return proxy_fail(
	    p, ERR_CONFIG, "takes neither nobody nor a user with a password");
}

static enum proxy_says
hear_method(struct proxy *p, struct span *in)
{
	if (!have(p, 2, in))
		return p->in.n > 0 && octet(p, 0) != VERSION ? no_socks(p)
							     : PROXY_MORE;
	if (octet(p, 0) != VERSION)
		return no_socks(p);
	if (octet(p, 1) == METHOD_REFUSED)
		return refused(p);
	if (octet(p, 1) == METHOD_NONE)
		say_connect(p);
	else if (octet(p, 1) == METHOD_PASSWORD && p->user != NULL)
		say_login(p);
	else
		return no_socks(p);
	return PROXY_MORE;
}

static enum proxy_says
hear_login(struct proxy *p, struct span *in)
{
	if (!have(p, 2, in))
		return PROXY_MORE;
	if (octet(p, 1) != 0)
		return proxy_fail(p, ERR_CONFIG,
		    "refuses the user or the password of the option proxy");
	say_connect(p);
	return PROXY_MORE;
}

/* RFC 1928 6. */
static const char *
words_of(unsigned int reply)
{
	static const char *const words[] = { "", "the proxy itself has failed",
		"the proxy's rules do not allow it", "network unreachable",
		"host unreachable", "connection refused",
		"the time to live of a packet expired",
		"the proxy cannot connect for others",
		"the proxy does not know this kind of address" };

	return reply < sizeof(words) / sizeof(*words) ? words[reply]
						      : "unknown reply";
}

/* The whole answer, as far as that can be told. */
static size_t
length(const struct proxy *p)
{
	switch (octet(p, 3)) {
	case ADDRESS_IPV4:
		return 4 + 4 + 2;
	case ADDRESS_IPV6:
		return 4 + 16 + 2;
	case ADDRESS_NAME:
		return 4 + 1 + octet(p, 4) + 2;
	}
	return 0;
}

/* Some proxies send no more than four octets when they refuse. */
static enum proxy_says
hear_connect(struct proxy *p, struct span *in)
{
	if (have(p, 2, in) && octet(p, 0) != VERSION)
		return no_socks(p);
	if (have(p, 2, in) && octet(p, 1) != 0)
		return proxy_fail_to_reach(p, words_of(octet(p, 1)));
	if (!have(p, 5, in))
		return PROXY_MORE;
	if (length(p) == 0)
		return no_socks(p);
	return have(p, length(p), in) ? PROXY_DONE : PROXY_MORE;
}

enum proxy_says
proxy_socks_hear(struct proxy *p, struct span *in)
{
	enum proxy_says says = PROXY_MORE;

	while (says == PROXY_MORE && in->n > 0) {
		unsigned int before = p->step;

		if (before == ASKED_METHOD)
			says = hear_method(p, in);
		else if (before == ASKED_LOGIN)
			says = hear_login(p, in);
		else
			says = hear_connect(p, in);
		if (p->step != before)
			buf_clear(&p->in);
	}
	return says;
}
