/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_UTF7_H
#define MAILHAUL_UTIL_UTF7_H

/* Modified UTF-7 of mailbox names, RFC 3501 5.1.3. */

#include "util/buf.h"
#include "util/span.h"

/* Adds to *out; -1 when the input is not well-formed (or *out is full), and
 * *out then holds rubbish behind its old end. */
int utf7_encode(struct buf *out, struct span utf8);
int utf7_decode(struct buf *out, struct span utf7);

/*
 * For names of files: -1 only when *out is full. The printable characters in
 * shift are written in base64, too ("&AC4-"), and so is an octet that is no
 * well-formed UTF-8, as the lone surrogate U+DC00 plus the octet. No two
 * inputs give the same.
 */
int utf7_encode_any(struct buf *out, struct span octets, const char *shift);

#endif
