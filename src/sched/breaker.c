/* SPDX-License-Identifier: ISC */
#include "sched/breaker.h"

#include "io/digest.h"

bool
breaker_open(const struct breaker *b)
{
	return b->refused >= BREAKER_TRIES;
}

/* Seconds behind refusal number n, and how many more by chance. */
static int64_t
wait_s(uint32_t n, uint32_t chance)
{
	static const struct {
		uint32_t least, more;
	} waits[BREAKER_TRIES] = { { 30, 30 }, { 300, 60 }, { 3600, 720 } };

	uint32_t i = n < BREAKER_TRIES ? n - 1 : BREAKER_TRIES - 1;

	return waits[i].least + chance % (waits[i].more + 1);
}

int64_t
breaker_next(const struct breaker *b, int64_t now, uint32_t chance)
{
	int64_t last = b->last < now ? b->last : now;
	int64_t next;

	if (b->refused == 0)
		return now;
	next = last + wait_s(b->refused, chance);
	return next > now ? next : now;
}

void
breaker_refused(struct breaker *b, int64_t now)
{
	if (b->refused < UINT32_MAX)
		b->refused++;
	b->last = now;
}

void
breaker_clear(struct breaker *b)
{
	b->refused = 0;
	b->last = 0;
}

bool
breaker_secret(struct breaker *b, uint16_t mark)
{
	bool other = b->mark != mark;

	b->mark = mark;
	if (!other || b->refused == 0)
		return false;
	breaker_clear(b);
	return true;
}

uint16_t
breaker_mark(const struct secret *secret, struct span salt)
{
	struct digest_state *d = digest_new();
	struct digest out;
	uint16_t mark;

	digest_add(d, salt);
	digest_add(d, SPAN("\0")); /* where one ends is part of it */
	digest_add(d, secret_span(secret));
	digest_end(d, &out);
	digest_free(&d);
	mark = (uint16_t)(out.b[0] << 8 | out.b[1]);
	return mark == 0 ? 1 : mark;
}
