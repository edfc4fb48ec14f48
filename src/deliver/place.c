/* SPDX-License-Identifier: ISC */
#include "deliver/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/mbox_spool.h"
#include "sys/crash.h"
#include "sys/limit.h"
#include "sys/log.h"
#include "util/mem.h"

/* Maildirs that stay open without a mailbox or a message: each is four
 * descriptors, and there may be thousands of accounts, or mailboxes. */
#define IDLE_MAX 64
#define IDLE_SHARE 16 /* of the descriptors, when they are few */

struct rows { /* of the journal, for one path */
	const char *path;
	struct ledger_entry *v;
	size_t n;
	size_t here; /* the first so many are of the Maildir that is there */
};

void
places_init(struct places *ps, struct ledger *ledger,
    const struct maildir_names *names, const char *spool)
{
	ps->ledger = ledger;
	ps->names = names;
	ps->spool = mem_strdup(spool);
	ps->uses = 0;
	ps->broken = 0;
	LIST_INIT(&ps->list);
}

void
places_deinit(struct places *ps)
{
	struct place *p;

	while ((p = LIST_FIRST(&ps->list)) != NULL) {
		LIST_REMOVE(p, next);
		maildir_unref(&p->maildir);
		free(p->mark);
		free(p->path);
		free(p);
	}
	free(ps->spool);
}

struct place *
places_find(struct places *ps, const char *path)
{
	struct place *p;

	LIST_FOREACH (p, &ps->list, next) {
		if (strcmp(p->path, path) == 0)
			return p;
	}
	p = mem_new(sizeof(*p));
	p->places = ps;
	p->path = mem_strdup(path);
	if (strncmp(path, PLACE_MBOX, strlen(PLACE_MBOX)) == 0)
		p->mbox = p->path + strlen(PLACE_MBOX);
	LIST_INSERT_HEAD(&ps->list, p, next);
	return p;
}

struct place *
place_home(struct place *p)
{
	return p->spool == NULL ? p : p->spool;
}

void
place_stick(struct place *p, const struct err *why)
{
	p->stuck = true;
	p->why = *why;
}

void
place_break(struct place *p, const struct err *why)
{
	if (!p->broken)
		p->places->broken++;
	p->broken = true;
	place_stick(p, why);
}

/* -1 when these directories belong to a broken place. */
static int
refuse_broken(const struct places *ps, const struct maildir *m, struct err *e)
{
	const struct place *p;

	if (ps->broken == 0) /* mostly, and there may be thousands of places */
		return 0;
	LIST_FOREACH (p, &ps->list, next) {
		if (p->broken && p->mbox == NULL && p->maildir != NULL &&
		    maildir_is_same(p->maildir, m)) {
			*e = p->why;
			return -1;
		}
	}
	return 0;
}

/* ---- what a crash left ---- */

/* The path of its place; the caller frees. */
static char *
path_of(const struct ledger_entry *entry)
{
	if (strncmp(entry->dir, PLACE_MBOX, strlen(PLACE_MBOX)) == 0)
		return mem_strdup(entry->dir);
	return maildir_of_mark(entry->dir);
}

struct owed {
	void (*fn)(void *arg, const char *dir);
	void *arg;
};

static int
tell_owed(void *arg, const struct ledger_entry *entry, struct err *e)
{
	const struct owed *o = arg;
	char *path = path_of(entry), *dir = path, *slash;

	(void)e;
	if (strncmp(path, PLACE_MBOX, strlen(PLACE_MBOX)) == 0) {
		dir = path + strlen(PLACE_MBOX);
		slash = strrchr(dir, '/');
		if (slash != NULL)
			slash[slash == dir] = '\0';
	}
	o->fn(o->arg, dir);
	free(path);
	return 0;
}

int
places_owed(struct ledger *ledger, void (*fn)(void *arg, const char *dir),
    void *arg, struct err *e)
{
	struct owed o = { fn, arg };

	return ledger_journal(ledger, tell_owed, &o, e);
}

/* Every path of the journal gets a place that is stuck until it is done. */
static int
note_row(void *arg, const struct ledger_entry *entry, struct err *e)
{
	char *path = path_of(entry);

	(void)e;
	places_find(arg, path)->stuck = true;
	free(path);
	return 0;
}

static int
take_row(void *arg, const struct ledger_entry *entry, struct err *e)
{
	struct rows *rows = arg;
	char *path = path_of(entry);
	bool wanted = strcmp(path, rows->path) == 0;

	(void)e;
	free(path);
	if (!wanted)
		return 0;
	rows->v = mem_grow(rows->v, rows->n + 1, sizeof(*rows->v));
	rows->v[rows->n] = *entry;
	rows->v[rows->n].dir = mem_strdup(entry->dir);
	rows->v[rows->n].file = mem_strdup(entry->file);
	rows->n++;
	return 0;
}

static void
free_rows(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		free((void *)(uintptr_t)rows->v[i].dir);
		free((void *)(uintptr_t)rows->v[i].file);
	}
	free(rows->v);
}

/* Another Maildir may stand there than before, or one that we made because
 * none did: its tmp/ tells nothing of the messages of the other. */
static int
sort_rows(const struct maildir *m, struct rows *rows, struct err *e)
{
	for (size_t i = 0; i < rows->n; i++) {
		struct ledger_entry row = rows->v[i];
		int has = maildir_has_mark(m, row.dir, e);

		if (has < 0)
			return -1;
		if (has == 0)
			continue;
		rows->v[i] = rows->v[rows->here];
		rows->v[rows->here++] = row;
	}
	return 0;
}

/* The message is in tmp/, or was published already. */
static int
publish_row(const struct maildir *m, const char *final, struct err *e)
{
	char name[MAILDIR_NAME_MAX];
	int has;

	if (!maildir_unfinal(name, final))
		return err_set(e, ERR_DELIVER, 0,
		    "%s: \"%s\" in the journal is no name of ours",
		    maildir_path(m), final);
	has = maildir_has(m, name, e);
	if (has > 0)
		has = maildir_publish(m, name, final, e);
	crash_point("deliver:rolled");
	return has;
}

/* Those that were published before the crash, too. */
static int
sync_published(
    struct place *p, struct maildir *m, const struct rows *rows, struct err *e)
{
	bool new = false, cur = false;

	for (size_t i = 0; i < rows->here; i++) {
		if (maildir_final_is_cur(rows->v[i].file))
			cur = true;
		else
			new = true;
	}
	if (maildir_sync_published(m, new, cur, e) == 0)
		return 0;
	place_break(p, e);
	maildir_unref(&p->maildir); /* it is known again by this one */
	p->maildir = maildir_ref(m);
	return -1;
}

/* Not made if missing: the messages may be on a disk that is not mounted. */
static int
publish_rows(
    const struct places *ps, struct place *p, struct rows *rows, struct err *e)
{
	struct maildir *m = maildir_open(rows->path, false, false, e);
	int r = m == NULL ? -1 : refuse_broken(ps, m, e);

	if (r == 0)
		r = sort_rows(m, rows, e);
	for (size_t i = 0; r == 0 && i < rows->here; i++)
		r = publish_row(m, rows->v[i].file, e);
	if (r == 0)
		r = sync_published(p, m, rows, e);
	maildir_unref(&m);
	return r;
}

static int
open_spool(struct places *ps, struct place *p, struct err *e)
{
	if (ps->spool == NULL)
		return err_set(
		    e, ERR_DELIVER, 0, "%s: there is no spool", p->mbox);
	p->spool = places_find(ps, ps->spool);
	if (place_ready(ps, p->spool, e) < 0)
		return -1;
	maildir_unref(&p->maildir);
	p->maildir = maildir_ref(p->spool->maildir);
	return 0;
}

static int
append_rows(
    struct places *ps, struct place *p, struct rows *rows, struct err *e)
{
	bool broken = false;
	int r = open_spool(ps, p, e);

	if (r == 0)
		r = mbox_spool_roll(
		    p->maildir, p->mbox, rows->v, rows->n, &broken, e);
	if (r == 0)
		rows->here = rows->n;
	if (broken)
		place_break(p, e);
	return r;
}

static void
note_published(
    const struct places *ps, const struct place *p, const struct rows *rows)
{
	if (rows->here == 0)
		return;
	ledger_published(ps->ledger, rows->v, rows->here);
	crash_point("deliver:rolled-forward");
	log_notice("deliver",
	    "%s: messages of an interrupted run: %zu, all delivered", p->path,
	    rows->here);
}

/* What to do about those of another Maildir; the mark is what it takes. */
static int
await_mark(const struct rows *rows, struct err *e)
{
	if (rows->here == rows->n)
		return 0;
	return err_set(e, ERR_DELIVER, ENOENT,
	    "%s is missing: not the Maildir they are in (not mounted?); to "
	    "give them up, make that file",
	    rows->v[rows->here].dir);
}

static int
roll_place(struct places *ps, struct place *p, struct err *e)
{
	struct rows rows = { .path = p->path };
	int r = ledger_flush(ps->ledger, e); /* so that rows are real */

	if (r == 0)
		r = ledger_journal(ps->ledger, take_row, &rows, e);
	if (r == 0 && rows.n > 0)
		r = p->mbox != NULL ? append_rows(ps, p, &rows, e)
				    : publish_rows(ps, p, &rows, e);
	if (r == 0) {
		note_published(ps, p, &rows);
		r = await_mark(&rows, e);
	} else {
		rows.here = 0;
	}
	if (r < 0 && rows.n > 0)
		err_prefix(e, "%zu messages of an interrupted run wait in tmp",
		    rows.n - rows.here);
	free_rows(&rows);
	if (r == 0)
		p->stuck = false;
	else
		place_stick(p, e);
	return r;
}

/* A lock will be given back. */
static void
log_stuck(const struct err *e)
{
	if (e->sys == EBUSY)
		log_warning("deliver", "%s", e->text);
	else
		log_error("deliver", "%s", e->text);
}

void
places_roll_forward(struct places *ps)
{
	struct place *p;
	struct err e = { 0 };
	int r = ledger_journal(ps->ledger, note_row, ps, &e);

	LIST_FOREACH (p, &ps->list, next) {
		if (r == 0 && p->stuck && roll_place(ps, p, &e) < 0)
			log_stuck(&e);
	}
	if (r == 0)
		r = ledger_flush(ps->ledger, &e);
	if (r < 0)
		log_error("deliver", "%s", e.text);
}

/* ---- */

static bool
anything_stuck(const struct places *ps)
{
	const struct place *p;

	LIST_FOREACH (p, &ps->list, next) {
		if (p->stuck)
			return true;
	}
	return false;
}

/* One path may lead to the same directory as another, so what is stuck in
 * one stops the sweeping of all. */
static int
sweep(struct places *ps, struct place *p, struct err *e)
{
	if (p->swept || anything_stuck(ps))
		return 0;
	if (maildir_sweep(p->maildir, ps->names, e) < 0)
		return -1;
	p->swept = true;
	return 0;
}

/* Those of broken places are needed to know them again. */
static bool
is_idle(const struct place *p)
{
	return p->maildir != NULL && !p->broken && maildir_is_idle(p->maildir);
}

void
places_rest(struct places *ps)
{
	uint64_t most = limit_files(IDLE_MAX * IDLE_SHARE) / IDLE_SHARE;
	struct place *p;

	LIST_FOREACH (p, &ps->list, next) {
		if (p->used + most <= ps->uses && is_idle(p))
			maildir_unref(&p->maildir);
	}
}

static int
open_maildir(struct places *ps, struct place *p, struct err *e)
{
	places_rest(ps);
	p->maildir = maildir_open_again(p->path, p->folder, p->mark, e);
	if (p->maildir == NULL)
		return -1;
	free(p->mark);
	p->mark = mem_strdup(maildir_mark(p->maildir));
	return 0;
}

int
place_ready(struct places *ps, struct place *p, struct err *e)
{
	if (p->broken) {
		*e = p->why;
		return -1;
	}
	if (p->stuck && roll_place(ps, p, e) < 0)
		return -1;
	if (p->mbox != NULL)
		return open_spool(ps, p, e);
	if (p->root != NULL && place_ready(ps, p->root, e) < 0)
		return -1;
	if (p->maildir != NULL && !maildir_is_current(p->maildir))
		maildir_unref(&p->maildir);
	p->used = ++ps->uses;
	if ((p->maildir == NULL && open_maildir(ps, p, e) < 0) ||
	    refuse_broken(ps, p->maildir, e) < 0)
		return -1;
	return sweep(ps, p, e);
}
