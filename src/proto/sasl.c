/* SPDX-License-Identifier: ISC */
#include "proto/sasl.h"

#include <assert.h>
#include <gsasl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

static const struct mechanism {
	const char *name;     /* RFC 4422 3.1, and what GNU SASL calls it */
	bool client_first;    /* an initial response is its first word */
	Gsasl_property token; /* where GNU SASL looks for the secret */
} mechanisms[] = {
	{ "PLAIN", true, GSASL_PASSWORD }, /* RFC 4616 */
};

struct sasl {
	const struct mechanism *mechanism;
	Gsasl *lib;
	Gsasl_session *session;
	bool begun;
	bool finished; /* we said all there is to say */
};

static const struct mechanism *
find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (span_ieq(span_of(mechanisms[i].name), span_of(name)))
			return &mechanisms[i];
	}
	return NULL;
}

/* What GNU SASL does not say otherwise is: no memory. */
static void
need(int rc)
{
	if (rc == GSASL_OK)
		return;
	assert(rc == GSASL_MALLOC_ERROR);
	abort();
}

/* GNU SASL prepares no string here (SASLprep would change or refuse 8-bit
 * passwords that are not UTF-8): what the user set is what goes out. */
static void
give(struct sasl *s, const char *user, struct span secret)
{
	char *copy = mem_spandup(secret);

	need(gsasl_property_set(s->session, GSASL_AUTHID, user));
	need(gsasl_property_set(s->session, s->mechanism->token, copy));
	mem_wipe(copy, secret.n);
	free(copy);
}

struct sasl *
sasl_new(const char *mechanism, const char *user, const struct secret *secret,
    struct err *e)
{
	const struct mechanism *found = find(mechanism);
	struct span octets = secret_span(secret);
	struct sasl *s;

	if (found == NULL) {
		err_set(e, ERR_CONFIG, 0, "SASL mechanism %s is not known here",
		    mechanism);
		return NULL;
	}
	/* RFC 4616 2: NUL separates the fields of PLAIN */
	if (span_find(octets, '\0') < octets.n) {
		err_set(e, ERR_CONFIG, 0,
		    "the password has a NUL octet, "
		    "which SASL cannot carry");
		return NULL;
	}
	s = mem_new(sizeof(*s));
	s->mechanism = found;
	need(gsasl_init(&s->lib));
	if (gsasl_client_start(s->lib, found->name, &s->session) != GSASL_OK) {
		err_set(e, ERR_CONFIG, 0, "GNU SASL was built without %s",
		    found->name);
		sasl_free(&s);
		return NULL;
	}
	give(s, user, octets);
	return s;
}

/* GNU SASL frees its copy of the secret as it is. The pointer it shows us is
 * the copy itself, so it can be overwritten in place. */
static void
forget(struct sasl *s)
{
	const char *p;

	if (s->session == NULL)
		return;
	p = gsasl_property_fast(s->session, s->mechanism->token);
	if (p != NULL)
		mem_wipe((void *)(uintptr_t)p, strlen(p));
}

void
sasl_free(struct sasl **s)
{
	if (*s == NULL)
		return;
	forget(*s);
	if ((*s)->session != NULL)
		gsasl_finish((*s)->session);
	gsasl_done((*s)->lib);
	free(*s);
	*s = NULL;
}

bool
sasl_client_first(const struct sasl *s)
{
	return s->mechanism->client_first;
}

static int
add_base64(struct buf *out, const char *octets, size_t n)
{
	char *text = NULL;
	size_t len = 0;
	int r;

	need(gsasl_base64_to(octets, n, &text, &len));
	r = buf_add(out, span_make(text, len));
	mem_wipe(text, len);
	gsasl_free(text);
	return r;
}

static int
answer(struct sasl *s, const char *octets, size_t n, struct buf *out,
    struct err *e)
{
	char *said = NULL;
	size_t len = 0;
	int rc = gsasl_step(s->session, octets, n, &said, &len);
	int r = 0;

	s->finished = rc == GSASL_OK;
	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
		return err_set(e, ERR_PROTO, 0, "SASL %s: %s",
		    s->mechanism->name, gsasl_strerror(rc));
	if (add_base64(out, said, len) != 0)
		r = err_set(e, ERR_CONFIG, 0,
		    "user and password are too long for one line");
	mem_wipe(said, len);
	gsasl_free(said);
	return r;
}

int
sasl_step(struct sasl *s, struct span challenge, struct buf *out, struct err *e)
{
	char *octets = NULL;
	size_t n = 0;
	int r;

	if (s->finished) /* RFC 4422: it has all, and asks again */
		return err_set(e, ERR_PROTO, 0,
		    "the server asks for more than SASL %s has",
		    s->mechanism->name);
	/* there is nothing in it when we speak first, but servers write
	 * "+ go ahead" */
	if (s->mechanism->client_first && !s->begun)
		challenge = SPAN("");
	s->begun = true;
	if (challenge.n > 0 &&
	    gsasl_base64_from(challenge.p, challenge.n, &octets, &n) !=
		GSASL_OK)
		return err_set(e, ERR_PROTO, 0,
		    "the server's SASL challenge is not base64");
	r = answer(s, octets == NULL ? "" : octets, n, out, e);
	mem_wipe(octets, n);
	gsasl_free(octets);
	return r;
}
