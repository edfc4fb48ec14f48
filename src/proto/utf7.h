/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_UTF7_H
#define MAILHAUL_PROTO_UTF7_H

/* Modified UTF-7 of mailbox names, RFC 3501 5.1.3. */

#include "util/buf.h"
#include "util/span.h"

/* Adds to *out; -1 when the input is not well-formed (or *out is full), and
 * *out then holds rubbish behind its old end. */
int utf7_encode(struct buf *out, struct span utf8);
int utf7_decode(struct buf *out, struct span utf7);

#endif
