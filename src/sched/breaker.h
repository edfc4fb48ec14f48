/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_BREAKER_H
#define MAILHAUL_SCHED_BREAKER_H

/*
 * Servers lock accounts whose password is tried again and again. So a login
 * that was refused is tried again after half a minute and after five, as a
 * server may be wrong once; then the breaker is open and lets one probe an
 * hour through, until a login succeeds or the secret is another one. Plain
 * data that the ledger keeps: a restart closes no breaker. Pure: the caller
 * brings Unix seconds and a random number.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/secret.h"
#include "util/span.h"

#define BREAKER_TRIES 3 /* refusals in a row that open it */

struct breaker {          /* zeroed is closed */
	uint32_t refused; /* logins in a row */
	uint16_t mark;    /* of the secret they were tried with; 0: none */
	int64_t last;     /* Unix seconds of the last refusal */
};

bool breaker_open(const struct breaker *b);

/*
 * When the next login may be tried, not before now: 30 to 60 s behind the
 * first refusal, 5 to 6 min behind the second, 60 to 72 min behind each that
 * follows. This holds for clocks that are wrong, too:
 * - a refusal in the future (the clock was set back) counts as one of now,
 *   so that nobody waits for longer than those times;
 * - a clock set far forward looks like time gone by. That is one probe too
 *   early at most, as its refusal is noted with the new time.
 * Within a run the caller waits by a timer and not by asking again.
 */
int64_t breaker_next(const struct breaker *b, int64_t now, uint32_t chance);

void breaker_refused(struct breaker *b, int64_t now);
void breaker_clear(struct breaker *b); /* let in, or the user says so */

/* The secret that is tried from now on. True when it is another than before
 * and the refusals are forgotten with the old one. */
bool breaker_secret(struct breaker *b, uint16_t mark);

/*
 * Tells one secret from another, never 0: 16 bits of SHA-256 of salt (what
 * names the account, so that the same secret elsewhere gets another mark) and
 * secret. Two secrets share a mark once in 65536; then the next probe or
 * "mailhaul resume" finds out. So few bits fit any number of secrets and
 * reveal none that is hard to guess. They do strike most wrong guesses off a
 * list of likely ones: a mark is for the owner's eyes, as the mail is.
 */
uint16_t breaker_mark(const struct secret *secret, struct span salt);

#endif
