/* SPDX-License-Identifier: ISC */
#include "proto/reply.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/text.h"

enum where {
	IN_CODE, /* the response code, or its part before a "/" */
	IN_TEXT  /* anywhere in the text */
};

/*
 * The first row that fits decides. Codes that say exactly what is wrong come
 * first, then the texts, then the codes that only say "not now": servers put
 * the latter in front of texts that know more, as in Dovecot's "[UNAVAILABLE]
 * Maximum number of connections from user+IP exceeded".
 */
static const struct meaning {
	enum where where;
	const char *words;
	enum err_kind kind; /* ERR_NONE: not the password's fault, no more */
} meanings[] = {
	/* clang-format off */
	/* RFC 5530, RFC 3501 */
	{ IN_CODE, "AUTHENTICATIONFAILED", ERR_AUTH },
	{ IN_CODE, "AUTHORIZATIONFAILED", ERR_AUTH },
	{ IN_CODE, "EXPIRED", ERR_AUTH },
	{ IN_CODE, "PRIVACYREQUIRED", ERR_AUTH },
	{ IN_CODE, "WEBALERT", ERR_AUTH }, /* GMail */
	{ IN_CODE, "INUSE", ERR_LOCKED },
	{ IN_CODE, "LOCKED", ERR_LOCKED },
	{ IN_CODE, "LIMIT", ERR_THROTTLE },
	{ IN_CODE, "THROTTLED", ERR_THROTTLE },
	{ IN_CODE, "OVERQUOTA", ERR_THROTTLE }, /* GMail: bandwidth */
	{ IN_CODE, "NONEXISTENT", ERR_MAILBOX },
	{ IN_CODE, "NOPERM", ERR_MAILBOX },
	/* RFC 2449, RFC 3206 */
	{ IN_CODE, "AUTH", ERR_AUTH },
	{ IN_CODE, "IN-USE", ERR_LOCKED },
	{ IN_CODE, "LOGIN-DELAY", ERR_THROTTLE },

	/* GMail: a locked account, or its limits */
	{ IN_TEXT, "web login required", ERR_AUTH },
	{ IN_TEXT, "log in via your web browser", ERR_AUTH },
	{ IN_TEXT, "lockdown in sector", ERR_AUTH },
	{ IN_TEXT, "account exceeded", ERR_THROTTLE },
	{ IN_TEXT, "[THROTTLED]", ERR_THROTTLE },
	{ IN_TEXT, "too many simultaneous", ERR_THROTTLE },
	/* Exchange */
	{ IN_TEXT, "request is throttled", ERR_THROTTLE },
	{ IN_TEXT, "suggested backoff time", ERR_THROTTLE },
	{ IN_TEXT, "not connected", ERR_TEMP },
	{ IN_TEXT, "server unavailable", ERR_TEMP },
	{ IN_TEXT, "connection closed. ", ERR_TEMP }, /* behind some BAD */
	/* Yahoo, GMX, Dovecot, Courier, Cyrus */
	{ IN_TEXT, "rate limit", ERR_THROTTLE },
	{ IN_TEXT, "login too often", ERR_THROTTLE },
	{ IN_TEXT, "maximum number of connections", ERR_THROTTLE },
	{ IN_TEXT, "maximum connection limit", ERR_THROTTLE },
	{ IN_TEXT, "too many connections", ERR_THROTTLE },
	{ IN_TEXT, "too many concurrent", ERR_THROTTLE },
	{ IN_TEXT, "logins must be at least", ERR_THROTTLE },
	/* Hotmail */
	{ IN_TEXT, "login allowed only every", ERR_THROTTLE },
	{ IN_TEXT, "exceeded the login limit", ERR_THROTTLE },
	{ IN_TEXT, "too many login attempts", ERR_THROTTLE },
	/* NetEase */
	{ IN_TEXT, "unsafe login", ERR_AUTH },
	{ IN_TEXT, "login error or password error", ERR_AUTH },
	/* GMail, Dovecot, Cyrus and Yandex: a session was too long or too
	 * quiet, and another is welcome at once */
	{ IN_TEXT, "session expired", ERR_NET },
	/* Exchange: the token it began with has expired */
	{ IN_TEXT, "session invalidated", ERR_NET },
	{ IN_TEXT, "disconnected for inactivity", ERR_NET },
	{ IN_TEXT, "disconnected due to inactivity", ERR_NET },
	{ IN_TEXT, "idle for too long", ERR_NET },
	{ IN_TEXT, "autologout", ERR_NET },
	/* Dovecot: the fault is ours */
	{ IN_TEXT, "too many invalid", ERR_PROTO },
	/* another session; never a bare "lock": an account may be locked too */
	{ IN_TEXT, "mailbox is locked", ERR_LOCKED },
	{ IN_TEXT, "maildrop is locked", ERR_LOCKED },
	{ IN_TEXT, "mailbox locked", ERR_LOCKED },
	{ IN_TEXT, "maildrop locked", ERR_LOCKED },
	{ IN_TEXT, "mailbox in use", ERR_LOCKED },
	{ IN_TEXT, "maildrop in use", ERR_LOCKED },
	{ IN_TEXT, "already locked", ERR_LOCKED },
	{ IN_TEXT, "unable to lock", ERR_LOCKED },
	{ IN_TEXT, "cannot lock", ERR_LOCKED },
	{ IN_TEXT, "can't lock", ERR_LOCKED },
	{ IN_TEXT, "could not lock", ERR_LOCKED },
	{ IN_TEXT, "lock busy", ERR_LOCKED },
	{ IN_TEXT, "another POP3 session", ERR_LOCKED },
	/* InterMail, Yandex and many */
	{ IN_TEXT, "wait a few minutes", ERR_TEMP },
	{ IN_TEXT, "services unavailable", ERR_TEMP },
	{ IN_TEXT, "service unavailable", ERR_TEMP },
	{ IN_TEXT, "temporar", ERR_TEMP },
	{ IN_TEXT, "backend error", ERR_TEMP },
	{ IN_TEXT, "try again later", ERR_TEMP },
	{ IN_TEXT, "shutting down", ERR_TEMP },

	{ IN_CODE, "UNAVAILABLE", ERR_TEMP },
	{ IN_CODE, "SERVERBUG", ERR_TEMP },
	{ IN_CODE, "CONTACTADMIN", ERR_TEMP },
	{ IN_CODE, "SYS/PERM", ERR_NONE },
	{ IN_CODE, "SYS", ERR_TEMP },
	/* clang-format on */
};

/* RFC 2449 8: who does not know a sub-code goes by what it belongs to. */
static bool
code_is(struct span code, struct span words)
{
	return span_iskip(&code, words) && (code.n == 0 || code.p[0] == '/');
}

static bool
fits(const struct meaning *m, struct span code, struct span text)
{
	return m->where == IN_CODE ? code_is(code, span_of(m->words))
				   : span_ihas(text, span_of(m->words));
}

enum err_kind
reply_kind(struct span code, struct span text, enum err_kind otherwise)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (!fits(&meanings[i], code, text))
			continue;
		if (meanings[i].kind != ERR_NONE)
			return meanings[i].kind;
		/* RFC 3206 4: a fault of the system, and it will stay */
		return otherwise == ERR_AUTH ? ERR_TEMP : otherwise;
	}
	return otherwise;
}

/* ---- how long to wait ---- */

#define GAP_MAX 16 /* octets between such words and their number */

/* The next digit, if it is near. */
static bool
skip_to_number(struct span *s)
{
	size_t n = 0;

	while (n < s->n && (s->p[n] < '0' || s->p[n] > '9'))
		n++;
	if (n == s->n || n > GAP_MAX)
		return false;
	span_take(s, n);
	return true;
}

/* What a number of this unit is in seconds, no less and no more than a day;
 * 0: it is no unit. */
static uint64_t
seconds_of(uint64_t n, struct span unit)
{
	static const struct {
		const char *name;
		unsigned int s;
	} units[] = { { "s", 1 }, { "sec", 1 }, { "second", 1 }, { "m", 60 },
		{ "min", 60 }, { "minute", 60 }, { "h", 3600 },
		{ "hour", 3600 } };

	if (span_iskip(&unit, SPAN("millisecond")) ||
	    span_ieq(unit, SPAN("ms")))
		return n / 1000 + (n % 1000 != 0);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct span rest = unit;

		if (span_iskip(&rest, span_of(units[i].name)) &&
		    (rest.n == 0 || span_ieq(rest, SPAN("s"))))
			return n > REPLY_AFTER_MAX_S ? n : n * units[i].s;
	}
	return 0;
}

/* A number and its unit, with a blank or a hyphen between them or none. */
static unsigned int
take_time(struct span s)
{
	uint64_t n;
	size_t letters = 0;

	if (!text_number(&s, UINT64_MAX, &n))
		return 0;
	if (!span_skip(&s, SPAN(" ")))
		span_skip(&s, SPAN("-"));
	while (letters < s.n && (s.p[letters] | 0x20) >= 'a' &&
	    (s.p[letters] | 0x20) <= 'z')
		letters++;
	n = seconds_of(n, span_take(&s, letters));
	return (unsigned int)(n < REPLY_AFTER_MAX_S ? n : REPLY_AFTER_MAX_S);
}

/* Steps behind words, where they first stand in s. */
static bool
skip_behind(struct span *s, struct span words)
{
	for (struct span rest = *s; rest.n > 0; span_take(&rest, 1)) {
		if (!span_iskip(&rest, words))
			continue;
		*s = rest;
		return true;
	}
	return false;
}

unsigned int
reply_after_s(struct span text)
{
	static const char *const words[] = { "backoff time", /* Exchange */
		"logins must be at least",                   /* Cyrus */
		"only every", "login limit for a",           /* Hotmail */
		"wait", "try again in", "try again after", "retry in",
		"retry after" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct span rest = text;
		unsigned int s;

		if (!skip_behind(&rest, span_of(words[i])) ||
		    !skip_to_number(&rest))
			continue;
		s = take_time(rest);
		if (s > 0)
			return s;
	}
	return 0;
}

void
reply_split(
    struct span line, struct span *code, struct span *args, struct span *text)
{
	struct span rest = span_trim(line);
	struct span inside;

	*code = *args = SPAN("");
	*text = rest;
	if (!span_skip(&rest, SPAN("[")) || span_find(rest, ']') == rest.n)
		return;
	inside = span_trim(span_until(&rest, ']'));
	*code = span_until(&inside, ' ');
	*args = span_trim(inside);
	*text = span_trim(rest);
}
