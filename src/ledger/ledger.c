/* SPDX-License-Identifier: ISC */
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/boxes.h"
#include "ledger/db.h"
#include "ledger/listing.h"
#include "ledger/messages.h"
#include "ledger/ranges.h"
#include "ledger/store.h"
#include "sys/clock.h"
#include "util/mem.h"

/*
 * A POP3 listing on its way in. When a step of it fails it is half known: it
 * stays here without a listing, so that nothing is delivered by it, until
 * the next ledger_list_begin().
 */
struct open_list {
	struct open_list *next;
	int64_t box;
	struct listing *listing;
};

/* What ledger_gone() was told. */
struct gone {
	int64_t box;
	struct set numbers;
};

struct ledger {
	struct db *d;
	char token[STORE_TOKEN + 1];
	int64_t next_row; /* no journal row is numbered twice */
	struct open_list *lists;
	/* what rides in the next transaction */
	int64_t *published;
	size_t npublished;
	struct gone *gone;
	size_t ngone;
	/* the box asked for last */
	int64_t box;
	bool pop3;
};

/* ---- transactions, and what rides in them ---- */

static bool
rides(const struct ledger *l)
{
	return l->npublished > 0 || l->ngone > 0;
}

static void
forget_rides(struct ledger *l)
{
	size_t i;

	for (i = 0; i < l->ngone; i++)
		set_deinit(&l->gone[i].numbers);
	free(l->gone);
	free(l->published);
	l->gone = NULL;
	l->published = NULL;
	l->ngone = l->npublished = 0;
}

static int
know_box(struct ledger *l, int64_t box, struct err *e)
{
	bool pop3;

	if (l->box == box && box != 0)
		return 0;
	if (boxes_is_pop3(l->d, box, &pop3, e) < 0)
		return -1;
	l->box = box;
	l->pop3 = pop3;
	return 0;
}

static int
apply_rides(struct ledger *l, struct err *e)
{
	size_t i;

	for (i = 0; i < l->npublished; i++)
		if (messages_published(l->d, l->published[i], e) < 0)
			return -1;
	for (i = 0; i < l->ngone; i++)
		if (know_box(l, l->gone[i].box, e) < 0 ||
		    messages_gone(l->d, l->gone[i].box, l->pop3,
			&l->gone[i].numbers, e) < 0)
			return -1;
	return 0;
}

static int
begin(struct ledger *l, struct err *e)
{
	if (db_begin(l->d, e) < 0)
		return -1;
	if (apply_rides(l, e) == 0)
		return 0;
	db_rollback(l->d);
	return -1;
}

/* r is what the work gave; *e is filled when it failed. */
static int
finish(struct ledger *l, int r, struct err *e)
{
	if (r < 0) {
		db_rollback(l->d);
		return -1;
	}
	if (db_commit(l->d, e) < 0)
		return -1;
	forget_rides(l);
	return 0;
}

int
ledger_flush(struct ledger *l, struct err *e)
{
	if (!rides(l))
		return 0;
	if (begin(l, e) < 0)
		return -1;
	return finish(l, 0, e);
}

/* ---- life ---- */

struct ledger *
ledger_open(const char *path, struct err *e)
{
	struct ledger *l = mem_new(sizeof(*l));
	int64_t row;

	l->d = store_open(path, l->token, e);
	if (l->d == NULL || messages_last_row(l->d, &row, e) < 0) {
		ledger_close(&l);
		return NULL;
	}
	l->next_row = row + 1;
	return l;
}

static void
close_list(struct open_list **at)
{
	struct open_list *list = *at;

	*at = list->next;
	listing_free(&list->listing);
	free(list);
}

void
ledger_close(struct ledger **l)
{
	struct err ignored; /* what rides is only lost time */

	if (*l == NULL)
		return;
	if ((*l)->d != NULL)
		ledger_flush(*l, &ignored);
	while ((*l)->lists != NULL)
		close_list(&(*l)->lists);
	forget_rides(*l);
	db_close(&(*l)->d);
	free(*l);
	*l = NULL;
}

const char *
ledger_token(const struct ledger *l)
{
	return l->token;
}

/* ---- boxes ---- */

static int
make_box(struct ledger *l, const char *account, const char *mailbox,
    uint32_t uidvalidity, int64_t *id, struct err *e)
{
	int r;

	if (begin(l, e) < 0)
		return -1;
	r = boxes_add(l->d, account, mailbox, uidvalidity, id, e);
	return finish(l, r, e);
}

int
ledger_box(struct ledger *l, const char *account, const char *mailbox,
    uint32_t uidvalidity, int64_t *box, enum ledger_state *state, uint32_t *was,
    struct err *e)
{
	struct box found;

	*box = 0;
	*was = 0;
	if (boxes_find(l->d, account, mailbox, &found, e) < 0)
		return -1;
	if (found.id == 0) {
		*state = LEDGER_NEW;
		return make_box(l, account, mailbox, uidvalidity, box, e);
	}
	*was = (uint32_t)found.uidvalidity;
	*state = *was == uidvalidity ? LEDGER_KNOWN : LEDGER_CHANGED;
	*box = *state == LEDGER_KNOWN ? found.id : 0;
	return 0;
}

/* What rides is taken into account: the sets are as after a flush. */
int
ledger_sets(struct ledger *l, int64_t box, struct set *handled,
    struct set *owed, struct set *settled, struct err *e)
{
	size_t i;

	if (ranges_read(l->d, box, RANGES_HANDLED, handled, e) < 0 ||
	    ranges_read(l->d, box, RANGES_OWED, owed, e) < 0 ||
	    ranges_read(l->d, box, RANGES_SETTLED, settled, e) < 0)
		return -1;
	set_remove_set(settled, handled);
	for (i = 0; i < l->ngone; i++)
		if (l->gone[i].box == box)
			set_remove_set(owed, &l->gone[i].numbers);
	return 0;
}

int
ledger_listed(struct ledger *l, int64_t box, bool *listed, struct err *e)
{
	return boxes_listed(l->d, box, listed, e);
}

int
ledger_settle(
    struct ledger *l, int64_t box, const struct set *absent, struct err *e)
{
	if (begin(l, e) < 0)
		return -1;
	return finish(l, ranges_add(l->d, box, RANGES_SETTLED, absent, e), e);
}

static struct set *
riding_of(struct ledger *l, int64_t box)
{
	size_t i;

	for (i = 0; i < l->ngone; i++)
		if (l->gone[i].box == box)
			return &l->gone[i].numbers;
	l->gone = mem_grow(l->gone, l->ngone + 1, sizeof(*l->gone));
	l->gone[l->ngone].box = box;
	set_init(&l->gone[l->ngone].numbers);
	return &l->gone[l->ngone++].numbers;
}

int
ledger_gone(
    struct ledger *l, int64_t box, const struct set *numbers, struct err *e)
{
	if (know_box(l, box, e) < 0)
		return -1;
	if (!set_empty(numbers))
		set_add_set(riding_of(l, box), numbers);
	return 0;
}

int
ledger_fingerprint(struct ledger *l, int64_t box, uint32_t number,
    uint8_t fingerprint[LEDGER_FINGERPRINT], bool *found, struct err *e)
{
	*found = false;
	if (know_box(l, box, e) < 0)
		return -1;
	return messages_fingerprint(
	    l->d, box, l->pop3, number, fingerprint, found, e);
}

/* ---- POP3 listings ---- */

static struct open_list **
list_of(struct ledger *l, int64_t box)
{
	struct open_list **at = &l->lists;

	while (*at != NULL && (*at)->box != box)
		at = &(*at)->next;
	return at;
}

static int
no_list(const struct ledger *l, struct err *e)
{
	return err_set(e, ERR_DELIVER, 0, "ledger: %s: no listing was begun",
	    db_path(l->d));
}

/* What rides means the numbers of the listing before: it goes first. */
int
ledger_list_begin(struct ledger *l, int64_t box, struct err *e)
{
	struct open_list **at = list_of(l, box);
	struct open_list *list;
	struct listing *listing;

	if (*at != NULL)
		close_list(at);
	if (know_box(l, box, e) < 0 || ledger_flush(l, e) < 0)
		return -1;
	listing = listing_new(l->d, box, e);
	if (listing == NULL)
		return -1;
	list = mem_new(sizeof(*list));
	*list = (struct open_list){
		.next = l->lists, .box = box, .listing = listing
	};
	l->lists = list;
	return 0;
}

int
ledger_list_add(struct ledger *l, int64_t box, uint32_t number,
    struct span uidl, uint64_t size, struct err *e)
{
	struct open_list *list = *list_of(l, box);

	if (list == NULL || list->listing == NULL)
		return no_list(l, e);
	if (listing_add(list->listing, number, uidl, size, e) == 0)
		return 0;
	listing_free(&list->listing);
	return -1;
}

int
ledger_list_end(struct ledger *l, int64_t box, struct set *fresh,
    struct set *owed, uint32_t *repeated, struct err *e)
{
	struct open_list **at = list_of(l, box);
	bool useless = false;
	int r;

	if (*at == NULL || (*at)->listing == NULL)
		return no_list(l, e);
	if (begin(l, e) < 0)
		return -1;
	r = listing_end((*at)->listing, clock_wall_s(), LEDGER_UIDL_KEEP_S,
	    fresh, owed, repeated, &useless, e);
	if (r == 0 && !useless)
		r = boxes_set_listed(l->d, box, e);
	if (useless)
		db_rollback(l->d);
	else
		r = finish(l, r, e);
	if (r < 0 || useless)
		listing_free(&(*at)->listing);
	else
		close_list(at);
	return r;
}

/* ---- messages ---- */

/* The entries of one box, from the front. */
static size_t
of_one_box(const struct ledger_entry *entries, size_t n)
{
	size_t i = 1;

	while (i < n && entries[i].box == entries[0].box)
		i++;
	return i;
}

static int
add_group(struct ledger *l, struct ledger_entry *entries, size_t n,
    int64_t *row, struct err *e)
{
	size_t done, some;

	for (done = 0; done < n; done += some) {
		struct ledger_entry *m = &entries[done];

		some = of_one_box(m, n - done);
		if (know_box(l, m->box, e) < 0)
			return -1;
		if (*list_of(l, m->box) != NULL)
			return err_set(e, ERR_DELIVER, 0,
			    "ledger: %s: the listing has not ended",
			    db_path(l->d));
		if (messages_add(l->d, l->pop3, m, some, row, e) < 0)
			return -1;
	}
	return 0;
}

int
ledger_prepare(
    struct ledger *l, struct ledger_entry *entries, size_t n, struct err *e)
{
	int64_t row = l->next_row;

	if (n == 0)
		return ledger_flush(l, e);
	if (begin(l, e) < 0 ||
	    finish(l, add_group(l, entries, n, &row, e), e) < 0)
		return -1;
	l->next_row = row;
	return 0;
}

void
ledger_published(struct ledger *l, const struct ledger_entry *entries, size_t n)
{
	size_t i;

	l->published =
	    mem_grow(l->published, l->npublished + n, sizeof(*l->published));
	for (i = 0; i < n; i++)
		if (entries[i].row != 0)
			l->published[l->npublished++] = entries[i].row;
}

int
ledger_unprepare(struct ledger *l, const struct ledger_entry *entries, size_t n,
    struct err *e)
{
	int r = 0;
	size_t i;

	if (begin(l, e) < 0)
		return -1;
	for (i = 0; i < n && r == 0; i++)
		if (entries[i].row != 0)
			r = messages_undo(l->d, entries[i].row, e);
	return finish(l, r, e);
}

int
ledger_journal(struct ledger *l, ledger_journal_fn fn, void *arg, struct err *e)
{
	struct ledger_entry entry;
	char *dir, *file;
	int64_t row = 0;
	int r;

	while ((r = messages_next(l->d, row, &entry, &dir, &file, e)) > 0) {
		row = entry.row;
		r = fn(arg, &entry, e);
		free(dir);
		free(file);
		if (r < 0)
			return -1;
	}
	return r;
}
