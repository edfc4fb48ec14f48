/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_AHEAD_H
#define MAILHAUL_DELIVER_AHEAD_H

/*
 * The descriptors of one box that were opened before they are needed, oldest
 * first, and how many to ask for: one for a box that gets a single message
 * now and then, since each that is not used is a file made and removed in
 * vain; a few when a second comes at once, and more each time it ran dry. It
 * sends nothing itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AHEAD_MIN 4 /* but for the first */
#define AHEAD_MAX 128

struct ahead {
	struct {
		uint32_t token;
		int fd;
	} file[AHEAD_MAX];

	unsigned int head, n;
	unsigned int asked;  /* and not yet here */
	unsigned int target; /* here and asked, together */
	bool used;           /* since ahead_rest() */
	bool first;          /* one was taken since it was idle */
	bool flowing;        /* and a second was wanted */
};

void ahead_init(struct ahead *a);

/* How many to ask for now; 0 while enough are here or on their way. */
unsigned int ahead_want(const struct ahead *a);
void ahead_ask(struct ahead *a, unsigned int n);
bool ahead_put(struct ahead *a, uint32_t token, int fd); /* false: unasked */
bool ahead_take(struct ahead *a, uint32_t *token, int *fd);

/* True when nothing was taken since the last call: what is here had better
 * be given back. */
bool ahead_rest(struct ahead *a);
/* There is something that ahead_rest() would change. */
bool ahead_awake(const struct ahead *a);
/* As when it was idle for long: what was here is given back. */
void ahead_calm(struct ahead *a);

#endif
