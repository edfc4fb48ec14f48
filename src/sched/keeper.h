/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_KEEPER_H
#define MAILHAUL_SCHED_KEEPER_H

/*
 * An account of the daemon, for as long as it is configured: keeps a session
 * that waits for mail (and more of them, each for a mailbox, where the server
 * tells of one at a time), polls where nobody tells, and when something
 * fails does what sched/reaction.h says. No keeper knows of another.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fetch/fetch.h"
#include "sched/hosts.h"
#include "sched/params.h"
#include "sched/status.h"

struct keeper;

struct keeper_params {
	const struct fetch_env *env; /* not ours */
	struct hosts *hosts;         /* not ours */
	struct params who;           /* what it points to outlives the keeper */
	uint64_t start_ms;           /* it begins so much later */
};

/* All from the loop. */
struct keeper_events {
	void (*changed)(void *arg); /* its status; often */
	/* What keeper_poll() came to. */
	void (*polled)(void *arg, const struct fetch_result *result);
	/* The secret was refused; keeper_secret() if there is another. */
	void (*want)(void *arg);
	void (*left)(void *arg); /* after keeper_leave(); free it */
};

struct keeper *keeper_new(const struct keeper_params *params,
    const struct keeper_events *events, void *arg);
void keeper_free(struct keeper **k); /* inside left and polled it is fine */

/* Looks at everything now; polled follows once for all that came before the
 * look began. Who waits because its login was refused, or is paused, says so
 * instead of trying. */
void keeper_poll(struct keeper *k);
void keeper_pause(struct keeper *k);  /* no session until keeper_resume() */
void keeper_resume(struct keeper *k); /* and a refused login is tried now */
/* secret instead of the one it has, which may be gone when this returns. */
void keeper_secret(struct keeper *k, const struct secret *secret);
/* The network changed, or we slept: which sessions live? */
void keeper_probe(struct keeper *k);
/*
 * The deliverer goes, and env's client with it. Sessions that wait stay;
 * others are begun anew after keeper_attach(). A poll under way is not
 * answered.
 */
void keeper_detach(struct keeper *k);
/* There is one again, which knows the account by number. */
void keeper_attach(struct keeper *k, uint32_t number);
void keeper_leave(struct keeper *k); /* in order; left follows */

enum status_state keeper_state(const struct keeper *k);
void keeper_status(struct keeper *k, struct status *out);

#endif
