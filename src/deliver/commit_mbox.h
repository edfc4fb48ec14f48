/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_COMMIT_MBOX_H
#define MAILHAUL_DELIVER_COMMIT_MBOX_H

/*
 * The second half of the commit order, for messages that lie durable in the
 * spool and are to go to one mbox. It is locked meanwhile, so that the
 * offsets that the ledger records are true.
 */

#include "deliver/group.h"
#include "deliver/place.h"

void commit_to_mbox(struct group *g, struct place *place);

#endif
