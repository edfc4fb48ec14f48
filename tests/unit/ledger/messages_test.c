/* SPDX-License-Identifier: ISC */
#include "ledger/messages.h"

#include "ledger/ranges.h"
#include "unit/ledger/table.h"

static struct ledger_entry
entry(uint32_t n, bool by_content)
{
	struct ledger_entry m = { .box = 1,
		.number = n,
		.by_content = by_content,
		.owes = true,
		.dir = "/m",
		.file = "f" };

	memset(m.fingerprint, (int)n, sizeof(m.fingerprint));
	return m;
}

static int
add(bool pop3, struct ledger_entry *m, size_t n, int64_t *row)
{
	struct messages_work w = { .pop3 = pop3, .now = 1000, .row = row };

	return messages_add(t.d, &w, m, n, &t.e);
}

static void
assert_owed(const char *text)
{
	struct set s;

	set_init(&s);
	assert_int_equal(ranges_read(t.d, 1, RANGES_OWED, &s, &t.e), 0);
	assert_set(&s, text);
	set_deinit(&s);
}

static void
numbers_journal_rows_in_order(void **state)
{
	struct ledger_entry m[3] = { entry(3, false), entry(3, false),
		entry(4, true) };
	int64_t row = 10;

	(void)state;
	assert_int_equal(add(false, m, 3, &row), 0);
	assert_int_equal(row, 12);
	assert_int_equal(m[0].row, 10);
	assert_int_equal(m[1].row, 0);
	assert_true(m[1].known);
	assert_int_equal(m[2].row, 11);
	assert_int_equal(messages_last_row(t.d, &row, &t.e), 0);
	assert_int_equal(row, 11);
}

static void
settles_no_longer_what_came(void **state)
{
	struct ledger_entry m = entry(3, false);
	struct set s = set_of("1:5");
	int64_t row = 1;

	(void)state;
	m.owes = false;
	assert_int_equal(ranges_add(t.d, 1, RANGES_SETTLED, &s, &t.e), 0);
	assert_int_equal(add(false, &m, 1, &row), 0);
	assert_false(m.known);
	assert_int_equal(ranges_read(t.d, 1, RANGES_SETTLED, &s, &t.e), 0);
	assert_set(&s, "1:2,4:5");
	set_deinit(&s);
}

static void
shows_journal_rows_one_by_one(void **state)
{
	struct ledger_entry m[2] = { entry(3, false), entry(4, true) };
	struct ledger_entry found;
	char *dir, *file;
	int64_t row = 1;

	(void)state;
	assert_int_equal(add(false, m, 2, &row), 0);
	assert_int_equal(messages_next(t.d, 1, &found, &dir, &file, &t.e), 1);
	assert_int_equal(found.row, 2);
	assert_int_equal(found.number, 4);
	assert_true(found.by_content);
	assert_string_equal(found.dir, "/m");
	assert_string_equal(found.file, "f");
	free(dir);
	free(file);
	assert_int_equal(messages_next(t.d, 2, &found, &dir, &file, &t.e), 0);
}

static void
undoes_by_the_journal(void **state)
{
	struct ledger_entry m[2] = { entry(3, false), entry(4, true) };
	int64_t row = 1;

	(void)state;
	assert_int_equal(add(false, m, 2, &row), 0);
	assert_owed("3");
	assert_int_equal(messages_undo(t.d, 1, &t.e), 0);
	assert_int_equal(messages_undo(t.d, 2, &t.e), 0);
	assert_owed("");
	assert_int_equal(number("SELECT (SELECT count(*) FROM journal) + "
				"(SELECT count(*) FROM content) + "
				"(SELECT count(*) FROM fingerprints) + "
				"(SELECT count(*) FROM temp.named) + "
				"(SELECT count(*) FROM ranges)"),
	    0);
	assert_int_equal(messages_undo(t.d, 2, &t.e), -1);
	assert_non_null(strstr(t.e.text, "no journal row 2"));
}

static void
journals_no_message_without_a_file(void **state)
{
	struct ledger_entry m[2] = { entry(3, false), entry(4, true) };
	int64_t row = 1;

	(void)state;
	m[0].dir = m[1].dir = NULL;
	assert_int_equal(add(false, m, 2, &row), 0);
	assert_int_equal(row, 1);
	assert_int_equal(m[0].row, 0);
	assert_int_equal(m[1].row, 0);
	assert_owed("3");
	assert_int_equal(number("SELECT count(*) FROM journal"), 0);
	assert_int_equal(number("SELECT count(*) FROM content"), 1);
	assert_int_equal(add(false, m, 2, &row), 0);
	assert_true(m[0].known && m[1].known);
}

static void
gives_offsets_back(void **state)
{
	static const uint64_t offsets[] = { 0, 5, INT64_MAX };
	struct ledger_entry m = entry(9, false), found;
	char *dir, *file;
	int64_t row = 1;

	(void)state;
	m.offset = 7; /* not meant */
	assert_int_equal(add(false, &m, 1, &row), 0);
	for (uint32_t i = 0; i < 3; i++) {
		m = entry(1 + i, false);
		m.has_offset = true;
		m.offset = offsets[i];
		assert_int_equal(add(false, &m, 1, &row), 0);
	}
	for (int64_t i = 0; i < 4; i++) {
		assert_int_equal(
		    messages_next(t.d, i, &found, &dir, &file, &t.e), 1);
		assert_int_equal(found.has_offset, i > 0);
		assert_true(found.offset == (i > 0 ? offsets[i - 1] : 0));
		free(dir);
		free(file);
	}
	m = entry(7, false);
	m.has_offset = true;
	m.offset = (uint64_t)INT64_MAX + 1;
	assert_int_equal(add(false, &m, 1, &row), -1);
}

static void
holds_what_a_stub_stands_for(void **state)
{
	struct ledger_note note = {
		.size = 99, .reason = "too large", .about = "From bob"
	};
	struct ledger_entry m[2] = { entry(3, false), entry(3, false) };
	struct ledger_entry found;
	char *dir, *file;
	int64_t row = 1;

	(void)state;
	m[0].stub = m[1].stub = true;
	m[0].note = &note;
	assert_int_equal(add(false, m, 2, &row), 0);
	assert_false(m[0].known);
	assert_true(m[1].known);
	assert_owed("");
	assert_int_equal(number("SELECT count(*) FROM ranges"), 0);
	assert_int_equal(number("SELECT state = 1 AND why = 2 AND stub = 1 AND "
				"uid = 3 AND size = 99 AND since = 1000 AND "
				"reason = 'too large' AND about = 'From bob' "
				"FROM trouble"),
	    1);
	assert_int_equal(messages_next(t.d, 0, &found, &dir, &file, &t.e), 1);
	assert_true(found.stub);
	assert_int_equal(found.number, 3);
	free(dir);
	free(file);
	assert_int_equal(messages_undo(t.d, m[0].row, &t.e), 0);
	assert_int_equal(number("SELECT (SELECT count(*) FROM journal) + "
				"(SELECT count(*) FROM trouble)"),
	    0);
}

static void
knows_a_stub_of_what_is_handled_or_dropped(void **state)
{
	struct ledger_entry m = entry(3, false);
	int64_t row = 1;

	(void)state;
	assert_int_equal(add(false, &m, 1, &row), 0);
	m.stub = true;
	assert_int_equal(add(false, &m, 1, &row), 0);
	assert_true(m.known);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 0);
	m = entry(4, false);
	m.stub = true;
	assert_int_equal(add(false, &m, 1, &row), 0);
	sql("UPDATE trouble SET state = 2, stub = 0");
	assert_int_equal(add(false, &m, 1, &row), 0);
	assert_true(m.known);
	assert_int_equal(number("SELECT state FROM trouble"), LEDGER_DROPPED);
	sql("UPDATE trouble SET state = 0");
	assert_int_equal(add(false, &m, 1, &row), 0);
	assert_false(m.known);
	sql("UPDATE trouble SET state = 0"); /* "retry", but not in whole */
	assert_int_equal(add(false, &m, 1, &row), 0);
	assert_true(m.known);
	assert_int_equal(number("SELECT state FROM trouble"), LEDGER_HELD);
}

static void
troubles_no_more_what_came(void **state)
{
	struct ledger_entry m[3] = { entry(3, false), entry(4, false),
		entry(5, true) };
	int64_t row = 1;

	(void)state;
	m[0].stub = m[2].stub = true;
	assert_int_equal(add(false, m, 3, &row), 0);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 2);
	sql("INSERT INTO reached SELECT id, 'bob' FROM trouble");
	m[0].stub = false;
	assert_int_equal(add(false, m, 2, &row), 0);
	assert_false(m[0].known);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 1);
	assert_int_equal(number("SELECT count(*) FROM reached"), 1);
	m[2].stub = false;
	assert_int_equal(add(false, &m[2], 1, &row), 0);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 0);
	assert_int_equal(number("SELECT count(*) FROM reached"), 0);
}

static void
troubles_no_more_what_comes_behind_its_stub(void **state)
{
	struct ledger_entry m[2] = { entry(3, false), entry(3, false) };
	int64_t row = 1;

	(void)state;
	m[0].stub = true;
	assert_int_equal(add(false, m, 2, &row), 0);
	assert_false(m[0].known || m[1].known);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 0);
	assert_owed("3");
}

static void
refuses_message_0(void **state)
{
	struct ledger_entry m = entry(0, false);
	int64_t row = 1;

	(void)state;
	assert_int_equal(add(false, &m, 1, &row), -1);
	assert_int_equal(add(true, &m, 1, &row), -1);
}

static void
owes_no_more_what_is_gone(void **state)
{
	struct ledger_entry m[3] = { entry(3, false), entry(4, false),
		entry(5, true) };
	struct set s = set_of("3,5:4294967295");
	int64_t row = 1;

	(void)state;
	assert_int_equal(add(false, m, 3, &row), 0);
	assert_int_equal(messages_gone(t.d, 1, false, &s, &t.e), 0);
	assert_owed("4");
	assert_int_equal(number("SELECT count(*) FROM content"), 0);
	assert_int_equal(number("SELECT count(*) FROM fingerprints"), 2);
	set_deinit(&s);
}

static void
finds_the_fingerprint_of_each_kind(void **state)
{
	struct ledger_entry m[2] = { entry(3, false), entry(4, true) };
	uint8_t print[LEDGER_FINGERPRINT];
	int64_t row = 1;
	bool found;

	(void)state;
	assert_int_equal(add(false, m, 2, &row), 0);
	assert_int_equal(
	    messages_fingerprint(t.d, 1, false, 3, print, &found, &t.e), 0);
	assert_true(found);
	assert_int_equal(print[0], 3);
	assert_int_equal(
	    messages_fingerprint(t.d, 1, false, 4, print, &found, &t.e), 0);
	assert_false(found);
	assert_int_equal(
	    messages_fingerprint(t.d, 1, true, 4, print, &found, &t.e), 0);
	assert_true(found);
	assert_int_equal(print[0], 4);
}

static void
refuses_damaged_rows(void **state)
{
	static const char *const harm[] = { "kind = 4", "number = 0",
		"number = 4294967296", "fingerprint = 'short'", "offset = -2" };
	struct ledger_entry m, found;
	char *dir, *file;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(harm) / sizeof(harm[0]); i++) {
		char *update = mem_printf("UPDATE journal SET %s", harm[i]);
		int64_t row = 1;

		sql("DELETE FROM journal; DELETE FROM ranges");
		m = entry(3, false);
		assert_int_equal(add(false, &m, 1, &row), 0);
		sql(update);
		free(update);
		assert_int_equal(
		    messages_next(t.d, 0, &found, &dir, &file, &t.e), -1);
		assert_int_equal(messages_undo(t.d, 1, &t.e), -1);
	}
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_journal_rows_in_order),
		TEST(settles_no_longer_what_came),
		TEST(shows_journal_rows_one_by_one),
		TEST(undoes_by_the_journal),
		TEST(journals_no_message_without_a_file),
		TEST(gives_offsets_back),
		TEST(holds_what_a_stub_stands_for),
		TEST(knows_a_stub_of_what_is_handled_or_dropped),
		TEST(troubles_no_more_what_came),
		TEST(troubles_no_more_what_comes_behind_its_stub),
		TEST(refuses_message_0),
		TEST(owes_no_more_what_is_gone),
		TEST(finds_the_fingerprint_of_each_kind),
		TEST(refuses_damaged_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
