/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_RIDES_H
#define MAILHAUL_LEDGER_RIDES_H

/*
 * The ledger's transactions, and what waits for the next one instead of
 * having its own: journal rows that were published, and messages that are
 * gone from the server. When a transaction fails, it rides in the one after.
 *
 *	rides_begin() ... r = rides_end(t, r, e)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/db.h"
#include "util/err.h"
#include "util/set.h"

struct rides_gone {
	int64_t box;
	struct set numbers;
};

struct rides {
	struct db *d; /* not ours */
	int64_t *published;
	size_t n_published;
	struct rides_gone *gone;
	size_t n_gone;
	/* the box asked for last */
	int64_t box;
	bool pop3;
};

void rides_init(struct rides *t, struct db *d);
void rides_deinit(struct rides *t); /* what rides is forgotten */

/* Is the box one of POP3? An error when there is none. */
int rides_box(struct rides *t, int64_t box, bool *pop3, struct err *e);

void rides_publish(struct rides *t, int64_t row); /* 0 is none */
int rides_go(
    struct rides *t, int64_t box, const struct set *numbers, struct err *e);

/* What of the box is riding to be gone; NULL when nothing is. */
const struct set *rides_gone_of(const struct rides *t, int64_t box);

int rides_begin(struct rides *t, struct err *e);
/* r is what the work gave: 0 commits; on -1, *e being filled, and on a
 * failure to commit, all is rolled back. */
int rides_end(struct rides *t, int r, struct err *e);
int rides_flush(struct rides *t, struct err *e);
/* The same, also of nothing; and room for later ones, see db_reserve(). */
int rides_reserve(struct rides *t, struct err *e);

#endif
