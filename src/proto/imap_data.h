/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_DATA_H
#define MAILHAUL_PROTO_IMAP_DATA_H

/*
 * Untagged responses of a session that is logged in, turned into events of
 * proto/imap.h. They are given to the oldest request they can belong to;
 * what nobody asked for is stepped over, unless it tells that the mailbox
 * changed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/imap.h"
#include "proto/imap_flight.h"
#include "proto/imap_read.h"
#include "util/buf.h"

struct imap_data {
	uint32_t exists;      /* messages in the mailbox */
	uint32_t body_ticket; /* 0: the body in hand is not reported */
	struct buf name;      /* of the mailbox listed last */
};

void imap_data_init(struct imap_data *d);
void imap_data_deinit(struct imap_data *d);
void imap_data_rest(struct imap_data *d); /* forgets the name */

enum imap_event imap_data_hear(struct imap_data *d,
    const struct imap_flight *flight, enum imap_heard heard,
    const struct imap_read *r, struct imap_info *info);

#endif
