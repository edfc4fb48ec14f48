/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_HOSTS_H
#define MAILHAUL_SCHED_HOSTS_H

/*
 * How many connections a host may have from us at a time. Who comes when all
 * places are taken waits in order; nobody waits for another host.
 */

#include "io/loop.h"

struct hosts;
struct hosts_place;

struct hosts *hosts_new(struct loop *loop, unsigned int max_per_host);
void hosts_free(struct hosts **h); /* when no place is held or asked for */

/* fn is called once, from the loop, when there is a place. */
struct hosts_place *hosts_ask(
    struct hosts *h, const char *host, loop_fn fn, void *arg);

/* Gives the place up, or stops asking for it. NULL is fine. */
void hosts_leave(struct hosts_place **p);

#endif
