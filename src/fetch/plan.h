/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_PLAN_H
#define MAILHAUL_FETCH_PLAN_H

/*
 * Which messages, decided from sets alone: no clock, no server, no ledger.
 *
 * IMAP numbers only grow (RFC 3501 2.3.1.1): what is new lies above the
 * highest handled UID, or in a gap below it that a failed download left.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/set.h"

/*
 * What to ask a SEARCH for, given what is handled: the gaps (at most
 * PLAN_GAPS_MAX ranges; when there are more, one range spans the rest) and
 * everything from *from on.
 */
#define PLAN_GAPS_MAX 200
void plan_search(const struct set *handled, struct set *gaps, uint32_t *from);

/* Makes a set fit for one SEARCH, as plan_search() does. */
void plan_shorten(struct set *gaps);

/* No SEARCH is needed: no gap, and the next UID to come (0: unknown) is not
 * above what was handled. */
bool plan_nothing_new(const struct set *gaps, uint32_t from, uint32_t uidnext);

/*
 * When as many messages exist as there are UIDs below uidnext, all of them
 * exist: then *found is filled without a SEARCH, and true is returned.
 */
bool plan_all_exist(uint32_t exists, uint32_t uidnext, struct set *found);

/* What SEARCH found and is not handled yet. (A server may answer n:* with
 * its last message although that is below n: RFC 3501 6.4.8.) */
void plan_todo(
    struct set *todo, const struct set *found, const struct set *handled);

/*
 * What was searched for and not found, so it will hardly come: *absent, to be
 * settled. Only numbers well below one that was seen (handled or found) are:
 * a server may lie about UIDNEXT, and may show a message later than its
 * successors.
 */
#define PLAN_MARGIN 256
void plan_absent(struct set *absent, const struct set *gaps, uint32_t from,
    const struct set *found, const struct set *handled);

/* ---- mailboxes ---- */

/* "*" any octets, "%" any but the delimiter (RFC 3501 6.3.8). */
bool plan_is_pattern(const char *name);

/* Some pattern fits and no "!pattern" does. INBOX is the same in any case. */
bool plan_chooses(
    const char *const *patterns, size_t n, const char *name, char delimiter);

#endif
