/* SPDX-License-Identifier: ISC */
#include "ledger/accounts.h"

#include "unit/ledger/table.h"

static struct ledger_account
find(const char *name)
{
	struct ledger_account a;

	if (accounts_find(t.d, name, &a, &t.e) < 0)
		fail_msg("%s", t.e.text);
	return a;
}

static void
knows_nothing_of_an_account_but_the_salt(void **state)
{
	static const uint8_t zeros[LEDGER_SALT];
	struct ledger_account a = find("work"), b = find("home");

	(void)state;
	assert_int_equal(a.refused, 0);
	assert_int_equal(a.refused_at, 0);
	assert_int_equal(a.mark, 0);
	assert_int_equal(a.held + a.waiting, 0);
	assert_memory_equal(a.salt, b.salt, LEDGER_SALT);
	assert_memory_not_equal(a.salt, zeros, LEDGER_SALT);
}

static void
remembers_refused_logins(void **state)
{
	struct ledger_account a = { .refused = UINT32_MAX,
		.refused_at = INT64_MAX,
		.mark = UINT16_MAX };
	struct ledger_account out;

	(void)state;
	assert_int_equal(accounts_note(t.d, "work", &a, &t.e), 0);
	out = find("work");
	assert_int_equal(out.refused, UINT32_MAX);
	assert_int_equal(out.refused_at, INT64_MAX);
	assert_int_equal(out.mark, UINT16_MAX);
	assert_int_equal(find("home").refused, 0);
	a.refused = 0;
	assert_int_equal(accounts_note(t.d, "work", &a, &t.e), 0);
	assert_int_equal(find("work").refused, 0);
}

static void
counts_the_messages_in_trouble_of_all_its_mailboxes(void **state)
{
	(void)state;
	sql("INSERT INTO box (id, account, mailbox, uidvalidity) VALUES "
	    "(1, 'a', 'x', 1), (2, 'a', 'y', 1), (3, 'b', 'x', 1)");
	sql("INSERT INTO trouble (box, name, uid, state, why, tries, since, "
	    "next, seen, size, stub, full, reason, about) VALUES "
	    "(1, 'u1', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', ''), "
	    "(1, 'u2', 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, '', ''), "
	    "(2, 'u1', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, '', ''), "
	    "(2, 'u2', 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, '', ''), "
	    "(3, 'u1', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '')");
	assert_int_equal(find("a").held, 2);
	assert_int_equal(find("a").waiting, 1);
	assert_int_equal(find("b").held, 0);
	assert_int_equal(find("b").waiting, 1);
}

static void
refuses_what_it_never_wrote(void **state)
{
	static const char *const rows[] = { "'a', -1, 0, 0",
		"'b', 4294967296, 0, 0", "'c', 0, -1, 0", "'d', 0, 0, -1",
		"'e', 0, 0, 65536" };
	struct ledger_account out;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *insert =
		    mem_printf("INSERT INTO account VALUES (%s)", rows[i]);
		char name[2] = { (char)('a' + (char)i), '\0' };

		sql(insert);
		free(insert);
		assert_int_equal(accounts_find(t.d, name, &out, &t.e), -1);
		assert_non_null(strstr(t.e.text, "damaged (an account)"));
	}
	sql("UPDATE meta SET salt = x'00'");
	assert_int_equal(accounts_find(t.d, "work", &out, &t.e), -1);
	assert_non_null(strstr(t.e.text, "damaged (salt)"));
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_nothing_of_an_account_but_the_salt),
		TEST(remembers_refused_logins),
		TEST(counts_the_messages_in_trouble_of_all_its_mailboxes),
		TEST(refuses_what_it_never_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
