/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_MDA_H
#define MAILHAUL_DELIVER_MDA_H

/*
 * One run of a program that takes one message: from a file that holds the
 * whole of it, as standard input. Its exit status is the verdict, whatever it
 * read. It never sees our environment, a descriptor of ours but 0 to 2, or an
 * argument that a message could split or turn into an option.
 */

#include <stdint.h>

#include "deliver/mda_user.h"
#include "io/loop.h"
#include "util/err.h"

struct mda;

/* What an account runs. It must outlive each run. */
struct mda_program {
	/* NULL-terminated; argv[0] by PATH and as it stands, the others
	 * with placeholders, see deliver/expand.h */
	const char *const *argv;
	unsigned int timeout_ms; /* 0: no deadline */
	/* [256], by exit status: an enum mda_verdict, but MDA_BROKEN */
	const uint8_t *exits;
	unsigned long max_files;     /* see io/child.h */
	const struct mda_user *user; /* NULL: looked up for each run */
};

/* What it is run for. NULL is empty, but for account. */
struct mda_mail {
	int fd; /* of a file; read from its start; stays the caller's */
	const char *account, *mailbox, *user, *sender, *recipient, *uid, *key;
};

enum mda_verdict {
	MDA_ACCEPTED = 0, /* it is the program's now */
	MDA_LATER = 1,    /* not now: also by a signal, or at the deadline */
	MDA_HOLD = 2,     /* not this message */
	MDA_BROKEN = 3    /* no run at all: the account's trouble */
};

/*
 * Once, from the loop. When this returns, the run is freed (mda_free() inside
 * the call is fine). e is NULL when it was accepted. Else it has the verdict
 * in words with the end of what the program complained of: ERR_MESSAGE for
 * MDA_LATER and MDA_HOLD, ERR_DELIVER for MDA_BROKEN; ERR_CANCEL, with
 * MDA_LATER, when it ended after mda_stop(), which says nothing against the
 * message. What it complained of is in the log.
 */
typedef void (*mda_fn)(void *arg, enum mda_verdict v, const struct err *e);

/*
 * The environment is PATH, HOME, USER, LOGNAME, SHELL of our effective user,
 * and MAILHAUL_ACCOUNT, _MAILBOX, _UID, _SENDER, _RECIPIENT, _KEY, made
 * printable and at most MDA_VALUE_MAX octets long; the directory is HOME, or /
 * when that cannot be entered. mail is copied where needed, but for fd, which
 * may be closed after the start.
 */
#define MDA_VALUE_MAX 1000
struct mda *mda_start(struct loop *loop, const struct mda_program *program,
    const struct mda_mail *mail, mda_fn fn, void *arg);
void mda_stop(struct mda *m);  /* SIGTERM, two seconds later SIGKILL */
void mda_free(struct mda **m); /* SIGKILL; fn is not called */

#endif
