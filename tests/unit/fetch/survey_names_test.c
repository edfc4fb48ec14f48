/* SPDX-License-Identifier: ISC */
#include "fetch/survey_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/buf.h"

static struct survey_names names;
static struct buf told;
static const char *const patterns[] = { "INBOX", "L*", "!L9", "Gone" };

#define N 4

static int
set_up(void **state)
{
	(void)state;
	names = (struct survey_names){ 0 };
	buf_init(&told, 1 << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	survey_names_deinit(&names);
	buf_deinit(&told);
	return 0;
}

static void
list(const char *name, bool noselect)
{
	const struct imap_info info = {
		.name = span_of(name), .noselect = noselect, .delimiter = '/'
	};

	survey_names_listed(&names, patterns, N, &info);
}

static void
count(struct span name, uint32_t messages)
{
	const struct imap_info info = { .name = name,
		.exists = messages,
		.uidnext = messages + 1,
		.uidvalidity = 7 };

	survey_names_counted(&names, &info);
}

static void
on_fact(void *arg, const struct fact *f)
{
	(void)arg;
	buf_printf(&told, "%d %s|%s %u %u %u %u\n", f->kind == FACT_REST,
	    f->text[0], f->text[1], (unsigned int)f->number[0],
	    (unsigned int)f->number[1], (unsigned int)f->number[2],
	    (unsigned int)f->number[3]);
}

static void
expect(const char *want)
{
	static const struct fetch_params fetch;
	const struct survey_params params = { .fetch = &fetch,
		.fact = on_fact };

	buf_clear(&told);
	survey_names_tell(&names, &params);
	buf_addc(&told, '\0');
	assert_string_equal(buf_span(&told).p, want);
}

/* All that are to be asked about, with a blank behind each. */
static void
expect_asked(bool missing, const char *want)
{
	struct survey_name *it;
	uint32_t ticket = 1;
	char all[200] = "";

	while ((it = survey_names_next(&names, missing)) != NULL) {
		size_t n = strlen(all);

		it->ticket = ticket++;
		snprintf(all + n, sizeof(all) - n, "%s ", it->text);
	}
	assert_string_equal(all, want);
}

static void
marks_what_is_chosen(void **state)
{
	(void)state;
	list("inbox", false);
	list("L", true);
	list("L1", false);
	list("L9", false);
	list("Sent\x1b", false);
	count(SPAN("L1"), 3);
	count(SPAN("INBOX"), 0);
	count(SPAN("Other"), 5);
	count(SPAN("L1\0x"), 5);
	assert_int_equal(survey_names_chosen(&names), 2);
	expect("0 INBOX| 5 0 1 7\n0 L| 2 0 0 0\n0 L1| 5 3 4 7\n0 L9| 0 0 0 0\n"
	       "0 Sent\\x1B| 0 0 0 0\n");
}

static void
asks_first_about_what_is_chosen(void **state)
{
	struct err e;

	(void)state;
	list("a", false);
	list("L1", false);
	list("b", false);
	list("L2", false);
	list("c", true);
	count(SPAN("b"), 1);
	survey_names_missing(&names, patterns, N);
	expect_asked(false, "L1 L2 INBOX Gone a ");
	err_set(&e, ERR_MAILBOX, 0, "no such");
	assert_string_equal(survey_names_refused(&names, 4, &e)->text, "Gone");
	assert_non_null(survey_names_refused(&names, 4, &e));
	assert_null(survey_names_refused(&names, 6, &e));
	expect("0 a| 0 0 0 0\n0 L1| 1 0 0 0\n0 b| 4 1 2 7\n0 L2| 1 0 0 0\n"
	       "0 c| 2 0 0 0\n0 INBOX| 9 0 0 0\n0 Gone|no such 9 0 0 0\n");
}

static void
asks_about_what_list_did_not_tell_of(void **state)
{
	(void)state;
	list("L1", false);
	list("INBOX", false);
	survey_names_missing(&names, patterns, N);
	expect_asked(true, "Gone ");
	count(SPAN("Gone"), 2);
	expect("0 L1| 1 0 0 0\n0 INBOX| 1 0 0 0\n0 Gone| 5 2 3 7\n");
}

static void
counts_what_it_does_not_keep(void **state)
{
	char name[20];

	(void)state;
	for (unsigned int i = 0; i < SURVEY_MAILBOXES_MAX + 100; i++) {
		snprintf(name, sizeof(name), "%s%u", i % 2 == 0 ? "L" : "x",
		    100000 + i);
		list(name, false);
	}
	survey_names_missing(&names, patterns, N); /* they may be among them */
	assert_int_equal(names.n, SURVEY_MAILBOXES_MAX);
	assert_int_equal(names.rest, 100);
	assert_int_equal(names.rest_chosen, 50);
	assert_int_equal(
	    survey_names_chosen(&names), SURVEY_MAILBOXES_MAX / 2 + 50);
	/* counts in another order find their mailboxes, too */
	count(SPAN("L100998"), 3);
	count(SPAN("L100000"), 4);
	assert_int_equal(names.v[998].messages, 3);
	assert_int_equal(names.v[0].messages, 4);
}

static void
nothing_at_all(void **state)
{
	(void)state;
	list("", false);
	count(SPAN("x"), 1);
	expect("");
	assert_null(survey_names_next(&names, false));
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(marks_what_is_chosen),
		TEST(asks_first_about_what_is_chosen),
		TEST(asks_about_what_list_did_not_tell_of),
		TEST(counts_what_it_does_not_keep),
		TEST(nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
