/* SPDX-License-Identifier: ISC */
#include "fetch/imap_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct imap_names names;

static int
set_up(void **state)
{
	(void)state;
	names = (struct imap_names){ 0 };
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	imap_names_deinit(&names);
	return 0;
}

static void
listed(const char *name, bool noselect)
{
	static const char *const patterns[] = { "INBOX", "Lists/*",
		"!*/noise" };
	const struct imap_info info = {
		.name = span_of(name), .noselect = noselect, .delimiter = '/'
	};

	imap_names_listed(&names, patterns, 3, &info);
}

static void
counted(
    const char *name, uint32_t uidvalidity, uint32_t uidnext, uint32_t exists)
{
	const struct imap_info info = { .name = span_of(name),
		.uidvalidity = uidvalidity,
		.uidnext = uidnext,
		.exists = exists };

	imap_names_counted(&names, &info);
}

/* As if it had been looked at. */
static struct imap_name *
clean(const char *name, uint32_t uidnext, uint32_t exists)
{
	struct imap_name *it;

	imap_names_add(&names, name, '/');
	it = imap_names_find(&names, name);
	it->dirty = false;
	it->uidvalidity = 7;
	it->uidnext = uidnext;
	it->exists = exists;
	return it;
}

static void
has_each_name_once_and_inbox_in_any_case(void **state)
{
	(void)state;
	imap_names_add(&names, "inbox", 0);
	imap_names_add(&names, "INBOX", 0);
	imap_names_add(&names, "a", 0);
	imap_names_add(&names, "A", 0);
	assert_int_equal(names.n, 3);
	assert_string_equal(names.v[0].text, "INBOX");
	assert_ptr_equal(imap_names_find(&names, "Inbox"), &names.v[0]);
	assert_null(imap_names_find(&names, "b"));
}

static void
takes_from_the_list_what_is_chosen_and_can_be_selected(void **state)
{
	(void)state;
	listed("Lists", true);
	listed("Lists/a", false);
	listed("Lists/b", true);
	listed("Lists/noise", false);
	listed("Sent", false);
	listed("Inbox", false);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.v[0].text, "Lists/a");
	assert_string_equal(names.v[1].text, "INBOX");
	assert_int_equal(names.v[0].delimiter, '/');
}

static void
adds_plain_names_that_were_not_listed(void **state)
{
	static const char *const patterns[] = { "x", "Lists/*", "!y" };

	(void)state;
	assert_true(imap_names_need_list(patterns, 2));
	assert_false(imap_names_need_list(patterns, 1));
	imap_names_plain(&names, patterns, 2);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.v[0].text, "x");
}

static void
looks_at_home_last(void **state)
{
	(void)state;
	imap_names_add(&names, "a", '/');
	imap_names_add(&names, "INBOX", '/');
	imap_names_add(&names, "b", '/');
	assert_ptr_equal(imap_names_home(&names), &names.v[1]);
	names.v[0].dirty = false;
	assert_ptr_equal(imap_names_dirty(&names, &names.v[1]), &names.v[2]);
	names.v[2].dirty = false;
	assert_ptr_equal(imap_names_dirty(&names, &names.v[1]), &names.v[1]);
	names.v[1].dirty = false;
	assert_null(imap_names_dirty(&names, NULL));
	imap_names_soil(&names);
	assert_ptr_equal(imap_names_dirty(&names, NULL), &names.v[0]);
}

static void
stays_where_it_can(void **state)
{
	(void)state;
	imap_names_add(&names, "INBOX", '/');
	imap_names_add(&names, "a", '/');
	names.v[0].failed = true;
	assert_ptr_equal(imap_names_home(&names), &names.v[1]);
	names.v[1].away = true;
	assert_null(imap_names_home(&names));
	assert_int_equal(imap_names_count(&names), 1);
}

static void
passes_over_what_another_session_sees_to(void **state)
{
	(void)state;
	imap_names_add(&names, "a", '/');
	imap_names_add(&names, "b", '/');
	names.v[0].away = true;
	assert_ptr_equal(imap_names_dirty(&names, NULL), &names.v[1]);
}

static void
a_higher_uidnext_is_news(void **state)
{
	struct imap_name *a = clean("a", 5, 4);

	(void)state;
	counted("a", 7, 5, 2); /* others removed two */
	assert_false(a->dirty);
	counted("a", 7, 6, 3);
	assert_true(a->dirty);
}

static void
without_uidnext_another_number_of_messages_is_news(void **state)
{
	struct imap_name *a = clean("a", 0, 4);

	(void)state;
	counted("a", 7, 0, 4);
	assert_false(a->dirty);
	counted("a", 0, 0, 5);
	assert_true(a->dirty);
}

static void
another_uidvalidity_is_news_and_is_kept(void **state)
{
	struct imap_name *a = clean("a", 5, 4);

	(void)state;
	counted("a", 8, 5, 4);
	assert_true(a->dirty);
	a->dirty = false;
	counted("a", 8, 5, 4);
	assert_false(a->dirty);
}

static void
a_mailbox_nobody_asked_for_is_none_of_ours(void **state)
{
	(void)state;
	(void)clean("a", 5, 4);
	counted("b", 7, 9, 9);
	assert_int_equal(names.n, 1);
	assert_null(imap_names_dirty(&names, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(has_each_name_once_and_inbox_in_any_case),
		TEST(takes_from_the_list_what_is_chosen_and_can_be_selected),
		TEST(adds_plain_names_that_were_not_listed),
		TEST(looks_at_home_last),
		TEST(stays_where_it_can),
		TEST(passes_over_what_another_session_sees_to),
		TEST(a_higher_uidnext_is_news),
		TEST(without_uidnext_another_number_of_messages_is_news),
		TEST(another_uidvalidity_is_news_and_is_kept),
		TEST(a_mailbox_nobody_asked_for_is_none_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
