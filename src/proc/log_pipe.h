/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_LOG_PIPE_H
#define MAILHAUL_PROC_LOG_PIPE_H

/*
 * What the daemon's processes write to their standard error, put into our
 * log line by line: they have no way to the journal or to syslog, and what a
 * library or a crash says there is seen as well.
 */

#include "io/loop.h"
#include "util/err.h"

struct log_pipe;

struct log_pipe *log_pipe_new(struct loop *loop, struct err *e);
void log_pipe_free(struct log_pipe **p); /* after log_pipe_drain() */

int log_pipe_fd(const struct log_pipe *p); /* for them; stays ours */

/* All that is there by now. */
void log_pipe_drain(struct log_pipe *p);

#endif
