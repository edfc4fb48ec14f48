/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TELL_H
#define MAILHAUL_PROC_TELL_H

/*
 * The notify-command: run once when an account begins to fail in a way that
 * somebody has to know of, and once when it has recovered (sched/incident.h
 * has the rule). Never two at a time for an account, and a few in all.
 */

#include "conf/conf.h"
#include "io/loop.h"
#include "sched/status.h"

struct tell;

struct tell *tell_new(struct loop *loop);
void tell_free(struct tell **t); /* kills what runs */

/* The command and the accounts from now on; all is copied. Names that are
 * not there are forgotten. */
void tell_configure(struct tell *t, const struct conf *conf,
    const char *const *names, size_t n);

void tell_status(struct tell *t, const char *name, const struct status *s);

#endif
