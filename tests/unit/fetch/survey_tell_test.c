/* SPDX-License-Identifier: ISC */
#include "fetch/survey_tell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char first[FACT_TEXT_MAX], second[FACT_TEXT_MAX];
static unsigned int n_told;

static void
on_fact(void *arg, const struct fact *f)
{
	(void)arg;
	n_told++;
	for (size_t i = 0; i < FACT_TEXTS; i++)
		assert_true(strlen(f->text[i]) < FACT_TEXT_MAX);
	snprintf(first, sizeof(first), "%s", f->text[0]);
	snprintf(second, sizeof(second), "%s", f->text[1]);
}

static struct fetch_params fetch;
static const struct survey_params params = { .fetch = &fetch, .fact = on_fact };

static void
makes_texts_printable(void **state)
{
	(void)state;
	survey_tell(&params, FACT_SERVER, SPAN("a\x1b[2J\0b\r\n"),
	    SPAN("\xe2\x80\xae gr\xc3\xbc\xc3\x9f"));
	assert_string_equal(first, "a\\x1B[2J\\x00b\\x0D\\x0A");
	assert_string_equal(second, "\\xE2\\x80\\xAE gr\xc3\xbc\xc3\x9f");
}

static void
cuts_what_is_long(void **state)
{
	static char octets[3 * FACT_TEXT_MAX];

	(void)state;
	memset(octets, '\x01', sizeof(octets));
	survey_tell(
	    &params, FACT_SERVER, span_make(octets, sizeof(octets)), SPAN(""));
	assert_string_equal(first + strlen(first) - 3, "...");
}

static void
shows_no_secret(void **state)
{
	struct secret *secret = secret_new(SPAN("pa55word"));

	(void)state;
	for (int pop3 = 0; pop3 < 2; pop3++) {
		fetch = (struct fetch_params){ .is_pop3 = pop3 != 0 };
		fetch.imap.secret = pop3 == 0 ? secret : NULL;
		fetch.pop3.secret = pop3 != 0 ? secret : NULL;
		survey_tell(&params, FACT_SERVER, SPAN("x pa55word y"),
		    SPAN("x pa55wor y"));
		assert_string_equal(
		    first, "(the server repeats the password here)");
		assert_string_equal(second, "x pa55wor y");
	}
	fetch = (struct fetch_params){ 0 };
	secret_free(&secret);
}

static void
tells_nothing_without_a_text(void **state)
{
	(void)state;
	n_told = 0;
	survey_tell(&params, FACT_SERVER, SPAN(""), SPAN("x"));
	assert_int_equal(n_told, 0);
}

static void
tells_each_quirk(void **state)
{
	const struct quirks_signs signs = { .host = "imap.gmail.com",
		.greeting = SPAN("Dovecot") };

	(void)state;
	n_told = 0;
	survey_tell_quirks(&params, &signs);
	assert_int_equal(n_told, 2);
	assert_string_equal(first, "Dovecot");
	assert_non_null(strstr(second, "NOTIFY"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_texts_printable),
		cmocka_unit_test(cuts_what_is_long),
		cmocka_unit_test(shows_no_secret),
		cmocka_unit_test(tells_nothing_without_a_text),
		cmocka_unit_test(tells_each_quirk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
