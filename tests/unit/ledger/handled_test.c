/* SPDX-License-Identifier: ISC */
#include "ledger/handled.h"

#include "unit/ledger/table.h"

/* UID 5; line 3 is fresh, 4 is row 7; a content. */
static int
setup_rows(void **state)
{
	setup(state);
	sql("INSERT INTO ranges VALUES (1, 0, 5, 5), (1, 1, 6, 6)");
	sql("INSERT INTO uidl VALUES (1, 7, x'62', 20, 1, 0, 0, 0, "
	    "CAST('0123456789abcdef' AS BLOB))");
	sql("INSERT INTO temp.run VALUES (1, 4, 1, 7)");
	sql("INSERT INTO temp.line VALUES (1, 3, x'61', 10, 1, 0, 0)");
	sql("INSERT INTO content VALUES "
	    "(1, CAST('0123456789abcdef' AS BLOB))");
	return 0;
}

static struct ledger_entry
entry(uint32_t n, const char *print)
{
	struct ledger_entry m = { .box = 1, .number = n };

	memcpy(m.fingerprint, print, LEDGER_FINGERPRINT);
	return m;
}

static bool
has(const struct ledger_entry *m, bool pop3)
{
	struct message message = names_entry(m, pop3);
	bool handled = true;

	if (handled_has(t.d, &message, &handled, &t.e) < 0)
		fail_msg("%s", t.e.text);
	return handled;
}

#define THIS "0123456789abcdef"
#define OTHER "0123456789abcdeX"

static void
knows_each_kind(void **state)
{
	struct ledger_entry m = entry(5, THIS);

	(void)state;
	assert_true(has(&m, false));
	m.number = 6;
	assert_false(has(&m, false));
	m.number = 3;
	assert_false(has(&m, true));
	m.number = 4;
	assert_true(has(&m, true));
	m.by_content = true;
	assert_true(has(&m, true));
	m = entry(4, OTHER);
	assert_true(has(&m, true));
	m.by_content = true;
	assert_false(has(&m, true));
}

static void
refuses_what_has_no_name(void **state)
{
	struct ledger_entry m = entry(0, THIS);

	(void)state;
	assert_int_equal(handled_find(t.d, false, &m, &t.e), -1);
	assert_non_null(strstr(t.e.text, "no message 0"));
	m.number = 9;
	assert_int_equal(handled_find(t.d, true, &m, &t.e), -1);
	assert_non_null(strstr(t.e.text, "message 9 is not in the listing"));
}

static void
compares_what_has_a_uidl(void **state)
{
	struct ledger_entry m = entry(4, OTHER);

	(void)state;
	m.stub = true; /* not here in whole: nothing to compare */
	assert_int_equal(handled_find(t.d, true, &m, &t.e), 0);
	assert_true(m.known);
	m.stub = false;
	assert_int_equal(handled_find(t.d, true, &m, &t.e), 0);
	assert_false(m.known);
	assert_false(has(&m, true));
	m = entry(4, THIS);
	assert_int_equal(handled_find(t.d, true, &m, &t.e), 0);
	assert_false(m.known);
}

static void
owes_what_is_found_when_the_account_does(void **state)
{
	struct ledger_entry m = entry(4, THIS);

	(void)state;
	m.owes = true;
	assert_int_equal(handled_state(&m), UIDL_OWED);
	assert_int_equal(handled_find(t.d, true, &m, &t.e), 0);
	assert_true(m.known);
	assert_int_equal(
	    number("SELECT state FROM uidl WHERE seq = 7"), UIDL_OWED);
}

static void
remembers_the_number_of_known_content_alone(void **state)
{
	struct ledger_entry m = entry(8, OTHER);

	(void)state;
	m.by_content = true;
	assert_int_equal(handled_find(t.d, true, &m, &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM temp.named"), 0);
	m = entry(8, THIS);
	m.by_content = true;
	assert_int_equal(handled_find(t.d, true, &m, &t.e), 0);
	assert_true(m.known);
	assert_int_equal(number("SELECT number FROM temp.named"), 8);
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_rows, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_each_kind),
		TEST(refuses_what_has_no_name),
		TEST(compares_what_has_a_uidl),
		TEST(owes_what_is_found_when_the_account_does),
		TEST(remembers_the_number_of_known_content_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
