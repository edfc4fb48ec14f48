/* SPDX-License-Identifier: ISC */
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/accounts.h"
#include "ledger/asked.h"
#include "ledger/boxes.h"
#include "ledger/db.h"
#include "ledger/due.h"
#include "ledger/handled.h"
#include "ledger/lists.h"
#include "ledger/messages.h"
#include "ledger/names.h"
#include "ledger/ranges.h"
#include "ledger/rides.h"
#include "ledger/store.h"
#include "ledger/troubles.h"
#include "sys/clock.h"
#include "util/mem.h"

struct ledger {
	struct db *d;
	char token[STORE_TOKEN + 1];
	int64_t next_row; /* no journal row is numbered twice */
	struct rides rides;
	struct lists lists;
};

int
ledger_flush(struct ledger *l, struct err *e)
{
	return rides_flush(&l->rides, e);
}

int
ledger_reserve(struct ledger *l, struct err *e)
{
	return rides_reserve(&l->rides, e);
}

/* ---- life ---- */

static struct ledger *
enter(struct ledger *l, struct err *e)
{
	int64_t row;

	if (l->d == NULL || messages_last_row(l->d, &row, e) < 0) {
		ledger_close(&l);
		return NULL;
	}
	rides_init(&l->rides, l->d);
	lists_init(&l->lists, &l->rides);
	l->next_row = row + 1;
	return l;
}

struct ledger *
ledger_open(const char *path, struct err *e)
{
	struct ledger *l = mem_new(sizeof(*l));

	l->d = store_open(path, l->token, e);
	return enter(l, e);
}

struct ledger *
ledger_open_existing(const char *path, struct err *e)
{
	struct ledger *l = mem_new(sizeof(*l));

	l->d = store_open_existing(path, l->token, e);
	return enter(l, e);
}

void
ledger_close(struct ledger **l)
{
	struct err ignored; /* what rides is only lost time */

	if (*l == NULL)
		return;
	if ((*l)->d != NULL)
		ledger_flush(*l, &ignored);
	lists_deinit(&(*l)->lists);
	rides_deinit(&(*l)->rides);
	db_close(&(*l)->d);
	free(*l);
	*l = NULL;
}

const char *
ledger_token(const struct ledger *l)
{
	return l->token;
}

/* ---- accounts ---- */

int
ledger_account(struct ledger *l, const char *name, struct ledger_account *out,
    struct err *e)
{
	return accounts_find(l->d, name, out, e);
}

int
ledger_account_note(struct ledger *l, const char *name,
    const struct ledger_account *a, struct err *e)
{
	struct ledger_account now;

	if (accounts_find(l->d, name, &now, e) < 0)
		return -1;
	if (now.refused == a->refused && now.refused_at == a->refused_at &&
	    now.mark == a->mark)
		return 0;
	if (rides_begin(&l->rides, e) < 0)
		return -1;
	return rides_end(&l->rides, accounts_note(l->d, name, a, e), e);
}

/* ---- boxes ---- */

static int
make_box(struct ledger *l, const char *account, const char *mailbox,
    uint32_t uidvalidity, int64_t *id, struct err *e)
{
	int r;

	if (rides_begin(&l->rides, e) < 0)
		return -1;
	r = boxes_add(l->d, account, mailbox, uidvalidity, id, e);
	return rides_end(&l->rides, r, e);
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
	const struct set *gone = rides_gone_of(&l->rides, box);

	if (ranges_read(l->d, box, RANGES_HANDLED, handled, e) < 0 ||
	    ranges_read(l->d, box, RANGES_OWED, owed, e) < 0 ||
	    ranges_read(l->d, box, RANGES_SETTLED, settled, e) < 0)
		return -1;
	set_remove_set(settled, handled);
	if (gone != NULL)
		set_remove_set(owed, gone);
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
	if (rides_begin(&l->rides, e) < 0)
		return -1;
	return rides_end(
	    &l->rides, ranges_add(l->d, box, RANGES_SETTLED, absent, e), e);
}

int
ledger_gone(
    struct ledger *l, int64_t box, const struct set *numbers, struct err *e)
{
	return rides_go(&l->rides, box, numbers, e);
}

int
ledger_fingerprint(struct ledger *l, int64_t box, uint32_t number,
    uint8_t fingerprint[LEDGER_FINGERPRINT], bool *found, struct err *e)
{
	bool pop3;

	*found = false;
	if (rides_box(&l->rides, box, &pop3, e) < 0)
		return -1;
	return messages_fingerprint(
	    l->d, box, pop3, number, fingerprint, found, e);
}

/* ---- POP3 listings ---- */

int
ledger_list_begin(struct ledger *l, int64_t box, struct err *e)
{
	return lists_begin(&l->lists, box, e);
}

int
ledger_list_add(struct ledger *l, int64_t box, uint32_t number,
    struct span uidl, uint64_t size, struct err *e)
{
	return lists_add(&l->lists, box, number, uidl, size, e);
}

int
ledger_list_end(struct ledger *l, int64_t box, struct set *fresh,
    struct set *owed, uint32_t *repeated, struct set *full, uint32_t *barred,
    struct err *e)
{
	struct lists_found found = {
		.fresh = fresh, .owed = owed, .full = full
	};
	int r = lists_end(&l->lists, box, clock_wall_s(), &found, e);

	*repeated = found.repeated;
	*barred = found.barred;
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

/* Numbers mean something in this box. */
static int
check_box(struct ledger *l, int64_t box, bool *pop3, struct err *e)
{
	if (rides_box(&l->rides, box, pop3, e) < 0)
		return -1;
	if (!lists_open(&l->lists, box))
		return 0;
	return err_set(e, ERR_DELIVER, 0,
	    "ledger: %s: the listing has not ended", db_path(l->d));
}

static int
add_group(struct ledger *l, struct ledger_entry *entries, size_t n,
    int64_t *row, struct err *e)
{
	struct messages_work w = { .now = clock_wall_s(), .row = row };
	size_t done, some;

	for (done = 0; done < n; done += some) {
		struct ledger_entry *m = &entries[done];

		some = of_one_box(m, n - done);
		if (check_box(l, m->box, &w.pop3, e) < 0 ||
		    messages_add(l->d, &w, m, some, e) < 0)
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
	if (rides_begin(&l->rides, e) < 0 ||
	    rides_end(&l->rides, add_group(l, entries, n, &row, e), e) < 0)
		return -1;
	l->next_row = row;
	return 0;
}

void
ledger_published(struct ledger *l, const struct ledger_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rides_publish(&l->rides, entries[i].row);
}

int
ledger_unprepare(struct ledger *l, const struct ledger_entry *entries, size_t n,
    struct err *e)
{
	int r = 0;
	size_t i;

	if (rides_begin(&l->rides, e) < 0)
		return -1;
	for (i = 0; i < n && r == 0; i++)
		if (entries[i].row != 0)
			r = messages_undo(l->d, entries[i].row, e);
	return rides_end(&l->rides, r, e);
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

/* ---- before it is handed over ---- */

static int
ask(struct ledger *l, struct ledger_entry *m, struct ledger_asked *out,
    struct err *e)
{
	bool pop3;

	if (check_box(l, m->box, &pop3, e) < 0 ||
	    handled_find(l->d, pop3, m, e) < 0)
		return -1;
	return asked_find(l->d, m, pop3, clock_wall_s(), out, e);
}

int
ledger_ask(struct ledger *l, const struct ledger_entry *in,
    struct ledger_asked *out, struct err *e)
{
	struct ledger_entry m = *in;

	ledger_asked_deinit(out);
	ledger_asked_init(out);
	if (rides_begin(&l->rides, e) < 0)
		return -1;
	return rides_end(&l->rides, ask(l, &m, out, e), e);
}

/* ---- messages in trouble ---- */

unsigned int
ledger_delay_s(unsigned int tries)
{
	return troubles_delay_s(tries);
}

static int
note_one(struct ledger *l, struct ledger_note *note, int64_t now, struct err *e)
{
	struct message message;
	struct trouble t;
	struct name name;
	bool pop3, handled;

	note->held = false;
	if (check_box(l, note->box, &pop3, e) < 0)
		return -1;
	message = names_note(note, pop3);
	if (handled_has(l->d, &message, &handled, e) < 0)
		return -1;
	if (handled)
		return 0;
	if (names_of(l->d, &message, &name, e) < 0 ||
	    troubles_note(l->d, &name, note, now, &t, e) < 0)
		return -1;
	note->held = t.state == LEDGER_HELD;
	/* of what has no UIDL there are no listings, either */
	if (!note->by_content)
		return 0;
	return troubles_expire(l->d, note->box, now, LEDGER_UIDL_KEEP_S, e);
}

int
ledger_note(
    struct ledger *l, struct ledger_note *notes, size_t n, struct err *e)
{
	int64_t now = clock_wall_s();
	int r = 0;

	if (rides_begin(&l->rides, e) < 0)
		return -1;
	for (size_t i = 0; i < n && r == 0; i++)
		r = note_one(l, &notes[i], now, e);
	return rides_end(&l->rides, r, e);
}

int
ledger_troubles_of(struct ledger *l, int64_t box, struct set *barred,
    struct set *due, struct set *full, struct err *e)
{
	return due_uids(l->d, box, clock_wall_s(), barred, due, full, e);
}

int
ledger_missing(
    struct ledger *l, int64_t box, const struct set *numbers, struct err *e)
{
	if (rides_begin(&l->rides, e) < 0)
		return -1;
	return rides_end(&l->rides, due_missing(l->d, box, numbers, e), e);
}

int
ledger_troubles(struct ledger *l, const char *account, ledger_trouble_fn fn,
    void *arg, struct err *e)
{
	return troubles_show(l->d, account, fn, arg, e);
}

int
ledger_trouble_retry(struct ledger *l, int64_t id, bool full, struct err *e)
{
	if (rides_begin(&l->rides, e) < 0)
		return -1;
	return rides_end(&l->rides, troubles_retry(l->d, id, full, e), e);
}

int
ledger_trouble_drop(struct ledger *l, int64_t id, struct err *e)
{
	if (rides_begin(&l->rides, e) < 0)
		return -1;
	return rides_end(&l->rides, troubles_drop(l->d, id, e), e);
}

int
ledger_name(struct ledger *l, int64_t box, uint32_t number,
    char text[LEDGER_UID_TEXT], struct err *e)
{
	struct message m = { .box = box, .pop3 = true, .number = number };
	struct name name;

	if (names_of(l->d, &m, &name, e) < 0)
		return -1;
	names_show(text, LEDGER_UID_TEXT, names_span(&name));
	return 0;
}
