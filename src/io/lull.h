/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_LULL_H
#define MAILHAUL_IO_LULL_H

/*
 * Something to do when a busy time is over: once it has been quiet for
 * quiet_ms, but at the latest most_ms after the first stir. Costs next to
 * nothing however often it is stirred.
 */

#include <stdint.h>

#include "io/loop.h"

struct lull;

/* fn is called from the loop; lull_free() inside it is not fine. */
struct lull *lull_new(struct loop *loop, uint64_t quiet_ms, uint64_t most_ms,
    loop_fn fn, void *arg);
void lull_free(struct lull **l);

void lull_stir(struct lull *l); /* something happens; NULL is fine */

#endif
