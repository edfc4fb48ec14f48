/* SPDX-License-Identifier: ISC */
#include "deliver/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct row {
	const char *in;
	const char *out; /* NULL: none; "": the null address */
};

/* clang-format off */
static const struct row rows[] = {
	{ "<a@b>", "a@b" },
	{ "a@b", "a@b" },
	{ " a@b (A. B.)", "a@b" },
	{ "(c (n) \\) ) a@b", "a@b" },
	{ "root (Cron Daemon)", "root" },
	{ "a@b Name Surname", "a@b" },
	{ "Name Surname", "Name" },
	{ "Name <a@b>", "a@b" },
	{ "Name <a@b> behind <c@d>", "a@b" },
	{ "\"Doe, J <x@y>\" <a@b>", "a@b" },
	{ "\"q\\\"<x@y>\" <a@b>", "a@b" },
	{ "(<x@y>) <a@b>", "a@b" },
	{ "=?utf-8?Q?J=C3=BC?= <a@b>", "a@b" },
	{ "[list] Name <a@b>", "a@b" },
	{ "[open <a@b>", "a@b" },
	{ "a@ [open <c@d>", "c@d" },
	{ "a@b <c@d>", "c@d" },
	{ "< a@b >", "a@b" },
	{ "<a@b(c)>", "a@b" },
	/* the null address, and nothing */
	{ "<>", "" },
	{ "< >", "" },
	{ "MAILER <>", "" },
	{ "", NULL },
	{ " ", NULL },
	{ "(comment)", NULL },
	{ ",", NULL },
	/* lists and groups */
	{ "a@b, c@d", "a@b" },
	{ "a@b,c@d", "a@b" },
	{ "a@b, <c@d>", "a@b" },
	{ "<a@b>, <c@d>", "a@b" },
	{ ", a@b", "a@b" },
	{ "Doe, John <a@b>", "a@b" },
	{ "Doe, John", "Doe" },
	{ "Team: a@b, c@d;", "a@b" },
	{ "Team: A <a@b>, c@d;", "a@b" },
	{ "undisclosed-recipients:;", NULL },
	{ "undisclosed-recipients: ;, a@b", "a@b" },
	{ "a@b; c@d", "a@b" },
	/* routes and literals */
	{ "<@a,@b:user@c>", "user@c" },
	{ "<@a, @b: user@c>", "user@c" },
	{ "<@a>", NULL },
	{ "<@[IPv6:::1]:user@c>", "user@c" },
	{ "<u@[IPv6:2001:db8::1]>", "u@[IPv6:2001:db8::1]" },
	{ "u@[IPv6:2001:db8::1] x", "u@[IPv6:2001:db8::1]" },
	{ "<a:b@c>", "a:b@c" },
	/* quoted local parts */
	{ "<\"a.b\"@c>", "\"a.b\"@c" },
	{ "\"a,b\"@c, d@e", "\"a,b\"@c" },
	{ "<\"a b\"@c>", NULL },
	{ "<\"a>b\"@c>", NULL },
	{ "<a \"b\"@c>", NULL },
	/* broken */
	{ "<a@b", NULL },
	{ "Name <a@b", NULL },
	{ "\"a@b", NULL },
	{ "<\"a@b>", NULL },
	{ "u@[a", NULL },
	{ "a@b (open", "a@b" },
	{ "a@b \"open", "a@b" },
	{ "<a b@c>", NULL },
	{ "<<a@b>", NULL },
	{ ">a@b", NULL },
	{ "\\", "\\" },
	{ "\"\\", NULL },
	{ "(\\", NULL },
	/* hostile */
	{ "<a\x1b]0;b@c>", NULL },
	{ "<a\x7f@c>", NULL },
	{ "<a\nb@c>", NULL },
	{ "<a\rb@c>", NULL },
	{ "<\xc3\xbc@c>", "\xc3\xbc@c" },
	{ "<\xc3@c>", NULL },
	{ "<\xfc@c>", NULL },
	{ "<a\xc2\x9b@c>", NULL },         /* CSI of C1 */
	{ "<a\xe2\x80\xae@c>", NULL },     /* right-to-left override */
	{ "<-oProxy@c>", "-oProxy@c" },
};

/* clang-format on */

static void
finds_the_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address a;
		bool found = address_find(span_of(rows[i].in), &a);

		if (found != (rows[i].out != NULL) ||
		    (found && strcmp(a.v, rows[i].out) != 0))
			fail_msg("%s: got %s", rows[i].in, found ? a.v : "-");
		assert_int_equal(a.n, strlen(a.v));
	}
}

static void
refuses_a_nul(void **state)
{
	struct address a;

	(void)state;
	assert_false(address_find(SPAN("<a\0b@c>"), &a));
	assert_int_equal(a.n, 0);
}

static void
takes_254_octets_and_no_more(void **state)
{
	char in[ADDRESS_MAX + 4];
	struct address a;

	(void)state;
	memset(in, 'x', sizeof(in));
	in[0] = '<';
	in[ADDRESS_MAX + 1] = '>';
	assert_true(address_find(span_make(in, ADDRESS_MAX + 2), &a));
	assert_int_equal(a.n, ADDRESS_MAX);
	assert_true(address_find(span_make(in + 1, ADDRESS_MAX), &a));
	in[ADDRESS_MAX + 1] = 'x';
	in[ADDRESS_MAX + 2] = '>';
	assert_false(address_find(span_make(in, ADDRESS_MAX + 3), &a));
	assert_false(address_find(span_make(in + 1, ADDRESS_MAX + 1), &a));
	/* a name may be long */
	in[0] = 'x';
	memcpy(in + ADDRESS_MAX - 3, "x <a@b>", 7);
	assert_true(address_find(span_make(in, sizeof(in)), &a));
	assert_string_equal(a.v, "a@b");
}

static void
reads_hostile_values_once(void **state)
{
	static const char octets[] = "(\"<[,:@\\ >";
	size_t n = 4 << 20;
	char *in = malloc(n);
	struct address a;
	clock_t before = clock();

	(void)state;
	assert_non_null(in);
	for (size_t i = 0; i < sizeof(octets) - 1; i++) {
		memset(in, octets[i], n);
		address_find(span_make(in, n), &a);
		in[0] = 'a';
		in[1] = '@';
		address_find(span_make(in, n), &a);
	}
	free(in);
	/* were it quadratic, it would take hours */
	assert_true((clock() - before) / CLOCKS_PER_SEC < 30);
}

static void
knows_a_tame_address(void **state)
{
	(void)state;
	assert_true(address_tame(SPAN("a@b")));
	assert_false(address_tame(SPAN("")));
	assert_false(address_tame(SPAN("<a@b>")));
	assert_false(address_tame(SPAN("a@b\n")));
	assert_false(address_tame(SPAN("a@b c")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_address),
		cmocka_unit_test(refuses_a_nul),
		cmocka_unit_test(takes_254_octets_and_no_more),
		cmocka_unit_test(reads_hostile_values_once),
		cmocka_unit_test(knows_a_tame_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
