/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SIGNALS_H
#define MAILHAUL_PROC_SIGNALS_H

/* The signals that a daemon listens to, as mailhaul(1) has them. */

#include "io/loop.h"

struct signals;

struct signals_hooks {                      /* from the loop */
	void (*end)(void *arg, int signo);  /* each time */
	void (*poll)(void *arg, int signo); /* all accounts */
	void (*reload)(void *arg);
};

struct signals *signals_new(
    struct loop *loop, const struct signals_hooks *hooks, void *arg);
void signals_free(struct signals **s); /* NULL is fine */

#endif
