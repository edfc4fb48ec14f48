/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_DESKS_H
#define MAILHAUL_PROC_DESKS_H

/*
 * The accounts of an engine: each with its part of the configuration, its
 * secret, and who works on it: for one fetch, or for as long as the daemon
 * runs. Of all that happens the supervisor is told over the link.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fetch/env.h"
#include "io/ipc.h"
#include "proc/cas.h"
#include "proc/tunnel_asks.h"
#include "sched/hosts.h"
#include "sched/status.h"
#include "util/pack.h"

struct desks;

struct desks_params { /* all not ours, and outlives the desks */
	struct loop *loop;
	struct ipc *supervisor;
	struct hosts *hosts;
	const struct cas *cas;
	struct tunnel_asks *tunnels;
};

struct desks *desks_new(const struct desks_params *params);
void desks_free(struct desks **s);

/* WIRE_ACCOUNT behind its number, stays and deliverer, whose env is not ours.
 * False: it makes no sense. */
bool desks_add(struct desks *s, uint32_t number, bool stays,
    const struct fetch_env *env, struct unpack *u);

/* WIRE_SURVEY behind its number; env needs no client. Likewise. */
bool desks_survey(struct desks *s, uint32_t number, const struct fetch_env *env,
    struct unpack *u);

/*
 * The deliverer of env goes, and so do its accounts: their numbers are free,
 * and the client is to be freed next. Sessions that only wait are kept for a
 * minute: an account that is added again as it was, to the same env, has them
 * back.
 */
void desks_drop_env(struct desks *s, const struct fetch_env *env);

/* What the supervisor says of one; a number nobody has is no error: they may
 * just have left. */
void desks_secret(struct desks *s, uint32_t number, struct span secret);
void desks_drop(struct desks *s, uint32_t number);
void desks_poll(struct desks *s, uint32_t number);
void desks_pause(struct desks *s, uint32_t number, bool paused);

void desks_probe(struct desks *s);
void desks_stop(struct desks *s);     /* all end in order */
void desks_progress(struct desks *s); /* tells how far each fetch is */
void desks_look(struct desks *s);     /* which are in another state? */

/* For each account that stays. */
typedef void (*desks_fn)(
    void *arg, const char *name, const struct status *status);
void desks_each(struct desks *s, desks_fn fn, void *arg);

#endif
