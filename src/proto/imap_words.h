/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_WORDS_H
#define MAILHAUL_PROTO_IMAP_WORDS_H

/* Words of IMAP as they are written into commands, and looked up in lists. */

#include <stdbool.h>

#include "util/buf.h"
#include "util/err.h"
#include "util/span.h"

/* Whether word stands in list (separated by blanks), in any case. */
bool imap_words_have(struct span list, struct span word);

/* Adds the words of list to *to, one blank between each; what does not fit
 * is left out. */
void imap_words_add(struct buf *to, struct span list);

/* May it be sent as a quoted string? 8-bit, CR, LF, NUL and what is very long
 * may not: a literal then. */
bool imap_words_quotable(struct span s);
int imap_words_put_quoted(struct buf *to, struct span s); /* -1: full */

/* A mailbox name, from UTF-8 to a quoted string of modified UTF-7. -1: it is
 * no UTF-8, or *to is full. */
int imap_words_put_mailbox(struct buf *to, struct span name);

/* A name from LIST to UTF-8; false when it could not be sent back. */
bool imap_words_mailbox(struct buf *to, struct span raw);

/* "what: "server's words"", or what alone when there are none, and how long
 * those ask to wait. Returns -1. */
int imap_words_err(
    struct err *e, enum err_kind kind, const char *what, struct span quoted);

#endif
