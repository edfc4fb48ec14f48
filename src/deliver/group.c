/* SPDX-License-Identifier: ISC */
#include "deliver/group.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/crash.h"
#include "sys/log.h"
#include "util/mem.h"

void
group_free(struct group *g)
{
	free(g->c);
	free(g->dirs);
	free(g->entries);
}

void
group_close_file(struct commit *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void
group_remove_file(const struct commit *c)
{
	struct err e;

	if (c->maildir != NULL && maildir_discard(c->maildir, c->name, &e) < 0)
		log_warning("deliver", "%s", e.text);
}

/* ---- those that fail ---- */

void
group_drop_failed(struct group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct commit *c = g->c[i];

		if (c->e.kind == ERR_NONE) {
			g->c[n++] = c;
			continue;
		}
		group_close_file(c);
		group_remove_file(c);
	}
	g->n = n;
}

void
group_fail_all(struct group *g, const struct err *e)
{
	for (size_t i = 0; i < g->n; i++)
		g->c[i]->e = *e;
}

/* ---- the ledger ---- */

/* Those that the ledger knows already were delivered by an earlier run, and
 * are done. */
static void
drop_known(struct group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (g->entries[i].known) {
			g->c[i]->entry.known = true;
			group_remove_file(g->c[i]);
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

void
group_prepare(struct group *g)
{
	struct err e = { 0 };

	free(g->entries);
	g->entries = mem_array(g->n, sizeof(*g->entries));
	for (size_t i = 0; i < g->n; i++)
		g->entries[i] = g->c[i]->entry;
	if (ledger_prepare(g->tools->ledger, g->entries, g->n, &e) == 0) {
		crash_point("deliver:prepared");
		drop_known(g);
		return;
	}
	group_fail_all(g, &e);
	if (is_in_doubt(e.sys))
		g->n = 0;
	group_drop_failed(g);
}

/* The ledger forgets first: a row without a file would be a message lost. */
void
group_take_back(struct group *g, struct commit *const *failed,
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
		group_remove_file(failed[i]);
}

/* Where new/ or cur/ could not be made durable the rows stay in the journal:
 * the next start goes through them once more. */
void
group_published(struct group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (g->c[i]->e.kind == ERR_NONE)
			g->entries[n++] = g->entries[i];
	}
	ledger_published(g->tools->ledger, g->entries, n);
}
