/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_MBOX_SPOOL_H
#define MAILHAUL_DELIVER_MBOX_SPOOL_H

/*
 * From the spool, whose tmp/ holds messages for mboxes, into an mbox. The
 * spool is a Maildir in the state directory, of which nothing else is used.
 * Errors are ERR_DELIVER and name the file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/maildir.h"
#include "deliver/mbox.h"
#include "ledger/ledger.h"
#include "util/err.h"

/* -1 when it is no message as an mbox holds it: it begins with "From " and
 * ends in an empty line, so that it is known where the next one begins. */
int mbox_spool_check(const struct maildir *spool, const char *name,
    uint64_t octets, struct err *e);

/* Appends the first so many octets; as mbox_append(). */
int mbox_spool_append(struct mbox *m, const struct maildir *spool,
    const char *name, uint64_t octets, struct err *e);

/*
 * Does for the rows of the journal, in order, what is left to be done: what
 * is not in the spool any more was done. What stands in the mbox from its
 * offset on is there; what is there in part, at the end, is taken back and
 * appended anew. Where others have changed the mbox since, it is appended at
 * the end, with a warning, since a repeat is better than a loss. When all are
 * durable, they are removed from the spool.
 *
 * -1 leaves all of it for another try (EBUSY: somebody has a lock), but with
 * *broken: it could not be made durable.
 */
int mbox_spool_roll(const struct maildir *spool, const char *path,
    const struct ledger_entry *rows, size_t n, bool *broken, struct err *e);

#endif
