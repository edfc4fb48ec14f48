/* SPDX-License-Identifier: ISC */
#include "deliver/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/crash.h"
#include "sys/log.h"
#include "util/mem.h"

struct rows { /* of the journal, for one path */
	const char *path;
	struct ledger_entry *v;
	size_t n;
};

void
places_init(struct places *ps, struct ledger *ledger)
{
	ps->ledger = ledger;
	LIST_INIT(&ps->list);
}

void
places_deinit(struct places *ps)
{
	struct place *p;

	while ((p = LIST_FIRST(&ps->list)) != NULL) {
		LIST_REMOVE(p, next);
		maildir_unref(&p->maildir);
		free(p->path);
		free(p);
	}
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
	p->path = mem_strdup(path);
	LIST_INSERT_HEAD(&ps->list, p, next);
	return p;
}

void
place_stick(struct place *p, const struct err *why)
{
	p->stuck = true;
	p->why = *why;
}

/* ---- what a crash left ---- */

/* Every path of the journal gets a place that is stuck until it is done. */
static int
note_row(void *arg, const struct ledger_entry *entry, struct err *e)
{
	struct place *p = places_find(arg, entry->dir);

	(void)e;
	p->stuck = true;
	return 0;
}

static int
take_row(void *arg, const struct ledger_entry *entry, struct err *e)
{
	struct rows *rows = arg;

	(void)e;
	if (strcmp(entry->dir, rows->path) != 0)
		return 0;
	rows->v = mem_grow(rows->v, rows->n + 1, sizeof(*rows->v));
	rows->v[rows->n] = *entry;
	rows->v[rows->n].dir = rows->path;
	rows->v[rows->n].file = mem_strdup(entry->file);
	rows->n++;
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

static int
publish_rows(const struct rows *rows, struct err *e)
{
	struct maildir *m = maildir_open(rows->path, false, e);
	int r = m == NULL ? -1 : 0;

	for (size_t i = 0; r == 0 && i < rows->n; i++)
		r = publish_row(m, rows->v[i].file, e);
	if (r == 0)
		r = maildir_sync_new(m, e);
	maildir_unref(&m);
	return r;
}

/* Not made if missing: the messages may be on a disk that is not mounted. */
static int
roll_place(struct places *ps, struct place *p, struct err *e)
{
	struct rows rows = { .path = p->path };
	int r = ledger_flush(ps->ledger, e); /* so that rows are real */

	if (r == 0)
		r = ledger_journal(ps->ledger, take_row, &rows, e);
	if (r == 0 && rows.n > 0)
		r = publish_rows(&rows, e);
	if (r == 0 && rows.n > 0) {
		ledger_published(ps->ledger, rows.v, rows.n);
		crash_point("deliver:rolled-forward");
		log_notice("deliver",
		    "%s: messages of an interrupted run: %zu, all delivered",
		    p->path, rows.n);
	}
	for (size_t i = 0; i < rows.n; i++)
		free((void *)(uintptr_t)rows.v[i].file);
	if (r < 0 && rows.n > 0)
		err_prefix(e, "%zu messages of an interrupted run wait in tmp",
		    rows.n);
	free(rows.v);
	if (r == 0)
		p->stuck = false;
	else
		place_stick(p, e);
	return r;
}

void
places_roll_forward(struct places *ps)
{
	struct place *p;
	struct err e = { 0 };
	int r = ledger_journal(ps->ledger, note_row, ps, &e);

	LIST_FOREACH (p, &ps->list, next) {
		if (r == 0 && p->stuck && roll_place(ps, p, &e) < 0)
			log_error("deliver", "%s", e.text);
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
	if (maildir_sweep(p->maildir, ledger_token(ps->ledger), e) < 0)
		return -1;
	p->swept = true;
	return 0;
}

int
place_ready(struct places *ps, struct place *p, struct err *e)
{
	if (p->stuck && roll_place(ps, p, e) < 0)
		return -1;
	if (p->maildir != NULL && !maildir_is_current(p->maildir))
		maildir_unref(&p->maildir);
	if (p->maildir == NULL)
		p->maildir = maildir_open(p->path, true, e);
	return p->maildir == NULL ? -1 : sweep(ps, p, e);
}
