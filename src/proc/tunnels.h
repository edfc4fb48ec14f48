/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TUNNELS_H
#define MAILHAUL_PROC_TUNNELS_H

/*
 * The programs that speak for servers (the option tunnel), in the supervisor:
 * each is started for one connection of the engine, with one end of a socket as
 * its standard input and output. The engine has the other end, and never learns
 * what was run. The program goes when the engine is done with the connection,
 * or is no more; what it printed last to its standard error is said.
 *
 * The same way is taken to who answers for a login by Kerberos: that is this
 * program in another role (proc/kerberos.h), and speaks in packets.
 */

#include <stdint.h>

#include "conf/conf.h"
#include "io/loop.h"
#include "util/err.h"

struct tunnels;

enum tunnel_kind { TUNNEL_TO_SERVER, TUNNEL_TO_KERBEROS, TUNNEL_KINDS };

/* What is to be run for an account. */
struct tunnel_recipe;

/* NULL: it has none of that kind. Everything is copied. */
struct tunnel_recipe *tunnel_recipe_new(
    const struct conf_account *a, enum tunnel_kind kind);
void tunnel_recipe_free(struct tunnel_recipe **r); /* NULL is fine */

/* From the loop: it has ended by itself, or could not be started, and why
 * (ERR_CONFIG: there is no such program). Its ticket is free. */
typedef void (*tunnels_fn)(void *arg, uint32_t ticket, const struct err *e);

/* max_files: that a program may have open; 0: as we. */
struct tunnels *tunnels_new(
    struct loop *loop, unsigned long max_files, tunnels_fn ended, void *arg);
void tunnels_free(struct tunnels **t); /* kills them; NULL is fine */

/* The engine's end, connected and non-blocking; or -1, and nobody knows the
 * ticket. The engine chose it, and may be asking for too much. */
int tunnels_open(struct tunnels *t, uint32_t ticket,
    const struct tunnel_recipe *r, struct err *e);
/* Says that an account has none. Returns -1. */
int tunnels_none(enum tunnel_kind kind, struct err *e);
/* It is ended soon, and nobody is told. A ticket that nobody knows is fine. */
void tunnels_close(struct tunnels *t, uint32_t ticket);
void tunnels_close_all(struct tunnels *t);

#endif
