/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_OPENER_H
#define MAILHAUL_DELIVER_OPENER_H

/*
 * Opens files in tmp/, or in the spool, for an engine and keeps them by token
 * until they are committed or dropped. There is room for so many and no more;
 * when it is used up, those who want more wait and are served in turn.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "deliver/job.h"
#include "deliver/maildir.h"
#include "deliver/spool.h"
#include "io/ipc.h"

struct opener;

struct opener_room { /* the server's, for all openers */
	struct maildir_names names;
	struct spool *spool;           /* for files without a name; not ours */
	unsigned int files, max_files; /* open, or being committed */
};

struct opener_for { /* who wants files; all but wanted is filled by him */
	TAILQ_ENTRY(opener_for) next;
	uint32_t box;
	struct job_account *account; /* not ours */
	const char *mailbox;         /* not ours */
	int64_t ledger_box;
	struct place *place;     /* not ours; NULL: into the spool */
	struct maildir *maildir; /* not ours */
	unsigned int wanted;
};

struct opener *opener_new(struct opener_room *room, uint64_t link);
void opener_free(struct opener **o); /* drops what is open */

/* False when that would be too many. */
bool opener_want(struct opener *o, struct opener_for *f, unsigned int n);
void opener_forget(struct opener *o, struct opener_for *f);

/* Opens what there is room for, and sends it. */
void opener_serve(struct opener *o, struct ipc *ipc);

/* The open letter with this token, which stays; or NULL. */
struct job *opener_find(const struct opener *o, uint32_t token);

/* The open letter with this token, from now on the caller's and still
 * counted in room->files; NULL when there is none. */
struct job *opener_take(struct opener *o, uint32_t token);
void opener_drop_all(struct opener *o);

/* A letter's job has come to its end: it counts no more, and its spool file
 * may be used again. */
void opener_done(struct opener_room *room, struct job *j);
/* The same, but its engine was cut off and may hold the file still: nobody
 * else is to be given that. */
void opener_lost(struct opener_room *room, struct job *j);

#endif
