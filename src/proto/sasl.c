/* SPDX-License-Identifier: ISC */
#include "proto/sasl.h"

#include <assert.h>
#include <gsasl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/sasl_bearer.h"
#include "proto/sasl_digest.h"
#include "proto/sasl_scram.h"
#include "util/betray.h"
#include "util/mem.h"

#define RESPONSE_MAX (4 * SECRET_MAX)

/* Answers octets with octets. 0, or -1 and *e. */
typedef int respond_fn(
    struct sasl *s, struct span challenge, struct buf *out, struct err *e);

static respond_fn by_library, by_scram, by_cram, by_bearer;

static const struct mechanism {
	const char *name; /* RFC 4422 3.1, and what GNU SASL calls it */
	respond_fn *respond;
	bool client_first; /* an initial response is its first word */
	bool plus;
	bool library; /* GNU SASL has it, as far as it goes */
} mechanisms[SASL_AUTHS] = {
	/* clang-format off */
	[SASL_AUTO]     = { "auto", NULL, false, false, false },
	[SASL_PLAIN]    = { "PLAIN", by_library, true, false, true },
	[SASL_LOGIN]    = { "LOGIN", by_library, false, false, true },
	[SASL_CRAM_MD5] = { "CRAM-MD5", by_cram, false, false, false },
	[SASL_SCRAM_SHA_1] =
	    { "SCRAM-SHA-1", by_scram, true, false, true },
	[SASL_SCRAM_SHA_1_PLUS] =
	    { "SCRAM-SHA-1-PLUS", by_scram, true, true, true },
	[SASL_SCRAM_SHA_256] =
	    { "SCRAM-SHA-256", by_scram, true, false, true },
	[SASL_SCRAM_SHA_256_PLUS] =
	    { "SCRAM-SHA-256-PLUS", by_scram, true, true, true },
	[SASL_EXTERNAL] = { "EXTERNAL", by_library, true, false, true },
	[SASL_XOAUTH2]  = { "XOAUTH2", by_bearer, true, false, false },
	[SASL_OAUTHBEARER] =
	    { "OAUTHBEARER", by_bearer, true, false, false },
	[SASL_GSSAPI]   = { "GSSAPI", by_library, true, false, true },
	[SASL_APOP]     = { "APOP", NULL, false, false, false },
	/* clang-format on */
};

struct sasl {
	enum sasl_auth auth;
	const struct mechanism *mechanism;
	Gsasl *lib;
	Gsasl_session *session;
	char *user, *host;
	unsigned int port;
	struct secret *secret;
	unsigned int steps;
	bool elsewhere; /* the responses are made */
	bool finished;  /* we said all there is to say */
	bool broken;    /* a challenge could not be answered */
	bool unbound;
	struct err refusal; /* ERR_NONE: none */
};

/* ---- what they are like ---- */

const char *
sasl_name(enum sasl_auth auth)
{
	return mechanisms[auth].name;
}

bool
sasl_binds(enum sasl_auth auth)
{
	return mechanisms[auth].plus;
}

bool
sasl_is_scram(enum sasl_auth auth)
{
	return mechanisms[auth].respond == by_scram;
}

bool
sasl_scram_takes(const char *user)
{
	char *prepared = NULL;
	int rc = gsasl_saslprep(user, GSASL_ALLOW_UNASSIGNED, &prepared, NULL);

	gsasl_free(prepared);
	return rc == GSASL_OK && *user != '\0';
}

/* ---- life ---- */

/* What GNU SASL does not say otherwise is: no memory. */
static void
need(int rc)
{
	if (rc == GSASL_OK)
		return;
	assert(rc == GSASL_MALLOC_ERROR);
	abort();
}

static bool
has_password(const struct sasl *s)
{
	return s->auth != SASL_EXTERNAL && s->auth != SASL_GSSAPI;
}

/* In PLAIN and LOGIN GNU SASL prepares no string (SASLprep would change or
 * refuse 8-bit passwords that are not UTF-8): what the user set is what goes
 * out. */
static void
give(struct sasl *s)
{
	struct span secret = secret_span(s->secret);
	char *copy = mem_spandup(secret);

	/* EXTERNAL and GSSAPI: who we want to be; the certificate or ticket
	 * may say less */
	need(gsasl_property_set(s->session,
	    has_password(s) ? GSASL_AUTHID : GSASL_AUTHZID, s->user));
	if (has_password(s))
		need(gsasl_property_set(s->session, GSASL_PASSWORD, copy));
	mem_wipe(copy, secret.n);
	free(copy);
}

static void
give_service(struct sasl *s, const char *service)
{
	need(gsasl_property_set(s->session, GSASL_SERVICE, service));
	need(gsasl_property_set(s->session, GSASL_HOSTNAME, s->host));
}

/* GNU SASL 2.2 knows tls-exporter and tls-unique, and no
 * tls-server-end-point. Where the binding is there and -PLUS is not spoken it
 * fails instead of saying "y" (RFC 5802 6), so that gets none. */
static void
give_binding(struct sasl *s, struct span binding)
{
	char *text = NULL;
	size_t n = 0;

	need(gsasl_base64_to(binding.p, binding.n, &text, &n));
	need(gsasl_property_set(s->session, GSASL_CB_TLS_EXPORTER, text));
	mem_wipe(text, n);
	gsasl_free(text);
}

static int
start_library(struct sasl *s, const struct sasl_params *params, struct err *e)
{
	need(gsasl_init(&s->lib));
	if (gsasl_client_start(s->lib, s->mechanism->name, &s->session) !=
	    GSASL_OK)
		return err_set(e, ERR_CONFIG, 0,
		    "GNU SASL was built without %s", s->mechanism->name);
	give(s);
	if (s->mechanism->plus)
		give_binding(s, params->binding);
	if (params->service != NULL)
		give_service(s, params->service);
	return 0;
}

static int
check(const struct sasl *s, struct span binding, struct err *e)
{
	struct span secret = secret_span(s->secret);

	if (s->mechanism->respond == NULL)
		return err_set(e, ERR_CONFIG, 0,
		    "%s cannot be spoken in SASL here", s->mechanism->name);
	/* RFC 4616 2: NUL separates the fields of PLAIN; GNU SASL takes
	 * strings */
	if (s->mechanism->library && span_find(secret, '\0') < secret.n)
		return err_set(e, ERR_CONFIG, 0,
		    "the password has a NUL octet, which SASL %s cannot carry",
		    s->mechanism->name);
	if (sasl_is_scram(s->auth) && !sasl_scram_takes(s->user))
		return err_set(e, ERR_CONFIG, 0,
		    "%s cannot carry this user: set auth = plain",
		    s->mechanism->name);
	if (s->mechanism->plus && binding.n == 0)
		return err_set(e, ERR_CONFIG, 0,
		    "%s needs a channel binding, which this connection does "
		    "not have",
		    s->mechanism->name);
	return 0;
}

struct sasl *
sasl_new(const struct sasl_params *params, struct err *e)
{
	struct sasl *s = mem_new(sizeof(*s));

	s->auth = params->mechanism;
	s->mechanism = &mechanisms[s->auth];
	s->user = mem_strdup(params->user);
	s->host = mem_strdup(params->host);
	s->port = params->port;
	s->secret = secret_new(
	    params->secret == NULL ? SPAN("") : secret_span(params->secret));
	s->elsewhere = s->auth == SASL_GSSAPI && params->service == NULL;
	if (check(s, params->binding, e) != 0 ||
	    (s->mechanism->library && !s->elsewhere &&
		start_library(s, params, e) != 0))
		sasl_free(&s);
	return s;
}

/* GNU SASL frees its copies of secrets as they are. The pointer it shows us is
 * the copy itself, so it can be overwritten in place. */
static void
forget(Gsasl_session *session)
{
	static const Gsasl_property secrets[] = { GSASL_PASSWORD,
		GSASL_SCRAM_SALTED_PASSWORD, GSASL_SCRAM_SERVERKEY,
		GSASL_SCRAM_STOREDKEY, GSASL_CB_TLS_EXPORTER };

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		const char *p = gsasl_property_fast(session, secrets[i]);

		if (p != NULL)
			mem_wipe((void *)(uintptr_t)p, strlen(p));
	}
}

void
sasl_free(struct sasl **s)
{
	struct sasl *it = *s;

	*s = NULL;
	if (it == NULL)
		return;
	if (it->session != NULL) {
		forget(it->session);
		gsasl_finish(it->session);
	}
	if (it->lib != NULL)
		gsasl_done(it->lib);
	secret_free(&it->secret);
	free(it->user);
	free(it->host);
	free(it);
}

bool
sasl_client_first(const struct sasl *s)
{
	return s->mechanism->client_first;
}

/* A refusal may repeat what we said. */
static void
hide_secret(struct sasl *s, const char *instead)
{
	if (betrays(span_of(s->refusal.text), s->user, s->secret))
		err_set(&s->refusal, s->refusal.kind, 0, "%s", instead);
}

/* ---- by GNU SASL ---- */

static int
too_long(struct err *e)
{
	return err_set(
	    e, ERR_CONFIG, 0, "user and password are too long for one line");
}

/* Its words do not help, but for these. Those of GSSAPI are for programmers. */
static int
fail(const struct sasl *s, int rc, struct err *e)
{
	const char *name = s->mechanism->name;

	if (rc == GSASL_AUTHENTICATION_ERROR && s->steps == 1)
		return err_set(e, ERR_PROTO, 0,
		    "the server's first word in %s answers somebody else",
		    name);
	if (rc == GSASL_AUTHENTICATION_ERROR)
		return err_set(e, ERR_AUTH, 0,
		    "the server does not prove in %s that it knows the "
		    "password: it may be another server",
		    name);
	return err_set(e, ERR_PROTO, 0, "SASL %s: %s", name,
	    s->auth == SASL_GSSAPI ? gsasl_strerror_name(rc)
				   : gsasl_strerror(rc));
}

static int
by_library(
    struct sasl *s, struct span challenge, struct buf *out, struct err *e)
{
	char *said = NULL;
	size_t n = 0;
	int rc = gsasl_step(s->session, challenge.p, challenge.n, &said, &n);
	int r = 0;

	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
		return fail(s, rc, e);
	s->finished = rc == GSASL_OK;
	if (buf_add(out, span_make(said, n)) != 0)
		r = too_long(e);
	mem_wipe(said, n);
	gsasl_free(said);
	return r;
}

/* ---- SCRAM ---- */

/* RFC 5802 2.2 has passwords prepared. What cannot be (8-bit that is no UTF-8,
 * characters newer than Unicode 3.2) is taken as it is: so do servers. */
static bool
is_prepared_by_library(const struct sasl *s)
{
	char *password = mem_spandup(secret_span(s->secret));
	char digest[4][GSASL_HASH_MAX_SIZE];
	int rc;

	/* gsasl_saslprep() takes some that this does not */
	rc = gsasl_scram_secrets_from_password(GSASL_HASH_SHA1, password, 1, "",
	    0, digest[0], digest[1], digest[2], digest[3]);
	mem_wipe(digest, sizeof(digest));
	mem_wipe(password, secret_span(s->secret).n);
	free(password);
	return rc == GSASL_OK;
}

static void
give_salted(struct sasl *s, struct span password, struct span salt,
    unsigned int iterations)
{
	bool sha_256 =
	    s->auth == SASL_SCRAM_SHA_256 || s->auth == SASL_SCRAM_SHA_256_PLUS;
	char *octets = NULL;
	size_t n = 0;
	struct buf hex;

	/* what is no base64 is refused by the library, too */
	if (gsasl_base64_from(salt.p, salt.n, &octets, &n) != GSASL_OK)
		return;
	buf_init(&hex, 2 * SASL_DIGEST_MAX + 1);
	(void)sasl_digest_salted(
	    &hex, sha_256, password, span_make(octets, n), iterations);
	(void)buf_addc(&hex, '\0');
	need(gsasl_property_set(
	    s->session, GSASL_SCRAM_SALTED_PASSWORD, buf_span(&hex).p));
	buf_wipe(&hex);
	gsasl_free(octets);
}

/* GNU SASL would do the same, but eight times as slowly, and nobody else has
 * his turn meanwhile. */
static void
give_salted_prepared(struct sasl *s, struct span salt, unsigned int iterations)
{
	char *password = mem_spandup(secret_span(s->secret));
	char *prepared = NULL;

	if (gsasl_saslprep(password, 0, &prepared, NULL) == GSASL_OK) {
		give_salted(s, span_of(prepared), salt, iterations);
		mem_wipe(prepared, strlen(prepared));
	}
	gsasl_free(prepared);
	mem_wipe(password, secret_span(s->secret).n);
	free(password);
}

static int
prepare_proof(struct sasl *s, struct span challenge, struct err *e)
{
	unsigned int iterations;
	struct span salt;

	if (sasl_scram_first(challenge, &salt, &iterations, e) != 0)
		return -1;
	if (is_prepared_by_library(s))
		give_salted_prepared(s, salt, iterations);
	else
		give_salted(s, secret_span(s->secret), salt, iterations);
	return 0;
}

static int
by_scram(struct sasl *s, struct span challenge, struct buf *out, struct err *e)
{
	if (sasl_scram_failed(challenge, &s->refusal, &s->unbound)) {
		hide_secret(s, "the server ends SCRAM");
		if (e != NULL)
			*e = s->refusal;
		return -1;
	}
	if (s->steps == 1 && prepare_proof(s, challenge, e) != 0)
		return -1;
	return by_library(s, challenge, out, e);
}

/* ---- without GNU SASL ---- */

/* Not by GNU SASL, which prepares user and password here: RFC 2195 does not
 * say so, and servers do not. */
static int
by_cram(struct sasl *s, struct span challenge, struct buf *out, struct err *e)
{
	if (challenge.n == 0)
		return err_set(e, ERR_PROTO, 0,
		    "the server's CRAM-MD5 challenge is empty");
	s->finished = true;
	return sasl_digest_cram(out, span_of(s->user), secret_span(s->secret),
		   challenge) == 0
	    ? 0
	    : too_long(e);
}

/* The answer to an initial response is a refusal (RFC 7628 3.2.3). */
static int
by_bearer(struct sasl *s, struct span challenge, struct buf *out, struct err *e)
{
	bool oauthbearer = s->auth == SASL_OAUTHBEARER;
	struct span token = secret_span(s->secret);

	if (s->steps == 0)
		return oauthbearer
		    ? sasl_bearer_oauthbearer(
			  out, s->user, token, s->host, s->port, e)
		    : sasl_bearer_xoauth2(out, s->user, token, e);
	sasl_bearer_refusal(&s->refusal, challenge);
	hide_secret(s, "the token was refused");
	s->finished = true;
	return buf_add(out, sasl_bearer_answer(oauthbearer));
}

/* ---- the exchange ---- */

static int
add_base64(struct buf *out, struct span octets, struct err *e)
{
	char *text = NULL;
	size_t n = 0;
	int r;

	need(gsasl_base64_to(
	    octets.n == 0 ? "" : octets.p, octets.n, &text, &n));
	r = buf_add(out, span_make(text, n));
	mem_wipe(text, n);
	gsasl_free(text);
	return r == 0 ? 0 : too_long(e);
}

static int
respond(struct sasl *s, struct span challenge, struct buf *out, struct err *e)
{
	struct buf octets;
	int r;

	buf_init(&octets, RESPONSE_MAX);
	r = s->mechanism->respond(s, challenge, &octets, e);
	if (r == 0)
		r = add_base64(out, buf_span(&octets), e);
	buf_wipe(&octets);
	s->steps++;
	return r;
}

static int
answer(struct sasl *s, struct span challenge, struct buf *out, struct err *e)
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
	if (s->mechanism->client_first && s->steps == 0)
		challenge = SPAN("");
	if (challenge.n > 0 &&
	    gsasl_base64_from(challenge.p, challenge.n, &octets, &n) !=
		GSASL_OK)
		return err_set(e, ERR_PROTO, 0,
		    "the server's SASL challenge is not base64");
	r = respond(s, span_make(octets == NULL ? "" : octets, n), out, e);
	mem_wipe(octets, n);
	gsasl_free(octets);
	return r;
}

int
sasl_step(struct sasl *s, struct span challenge, struct buf *out, struct err *e)
{
	int r;

	assert(!s->elsewhere);
	r = answer(s, challenge, out, e);
	s->broken = r != 0;
	return r;
}

bool
sasl_is_elsewhere(const struct sasl *s)
{
	return s->elsewhere;
}

void
sasl_responded(struct sasl *s, bool last)
{
	s->steps++;
	s->finished = last;
}

bool
sasl_is_finished(const struct sasl *s)
{
	return s->finished;
}

int
sasl_finish(const struct sasl *s, struct err *e)
{
	if (s->refusal.kind != ERR_NONE)
		return err_set(e, s->refusal.kind, 0, "%s", s->refusal.text);
	if (sasl_is_scram(s->auth) && !s->finished)
		return err_set(e, ERR_AUTH, 0,
		    "the server says OK before it has proven in %s that it "
		    "knows the password: it may be another server",
		    s->mechanism->name);
	if (s->auth == SASL_GSSAPI && !s->finished)
		return err_set(e, ERR_AUTH, 0,
		    "the server says OK before it has shown by Kerberos who it "
		    "is: it may be another server");
	return 0;
}

const struct err *
sasl_refusal(const struct sasl *s)
{
	return s->refusal.kind == ERR_NONE ? NULL : &s->refusal;
}

/* Servers that do not know our kind of channel binding may say so (RFC 5802
 * 7), or just end it: then before the client's proof, the second step. */
bool
sasl_unbound(const struct sasl *s)
{
	return s->mechanism->plus &&
	    (s->unbound || (s->steps < 2 && !s->broken));
}
