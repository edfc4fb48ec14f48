/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_LISTS_H
#define MAILHAUL_LEDGER_LISTS_H

/*
 * The POP3 listings on their way in, one per box. When a step of one fails it
 * is half known: it stays open, so that nothing is delivered by it, until the
 * next lists_begin() of its box.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/rides.h"
#include "util/err.h"
#include "util/set.h"
#include "util/span.h"

struct lists_one;

struct lists {
	struct rides *rides; /* not ours */
	struct lists_one *first;
};

void lists_init(struct lists *ls, struct rides *rides);
void lists_deinit(struct lists *ls);

/* One was begun, and has not ended well. */
bool lists_open(const struct lists *ls, int64_t box);

int lists_begin(struct lists *ls, int64_t box, struct err *e);
int lists_add(struct lists *ls, int64_t box, uint32_t number, struct span uidl,
    uint64_t size, struct err *e);

/* See ledger_list_end(). */
struct lists_found {
	struct set *fresh, *owed, *full; /* the caller's, and replaced */
	uint32_t repeated, barred;
};

/* now is Unix time. */
int lists_end(struct lists *ls, int64_t box, int64_t now,
    struct lists_found *found, struct err *e);

#endif
