/* SPDX-License-Identifier: ISC */
#include "deliver/commit.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/fingerprint.h"
#include "sys/crash.h"
#include "sys/log.h"
#include "util/mem.h"

struct dir {                     /* a Maildir with messages in this group */
	struct maildir *maildir; /* not ours */
	struct place *place;     /* not ours */
	bool new, cur;           /* what of it was used */
	struct err e;            /* its failure is that of all in it */
};

struct group {
	const struct commit_tools *tools;
	struct commit **c; /* those that did not fail so far */
	size_t n;
	struct dir *dirs;
	size_t n_dirs;
	struct ledger_entry *entries;
};

static void
close_fd(struct commit *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void
remove_tmp(const struct commit *c)
{
	struct err e;

	if (maildir_discard(c->maildir, c->name, &e) < 0)
		log_warning("deliver", "%s", e.text);
}

void
commit_discard(struct commit *c)
{
	close_fd(c);
	remove_tmp(c);
	maildir_unref(&c->maildir);
}

static int
fail(struct commit *c, const char *what, int sys)
{
	return err_set(&c->e, ERR_DELIVER, sys, "%s/tmp/%s: %s: %s",
	    maildir_path(c->maildir), c->name, what, strerror(sys));
}

/* Leaves those that can go on. */
static void
drop_failed(struct group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct commit *c = g->c[i];

		if (c->e.kind == ERR_NONE) {
			g->c[n++] = c;
			continue;
		}
		close_fd(c);
		remove_tmp(c);
	}
	g->n = n;
}

/* ---- 1: the files ---- */

static int
check(const struct commit_tools *tools, struct commit *c)
{
	struct stat st;
	struct digest d;
	int fd;

	if (c->place->stuck) {
		c->e = c->place->why;
		return -1;
	}
	if (fstat(c->fd, &st) < 0)
		return fail(c, "cannot be looked at", errno);
	if ((uint64_t)st.st_size != c->octets)
		return err_set(&c->e, ERR_DELIVER, 0,
		    "%s/tmp/%s: has another size than was written",
		    maildir_path(c->maildir), c->name);
	if (c->time != 0 && maildir_set_time(c->fd, c->time, &c->e) < 0)
		return -1;
	maildir_final(c->final, c->name, c->octets, c->flags);
	c->entry.dir = maildir_mark(c->maildir);
	c->entry.file = c->final;
	if (!c->entry.by_content)
		return 0;
	fd = maildir_read(c->maildir, c->name, &c->e);
	if (fd < 0)
		return -1;
	fingerprint_file(fd, c->name, tools->digest, &d, &c->e);
	close(fd);
	memcpy(c->entry.fingerprint, d.b, sizeof(d.b));
	return 0;
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

static struct dir *
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
		    (struct dir){ .maildir = c->maildir, .place = c->place };
	}
}

static int
sync_tmp(const struct dir *d, struct err *e)
{
	return maildir_sync_tmp(d->maildir, e);
}

static int
sync_published(const struct dir *d, struct err *e)
{
	return maildir_sync_published(d->maildir, d->new, d->cur, e);
}

static void
sync_dirs(struct group *g, int (*sync)(const struct dir *d, struct err *e))
{
	for (size_t i = 0; i < g->n_dirs; i++) {
		struct dir *d = &g->dirs[i];

		if (sync(d, &d->e) < 0)
			place_break(d->place, &d->e);
	}
	for (size_t i = 0; i < g->n; i++) {
		const struct dir *d = find_dir(g, g->c[i]->maildir);

		if (d != NULL)
			g->c[i]->e = d->e;
	}
}

/* ---- 3: the ledger ---- */

static void
fail_all(struct group *g, const struct err *e)
{
	for (size_t i = 0; i < g->n; i++)
		g->c[i]->e = *e;
}

/* Those that the ledger knows already were delivered by an earlier run, and
 * are done. */
static void
drop_known(struct group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (g->entries[i].known) {
			g->c[i]->entry.known = true;
			remove_tmp(g->c[i]);
			continue;
		}
		g->entries[n] = g->entries[i];
		g->c[n++] = g->c[i];
	}
	g->n = n;
}

/* A sync that failed: the record may be on the disk all the same, and come
 * back. The files stay, and the next start decides. */
static bool
is_in_doubt(int sys)
{
	return sys == EIO || sys == ENOSPC || sys == EDQUOT;
}

static void
prepare(struct group *g)
{
	struct err e = { 0 };

	g->entries = mem_array(g->n, sizeof(*g->entries));
	for (size_t i = 0; i < g->n; i++)
		g->entries[i] = g->c[i]->entry;
	if (ledger_prepare(g->tools->ledger, g->entries, g->n, &e) == 0) {
		crash_point("deliver:prepared");
		drop_known(g);
		return;
	}
	fail_all(g, &e);
	if (is_in_doubt(e.sys))
		g->n = 0;
	drop_failed(g);
}

/* ---- 4: publishing ---- */

/* The ledger forgets first: a row without a file would be a message lost. */
static void
take_back(struct group *g, struct commit *const *failed,
    const struct ledger_entry *entries, size_t n)
{
	struct err e;

	if (ledger_unprepare(g->tools->ledger, entries, n, &e) < 0) {
		log_error("deliver", "%s", e.text);
		for (size_t i = 0; i < n; i++)
			place_stick(failed[i]->place, &e);
		return;
	}
	crash_point("deliver:unprepared");
	for (size_t i = 0; i < n; i++)
		remove_tmp(failed[i]);
}

static void
note_used(struct group *g, const struct commit *c)
{
	struct dir *d = find_dir(g, c->maildir);

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
		take_back(g, failed, entries, n_failed);
	free(entries);
	free(failed);
}

/* ---- 6 ---- */

/* Where new/ or cur/ could not be made durable the rows stay in the journal: the next
 * start goes through them once more. */
static void
tell_ledger(struct group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (g->c[i]->e.kind == ERR_NONE)
			g->entries[n++] = g->entries[i];
	}
	ledger_published(g->tools->ledger, g->entries, n);
}

static void
run(struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		check(g->tools, g->c[i]);
	drop_failed(g);
	sync_files(g);
	drop_failed(g);
	find_dirs(g);
	sync_dirs(g, sync_tmp);
	crash_point("deliver:tmp");
	drop_failed(g);
	if (g->n == 0)
		return;
	prepare(g);
	publish(g);
	if (g->n == 0)
		return;
	for (size_t i = 0; i < g->n_dirs; i++)
		err_clear(&g->dirs[i].e);
	sync_dirs(g, sync_published);
	crash_point("deliver:new");
	tell_ledger(g);
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
		maildir_unref(&commits[i]->maildir);
	free(g.c);
	free(g.dirs);
	free(g.entries);
}
