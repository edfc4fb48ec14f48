/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_PUSHES_H
#define MAILHAUL_SCHED_PUSHES_H

/*
 * Does this server tell of new mail? Some accept IDLE and then say nothing.
 * A look now and then, while the server should have told, finds out: when it
 * finds mail that nobody told of twice in a row, the server is polled from
 * then on. Once may be chance: the mail came in the moment of the look.
 */

#include <stdbool.h>

#define PUSHES_MISSED_MAX 2

struct pushes {              /* zeroed: it is believed */
	unsigned int missed; /* in a row */
	bool demoted;        /* for as long as the account lives */
};

void pushes_heard(struct pushes *p); /* it told of mail */

/* A look found mail it did not tell of. True when that demotes it, which
 * happens once. */
bool pushes_missed(struct pushes *p);

#endif
