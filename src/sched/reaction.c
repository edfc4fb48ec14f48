/* SPDX-License-Identifier: ISC */
#include "sched/reaction.h"

#include <sysexits.h>

#include "sched/backoff.h"

#define MIN 60
#define HOUR 3600

/* clang-format off */
static const struct reaction reactions[ERR_KINDS] = {
	/*                  retry  exit status     then, from .. to */
	[ERR_NONE]     = { false, EX_OK,          REACT_NONE,    0, 0,
	                   false, "all is well" },
	[ERR_NET]      = { true,  EX_UNAVAILABLE, REACT_BACKOFF, 2, 10 * MIN,
	                   false, "the server cannot be reached" },
	[ERR_TLS]      = { false, EX_NOPERM,      REACT_SLOWLY,  5 * MIN, 6 * HOUR,
	                   true,  "TLS with the server failed" },
	[ERR_PROTO]    = { true,  EX_PROTOCOL,    REACT_BACKOFF, 10, 30 * MIN,
	                   false, "the server broke the protocol" },
	[ERR_AUTH]     = { false, EX_NOPERM,      REACT_BREAKER, 0, 0,
	                   true,  "the login was refused" },
	[ERR_THROTTLE] = { false, EX_TEMPFAIL,    REACT_SLOWLY,  5 * MIN, 6 * HOUR,
	                   false, "the server asked us to slow down" },
	[ERR_TEMP]     = { true,  EX_TEMPFAIL,    REACT_BACKOFF, 30, 30 * MIN,
	                   false, "the server is unavailable for now" },
	[ERR_LOCKED]   = { true,  EX_TEMPFAIL,    REACT_BACKOFF, MIN, 10 * MIN,
	                   false, "another session holds the mailbox" },
	[ERR_MESSAGE]  = { false, EX_TEMPFAIL,    REACT_NONE,    0, 0,
	                   false, "a message was not fetched" },
	[ERR_MAILBOX]  = { false, EX_TEMPFAIL,    REACT_NONE,    0, 0,
	                   false, "a mailbox was not fetched" },
	[ERR_DELIVER]  = { false, EX_TEMPFAIL,    REACT_BACKOFF, 5, 10 * MIN,
	                   false, "mail cannot be delivered here" },
	[ERR_CONFIG]   = { false, EX_CONFIG,      REACT_STOP,    0, 0,
	                   true,  "the configuration must be changed" },
	[ERR_CANCEL]   = { false, EX_TEMPFAIL,    REACT_NONE,    0, 0,
	                   false, "interrupted" },
};

/* clang-format on */

const struct reaction *
reaction_of(enum err_kind kind)
{
	return &reactions[kind];
}

/* What the server asked for, and up to a tenth of it. */
static uint64_t
asked_ms(unsigned int after_s, uint32_t chance)
{
	uint64_t s =
	    after_s < REACTION_AFTER_MAX_S ? after_s : REACTION_AFTER_MAX_S;

	return s * 1000 + chance % (s * 100 + 1);
}

uint64_t
reaction_wait_ms(
    const struct err *e, unsigned int tries_in_a_row, uint32_t chance)
{
	const struct reaction *r = reaction_of(e->kind);
	uint64_t ours =
	    backoff_wait_ms(r->base_s, r->ceiling_s, tries_in_a_row, chance);
	uint64_t theirs = asked_ms(e->after_s, chance);

	return ours > theirs ? ours : theirs;
}

int
reaction_worse(int a, int b)
{
	return a > b ? a : b;
}
