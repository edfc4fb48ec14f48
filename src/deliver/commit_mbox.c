/* SPDX-License-Identifier: ISC */
#include "deliver/commit_mbox.h"

#include <stdbool.h>

#include "deliver/mbox.h"
#include "deliver/mbox_spool.h"
#include "sys/crash.h"
#include "sys/log.h"

struct post {
	struct group *g;     /* not ours */
	struct place *place; /* not ours */
	struct mbox *mbox;
};

static int
open_mbox(struct post *p)
{
	struct place *place = p->place;
	struct err e = { 0 };
	bool busy;

	p->mbox = mbox_open(place->mbox, &busy, &e);
	if (p->mbox == NULL) {
		group_fail_all(p->g, &e);
		for (size_t i = 0; i < p->g->n; i++)
			p->g->c[i]->busy = busy;
		if (!busy)
			group_drop_failed(p->g);
		return -1;
	}
	if (!mbox_is_dotlocked(p->mbox) && !place->noticed) {
		log_notice("deliver",
		    "%s: no %s.lock can be made: locked by fcntl alone",
		    place->mbox, place->mbox);
		place->noticed = true;
	}
	return 0;
}

/* Gives them their offsets; false: they had others. */
static bool
lay_out(struct post *p)
{
	uint64_t at = mbox_next(p->mbox);
	bool as_before = true;

	for (size_t i = 0; i < p->g->n; i++) {
		struct commit *c = p->g->c[i];

		if (!c->entry.has_offset || c->entry.offset != at)
			as_before = false;
		c->entry.offset = at;
		c->entry.has_offset = true;
		at += c->octets;
	}
	return as_before;
}

/* Some were known, and leave a gap: all others once more, with the offsets
 * that they have now. */
static void
prepare(struct post *p)
{
	struct group *g = p->g;
	struct err e;

	(void)lay_out(p);
	group_prepare(g);
	while (!lay_out(p)) {
		if (ledger_unprepare(g->tools->ledger, g->entries, g->n, &e) <
		    0) {
			place_stick(p->place, &e);
			group_fail_all(g, &e);
			g->n = 0;
			return;
		}
		group_prepare(g);
	}
}

/* Those from the i-th on. What may stand there in part stays in the journal,
 * and so does what stands before it, since it cannot be made durable now. */
static void
fail_from(struct post *p, size_t i, const struct err *e)
{
	struct group *g = p->g;
	bool torn = mbox_is_torn(p->mbox);
	size_t back = torn ? i + 1 : i;

	for (size_t j = torn ? 0 : i; j < g->n; j++)
		g->c[j]->e = *e;
	if (torn)
		place_break(p->place, e);
	if (back < g->n)
		group_take_back(g, g->c + back, g->entries + back, g->n - back);
	g->n = torn ? 0 : i;
}

static void
append(struct post *p)
{
	struct err e = { 0 };

	for (size_t i = 0; i < p->g->n; i++) {
		const struct commit *c = p->g->c[i];

		if (mbox_spool_append(
			p->mbox, c->maildir, c->name, c->octets, &e) < 0) {
			fail_from(p, i, &e);
			return;
		}
		crash_point("deliver:appended");
	}
}

static void
make_durable(struct post *p)
{
	struct err e = { 0 };

	if (p->g->n > 0 && mbox_sync(p->mbox, &e) < 0) {
		place_break(p->place, &e);
		group_fail_all(p->g, &e);
		p->g->n = 0;
	}
	crash_point("deliver:mbox-synced");
}

void
commit_to_mbox(struct group *g, struct place *place)
{
	struct post p = { .g = g, .place = place };

	if (open_mbox(&p) < 0)
		return;
	prepare(&p);
	append(&p);
	make_durable(&p);
	for (size_t i = 0; i < g->n; i++) {
		group_remove_file(g->c[i]);
		crash_point("deliver:spool-removed");
	}
	if (g->n > 0)
		group_published(g);
	mbox_close(&p.mbox);
}
