/* SPDX-License-Identifier: ISC */
#include "ledger/lists.h"

#include <stdlib.h>

#include "ledger/boxes.h"
#include "ledger/due.h"
#include "ledger/ledger.h"
#include "ledger/listing.h"
#include "util/mem.h"

struct lists_one {
	struct lists_one *next;
	int64_t box;
	struct listing *listing; /* NULL: a step failed */
};

void
lists_init(struct lists *ls, struct rides *rides)
{
	*ls = (struct lists){ .rides = rides };
}

static void
close_one(struct lists_one **at)
{
	struct lists_one *one = *at;

	*at = one->next;
	listing_free(&one->listing);
	free(one);
}

void
lists_deinit(struct lists *ls)
{
	while (ls->first != NULL)
		close_one(&ls->first);
}

static struct lists_one **
find(struct lists *ls, int64_t box)
{
	struct lists_one **at = &ls->first;

	while (*at != NULL && (*at)->box != box)
		at = &(*at)->next;
	return at;
}

bool
lists_open(const struct lists *ls, int64_t box)
{
	const struct lists_one *one = ls->first;

	while (one != NULL && one->box != box)
		one = one->next;
	return one != NULL;
}

static int
none(const struct lists *ls, struct err *e)
{
	return err_set(e, ERR_DELIVER, 0, "ledger: %s: no listing was begun",
	    db_path(ls->rides->d));
}

/* What rides means the numbers of the listing before: it goes first. */
int
lists_begin(struct lists *ls, int64_t box, struct err *e)
{
	struct lists_one **at = find(ls, box);
	struct lists_one *one;
	struct listing *listing;
	bool pop3;

	if (*at != NULL)
		close_one(at);
	if (rides_box(ls->rides, box, &pop3, e) < 0 ||
	    rides_flush(ls->rides, e) < 0)
		return -1;
	listing = listing_new(ls->rides->d, box, e);
	if (listing == NULL)
		return -1;
	one = mem_new(sizeof(*one));
	*one = (struct lists_one){
		.next = ls->first, .box = box, .listing = listing
	};
	ls->first = one;
	return 0;
}

int
lists_add(struct lists *ls, int64_t box, uint32_t number, struct span uidl,
    uint64_t size, struct err *e)
{
	struct lists_one *one = *find(ls, box);

	if (one == NULL || one->listing == NULL)
		return none(ls, e);
	if (listing_add(one->listing, number, uidl, size, e) == 0)
		return 0;
	listing_free(&one->listing);
	return -1;
}

static int
end(struct lists *ls, const struct lists_one *one, int64_t now,
    struct lists_found *f, bool *useless, struct err *e)
{
	struct db *d = ls->rides->d;

	if (listing_end(one->listing, now, LEDGER_UIDL_KEEP_S, f->fresh,
		f->owed, &f->repeated, useless, e) < 0)
		return -1;
	if (*useless) {
		set_clear(f->full);
		return 0;
	}
	if (due_lines(d, one->box, now, LEDGER_UIDL_KEEP_S, f->fresh, f->full,
		&f->barred, e) < 0)
		return -1;
	return boxes_set_listed(d, one->box, e);
}

int
lists_end(struct lists *ls, int64_t box, int64_t now, struct lists_found *found,
    struct err *e)
{
	struct lists_one **at = find(ls, box);
	bool useless = false;
	int r;

	found->repeated = found->barred = 0;
	if (*at == NULL || (*at)->listing == NULL)
		return none(ls, e);
	if (rides_begin(ls->rides, e) < 0)
		return -1;
	r = end(ls, *at, now, found, &useless, e);
	if (useless)
		db_rollback(ls->rides->d);
	else
		r = rides_end(ls->rides, r, e);
	if (r < 0 || useless)
		listing_free(&(*at)->listing);
	else
		close_one(at);
	return r;
}
