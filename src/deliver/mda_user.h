/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_MDA_USER_H
#define MAILHAUL_DELIVER_MDA_USER_H

/*
 * Our effective user, as a program sees him after a login. Where the system's
 * list of users comes from a network, asking it may take long: once is enough.
 */

struct mda_user {
	char *home, *name, *shell; /* never NULL */
};

struct mda_user *mda_user_new(void);
void mda_user_free(struct mda_user **u); /* NULL is fine */

#endif
