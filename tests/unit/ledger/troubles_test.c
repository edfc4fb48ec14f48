/* SPDX-License-Identifier: ISC */
#include "ledger/troubles.h"

#include <errno.h>

#include "unit/ledger/table.h"

#define NOW 1000000

static const struct name five = { .uid = 5, .n = 2, .b = "u5" };

static struct trouble
note(const struct ledger_note *n, int64_t now)
{
	struct trouble found, again;

	if (troubles_note(t.d, &five, n, now, &found, &t.e) < 0)
		fail_msg("%s", t.e.text);
	assert_int_equal(troubles_find(t.d, 1, SPAN("u5"), &again, &t.e), 0);
	assert_int_equal(found.id, again.id);
	assert_int_equal(found.state, again.state);
	assert_int_equal(found.tries, again.tries);
	assert_int_equal(found.next, again.next);
	assert_int_equal(found.stub, again.stub);
	return found;
}

static void
doubles_the_delay_up_to_four_hours(void **state)
{
	unsigned int i, s = 60;

	(void)state;
	assert_int_equal(troubles_delay_s(0), 60);
	for (i = 1; i <= 8; i++, s *= 2)
		assert_int_equal(troubles_delay_s(i), s);
	assert_int_equal(s, 256 * 60);
	assert_int_equal(troubles_delay_s(9), 4 * 3600);
	assert_int_equal(troubles_delay_s(UINT32_MAX), 4 * 3600);
}

static void
notes_each_try(void **state)
{
	struct ledger_note n = { .box = 1, .reason = "busy", .about = "x" };
	struct trouble first, last;

	(void)state;
	first = note(&n, NOW);
	assert_int_equal(first.state, LEDGER_LATER);
	assert_int_equal(first.tries, 1);
	assert_int_equal(first.next, NOW + 60);
	n = (struct ledger_note){ .box = 1,
		.why = LEDGER_WHY_MISSING,
		.size = 77,
		.reason = "full" };
	last = note(&n, NOW + 100);
	assert_int_equal(last.id, first.id);
	assert_int_equal(last.tries, 2);
	assert_int_equal(last.next, NOW + 100 + 120);
	assert_int_equal(number("SELECT since = 1000000 AND seen = 1000100 AND "
				"uid = 5 AND why = 1 AND size = 77 AND "
				"reason = 'full' AND about = 'x' FROM trouble"),
	    1);
	n.size = 0;
	n.reason = "";
	note(&n, NOW);
	assert_int_equal(
	    number("SELECT size = 77 AND reason = 'full' FROM trouble"), 1);
}

static void
holds_after_so_many_tries(void **state)
{
	struct ledger_note n = { .box = 1, .hold_after = 3 };
	struct trouble found;

	(void)state;
	note(&n, NOW);
	found = note(&n, NOW);
	assert_int_equal(found.state, LEDGER_LATER);
	found = note(&n, NOW);
	assert_int_equal(found.state, LEDGER_HELD);
	assert_int_equal(found.next, 0);
	assert_true(troubles_bar(&found, NOW));
	assert_int_equal(troubles_retry(t.d, found.id, false, &t.e), 0);
	found = note(&n, NOW); /* counted anew */
	assert_int_equal(found.state, LEDGER_LATER);
	assert_int_equal(found.tries, 1);
	n.state = LEDGER_HELD;
	assert_int_equal(note(&n, NOW).state, LEDGER_HELD);
}

static void
keeps_dropped_what_was_dropped(void **state)
{
	static const char *const bob[] = { "bob" };
	struct ledger_note n = { .box = 1 };
	struct trouble found;

	(void)state;
	found = note(&n, NOW);
	assert_int_equal(troubles_drop(t.d, found.id, &t.e), 0);
	n.reached = bob;
	n.n_reached = 1;
	n.state = LEDGER_HELD;
	found = note(&n, NOW + 1);
	assert_int_equal(found.state, LEDGER_DROPPED);
	assert_int_equal(found.tries, 1);
	assert_true(troubles_bar(&found, INT64_MAX));
	assert_int_equal(number("SELECT count(*) FROM reached"), 1);
}

static void
stores_text_that_is_fit_to_be_shown(void **state)
{
	char reason[2000];
	struct ledger_note n = { .box = 1, .reason = reason };

	(void)state;
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	reason[1] = '\033';
	reason[2] = '\n';
	n.about = reason;
	note(&n, NOW);
	assert_int_equal(number("SELECT reason GLOB 'x\\x1B\\x0Axx*xx...' AND "
				"length(reason) = 500 AND length(about) = 200 "
				"FROM trouble"),
	    1);
}

static void
remembers_who_has_it(void **state)
{
	static const char *const first[] = { "bob@example.org", "\xff" };
	static const char *const second[] = { "bob@example.org", "al" };
	struct ledger_note n = { .box = 1, .reached = first, .n_reached = 2 };
	char **v = NULL;
	size_t count = 0;
	int64_t id;

	(void)state;
	note(&n, NOW);
	n.reached = second;
	id = note(&n, NOW).id;
	assert_int_equal(troubles_reached(t.d, id, &v, &count, &t.e), 0);
	assert_int_equal(count, 3);
	assert_string_equal(v[0], "al");
	assert_string_equal(v[1], "bob@example.org");
	assert_string_equal(v[2], "\xff");
	assert_int_equal(troubles_retry(t.d, id, true, &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM reached"), 3);
	assert_int_equal(troubles_forget_name(t.d, 1, SPAN("u6"), &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM reached"), 3);
	assert_int_equal(troubles_forget_name(t.d, 1, SPAN("u5"), &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM reached"), 0);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 0);
	while (count > 0)
		free(v[--count]);
	free(v);
}

static void
never_gives_an_id_twice(void **state)
{
	struct ledger_note n = { .box = 1 };
	int64_t id;

	(void)state;
	id = note(&n, NOW).id;
	assert_int_equal(troubles_forget(t.d, id, &t.e), 0);
	assert_true(note(&n, NOW).id > id);
	assert_int_equal(troubles_retry(t.d, id, false, &t.e), -1);
	assert_int_equal(t.e.sys, ENOENT);
	assert_int_equal(troubles_drop(t.d, id, &t.e), -1);
	assert_int_equal(t.e.sys, ENOENT);
}

static void
keeps_the_wish_for_the_whole_message(void **state)
{
	struct ledger_note n = { .box = 1, .stub = true };
	struct trouble found;

	(void)state;
	found = note(&n, NOW);
	assert_int_equal(troubles_retry(t.d, found.id, true, &t.e), 0);
	n.stub = false;
	found = note(&n, NOW);
	assert_true(found.full && found.stub);
	assert_true(troubles_bar(&found, NOW));
	assert_int_equal(troubles_retry(t.d, found.id, false, &t.e), 0);
	assert_int_equal(troubles_find(t.d, 1, SPAN("u5"), &found, &t.e), 0);
	assert_true(found.full && found.stub);
	assert_int_equal(found.tries, 0);
	assert_false(troubles_bar(&found, NOW));
	assert_int_equal(troubles_hold_stub(t.d, found.id, &t.e), 0);
	assert_int_equal(number("SELECT state FROM trouble"), LEDGER_LATER);
	sql("UPDATE trouble SET full = 0");
	assert_int_equal(troubles_hold_stub(t.d, found.id, &t.e), 0);
	assert_int_equal(number("SELECT state FROM trouble"), LEDGER_HELD);
	assert_int_equal(troubles_drop(t.d, found.id, &t.e), 0);
	assert_int_equal(troubles_hold_stub(t.d, found.id, &t.e), 0);
	assert_int_equal(number("SELECT state FROM trouble"), LEDGER_DROPPED);
}

/* ---- shown ---- */

struct seen {
	char text[400];
	int stop_at;
};

static int
see(void *arg, const struct ledger_trouble *tr, struct err *e)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n,
	    "%lld %s/%s %u%s %u %lld %zu|", (long long)tr->id, tr->account,
	    tr->mailbox, (unsigned int)tr->uid, tr->uidl, tr->tries,
	    (long long)tr->size, tr->n_reached);
	if (--s->stop_at == 0)
		return err_set(e, ERR_CANCEL, 0, "enough");
	return 0;
}

static void
fill(void)
{
	sql("INSERT INTO box (id, account, mailbox, uidvalidity) VALUES "
	    "(1, 'b', 'INBOX', 1), (2, 'a', '', 0), (3, 'b', 'A', 1)");
	sql("INSERT INTO trouble VALUES "
	    "(1, 1, x'753930', 90, 0, 0, 1, 5, 6, 7, 8, 0, 0, '', ''), "
	    "(2, 1, x'7539', 9, 1, 2, 2, 5, 6, 7, 8, 1, 1, 'r', 'a'), "
	    "(3, 1, x'7538', 8, 2, 0, 3, 5, 6, 7, 8, 0, 0, '', ''), "
	    "(4, 3, x'753939', 99, 0, 0, 4, 5, 6, 7, 8, 0, 0, '', ''), "
	    "(5, 2, x'64392f312f780a', 0, 0, 0, 5, 5, 6, 7, 8, 0, 0, '', ''), "
	    "(6, 2, x'6c79', 0, 0, 0, 6, 5, 6, 7, 8, 0, 0, '', ''), "
	    "(7, 9, x'6c79', 0, 0, 0, 6, 5, 6, 7, 8, 0, 0, '', '')");
	sql("INSERT INTO reached VALUES (2, 'x'), (2, 'y')");
}

static void
shows_all_in_order(void **state)
{
	struct seen s = { .text = "" };

	(void)state;
	fill();
	assert_int_equal(troubles_show(t.d, NULL, see, &s, &t.e), 0);
	assert_string_equal(s.text,
	    "5 a/ 0x\\x0A 5 8 0|6 a/ 0y 6 8 0|4 b/A 99 4 8 0|"
	    "2 b/INBOX 9 2 8 2|1 b/INBOX 90 1 8 0|");
}

static int
look(void *arg, const struct ledger_trouble *tr, struct err *e)
{
	(void)e;
	if (tr->id != 2)
		return 0;
	assert_int_equal(tr->state, LEDGER_HELD);
	assert_int_equal(tr->why, LEDGER_WHY_SIZE);
	assert_int_equal(tr->since, 5);
	assert_int_equal(tr->next, 6);
	assert_true(tr->stub && tr->full);
	assert_string_equal(tr->reason, "r");
	assert_string_equal(tr->about, "a");
	*(bool *)arg = true;
	return 0;
}

static void
shows_those_of_an_account(void **state)
{
	struct seen s = { .text = "" };
	bool looked = false;

	(void)state;
	fill();
	assert_int_equal(troubles_show(t.d, "a", see, &s, &t.e), 0);
	assert_string_equal(s.text, "5 a/ 0x\\x0A 5 8 0|6 a/ 0y 6 8 0|");
	assert_int_equal(troubles_show(t.d, "b", look, &looked, &t.e), 0);
	assert_true(looked);
	s = (struct seen){ .stop_at = 1 };
	assert_int_equal(troubles_show(t.d, "b", see, &s, &t.e), -1);
	assert_string_equal(t.e.text, "enough");
	assert_string_equal(s.text, "4 b/A 99 4 8 0|");
	assert_int_equal(db_begin(t.d, &t.e), 0); /* nothing is open */
	assert_int_equal(db_commit(t.d, &t.e), 0);
}

static void
refuses_damaged_rows(void **state)
{
	static const char *const harm[] = { "state = 3", "state = -1",
		"tries = -1", "tries = 4294967296", "next = -1" };
	static const char *const shown[] = { "why = 3", "why = -1", "uid = -1",
		"uid = 4294967296", "size = -1" };
	struct seen s = { .text = "" };
	struct trouble found;
	size_t i;

	(void)state;
	fill();
	sql("DELETE FROM trouble WHERE id <> 2");
	for (i = 0; i < 10; i++) {
		char *update = mem_printf("UPDATE trouble SET state = 1, "
					  "tries = 1, next = 0, why = 0, "
					  "uid = 9, size = 8; "
					  "UPDATE trouble SET %s",
		    i < 5 ? harm[i] : shown[i - 5]);

		sql(update);
		free(update);
		assert_int_equal(
		    troubles_show(t.d, i == 2 ? "b" : NULL, see, &s, &t.e), -1);
		assert_non_null(strstr(t.e.text, "damaged"));
		assert_int_equal(
		    troubles_find(t.d, 1, SPAN("u9"), &found, &t.e),
		    i < 5 ? -1 : 0);
	}
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(doubles_the_delay_up_to_four_hours),
		TEST(notes_each_try),
		TEST(holds_after_so_many_tries),
		TEST(keeps_dropped_what_was_dropped),
		TEST(stores_text_that_is_fit_to_be_shown),
		TEST(remembers_who_has_it),
		TEST(never_gives_an_id_twice),
		TEST(keeps_the_wish_for_the_whole_message),
		TEST(shows_all_in_order),
		TEST(shows_those_of_an_account),
		TEST(refuses_damaged_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
