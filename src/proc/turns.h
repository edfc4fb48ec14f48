/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TURNS_H
#define MAILHAUL_PROC_TURNS_H

/*
 * Who may have a process run for a secret: so many for the accounts of the
 * administrator, so many for those of all users, and few of these for one
 * user. Whatever hangs of one owner, he alone waits long for it.
 */

struct turns;
struct turn;

#define TURNS_OURS 32
#define TURNS_USERS 32
#define TURNS_USER 2

struct turns *turns_new(void);
void turns_free(struct turns **t); /* all were given back */

/* owner NULL: the administrator. NULL: not now. */
struct turn *turns_take(struct turns *t, const char *owner);
void turns_give_back(struct turns *t, struct turn **turn); /* NULL is fine */

#endif
