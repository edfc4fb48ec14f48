/* SPDX-License-Identifier: ISC */
#include "io/proxy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/proxy_talk.h"
#include "util/mem.h"

/* ---- the words for failure ---- */

enum proxy_says
proxy_fail(struct proxy *p, enum err_kind kind, const char *fmt, ...)
{
	char what[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	err_set(&p->err, kind, 0, "%s %s", p->name, what);
	return PROXY_FAILED;
}

enum proxy_says
proxy_fail_to_reach(struct proxy *p, const char *why)
{
	return proxy_fail(
	    p, ERR_NET, "cannot reach %.100s:%u: %s", p->host, p->port, why);
}

void
proxy_closed(const struct proxy *p, struct err *e)
{
	err_set(e, ERR_NET, 0,
	    "%s has hung up instead of connecting us to "
	    "%.100s:%u",
	    p->name, p->host, p->port);
}

void
proxy_late(const struct proxy *p, unsigned int ms, struct err *e)
{
	err_set(e, ERR_NET, ETIMEDOUT,
	    "%s has not connected us to %.100s:%u within %u s", p->name,
	    p->host, p->port, (ms + 999) / 1000);
}

/* ---- work ---- */

static int
begin(struct proxy *p)
{
	switch (p->kind) {
	case PROXY_NONE:
		break;
	case PROXY_SOCKS5:
		return proxy_socks_begin(p);
	case PROXY_HTTP:
		return proxy_http_begin(p);
	}
	proxy_fail(p, ERR_CONFIG, "speaks no protocol");
	return -1;
}

enum proxy_says
proxy_feed(struct proxy *p, struct span *in)
{
	if (p->err.kind != ERR_NONE)
		return PROXY_FAILED;
	return p->kind == PROXY_SOCKS5 ? proxy_socks_hear(p, in)
				       : proxy_http_hear(p, in);
}

struct span
proxy_output(const struct proxy *p)
{
	return buf_span(&p->out);
}

void
proxy_sent(struct proxy *p, size_t n)
{
	buf_drop(&p->out, n);
}

const struct err *
proxy_error(const struct proxy *p)
{
	return &p->err;
}

/* ---- life ---- */

struct proxy *
proxy_new(const struct proxy_params *params, const char *host,
    unsigned int port, struct err *e)
{
	struct proxy *p = mem_new(sizeof(*p));

	p->kind = params->kind;
	p->host = mem_strdup(host);
	p->port = port;
	p->user = mem_strdup(params->user);
	p->password = secret_new(params->password == NULL
		? SPAN("")
		: secret_span(params->password));
	p->name = mem_printf("the proxy %.100s:%u", params->host, params->port);
	buf_init(&p->in, PROXY_ANSWER_MAX);
	buf_init(&p->out, PROXY_SAY_MAX);
	if (begin(p) != 0) {
		*e = p->err;
		proxy_free(&p);
	}
	return p;
}

void
proxy_free(struct proxy **proxy)
{
	struct proxy *p = *proxy;

	*proxy = NULL;
	if (p == NULL)
		return;
	free(p->host);
	free(p->user);
	secret_free(&p->password);
	free(p->name);
	buf_wipe(&p->in);
	buf_wipe(&p->out);
	free(p);
}
