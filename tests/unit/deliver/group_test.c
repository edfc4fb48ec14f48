/* SPDX-License-Identifier: ISC */
#include "deliver/group.h"

#include "office.h"

#define N 4

struct table {
	struct office o;
	struct commit_tools tools;
	struct places places;
	struct maildir_names names;
	int64_t box;
	struct commit commits[N], *v[N];
	struct group g;
};

static int
setup(void **state)
{
	struct table *t = calloc(1, sizeof(*t));
	enum ledger_state known;
	uint32_t was;
	struct err e = { 0 };

	assert_non_null(t);
	log_set_sink(office_drop_line);
	office_make_dir(&t->o);
	t->tools.ledger = ledger_open(office_path(&t->o, "ledger"), &e);
	assert_non_null(t->tools.ledger);
	maildir_names_init(&t->names, ledger_token(t->tools.ledger));
	places_init(&t->places, t->tools.ledger, &t->names, NULL);
	assert_int_equal(ledger_box(t->tools.ledger, "a", "INBOX", 1, &t->box,
			     &known, &was, &e),
	    0);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct table *t = *state;

	for (unsigned int i = 0; i < N; i++) {
		if (t->commits[i].maildir != NULL) {
			group_close_file(&t->commits[i]);
			maildir_unref(&t->commits[i].maildir);
		}
	}
	free(t->g.entries);
	places_deinit(&t->places);
	ledger_close(&t->tools.ledger);
	office_remove_dir(&t->o);
	free(t);
	return 0;
}

static void
fill(struct table *t, unsigned int n)
{
	struct place *p = places_find(&t->places, office_path(&t->o, "M"));
	struct err e = { 0 };

	assert_int_equal(place_ready(&t->places, p, &e), 0);
	for (unsigned int i = 0; i < n; i++) {
		struct commit *c = &t->commits[i];

		*c = (struct commit){ .place = p };
		c->maildir = maildir_ref(p->maildir);
		maildir_names_next(&t->names, c->name);
		c->fd = maildir_create(c->maildir, c->name, &e);
		c->entry.box = t->box;
		c->entry.number = i + 1;
		c->entry.fingerprint[0] = (uint8_t)(i + 1);
		c->entry.dir = maildir_mark(c->maildir);
		c->entry.file = c->name;
		t->v[i] = c;
	}
	t->g.tools = &t->tools;
	t->g.c = t->v;
	t->g.n = n;
}

static unsigned int
files(const struct table *t)
{
	return office_count(&t->o, "M/tmp", NULL);
}

static int
count_row(void *arg, const struct ledger_entry *entry, struct err *e)
{
	(void)entry;
	(void)e;
	++*(unsigned int *)arg;
	return 0;
}

static unsigned int
rows(const struct table *t)
{
	struct err e = { 0 };
	unsigned int n = 0;

	assert_int_equal(ledger_flush(t->tools.ledger, &e), 0);
	assert_int_equal(ledger_journal(t->tools.ledger, count_row, &n, &e), 0);
	return n;
}

static void
drops_those_that_failed_with_their_files(void **state)
{
	struct table *t = *state;

	fill(t, 4);
	err_set(&t->commits[0].e, ERR_DELIVER, 0, "no");
	err_set(&t->commits[2].e, ERR_DELIVER, 0, "no");
	group_drop_failed(&t->g);
	assert_int_equal(t->g.n, 2);
	assert_ptr_equal(t->g.c[0], &t->commits[1]);
	assert_ptr_equal(t->g.c[1], &t->commits[3]);
	assert_int_equal(t->commits[0].fd, -1);
	assert_true(t->commits[1].fd >= 0);
	assert_int_equal(files(t), 2);
}

static void
gives_all_the_same_reason(void **state)
{
	struct table *t = *state;
	struct err e = { .kind = ERR_DELIVER, .sys = EIO, .text = "why" };

	fill(t, 3);
	group_fail_all(&t->g, &e);
	assert_string_equal(t->commits[2].e.text, "why");
	group_drop_failed(&t->g);
	assert_int_equal(t->g.n, 0);
	assert_int_equal(files(t), 0);
}

static void
leaves_those_that_the_ledger_did_not_know(void **state)
{
	struct table *t = *state;

	fill(t, 3);
	t->commits[1].entry.number = 1; /* twice */
	group_prepare(&t->g);
	assert_int_equal(t->g.n, 2);
	assert_ptr_equal(t->g.c[1], &t->commits[2]);
	assert_true(t->g.entries[1].row > t->g.entries[0].row);
	assert_true(t->commits[1].entry.known);
	assert_int_equal(files(t), 2);
	assert_int_equal(rows(t), 2);
}

static void
takes_back_before_it_removes(void **state)
{
	struct table *t = *state;

	fill(t, 3);
	group_prepare(&t->g);
	group_take_back(&t->g, t->g.c + 1, t->g.entries + 1, 2);
	assert_int_equal(rows(t), 1);
	assert_int_equal(files(t), 1);
	assert_false(t->commits[1].place->stuck);
}

static void
tells_only_of_what_is_published(void **state)
{
	struct table *t = *state;

	fill(t, 4);
	group_prepare(&t->g);
	err_set(&t->commits[1].e, ERR_DELIVER, EIO, "new/ is broken");
	group_published(&t->g);
	assert_int_equal(rows(t), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(drops_those_that_failed_with_their_files),
		TEST(gives_all_the_same_reason),
		TEST(leaves_those_that_the_ledger_did_not_know),
		TEST(takes_back_before_it_removes),
		TEST(tells_only_of_what_is_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
