/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_CONTROL_WIRE_H
#define MAILHAUL_PROC_CONTROL_WIRE_H

/*
 * What is said on the control socket. A client makes one request at a time;
 * each is answered by any number of packets and then one CONTROL_END. The
 * first octet of every payload is the version, so that a program of another
 * version says so instead of guessing.
 */

#include <stdint.h>
#include <sys/types.h>

#include "fetch/fetch.h"
#include "sched/status.h"
#include "util/buf.h"
#include "util/pack.h"

#define CONTROL_VERSION 1

enum control_type {
	/* requests: names of accounts; none: all */
	CONTROL_STATUS = 1, /* CONTROL_DAEMON, a CONTROL_ACCOUNT for each */
	CONTROL_POLL,
	CONTROL_FETCH, /* CONTROL_PROGRESS..., a CONTROL_RESULT for each */
	CONTROL_PAUSE,
	CONTROL_RESUME,
	CONTROL_RELOAD, /* no names */
	/* answers; CONTROL_SAY may stand anywhere */
	CONTROL_SAY = 64, /* how bad, a line for people */
	CONTROL_DAEMON,
	CONTROL_ACCOUNT,
	CONTROL_PROGRESS, /* name, progress */
	CONTROL_RESULT,   /* name, result */
	CONTROL_END       /* the exit status */
};

struct control_request {
	enum control_type verb;
	char **names;
	size_t n;
};

struct control_daemon {
	pid_t pid;
	char *version;
	int64_t started;  /* Unix seconds */
	int64_t reloaded; /* the configuration is of then */
	uint32_t engine_restarts, deliverer_restarts;
	bool stopping;
};

struct control_account {
	char *name;
	bool paused;
	bool no_secret; /* see rolls_entry */
	struct status status;
};

/*
 * Each packs the payload of its type. A request that does not fit in a packet
 * is too long (-1); everything else is bounded.
 */
int control_pack_request(struct buf *b, const char *const *names, size_t n);
void control_pack_say(struct buf *b, bool bad, const char *text);
void control_pack_daemon(struct buf *b, const struct control_daemon *d);
void control_pack_account(struct buf *b, const struct control_account *a);
void control_pack_progress(
    struct buf *b, const char *name, const struct fetch_progress *p);
void control_pack_result(
    struct buf *b, const char *name, const struct fetch_result *r);
void control_pack_end(struct buf *b, int status);

/*
 * False when it makes no sense; nothing is to be freed then. What is
 * allocated in it is freed by control_free_*(), a text by free().
 */
bool control_unpack_request(
    uint8_t type, struct span payload, struct control_request *out);
bool control_unpack_say(struct span payload, bool *bad, char **text);
bool control_unpack_daemon(struct span payload, struct control_daemon *out);
bool control_unpack_account(struct span payload, struct control_account *out);
bool control_unpack_progress(
    struct span payload, char **name, struct fetch_progress *out);
bool control_unpack_result(
    struct span payload, char **name, struct fetch_result *out);
bool control_unpack_end(struct span payload, int *status);

/* Of another version: that is what is wrong with it. */
bool control_is_foreign(struct span payload);

void control_free_request(struct control_request *r);
void control_free_daemon(struct control_daemon *d);
void control_free_account(struct control_account *a);
void control_free_progress(char **name, struct fetch_progress *p);
void control_free_result(char **name, struct fetch_result *r);

#endif
