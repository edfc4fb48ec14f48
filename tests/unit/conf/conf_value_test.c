/* SPDX-License-Identifier: ISC */
#include "conf/conf_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

typedef const char *(*check_fn)(const char *);

static void
all(check_fn check, const char *const *values, bool good)
{
	for (; *values != NULL; values++) {
		if ((check(*values) == NULL) != good)
			fail_msg("\"%s\": %s", *values, check(*values));
	}
}

/* A text of n times c. */
static const char *
long_text(char *dst, size_t n, char c)
{
	memset(dst, c, n);
	dst[n] = '\0';
	return dst;
}

static void
knows_host_names_and_addresses(void **state)
{
	static const char *const good[] = { "h", "imap.example.org", "a-b.c",
		"_imap._tcp", "192.0.2.1", "example.org.", "::1", "2001:db8::1",
		"::ffff:192.0.2.1", NULL };
	static const char *const bad[] = { "", "-h", ".h", "a..b", "a b",
		"a:993", "[::1]", "imaps://h", "h/", "a\nb", "a\r", "::1\n",
		"h\xc3\xa9", "::x", "a@b", "'h'", ":", "1::2::3",
		"fe80::1%eth0", "fe80::1%", "2001:db8::1%2", NULL };
	char text[300];

	(void)state;
	all(conf_check_host, good, true);
	all(conf_check_host, bad, false);
	assert_non_null(strstr(conf_check_host("fe80::1%eth0"), "scope"));
	assert_null(conf_check_host(long_text(text, 253, 'a')));
	assert_non_null(conf_check_host(long_text(text, 254, 'a')));
	assert_non_null(conf_check_host(long_text(text, 200, ':')));
}

static void
knows_what_may_go_on_the_wire(void **state)
{
	static const char *const good[] = { "a", "a b", "\"\\", "\t",
		"\xc3\xa9", NULL };
	static const char *const bad[] = { "", "a\n", "\r", "\xff", "\xc3",
		NULL };
	char text[1100];

	(void)state;
	all(conf_check_wire, good, true);
	all(conf_check_wire, bad, false);
	assert_null(conf_check_wire(long_text(text, 1024, 'a')));
	assert_non_null(conf_check_wire(long_text(text, 1025, 'a')));
}

static void
knows_passwords(void **state)
{
	static const char *const good[] = { "a", " ", "\xff\xfe", "\t", NULL };
	static const char *const bad[] = { "", "a\n", "\r", NULL };
	static char text[5000];

	(void)state;
	all(conf_check_password, good, true);
	all(conf_check_password, bad, false);
	assert_null(conf_check_password(long_text(text, 4096, 'a')));
	assert_non_null(conf_check_password(long_text(text, 4097, 'a')));
}

static void
knows_names_of_accounts(void **state)
{
	static const char *const good[] = { "a", "work-2", "a@b.c", "\xc3\xa9",
		"(x)", NULL };
	static const char *const bad[] = { "", "a b", "a/b", "-v", "a\nb",
		"\x1b", "\xff", "\xe2\x80\xae", NULL };
	char text[80];

	(void)state;
	all(conf_check_account_name, good, true);
	all(conf_check_account_name, bad, false);
	assert_null(conf_check_account_name(long_text(text, 64, 'a')));
	assert_non_null(conf_check_account_name(long_text(text, 65, 'a')));
}

static void
knows_names_of_credentials(void **state)
{
	static const char *const good[] = { "a", "mail.work", NULL };
	static const char *const bad[] = { "", "a/b", "..", ".", NULL };

	(void)state;
	all(conf_check_credential, good, true);
	all(conf_check_credential, bad, false);
}

static void
knows_addresses(void **state)
{
	static const char *const good[] = { "bob", "bob@example.org", "a+b=c@x",
		"\xc3\xa9@x", "x@[192.0.2.1]", "-d@x", NULL };
	static const char *const bad[] = { "", "a b", "<a@b>", "a>", "a\tb",
		"a\n", "\xff", "\x7f", "\xe2\x80\xae", "\xc2\x85", NULL };
	char text[300];

	(void)state;
	all(conf_check_address, good, true);
	all(conf_check_address, bad, false);
	assert_null(conf_check_address(long_text(text, 254, 'a')));
	assert_non_null(conf_check_address(long_text(text, 255, 'a')));
}

static void
knows_names_of_header_fields(void **state)
{
	static const char *const good[] = { "To", "X-!~", "Delivered-To",
		NULL };
	static const char *const bad[] = { "", "To:", "a b", "a\t", "\x7f",
		"\xc3\xa9", NULL };
	char text[100];

	(void)state;
	all(conf_check_field_name, good, true);
	all(conf_check_field_name, bad, false);
	assert_null(conf_check_field_name(long_text(text, 76, 'a')));
	assert_non_null(conf_check_field_name(long_text(text, 77, 'a')));
}

static void
knows_what_to_say_hello_with(void **state)
{
	static const char *const good[] = { "h", "a.example.org", "192.0.2.1",
		"[192.0.2.1]", "[IPv6:2001:db8::1]", NULL };
	static const char *const bad[] = { "", "::1", "[", "[]", "[::1]", "[h]",
		"[192.0.2.1", "[192.0.2.1]x", "[IPv6:]", "[IPv6:1.2.3.4]",
		"a b", "a\n", "-a", NULL };
	char text[300];

	(void)state;
	all(conf_check_helo, good, true);
	all(conf_check_helo, bad, false);
	assert_non_null(conf_check_helo(long_text(text, 254, 'a')));
	text[0] = '[';
	text[252] = ']';
	text[253] = '\0';
	assert_non_null(conf_check_helo(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_host_names_and_addresses),
		cmocka_unit_test(knows_what_may_go_on_the_wire),
		cmocka_unit_test(knows_passwords),
		cmocka_unit_test(knows_names_of_accounts),
		cmocka_unit_test(knows_names_of_credentials),
		cmocka_unit_test(knows_addresses),
		cmocka_unit_test(knows_names_of_header_fields),
		cmocka_unit_test(knows_what_to_say_hello_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
