/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_INTAKE_H
#define MAILHAUL_FETCH_INTAKE_H

/*
 * The body path that IMAP and POP3 share: begin, data, end, one message at a
 * time, from the machine's events into a letter. When no letter is to be had
 * the owner pauses its session until intake_resume() says go.
 */

#include "deliver/client.h"
#include "fetch/fetch.h"

struct intake {
	struct client_box *box; /* not ours; NULL: none open yet */
	struct relays *relays;  /* not ours; NULL: the deliverer delivers */
	struct letter *letter;
	bool skipping;    /* this body is not wanted */
	bool waiting;     /* a body began and there is no letter for it */
	bool refused;     /* this body alone could not be stored */
	uint32_t number;  /* of the message, by the owner; 0: not known */
	uint32_t uid;     /* for its trace; 0: not known, or POP3 */
	const char *uidl; /* the same for POP3; not ours */
	struct fetch_progress *progress; /* not ours */
};

enum intake_answer {
	INTAKE_GO,
	INTAKE_WAIT,  /* pause until the box is ready, then intake_resume() */
	INTAKE_FAILED /* our side failed: *e; the fetch is to end, unless it is
	                 ERR_MESSAGE: then the rest of this body is dropped */
};

/* wanted false: the octets are counted and dropped. */
enum intake_answer intake_begin(struct intake *in, bool wanted);
enum intake_answer intake_resume(struct intake *in);
enum intake_answer intake_data(
    struct intake *in, struct span octets, struct err *e);

/* The body is whole. False when it was being skipped; else it goes to the
 * deliverer as params say, and fn will be called. */
bool intake_end(
    struct intake *in, const struct letter_params *params, letter_fn fn);
void intake_drop(struct intake *in); /* whatever there is of it */

/* Octets of the message so far; 0 when it is dropped. */
uint64_t intake_octets(const struct intake *in);

/* The message that is half received; 0: none, or it has no number yet. */
uint32_t intake_at(const struct intake *in);

#endif
