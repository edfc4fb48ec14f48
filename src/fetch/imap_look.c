/* SPDX-License-Identifier: ISC */
#include "fetch/imap_look.h"

#include "fetch/plan.h"

void
imap_look_deinit(struct imap_look *l)
{
	set_deinit(&l->settled);
	set_deinit(&l->gaps);
	found_deinit(&l->found);
}

/* A mailbox that holds more than was delivered from it deserves a close look
 * at all numbers, whatever its UIDNEXT and earlier searches said. */
bool
imap_look_begin(struct imap_look *l, struct imap *m, const struct set *handled,
    struct set *found)
{
	bool wary = l->exists > set_count(handled);
	struct set done = { 0 };
	bool known;

	set_copy(&done, handled);
	if (!wary)
		set_add_set(&done, &l->settled);
	plan_search(&done, &l->gaps, &l->from);
	known = l->exists == 0 ||
	    (!wary && plan_nothing_new(&l->gaps, l->from, l->uidnext)) ||
	    (set_empty(&done) && plan_all_exist(l->exists, l->uidnext, found));
	set_deinit(&done);
	if (!known)
		l->ticket = imap_search_uids(m, &l->gaps, l->from);
	return known;
}

void
imap_look_again(struct imap_look *l, struct imap *m, struct set *uids)
{
	set_move(&l->gaps, uids);
	plan_shorten(&l->gaps);
	l->from = 0;
	l->ticket = imap_search_uids(m, &l->gaps, 0);
}

bool
imap_look_hear(struct imap_look *l, const struct imap_info *info)
{
	return found_add(&l->found, info->first, info->last);
}

void
imap_look_done(struct imap_look *l, const struct set *handled,
    struct set *found, struct set *absent)
{
	l->ticket = 0;
	found_take(&l->found, found, &l->gaps, l->from);
	plan_absent(absent, &l->gaps, l->from, found, handled);
	set_remove_set(absent, &l->settled);
}
