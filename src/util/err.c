/* SPDX-License-Identifier: ISC */
#include "util/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

/* What quotes a server may be long before it is made printable. */
#define RAW_MAX 1024

static void
fill(struct err *e, const char *raw)
{
	text_printable(e->text, sizeof(e->text), span_of(raw));
}

int
err_set(struct err *e, enum err_kind kind, int sys, const char *fmt, ...)
{
	char raw[RAW_MAX];
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	/* cut is fine; the arguments may point into e->text */
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = '\0';
	va_end(ap);
	e->kind = kind;
	e->sys = sys;
	e->after_s = 0;
	fill(e, raw);
	return -1;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	char raw[RAW_MAX + sizeof(e->text)];
	va_list ap;
	int n;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	n = vsnprintf(raw, RAW_MAX, fmt, ap);
	va_end(ap);
	if (n < 0)
		raw[0] = '\0';
	n = (int)strlen(raw);
	snprintf(raw + n, sizeof(raw) - (size_t)n, ": %s", e->text);
	fill(e, raw);
	return -1;
}

void
err_clear(struct err *e)
{
	if (e != NULL)
		*e = (struct err){ 0 };
}

const char *
err_kind_name(enum err_kind kind)
{
	static const char *const names[ERR_KINDS] = {
		[ERR_NONE] = "none",
		[ERR_NET] = "net",
		[ERR_TLS] = "tls",
		[ERR_PROTO] = "proto",
		[ERR_AUTH] = "auth",
		[ERR_THROTTLE] = "throttle",
		[ERR_TEMP] = "temp",
		[ERR_LOCKED] = "locked",
		[ERR_MESSAGE] = "message",
		[ERR_MAILBOX] = "mailbox",
		[ERR_DELIVER] = "deliver",
		[ERR_CONFIG] = "config",
		[ERR_CANCEL] = "cancel",
	};

	/* a kind may come from a packet: it is not trusted to be one */
	if ((unsigned int)kind >= ERR_KINDS)
		return "unknown";
	return names[kind];
}
