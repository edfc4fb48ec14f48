/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_HEADER_H
#define MAILHAUL_DELIVER_HEADER_H

/*
 * Finds some fields in the header of a message (RFC 5322 2.2), whose octets
 * go in as they come, at any split, with CRLF or LF. Field names are compared
 * without case, values are unfolded, runs of blanks (SP, HTAB, CR, LF) count
 * as one, blanks at the ends as none. Of each field the first occurrence
 * counts, and of its value the first HEADER_VALUE_MAX octets. All other
 * octets stay in a value as they are: whoever uses one cleans it.
 *
 *	header_add() until header_ended(); then header_value().
 *
 * A line that is no field says nothing; the header goes on behind it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

#define HEADER_VALUE_MAX 1024
#define HEADER_OCTETS_MAX (256 * 1024) /* what is behind is not seen */
#define HEADER_NAME_MAX 128            /* a longer name is never found */

struct header;

/* The n names (no two the same) are not the header's and outlive it. */
struct header *header_new(const char *const *names, size_t n);
void header_free(struct header **h); /* NULL is fine */

/* What is behind the end of the header is ignored. */
void header_add(struct header *h, struct span octets);

/* An empty line was seen, or HEADER_OCTETS_MAX was reached. */
bool header_ended(const struct header *h);
/* Octets of the header so far, with the empty line that ends it: when it has
 * ended, the body begins there. */
size_t header_octets(const struct header *h);

/* By the place of its name; empty also when there is no such field. What
 * stands there before the header has ended may grow. Borrowed until the next
 * call that adds. */
struct span header_value(const struct header *h, size_t i);
bool header_cut(const struct header *h, size_t i); /* the value was longer */

#endif
