/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_INCIDENT_H
#define MAILHAUL_SCHED_INCIDENT_H

/*
 * What is said about an account that fails, so that a server that is down for
 * a day is a few lines and one message and not a thousand: it began, it still
 * lasts (hourly), it ended. Pure: the caller logs, runs the notify-command
 * and brings Unix seconds; a clock set back makes it say less for an hour.
 *
 *	failure ... failure ... success
 *	BEGIN   AGAIN (an hour later)   END
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

#define INCIDENT_AGAIN_S 3600

enum incident_line {
	INCIDENT_QUIET,
	INCIDENT_BEGIN, /* fails, or fails in another way than so far */
	INCIDENT_AGAIN, /* still fails */
	INCIDENT_END    /* recovered */
};

struct incident {                /* zeroed: all is well */
	bool open;               /* it fails */
	bool urgent;             /* somebody must act */
	bool told;               /* the command ran for it */
	enum err_kind kind;      /* of the last failure, kept behind the end */
	uint32_t kinds;          /* a bit for each that was said */
	int64_t since;           /* of the first failure; kept */
	int64_t said;            /* when the last line was due */
	char text[ERR_TEXT_MAX]; /* of the last failure; kept */
};

/* What does not count as a failure (ERR_NONE, ERR_CANCEL) is QUIET. A kind
 * is a BEGIN once in an incident, however often it takes turns with others. */
enum incident_line incident_failure(
    struct incident *i, const struct err *e, int64_t now);

/* END when something was open; *lasted_s is then how long it was. */
enum incident_line incident_success(
    struct incident *i, int64_t now, uint64_t *lasted_s);

/* AGAIN when an hour has passed since the last line, for accounts that are
 * rarely tried. */
enum incident_line incident_tick(struct incident *i, int64_t now);

/*
 * Is the notify-command to run now? For an incident that is open: at once
 * when somebody must act, else when it has lasted for after_s; for one that
 * ended: if the command ran for it, so that it says both or neither. What is
 * due stays due until incident_told().
 */
bool incident_due(const struct incident *i, int64_t now, uint32_t after_s);
void incident_told(struct incident *i);

#endif
