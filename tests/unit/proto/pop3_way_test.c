/* SPDX-License-Identifier: ISC */
#include "proto/pop3_way.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

#define OUT_MAX 262144

static void
begin(struct pop3_way *w, struct pop3_params p, struct span secret)
{
	struct secret *s = secret_new(secret);

	p.secret = s;
	if (p.user == NULL)
		p.user = "tim";
	pop3_way_init(w, &p);
	secret_free(&s);
}

static void
chooses_by_the_lines_of_capa(void **state)
{
	static const struct {
		const char *capabilities;
		enum sasl_auth want;
		bool command;
	} t[] = {
		/* clang-format off */
		{ "", SASL_LOGIN, true },
		{ "UIDL\nTOP", SASL_LOGIN, true },
		{ "UIDL\nSASL PLAIN LOGIN\nTOP", SASL_PLAIN, false },
		{ "sasl scram-sha-256 plain", SASL_SCRAM_SHA_256, false },
		{ "SASL LOGIN\nUSER", SASL_LOGIN, true },
		{ "SASL LOGIN", SASL_LOGIN, false },
		{ "SASL NTLM", SASL_LOGIN, true },
		{ "SASL CRAM-MD5\nUSER", SASL_CRAM_MD5, false },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct pop3_params p = { .tls = POP3_TLS_DONE };
		struct pop3_way w;

		begin(&w, p, SPAN("pass"));
		assert_null(w.choice.why);
		assert_int_equal(
		    pop3_way_choose(&w, span_of(t[i].capabilities), NULL), 0);
		assert_int_equal(w.choice.mechanism, t[i].want);
		assert_int_equal(w.choice.command, t[i].command);
		assert_non_null(w.choice.why);
		pop3_way_deinit(&w);
	}
}

/* RFC 5034 4: 255 octets with CRLF. */
static void
keeps_the_line_of_auth_short(void **state)
{
	static const struct {
		size_t octets;
		bool at_once;
	} t[] = { { 1, true }, { 175, true }, { 176, false }, { 1000, false } };

	char password[1000];

	(void)state;
	memset(password, 'x', sizeof(password));
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct pop3_params p = { .auth = SASL_PLAIN };
		struct pop3_way w;
		struct buf out;
		bool secret = !t[i].at_once;
		struct err e;

		begin(&w, p, span_make(password, t[i].octets));
		buf_init(&out, OUT_MAX);
		assert_int_equal(pop3_way_choose(&w, SPAN(""), &e), 0);
		assert_int_equal(pop3_way_auth(&w, &out, &secret, &e), 0);
		assert_int_equal(secret, t[i].at_once);
		assert_true(out.n <= 255);
		if (!t[i].at_once) {
			assert_true(
			    span_eq(buf_span(&out), SPAN("AUTH PLAIN\r\n")));
			buf_clear(&out);
			assert_int_equal(
			    pop3_way_answer(&w, SPAN("please"), &out, &e), 0);
			assert_int_equal(
			    out.n, (t[i].octets + 5 + 2) / 3 * 4 + 2);
		}
		buf_deinit(&out);
		pop3_way_deinit(&w);
	}
}

static void
forgets_all_that_was_said(void **state)
{
	struct pop3_params p = { .auth = SASL_PLAIN };
	struct pop3_way w;
	struct buf out;
	bool secret;

	(void)state;
	begin(&w, p, SPAN("pass"));
	buf_init(&out, OUT_MAX);
	assert_int_equal(pop3_way_choose(&w, SPAN(""), NULL), 0);
	assert_int_equal(pop3_way_auth(&w, &out, &secret, NULL), 0);
	assert_non_null(w.sasl);
	assert_true(w.response.n > 0);
	pop3_way_forget(&w);
	assert_null(w.sasl);
	assert_int_equal(w.response.n, 0);
	assert_int_equal(w.choice.mechanism, SASL_PLAIN); /* to be told */
	buf_deinit(&out);
	pop3_way_deinit(&w);
}

static void
has_another_way_once(void **state)
{
	struct pop3_params p = { .tls = POP3_TLS_DONE };
	struct pop3_way w;
	struct buf out;
	bool secret;

	(void)state;
	begin(&w, p, SPAN("pass"));
	buf_init(&out, OUT_MAX);
	assert_false(pop3_way_again(&w, true)); /* nothing was tried yet */
	assert_int_equal(pop3_way_choose(&w, SPAN("SASL PLAIN"), NULL), 0);
	assert_int_equal(pop3_way_auth(&w, &out, &secret, NULL), 0);
	assert_false(pop3_way_again(&w, false));
	assert_true(pop3_way_again(&w, true));
	assert_int_equal(pop3_way_choose(&w, SPAN("SASL PLAIN"), NULL), 0);
	assert_true(w.choice.command);
	assert_string_equal(
	    w.choice.why, "the server does not understand AUTH PLAIN");
	assert_false(pop3_way_again(&w, true));
	buf_deinit(&out);
	pop3_way_deinit(&w);
}

static void
remembers_a_timestamp_for_apop_alone(void **state)
{
	static const enum sasl_auth auths[] = { SASL_AUTO, SASL_APOP };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct pop3_params p = { .auth = auths[i] };
		struct pop3_way w;

		begin(&w, p, SPAN("pass"));
		pop3_way_greeted(&w, SPAN("hello <a@b>"));
		assert_int_equal(w.stamp.n, i == 1 ? 5 : 0);
		pop3_way_deinit(&w);
	}
}

static void
says_so_when_there_is_no_room(void **state)
{
	struct pop3_params p = { .auth = SASL_PLAIN };
	struct pop3_way w;
	struct err e = { 0 };
	struct buf out;
	bool secret;

	(void)state;
	begin(&w, p, SPAN("pass"));
	buf_init(&out, 12);
	assert_int_equal(pop3_way_choose(&w, SPAN(""), &e), 0);
	assert_int_equal(pop3_way_auth(&w, &out, &secret, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	buf_deinit(&out);
	pop3_way_deinit(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_by_the_lines_of_capa),
		cmocka_unit_test(keeps_the_line_of_auth_short),
		cmocka_unit_test(forgets_all_that_was_said),
		cmocka_unit_test(has_another_way_once),
		cmocka_unit_test(remembers_a_timestamp_for_apop_alone),
		cmocka_unit_test(says_so_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
