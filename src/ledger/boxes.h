/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_BOXES_H
#define MAILHAUL_LEDGER_BOXES_H

/* The table box: which mailboxes are known. What changes it runs in the
 * caller's transaction. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/db.h"
#include "util/buf.h"
#include "util/err.h"

struct box {
	int64_t id; /* 0: there is none */
	int64_t uidvalidity;
};

int boxes_find(struct db *d, const char *account, const char *mailbox,
    struct box *box, struct err *e);
int boxes_add(struct db *d, const char *account, const char *mailbox,
    uint32_t uidvalidity, int64_t *id, struct err *e);

/* Has it no mailbox? An error when there is no such box. */
int boxes_is_pop3(struct db *d, int64_t id, bool *pop3, struct err *e);

/* Adds "account NUL mailbox NUL UIDVALIDITY NUL" to *out: what is in front of
 * the name of a message to make it one in all the world. */
int boxes_name(struct db *d, int64_t id, struct buf *out, struct err *e);

/* Its server gave UIDLs. */
int boxes_listed(struct db *d, int64_t id, bool *listed, struct err *e);
int boxes_set_listed(struct db *d, int64_t id, struct err *e);

#endif
