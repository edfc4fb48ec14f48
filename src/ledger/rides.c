/* SPDX-License-Identifier: ISC */
#include "ledger/rides.h"

#include <stdlib.h>

#include "ledger/boxes.h"
#include "ledger/messages.h"
#include "util/mem.h"

#define RESERVED (256L * 1024) /* of many records of one message */

void
rides_init(struct rides *t, struct db *d)
{
	*t = (struct rides){ .d = d };
}

static void
forget(struct rides *t)
{
	size_t i;

	for (i = 0; i < t->n_gone; i++)
		set_deinit(&t->gone[i].numbers);
	free(t->gone);
	free(t->published);
	t->gone = NULL;
	t->published = NULL;
	t->n_gone = t->n_published = 0;
}

void
rides_deinit(struct rides *t)
{
	forget(t);
}

int
rides_box(struct rides *t, int64_t box, bool *pop3, struct err *e)
{
	bool found;

	if (t->box != box || box == 0) {
		if (boxes_is_pop3(t->d, box, &found, e) < 0)
			return -1;
		t->box = box;
		t->pop3 = found;
	}
	*pop3 = t->pop3;
	return 0;
}

/* ---- what rides ---- */

void
rides_publish(struct rides *t, int64_t row)
{
	if (row == 0)
		return;
	t->published =
	    mem_grow(t->published, t->n_published + 1, sizeof(*t->published));
	t->published[t->n_published++] = row;
}

static struct rides_gone *
find_gone(const struct rides *t, int64_t box)
{
	size_t i;

	for (i = 0; i < t->n_gone; i++)
		if (t->gone[i].box == box)
			return &t->gone[i];
	return NULL;
}

const struct set *
rides_gone_of(const struct rides *t, int64_t box)
{
	const struct rides_gone *g = find_gone(t, box);

	return g == NULL ? NULL : &g->numbers;
}

int
rides_go(struct rides *t, int64_t box, const struct set *numbers, struct err *e)
{
	struct rides_gone *g = find_gone(t, box);
	bool pop3;

	if (rides_box(t, box, &pop3, e) < 0)
		return -1;
	if (set_empty(numbers))
		return 0;
	if (g == NULL) {
		t->gone = mem_grow(t->gone, t->n_gone + 1, sizeof(*t->gone));
		g = &t->gone[t->n_gone++];
		g->box = box;
		set_init(&g->numbers);
	}
	set_add_set(&g->numbers, numbers);
	return 0;
}

/* ---- transactions ---- */

static int
apply(struct rides *t, struct err *e)
{
	size_t i;
	bool pop3;

	for (i = 0; i < t->n_published; i++)
		if (messages_published(t->d, t->published[i], e) < 0)
			return -1;
	for (i = 0; i < t->n_gone; i++)
		if (rides_box(t, t->gone[i].box, &pop3, e) < 0 ||
		    messages_gone(
			t->d, t->gone[i].box, pop3, &t->gone[i].numbers, e) < 0)
			return -1;
	return 0;
}

int
rides_begin(struct rides *t, struct err *e)
{
	if (db_begin(t->d, e) < 0)
		return -1;
	if (apply(t, e) == 0)
		return 0;
	db_rollback(t->d);
	return -1;
}

int
rides_end(struct rides *t, int r, struct err *e)
{
	if (r < 0) {
		db_rollback(t->d);
		return -1;
	}
	if (db_commit(t->d, e) < 0)
		return -1;
	forget(t);
	return 0;
}

int
rides_flush(struct rides *t, struct err *e)
{
	if (t->n_published == 0 && t->n_gone == 0)
		return 0;
	if (rides_begin(t, e) < 0)
		return -1;
	return rides_end(t, 0, e);
}

int
rides_reserve(struct rides *t, struct err *e)
{
	if (rides_begin(t, e) < 0 || rides_end(t, db_touch(t->d, e), e) < 0)
		return -1;
	return db_reserve(t->d, RESERVED, e);
}
