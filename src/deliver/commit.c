/* SPDX-License-Identifier: ISC */
#include "deliver/commit.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/commit_mbox.h"
#include "deliver/group.h"
#include "deliver/mbox_spool.h"
#include "sys/crash.h"
#include "util/mem.h"

struct group_dir {               /* a Maildir with messages in this group */
	struct maildir *maildir; /* not ours */
	struct place *place;     /* not ours */
	bool new, cur;           /* what of it was used */
	struct err e;            /* its failure is that of all in it */
};

void
commit_discard(struct commit *c)
{
	c->busy = false;
	group_close_file(c);
	group_remove_file(c);
	maildir_unref(&c->maildir);
}

static int
fail(struct commit *c, const char *what, int sys)
{
	return err_set(&c->e, ERR_DELIVER, sys, "%s/tmp/%s: %s: %s",
	    maildir_path(c->maildir), c->name, what, strerror(sys));
}

/* ---- 1: the files ---- */

/* Where it will go to, as the journal has it. */
static int
name_target(struct commit *c)
{
	if (c->place->mbox != NULL) {
		c->entry.dir = c->place->path;
		c->entry.file = c->name;
		return mbox_spool_check(c->maildir, c->name, c->octets, &c->e);
	}
	maildir_final(c->final, c->name, c->octets, c->flags);
	c->entry.dir = maildir_mark(c->maildir);
	c->entry.file = c->final;
	return c->time == 0 ? 0 : maildir_set_time(c->fd, c->time, &c->e);
}

/* One that found its mbox locked comes again: it is closed by now. */
static int
reopen(struct commit *c)
{
	c->busy = false;
	if (c->fd < 0)
		c->fd = maildir_read(c->maildir, c->name, &c->e);
	return c->fd;
}

static int
check(struct commit *c)
{
	const struct place *home = place_home(c->place);
	struct stat st;

	if (c->place->stuck || home->stuck) {
		c->e = c->place->stuck ? c->place->why : home->why;
		return -1;
	}
	if (reopen(c) < 0)
		return -1;
	if (fstat(c->fd, &st) < 0)
		return fail(c, "cannot be looked at", errno);
	if ((uint64_t)st.st_size != c->octets)
		return err_set(&c->e, ERR_DELIVER, 0,
		    "%s/tmp/%s: has another size than was written",
		    maildir_path(c->maildir), c->name);
	return name_target(c);
}

static void
sync_files(struct group *g)
{
	struct sync_file *files = mem_array(g->n, sizeof(*files));

	for (size_t i = 0; i < g->n; i++)
		files[i].fd = g->c[i]->fd;
	sync_group(g->tools->sync, files, g->n);
	for (size_t i = 0; i < g->n; i++) {
		struct commit *c = g->c[i];

		if (files[i].error == 0 && close(c->fd) < 0 && errno != EINTR)
			files[i].error = errno;
		if (files[i].error == 0)
			c->fd = -1;
		else
			fail(c, "cannot be made durable", files[i].error);
	}
	free(files);
	crash_point("deliver:files");
}

/* ---- 2 and 5: the directories ---- */

static struct group_dir *
find_dir(struct group *g, const struct maildir *m)
{
	for (size_t i = g->n_dirs; i-- > 0;) {
		if (g->dirs[i].maildir == m)
			return &g->dirs[i];
	}
	return NULL;
}

static void
find_dirs(struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct commit *c = g->c[i];

		if (find_dir(g, c->maildir) != NULL)
			continue;
		g->dirs = mem_grow(g->dirs, g->n_dirs + 1, sizeof(*g->dirs));
		g->dirs[g->n_dirs++] =
		    (struct group_dir){ .maildir = c->maildir,
			    .place = place_home(c->place) };
	}
}

struct part { /* of a Maildir, to be synced */
	struct group_dir *dir;
	enum maildir_part part;
};

/* Those of a group are of many Maildirs, maybe: they are synced as its files
 * are, since one after the other would be a long chain. */
static void
sync_parts(struct group *g, const struct part *parts, size_t n)
{
	struct sync_file *files = mem_array(n, sizeof(*files));

	for (size_t i = 0; i < n; i++)
		files[i].fd =
		    maildir_part_fd(parts[i].dir->maildir, parts[i].part);
	sync_group(g->tools->sync, files, n);
	for (size_t i = 0; i < n; i++) {
		struct group_dir *d = parts[i].dir;

		if (files[i].error == 0)
			continue;
		maildir_not_durable(
		    d->maildir, parts[i].part, files[i].error, &d->e);
		place_break(d->place, &d->e);
	}
	free(files);
}

static void
note_dirs(struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct group_dir *d = find_dir(g, g->c[i]->maildir);

		if (d != NULL)
			g->c[i]->e = d->e;
	}
}

static void
sync_tmp(struct group *g)
{
	struct part *parts = mem_array(g->n_dirs, sizeof(*parts));

	for (size_t i = 0; i < g->n_dirs; i++)
		parts[i] = (struct part){ &g->dirs[i], MAILDIR_TMP };
	sync_parts(g, parts, g->n_dirs);
	note_dirs(g);
	free(parts);
}

static void
sync_published(struct group *g)
{
	struct part *parts = mem_array(g->n_dirs, 2 * sizeof(*parts));
	size_t n = 0;

	for (size_t i = 0; i < g->n_dirs; i++) {
		struct group_dir *d = &g->dirs[i];

		err_clear(&d->e);
		if (d->new)
			parts[n++] = (struct part){ d, MAILDIR_NEW };
		if (d->cur)
			parts[n++] = (struct part){ d, MAILDIR_CUR };
	}
	sync_parts(g, parts, n);
	note_dirs(g);
	free(parts);
}

/* ---- 4: publishing ---- */

static void
note_used(struct group *g, const struct commit *c)
{
	struct group_dir *d = find_dir(g, c->maildir);

	assert(d != NULL);
	if (maildir_final_is_cur(c->final))
		d->cur = true;
	else
		d->new = true;
}

static void
publish(struct group *g)
{
	struct ledger_entry *entries = mem_array(g->n, sizeof(*entries));
	struct commit **failed = mem_array(g->n, sizeof(*failed));
	size_t n = 0, n_failed = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct commit *c = g->c[i];

		if (maildir_publish(c->maildir, c->name, c->final, &c->e) ==
		    0) {
			note_used(g, c);
			g->entries[n] = g->entries[i];
			g->c[n++] = c;
			crash_point("deliver:renamed");
		} else if (maildir_is_unpublished(
			       c->maildir, c->name, c->final)) {
			entries[n_failed] = g->entries[i];
			failed[n_failed++] = c;
		} else { /* it may be there: the journal keeps it */
			place_stick(c->place, &c->e);
		}
	}
	g->n = n;
	if (n_failed > 0)
		group_take_back(g, failed, entries, n_failed);
	free(entries);
	free(failed);
}

/* ---- 6 ---- */

static void
finish(struct group *g)
{
	group_prepare(g);
	publish(g);
	if (g->n == 0)
		return;
	sync_published(g);
	crash_point("deliver:new");
	group_published(g);
}

/* ---- all of it ---- */

static struct place *
mbox_of(const struct commit *c)
{
	return c->place->mbox == NULL ? NULL : c->place;
}

/* Those of one mbox, or of all Maildirs (NULL), are a group of their own. */
static void
finish_part(struct group *whole, struct place *mbox)
{
	struct group g = { .tools = whole->tools };
	size_t left = 0;

	g.c = mem_array(whole->n, sizeof(*g.c));
	for (size_t i = 0; i < whole->n; i++) {
		if (mbox_of(whole->c[i]) == mbox)
			g.c[g.n++] = whole->c[i];
		else
			whole->c[left++] = whole->c[i];
	}
	whole->n = left;
	if (mbox != NULL) {
		commit_to_mbox(&g, mbox);
	} else {
		find_dirs(&g);
		finish(&g);
	}
	group_free(&g);
}

/* Those without a place were handed on before: all that is left is to record
 * it. */
static void
finish_records(struct group *whole)
{
	struct group g = { .tools = whole->tools };
	size_t left = 0;

	g.c = mem_array(whole->n, sizeof(*g.c));
	for (size_t i = 0; i < whole->n; i++) {
		if (whole->c[i]->place == NULL)
			g.c[g.n++] = whole->c[i];
		else
			whole->c[left++] = whole->c[i];
	}
	whole->n = left;
	if (g.n > 0)
		group_prepare(&g);
	group_free(&g);
}

static void
run(struct group *g)
{
	finish_records(g);
	if (g->n == 0)
		return;
	for (size_t i = 0; i < g->n; i++)
		check(g->c[i]);
	group_drop_failed(g);
	sync_files(g);
	group_drop_failed(g);
	find_dirs(g);
	sync_tmp(g);
	crash_point("deliver:tmp");
	group_drop_failed(g);
	while (g->n > 0)
		finish_part(g, mbox_of(g->c[0]));
}

void
commit_group(
    const struct commit_tools *tools, struct commit *const *commits, size_t n)
{
	struct group g = { .tools = tools, .n = n };

	g.c = mem_array(n, sizeof(*g.c));
	memcpy(g.c, commits, n * sizeof(struct commit *));
	run(&g);
	for (size_t i = 0; i < n; i++)
		if (!commits[i]->busy)
			maildir_unref(&commits[i]->maildir);
	group_free(&g);
}
