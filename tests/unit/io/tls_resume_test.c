/* SPDX-License-Identifier: ISC */
#include "io/tls_resume.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include <stdio.h>

#include "io/tls_cert.h"
#include "sys/clock.h"
#include "unit/io/tls_client.h"

static struct identity ca, server;
static struct buf ca_pem;

static int
make_certificates(void **state)
{
	(void)state;
	ca = identity_ca("Test CA");
	server = identity_server(&ca, "DNS:localhost");
	buf_init(&ca_pem, 65536);
	identity_pem(&ca, &ca_pem);
	return 0;
}

static int
free_certificates(void **state)
{
	(void)state;
	buf_deinit(&ca_pem);
	identity_free(&server);
	identity_free(&ca);
	return 0;
}

static void
greet(struct peer *p)
{
	peer_tls(p);
	peer_say(p, "hello");
	peer_hear_end(p);
}

/* Tickets of TLS 1.3 come with what is read. */
static bool
visit_resumes(
    struct tls_ctx *ctx, SSL_CTX *at, const char *name, const char *where)
{
	struct peer p = { .shared = at, .script = greet };
	struct tls_info info;
	struct client c;
	char text[8];
	size_t n;
	bool resumed;

	peer_begin(&p);
	client_begin(&c, ctx, p.port, name, NULL);
	tls_resume(c.tls, where);
	if (shake(&c) != TLS_OK)
		fail_msg("%s", c.e.text);
	assert_int_equal(read_all(&c, text, 5, &n), TLS_OK);
	assert_true(tls_info(c.tls, &info));
	resumed = info.resumed;
	assert_true(info.n >= 1);
	assert_string_equal(info.chain[0].subject, "a test server");
	assert_non_null(strstr(info.chain[0].issuer, "CA"));
	client_end(&c);
	assert_true(peer_end(&p));
	return resumed;
}

static struct tls_ctx *
trusting(void)
{
	return tls_ctx_new_pem(buf_span(&ca_pem), NULL);
}

static void
resumes_with_the_same_server_alone(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct identity id =
		    identity_server(&ca, "DNS:localhost,DNS:other.example");
		SSL_CTX *at = peer_new_ctx(&id);
		struct tls_ctx *a = trusting(), *b = trusting();

		SSL_CTX_set_max_proto_version(at, versions[i]);
		assert_false(visit_resumes(a, at, "localhost", "h:993"));
		assert_true(visit_resumes(a, at, "localhost", "h:993"));
		assert_true(visit_resumes(a, at, "localhost", "h:993"));
		assert_false(visit_resumes(a, at, "localhost", "h:995"));
		assert_false(visit_resumes(a, at, "localhost", "g:993"));
		assert_false(visit_resumes(a, at, "other.example", "h:993"));
		assert_false(visit_resumes(b, at, "localhost", "h:993"));
		tls_ctx_free(&a);
		tls_ctx_free(&b);
		SSL_CTX_free(at);
		identity_free(&id);
	}
}

/* The server has another key for its tickets, or gives none. */
static void
begins_anew_when_it_is_refused(void **state)
{
	struct tls_ctx *ctx = trusting();
	SSL_CTX *one = peer_new_ctx(&server), *two = peer_new_ctx(&server);

	(void)state;
	assert_false(visit_resumes(ctx, one, "localhost", "h:1"));
	assert_false(visit_resumes(ctx, two, "localhost", "h:1"));
	assert_true(visit_resumes(ctx, two, "localhost", "h:1"));
	SSL_CTX_set_num_tickets(one, 0);
	assert_false(visit_resumes(ctx, one, "localhost", "h:2"));
	assert_false(visit_resumes(ctx, one, "localhost", "h:2"));
	SSL_CTX_free(one);
	SSL_CTX_free(two);
	tls_ctx_free(&ctx);
}

/* As OpenSSL's servers are that want certificates, without a session context:
 * they end the handshake of whoever resumes. */
static void
is_left_by_a_server_that_does_not_bear_it(void **state)
{
	struct tls_ctx *ctx = trusting();
	SSL_CTX *at = peer_new_ctx(&server);

	(void)state;
	SSL_CTX_set_verify(at, SSL_VERIFY_PEER, NULL);
	assert_false(visit_resumes(ctx, at, "localhost", "h:1"));
	for (int i = 0; i < 3; i++) {
		struct peer p = { .shared = at, .script = accept_and_leave };
		struct client c;

		peer_begin(&p);
		client_begin(&c, ctx, p.port, "localhost", NULL);
		tls_resume(c.tls, "h:1");
		assert_int_equal(shake(&c), i == 0 ? TLS_FAILED : TLS_OK);
		assert_int_equal(tls_resumption_failed(c.tls), i == 0);
		client_end(&c);
		(void)peer_end(&p);
	}
	tls_ctx_free(&ctx);
	SSL_CTX_free(at);
}

/* It was verified before, and what was refused leaves nothing. */
static void
keeps_nothing_of_a_server_that_was_refused(void **state)
{
	struct identity other = identity_ca("Another CA");
	struct identity id = identity_server(&other, "DNS:localhost");
	SSL_CTX *at = peer_new_ctx(&id);
	struct tls_ctx *ctx = trusting();

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct peer p = { .shared = at, .script = accept_and_leave };
		struct client c;

		SSL_CTX_set_max_proto_version(
		    at, i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
		peer_begin(&p);
		client_begin(&c, ctx, p.port, "localhost", NULL);
		tls_resume(c.tls, "h:1");
		assert_int_equal(shake(&c), TLS_FAILED);
		expect(&c.e, ERR_TLS, "its issuer is not trusted");
		client_end(&c);
		assert_true(peer_end(&p));
	}
	tls_ctx_free(&ctx);
	SSL_CTX_free(at);
	identity_free(&id);
	identity_free(&other);
}

/* The handshake was good, but what had to come with it did not. */
static void
keeps_nothing_of_a_session_that_was_refused_late(void **state)
{
	const struct tls_rules rules = { .ca = buf_span(&ca_pem),
		.ocsp_required = true };
	SSL_CTX *at = peer_new_ctx(&server);
	struct tls_ctx *ctx = tls_ctx_new(&rules, NULL);

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct peer p = { .shared = at, .script = accept_and_leave };
		struct client c;

		SSL_CTX_set_max_proto_version(
		    at, i < 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
		peer_begin(&p);
		client_begin(&c, ctx, p.port, "localhost", NULL);
		tls_resume(c.tls, "h:1");
		assert_int_equal(shake(&c), TLS_FAILED);
		expect(&c.e, ERR_TLS, "without an OCSP response");
		client_end(&c);
		assert_true(peer_end(&p));
	}
	tls_ctx_free(&ctx);
	SSL_CTX_free(at);
}

static void
resumes_what_a_pin_has_verified(void **state)
{
	char pin[TLS_PIN_OCTETS] = "";
	const struct tls_rules rules = { .verify = TLS_VERIFY_PIN,
		.pins = span_make(pin, sizeof(pin)) };
	SSL_CTX *at = peer_new_ctx(&server);
	struct tls_ctx *ctx;

	(void)state;
	tls_cert_pin(server.cert, (unsigned char *)pin);
	ctx = tls_ctx_new(&rules, NULL);
	assert_false(visit_resumes(ctx, at, "localhost", "h:1"));
	assert_true(visit_resumes(ctx, at, "localhost", "h:1"));
	tls_ctx_free(&ctx);
	SSL_CTX_free(at);
}

/* ---- the cache ---- */

/* A session as a server would give it. */
static SSL_SESSION *
any_session(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_SESSION *s = SSL_SESSION_new();
	SSL *ssl = SSL_new(ctx);
	STACK_OF(SSL_CIPHER) *ciphers = SSL_get_ciphers(ssl);
	unsigned char id[32] = "id";

	SSL_SESSION_set_protocol_version(s, TLS1_2_VERSION);
	SSL_SESSION_set_cipher(
	    s, sk_SSL_CIPHER_value(ciphers, sk_SSL_CIPHER_num(ciphers) - 1));
	SSL_SESSION_set1_master_key(s, id, sizeof(id));
	SSL_SESSION_set1_id(s, id, sizeof(id));
	SSL_SESSION_set_timeout(s, 3600);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return s;
}

static const struct tls_known *
known_for(int64_t seconds)
{
	static struct tls_known known;

	known.until = clock_wall_s() + seconds;
	known.ocsp = TLS_OCSP_GOOD;
	return &known;
}

static bool
has(struct tls_cache *c, const char *key)
{
	struct tls_known known = { 0 };
	SSL_SESSION *s = tls_cache_take(c, key, &known);
	bool there = s != NULL;

	if (there)
		assert_int_equal(known.ocsp, TLS_OCSP_GOOD);
	SSL_SESSION_free(s);
	return there;
}

static void
gives_each_session_once(void **state)
{
	struct tls_cache *c = tls_cache_new();
	SSL_SESSION *s = any_session();

	(void)state;
	assert_false(has(c, "a"));
	tls_cache_keep(c, "a", s, known_for(60));
	tls_cache_keep(c, "a", s, known_for(60));
	tls_cache_keep(c, "b", s, known_for(60));
	assert_int_equal(tls_cache_count(c), 3);
	assert_true(has(c, "a"));
	assert_true(has(c, "a"));
	assert_false(has(c, "a"));
	assert_true(has(c, "b"));
	assert_int_equal(tls_cache_count(c), 0);
	SSL_SESSION_free(s);
	tls_cache_free(&c);
	assert_null(c);
	tls_cache_free(&c);
}

static void
forgets_what_has_run_out(void **state)
{
	struct tls_cache *c = tls_cache_new();
	SSL_SESSION *s = any_session();

	(void)state;
	tls_cache_keep(c, "a", s, known_for(0));
	assert_false(has(c, "a"));
	tls_cache_keep(c, "a", s, known_for(-5));
	assert_false(has(c, "a"));
	SSL_SESSION_set_timeout(s, 0);
	tls_cache_keep(c, "a", s, known_for(60));
	assert_false(has(c, "a"));
	assert_int_equal(tls_cache_count(c), 0);
	SSL_SESSION_free(s);
	tls_cache_free(&c);
}

static void
is_bounded(void **state)
{
	struct tls_cache *c = tls_cache_new();
	SSL_SESSION *s = any_session(), *session;
	struct tls_known known;
	char key[32];

	(void)state;
	for (int i = 0; i < 2 * TLS_CACHE_PER_KEY; i++)
		tls_cache_keep(c, "one", s, known_for(60));
	assert_int_equal(tls_cache_count(c), TLS_CACHE_PER_KEY);
	/* those that have just come are as good */
	tls_cache_keep(c, "one", s, known_for(90));
	session = tls_cache_take(c, "one", &known);
	assert_non_null(session);
	assert_true(known.until <= time(NULL) + 60);
	SSL_SESSION_free(session);
	for (int i = 0; i < 2 * TLS_CACHE_SESSIONS; i++) {
		snprintf(key, sizeof(key), "host %d", i);
		tls_cache_keep(c, key, s, known_for(60));
	}
	assert_int_equal(tls_cache_count(c), TLS_CACHE_SESSIONS);
	assert_false(has(c, "one"));
	assert_false(has(c, "host 0"));
	assert_true(has(c, key));
	SSL_SESSION_free(s);
	tls_cache_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resumes_with_the_same_server_alone),
		cmocka_unit_test(begins_anew_when_it_is_refused),
		cmocka_unit_test(is_left_by_a_server_that_does_not_bear_it),
		cmocka_unit_test(keeps_nothing_of_a_server_that_was_refused),
		cmocka_unit_test(
		    keeps_nothing_of_a_session_that_was_refused_late),
		cmocka_unit_test(resumes_what_a_pin_has_verified),
		cmocka_unit_test(gives_each_session_once),
		cmocka_unit_test(forgets_what_has_run_out),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(
	    tests, make_certificates, free_certificates);
}
