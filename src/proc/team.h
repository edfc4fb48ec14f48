/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TEAM_H
#define MAILHAUL_PROC_TEAM_H

/*
 * The supervisor's children and the words it has with them: the engine, and a
 * deliverer for each user that mail is delivered as, started when the first
 * account needs it, linked to the engine, and ended in order.
 *
 *	team_new()
 *	team_expect()	of all accounts that may come
 *	team_account()	of each, when its secret is there
 *	...		progress, results, status
 *	team_drop()	-> gone
 *	team_stop(), team_free()
 *
 * A deliverer gets its rights when it starts, by what team_expect() told of
 * its accounts. One that needs more than that can still be given: then the
 * deliverer is replaced in order, and its other accounts are lost for a
 * moment.
 */

#include "conf/conf.h"
#include "fetch/fetch.h"
#include "io/loop.h"
#include "proc/certificate.h"
#include "sched/status.h"
#include "util/err.h"

struct team;

enum team_role { TEAM_ENGINE, TEAM_DELIVERER };

struct team_params {
	const char *state_dir;   /* not ours */
	int lock_fd;             /* our own deliverer holds it too */
	int stderr_fd;           /* of the children; -1: ours */
	unsigned long max_files; /* that an MDA may have open; 0: any */
	unsigned int max_connections_per_host;
	const char *engine_user; /* NULL: as we are; not ours */
	unsigned int end_ms;     /* in which all leave at team_free(), or are
	                            killed; 0: 20 s */
	bool progress;           /* to be told on the way */
	bool restarts;           /* who ends is started again (the daemon);
	                            else all is broken */
	enum log_level log_level;
	enum log_format log_format;
};

/* All from the loop; what is pointed to is borrowed for the call. Any
 * function but team_free() may be called inside of them. */
struct team_events {
	void (*progress)(
	    void *arg, uint32_t number, const struct fetch_progress *progress);
	/* of a fetch, or of a poll */
	void (*result)(
	    void *arg, uint32_t number, const struct fetch_result *result);
	void (*status)(void *arg, uint32_t number, const struct status *status);
	/* Its secret was refused: team_secret(), or nothing. */
	void (*want)(void *arg, uint32_t number);
	/* After team_drop(), or what stayed after team_stop(): it has left;
	 * the number is free. */
	void (*gone)(void *arg, uint32_t number);
	/* Its engine or deliverer ended: nobody works on it, and the number
	 * is free. Give it again with team_account() at once; it waits until
	 * the process is there. It is neither paused nor polled then. Only
	 * with restarts, and not after team_stop(). */
	void (*lost)(void *arg, uint32_t number);
	/* A process ended (why in words), or its ledger cannot be used: for
	 * the log and the status. user NULL: the engine, or our own
	 * deliverer. Without restarts: no results follow. */
	void (*ended)(void *arg, enum team_role role, const char *user,
	    const struct err *e);
	void (*pong)(void *arg);
	/* What its server showed: another than last time, or again today. */
	void (*certificate)(
	    void *arg, uint32_t number, const struct certificate *c);
};

/* NULL: there is no engine_user. */
struct team *team_new(struct loop *loop, const struct team_params *params,
    const struct team_events *events, void *arg, struct err *e);

/* It will be given when its secret is there: its deliverer is started by
 * then, and with the rights that it needs. More than once is fine; a user that
 * there is not is told by team_account(). */
void team_expect(struct team *t, const struct conf_account *account);

/*
 * Number is the caller's name for it (any, unused). The deliverer of
 * account->run_as (NULL: our own) is started when there is none. stays: the
 * daemon's, until team_drop(); else one fetch, then its result.
 *
 * -1: its certificates cannot be read, there is no such user, or it is too
 * long. Everything is copied.
 */
int team_account(struct team *t, uint32_t number,
    const struct conf_account *account, const struct secret *secret, bool stays,
    struct err *e);

/*
 * Is what the account of that number asks of TLS what it was given with? Its
 * files may say something else by now. -1: they cannot be read. What was read
 * before team_reread() is read anew.
 */
int team_trusts(struct team *t, uint32_t number,
    const struct conf_account *account, bool *same, struct err *e);
void team_reread(struct team *t);

/* Of an account that was given and is neither gone nor lost; else nothing. */
void team_secret(struct team *t, uint32_t number, const struct secret *secret);
void team_drop(struct team *t, uint32_t number);
void team_poll(struct team *t, uint32_t number); /* look now: one result */
/* false: also closes the breaker */
void team_pause(struct team *t, uint32_t number, bool paused);

void team_probe(struct team *t); /* the network changed */
/* pong follows when the engine's loop goes round; of one that is being
 * restarted, when it is there. */
void team_ping(struct team *t);
void team_kill_engine(struct team *t); /* it is stuck: as if it had died */
/* Of the log of all processes, those to come too. */
void team_log_level(struct team *t, enum log_level level);
/* A listening socket: kept (dup) and given to each new engine. */
void team_metrics(struct team *t, int fd);
unsigned int team_restarts(const struct team *t, enum team_role role);

void team_stop(struct team *t); /* the accounts end soon */
/* Waits until all are gone: deliverers flush their ledgers. NULL is fine. */
void team_free(struct team **t);

#endif
