/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_REPLY_H
#define MAILHAUL_DELIVER_REPLY_H

/* What the deliverer answers, for the boxes of a client. */

#include <stdbool.h>

#include "deliver/box.h"
#include "io/ipc.h"

/* False when it makes no sense. Callbacks are called: the client may have
 * been freed (c->freed) after. */
bool reply_hear(struct client *c, struct ipc_packet *p);

#endif
