/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TEAM_ENGINE_H
#define MAILHAUL_PROC_TEAM_ENGINE_H

/*
 * The engine's process, kept running, and the words the supervisor has with
 * it. Each new one is told before all else what does not depend on accounts:
 * limits, certificates, the socket for metrics. What it says is taken apart
 * here, and is not trusted: a number may be any.
 */

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "fetch/fact.h"
#include "fetch/fetch.h"
#include "io/loop.h"
#include "proc/certificate.h"
#include "proc/stores.h"
#include "proc/tunnels.h"
#include "sched/status.h"
#include "util/buf.h"
#include "util/err.h"

struct team_engine;

struct team_engine_params {
	const char *user; /* NULL: as we are */
	int stderr_fd;    /* -1: ours */
	unsigned int max_connections_per_host;
	bool progress;
	bool restarts;
	enum log_level log_level;
	enum log_format log_format;
};

/* From the loop; what is pointed to is borrowed for the call. */
struct team_engine_events {
	void (*started)(void *arg); /* it knows no account and no deliverer */
	void (*progress)(
	    void *arg, uint32_t number, const struct fetch_progress *progress);
	void (*result)(
	    void *arg, uint32_t number, const struct fetch_result *result);
	void (*status)(void *arg, uint32_t number, const struct status *status);
	void (*want)(void *arg, uint32_t number);
	void (*gone)(void *arg, uint32_t number);
	void (*pong)(void *arg);
	void (*tunnel)(
	    void *arg, uint32_t number, uint32_t ticket, enum tunnel_kind kind);
	void (*tunnel_close)(void *arg, uint32_t ticket);
	void (*ended)(void *arg, const struct err *e);
	/* Of a survey; may be NULL where none is asked for. */
	void (*fact)(void *arg, uint32_t number, const struct fact *fact);
	/* The other way round: not of a survey. */
	void (*certificate)(
	    void *arg, uint32_t number, const struct certificate *c);
};

/* Started in the next round. NULL: there is no such user. */
struct team_engine *team_engine_new(struct loop *loop,
    const struct team_engine_params *params,
    const struct team_engine_events *events, void *arg, struct err *e);
/* Waits for its end, until then (clock_ms()). NULL is fine. */
void team_engine_free(struct team_engine **g, uint64_t deadline);

bool team_engine_there(const struct team_engine *g);
unsigned int team_engine_restarts(const struct team_engine *g);

/* What its accounts ask of TLS, as it is now. -1: a file cannot be read. */
int team_engine_trust(struct team_engine *g, const struct conf_account *account,
    struct stores_pair *out, struct err *e);
void team_engine_reread(struct team_engine *g); /* see stores_reread() */

/* The account with all that does not depend on its number, into *b. -1: its
 * certificates cannot be read, or it is too long. */
int team_engine_pack(struct team_engine *g, const struct conf_account *account,
    const struct secret *secret, struct buf *b, struct err *e);

/* These say nothing when no engine is there. */
void team_engine_account(struct team_engine *g, uint32_t number, bool stays,
    uint32_t deliverer, struct span packed);
void team_engine_survey(
    struct team_engine *g, uint32_t number, struct span packed);
void team_engine_secret(
    struct team_engine *g, uint32_t number, const struct secret *secret);
/* WIRE_DROP, _POLL, _PAUSE, _RESUME; WIRE_UNLINK of a deliverer */
void team_engine_say(struct team_engine *g, uint8_t type, uint32_t number);
void team_engine_link(
    struct team_engine *g, uint32_t deliverer, int fd); /* closes fd */
/* What a tunnel that was asked for has become. */
void team_engine_tunnel_up(
    struct team_engine *g, uint32_t ticket, int fd); /* closes fd */
void team_engine_tunnel_down(
    struct team_engine *g, uint32_t ticket, const struct err *e);
void team_engine_probe(struct team_engine *g);
void team_engine_stop(struct team_engine *g); /* none is started after it */

void team_engine_metrics(struct team_engine *g, int fd); /* dup'ed */
void team_engine_lost(struct team_engine *g); /* a deliverer, by a restart */
void team_engine_ping(struct team_engine *g); /* if not now, at its start */
void team_engine_kill(struct team_engine *g);
void team_engine_log_level(struct team_engine *g, enum log_level level);

#endif
