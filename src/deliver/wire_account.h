/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_WIRE_ACCOUNT_H
#define MAILHAUL_DELIVER_WIRE_ACCOUNT_H

/*
 * What engine and deliverer say to each other of accounts, in the manner of
 * deliver/wire.h: what is remembered of one across restarts. RECALL is its
 * number alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/ledger.h"
#include "util/buf.h"
#include "util/span.h"

struct wire_remember { /* REMEMBER */
	uint32_t account, refused;
	int64_t refused_at; /* not negative */
	uint16_t mark;
};

void wire_put_remember(struct buf *b, const struct wire_remember *r);
bool wire_take_remember(struct span packet, struct wire_remember *r);

struct wire_recalled { /* RECALLED */
	uint32_t account;
	bool known; /* the ledger could be read */
	struct ledger_account record;
};

void wire_put_recalled(struct buf *b, const struct wire_recalled *r);
bool wire_take_recalled(struct span packet, struct wire_recalled *r);

#endif
