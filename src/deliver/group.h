/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_GROUP_H
#define MAILHAUL_DELIVER_GROUP_H

/*
 * Messages that are committed together, as far as it is the same wherever
 * they go to: those that fail are told why and leave the group, and the
 * ledger hears of all in one transaction.
 */

#include <stddef.h>

#include "deliver/commit.h"
#include "ledger/ledger.h"
#include "util/err.h"

struct group_dir; /* commit.c's */

struct group {
	const struct commit_tools *tools; /* not ours */
	struct commit **c; /* those that did not fail so far; not ours */
	size_t n;
	struct group_dir *dirs;
	size_t n_dirs;
	struct ledger_entry *entries; /* of each, from group_prepare() on */
};

void group_free(struct group *g); /* what it owns, and not g */

void group_close_file(struct commit *c);
void group_remove_file(const struct commit *c); /* from tmp/, if there */

/* Gives each that reason. */
void group_fail_all(struct group *g, const struct err *e);
/* Leaves those that can go on; the files of the others are removed. */
void group_drop_failed(struct group *g);

/* Leaves those that are recorded now. Those that the ledger knew already are
 * done, and their files removed. */
void group_prepare(struct group *g);
/* Of those recorded, some (not in the group any more) that were not published
 * after all: their files go. */
void group_take_back(struct group *g, struct commit *const *failed,
    const struct ledger_entry *entries, size_t n);
/* Tells the ledger of those without an error that they are published. */
void group_published(struct group *g);

#endif
