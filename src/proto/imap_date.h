/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_DATE_H
#define MAILHAUL_PROTO_IMAP_DATE_H

/*
 * The date-time of INTERNALDATE, "17-Jul-1996 02:44:25 -0700" (RFC 3501 9).
 * It asks neither the clock nor the time zone of this machine.
 */

#include <stdint.h>

#include "util/span.h"

#define IMAP_DATE_MAX_OCTETS 64 /* what is longer is no date */

/*
 * Unix seconds, never negative. 0: it makes no sense, or lies before 1970, as
 * what servers write for "unknown" does (00-Jan-0000, 01-Jan-0001). Taken as
 * well are blanks around the parts, a day and an hour of one digit, names in
 * any case, a leap second, and no zone at all, which is UTC.
 */
int64_t imap_date_read(struct span s);

#endif
