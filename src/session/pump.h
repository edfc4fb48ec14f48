/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SESSION_PUMP_H
#define MAILHAUL_SESSION_PUMP_H

/*
 * Moves octets between a connection and a protocol machine: the ten lines
 * that are the same for every protocol. The machine is known by a table of
 * functions; its events go from the table's feed to the session's owner.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/conn.h"
#include "util/err.h"
#include "util/span.h"

struct pump;

/* How a feed ended. */
enum pump_fed {
	PUMP_MORE,    /* all input is used */
	PUMP_UPGRADE, /* start TLS, then call upgraded */
	PUMP_ENDED    /* the machine closed or failed */
};

struct pump_machine { /* arg is what pump_open() was given */
	/* Steps until the input is used, the pump is paused or freed. */
	enum pump_fed (*feed)(void *arg, struct span *in);
	struct span (*output)(void *arg);
	void (*sent)(void *arg, size_t n);
	bool (*is_secret)(void *arg);
	unsigned int (*timeout)(void *arg); /* seconds; 0: none */
	void (*upgraded)(void *arg);
	/* No more input will come: of the deadline, of end of file. Each
	 * leads to PUMP_ENDED from the next feed. */
	void (*expire)(void *arg);
	void (*eof)(void *arg);
	/* The connection failed; nothing but release is called after it. */
	void (*broken)(void *arg, const struct err *e);
	/* The pump is freed, and nothing of arg is in use any more. */
	void (*release)(void *arg);
	/* For those who say more than commands; NULL else. All that was said
	 * is with the kernel, so there is room for more; like feed it may lead
	 * to pump_free(). */
	void (*drained)(void *arg);
	/* What is said are octets of a message, which are not traced. */
	bool (*is_body)(void *arg);
	/* For those who log in, or NULL: the channel binding of the TLS that
	 * is up now. Before any feed of what came through it, and before
	 * upgraded; not at all where there is none. */
	void (*bind)(void *arg, struct span binding);
};

/* What params points to outlives the pump. */
struct pump *pump_open(struct loop *loop, struct dns *dns,
    const struct conn_params *params, const struct pump_machine *machine,
    void *arg, const char *subject);
void pump_free(struct pump **p); /* fine inside feed, drained and broken */

/* Sends what the machine has to say. To be called after requests, but not
 * needed inside feed. */
void pump_flush(struct pump *p);

/* Feeds from the loop although no input may have come: the machine has an
 * event that needs none. */
void pump_feed(struct pump *p);

/* From feed: a request came to its end, so the wait for the next begins. */
void pump_progress(struct pump *p);

/* What timeout says is another now: the wait begins anew. */
void pump_renew(struct pump *p);

/* While paused nothing is read or fed, and no deadline runs. */
void pump_pause(struct pump *p, bool paused);
bool pump_stopped(const struct pump *p); /* feed must return now */

struct conn *pump_conn(struct pump *p);

#endif
