/* SPDX-License-Identifier: ISC */
#include "proto/pop3_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "util/mem.h"

#define FIRST_CAP 16

void
pop3_queue_init(struct pop3_queue *q)
{
	*q = (struct pop3_queue){ 0 };
}

void
pop3_queue_deinit(struct pop3_queue *q)
{
	free(q->ring);
	pop3_queue_init(q);
}

static void
grow(struct pop3_queue *q)
{
	size_t cap = q->cap == 0 ? FIRST_CAP : q->cap * 2;
	struct pop3_asked *ring = mem_array(cap, sizeof(*ring));
	size_t i;

	for (i = 0; i < q->n; i++)
		ring[i] = pop3_queue_at(q, i);
	free(q->ring);
	q->ring = ring;
	q->cap = cap;
	q->head = 0;
}

void
pop3_queue_put(struct pop3_queue *q, struct pop3_asked asked)
{
	if (q->n == q->cap)
		grow(q);
	q->ring[(q->head + q->n++) % q->cap] = asked;
}

void
pop3_queue_drop(struct pop3_queue *q)
{
	assert(q->n > 0);
	q->head = (q->head + 1) % q->cap;
	q->n--;
}

struct pop3_asked
pop3_queue_at(const struct pop3_queue *q, size_t i)
{
	if (i >= q->n)
		return (struct pop3_asked){ POP3_REQ_NONE, 0 };
	return q->ring[(q->head + i) % q->cap];
}
