/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_LINK_ACCOUNT_H
#define MAILHAUL_DELIVER_LINK_ACCOUNT_H

/* What an engine says to the deliverer of accounts, and not of mailboxes. */

#include <stdbool.h>
#include <stdint.h>

#include "deliver/link.h"
#include "io/ipc.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/span.h"

/* The account was forgotten: the engine had not heard of that when it named
 * it, or the deliverer heard of it first. */
extern const struct err link_account_forgotten;

/* DIAL, RECALL, REMEMBER. False when it makes no sense. out is empty, and for
 * an answer. */
bool link_account_hear(struct link_env *env, struct ipc *ipc, struct buf *out,
    uint8_t type, struct span packet);

#endif
