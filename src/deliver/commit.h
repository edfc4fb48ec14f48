/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_COMMIT_H
#define MAILHAUL_DELIVER_COMMIT_H

/*
 * The commit order, for a group of messages that lie complete in tmp/:
 *
 *	1 fsync each file	4 rename each into new/, or cur/ if it has flags
 *	2 fsync tmp/		5 fsync what was used of them
 *	3 ledger: prepared	6 delivered; the ledger hears it, too
 *
 * For an mbox tmp/ is that of the spool, and after the second step it is
 * locked until the last:
 *
 *	3 ledger: prepared, with the offsets	5 fsync the mbox
 *	4 append each				  remove each from the spool
 *
 * An mbox that somebody else has locked fails its messages before the ledger
 * hears of them (EBUSY): they are busy, keep their files, and may be committed
 * again. Of one that cannot take a message, those behind it
 * in the group fail, too, since their offsets would not be true.
 *
 * One that fails is removed from tmp/ and has its reason; the others go on. A
 * ledger that fails takes the whole group with it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/maildir.h"
#include "deliver/place.h"
#include "deliver/sync.h"
#include "ledger/ledger.h"
#include "util/err.h"

struct commit {
	struct place *place; /* not ours; NULL: it was handed on already, and
	                        is only to be recorded: there is no file */
	struct maildir *maildir; /* counted; of an mbox, the spool */
	char name[MAILDIR_NAME_MAX];
	char final[MAILDIR_NAME_MAX]; /* out: its published name */
	int fd;                       /* closed; -1 after */
	uint64_t octets;              /* that were written to it */
	unsigned int flags;           /* of enum maildir_flag; 0: it is new */
	int64_t time;                 /* of the file, Unix seconds; 0: now */
	struct ledger_entry entry;    /* dir and file are filled in */
	bool busy;                    /* out: its mbox was locked */
	struct err e;                 /* out; ERR_NONE: delivered */
};

struct commit_tools {
	struct ledger *ledger;
	struct sync *sync;
};

void commit_group(
    const struct commit_tools *tools, struct commit *const *commits, size_t n);

/* Not to be committed after all: gone from tmp/, fd closed, maildir let go. */
void commit_discard(struct commit *c);

#endif
