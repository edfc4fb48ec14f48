/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_PLACE_H
#define MAILHAUL_DELIVER_PLACE_H

/*
 * The Maildirs and mboxes of a deliverer as its worker knows them, by path,
 * and what a
 * crash left in them. A place is stuck while the journal has messages for it
 * that cannot be published: nothing else is delivered there, and no
 * tmp file is removed anywhere, until that has worked out. A message that is
 * not in tmp/ was published; but only if this is the Maildir in which it was
 * prepared, which the journal knows by its mark.
 *
 * A place is broken when its tmp/, new/ or cur/ could not be made durable: asked
 * again the kernel might say yes, of octets that it has thrown away. It stays
 * so for the life of this process, by whatever path.
 *
 * The messages for an mbox are written into the tmp/ of a Maildir that all
 * mboxes share, the spool; in the journal, too, the mbox has its prefix.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "deliver/maildir.h"
#include "ledger/ledger.h"
#include "util/err.h"

#define PLACE_MBOX "mbox:" /* in front of the path of an mbox */

struct place {
	LIST_ENTRY(place) next;
	struct places *places; /* not ours; where it is */
	char *path;
	const char *mbox;        /* the path of an mbox, in path; or NULL */
	struct place *spool;     /* not ours; of an mbox that is ready */
	struct maildir *maildir; /* NULL: not open; of an mbox, the spool */
	char *mark;    /* of the Maildir that was open here last; or NULL */
	uint64_t used; /* by places.uses */
	bool folder;   /* of a Maildir; set by who knows it */
	struct place *root; /* not ours; of a folder, that Maildir */
	bool swept;         /* leftovers in tmp/ were removed */
	bool stuck, broken; /* broken: stuck, too */
	bool noticed;       /* that there can be no dotlock */
	struct err why;
};

struct places {
	struct ledger *ledger;             /* not ours */
	const struct maildir_names *names; /* not ours */
	char *spool;                       /* its path; NULL: no mboxes */
	uint64_t uses;                     /* how often one was made ready */
	size_t broken;                     /* of them */
	LIST_HEAD(, place) list;
};

void places_init(struct places *ps, struct ledger *ledger,
    const struct maildir_names *names, const char *spool);
void places_deinit(struct places *ps);
struct place *places_find(struct places *ps, const char *path);

/* Where its messages lie until they are published. */
struct place *place_home(struct place *p);

/* Of each message in the journal, the directory that it is to get to; before
 * places_init(). It may come more than once. */
int places_owed(struct ledger *ledger, void (*fn)(void *arg, const char *dir),
    void *arg, struct err *e);

/* Publishes what the journal names, and logs what cannot be. */
void places_roll_forward(struct places *ps);

/* Closes the Maildirs that nobody has open and that were not used of late. */
void places_rest(struct places *ps);

/* Opens (and makes) the Maildir, after what may have to be cleared up. */
int place_ready(struct places *ps, struct place *p, struct err *e);
void place_stick(struct place *p, const struct err *why);
void place_break(struct place *p, const struct err *why);

#endif
