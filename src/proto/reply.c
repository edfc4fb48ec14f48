/* SPDX-License-Identifier: ISC */
#include "proto/reply.h"

#include <stdbool.h>
#include <stddef.h>

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
	{ IN_TEXT, "session expired", ERR_TEMP },
	/* Exchange */
	{ IN_TEXT, "request is throttled", ERR_THROTTLE },
	{ IN_TEXT, "suggested backoff time", ERR_THROTTLE },
	{ IN_TEXT, "not connected", ERR_TEMP },
	{ IN_TEXT, "server unavailable", ERR_TEMP },
	/* Yahoo, GMX, Dovecot, Courier, Cyrus */
	{ IN_TEXT, "rate limit", ERR_THROTTLE },
	{ IN_TEXT, "login too often", ERR_THROTTLE },
	{ IN_TEXT, "maximum number of connections", ERR_THROTTLE },
	{ IN_TEXT, "maximum connection limit", ERR_THROTTLE },
	{ IN_TEXT, "too many connections", ERR_THROTTLE },
	{ IN_TEXT, "too many concurrent", ERR_THROTTLE },
	{ IN_TEXT, "logins must be at least", ERR_THROTTLE },
	/* NetEase */
	{ IN_TEXT, "unsafe login", ERR_AUTH },
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
