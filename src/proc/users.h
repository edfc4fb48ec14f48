/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_USERS_H
#define MAILHAUL_PROC_USERS_H

/*
 * The accounts that users have in their own ~/.config/mailhaul, as far as the
 * configuration allows: read by processes that are these users (reader.h),
 * and bounded here. An account is named "alice/work", and owner and run_as
 * are alice. What one of them has done wrong is his trouble alone.
 */

#include <stdbool.h>

#include "conf/conf.h"
#include "io/loop.h"

struct users;

#define USERS_LATE_MS 1000 /* who takes longer is not waited for */

/* Of the users who are not in an earlier one; all of each of them. */
struct users_found {
	struct conf_account *accounts; /* in the order of users; the callee
	                                  may take them: then NULL and 0 */
	size_t n;
	struct conf_list errors; /* for people: "user alice: ..." */
	struct conf_list failed; /* users whose accounts are not known now: what
	                            they had may go on */
	size_t left;             /* users whose files are still being read */
};

/* From the loop, when all is known or USERS_LATE_MS have passed; and if some
 * are left, again whenever there is more, until none is. */
typedef void (*users_fn)(void *arg, struct users_found *found);

/* conf is not needed after this returned. Who is in a group is looked up at
 * once. It is freed when fn returns and none is left. */
struct users *users_load(
    struct loop *loop, const struct conf *conf, users_fn fn, void *arg);
void users_cancel(struct users **u); /* fn is not called; NULL is fine */

#endif
