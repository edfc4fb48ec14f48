/* SPDX-License-Identifier: ISC */
#include "deliver/maildir_names.h"

#include "office.h"

#define TOKEN "0123456789abcdef"

static struct maildir_names names;

static int
setup(void **state)
{
	(void)state;
	maildir_names_init(&names, TOKEN);
	return 0;
}

static void
makes_names_that_are_unique_and_ours(void **state)
{
	char a[MAILDIR_NAME_MAX], b[MAILDIR_NAME_MAX], host[256];

	(void)state;
	maildir_names_next(&names, a);
	maildir_names_next(&names, b);
	assert_string_not_equal(a, b);
	assert_null(strpbrk(a, "/:,"));
	assert_non_null(strstr(a, "R" TOKEN));
	assert_non_null(strstr(a, "Q1R"));
	assert_non_null(strstr(b, "Q2R"));
	assert_int_equal(strspn(a, "0123456789"), 10);
	assert_memory_equal(a + 10, ".M", 2);
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	if (strlen(host) < 60 && strpbrk(host, "/:") == NULL)
		assert_string_equal(strstr(a, TOKEN) + 25, host);
}

static void
puts_the_size_into_the_name_and_takes_it_off(void **state)
{
	char final[MAILDIR_NAME_MAX], name[MAILDIR_NAME_MAX];

	(void)state;
	maildir_final(final, "1.x.host", 18446744073709551615ull);
	assert_string_equal(final, "1.x.host,S=18446744073709551615");
	assert_true(maildir_unfinal(name, final));
	assert_string_equal(name, "1.x.host");
	assert_false(maildir_unfinal(name, "1.x.host"));
	assert_false(maildir_unfinal(name, "1.x.host,W=1"));
	assert_false(maildir_unfinal(name, ",S=1"));
	assert_false(maildir_unfinal(name, "../1.x.host,S=1"));
}

static void
knows_what_an_earlier_process_left(void **state)
{
	static const char *const foreign[] = { "1.M2P3Q1R1111.host", "R" TOKEN,
		TOKEN "01234567.host", "x" TOKEN "01234567.host", "1.foreign",
		"1.R" TOKEN, "1.R" TOKEN ".host" };
	struct maildir_names later;
	char a[MAILDIR_NAME_MAX];
	size_t i;

	(void)state;
	maildir_names_next(&names, a);
	assert_false(maildir_names_left(&names, a));
	maildir_names_init(&later, TOKEN);
	assert_true(maildir_names_left(&later, a));
	maildir_names_init(&later, "fedcba9876543210");
	assert_false(maildir_names_left(&later, a));
	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_false(maildir_names_left(&names, foreign[i]));
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_names_that_are_unique_and_ours),
		TEST(puts_the_size_into_the_name_and_takes_it_off),
		TEST(knows_what_an_earlier_process_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
