/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_CLERK_H
#define MAILHAUL_PROC_CLERK_H

/*
 * Looks into the ledger of a user, who may have put anything in its place: a
 * short-lived process of our own, which has become this user for good,
 * does it. What it says is shown, and counts for nothing else.
 */

#include <stdint.h>

#include "io/user.h"
#include "proc/held_show.h"
#include "util/err.h"

enum clerk_verb { CLERK_READ, CLERK_RETRY, CLERK_RETRY_FULL, CLERK_DROP };

struct clerk_request {
	enum clerk_verb verb;
	const char *path;    /* of the ledger */
	const char *account; /* to read; NULL: all */
	int64_t id;          /* to change */
};

/*
 * user NULL: as we are, in this process. Adds what is read to *out (else
 * NULL). e->sys is ENOENT when there is no ledger, or no such trouble.
 */
int clerk_ask(const struct user *user, const struct clerk_request *request,
    struct held_list *out, struct err *e);

int clerk_main(void); /* that process */

#endif
