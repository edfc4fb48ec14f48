/* SPDX-License-Identifier: ISC */
#include "proto/oauth_error.h"

#include <stdio.h>
#include <string.h>

#include "util/text.h"

#define NAME_SIZE 48
#define MORE_SIZE 140
#define WORD_MAX 40 /* longer: it may be a token; an UUID has 36 */

static const char again[] = "the provider does not let us in any more: run "
			    "\"mailhaul login\" again";

/* What the world's providers say. Where the meaning is NULL, the name says it
 * all. */
static const struct refusal {
	const char *name;
	enum oauth_verdict verdict;
	enum err_kind kind;
	const char *meaning;
} refusals[] = {
	/* clang-format off */
	{ "authorization_pending", OAUTH_PENDING, ERR_TEMP,
	    "the code was not entered yet" },
	{ "slow_down", OAUTH_SLOW_DOWN, ERR_THROTTLE,
	    "the provider is asked too often" },
	{ "access_denied", OAUTH_FAILED, ERR_AUTH, "the login was declined" },
	{ "authorization_declined", OAUTH_FAILED, ERR_AUTH,
	    "the login was declined" },
	{ "expired_token", OAUTH_FAILED, ERR_AUTH, "the code has expired" },
	{ "code_expired", OAUTH_FAILED, ERR_AUTH, "the code has expired" },
	{ "bad_verification_code", OAUTH_FAILED, ERR_AUTH,
	    "the provider does not know the code" },
	{ "invalid_grant", OAUTH_FAILED, ERR_AUTH, again },
	{ "interaction_required", OAUTH_FAILED, ERR_AUTH, again },
	{ "login_required", OAUTH_FAILED, ERR_AUTH, again },
	{ "consent_required", OAUTH_FAILED, ERR_AUTH, again },
	{ "invalid_client", OAUTH_FAILED, ERR_CONFIG,
	    "the provider does not know this client-id, or wants another "
	    "client-secret" },
	{ "deleted_client", OAUTH_FAILED, ERR_CONFIG,
	    "the provider does not know this client-id any more" },
	{ "unauthorized_client", OAUTH_FAILED, ERR_CONFIG,
	    "this client-id may not log in in this way" },
	{ "invalid_scope", OAUTH_FAILED, ERR_CONFIG,
	    "the provider does not know these scopes, or not for this "
	    "client-id" },
	{ "unsupported_grant_type", OAUTH_FAILED, ERR_CONFIG,
	    "the provider does not log in in this way" },
	{ "unsupported_response_type", OAUTH_FAILED, ERR_CONFIG,
	    "the provider does not log in in this way" },
	{ "invalid_request", OAUTH_FAILED, ERR_CONFIG,
	    "the provider wants something else" },
	{ "temporarily_unavailable", OAUTH_FAILED, ERR_TEMP,
	    "the provider cannot do it now" },
	{ "server_error", OAUTH_FAILED, ERR_TEMP,
	    "the provider cannot do it now" },
	{ "rate_limit_exceeded", OAUTH_FAILED, ERR_THROTTLE,
	    "the provider is asked too often" },
	{ "too_many_requests", OAUTH_FAILED, ERR_THROTTLE,
	    "the provider is asked too often" },
	/* clang-format on */
};

/* What HTTP says, when the name says nothing. */
static const struct {
	unsigned int from, to;
	enum err_kind kind;
	const char *meaning;
} answers[] = {
	/* clang-format off */
	{ 300, 399, ERR_CONFIG,
	    "the provider has moved this to another URL" },
	{ 404, 405, ERR_CONFIG, "the provider has no such thing at this URL" },
	{ 408, 408, ERR_TEMP, "the provider cannot do it now" },
	{ 429, 429, ERR_THROTTLE, "the provider is asked too often" },
	{ 500, 599, ERR_TEMP, "the provider cannot do it now" },
	/* clang-format on */
};

static const struct refusal *
find(const char *name)
{
	for (size_t i = 0;
	     name != NULL && i < sizeof(refusals) / sizeof(*refusals); i++)
		if (strcmp(refusals[i].name, name) == 0)
			return &refusals[i];
	return NULL;
}

static size_t
word_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && (text_is_plain(s.p[n]) || s.p[n] == '~'))
		n++;
	return n;
}

/* The first line, without what is so long that it may be a token: a provider
 * may repeat what he was sent. */
static void
shorten(char *dst, size_t size, struct span s)
{
	char kept[512];
	size_t n = 0;

	s.n = strcspn(s.p, "\r\n") < s.n ? strcspn(s.p, "\r\n") : s.n;
	while (s.n > 0 && n + WORD_MAX < sizeof(kept)) {
		struct span word = span_take(&s, word_length(s));

		if (word.n > WORD_MAX)
			word = SPAN("[...]");
		else if (word.n == 0)
			word = span_take(&s, 1);
		memcpy(kept + n, word.p, word.n);
		n += word.n;
	}
	(void)text_printable(dst, size, span_make(kept, n));
}

static void
say(struct err *e, enum err_kind kind, const char *meaning, const char *word,
    const char *more)
{
	char first[MORE_SIZE] = "";

	if (more != NULL)
		shorten(first, sizeof(first), span_trim(span_of(more)));
	err_set(e, kind, 0, "%s (%s%s%s)", meaning, word,
	    first[0] == '\0' ? "" : ": ", first);
}

static enum oauth_verdict
refused_by_status(
    unsigned int status, const char *name, const char *more, struct err *e)
{
	char word[NAME_SIZE + 16];
	char cut[NAME_SIZE] = "";

	if (name != NULL)
		shorten(cut, sizeof(cut), span_of(name));
	(void)snprintf(word, sizeof(word), "HTTP %u%s%s", status,
	    cut[0] == '\0' ? "" : " ", cut);
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		if (status >= answers[i].from && status <= answers[i].to) {
			say(e, answers[i].kind, answers[i].meaning, word, more);
			return OAUTH_FAILED;
		}
	if (name != NULL)
		say(e, ERR_AUTH, "the provider has refused", word, more);
	else
		say(e, ERR_PROTO, "what the provider says is no OAuth 2.0",
		    word, NULL);
	return OAUTH_FAILED;
}

enum oauth_verdict
oauth_refused(
    unsigned int status, const char *name, const char *more, struct err *e)
{
	const struct refusal *r = find(name);

	/* a server in trouble says much, and does not mean it */
	if (r == NULL || (status >= 500 && r->verdict == OAUTH_FAILED))
		return refused_by_status(status, name, more, e);
	say(e, r->kind, r->meaning, r->name, more);
	return r->verdict;
}
