/* SPDX-License-Identifier: ISC */
#include "conf/netrc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define NO_ENTRY "no entry for machine h.example and login alice: add one"
#define NO_KEYWORD                                                             \
	"a word is none of machine, default, login, password, account, port "  \
	"and macdef: put a password with blanks in quotes"

/* want NULL: that error. */
static void
expect(struct span text, const char *want, const char *error)
{
	struct err e = { 0 };
	struct secret *s = netrc_find(text, "h.example", "alice", &e);

	if ((s == NULL) != (want == NULL))
		print_error("for: %.*s: %s\n", (int)text.n, text.p, e.text);
	if (want != NULL) {
		assert_non_null(s);
		assert_true(span_eq(secret_span(s), span_of(want)));
		secret_free(&s);
		return;
	}
	assert_null(s);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.text, error);
}

static const struct {
	const char *text, *want;
} found[] = {
	{ "machine h.example login alice password hush", "hush" },
	{ "machine h.example\n\tlogin alice\n\tpassword hush\n", "hush" },
	{ "machine h.example\r\nlogin alice\r\npassword hush\r\n", "hush" },
	{ "machine H.Example password hush login alice", "hush" },
	{ "machine h.example user alice passwd hush", "hush" },
	{ "machine h.example password hush", "hush" },
	{ "default login alice password hush", "hush" },
	{ "machine other password no\nmachine h.example password hush",
	    "hush" },
	{ "machine h.example login bob password no\n"
	  "machine h.example login alice password hush\n",
	    "hush" },
	{ "machine h.example login alice password first\n"
	  "machine h.example login alice password second\n",
	    "first" },
	{ "machine h.example login alice account x port 993 password hush",
	    "hush" },
	{ "machine h.example password \"two words\"", "two words" },
	{ "machine h.example password \"q\\\"\\\\\"", "q\"\\" },
	{ "machine h.example password a\\ b\\\\c", "a b\\c" },
	{ "machine h.example password #hush", "#hush" },
	{ "machine h.example password machine", "machine" },
	{ "machine h.example password it\"s", "it\"s" },
	{ "# comment\nmachine h.example # of mine\npassword hush", "hush" },
	{ "# machine h.example password no\nmachine h.example password hush",
	    "hush" },
	{ "macdef init\ncd /pub\nmachine h.example password no\n\n"
	  "machine h.example password hush",
	    "hush" },
	{ "machine x password y macdef m\r\nput $1\r\n\r\n"
	  "machine h.example password hush",
	    "hush" },
	{ "\xef\xbb\xbfmachine h.example password hush", "hush" },
	{ "machine h.example password \xc3\xa9\xff", "\xc3\xa9\xff" },
	{ "machine h.example password hush\nmachine x password two words\n",
	    "hush" }, /* what is broken behind it is not looked at */
};

static void
finds_the_password(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(found); i++)
		expect(span_of(found[i].text), found[i].want, NULL);
}

static const struct {
	const char *text, *error;
} refused[] = {
	{ "", NO_ENTRY },
	{ "\n\n", NO_ENTRY },
	{ "machine h.example.org password no", NO_ENTRY },
	{ "machine h.example login bob password no", NO_ENTRY },
	{ "machine h.example login Alice password no", NO_ENTRY },
	{ "default password no", NO_ENTRY },
	{ "default login bob password no", NO_ENTRY },
	{ "login alice password no", NO_ENTRY },
	{ "# machine h.example password no", NO_ENTRY },
	{ "macdef m\nmachine h.example password no", NO_ENTRY },
	{ "machine h.example login alice",
	    "the entry for machine h.example and login alice has no password: "
	    "add it" },
	{ "machine h.example password \"\"",
	    "the entry for machine h.example and login alice has no password: "
	    "add it" },
	{ "machine h.example login alice\nmachine h.example password x",
	    "the entry for machine h.example and login alice has no password: "
	    "add it" },
	{ "machine h.example password two words", "line 1: " NO_KEYWORD },
	{ "machine x\npassword two words\nmachine h.example password y",
	    "line 2: " NO_KEYWORD },
	{ "MACHINE h.example password no", "line 1: " NO_KEYWORD },
	{ "machine h.example password",
	    "line 1: it ends where a value is missing" },
	{ "machine", "line 1: it ends where a value is missing" },
	{ "machine h.example\npassword \"open\nlogin alice",
	    "line 2: a quote is opened and not closed on its line" },
	{ "machine h.example password a\\",
	    "line 1: a backslash ends it: write \"\\\\\" for one" },
	{ "machine h.example password a\\\n",
	    "line 1: a backslash ends it: write \"\\\\\" for one" },
	{ "machine h.example password \"a\rb\"",
	    "the password for machine h.example holds a line break: remove "
	    "it" },
};

static void
says_why_there_is_none(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(refused); i++)
		expect(span_of(refused[i].text), NULL, refused[i].error);
	expect(SPAN("machine h.example password a\0b"), NULL,
	    "line 1: there is a NUL: this is no netrc");
}

/* Whatever is cut off: never another's password, and no word in an error. */
static void
survives_being_cut_anywhere(void **state)
{
	static const char text[] =
	    "machine other login eve password evil\n"
	    "machine h.example login bob password \"bobs\\\"own\"\n"
	    "machine h.example login alice password \"hush \\\\ hush\"\n";

	struct err e;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(text); n++) {
		char *cut = strndup(text, n);
		struct secret *s =
		    netrc_find(span_of(cut), "h.example", "alice", &e);

		if (s != NULL) {
			assert_true(
			    span_eq(secret_span(s), SPAN("hush \\ hush")));
		} else {
			assert_null(strstr(e.text, "hush"));
			assert_null(strstr(e.text, "bobs"));
		}
		secret_free(&s);
		free(cut);
	}
}

static void
bounds_a_word(void **state)
{
	static const char head[] = "machine h.example password ";
	char *text = malloc(SECRET_MAX + 64);
	size_t n = sizeof(head) - 1;

	(void)state;
	memcpy(text, head, n);
	memset(text + n, 'x', SECRET_MAX + 1);
	expect(span_make(text, n + SECRET_MAX + 1), NULL,
	    "line 1: a word is too long");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_password),
		cmocka_unit_test(says_why_there_is_none),
		cmocka_unit_test(survives_being_cut_anywhere),
		cmocka_unit_test(bounds_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
