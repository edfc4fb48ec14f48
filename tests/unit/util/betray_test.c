/* SPDX-License-Identifier: ISC */
#include "util/betray.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool
shown(const char *secret, const char *text)
{
	struct secret *s = secret_new(span_of(secret));
	bool yes = betrays(span_of(text), "bob", s);

	secret_free(&s);
	return yes;
}

static void
sees_the_secret_in_a_text(void **state)
{
	(void)state;
	assert_true(shown("s3cr3tpw", "unrecognised command: PASS s3cr3tpw"));
	assert_true(shown("s3cr3tpw", "s3cr3tpw"));
	assert_true(shown("s3cr3tpw", "UNRECOGNISED: PASS S3CR3TPW"));
	assert_true(shown("a\"b\\c", "what? LOGIN bob \"a\\\"b\\\\c\""));
}

static void
sees_a_large_part_of_it(void **state)
{
	(void)state;
	assert_true(shown("s3cr3tpw", "what is \"PASS s3cr...\"?"));
	assert_true(shown("s3cr3tpw", "...r3tpw is no command"));
	assert_true(shown("a long pass phrase of many words, of which some",
	    "what is PASS a long pass phra...?"));
	assert_false(shown("s3cr3tpw", "what is \"PASS s3c...\"?"));
}

static void
sees_it_in_base64(void **state)
{
	(void)state;
	/* of NUL bob NUL s3cr3tpw, and of s3cr3tpw */
	assert_true(
	    shown("s3cr3tpw", "unknown: AUTH PLAIN AGJvYgBzM2NyM3Rwdw=="));
	assert_true(shown("s3cr3tpw", "unknown: AGJvYgBzM2NyM3..."));
	assert_true(shown("s3cr3tpw", "unknown: czNjcjN0cHc="));
	assert_true(shown("s3cr3t", "unknown: czNjcjN0"));
	assert_true(shown("s3cr3tp", "unknown: czNjcjN0cA=="));
}

/* As in XOAUTH2: base64 of "user=...auth=Bearer s3cr3tpw...", at each of the
 * three places within three octets. */
static void
sees_it_in_base64_of_more(void **state)
{
	(void)state;
	assert_true(shown("s3cr3tpw", "eHh4czNjcjN0cHcBAQ=="));
	assert_true(shown("s3cr3tpw", "eHh4eHMzY3IzdHB3AQE="));
	assert_true(shown("s3cr3tpw", "eHh4eHhzM2NyM3RwdwEB"));
	assert_true(shown("s3cr3tpw", "eHh4eHhzM2NyM..."));
	assert_false(shown("s3cr3tpw", "eHh4eHhwYXNzd29yZAEB"));
}

static void
sees_it_in_a_url_and_in_hex(void **state)
{
	(void)state;
	assert_true(shown("s\"3/c:r%", "what is p=s%223%2Fc%3Ar%25&x?"));
	assert_true(shown("s\"3/c:r%", "what is p=s%223%2fc%3ar%25&x?"));
	assert_true(shown("\xc3\xa4\xc3\xb6x", "what is %C3%A4%C3%B6x?"));
	assert_true(shown("s3cr3tpw", "what is 7333637233747077?"));
	assert_true(shown("s3cr3t\xff\xfe", "what is 733363723374FFFE?"));
	assert_false(shown("s3cr3tpw", "what is p=%2F and 0123456789?"));
}

static void
lets_other_texts_pass(void **state)
{
	(void)state;
	assert_false(shown("s3cr3tpw", ""));
	assert_false(shown("s3cr3tpw", "[AUTH] wrong user or password"));
	assert_false(shown("s3cr3tpw", "unrecognised command: PASS"));
	assert_false(shown("", "anything"));
	assert_false(betrays(SPAN("anything"), "bob", NULL));
}

static void
takes_a_tiny_secret_for_a_word(void **state)
{
	(void)state;
	assert_false(shown("p", "wrong password"));
	assert_true(shown("p", "what is PASS p"));
	assert_true(shown("p", "what is \"PASS p\"?"));
	assert_false(shown("abc", "abcd xabc"));
	assert_true(shown("abc", "abcd abc"));
}

static void
bears_the_longest_secret(void **state)
{
	static char octets[SECRET_MAX];
	struct secret *s;

	(void)state;
	memset(octets, '"', sizeof(octets));
	s = secret_new(span_make(octets, sizeof(octets)));
	assert_true(betrays(span_make(octets, 100), "bob", s));
	assert_true(betrays(SPAN("IiIiIiIiIiIiIiIi"), "bob", s));
	assert_false(betrays(SPAN("no"), "bob", s));
	secret_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_the_secret_in_a_text),
		cmocka_unit_test(sees_a_large_part_of_it),
		cmocka_unit_test(sees_it_in_base64),
		cmocka_unit_test(sees_it_in_base64_of_more),
		cmocka_unit_test(sees_it_in_a_url_and_in_hex),
		cmocka_unit_test(lets_other_texts_pass),
		cmocka_unit_test(takes_a_tiny_secret_for_a_word),
		cmocka_unit_test(bears_the_longest_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
