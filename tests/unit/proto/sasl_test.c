/* SPDX-License-Identifier: ISC */
#include "proto/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

#define OUT_MAX 262144

static struct sasl *
plain(const char *user, struct span password)
{
	struct secret *secret = secret_new(password);
	struct sasl *s = sasl_new("PLAIN", user, secret, NULL);

	secret_free(&secret);
	return s;
}

/* The first response to PLAIN, decoded by hand. */
static size_t
first_word(const char *user, struct span password, unsigned char *to)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789+/";
	struct sasl *s = plain(user, password);
	struct buf out;
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t n = 0;
	size_t i;

	assert_non_null(s);
	buf_init(&out, OUT_MAX);
	assert_int_equal(sasl_step(s, SPAN(""), &out, NULL), 0);
	for (i = 0; i < buf_span(&out).n && buf_span(&out).p[i] != '='; i++) {
		const char *at = strchr(alphabet, buf_span(&out).p[i]);

		assert_non_null(at);
		bits = bits << 6 | (uint32_t)(at - alphabet);
		have += 6;
		if (have >= 8) {
			have -= 8;
			to[n++] = (unsigned char)(bits >> have & 0xff);
		}
	}
	buf_deinit(&out);
	sasl_free(&s);
	return n;
}

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
carries_every_octet_but_nul(void **state)
{
	char password[255];
	unsigned char word[600];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(password); i++)
		password[i] = (char)(i + 1);
	assert_int_equal(
	    first_word("us\xff\xc2\xaa", span_make(password, 255), word),
	    1 + 5 + 1 + 255);
	assert_memory_equal(word, "\0us\xff\xc2\xaa\0", 7);
	assert_memory_equal(word + 7, password, 255);
}

static void
carries_very_long_passwords(void **state)
{
	char *password = mem_new(SECRET_MAX);
	unsigned char *word = mem_new(SECRET_MAX + 100);

	(void)state;
	memset(password, 0xe4, SECRET_MAX);
	assert_int_equal(first_word("u", span_make(password, SECRET_MAX), word),
	    SECRET_MAX + 3);
	assert_memory_equal(word + 3, password, SECRET_MAX);
	mem_wipe(password, SECRET_MAX);
	free(password);
	free(word);
}

static void
carries_an_empty_password(void **state)
{
	unsigned char word[8];

	(void)state;
	assert_int_equal(first_word("u", SPAN(""), word), 3);
	assert_memory_equal(word, "\0u\0", 3);
}

static void
refuses_a_password_with_nul(void **state)
{
	struct secret *secret = secret_new(SPAN("a\0b"));
	struct err e = { 0 };

	(void)state;
	assert_null(sasl_new("PLAIN", "u", secret, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	secret_free(&secret);
}

static void
refuses_an_unknown_mechanism(void **state)
{
	struct secret *secret = secret_new(SPAN("b"));
	struct err e = { 0 };

	(void)state;
	assert_null(sasl_new("NTLM", "u", secret, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_null(sasl_new("", "u", secret, &e));
	secret_free(&secret);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_plain_as_rfc_4616_has_it),
		cmocka_unit_test(adds_behind_what_is_there),
		cmocka_unit_test(carries_every_octet_but_nul),
		cmocka_unit_test(carries_very_long_passwords),
		cmocka_unit_test(carries_an_empty_password),
		cmocka_unit_test(refuses_a_password_with_nul),
		cmocka_unit_test(refuses_an_unknown_mechanism),
		cmocka_unit_test(takes_words_in_the_empty_challenge),
		cmocka_unit_test(says_its_word_only_once),
		cmocka_unit_test(says_so_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
