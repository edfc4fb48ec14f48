/* SPDX-License-Identifier: ISC */
#include "proto/sasl_scram.h"

#include <stdint.h>

#include "util/text.h"

static int
no_sense(struct err *e)
{
	return err_set(
	    e, ERR_PROTO, 0, "the server's first word in SCRAM makes no sense");
}

/* Exactly the form of RFC 5802 7, so that GNU SASL reads the same number. */
int
sasl_scram_first(struct span message, struct span *salt,
    unsigned int *iterations, struct err *e)
{
	struct span nonce, count;
	uint64_t n;

	if (span_find(message, '\0') < message.n)
		return no_sense(e);
	nonce = span_until(&message, ',');
	*salt = span_until(&message, ',');
	count = span_until(&message, ',');
	if (!span_skip(&nonce, SPAN("r=")) || nonce.n == 0 ||
	    !span_skip(salt, SPAN("s=")) || salt->n == 0 ||
	    !span_skip(&count, SPAN("i=")) ||
	    !text_number(&count, UINT64_MAX, &n) || count.n > 0 || n == 0)
		return no_sense(e);
	if (n > SASL_SCRAM_ITERATIONS_MAX)
		return err_set(e, ERR_PROTO, 0,
		    "the server wants %llu iterations for SCRAM; more than %d "
		    "are not done: set auth = plain",
		    (unsigned long long)n, SASL_SCRAM_ITERATIONS_MAX);
	*iterations = (unsigned int)n;
	return 0;
}

/* What server-error-value of RFC 5802 7 means to the user. Our side is in
 * order: what is not known here is said as it is. */
static const struct {
	const char *word;
	enum err_kind kind;
	const char *meaning;
} failures[] = {
	{ "unsupported-channel-binding-type", ERR_AUTH,
	    "it does not know the channel binding tls-exporter: "
	    "set auth = scram-sha-256" },
	{ "channel-bindings-dont-match", ERR_AUTH,
	    "its TLS session is another one than ours: somebody is in "
	    "between, or the provider ends TLS elsewhere" },
	{ "server-does-support-channel-binding", ERR_AUTH,
	    "somebody hides that it does channel binding" },
	{ "channel-binding-not-supported", ERR_AUTH,
	    "it does no channel binding: set auth = scram-sha-256" },
	{ "invalid-proof", ERR_AUTH, "the password is wrong" },
	{ "unknown-user", ERR_AUTH, "the user is not known" },
	{ "invalid-username-encoding", ERR_AUTH, "it cannot read the user" },
	{ "no-resources", ERR_TEMP, "it has no resources" },
};

bool
sasl_scram_failed(struct span message, struct err *e, bool *unbound)
{
	struct span word = span_until(&message, ',');

	if (!span_skip(&word, SPAN("e=")))
		return false;
	*unbound = span_eq(word, SPAN("unsupported-channel-binding-type"));
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (span_eq(word, span_of(failures[i].word))) {
			err_set(e, failures[i].kind, 0,
			    "the server ends SCRAM: %s (%s)",
			    failures[i].meaning, failures[i].word);
			return true;
		}
	err_set(e, ERR_AUTH, 0, "the server ends SCRAM: \"%.*s\"",
	    (int)(word.n < 60 ? word.n : 60), word.p);
	return true;
}
