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
	maildir_final(final, "1.x.host", 18446744073709551615ull, 0);
	assert_string_equal(final, "1.x.host,S=18446744073709551615");
	assert_true(maildir_unfinal(name, final));
	assert_string_equal(name, "1.x.host");
	assert_false(maildir_unfinal(name, "1.x.host"));
	assert_false(maildir_unfinal(name, "1.x.host,W=1"));
	assert_false(maildir_unfinal(name, ",S=1"));
	assert_false(maildir_unfinal(name, "../1.x.host,S=1"));
}

static void
puts_flags_behind_the_size_in_the_order_of_ascii(void **state)
{
	char final[MAILDIR_NAME_MAX], name[MAILDIR_NAME_MAX];

	(void)state;
	maildir_final(final, "1.x.host", 7, MAILDIR_FLAGS);
	assert_string_equal(final, "1.x.host,S=7:2,DFRS");
	assert_true(maildir_final_is_cur(final));
	for (unsigned int flags = 0; flags <= MAILDIR_FLAGS; flags++) {
		maildir_final(final, "1.x.host", 7, flags);
		assert_int_equal(maildir_final_is_cur(final), flags != 0);
		assert_int_equal(
		    strchr(final, 'S') != strrchr(final, 'S'), flags >= 8);
		assert_true(maildir_unfinal(name, final));
		assert_string_equal(name, "1.x.host");
	}
	maildir_final(final, "1.x", 7, MAILDIR_FLAGGED | MAILDIR_SEEN);
	assert_string_equal(final, "1.x,S=7:2,FS");
	maildir_final(final, "1.x", 7, MAILDIR_DRAFT | MAILDIR_REPLIED | 16);
	assert_string_equal(final, "1.x,S=7:2,DR");
}

static void
takes_no_other_flags_off(void **state)
{
	static const char *const bad[] = { "1.x,S=7:2,", "1.x,S=7:2,SF",
		"1.x,S=7:2,SS", "1.x,S=7:2,T", "1.x,S=7:2,S:2,S", "1.x:2,S",
		"1.x,S=7:2,S/", ",S=7:2,S", "1.x:2,S=7" };
	char name[MAILDIR_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(maildir_unfinal(name, bad[i]));
}

static void
has_room_for_the_longest_published_name(void **state)
{
	char name[MAILDIR_NAME_MAX], final[MAILDIR_NAME_MAX];
	char again[MAILDIR_NAME_MAX];

	(void)state;
	memset(names.host, 'h', sizeof(names.host) - 1);
	names.count = UINT32_MAX - 1;
	maildir_names_next(&names, name);
	maildir_final(final, name, UINT64_MAX, MAILDIR_FLAGS);
	assert_true(maildir_unfinal(again, final));
	assert_string_equal(again, name);
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
		TEST(puts_flags_behind_the_size_in_the_order_of_ascii),
		TEST(takes_no_other_flags_off),
		TEST(has_room_for_the_longest_published_name),
		TEST(knows_what_an_earlier_process_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
