/* SPDX-License-Identifier: ISC */
#include "proto/imap_login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct imap_login *
login(enum sasl_auth auth, struct span password)
{
	struct secret *secret = secret_new(password);
	struct imap_params params = {
		.auth = auth, .user = "bob", .secret = secret
	};
	struct imap_login *l = imap_login_new(&params);

	secret_free(&secret);
	return l;
}

/* What start says to a server that can all this. */
static void
starts(enum sasl_auth auth, const char *can, const char *want)
{
	struct imap_login *l = login(auth, SPAN("pass"));
	struct buf out;
	struct err e;

	buf_init(&out, 1000);
	assert_int_equal(imap_login_start(l, span_of(can), &out, &e), 0);
	assert_true(span_eq(buf_span(&out), span_of(want)));
	assert_null(imap_login_why(l));
	buf_deinit(&out);
	imap_login_free(&l);
	assert_null(l);
	imap_login_free(&l);
}

static void
chooses_by_what_the_server_can(void **state)
{
	(void)state;
	starts(SASL_AUTO, "AUTH=PLAIN", "AUTHENTICATE PLAIN\r\n");
	starts(SASL_AUTO, "auth=plain sasl-ir",
	    "AUTHENTICATE PLAIN AGJvYgBwYXNz\r\n");
	starts(SASL_AUTO, "AUTH=XOAUTH2 SASL-IR", "LOGIN \"bob\" \"pass\"\r\n");
	starts(SASL_LOGIN, "AUTH=PLAIN", "LOGIN \"bob\" \"pass\"\r\n");
	starts(SASL_PLAIN, "", "AUTHENTICATE PLAIN\r\n");
}

static void
says_what_it_has_chosen(void **state)
{
	struct imap_login *l = login(SASL_AUTO, SPAN("pass"));
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 1000);
	assert_null(imap_login_chosen(l)->why);
	assert_int_equal(
	    imap_login_start(l, SPAN("AUTH=CRAM-MD5 AUTH=NTLM"), &out, &e), 0);
	assert_int_equal(imap_login_chosen(l)->mechanism, SASL_CRAM_MD5);
	assert_non_null(imap_login_chosen(l)->why);
	assert_true(span_eq(buf_span(&out), SPAN("AUTHENTICATE CRAM-MD5\r\n")));
	buf_deinit(&out);
	imap_login_free(&l);
}

/* What is longer than servers take of a line goes on one of its own. */
static void
sends_long_responses_apart(void **state)
{
	static char token[9000];
	static const size_t sizes[] = { 5900, 6100, 9000 };
	struct span can = SPAN("AUTH=PLAIN SASL-IR");

	(void)state;
	memset(token, 'x', sizeof(token));
	for (size_t i = 0; i < 3; i++) {
		struct imap_login *l =
		    login(SASL_AUTO, span_make(token, sizes[i]));
		size_t n = (sizes[i] + 5 + 2) / 3 * 4;
		struct buf out;
		struct err e;

		buf_init(&out, 100000);
		assert_int_equal(imap_login_start(l, can, &out, &e), 0);
		if (i == 0) {
			assert_int_equal(out.n, n + 21);
		} else {
			assert_true(span_eq(
			    buf_span(&out), SPAN("AUTHENTICATE PLAIN\r\n")));
			buf_clear(&out);
			assert_int_equal(
			    imap_login_continue(l, SPAN(""), &out, &e), 0);
			assert_int_equal(out.n, n + 2);
		}
		buf_deinit(&out);
		imap_login_free(&l);
	}
}

static void
does_not_use_login_where_it_is_disabled(void **state)
{
	struct imap_login *l = login(SASL_AUTO, SPAN("pass"));
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(
	    imap_login_start(l, SPAN("LOGINDISABLED"), &out, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	assert_int_equal(out.n, 0);
	imap_login_free(&l);
}

static void
refuses_a_nul_in_a_password(void **state)
{
	struct imap_login *l = login(SASL_LOGIN, SPAN("pa\0ss"));
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(imap_login_start(l, SPAN(""), &out, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_int_equal(out.n, 0);
	imap_login_free(&l);
	l = login(SASL_PLAIN, SPAN("pa\0ss"));
	assert_int_equal(imap_login_start(l, SPAN(""), &out, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_int_equal(out.n, 0);
	imap_login_free(&l);
}

static void
gives_each_literal_for_one_continuation(void **state)
{
	struct imap_login *l = login(SASL_LOGIN, SPAN("p\xff"));
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(imap_login_start(l, SPAN(""), &out, &e), 0);
	assert_true(span_eq(buf_span(&out), SPAN("LOGIN \"bob\" {2}\r\n")));
	buf_clear(&out);
	assert_int_equal(imap_login_continue(l, SPAN("go"), &out, &e), 0);
	assert_true(span_eq(buf_span(&out), SPAN("p\xff\r\n")));
	buf_clear(&out);
	assert_int_equal(imap_login_continue(l, SPAN(""), &out, &e), 0);
	assert_int_equal(out.n, 0);
	buf_deinit(&out);
	imap_login_free(&l);
}

static void
cancels_once_and_then_fails(void **state)
{
	struct imap_login *l = login(SASL_AUTO, SPAN("pass"));
	struct span can = SPAN("AUTH=PLAIN SASL-IR");
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(imap_login_start(l, can, &out, &e), 0);
	buf_clear(&out);
	assert_int_equal(imap_login_continue(l, SPAN("!"), &out, &e), 0);
	assert_true(span_eq(buf_span(&out), SPAN("*\r\n")));
	assert_int_equal(imap_login_why(l)->kind, ERR_PROTO);
	assert_false(imap_login_again(l, true, can));
	assert_int_equal(imap_login_continue(l, SPAN(""), &out, &e), -1);
	assert_int_equal(e.kind, ERR_PROTO);
	buf_deinit(&out);
	imap_login_free(&l);
}

static void
tries_again_by_login_once(void **state)
{
	struct imap_login *l = login(SASL_AUTO, SPAN("pass"));
	struct span can = SPAN("AUTH=PLAIN SASL-IR");
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 1000);
	assert_false(
	    imap_login_again(l, true, can)); /* nothing was tried yet */
	assert_int_equal(imap_login_start(l, can, &out, &e), 0);
	assert_false(imap_login_again(l, true, SPAN("LOGINDISABLED")));
	assert_false(imap_login_again(l, false, can)); /* NO is no BAD */
	assert_true(imap_login_again(l, true, can));
	buf_clear(&out);
	assert_int_equal(imap_login_start(l, can, &out, &e), 0);
	assert_true(
	    span_eq(buf_span(&out), SPAN("LOGIN \"bob\" \"pass\"\r\n")));
	assert_false(imap_login_again(l, true, can));
	buf_deinit(&out);
	imap_login_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_by_what_the_server_can),
		cmocka_unit_test(says_what_it_has_chosen),
		cmocka_unit_test(sends_long_responses_apart),
		cmocka_unit_test(does_not_use_login_where_it_is_disabled),
		cmocka_unit_test(refuses_a_nul_in_a_password),
		cmocka_unit_test(gives_each_literal_for_one_continuation),
		cmocka_unit_test(cancels_once_and_then_fails),
		cmocka_unit_test(tries_again_by_login_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
