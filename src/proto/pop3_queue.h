/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_POP3_QUEUE_H
#define MAILHAUL_PROTO_POP3_QUEUE_H

/* What was asked of a POP3 server and is not answered yet, oldest first: a
 * ring of eight octets per request, as long as the caller makes it. */

#include <stddef.h>
#include <stdint.h>

#include "proto/pop3.h"

struct pop3_asked {
	enum pop3_request request;
	uint32_t number; /* of the message; 0: none */
};

struct pop3_queue {
	struct pop3_asked *ring;
	size_t cap, head, n;
};

void pop3_queue_init(struct pop3_queue *q);
void pop3_queue_deinit(struct pop3_queue *q);
void pop3_queue_put(struct pop3_queue *q, struct pop3_asked asked);
void pop3_queue_drop(struct pop3_queue *q); /* the oldest; there is one */

/* The oldest is 0. POP3_REQ_NONE where there is none. */
struct pop3_asked pop3_queue_at(const struct pop3_queue *q, size_t i);

#endif
