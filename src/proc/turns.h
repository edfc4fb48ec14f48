/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TURNS_H
#define MAILHAUL_PROC_TURNS_H

/*
 * Who may have a process run for a secret: so many for the accounts of the
 * administrator, so many for those of all users, and few of these for one
 * user. Whatever hangs of one owner, he alone waits long for it. And so with
 * who gives tokens to the administrator's accounts.
 */

struct turns;
struct turn;

#define TURNS_OURS 32
#define TURNS_USERS 32
#define TURNS_USER 2
#define TURNS_PROVIDERS 64
#define TURNS_PROVIDER 16

struct turns *turns_new(void);
void turns_free(struct turns **t); /* all were given back */

/* owner NULL: the administrator. NULL: not now. */
struct turn *turns_take(struct turns *t, const char *owner);
/* For a question to who is at that URL. */
struct turn *turns_take_provider(struct turns *t, const char *url);
void turns_give_back(struct turns *t, struct turn **turn); /* NULL is fine */

#endif
