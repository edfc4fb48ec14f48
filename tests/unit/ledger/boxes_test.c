/* SPDX-License-Identifier: ISC */
#include "ledger/boxes.h"

#include "unit/ledger/table.h"

static void
finds_what_was_added(void **state)
{
	struct box box = { .id = 5 };
	int64_t inbox = 0, pop3 = 0;
	bool is_pop3;

	(void)state;
	assert_int_equal(boxes_find(t.d, "a", "INBOX", &box, &t.e), 0);
	assert_int_equal(box.id, 0);
	assert_int_equal(
	    boxes_add(t.d, "a", "INBOX", UINT32_MAX, &inbox, &t.e), 0);
	assert_int_equal(boxes_add(t.d, "a", "", 0, &pop3, &t.e), 0);
	assert_int_not_equal(inbox, pop3);
	assert_int_equal(boxes_find(t.d, "a", "INBOX", &box, &t.e), 0);
	assert_int_equal(box.id, inbox);
	assert_int_equal(box.uidvalidity, UINT32_MAX);
	assert_int_equal(boxes_find(t.d, "b", "INBOX", &box, &t.e), 0);
	assert_int_equal(box.id, 0);
	assert_int_equal(boxes_is_pop3(t.d, inbox, &is_pop3, &t.e), 0);
	assert_false(is_pop3);
	assert_int_equal(boxes_is_pop3(t.d, pop3, &is_pop3, &t.e), 0);
	assert_true(is_pop3);
	assert_int_equal(boxes_is_pop3(t.d, 99, &is_pop3, &t.e), -1);
	assert_non_null(strstr(t.e.text, "no box 99"));
}

static void
remembers_what_was_listed(void **state)
{
	int64_t id[2];
	bool listed = true;

	(void)state;
	assert_int_equal(boxes_add(t.d, "a", "", 0, &id[0], &t.e), 0);
	assert_int_equal(boxes_add(t.d, "b", "", 0, &id[1], &t.e), 0);
	assert_int_equal(boxes_set_listed(t.d, id[0], &t.e), 0);
	assert_int_equal(boxes_set_listed(t.d, id[0], &t.e), 0);
	assert_int_equal(boxes_listed(t.d, id[1], &listed, &t.e), 0);
	assert_false(listed);
	assert_int_equal(boxes_listed(t.d, id[0], &listed, &t.e), 0);
	assert_true(listed);
}

static void
names_a_box(void **state)
{
	struct buf b;
	int64_t id;

	(void)state;
	buf_init(&b, 20);
	assert_int_equal(
	    boxes_add(t.d, "a", "INBOX", UINT32_MAX, &id, &t.e), 0);
	assert_int_equal(boxes_name(t.d, id, &b, &t.e), 0);
	assert_true(span_eq(buf_span(&b), SPAN("a\0INBOX\0004294967295\0")));
	assert_int_equal(boxes_name(t.d, id, &b, &t.e), -1);
	assert_non_null(strstr(t.e.text, "too long"));
	assert_int_equal(boxes_name(t.d, 99, &b, &t.e), -1);
	assert_non_null(strstr(t.e.text, "no box 99"));
	buf_deinit(&b);
}

static void
refuses_damaged_boxes(void **state)
{
	struct box box;

	(void)state;
	sql("INSERT INTO box (id, account, mailbox, uidvalidity) "
	    "VALUES (0, 'a', 'x', 1), (7, 'a', 'y', 4294967296)");
	assert_int_equal(boxes_find(t.d, "a", "x", &box, &t.e), -1);
	assert_int_equal(boxes_find(t.d, "a", "y", &box, &t.e), -1);
	assert_non_null(strstr(t.e.text, "damaged"));
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_what_was_added),
		TEST(remembers_what_was_listed),
		TEST(names_a_box),
		TEST(refuses_damaged_boxes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
