/* SPDX-License-Identifier: ISC */
#include "io/tls.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/io/tls_client.h"

static struct identity ca;
static struct tls_ctx *ctx;

/* ---- certificates ---- */

static enum tls_answer
try_certificate(const struct identity *id, struct tls_ctx *with,
    const char *name, struct err *e)
{
	struct peer p = { .script = accept_and_leave, .id = id };
	struct client c;
	enum tls_answer a;

	peer_begin(&p);
	client_begin(&c, with, p.port, name, NULL);
	a = shake(&c);
	*e = c.e;
	client_end(&c);
	assert_true(peer_end(&p));
	return a;
}

struct name_case {
	const char *sans, *name;
	bool good;
};

static void
matches_names_as_rfc_9525_says(void **state)
{
	static const struct name_case cases[] = {
		{ "DNS:localhost", "localhost", true },
		{ "DNS:localhost", "LOCALHOST", true },
		{ "DNS:imap.example.org", "imap.example.org.", true },
		{ "DNS:localhost", "imap.example.org", false },
		{ "DNS:a.example,DNS:b.example", "b.example", true },
		{ "DNS:*.example.org", "imap.example.org", true },
		{ "DNS:*.example.org", "example.org", false },
		{ "DNS:*.example.org", "a.b.example.org", false },
		{ "DNS:im*.example.org", "imap.example.org", false },
		{ "DNS:*ap.example.org", "imap.example.org", false },
		{ "DNS:imap.*.org", "imap.example.org", false },
		{ "DNS:*", "localhost", false },
		{ "DNS:*.org", "example.org", false },
		{ "DNS:example.org", "imap.example.org", false },
		{ "IP:127.0.0.1", "127.0.0.1", true },
		{ "IP:127.0.0.2", "127.0.0.1", false },
		{ "DNS:127.0.0.1", "127.0.0.1", false },
		{ "IP:::1", "::1", true },
		{ "IP:127.0.0.1", "localhost", false },
		{ "email:localhost", "localhost", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct name_case *t = &cases[i];
		struct identity id = identity_server(&ca, t->sans);
		struct err e = { 0 };
		enum tls_answer a = try_certificate(&id, ctx, t->name, &e);

		if ((a == TLS_OK) != t->good)
			fail_msg("%s for %s: %s", t->sans, t->name, e.text);
		if (!t->good) {
			assert_int_equal(e.kind, ERR_TLS);
			assert_non_null(strstr(e.text, "does not name"));
		}
		identity_free(&id);
	}
}

static void
refuse(const struct identity_params *params, const char *why)
{
	struct identity id = identity_new(params);
	struct err e = { 0 };

	assert_int_equal(
	    try_certificate(&id, ctx, "localhost", &e), TLS_FAILED);
	assert_int_equal(e.kind, ERR_TLS);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, e.text);
	identity_free(&id);
}

static void
refuses_a_name_only_in_the_subject(void **state)
{
	(void)state;
	refuse(&(struct identity_params){ .issuer = &ca,
		   .cn = "localhost",
		   .from_days = -1,
		   .to_days = 10 },
	    "certificate for no host name (subject localhost) (issuer Test "
	    "CA");
}

static void
refuses_an_expired_certificate(void **state)
{
	(void)state;
	refuse(&(struct identity_params){ .issuer = &ca,
		   .cn = "x",
		   .sans = "DNS:localhost",
		   .from_days = -20,
		   .to_days = -10 },
	    "is refused: it expired on 20");
}

static void
refuses_a_certificate_of_the_future(void **state)
{
	(void)state;
	refuse(&(struct identity_params){ .issuer = &ca,
		   .cn = "x",
		   .sans = "DNS:localhost",
		   .from_days = 10,
		   .to_days = 20 },
	    "it is not valid before 20");
}

static void
refuses_a_self_signed_certificate(void **state)
{
	(void)state;
	refuse(&(struct identity_params){ .cn = "x",
		   .sans = "DNS:localhost",
		   .from_days = -1,
		   .to_days = 20 },
	    "it is self-signed (to trust it, set tls-ca-file)");
}

static void
refuses_an_unknown_issuer(void **state)
{
	struct identity other = identity_ca("Another CA");

	(void)state;
	refuse(&(struct identity_params){ .issuer = &other,
		   .cn = "x",
		   .sans = "DNS:localhost",
		   .from_days = -1,
		   .to_days = 20 },
	    "(issuer Another CA, valid until 20");
	refuse(&(struct identity_params){ .issuer = &other,
		   .cn = "x",
		   .sans = "DNS:localhost",
		   .from_days = -1,
		   .to_days = 20 },
	    "its issuer is not trusted");
	identity_free(&other);
}

static void
refuses_a_certificate_for_another_purpose(void **state)
{
	(void)state;
	refuse(&(struct identity_params){ .issuer = &ca,
		   .cn = "x",
		   .sans = "DNS:localhost",
		   .eku = "clientAuth",
		   .from_days = -1,
		   .to_days = 20 },
	    "purpose");
}

static void
refuses_a_nul_in_a_name(void **state)
{
	static const unsigned char name[] = "localhost\0.evil.example";

	(void)state;
	refuse(&(struct identity_params){ .issuer = &ca,
		   .cn = "x",
		   .raw_dns = name,
		   .raw_dns_n = sizeof(name) - 1,
		   .from_days = -1,
		   .to_days = 20 },
	    "certificate for localhost\\x00.evil.example (issuer");
}

static void
shows_no_control_characters_of_a_certificate(void **state)
{
	struct identity id =
	    identity_new(&(struct identity_params){ .issuer = &ca,
		.cn = "\033]0;owned\007\r\nforged",
		.from_days = -1,
		.to_days = 5 });
	struct err e = { 0 };

	(void)state;
	assert_int_equal(
	    try_certificate(&id, ctx, "localhost", &e), TLS_FAILED);
	for (const char *p = e.text; *p != '\0'; p++)
		assert_in_range(*p, ' ', '~');
	identity_free(&id);
}

static void
fits_long_names_into_the_error(void **state)
{
	struct identity id = identity_server(&ca,
	    "DNS:a-very-long-name-that-goes-on-and-on.and-on.example.org,"
	    "DNS:another-very-long-name-that-goes-on.and-on.example.org");
	char name[240];
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 20 == 19 ? '.' : 'n';
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(try_certificate(&id, ctx, name, &e), TLS_FAILED);
	assert_non_null(strstr(e.text, "is refused: it does not name nnnn"));
	identity_free(&id);
}

static void
trusts_what_the_ca_file_holds_be_it_the_server_itself(void **state)
{
	struct identity self =
	    identity_new(&(struct identity_params){ .cn = "x",
		.sans = "DNS:localhost",
		.from_days = -1,
		.to_days = 5 });
	struct identity other = identity_server(&ca, "DNS:localhost");
	struct err e = { 0 };
	struct tls_ctx *own;
	struct buf pem;

	(void)state;
	buf_init(&pem, 65536);
	identity_pem(&self, &pem);
	own = tls_ctx_new_pem(buf_span(&pem), &e);
	assert_non_null(own);
	assert_int_equal(try_certificate(&self, own, "localhost", &e), TLS_OK);
	/* but not for another name, and nobody else */
	assert_int_equal(
	    try_certificate(&self, own, "localhost2", &e), TLS_FAILED);
	assert_int_equal(
	    try_certificate(&other, own, "localhost", &e), TLS_FAILED);
	tls_ctx_free(&own);
	buf_clear(&pem);
	/* nor is the issuer's certificate needed when the server's is there */
	identity_pem(&other, &pem);
	own = tls_ctx_new_pem(buf_span(&pem), &e);
	assert_int_equal(try_certificate(&other, own, "localhost", &e), TLS_OK);
	tls_ctx_free(&own);
	buf_deinit(&pem);
	identity_free(&self);
	identity_free(&other);
}

static void
refuses_a_context_without_certificates(void **state)
{
	static const char *const texts[] = {
		"",
		"no PEM at all\n",
		("-----BEGIN CERTIFICATE-----\nAAAA\n"
		 "-----END CERTIFICATE-----\n"),
		"-----BEGIN CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct err e = { 0 };

		assert_null(tls_ctx_new_pem(span_of(texts[i]), &e));
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_non_null(strstr(e.text, "tls-ca-file"));
	}
}

static void
skips_what_it_cannot_read_in_a_bundle(void **state)
{
	struct identity id = identity_server(&ca, "DNS:localhost");
	struct err e = { 0 };
	struct tls_ctx *own;
	struct buf pem;

	(void)state;
	buf_init(&pem, 65536);
	buf_add(&pem,
	    SPAN("# a comment\n-----BEGIN CERTIFICATE-----\nAAAA\n"
		 "-----END CERTIFICATE-----\n"));
	identity_pem(&ca, &pem);
	own = tls_ctx_new_pem(buf_span(&pem), &e);
	assert_non_null(own);
	assert_int_equal(try_certificate(&id, own, "localhost", &e), TLS_OK);
	tls_ctx_free(&own);
	buf_deinit(&pem);
	identity_free(&id);
}

static void
refuses_names_no_certificate_can_have(void **state)
{
	char longest[300];
	const char *const names[] = { "", ".", ".example.org", longest };

	(void)state;
	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct err e = { 0 };

		assert_null(tls_new(ctx, -1, names[i], NULL, &e));
		assert_int_equal(e.kind, ERR_CONFIG);
	}
}

/* ---- handshakes ---- */

struct hello {
	char sni[64];
	bool saw;
};

static int
note_sni(SSL *ssl, int *alert, void *arg)
{
	struct hello *h = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	h->saw = name != NULL;
	snprintf(h->sni, sizeof(h->sni), "%s", name != NULL ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

static void
accept_noting_sni(struct peer *p)
{
	SSL_CTX_set_tlsext_servername_callback(p->ctx, note_sni);
	SSL_CTX_set_tlsext_servername_arg(p->ctx, p->arg);
	accept_and_leave(p);
}

static void
sends_sni_for_names_but_not_for_addresses(void **state)
{
	struct identity id =
	    identity_server(&ca, "DNS:imap.example.org,IP:127.0.0.1");
	static const char *const names[] = { "imap.example.org", "127.0.0.1" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hello h = { 0 };
		struct peer p = {
			.script = accept_noting_sni, .id = &id, .arg = &h
		};
		struct client c;

		peer_begin(&p);
		client_begin(&c, ctx, p.port, names[i], NULL);
		assert_int_equal(shake(&c), TLS_OK);
		client_end(&c);
		peer_end(&p);
		assert_int_equal(h.saw, i == 0);
		if (i == 0)
			assert_string_equal(h.sni, names[i]);
	}
	identity_free(&id);
}

static void
shake_with(
    struct peer *p, const char *alpn, enum tls_answer want, const char *words)
{
	struct identity id = identity_server(&ca, "DNS:localhost");
	struct client c;

	p->id = &id;
	if (p->script == NULL)
		p->script = accept_and_leave;
	peer_begin(p);
	client_begin(&c, ctx, p->port, "localhost", alpn);
	assert_int_equal(shake(&c), want);
	if (want == TLS_OK)
		assert_non_null(strstr(tls_description(c.tls), words));
	else if (strstr(c.e.text, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, c.e.text);
	client_end(&c);
	peer_end(p);
	identity_free(&id);
}

static void
offers_alpn(void **state)
{
	struct peer same = { .alpn = "\4imap" }, none = { 0 };
	struct peer other = { .alpn = "\2h2" };

	(void)state;
	shake_with(&same, "imap", TLS_OK, "TLSv1.3");
	shake_with(&none, "imap", TLS_OK, "TLSv1.3");
	shake_with(&other, "imap", TLS_FAILED, "");
}

static void
speaks_tls_1_2_but_nothing_older(void **state)
{
	struct peer p12 = { .max_version = TLS1_2_VERSION };
	struct peer p11 = { .max_version = TLS1_1_VERSION };

	(void)state;
	shake_with(&p12, NULL, TLS_OK, "TLSv1.2 ECDHE");
	shake_with(&p11, NULL, TLS_FAILED, "TLS 1.2 or newer");
}

static void
greet_in_plain(struct peer *p)
{
	peer_say(p, "+OK \033[2Jready\r\n");
	peer_hear_end(p);
}

static void
says_what_a_plain_server_said(void **state)
{
	struct peer p = { .script = greet_in_plain };

	(void)state;
	shake_with(&p, NULL, TLS_FAILED,
	    "the server does not speak TLS here, it said \"+OK "
	    "\\x1B[2Jready\"");
}

static void
leave(struct peer *p)
{
	peer_hear(p, "\x16");
}

static void
reports_an_end_in_the_handshake(void **state)
{
	struct peer p = { .script = leave };

	(void)state;
	/* what was unread makes it a reset */
	shake_with(&p, NULL, TLS_FAILED, "TLS handshake: ");
}

static void
say_alert(struct peer *p)
{
	peer_say_n(p, "\x15\x03\x03\x00\x02\x02\x28", 7);
	peer_hear_end(p);
}

static void
names_the_alert(void **state)
{
	struct peer p = { .script = say_alert };

	(void)state;
	shake_with(&p, NULL, TLS_FAILED,
	    "TLS handshake: the server answered with alert handshake "
	    "failure");
}

/* ---- what binds a login to it ---- */

struct binding { /* as the server has it (RFC 9266 2) */
	unsigned char octets[TLS_BINDING_OCTETS];
	bool resumed;
};

static void
export_binding(struct peer *p)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	struct binding *b = p->arg;

	if (peer_tls(p)) {
		b->resumed = SSL_session_reused(p->ssl) == 1;
		SSL_export_keying_material(p->ssl, b->octets,
		    TLS_BINDING_OCTETS, label, sizeof(label) - 1, NULL, 0, 0);
		peer_say(p, "x");
	}
	peer_hear_end(p);
}

static void
binds_as_the_server_does(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct identity id = identity_server(&ca, "DNS:localhost");
	unsigned char ours[TLS_BINDING_OCTETS], before[TLS_BINDING_OCTETS];

	(void)state;
	memset(before, 0, sizeof(before));
	for (int i = 0; i < 4; i++) {
		static SSL_CTX *at; /* of two connections */
		struct binding theirs = { .resumed = false };
		struct peer p = { .script = export_binding, .arg = &theirs };
		struct client c;
		char text[2];
		size_t n;

		if (i % 2 == 0) {
			at = peer_new_ctx(&id);
			SSL_CTX_set_max_proto_version(at, versions[i / 2]);
		}
		p.shared = at;
		peer_begin(&p);
		client_begin(&c, ctx, p.port, "localhost", NULL);
		tls_resume(c.tls, i < 2 ? "h:12" : "h:13");
		assert_int_equal(tls_binding(c.tls, ours), -1);
		assert_int_equal(shake(&c), TLS_OK);
		assert_int_equal(read_all(&c, text, 1, &n), TLS_OK);
		assert_int_equal(tls_binding(c.tls, ours), 0);
		client_end(&c);
		assert_true(peer_end(&p));
		assert_int_equal(theirs.resumed, i % 2 == 1);
		assert_memory_equal(ours, theirs.octets, sizeof(ours));
		assert_memory_not_equal(ours, before, sizeof(ours));
		memcpy(before, ours, sizeof(before));
		if (i % 2 == 1)
			SSL_CTX_free(at);
	}
	identity_free(&id);
}

/* Without the extended master secret a session in the middle could have the
 * same (RFC 9266 4.2). */
static void
leave_out_extended_master_secret(struct peer *p)
{
	SSL_CTX_set_options(p->ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	accept_and_leave(p);
}

static void
binds_nothing_without_extended_master_secret(void **state)
{
	struct identity id = identity_server(&ca, "DNS:localhost");
	struct peer p = { .script = leave_out_extended_master_secret,
		.id = &id,
		.max_version = TLS1_2_VERSION };
	unsigned char octets[TLS_BINDING_OCTETS];
	struct client c;

	(void)state;
	peer_begin(&p);
	client_begin(&c, ctx, p.port, "localhost", NULL);
	assert_int_equal(shake(&c), TLS_OK);
	assert_int_equal(tls_binding(c.tls, octets), -1);
	client_end(&c);
	assert_true(peer_end(&p));
	identity_free(&id);
}

/* ---- data ---- */

static void
say_and_notify(struct peer *p)
{
	peer_tls(p);
	peer_say(p, "hello");
	SSL_shutdown(p->ssl);
	peer_hear_end(p);
}

static void
say_and_cut(struct peer *p)
{
	peer_tls(p);
	peer_say(p, "hello");
	shutdown(p->fd, SHUT_WR);
	peer_hear_end(p);
}

static void
hear_all(peer_fn script, enum tls_answer want, struct err *e)
{
	struct identity id = identity_server(&ca, "DNS:localhost");
	struct peer p = { .script = script, .id = &id };
	struct client c;
	char text[16];
	size_t n;

	peer_begin(&p);
	client_begin(&c, ctx, p.port, "localhost", NULL);
	assert_int_equal(shake(&c), TLS_OK);
	assert_int_equal(read_all(&c, text, sizeof(text), &n), want);
	assert_int_equal(n, 5);
	assert_memory_equal(text, "hello", 5);
	*e = c.e;
	client_end(&c);
	assert_true(peer_end(&p));
	identity_free(&id);
}

static void
tells_close_notify_from_a_cut(void **state)
{
	struct err e = { 0 };

	(void)state;
	hear_all(say_and_notify, TLS_CLOSED, &e);
	assert_int_equal(e.kind, ERR_NONE);
	hear_all(say_and_cut, TLS_FAILED, &e);
	assert_int_equal(e.kind, ERR_NET);
	assert_int_equal(e.sys, 0);
	assert_non_null(strstr(e.text, "without close_notify"));
}

static void
say_two_records(struct peer *p)
{
	peer_tls(p);
	peer_hear(p, "x");
	peer_say(p, "first");
	peer_say(p, "second");
	SSL_shutdown(p->ssl);
	peer_hear_end(p);
}

static void
knows_what_it_took_from_the_socket(void **state)
{
	struct identity id = identity_server(&ca, "DNS:localhost");
	struct peer p = { .script = say_two_records, .id = &id };
	struct client c;
	char text[16];
	size_t n;

	(void)state;
	peer_begin(&p);
	client_begin(&c, ctx, p.port, "localhost", NULL);
	assert_int_equal(shake(&c), TLS_OK);
	assert_int_equal(tls_write(c.tls, SPAN("x"), &n, &c.e), TLS_OK);
	assert_int_equal(n, 1);
	assert_int_equal(read_all(&c, text, 3, &n), TLS_OK);
	assert_memory_equal(text, "fir", 3);
	assert_true(tls_buffered(c.tls) >= 2);
	assert_int_equal(read_all(&c, text, 8, &n), TLS_OK);
	assert_memory_equal(text, "stsecond", 8);
	assert_int_equal(read_all(&c, text, 1, &n), TLS_CLOSED);
	assert_int_equal(tls_buffered(c.tls), 0);
	tls_shutdown(c.tls);
	client_end(&c);
	assert_true(peer_end(&p));
	identity_free(&id);
}

static void
say_hear_say(struct peer *p)
{
	peer_tls(p);
	peer_say(p, "a");
	peer_hear(p, "b");
	peer_say(p, "c");
	peer_hear_end(p);
}

static void
works_again_after_a_rest(void **state)
{
	struct identity id = identity_server(&ca, "DNS:localhost");
	struct peer p = { .script = say_hear_say, .id = &id };
	struct client c;
	char text[2];
	size_t n;

	(void)state;
	peer_begin(&p);
	client_begin(&c, ctx, p.port, "localhost", NULL);
	assert_int_equal(shake(&c), TLS_OK);
	tls_rest(c.tls);
	assert_int_equal(read_all(&c, text, 1, &n), TLS_OK);
	tls_rest(c.tls);
	assert_int_equal(tls_write(c.tls, SPAN("b"), &n, &c.e), TLS_OK);
	tls_rest(c.tls);
	assert_int_equal(read_all(&c, text, 1, &n), TLS_OK);
	assert_int_equal(text[0], 'c');
	client_end(&c);
	assert_true(peer_end(&p));
	identity_free(&id);
}

/* Key updates carry no data: a client that waited for some inside one call
 * would be held as long as the server likes. */
#define KEY_UPDATES 6000 /* of 27 octets: more than two allowances */

static void
flood_with_key_updates(struct peer *p)
{
	BIO *all = BIO_new(BIO_s_mem());
	BIO *sock;
	const int *written = p->arg;
	char *octets;
	long n;

	peer_tls(p);
	sock = SSL_get_rbio(p->ssl);
	BIO_up_ref(sock);
	SSL_set0_wbio(p->ssl, all);
	for (int i = 0; i < KEY_UPDATES; i++) {
		SSL_key_update(p->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		SSL_do_handshake(p->ssl);
	}
	SSL_write(p->ssl, "x", 1);
	n = BIO_get_mem_data(all, &octets);
	if (send(p->fd, octets, (size_t)n, MSG_NOSIGNAL) != n ||
	    write(*written, "w", 1) != 1)
		peer_fail(p, "flood");
	SSL_set0_wbio(p->ssl, sock);
	peer_hear_end(p);
}

static void
comes_back_from_a_flood_of_key_updates(void **state)
{
	struct identity id = identity_server(&ca, "DNS:localhost");
	int ends[2], calls = 0;
	struct peer p = {
		.script = flood_with_key_updates, .id = &id, .arg = &ends[1]
	};
	struct client c;
	enum tls_answer a;
	char text[2];
	size_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	peer_begin(&p);
	client_begin(&c, ctx, p.port, "localhost", NULL);
	assert_int_equal(shake(&c), TLS_OK);
	assert_int_equal(read(ends[0], text, 1), 1);
	do {
		wait_for(&c, TLS_WANT_READ);
		a = tls_read(c.tls, text, 1, &n, &c.e);
		calls++;
	} while (a == TLS_WANT_READ);
	assert_int_equal(a, TLS_OK);
	assert_int_equal(text[0], 'x');
	assert_true(calls >= 3);
	client_end(&c);
	assert_true(peer_end(&p));
	close(ends[0]);
	close(ends[1]);
	identity_free(&id);
}

/* ---- */

static int
make_context(void **state)
{
	struct buf pem;

	(void)state;
	ca = identity_ca("Test CA");
	buf_init(&pem, 65536);
	identity_pem(&ca, &pem);
	ctx = tls_ctx_new_pem(buf_span(&pem), NULL);
	buf_deinit(&pem);
	return ctx == NULL;
}

static int
free_context(void **state)
{
	(void)state;
	tls_ctx_free(&ctx);
	identity_free(&ca);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_names_as_rfc_9525_says),
		cmocka_unit_test(refuses_a_name_only_in_the_subject),
		cmocka_unit_test(refuses_an_expired_certificate),
		cmocka_unit_test(refuses_a_certificate_of_the_future),
		cmocka_unit_test(refuses_a_self_signed_certificate),
		cmocka_unit_test(refuses_an_unknown_issuer),
		cmocka_unit_test(refuses_a_certificate_for_another_purpose),
		cmocka_unit_test(refuses_a_nul_in_a_name),
		cmocka_unit_test(shows_no_control_characters_of_a_certificate),
		cmocka_unit_test(fits_long_names_into_the_error),
		cmocka_unit_test(
		    trusts_what_the_ca_file_holds_be_it_the_server_itself),
		cmocka_unit_test(refuses_a_context_without_certificates),
		cmocka_unit_test(skips_what_it_cannot_read_in_a_bundle),
		cmocka_unit_test(refuses_names_no_certificate_can_have),
		cmocka_unit_test(sends_sni_for_names_but_not_for_addresses),
		cmocka_unit_test(offers_alpn),
		cmocka_unit_test(speaks_tls_1_2_but_nothing_older),
		cmocka_unit_test(says_what_a_plain_server_said),
		cmocka_unit_test(reports_an_end_in_the_handshake),
		cmocka_unit_test(names_the_alert),
		cmocka_unit_test(binds_as_the_server_does),
		cmocka_unit_test(binds_nothing_without_extended_master_secret),
		cmocka_unit_test(tells_close_notify_from_a_cut),
		cmocka_unit_test(knows_what_it_took_from_the_socket),
		cmocka_unit_test(works_again_after_a_rest),
		cmocka_unit_test(comes_back_from_a_flood_of_key_updates),
	};

	return cmocka_run_group_tests(tests, make_context, free_context);
}
