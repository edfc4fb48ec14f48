/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TEAM_DELIVERER_H
#define MAILHAUL_PROC_TEAM_DELIVERER_H

/*
 * The deliverer of one user: kept running, and told of its ledger. What it
 * must be allowed is settled when it starts; when more is needed, it is
 * replaced.
 */

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "io/loop.h"
#include "util/buf.h"
#include "util/err.h"

struct team_deliverer;

struct team_deliverer_params {
	const char *user;        /* NULL: who we are */
	const char *state_dir;   /* not ours */
	int lock_fd;             /* for our own; not ours */
	int stderr_fd;           /* -1: ours */
	unsigned long max_files; /* that an MDA may have open; 0: any */
	bool restarts;
	enum log_level log_level;
	enum log_format log_format;
};

/* From the loop. team_deliverer_free() inside of them is fine. */
struct team_deliverer_events {
	void (*ready)(void *arg); /* its ledger is open; it knows no target */
	void (*known)(void *arg, uint32_t number); /* a target */
	/* The process is gone, and its targets. ERR_NONE: as it was told to. */
	void (*ended)(void *arg, const struct err *e);
};

/* Started in the next round. NULL: there is no such user. */
struct team_deliverer *team_deliverer_new(struct loop *loop,
    const struct team_deliverer_params *params,
    const struct team_deliverer_events *events, void *arg, struct err *e);
/* Waits for its end, until then (clock_ms()). NULL is fine. */
void team_deliverer_free(struct team_deliverer **d, uint64_t deadline);

const char *team_deliverer_user(const struct team_deliverer *d); /* or NULL */
bool team_deliverer_is(const struct team_deliverer *d, const char *user);
bool team_deliverer_ready(const struct team_deliverer *d);
unsigned int team_deliverer_restarts(const struct team_deliverer *d);

/* The account may come. False: it needs more than the deliverer that runs is
 * allowed, so that it must be replaced. */
bool team_deliverer_expect(
    struct team_deliverer *d, const struct conf_account *a);
void team_deliverer_replace(struct team_deliverer *d);

/* Only when it is ready. */
void team_deliverer_target(struct team_deliverer *d, struct span packed);
void team_deliverer_forget(struct team_deliverer *d, uint32_t number);
void team_deliverer_link(
    struct team_deliverer *d, int fd); /* to an engine; closes fd */
void team_deliverer_halt(
    struct team_deliverer *d); /* no more programs; any time */

void team_deliverer_log_level(
    struct team_deliverer *d, enum log_level level); /* any time */

/* It ends in order; for team_deliverer_free() to wait less when there are many. True:
 * ended follows. */
bool team_deliverer_dismiss(struct team_deliverer *d);

#endif
