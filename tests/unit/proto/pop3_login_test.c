/* SPDX-License-Identifier: ISC */
#include "proto/pop3_login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/proto/fixed_nonce.h"
#include "util/mem.h"

#define LINES_MAX 12

/* "tanstaaf" as RFC 4616 has it, and the response for it */
#define RESPONSE "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"

struct login {
	struct pop3_login l;
	struct buf output;
	enum pop3_event last;
};

static void
begin(struct login *t, struct pop3_params p, const char *secret)
{
	struct secret *s = secret_new(span_of(secret));

	p.secret = s;
	buf_init(&t->output, 256 * 1024);
	pop3_login_init(&t->l, &p, &t->output);
	t->last = POP3_MORE;
	secret_free(&s);
}

static void
end(struct login *t)
{
	pop3_login_deinit(&t->l);
	buf_deinit(&t->output);
}

/* "TLS" is what the connection says. */
static void
hear(struct login *t, const char *line)
{
	if (strcmp(line, "TLS") == 0) {
		assert_true(pop3_login_in_tls(&t->l));
		t->last = pop3_login_upgraded(&t->l);
	} else {
		t->last = pop3_login_line(&t->l, span_of(line), 0);
	}
}

static void
assert_said(struct login *t, const char *want)
{
	char *said = mem_spandup(buf_span(&t->output));

	assert_string_equal(said, want);
	free(said);
}

struct story {
	struct pop3_params p;
	const char *lines[LINES_MAX];
	const char *said;
	enum pop3_event last;
	enum err_kind kind;
};

static void
tell(const struct story *s, const char *secret, struct span binding)
{
	struct pop3_params p = s->p;
	struct login t;
	size_t i;

	if (p.user == NULL)
		p.user = "tim";
	begin(&t, p, secret);
	pop3_way_bind(&t.l.way, binding);
	for (i = 0; i < LINES_MAX && s->lines[i] != NULL; i++) {
		assert_int_equal(t.last == POP3_FAILED, 0);
		hear(&t, s->lines[i]);
	}
	assert_said(&t, s->said);
	assert_int_equal(t.last, s->last);
	assert_int_equal(t.l.err.kind, s->kind);
	end(&t);
}

#define TELL_WITH(stories, secret, binding)                                    \
	for (size_t i_ = 0; i_ < sizeof(stories) / sizeof((stories)[0]); i_++) \
	tell(&(stories)[i_], secret, binding)
#define TELL(stories) TELL_WITH(stories, "tanstaaftanstaaf", SPAN(""))

/* clang-format off */
#define CLEAR .tls = POP3_TLS_DONE
#define STLS .tls = POP3_TLS_UPGRADE
#define USER_PASS "USER tim\r\nPASS tanstaaftanstaaf\r\n"

/* clang-format on */

static void
logs_in_by_what_is_offered(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR }, { "+OK hi", "+OK", "+OK" }, USER_PASS, POP3_READY,
		    ERR_NONE },
		{ { CLEAR, .capa = true },
		    { "+OK", "-ERR", "+OK", "+OK" }, "CAPA\r\n" USER_PASS,
		    POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true },
		    { "+OK", "+OK", "UIDL", ".", "+OK", "+OK" },
		    "CAPA\r\n" USER_PASS, POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true },
		    { "+OK", "+OK", "UIDL", "sasl login Plain", ".", "+OK" },
		    "CAPA\r\nAUTH PLAIN " RESPONSE "\r\n", POP3_READY,
		    ERR_NONE },
		{ { CLEAR, .capa = true, .auth = SASL_LOGIN },
		    { "+OK", "+OK", "UIDL", "SASL PLAIN", ".", "+OK", "+OK" },
		    "CAPA\r\n" USER_PASS, POP3_READY, ERR_NONE },
		{ { CLEAR, .auth = SASL_PLAIN }, { "+OK", "+OK" },
		    "AUTH PLAIN " RESPONSE "\r\n", POP3_READY, ERR_NONE },
		{ { .tls = POP3_TLS_NONE }, { "+OK", "+OK", "+OK" }, USER_PASS,
		    POP3_READY, ERR_NONE },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
asks_capa_again_only_where_the_list_looked_short(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR, .capa = true },
		    { "+OK", "+OK", "USER", ".", "+OK", "+OK", "+OK",
		      "PIPELINING", "." },
		    "CAPA\r\n" USER_PASS "CAPA\r\n", POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true },
		    { "+OK", "+OK", "USER", ".", "+OK", "+OK", "-ERR" },
		    "CAPA\r\n" USER_PASS "CAPA\r\n", POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true },
		    { "+OK", "+OK", "PIPELINING", ".", "+OK", "+OK" },
		    "CAPA\r\n" USER_PASS, POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true },
		    { "+OK", "+OK", ".", "+OK", "+OK" },
		    "CAPA\r\n" USER_PASS, POP3_READY, ERR_NONE },
		/* a full list, but not for this user */
		{ { CLEAR, .capa = true },
		    { "+OK", "+OK", "UIDL", "LOGIN-DELAY 900 USER", ".", "+OK",
		      "+OK", "+OK", "UIDL", "LOGIN-DELAY 60", "." },
		    "CAPA\r\n" USER_PASS "CAPA\r\n", POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true },
		    { "+OK", "+OK", "UIDL", "LOGIN-DELAY 900", "EXPIRE 0", ".",
		      "+OK", "+OK" },
		    "CAPA\r\n" USER_PASS, POP3_READY, ERR_NONE },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
passes_on_how_long_it_is_asked_to_wait(void **state)
{
	static const struct {
		enum pop3_tls tls;
		const char *lines[3];
		unsigned int after_s;
	} t[] = {
		/* clang-format off */
		{ POP3_TLS_DONE, { "-ERR try again in 5 minutes" }, 300 },
		{ POP3_TLS_DONE, { "+OK", "-ERR wait 30 seconds" }, 30 },
		{ POP3_TLS_DONE,
		    { "+OK", "+OK", "-ERR [LOGIN-DELAY] Logins must be at "
		      "least 10 minutes apart" }, 600 },
		{ POP3_TLS_DONE, { "+OK", "+OK", "-ERR no" }, 0 },
		/* anybody may have said it */
		{ POP3_TLS_UPGRADE, { "-ERR try again in 5 minutes" }, 0 },
		{ POP3_TLS_UPGRADE, { "+OK", "-ERR retry in 5 minutes" }, 0 },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct pop3_params p = { .tls = t[i].tls, .user = "tim" };
		struct login login;

		begin(&login, p, "tanstaaftanstaaf");
		for (size_t k = 0; k < 3 && t[i].lines[k] != NULL; k++)
			hear(&login, t[i].lines[k]);
		assert_int_equal(login.last, POP3_FAILED);
		assert_int_equal(login.l.err.after_s, t[i].after_s);
		end(&login);
	}
}

static void
insists_on_tls_before_it_says_anything_else(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { STLS, .capa = true }, { "+OK" }, "STLS\r\n", POP3_MORE,
		    ERR_NONE },
		{ { STLS }, { "+OK", "+OK" }, "STLS\r\n", POP3_UPGRADE,
		    ERR_NONE },
		{ { STLS }, { "+OK", "-ERR" }, "STLS\r\n", POP3_FAILED,
		    ERR_TLS },
		{ { STLS }, { "+OK", "-ERR [AUTH] no" }, "STLS\r\n",
		    POP3_FAILED, ERR_TLS },
		{ { STLS }, { "+OK", "+ go on" }, "STLS\r\n", POP3_FAILED,
		    ERR_PROTO },
		{ { STLS }, { "+OK", "what?" }, "STLS\r\n", POP3_FAILED,
		    ERR_PROTO },
		{ { STLS }, { "+OK", "+OK", "TLS", "+OK", "+OK" },
		    "STLS\r\n" USER_PASS, POP3_READY, ERR_NONE },
		{ { STLS, .capa = true },
		    { "+OK", "+OK", "TLS", "+OK", "SASL PLAIN", "UIDL", ".",
		      "+OK" },
		    "STLS\r\nCAPA\r\nAUTH PLAIN " RESPONSE "\r\n", POP3_READY,
		    ERR_NONE },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
refuses_octets_behind_stls(void **state)
{
	struct pop3_params p = { STLS, .user = "tim" };
	struct login t;

	(void)state;
	begin(&t, p, "x");
	hear(&t, "+OK");
	t.last = pop3_login_line(&t.l, SPAN("+OK begin"), 1);
	assert_int_equal(t.last, POP3_FAILED);
	assert_int_equal(t.l.err.kind, ERR_TLS);
	assert_said(&t, "STLS\r\n");
	end(&t);
}

static void
forgets_what_was_said_before_tls(void **state)
{
	struct pop3_params p = { STLS, .user = "tim" };
	struct login t;

	(void)state;
	begin(&t, p, "x");
	hear(&t, "+OK believe me");
	assert_true(span_eq(buf_span(&t.l.greeting), SPAN("believe me")));
	hear(&t, "+OK");
	hear(&t, "TLS");
	assert_int_equal(t.l.greeting.n, 0);
	end(&t);
}

static void
classifies_refusals(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR }, { "-ERR" }, "", POP3_FAILED, ERR_TEMP },
		{ { CLEAR }, { "-ERR [AUTH] go away" }, "", POP3_FAILED,
		    ERR_TEMP },
		{ { CLEAR }, { "-ERR [IN-USE] x" }, "", POP3_FAILED,
		    ERR_LOCKED },
		{ { CLEAR }, { "-ERR Too many connections" }, "", POP3_FAILED,
		    ERR_THROTTLE },
		{ { CLEAR }, { "* OK IMAP4rev1" }, "", POP3_FAILED,
		    ERR_PROTO },
		{ { CLEAR }, { "" }, "", POP3_FAILED, ERR_PROTO },
		{ { CLEAR }, { "+OK", "-ERR unknown user" }, "USER tim\r\n",
		    POP3_FAILED, ERR_AUTH },
		{ { CLEAR }, { "+OK", "+OK", "-ERR authentication failed" },
		    USER_PASS, POP3_FAILED, ERR_AUTH },
		{ { CLEAR }, { "+OK", "+OK", "-ERR [IN-USE] maildrop" },
		    USER_PASS, POP3_FAILED, ERR_LOCKED },
		{ { CLEAR }, { "+OK", "+OK", "-ERR [LOGIN-DELAY] x" },
		    USER_PASS, POP3_FAILED, ERR_THROTTLE },
		{ { CLEAR }, { "+OK", "+OK", "-ERR [SYS/TEMP] x" }, USER_PASS,
		    POP3_FAILED, ERR_TEMP },
		{ { CLEAR }, { "+OK", "+OK", "-ERR [SYS/PERM] x" }, USER_PASS,
		    POP3_FAILED, ERR_TEMP },
		{ { CLEAR }, { "+OK", "+OK", "-ERR tim lock busy!" },
		    USER_PASS, POP3_FAILED, ERR_LOCKED },
		{ { CLEAR }, { "+OK", "+ x" }, "USER tim\r\n", POP3_FAILED,
		    ERR_PROTO },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

#define PLAIN_OFFERED "+OK", "+OK", "UIDL", "SASL PLAIN", "."
#define AUTH_SAID "CAPA\r\nAUTH PLAIN " RESPONSE "\r\n"

static void
falls_back_once_where_auth_is_not_understood(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR, .capa = true },
		    { PLAIN_OFFERED, "-ERR Unknown command.", "+OK", "+OK" },
		    AUTH_SAID USER_PASS, POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true },
		    { PLAIN_OFFERED, "-ERR bad login" }, AUTH_SAID,
		    POP3_FAILED, ERR_AUTH },
		{ { CLEAR, .capa = true },
		    { PLAIN_OFFERED, "-ERR [AUTH] unsupported for you" },
		    AUTH_SAID, POP3_FAILED, ERR_AUTH },
		{ { CLEAR, .capa = true },
		    { PLAIN_OFFERED, "-ERR Unknown command.",
		      "-ERR Unknown command." },
		    AUTH_SAID "USER tim\r\n", POP3_FAILED, ERR_AUTH },
		{ { CLEAR, .auth = SASL_PLAIN },
		    { "+OK", "-ERR Unknown command." },
		    "AUTH PLAIN " RESPONSE "\r\n", POP3_FAILED, ERR_AUTH },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
cancels_what_asks_again(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR, .capa = true },
		    { PLAIN_OFFERED, "+", "-ERR", "+OK", "+OK" },
		    AUTH_SAID "*\r\n" USER_PASS, POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true }, { PLAIN_OFFERED, "+ AAAA", "+OK" },
		    AUTH_SAID "*\r\n", POP3_FAILED, ERR_PROTO },
		{ { CLEAR, .capa = true }, { PLAIN_OFFERED, "+", "+" },
		    AUTH_SAID "*\r\n", POP3_FAILED, ERR_PROTO },
		{ { CLEAR, .auth = SASL_PLAIN }, { "+OK", "+", "-ERR" },
		    "AUTH PLAIN " RESPONSE "\r\n*\r\n", POP3_FAILED,
		    ERR_PROTO },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

/* RFC 5034 4: 255 octets with CRLF leave 240 of base64, 180 before it. */
static void
says_long_credentials_in_two_steps(void **state)
{
	static const size_t fits[] = { 1, 174, 175 };
	static const size_t does_not[] = { 176, 1000, 60000 };
	struct pop3_params p = { CLEAR, .auth = SASL_PLAIN, .user = "tim" };
	char *secret = mem_new(60001);
	struct login t;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		memset(secret, 'x', fits[i]);
		begin(&t, p, secret);
		hear(&t, "+OK");
		assert_true(t.l.output_is_secret);
		assert_true(t.output.n <= 255);
		end(&t);
	}
	for (i = 0; i < 3; i++) {
		memset(secret, 'x', does_not[i]);
		begin(&t, p, secret);
		hear(&t, "+OK");
		assert_said(&t, "AUTH PLAIN\r\n");
		assert_false(t.l.output_is_secret);
		buf_clear(&t.output);
		hear(&t, i == 0 ? "+" : "+ please");
		assert_true(t.l.output_is_secret);
		assert_int_equal(t.output.n, (5 + does_not[i] + 2) / 3 * 4 + 2);
		hear(&t, "+OK");
		assert_int_equal(t.last, POP3_READY);
		end(&t);
	}
	free(secret);
}

static void
refuses_credentials_that_break_a_line(void **state)
{
	static const char *const bad[] = { "a\rb", "a\nb", "\r\nDELE 1" };
	struct login t;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct pop3_params as_user = { CLEAR, .user = bad[i] };
		struct pop3_params as_secret = { CLEAR, .user = "u" };

		begin(&t, as_user, "x");
		hear(&t, "+OK");
		assert_int_equal(t.l.err.kind, ERR_CONFIG);
		assert_said(&t, "");
		end(&t);
		begin(&t, as_secret, bad[i]);
		hear(&t, "+OK");
		assert_int_equal(t.l.err.kind, ERR_CONFIG);
		assert_said(&t, "");
		end(&t);
	}
}

static void
forgets_the_mechanism_after_login(void **state)
{
	struct pop3_params p = { CLEAR, .user = "u", .auth = SASL_PLAIN };
	struct login t;

	(void)state;
	begin(&t, p, "x");
	hear(&t, "+OK");
	assert_non_null(t.l.way.sasl);
	hear(&t, "+OK");
	assert_null(t.l.way.sasl);
	assert_true(span_eq(pop3_login_quotable(&t.l, SPAN("y")), SPAN("y")));
	assert_true(span_eq(pop3_login_quotable(&t.l, SPAN("x")), SPAN("")));
	end(&t);
}

static void
never_repeats_the_secret_after_the_server(void **state)
{
	static const struct {
		const char *lines[4];
		bool shown;
	} t[] = {
		/* clang-format off */
		{ { "+OK", "+OK", "-ERR unrecognised command: PASS s3cr3tpw" },
		    false },
		{ { "+OK", "+OK", "-ERR PASS s3cr3... is wrong" }, false },
		{ { "+OK", "+OK", "+WHAT PASS s3cr3tpw" }, false },
		{ { "+OK", "-ERR [AUTH] s3cr3tpw" }, false },
		{ { "+OK", "+OK", "-ERR unrecognised command: PASS" }, true },
		/* clang-format on */
	};
	struct pop3_params p = { CLEAR, .user = "u", .auth = SASL_LOGIN };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct login l;

		begin(&l, p, "s3cr3tpw");
		for (size_t n = 0; t[i].lines[n] != NULL; n++)
			hear(&l, t[i].lines[n]);
		assert_int_equal(l.last, POP3_FAILED);
		assert_null(strstr(l.l.err.text, "s3cr3"));
		assert_int_equal(
		    strstr(l.l.err.text, "unrecognised") != NULL, t[i].shown);
		end(&l);
	}
}

static void
bounds_what_capa_may_say(void **state)
{
	struct pop3_params p = { CLEAR, .user = "u", .capa = true };
	char word[2001];
	struct login t;
	size_t i;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	begin(&t, p, "x");
	hear(&t, "+OK");
	hear(&t, "+OK");
	hear(&t, "UIDL");
	for (i = 0; i < 999; i++) {
		hear(&t, word);
		assert_int_equal(t.last, POP3_MORE);
		assert_true(t.l.capabilities.n <= 16384);
		assert_int_not_equal(
		    buf_span(&t.l.capabilities).p[t.l.capabilities.n - 1],
		    '\n');
	}
	hear(&t, word);
	assert_int_equal(t.last, POP3_FAILED);
	assert_int_equal(t.l.err.kind, ERR_PROTO);
	end(&t);
}

/* ---- SASL by other mechanisms ---- */

#define SASL(words) "+OK", "+OK", "UIDL", "SASL " words, "."
#define SCRAM_SAID "CAPA\r\nAUTH SCRAM-SHA-1 " SCRAM_OURS "\r\n"
#define PROOF_SAID SCRAM_SAID SCRAM_PROOF "\r\n"
#define PENCIL                                                                 \
	{                                                                      \
		CLEAR, .capa = true, .user = "user"                            \
	}

static void
logs_in_by_scram(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ PENCIL, { SASL("PLAIN SCRAM-SHA-1"), "+ " SCRAM_FIRST,
		    "+ " SCRAM_LAST, "+OK" }, PROOF_SAID "\r\n", POP3_READY,
		    ERR_NONE },
		/* an OK that comes too early is none */
		{ PENCIL, { SASL("SCRAM-SHA-1"), "+OK" }, SCRAM_SAID,
		    POP3_FAILED, ERR_AUTH },
		{ PENCIL, { SASL("SCRAM-SHA-1"), "+ " SCRAM_FIRST, "+OK" },
		    PROOF_SAID, POP3_FAILED, ERR_AUTH },
		/* a wrong signature */
		{ PENCIL, { SASL("SCRAM-SHA-1"), "+ " SCRAM_FIRST,
		    "+ dj1ybUY5cHFWOFM3c3VBb1pXamE0ZEpSa0ZzS1I=", "-ERR" },
		    PROOF_SAID "*\r\n", POP3_FAILED, ERR_AUTH },
		{ PENCIL, { SASL("SCRAM-SHA-1"), "+ garbage!", "-ERR" },
		    SCRAM_SAID "*\r\n", POP3_FAILED, ERR_PROTO },
		/* refused: nothing else is tried */
		{ PENCIL, { SASL("PLAIN SCRAM-SHA-1"), "+ " SCRAM_FIRST,
		    "-ERR no" }, PROOF_SAID, POP3_FAILED, ERR_AUTH },
		{ PENCIL, { SASL("PLAIN SCRAM-SHA-1"),
		    "-ERR unknown command" }, SCRAM_SAID, POP3_FAILED,
		    ERR_AUTH },
		/* clang-format on */
	};

	(void)state;
	nonce_is_fixed = true;
	TELL_WITH(t, "pencil", SPAN(""));
	nonce_is_fixed = false;
}

#define PLUS_SAID                                                              \
	"CAPA\r\nAUTH SCRAM-SHA-1-PLUS "                                       \
	"cD10bHMtZXhwb3J0ZXIsLG49dXNlcixyPWZ5a28rZDJsYmJGZ09OUnY5cWt4ZGF3TA==" \
	"\r\n"
#define AGAIN_SAID "AUTH SCRAM-SHA-1 " SCRAM_OURS "\r\n" SCRAM_PROOF "\r\n\r\n"

static void
binds_to_the_channel_or_goes_on_without(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ PENCIL, { SASL("SCRAM-SHA-1 SCRAM-SHA-1-PLUS") }, PLUS_SAID,
		    POP3_MORE, ERR_NONE },
		{ PENCIL, { SASL("SCRAM-SHA-1 SCRAM-SHA-1-PLUS"),
		    "+ ZT11bnN1cHBvcnRlZC1jaGFubmVsLWJpbmRpbmctdHlwZQ==", "-ERR", "+ " SCRAM_FIRST,
		    "+ " SCRAM_LAST, "+OK" },
		    PLUS_SAID "*\r\n" AGAIN_SAID, POP3_READY, ERR_NONE },
		{ PENCIL, { SASL("SCRAM-SHA-1 SCRAM-SHA-1-PLUS"), "-ERR no",
		    "+ " SCRAM_FIRST, "+ " SCRAM_LAST, "+OK" },
		    PLUS_SAID AGAIN_SAID, POP3_READY, ERR_NONE },
		{ PENCIL, { SASL("SCRAM-SHA-1-PLUS PLAIN"), "-ERR no",
		    "-ERR unknown command" },
		    PLUS_SAID "AUTH PLAIN AHVzZXIAcGVuY2ls\r\n", POP3_FAILED,
		    ERR_AUTH },
		{ PENCIL, { SASL("SCRAM-SHA-1 SCRAM-SHA-1-PLUS"),
		    "-ERR [SYS/TEMP] no" }, PLUS_SAID, POP3_FAILED, ERR_TEMP },
		{ PENCIL, { SASL("SCRAM-SHA-1 SCRAM-SHA-1-PLUS"),
		    "+ ZT1jaGFubmVsLWJpbmRpbmdzLWRvbnQtbWF0Y2g=", "-ERR" }, PLUS_SAID "*\r\n", POP3_FAILED,
		    ERR_AUTH },
		/* clang-format on */
	};

	(void)state;
	nonce_is_fixed = true;
	TELL_WITH(t, "pencil", SPAN("ABC"));
	nonce_is_fixed = false;
}

static void
answers_login_and_cram_md5(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		/* LOGIN, but no USER */
		{ { CLEAR, .capa = true },
		    { SASL("LOGIN"), "+ VXNlcm5hbWU6", "+ UGFzc3dvcmQ6",
		      "+OK" }, "CAPA\r\nAUTH LOGIN\r\ndGlt\r\n"
		    "dGFuc3RhYWZ0YW5zdGFhZg==\r\n", POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true },
		    { SASL("LOGIN"), "+ VXNlcm5hbWU6", "+ UGFzc3dvcmQ6",
		      "+ TW9yZTo=", "-ERR" },
		    "CAPA\r\nAUTH LOGIN\r\ndGlt\r\n"
		    "dGFuc3RhYWZ0YW5zdGFhZg==\r\n*\r\n", POP3_FAILED,
		    ERR_PROTO },
		{ { .tls = POP3_TLS_NONE, .capa = true },
		    { SASL("PLAIN CRAM-MD5"), "+ PDE4OTYuNjk3MTcwOTUyQHBvc3Rv"
		      "ZmZpY2UucmVzdG9uLm1jaS5uZXQ+", "+OK" },
		    "CAPA\r\nAUTH CRAM-MD5\r\n"
		    "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n",
		    POP3_READY, ERR_NONE },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
logs_in_by_a_certificate(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR, .capa = true, .has_certificate = true }, { SASL("EXTERNAL"), "+OK" },
		    "CAPA\r\nAUTH EXTERNAL dGlt\r\n", POP3_READY, ERR_NONE },
		{ { CLEAR, .capa = true, .has_certificate = true, .user = "" }, { SASL("EXTERNAL"), "+OK" },
		    "CAPA\r\nAUTH EXTERNAL =\r\n", POP3_READY, ERR_NONE },
		/* clang-format on */
	};

	(void)state;
	TELL_WITH(t, "", SPAN(""));
}

#define TOKEN .capa = true, .secret_is_token = true, .host = "pop.example.org"
#define XOAUTH2_SAID                                                           \
	"CAPA\r\nAUTH "                                                        \
	"XOAUTH2\r\ndXNlcj10aW0BYXV0aD1CZWFyZXIgdGFuc3RhYWZ0YW5zdGFhZgEB\r\n"
#define BEARER_SAID                                                            \
	"CAPA\r\nAUTH OAUTHBEARER "                                            \
	"bixhPXRpbSwBaG9zdD1wb3AuZXhhbXBsZS5vcmcBcG9ydD05OTUBYXV0aD1CZWFyZXIg" \
	"dGFuc3RhYWZ0YW5zdGFhZgEB\r\n"

/* Microsoft hangs up on XOAUTH2 with an initial response. */
static void
logs_in_by_a_token(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR, TOKEN },
		    { SASL("LOGIN PLAIN XOAUTH2 OAUTHBEARER"), "+ ", "+OK" },
		    XOAUTH2_SAID, POP3_READY, ERR_NONE },
		{ { CLEAR, TOKEN, .port = 995 },
		    { SASL("OAUTHBEARER"), "+OK" }, BEARER_SAID, POP3_READY,
		    ERR_NONE },
		{ { CLEAR, TOKEN }, { SASL("XOAUTH2"), "+ ",
		    "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==", "-ERR" }, XOAUTH2_SAID "\r\n", POP3_FAILED,
		    ERR_AUTH },
		{ { CLEAR, TOKEN }, { SASL("XOAUTH2"), "+ ",
		    "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==", "+OK" }, XOAUTH2_SAID "\r\n", POP3_FAILED,
		    ERR_AUTH },
		{ { CLEAR, TOKEN, .port = 995 },
		    { SASL("OAUTHBEARER"), "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==", "-ERR" },
		    BEARER_SAID "AQ==\r\n", POP3_FAILED, ERR_AUTH },
		{ { CLEAR, TOKEN }, { SASL("XOAUTH2"), "+ ",
		    "-ERR [SYS/TEMP] later" }, XOAUTH2_SAID, POP3_FAILED,
		    ERR_TEMP },
		{ { CLEAR, TOKEN }, { SASL("PLAIN") },
		    "CAPA\r\n", POP3_FAILED, ERR_AUTH },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
says_why_a_token_was_refused(void **state)
{
	struct pop3_params p = { CLEAR, TOKEN, .user = "tim",
		.auth = SASL_XOAUTH2 };
	static const char *const lines[] = { SASL("XOAUTH2"), "+",
		"+ "
		"eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodH"
		"RwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==",
		"-ERR no" };
	struct login t;

	(void)state;
	begin(&t, p, "tanstaaftanstaaf");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		hear(&t, lines[i]);
	assert_string_equal(t.l.err.text,
	    "the token was refused (status 400, for the scope "
	    "https://mail.google.com/)");
	end(&t);
}

#define STAMPED "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>"
#define APOP_SAID "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"
#define MROSE .auth = SASL_APOP, .user = "mrose"

/* RFC 1939 7 */
static void
says_apop_where_it_is_told_so(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR, MROSE }, { STAMPED, "+OK" },
		    APOP_SAID, POP3_READY, ERR_NONE },
		{ { .tls = POP3_TLS_NONE, MROSE },
		    { STAMPED, "+OK" }, APOP_SAID, POP3_READY, ERR_NONE },
		/* through TLS, to who knows what he greeted with */
		{ { STLS, MROSE },
		    { STAMPED, "+OK", "TLS", "+OK" }, "STLS\r\n" APOP_SAID,
		    POP3_READY, ERR_NONE },
		{ { CLEAR, MROSE },
		    { STAMPED, "-ERR no" }, APOP_SAID, POP3_FAILED, ERR_AUTH },
		{ { CLEAR, MROSE }, { "+OK hello" }, "",
		    POP3_FAILED, ERR_AUTH },
		{ { CLEAR, MROSE },
		    { "+OK <a\x80@b>" }, "", POP3_FAILED, ERR_AUTH },
		{ { CLEAR, .auth = SASL_APOP, .user = "m r" }, { STAMPED }, "", POP3_FAILED, ERR_CONFIG },
		/* never by itself */
		{ { CLEAR }, { STAMPED, "+OK", "+OK" },
		    "USER tim\r\nPASS tanstaaf\r\n", POP3_READY, ERR_NONE },
		/* clang-format on */
	};

	(void)state;
	TELL_WITH(t, "tanstaaf", SPAN(""));
}

static void
says_nothing_secret_where_there_is_no_way(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR, .capa = true, .auth = SASL_SCRAM_SHA_256 }, { SASL("PLAIN LOGIN") }, "CAPA\r\n",
		    POP3_FAILED, ERR_AUTH },
		{ { CLEAR, .capa = true, .auth = SASL_GSSAPI }, { SASL("PLAIN LOGIN") }, "CAPA\r\n",
		    POP3_FAILED, ERR_AUTH },
		{ { CLEAR, .auth = SASL_SCRAM_SHA_1_PLUS },
		    { "+OK" }, "", POP3_FAILED, ERR_AUTH },
		/* clang-format on */
	};

	(void)state;
	TELL(t);
}

static void
shows_no_password_among_the_mechanisms(void **state)
{
	struct pop3_params p = { CLEAR, .user = "tim", .auth = SASL_SCRAM_SHA_1,
		.capa = true };
	static const char *const lines[] = { SASL("PLAIN tanstaaftanstaaf") };
	struct login t;

	(void)state;
	begin(&t, p, "tanstaaftanstaaf");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		hear(&t, lines[i]);
	assert_int_equal(t.last, POP3_FAILED);
	assert_string_equal(t.l.err.text,
	    "the server does not offer SCRAM-SHA-1: set auth = auto");
	end(&t);
}

/* USER and PASS cannot. */
static void
carries_a_line_end_in_base64(void **state)
{
	static const struct story t[] = {
		/* clang-format off */
		{ { CLEAR }, { "+OK" }, "", POP3_FAILED,
		    ERR_CONFIG },
		{ { CLEAR, .capa = true },
		    { SASL("PLAIN"), "+OK" },
		    "CAPA\r\nAUTH PLAIN AHRpbQBhDWI=\r\n", POP3_READY,
		    ERR_NONE },
		/* clang-format on */
	};

	(void)state;
	TELL_WITH(t, "a\rb", SPAN(""));
}

static void
ends_an_exchange_without_end(void **state)
{
	struct pop3_params p = { CLEAR, .user = "tim", .auth = SASL_LOGIN,
		.capa = true };
	static const char *const lines[] = { SASL("LOGIN"), "+", "+", "+" };
	struct login t;

	(void)state;
	begin(&t, p, "tanstaaftanstaaf");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		hear(&t, lines[i]);
	hear(&t, "-ERR");
	assert_int_equal(t.last, POP3_FAILED);
	assert_int_equal(t.l.err.kind, ERR_PROTO);
	end(&t);
}

static void
never_waits_for_ever(void **state)
{
	struct pop3_params p = { STLS, .user = "tim", .capa = true };
	static const char *const lines[] = { "+OK", "+OK", "TLS", "+OK", ".",
		"+OK" };
	struct login t;
	size_t i;

	(void)state;
	begin(&t, p, "x");
	for (i = 0; i < 6; i++) {
		assert_true(pop3_login_timeout(&t.l) > 0);
		assert_true(strlen(pop3_login_name(&t.l)) > 0);
		hear(&t, lines[i]);
	}
	assert_true(pop3_login_timeout(&t.l) > 0);
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_in_by_scram),
		cmocka_unit_test(binds_to_the_channel_or_goes_on_without),
		cmocka_unit_test(answers_login_and_cram_md5),
		cmocka_unit_test(logs_in_by_a_certificate),
		cmocka_unit_test(logs_in_by_a_token),
		cmocka_unit_test(says_why_a_token_was_refused),
		cmocka_unit_test(says_apop_where_it_is_told_so),
		cmocka_unit_test(says_nothing_secret_where_there_is_no_way),
		cmocka_unit_test(shows_no_password_among_the_mechanisms),
		cmocka_unit_test(carries_a_line_end_in_base64),
		cmocka_unit_test(ends_an_exchange_without_end),
		cmocka_unit_test(logs_in_by_what_is_offered),
		cmocka_unit_test(
		    asks_capa_again_only_where_the_list_looked_short),
		cmocka_unit_test(passes_on_how_long_it_is_asked_to_wait),
		cmocka_unit_test(insists_on_tls_before_it_says_anything_else),
		cmocka_unit_test(refuses_octets_behind_stls),
		cmocka_unit_test(forgets_what_was_said_before_tls),
		cmocka_unit_test(classifies_refusals),
		cmocka_unit_test(falls_back_once_where_auth_is_not_understood),
		cmocka_unit_test(cancels_what_asks_again),
		cmocka_unit_test(says_long_credentials_in_two_steps),
		cmocka_unit_test(refuses_credentials_that_break_a_line),
		cmocka_unit_test(forgets_the_mechanism_after_login),
		cmocka_unit_test(never_repeats_the_secret_after_the_server),
		cmocka_unit_test(bounds_what_capa_may_say),
		cmocka_unit_test(never_waits_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
