/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_BUF_H
#define MAILHAUL_UTIL_BUF_H

/*
 * A growing run of octets with a maximum from birth. It owns its memory.
 * Dropping from the front is cheap: the octets move only when room is needed.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

struct buf {
	char *mem;
	size_t off, n, cap, max; /* used: mem + off, n octets */
};

void buf_init(struct buf *b, size_t max); /* allocates nothing yet */
void buf_deinit(struct buf *b);
void buf_wipe(struct buf *b); /* overwrites, then frees: it held a secret */

/* 0, or -1 when that would be more than max (then nothing is added). */
int buf_add(struct buf *b, struct span s);
int buf_addc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Room to write up to *n octets at the end; *n is set to what there is, 0
 * when full. want is how much is hoped for. Then buf_wrote(). */
char *buf_room(struct buf *b, size_t want, size_t *n);
void buf_wrote(struct buf *b, size_t n);

/* The content. Valid until the next call that adds or drops. */
struct span buf_span(const struct buf *b);
void buf_drop(struct buf *b, size_t n); /* from the front */
void buf_clear(struct buf *b);          /* keeps the memory */
void buf_release(struct buf *b);        /* gives the memory back if empty */

#endif
