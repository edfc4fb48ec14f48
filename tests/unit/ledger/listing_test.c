/* SPDX-License-Identifier: ISC */
#include "ledger/listing.h"

#include <time.h>

#include "ledger/uidl.h"
#include "unit/ledger/table.h"

#define BOX 1
#define KEEP 1000
#define PRINT SPAN("0123456789abcdef")

static int64_t now;

static int
setup_clock(void **state)
{
	now = 1000000;
	return setup(state);
}

/* "a 10/b 20": UIDL ("-": empty) and size; the numbers ascend from 1. */
static void
add_lines(struct listing *l, const char *lines)
{
	uint32_t n = 0;

	while (*lines != '\0') {
		const char *uidl = lines;
		size_t length = strcspn(lines, " ");
		char *end;

		lines += length + 1;
		if (length == 1 && uidl[0] == '-')
			length = 0;
		assert_int_equal(listing_add(l, ++n, span_make(uidl, length),
				     strtoul(lines, &end, 10), &t.e),
		    0);
		lines = *end == '/' ? end + 1 : end;
	}
}

struct result {
	struct set fresh, owed;
	uint32_t repeated;
	bool useless;
};

static struct listing *
begin(void)
{
	struct listing *l = listing_new(t.d, BOX, &t.e);

	assert_non_null(l);
	return l;
}

static void
end(struct listing *l, struct result *r)
{
	set_init(&r->fresh);
	set_init(&r->owed);
	assert_int_equal(db_begin(t.d, &t.e), 0);
	if (listing_end(l, now, KEEP, &r->fresh, &r->owed, &r->repeated,
		&r->useless, &t.e) < 0)
		fail_msg("%s", t.e.text);
	if (r->useless)
		db_rollback(t.d);
	else
		assert_int_equal(db_commit(t.d, &t.e), 0);
	listing_free(&l);
}

static void
free_result(struct result *r)
{
	set_deinit(&r->fresh);
	set_deinit(&r->owed);
}

static void
deliver(uint32_t number_, enum uidl_state state)
{
	int64_t seq;

	assert_int_equal(
	    uidl_insert(t.d, BOX, number_, state, PRINT, &seq, &t.e), 0);
}

/* Lists, expects, and delivers some of what is fresh. */
static void
listed(const char *lines, const char *fresh, const char *owed,
    uint32_t repeated, const char *delivered)
{
	struct set s = set_of(delivered);
	struct listing *l = begin();
	struct result r;
	uint32_t n;

	add_lines(l, lines);
	end(l, &r);
	assert_set(&r.fresh, fresh);
	assert_set(&r.owed, owed);
	assert_int_equal(r.repeated, repeated);
	for (n = 1; n < 100; n++)
		if (set_has(&s, n))
			deliver(n, UIDL_OWED);
	free_result(&r);
	set_deinit(&s);
}

/* ---- UIDLs that are listed once ---- */

static void
tells_fresh_from_owed(void **state)
{
	(void)state;
	listed("", "", "", 0, "");
	listed("a 1/b 2/c 3", "1:3", "", 0, "1,3");
	listed("a 1/b 2/c 3", "2", "1,3", 0, "2");
	listed("a 1/b 2/c 3/d 4", "4", "1:3", 0, "");
}

static void
knows_rows_in_any_order(void **state)
{
	(void)state;
	listed("a 1/b 2/c 3/d 4/e 5", "1:5", "", 0, "1:5");
	listed("e 5/d 4/c 3/b 2/a 1", "", "1:5", 0, "");
	listed("c 3/a 1/x 9/e 5/b 2/d 4", "3", "1:2,4:6", 0, "");
	listed("a 1/d 4/e 5", "", "1:3", 0, "");
	listed("b 2/c 3/x 9", "3", "1:2", 0, "");
	listed("a 1/b 2/c 3/d 4/e 5", "", "1:5", 0, "");
}

static void
knows_a_lone_uidl_whatever_its_size(void **state)
{
	(void)state;
	listed("a 10/b 0", "1:2", "", 0, "1:2");
	listed("a 11/b 20", "", "1:2", 0, "");
	assert_int_equal(
	    number("SELECT count(*) FROM uidl WHERE size IN (11, 20)"), 2);
	listed("a 0/b 0", "", "1:2", 0, "");
	assert_int_equal(
	    number("SELECT count(*) FROM uidl WHERE size IN (11, 20)"), 2);
}

static void
keeps_what_is_not_owed_out_of_owed(void **state)
{
	(void)state;
	listed("a 1/b 2/c 3", "1:3", "", 0, "");
	deliver(1, UIDL_KEPT);
	deliver(2, UIDL_OWED);
	listed("a 1/b 2/c 3", "3", "2", 0, "");
}

static void
remembers_a_row_that_hides_for_a_while(void **state)
{
	(void)state;
	listed("a 1/b 2", "1:2", "", 0, "1:2");
	listed("b 2", "", "1", 0, "");
	now += KEEP - 1;
	listed("", "", "", 0, "");
	listed("a 1/b 2", "", "1:2", 0, "");
	listed("", "", "", 0, ""); /* the time starts again */
	now += KEEP - 1;
	listed("b 2", "", "1", 0, "");
	listed("a 1/b 2", "", "1:2", 0, "");
	listed("b 2", "", "1", 0, "");
	now += KEEP;
	listed("b 2", "", "1", 0, "");
	listed("a 1/b 2", "1", "2", 0, "");
}

static void
changes_nothing_before_the_end(void **state)
{
	struct listing *l;

	(void)state;
	listed("a 1/b 2", "1:2", "", 0, "1:2");
	l = begin();
	add_lines(l, "x 1/b 3");
	listing_free(&l);
	listing_free(&l);
	assert_int_equal(
	    number("SELECT count(*) FROM uidl WHERE absent = 0"), 2);
	listed("a 1/b 2", "", "1:2", 0, "");
}

static void
takes_the_first_of_two_lines_with_one_number(void **state)
{
	struct listing *l;
	struct result r;

	(void)state;
	listed("a 1/b 2/c 3", "1:3", "", 0, "1:3");
	l = begin();
	add_lines(l, "a 1/b 2/x 3");
	assert_int_equal(listing_add(l, 2, SPAN("c"), 3, &t.e), 0);
	assert_int_equal(listing_add(l, 3, SPAN("c"), 3, &t.e), 0);
	assert_int_equal(listing_add(l, 0, SPAN("c"), 3, &t.e), 0);
	assert_int_equal(listing_add(l, 1, SPAN("c"), 3, &t.e), 0);
	end(l, &r);
	assert_set(&r.fresh, "3");
	assert_set(&r.owed, "1:2");
	free_result(&r);
}

static void
takes_what_was_removed_and_is_listed_again_for_fresh(void **state)
{
	struct uidl_line line;

	(void)state;
	listed("a 1/b 2/c 3", "1:3", "", 0, "1:3");
	sql("UPDATE uidl SET state = 2 WHERE seq = 2");
	listed("a 1/b 2/c 3", "2", "1,3", 0, "");
	assert_int_equal(uidl_find(t.d, BOX, 2, &line, &t.e), 0);
	assert_int_equal(line.old, 2);
	listed("a 0/b 0/c 0", "2", "1,3", 0, "");
	listed("b 9/c 3/a 1", "1", "2:3", 0, ""); /* a size of its own */
	listed("a 1/c 3", "", "1:2", 0, "");
	assert_int_equal(number("SELECT count(*) FROM uidl"), 2);
}

static void
takes_all_for_fresh_when_what_was_removed_is_repeated(void **state)
{
	(void)state;
	listed("x 1", "1", "", 0, "1");
	sql("UPDATE uidl SET state = 2");
	listed("x 1/x 2", "1:2", "", 2, "1:2");
	listed("x 1/x 2", "", "", 2, "");
}

/* ---- UIDLs that are listed more than once ---- */

static void
changes_nothing_by_repeated_uidls_without_sizes(void **state)
{
	struct listing *l;
	struct result r;

	(void)state;
	listed("x 10/x 20/a 1/b 2", "1:4", "", 2, "1:4");
	l = begin();
	add_lines(l, "x 0/x 0/a 0");
	end(l, &r);
	assert_true(r.useless);
	assert_int_equal(r.repeated, 2);
	assert_true(set_empty(&r.fresh) && set_empty(&r.owed));
	free_result(&r);
	listed("x 20/x 30/a 1/b 2", "2", "3:4", 2, ""); /* 10 left, 30 came */
}

static void
looks_for_a_row_without_size_by_the_fingerprint(void **state)
{
	bool same;

	(void)state;
	listed("x 0", "1", "", 0, "1");
	listed("x 0", "", "1", 0, "");
	listed("x 10/x 20", "1:2", "", 2, ""); /* either may be it */
	assert_int_equal(
	    uidl_compare(t.d, BOX, 1, UIDL_KEPT, SPAN("other"), &same, &t.e),
	    0);
	assert_false(same);
	deliver(1, UIDL_KEPT);
	assert_int_equal(
	    uidl_compare(t.d, BOX, 2, UIDL_KEPT, PRINT, &same, &t.e), 0);
	assert_true(same);
	listed("x 10/x 20", "", "", 2, "");
	assert_int_equal(number("SELECT count(*) FROM uidl"), 2);
}

static void
delivers_the_second_of_a_uidl_and_not_the_first_again(void **state)
{
	(void)state;
	listed("x 10", "1", "", 0, "1");
	listed("x 10/x 20", "2", "", 2, "2");
	listed("x 10/x 20", "", "", 2, "");
}

static void
knows_the_first_by_its_size_when_the_order_differs(void **state)
{
	(void)state;
	listed("x 10", "1", "", 0, "1");
	listed("x 20/x 10", "1", "", 2, "1");
	listed("x 10/x 20", "", "", 2, "");
}

static void
counts_equal_uidls_of_equal_size(void **state)
{
	(void)state;
	listed("x 10", "1", "", 0, "1");
	listed("x 10/x 10/x 10", "2:3", "", 3, "3");
	listed("x 10/x 10/x 10", "2", "", 3, "2");
	listed("x 10/x 10/x 10", "", "", 3, "");
}

static void
fetches_again_rather_than_lose(void **state)
{
	(void)state;
	listed("x 10", "1", "", 0, "1");
	listed("x 11/x 12", "1:2", "", 2, "1:2"); /* which is it? */
	listed("x 11/x 12", "", "", 2, "");
	listed("x 12/x 10", "2", "", 2, "");
}

static void
forgets_a_repeated_uidl_as_soon_as_it_is_absent(void **state)
{
	(void)state;
	listed("x 10/x 10", "1:2", "", 2, "1:2");
	listed("x 10", "", "", 1, "");
	listed("x 10/x 10", "2", "", 2, "");
}

static void
never_owes_what_was_ever_repeated(void **state)
{
	(void)state;
	listed("x 10/y 1", "1:2", "", 0, "1:2");
	listed("x 10/y 1", "", "1:2", 0, "");
	listed("x 10/y 1/x 11", "3", "2", 2, "3");
	listed("x 10/y 1", "", "2", 1, "");
}

static void
takes_an_empty_uidl_for_doubtful(void **state)
{
	(void)state;
	listed("- 10/a 1/- 20/- 10", "1:4", "", 3, "1:4");
	listed("- 10/a 1/- 20/- 10", "", "2", 3, "");
	listed("- 20/- 30/- 10", "2", "", 3, "2");
	listed("- 30", "", "", 1, "");
	listed("- 31", "1", "", 1, "");
}

static void
takes_an_overlong_uidl_for_empty(void **state)
{
	char uidl[UIDL_MAX_OCTETS + 1];
	struct listing *l;
	struct result r;
	int i;

	(void)state;
	memset(uidl, 'u', sizeof(uidl));
	for (i = 0; i < 2; i++) {
		l = begin();
		assert_int_equal(
		    listing_add(l, 1, span_make(uidl, sizeof(uidl)), 5, &t.e),
		    0);
		assert_int_equal(
		    listing_add(l, 2, span_make(uidl, sizeof(uidl) - 1),
			UINT64_MAX, &t.e),
		    0);
		end(l, &r);
		assert_int_equal(r.repeated, 1);
		assert_set(&r.fresh, i == 0 ? "1:2" : "");
		free_result(&r);
		if (i == 0) {
			deliver(1, UIDL_KEPT);
			deliver(2, UIDL_KEPT);
		}
	}
}

static void
keeps_any_octets(void **state)
{
	static const char uidl[] = { 0, '\'', (char)0xff, '\n', '%', '/' };
	struct listing *l = begin();
	struct result r;

	(void)state;
	assert_int_equal(
	    listing_add(l, 1, span_make(uidl, sizeof(uidl)), 5, &t.e), 0);
	assert_int_equal(listing_add(l, 2, span_make(uidl, 1), 5, &t.e), 0);
	end(l, &r);
	assert_set(&r.fresh, "1:2");
	assert_int_equal(r.repeated, 0);
	free_result(&r);
	deliver(1, UIDL_OWED);
	l = begin();
	assert_int_equal(listing_add(l, 1, span_make(uidl, 1), 5, &t.e), 0);
	assert_int_equal(
	    listing_add(l, 2, span_make(uidl, sizeof(uidl)), 5, &t.e), 0);
	end(l, &r);
	assert_set(&r.fresh, "1");
	assert_set(&r.owed, "2");
	free_result(&r);
}

static void
sees_a_repetition_behind_a_line_out_of_order(void **state)
{
	(void)state;
	listed("a 1/b 2/c 3", "1:3", "", 0, "1:3");
	listed("c 3/a 1/b 2/c 3", "4", "2:3", 2, "4");
	listed("c 3/a 1/b 2/c 3", "", "2:3", 2, "");
}

/* ---- a server that does as it likes ---- */

#define MESSAGES 300

struct message {
	bool there;
	bool delivered;
	unsigned int uidl, size;
};

static unsigned int seed;

static unsigned int
draw(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 12) % below;
}

static uint32_t
list_all(struct listing *l, const struct message *m, size_t *order)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < MESSAGES; i++) {
		char uidl[16];

		if (!m[order[i]].there)
			continue;
		snprintf(uidl, sizeof(uidl), "%u", m[order[i]].uidl);
		assert_int_equal(
		    listing_add(l, ++n, span_of(uidl), m[order[i]].size, &t.e),
		    0);
		order[n - 1] = order[i];
	}
	return n;
}

static void
shuffle(size_t *order, unsigned int swaps)
{
	size_t i;

	for (i = 0; i < MESSAGES; i++)
		order[i] = i;
	while (swaps-- > 0) {
		size_t a = draw(MESSAGES), b = draw(MESSAGES);
		size_t was = order[a];

		order[a] = order[b];
		order[b] = was;
	}
}

/* Unique UIDLs, coming, going and in any order: exact. */
static void
forgets_and_repeats_nothing_in_any_order(void **state)
{
	struct message m[MESSAGES];
	size_t order[MESSAGES];
	unsigned int round, i;

	(void)state;
	seed = 7;
	memset(m, 0, sizeof(m));
	for (i = 0; i < MESSAGES; i++)
		m[i].uidl = i;
	for (round = 0; round < 30; round++) {
		struct listing *l = begin();
		struct result r;
		uint32_t n;

		for (i = 0; i < MESSAGES; i++)
			m[i].there = draw(8) != 0;
		shuffle(order, round % 3 * 20);
		n = list_all(l, m, order);
		end(l, &r);
		assert_int_equal(r.repeated, 0);
		assert_true(set_count(&r.fresh) + set_count(&r.owed) == n);
		for (i = 0; i < n; i++) {
			struct message *one = &m[order[i]];

			assert_int_equal(
			    set_has(&r.fresh, i + 1), !one->delivered);
			assert_int_equal(
			    set_has(&r.owed, i + 1), one->delivered);
			if (one->delivered || draw(3) == 0)
				continue;
			deliver(i + 1, UIDL_OWED);
			one->delivered = true;
		}
		free_result(&r);
	}
}

/* Repeated UIDLs, each with a size of its own: exact as well, and never an
 * error, whatever the order. */
static void
bears_repeated_uidls_in_any_order(void **state)
{
	struct message m[MESSAGES];
	size_t order[MESSAGES];
	unsigned int round, i;

	(void)state;
	seed = 11;
	memset(m, 0, sizeof(m));
	for (i = 0; i < MESSAGES; i++) {
		m[i].uidl = i / 3;
		m[i].size = 10 + i;
		m[i].there = true;
	}
	for (round = 0; round < 12; round++) {
		struct listing *l = begin();
		struct result r;
		uint32_t n;

		shuffle(order, round % 4 * 30);
		n = list_all(l, m, order);
		end(l, &r);
		assert_int_equal(r.repeated, MESSAGES);
		assert_true(set_empty(&r.owed));
		for (i = 0; i < n; i++) {
			struct message *one = &m[order[i]];

			assert_int_equal(
			    set_has(&r.fresh, i + 1), !one->delivered);
			if (one->delivered || draw(3) == 0)
				continue;
			deliver(i + 1, UIDL_OWED);
			one->delivered = true;
		}
		free_result(&r);
	}
}

/* All that chance can do: no error, and each line is fresh or has a row. */
static void
bears_any_server(void **state)
{
	struct message m[MESSAGES];
	size_t order[MESSAGES];
	unsigned int round, i;

	(void)state;
	seed = 13;
	memset(m, 0, sizeof(m));
	for (round = 0; round < 40; round++) {
		struct listing *l = begin();
		struct result r;
		uint32_t n;

		for (i = 0; i < MESSAGES; i++) {
			m[i].there = draw(4) != 0;
			m[i].uidl = draw(1 + round * 8);
			m[i].size = draw(3);
		}
		shuffle(order, draw(2) * 100);
		n = list_all(l, m, order);
		end(l, &r);
		for (i = 1; i <= n; i++) {
			struct uidl_line line;

			assert_int_equal(
			    uidl_find(t.d, BOX, i, &line, &t.e), 0);
			assert_true(line.listed);
			assert_int_equal(line.seq == 0, set_has(&r.fresh, i));
			if (line.seq == 0 && draw(2) == 0)
				deliver(i, UIDL_OWED);
		}
		free_result(&r);
		now += draw(2) * KEEP;
	}
}

/* ---- speed ---- */

#define MANY 100000

static double
cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void
list_many(const char *what, uint32_t factor, uint32_t fresh)
{
	double start = cpu_s();
	struct listing *l = begin();
	struct result r;
	uint32_t i;

	for (i = 0; i < MANY; i++) {
		char uidl[40];
		int n = snprintf(uidl, sizeof(uidl), "%024x%08x", 0,
		    (unsigned int)((uint64_t)i * factor % MANY));

		assert_int_equal(listing_add(l, i + 1,
				     span_make(uidl, (size_t)n), 4096, &t.e),
		    0);
	}
	end(l, &r);
	print_message(
	    "%d lines, %s: %.3f s of CPU\n", MANY, what, cpu_s() - start);
	assert_int_equal(set_count(&r.fresh), fresh);
	free_result(&r);
}

static void
reads_long_listings_fast(void **state)
{
	uint32_t i;

	(void)state;
	list_many("all fresh", 1, MANY);
	sql("BEGIN");
	for (i = 1; i <= MANY; i++)
		deliver(i, UIDL_KEPT);
	sql("COMMIT");
	list_many("all known", 1, 0);
	assert_int_equal(number("SELECT count(*) FROM temp.run"), 1);
	list_many("all known, backwards", MANY - 1, 0);
	list_many("all known, in disorder", 30011, 0);
	sql("UPDATE uidl SET doubt = 1");
	list_many("all in doubt", 1, 0);
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_clock, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_fresh_from_owed),
		TEST(knows_rows_in_any_order),
		TEST(knows_a_lone_uidl_whatever_its_size),
		TEST(keeps_what_is_not_owed_out_of_owed),
		TEST(remembers_a_row_that_hides_for_a_while),
		TEST(changes_nothing_before_the_end),
		TEST(takes_the_first_of_two_lines_with_one_number),
		TEST(takes_what_was_removed_and_is_listed_again_for_fresh),
		TEST(takes_all_for_fresh_when_what_was_removed_is_repeated),
		TEST(changes_nothing_by_repeated_uidls_without_sizes),
		TEST(looks_for_a_row_without_size_by_the_fingerprint),
		TEST(delivers_the_second_of_a_uidl_and_not_the_first_again),
		TEST(knows_the_first_by_its_size_when_the_order_differs),
		TEST(counts_equal_uidls_of_equal_size),
		TEST(fetches_again_rather_than_lose),
		TEST(forgets_a_repeated_uidl_as_soon_as_it_is_absent),
		TEST(never_owes_what_was_ever_repeated),
		TEST(sees_a_repetition_behind_a_line_out_of_order),
		TEST(takes_an_empty_uidl_for_doubtful),
		TEST(takes_an_overlong_uidl_for_empty),
		TEST(keeps_any_octets),
		TEST(forgets_and_repeats_nothing_in_any_order),
		TEST(bears_repeated_uidls_in_any_order),
		TEST(bears_any_server),
		TEST(reads_long_listings_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
