/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_ADDRESS_H
#define MAILHAUL_DELIVER_ADDRESS_H

/*
 * The address in the value of a header field (unfolded: deliver/header.h),
 * for an envelope: what stands in <>, else the first word. Quoted strings and
 * comments are respected (RFC 5322 3.2.2, 3.2.4); of a list the first address
 * counts, also inside a group; the route of <@a,@b:user@c> is dropped. A word
 * without @ in front of a comma gives way to a <> behind: "Doe, J <j@x>".
 *
 * It is taken from whoever wrote the message, so what comes out is tame: 1 to
 * ADDRESS_MAX octets (RFC 5321 4.5.3.1.3, less the <>), no blanks, no control
 * characters, no < and >, 8-bit only as well-formed UTF-8 without characters
 * that move or hide others. The value is read once, in linear time.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

#define ADDRESS_MAX 254

struct address {
	size_t n;                /* 0: the null address, <> */
	char v[ADDRESS_MAX + 1]; /* with a NUL behind */
};

/* False: there is none, or it is none to be used. */
bool address_find(struct span value, struct address *out);

/* The same rules for an address that stands alone. */
bool address_tame(struct span s);

#endif
