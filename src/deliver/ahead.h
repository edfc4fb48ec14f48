/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_AHEAD_H
#define MAILHAUL_DELIVER_AHEAD_H

/*
 * The descriptors of one box that were opened before they are needed, oldest
 * first, and how many to ask for: few for a box with little mail, more each
 * time it ran dry. It sends nothing itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AHEAD_MIN 4
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

#endif
