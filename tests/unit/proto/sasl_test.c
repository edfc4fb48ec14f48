/* SPDX-License-Identifier: ISC */
#include "proto/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <gsasl.h>

#include "unit/proto/fixed_nonce.h"
#include "util/mem.h"

#define OUT_MAX 262144
#define TURNS_MAX 4

static struct sasl *
start(const struct sasl_params *of, struct span secret, struct err *e)
{
	struct secret *octets = secret_new(secret);
	struct sasl_params params = *of;
	struct sasl *s;

	params.secret = octets;
	s = sasl_new(&params, e);
	secret_free(&octets);
	return s;
}

static struct sasl *
plain(const char *user, struct span password)
{
	const struct sasl_params p = { .mechanism = SASL_PLAIN, .user = user };

	return start(&p, password, NULL);
}

/* ---- base64 by the library ---- */

static char *
encoded(struct span octets)
{
	char *text = NULL;
	size_t n = 0;

	assert_int_equal(
	    gsasl_base64_to(octets.n == 0 ? "" : octets.p, octets.n, &text, &n),
	    GSASL_OK);
	return text;
}

/* One step in plain words; the answer goes to *said. */
static int
step(struct sasl *s, struct span challenge, struct buf *said, struct err *e)
{
	char *text = encoded(challenge);
	char *octets = NULL;
	struct buf out;
	size_t n = 0;
	int r;

	buf_init(&out, OUT_MAX);
	r = sasl_step(s, span_of(text), &out, e);
	buf_clear(said);
	if (r == 0 && out.n > 0) {
		assert_int_equal(
		    gsasl_base64_from(buf_span(&out).p, out.n, &octets, &n),
		    GSASL_OK);
		buf_add(said, span_make(octets, n));
		gsasl_free(octets);
	}
	buf_deinit(&out);
	gsasl_free(text);
	return r;
}

struct turn {
	const char *challenge; /* NULL: there are no more */
	const char *response;  /* NULL: it fails */
};

struct story {
	struct sasl_params p;
	const char *secret;
	struct turn turns[TURNS_MAX];
	enum err_kind kind; /* of the turn that fails */
	const char *text;   /* is in its words */
};

static void
expect_words(const struct err *e, const char *text)
{
	if (text != NULL && strstr(e->text, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, e->text);
}

static void
tell(const struct story *t)
{
	struct err e = { 0 };
	struct sasl *s = start(&t->p, span_of(t->secret), &e);
	struct buf said;

	assert_non_null(s);
	buf_init(&said, OUT_MAX);
	for (size_t i = 0; i < TURNS_MAX && t->turns[i].challenge != NULL;
	     i++) {
		struct span challenge = span_of(t->turns[i].challenge);
		int r = step(s, challenge, &said, &e);

		if ((r == 0) != (t->turns[i].response != NULL))
			fail_msg("turn %zu: %s", i, e.text);
		if (r == 0) {
			char *got = mem_spandup(buf_span(&said));

			assert_string_equal(got, t->turns[i].response);
			free(got);
		}
	}
	assert_int_equal(e.kind, t->kind);
	expect_words(&e, t->text);
	buf_deinit(&said);
	sasl_free(&s);
}

#define TELL(stories) tell_all(stories, sizeof(stories) / sizeof((stories)[0]))

static void
tell_all(const struct story *t, size_t n)
{
	nonce_is_fixed = true;
	for (size_t i = 0; i < n; i++)
		tell(&t[i]);
	nonce_is_fixed = false;
}

/* ---- names ---- */

static void
knows_names_and_kinds(void **state)
{
	(void)state;
	for (int i = 0; i < SASL_AUTHS; i++)
		assert_true(strlen(sasl_name((enum sasl_auth)i)) > 0);
	assert_string_equal(
	    sasl_name(SASL_SCRAM_SHA_256_PLUS), "SCRAM-SHA-256-PLUS");
	assert_string_equal(sasl_name(SASL_CRAM_MD5), "CRAM-MD5");
	assert_true(sasl_binds(SASL_SCRAM_SHA_1_PLUS));
	assert_false(sasl_binds(SASL_SCRAM_SHA_1));
	assert_true(sasl_is_scram(SASL_SCRAM_SHA_256_PLUS));
	assert_true(sasl_is_scram(SASL_SCRAM_SHA_1));
	assert_false(sasl_is_scram(SASL_PLAIN));
	assert_false(sasl_is_scram(SASL_AUTO));
}

static void
knows_which_users_scram_takes(void **state)
{
	(void)state;
	assert_true(sasl_scram_takes("bob@example.org"));
	assert_true(sasl_scram_takes("j\xc3\xbcrg"));
	assert_true(sasl_scram_takes("a=b,c"));
	assert_false(sasl_scram_takes("j\xfcrg"));
	assert_false(sasl_scram_takes("a\tb"));
	assert_false(sasl_scram_takes(""));
}

static void
refuses_what_is_no_mechanism(void **state)
{
	static const enum sasl_auth none[] = { SASL_AUTO, SASL_APOP };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		const struct sasl_params p = { .mechanism = none[i],
			.user = "u" };
		struct err e = { 0 };

		assert_null(start(&p, SPAN("b"), &e));
		assert_int_equal(e.kind, ERR_CONFIG);
	}
}

/* ---- GSSAPI ---- */

static void
knows_what_is_said_elsewhere(void **state)
{
	const struct sasl_params p = { .mechanism = SASL_GSSAPI, .user = "u" };
	struct sasl *s = start(&p, SPAN(""), NULL);
	struct err e;

	(void)state;
	assert_true(sasl_is_elsewhere(s));
	sasl_responded(s, false);
	assert_false(sasl_is_finished(s));
	assert_int_equal(sasl_finish(s, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	sasl_responded(s, true);
	assert_true(sasl_is_finished(s));
	assert_int_equal(sasl_finish(s, &e), 0);
	assert_false(sasl_unbound(s));
	sasl_free(&s);
}

/* There is no ticket here. */
static bool
fails_without_a_ticket(void)
{
	const struct sasl_params p = { .mechanism = SASL_GSSAPI,
		.user = "u",
		.host = "mail.invalid",
		.service = "imap" };
	struct err e = { 0 };
	struct sasl *s;
	struct buf out;
	bool good;

	setenv("KRB5_CONFIG", "/dev/null", 1);
	setenv("KRB5CCNAME", "FILE:/nonexistent", 1);
	s = start(&p, SPAN(""), &e);
	if (s == NULL)
		return false;
	buf_init(&out, OUT_MAX);
	good = !sasl_is_elsewhere(s) && sasl_client_first(s) &&
	    sasl_step(s, SPAN(""), &out, &e) == -1 && out.n == 0 &&
	    e.kind == ERR_PROTO &&
	    strstr(e.text, "SASL GSSAPI: GSASL_GSSAPI_") != NULL;
	buf_deinit(&out);
	sasl_free(&s);
	return good;
}

/* In a process of its own, as it always is: the library loses memory. */
static void
says_when_gssapi_fails(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	if (pid == 0)
		_exit(fails_without_a_ticket() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- PLAIN ---- */

static void
says_plain_as_rfc_4616_has_it(void **state)
{
	struct sasl *s = plain("tim", SPAN("tanstaaftanstaaf"));
	struct buf out;

	(void)state;
	buf_init(&out, OUT_MAX);
	assert_true(sasl_client_first(s));
	assert_int_equal(sasl_step(s, SPAN(""), &out, NULL), 0);
	assert_true(
	    span_eq(buf_span(&out), SPAN("AHRpbQB0YW5zdGFhZnRhbnN0YWFm")));
	assert_int_equal(sasl_finish(s, NULL), 0);
	assert_null(sasl_refusal(s));
	assert_false(sasl_unbound(s));
	buf_deinit(&out);
	sasl_free(&s);
	assert_null(s);
	sasl_free(&s);
}

static void
adds_behind_what_is_there(void **state)
{
	struct sasl *s = plain("a", SPAN("b"));
	struct buf out;

	(void)state;
	buf_init(&out, OUT_MAX);
	buf_add(&out, SPAN("AUTH PLAIN "));
	assert_int_equal(sasl_step(s, SPAN(""), &out, NULL), 0);
	assert_true(span_eq(buf_span(&out), SPAN("AUTH PLAIN AGEAYg==")));
	buf_deinit(&out);
	sasl_free(&s);
}

static void
expect_plain(const char *user, struct span password)
{
	struct sasl *s = plain(user, password);
	struct buf said, want;

	buf_init(&said, OUT_MAX);
	buf_init(&want, OUT_MAX);
	buf_addc(&want, '\0');
	buf_add(&want, span_of(user));
	buf_addc(&want, '\0');
	buf_add(&want, password);
	assert_int_equal(step(s, SPAN(""), &said, NULL), 0);
	assert_true(span_eq(buf_span(&said), buf_span(&want)));
	buf_deinit(&said);
	buf_deinit(&want);
	sasl_free(&s);
}

static void
carries_every_octet_but_nul(void **state)
{
	char password[255];

	(void)state;
	for (size_t i = 0; i < sizeof(password); i++)
		password[i] = (char)(i + 1);
	expect_plain("us\xff\xc2\xaa", span_make(password, sizeof(password)));
	expect_plain("u", SPAN(""));
}

static void
carries_very_long_passwords(void **state)
{
	char *password = mem_new(SECRET_MAX);

	(void)state;
	memset(password, 0xe4, SECRET_MAX);
	expect_plain("u", span_make(password, SECRET_MAX));
	free(password);
}

static void
refuses_a_password_with_nul_where_it_cannot_go(void **state)
{
	static const enum sasl_auth of[] = { SASL_PLAIN, SASL_LOGIN,
		SASL_SCRAM_SHA_1, SASL_SCRAM_SHA_256_PLUS };

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		const struct sasl_params p = {
			.mechanism = of[i], .user = "u", .binding = SPAN("b")
		};
		struct err e = { 0 };

		assert_null(start(&p, SPAN("a\0b"), &e));
		assert_int_equal(e.kind, ERR_CONFIG);
	}
}

static void
takes_words_in_the_empty_challenge(void **state)
{
	struct sasl *s = plain("a", SPAN("b"));
	struct buf out;

	(void)state;
	buf_init(&out, OUT_MAX);
	assert_int_equal(sasl_step(s, SPAN("go ahead!"), &out, NULL), 0);
	assert_true(span_eq(buf_span(&out), SPAN("AGEAYg==")));
	buf_deinit(&out);
	sasl_free(&s);
}

static void
says_its_word_only_once(void **state)
{
	struct sasl *s = plain("a", SPAN("b"));
	struct err e = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, OUT_MAX);
	assert_int_equal(sasl_step(s, SPAN(""), &out, &e), 0);
	buf_clear(&out);
	assert_int_equal(sasl_step(s, SPAN(""), &out, &e), -1);
	assert_int_equal(e.kind, ERR_PROTO);
	assert_int_equal(sasl_step(s, SPAN("AAAA"), &out, &e), -1);
	assert_int_equal(buf_span(&out).n, 0);
	buf_deinit(&out);
	sasl_free(&s);
}

static void
says_so_when_there_is_no_room(void **state)
{
	struct sasl *s = plain("a", SPAN("b"));
	struct err e = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 7);
	assert_int_equal(sasl_step(s, SPAN(""), &out, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	buf_deinit(&out);
	sasl_free(&s);
}

/* ---- LOGIN, CRAM-MD5, EXTERNAL ---- */

static void
answers_what_is_asked(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { .mechanism = SASL_LOGIN, .user = "tim" }, "p\xe4ss",
		    { { "Username:", "tim" }, { "Password:", "p\xe4ss" },
		      { "Again:", NULL } }, ERR_PROTO, "more than SASL LOGIN" },
		/* RFC 2195 2 */
		{ { .mechanism = SASL_CRAM_MD5, .user = "tim" },
		    "tanstaaftanstaaf",
		    { { "<1896.697170952@postoffice.reston.mci.net>",
			"tim b913a602c7eda7a495b4e6e7334d3890" },
		      { "more", NULL } }, ERR_PROTO, "more than SASL CRAM" },
		{ { .mechanism = SASL_CRAM_MD5, .user = "tim" }, "x",
		    { { "", NULL } }, ERR_PROTO, "challenge is empty" },
		{ { .mechanism = SASL_EXTERNAL, .user = "tim" }, "",
		    { { "", "tim" }, { "?", NULL } }, ERR_PROTO, "EXTERNAL" },
		{ { .mechanism = SASL_EXTERNAL, .user = "" }, "",
		    { { "", "" } }, ERR_NONE, NULL },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
knows_who_speaks_first(void **state)
{
	static const struct {
		enum sasl_auth auth;
		bool we;
	} t[] = { { SASL_LOGIN, false }, { SASL_CRAM_MD5, false },
		{ SASL_EXTERNAL, true }, { SASL_SCRAM_SHA_256, true },
		{ SASL_XOAUTH2, true }, { SASL_OAUTHBEARER, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct sasl_params p = { .mechanism = t[i].auth,
			.user = "u" };
		struct sasl *s = start(&p, SPAN("x"), NULL);

		assert_int_equal(sasl_client_first(s), t[i].we);
		sasl_free(&s);
	}
}

static void
refuses_challenges_that_are_no_base64(void **state)
{
	static const char *const bad[] = { "!", "=", "A", "AAAAA", "AA=A",
		"QUJD\xff", "QU JD" };
	const struct sasl_params p = { .mechanism = SASL_CRAM_MD5,
		.user = "u" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sasl *s = start(&p, SPAN("x"), NULL);
		struct err e = { 0 };
		struct buf out;

		buf_init(&out, OUT_MAX);
		assert_int_equal(sasl_step(s, span_of(bad[i]), &out, &e), -1);
		assert_int_equal(e.kind, ERR_PROTO);
		expect_words(&e, "not base64");
		assert_int_equal(out.n, 0);
		sasl_free(&s);
	}
}

/* ---- SCRAM ---- */

#define NONCE FIXED_NONCE
#define OURS "n,,n=user,r=" NONCE
#define FIRST "r=" NONCE "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
#define FINAL                                                                  \
	"c=biws,r=" NONCE "3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
#define SALT_7677 "W22ZaJ0SNY7soEsUEjb6gQ=="
#define BINDING                                                                \
	"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"     \
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
#define BOUND                                                                  \
	"c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,"  \
	"r=" NONCE "abc,p="

static void
says_scram_as_the_rfcs_have_it(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { .mechanism = SASL_SCRAM_SHA_1, .user = "user" }, "pencil",
		    { { "", OURS }, { FIRST, FINAL },
		      { "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "" } }, ERR_NONE,
		    NULL },
		/* RFC 7677 3, but with the nonce above */
		{ { .mechanism = SASL_SCRAM_SHA_256, .user = "user" }, "pencil",
		    { { "", OURS },
		      { "r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
			"s=" SALT_7677 ",i=4096",
			"c=biws,r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
			"p=2FUSN0pPcS7P8hBhsxBJOiUDbRoW4KVNGZT0LxVnSek=" },
		      { "v=zJZjsVp2g+W9jd01vgbsshippfH1sM0tLdBvs+e3DF4=", "" }
		    }, ERR_NONE, NULL },
		{ { .mechanism = SASL_SCRAM_SHA_256_PLUS, .user = "user",
		    .binding = SPAN(BINDING) }, "pencil",
		    { { "", "p=tls-exporter,,n=user,r=" NONCE },
		      { "r=" NONCE "abc,s=" SALT_7677 ",i=4096",
			BOUND "XVjuGprQs6xdcHjM2konGbn3fqCQbB9YLSiDRVQQ14U=" },
		      { "v=Ic6qv+Ukv2ay0ByDS7eoZqJ2az0zWWd7wAJgbiKzEDw=", "" }
		    }, ERR_NONE, NULL },
		{ { .mechanism = SASL_SCRAM_SHA_1_PLUS, .user = "user",
		    .binding = SPAN(BINDING) }, "pencil",
		    { { "", "p=tls-exporter,,n=user,r=" NONCE },
		      { "r=" NONCE "abc,s=" SALT_7677 ",i=4096",
			BOUND "ybrYzWUfjzYNZPjx6FsgWAQM1CI=" },
		      { "v=0PGX+tl5Mj3tvd+MRazJNTe0www=", "" } }, ERR_NONE,
		    NULL },
		{ { .mechanism = SASL_SCRAM_SHA_256, .user = "a,b=c" }, "x",
		    { { "", "n,,n=a=2Cb=3Dc,r=" NONCE },
		      { "r=" NONCE "abc,s=c2FsdA==,i=1",
			"c=biws,r=" NONCE "abc,"
			"p=QP+zF5g/CWIcE3iJY69jxoZDB7992PUNsVwpQAa+FSE=" } },
		    ERR_NONE, NULL },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

#define SALTED "r=" NONCE "abc,s=c2FsdA==,i=4096"
#define PROOF "c=biws,r=" NONCE "abc,p="

static void
prepares_passwords_where_that_can_be_done(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		/* U+00A0 becomes a blank (RFC 4013 2.1) */
		{ { .mechanism = SASL_SCRAM_SHA_256, .user = "user" },
		    "a\xc2\xa0" "b", { { "", OURS },
		      { SALTED, PROOF
			"OADfdFP5GNK++XgZ/QY5HucRLNzEda/+KIcJbEPQ3OU=" } },
		    ERR_NONE, NULL },
		/* no UTF-8 */
		{ { .mechanism = SASL_SCRAM_SHA_256, .user = "user" },
		    "p\xe4ss", { { "", OURS },
		      { SALTED, PROOF
			"3QC4eK8pBh7Sp9WWajUfwhy967WXsvS/1sh/RlKFSqQ=" },
		      { "v=vWJCORlSsNLMAk8T1TKLqNg5ZAUJKGqw9giOXtJVbeQ=", "" }
		    }, ERR_NONE, NULL },
		{ { .mechanism = SASL_SCRAM_SHA_1, .user = "user" },
		    "p\xe4ss", { { "", OURS },
		      { SALTED, PROOF "Zv0xKL9hamixCLot80GL36Q9SmU=" },
		      { "v=7DavTqguAWBGiMLHvaBiwlU03GI=", "" } }, ERR_NONE,
		    NULL },
		/* U+1F600 is younger than stringprep */
		{ { .mechanism = SASL_SCRAM_SHA_256, .user = "user" },
		    "\xf0\x9f\x98\x80", { { "", OURS },
		      { SALTED, PROOF
			"rFXX7NE7sCrXJ9NWW1GXozxohVAWI2TqRj0FemrjuuU=" } },
		    ERR_NONE, NULL },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

#define SHA_1                                                                  \
	{                                                                      \
		.mechanism = SASL_SCRAM_SHA_1, .user = "user"                  \
	}
#define BEGUN                                                                  \
	{                                                                      \
		"", OURS                                                       \
	}
#define PROVEN                                                                 \
	{                                                                      \
		FIRST, FINAL                                                   \
	}

static void
ends_scram_that_goes_wrong(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ SHA_1, "pencil", { BEGUN, PROVEN,
		    { "v=rmF9pqV8S7suAoZWja4dJRkFsKR=", NULL } }, ERR_AUTH,
		    "may be another server" },
		{ SHA_1, "pencil", { BEGUN, PROVEN, { "", NULL } }, ERR_PROTO,
		    "SCRAM-SHA-1" },
		{ SHA_1, "pencil", { BEGUN, PROVEN, { "v=", NULL } }, ERR_PROTO,
		    "SCRAM-SHA-1" },
		{ SHA_1, "pencil", { BEGUN, PROVEN,
		    { "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "" },
		    { "", NULL } }, ERR_PROTO, "more than SASL SCRAM-SHA-1" },
		{ SHA_1, "pencil", { BEGUN, PROVEN,
		    { "e=invalid-proof", NULL } }, ERR_AUTH,
		    "the password is wrong" },
		{ SHA_1, "pencil", { BEGUN, { "e=no-resources", NULL } },
		    ERR_TEMP, "no-resources" },
		{ SHA_1, "pencil", { BEGUN, { "", NULL } }, ERR_PROTO,
		    "makes no sense" },
		{ SHA_1, "pencil", { BEGUN, { "garbage", NULL } }, ERR_PROTO,
		    "makes no sense" },
		{ SHA_1, "pencil", { BEGUN,
		    { "r=somebody,s=QSXCR+Q6sek8bf92,i=4096", NULL } },
		    ERR_PROTO, "somebody else" },
		{ SHA_1, "pencil", { BEGUN,
		    { "r=" NONCE "x,s=c2FsdA==,i=1000001", NULL } }, ERR_PROTO,
		    "1000001 iterations" },
		{ SHA_1, "p\xe4", { BEGUN,
		    { "r=" NONCE "x,s=!,i=4096", NULL } }, ERR_PROTO, "SCRAM" },
		/* the server's last word in the place of its first */
		{ SHA_1, "pencil", { BEGUN,
		    { "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", NULL } }, ERR_PROTO,
		    "makes no sense" },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
does_not_believe_an_ok_before_the_proof(void **state)
{
	static const struct sasl_params p = SHA_1;
	static const char *const said[] = { "", FIRST,
		"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" };
	struct sasl *s;
	struct err e = { 0 };
	struct buf out;

	(void)state;
	nonce_is_fixed = true;
	buf_init(&out, OUT_MAX);
	s = start(&p, SPAN("pencil"), NULL);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(sasl_finish(s, &e), -1);
		assert_int_equal(e.kind, ERR_AUTH);
		expect_words(&e, "before it has proven");
		assert_int_equal(step(s, span_of(said[i]), &out, NULL), 0);
	}
	assert_int_equal(sasl_finish(s, &e), 0);
	buf_deinit(&out);
	sasl_free(&s);
	nonce_is_fixed = false;
}

static void
needs_a_binding_for_plus(void **state)
{
	const struct sasl_params p = { .mechanism = SASL_SCRAM_SHA_1_PLUS,
		.user = "u" };
	struct err e = { 0 };

	(void)state;
	assert_null(start(&p, SPAN("x"), &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	expect_words(&e, "channel binding");
}

static void
refuses_a_user_that_scram_cannot_carry(void **state)
{
	const struct sasl_params p = { .mechanism = SASL_SCRAM_SHA_256,
		.user = "j\xfcrg" };
	struct err e = { 0 };

	(void)state;
	assert_null(start(&p, SPAN("x"), &e));
	assert_int_equal(e.kind, ERR_CONFIG);
}

static void
does_not_blame_the_binding_for_garbage(void **state)
{
	const struct sasl_params p = { .mechanism = SASL_SCRAM_SHA_1_PLUS,
		.user = "user",
		.binding = SPAN(BINDING) };
	struct sasl *s = start(&p, SPAN("pencil"), NULL);
	struct buf out;

	(void)state;
	buf_init(&out, OUT_MAX);
	assert_int_equal(sasl_step(s, SPAN(""), &out, NULL), 0);
	assert_true(sasl_unbound(s));
	assert_int_equal(sasl_step(s, SPAN("no base64!"), &out, NULL), -1);
	assert_false(sasl_unbound(s));
	buf_deinit(&out);
	sasl_free(&s);
}

static void
knows_when_the_binding_is_the_trouble(void **state)
{
	static const struct {
		enum sasl_auth auth;
		const char *said[2];
		bool unbound;
	} t[] = {
		/* clang-format off */
		{ SASL_SCRAM_SHA_1_PLUS, { NULL }, true },
		{ SASL_SCRAM_SHA_1, { NULL }, false },
		{ SASL_SCRAM_SHA_1_PLUS,
		    { "e=unsupported-channel-binding-type" }, true },
		{ SASL_SCRAM_SHA_1_PLUS, { FIRST }, false },
		{ SASL_SCRAM_SHA_1_PLUS,
		    { FIRST, "e=unsupported-channel-binding-type" },
		    true },
		{ SASL_SCRAM_SHA_1_PLUS,
		    { FIRST, "e=channel-bindings-dont-match" },
		    false },
		{ SASL_SCRAM_SHA_1_PLUS, { "e=unknown-user" }, false },
		{ SASL_SCRAM_SHA_1_PLUS, { "garbage" }, false },
		/* clang-format on */
	};
	struct buf out;

	(void)state;
	nonce_is_fixed = true;
	buf_init(&out, OUT_MAX);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct sasl_params p = { .mechanism = t[i].auth,
			.user = "user",
			.binding = SPAN(BINDING) };
		struct sasl *s = start(&p, SPAN("pencil"), NULL);

		assert_int_equal(step(s, SPAN(""), &out, NULL), 0);
		for (size_t k = 0; k < 2 && t[i].said[k] != NULL; k++)
			(void)step(s, span_of(t[i].said[k]), &out, NULL);
		assert_int_equal(sasl_unbound(s), t[i].unbound);
		sasl_free(&s);
	}
	buf_deinit(&out);
	nonce_is_fixed = false;
}

/* ---- SCRAM with the server of GNU SASL ---- */

static const char *server_password, *server_binding;

static int
server_knows(Gsasl *lib, Gsasl_session *session, Gsasl_property what)
{
	const char *value = NULL;

	(void)lib;
	if (what == GSASL_PASSWORD)
		value = server_password;
	else if (what == GSASL_CB_TLS_EXPORTER)
		value = server_binding;
	return value != NULL &&
		gsasl_property_set(session, what, value) == GSASL_OK
	    ? GSASL_OK
	    : GSASL_NO_CALLBACK;
}

/* Whether server and client both are content. */
static bool
agrees(enum sasl_auth auth, const char *password, struct span binding)
{
	const struct sasl_params p = {
		.mechanism = auth, .user = "user", .binding = binding
	};
	struct sasl *s = start(&p, span_of(password), NULL);
	Gsasl *lib = NULL;
	Gsasl_session *server = NULL;
	struct span challenge = SPAN("");
	char *said = NULL;
	size_t n = 0;
	struct buf out;
	int rc = GSASL_NEEDS_MORE;
	bool ok;

	buf_init(&out, OUT_MAX);
	assert_int_equal(gsasl_init(&lib), GSASL_OK);
	gsasl_callback_set(lib, server_knows);
	assert_int_equal(
	    gsasl_server_start(lib, sasl_name(auth), &server), GSASL_OK);
	while (rc == GSASL_NEEDS_MORE && step(s, challenge, &out, NULL) == 0) {
		gsasl_free(said);
		said = NULL;
		rc = gsasl_step(server, buf_span(&out).p, out.n, &said, &n);
		challenge = span_make(said, n);
	}
	ok = rc == GSASL_OK && step(s, challenge, &out, NULL) == 0 &&
	    sasl_finish(s, NULL) == 0;
	gsasl_free(said);
	gsasl_finish(server);
	gsasl_done(lib);
	buf_deinit(&out);
	sasl_free(&s);
	return ok;
}

static void
gets_along_with_the_server_of_gnu_sasl(void **state)
{
	static const enum sasl_auth of[] = { SASL_SCRAM_SHA_1,
		SASL_SCRAM_SHA_256, SASL_SCRAM_SHA_1_PLUS,
		SASL_SCRAM_SHA_256_PLUS };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		bool plus = sasl_binds(of[i]);

		server_binding = plus ? "QUJD" : NULL;
		server_password = "p\xc3\xa4ss";
		assert_true(agrees(of[i], "p\xc3\xa4ss", SPAN("ABC")));
		/* "a" and a combining mark */
		assert_true(agrees(of[i], "pa\xcc\x88ss", SPAN("ABC")));
		assert_false(agrees(of[i], "pass", SPAN("ABC")));
		if (plus)
			assert_false(agrees(of[i], "p\xc3\xa4ss", SPAN("ABD")));
	}
}

static void
carries_long_passwords_in_scram(void **state)
{
	char password[1001] = { 0 };

	(void)state;
	memset(password, 'x', 1000);
	server_password = password;
	server_binding = NULL;
	assert_true(agrees(SASL_SCRAM_SHA_256, password, SPAN("")));
}

/* ---- tokens ---- */

#define XOAUTH2                                                                \
	{                                                                      \
		.mechanism = SASL_XOAUTH2, .user = "bob@example.org"           \
	}
#define XOAUTH2_SAID                                                           \
	"user=bob@example.org\x01"                                             \
	"auth=Bearer s3cr3t.t0ken\x01\x01"

static void
carries_tokens(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ XOAUTH2, "s3cr3t.t0ken", { { "", XOAUTH2_SAID },
		    { "{\"status\":\"400\"}", "" }, { "", NULL } }, ERR_PROTO,
		    "more than SASL XOAUTH2" },
		/* RFC 7628 4.1 */
		{ { .mechanism = SASL_OAUTHBEARER, .user = "user@example.com",
		    .host = "server.example.com", .port = 143 },
		    "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
		    { { "", "n,a=user@example.com,\x01host=server.example.com"
			"\x01port=143\x01" "auth=Bearer "
			"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01" },
		      { "{\"status\":\"invalid_token\"}", "\x01" },
		      { "", NULL } }, ERR_PROTO, "more than SASL OAUTHBEARER" },
		{ XOAUTH2, "", { { "", NULL } }, ERR_CONFIG, "no access token" },
		{ XOAUTH2, "a\x01" "b", { { "", NULL } }, ERR_CONFIG,
		    "control character" },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
says_why_a_token_is_refused(void **state)
{
	static const struct {
		const char *said, *text;
	} t[] = {
		/* clang-format off */
		{ "{\"status\":\"401\",\"schemes\":\"Bearer\","
		  "\"scope\":\"https://mail.google.com/\"}",
		  "the token was refused (status 401, "
		  "for the scope https://mail.google.com/)" },
		{ "no json", "the token was refused" },
		{ "{\"status\":\"s3cr3t.t0ken\"}", "the token was refused" },
		/* clang-format on */
	};
	static const struct sasl_params p = XOAUTH2;
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, OUT_MAX);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct sasl *s = start(&p, SPAN("s3cr3t.t0ken"), NULL);

		assert_int_equal(step(s, SPAN(""), &out, NULL), 0);
		assert_null(sasl_refusal(s));
		assert_int_equal(sasl_finish(s, &e), 0);
		assert_int_equal(step(s, span_of(t[i].said), &out, NULL), 0);
		assert_non_null(sasl_refusal(s));
		assert_int_equal(sasl_refusal(s)->kind, ERR_AUTH);
		assert_string_equal(sasl_refusal(s)->text, t[i].text);
		/* an OK behind that is none */
		assert_int_equal(sasl_finish(s, &e), -1);
		assert_int_equal(e.kind, ERR_AUTH);
		sasl_free(&s);
	}
	buf_deinit(&out);
}

static void
hides_the_secret_in_what_the_server_says_of_it(void **state)
{
	static const struct sasl_params p = SHA_1;
	struct sasl *s = start(&p, SPAN("s3cr3tpw"), NULL);
	struct err e = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, OUT_MAX);
	assert_int_equal(step(s, SPAN(""), &out, NULL), 0);
	assert_int_equal(step(s, SPAN("e=s3cr3tpw is wrong"), &out, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	assert_string_equal(e.text, "the server ends SCRAM");
	buf_deinit(&out);
	sasl_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_names_and_kinds),
		cmocka_unit_test(knows_which_users_scram_takes),
		cmocka_unit_test(refuses_what_is_no_mechanism),
		cmocka_unit_test(knows_what_is_said_elsewhere),
		cmocka_unit_test(says_when_gssapi_fails),
		cmocka_unit_test(says_plain_as_rfc_4616_has_it),
		cmocka_unit_test(adds_behind_what_is_there),
		cmocka_unit_test(carries_every_octet_but_nul),
		cmocka_unit_test(carries_very_long_passwords),
		cmocka_unit_test(
		    refuses_a_password_with_nul_where_it_cannot_go),
		cmocka_unit_test(takes_words_in_the_empty_challenge),
		cmocka_unit_test(says_its_word_only_once),
		cmocka_unit_test(says_so_when_there_is_no_room),
		cmocka_unit_test(answers_what_is_asked),
		cmocka_unit_test(knows_who_speaks_first),
		cmocka_unit_test(refuses_challenges_that_are_no_base64),
		cmocka_unit_test(says_scram_as_the_rfcs_have_it),
		cmocka_unit_test(prepares_passwords_where_that_can_be_done),
		cmocka_unit_test(ends_scram_that_goes_wrong),
		cmocka_unit_test(does_not_believe_an_ok_before_the_proof),
		cmocka_unit_test(needs_a_binding_for_plus),
		cmocka_unit_test(refuses_a_user_that_scram_cannot_carry),
		cmocka_unit_test(does_not_blame_the_binding_for_garbage),
		cmocka_unit_test(knows_when_the_binding_is_the_trouble),
		cmocka_unit_test(gets_along_with_the_server_of_gnu_sasl),
		cmocka_unit_test(carries_long_passwords_in_scram),
		cmocka_unit_test(carries_tokens),
		cmocka_unit_test(says_why_a_token_is_refused),
		cmocka_unit_test(
		    hides_the_secret_in_what_the_server_says_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
