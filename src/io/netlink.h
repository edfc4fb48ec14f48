/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_NETLINK_H
#define MAILHAUL_IO_NETLINK_H

/*
 * Tells when the machine's way into the network has changed: a link that
 * begins or ceases to run, an address, a route. Connections that have been
 * quiet for long may be dead then without a word.
 *
 * What leaves all as it was does not count: lifetimes of addresses that are
 * renewed, addresses that are still tried, statistics of a radio link, caches
 * of routes, what routing daemons learn about networks far away. When the
 * kernel had more news than it could keep for us, that is a change.
 */

#include "io/loop.h"
#include "util/err.h"

struct netlink;

/* fn is called from the loop, once for all that comes within 200 ms;
 * netlink_free() inside the call is fine. NULL with *e where the kernel has
 * no such socket for us. */
struct netlink *netlink_new(
    struct loop *loop, loop_fn fn, void *arg, struct err *e);
void netlink_free(struct netlink **nl);

#endif
