/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_PROC_FAKE_TEAM_H
#define MAILHAUL_TESTS_PROC_FAKE_TEAM_H

/*
 * A team without processes: it writes down what it is told, as words like
 * "account 1 work secret=one;poll 1", and says what the test wants. After a
 * team_new() it says by itself what a good one does: it watches, finds a
 * message at each poll, leaves when it is dropped, and answers pings.
 */

#include "proc/team.h"
#include "util/buf.h"

struct fake_team {
	struct buf words;
	const char *refuses; /* the name of an account that it cannot take */
	const char *other_files; /* of whose files say something else now */
	bool no_files;           /* they cannot be read */
	const struct conf_account *expected; /* the last */
	unsigned int restarts[2];
	bool stubborn; /* never leaves */
	/* of team_new() */
	struct loop *loop;
	const struct team_events *events;
	void *arg;
};

extern struct fake_team fake_team;

void fake_team_init(void);
void fake_team_deinit(void);
struct team *fake_team_get(void);

/* What it was told since the last time. Good until then. */
const char *fake_team_heard(void);

#endif
