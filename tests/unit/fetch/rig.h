/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_FETCH_RIG_H
#define MAILHAUL_TESTS_UNIT_FETCH_RIG_H

/*
 * A whole fetch in one process and one loop: a scripted server on loopback,
 * a real deliverer with its ledger and Maildir in a directory of its own.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/target.h"
#include "fetch/fetch.h"
#include "ledger/ledger.h"
#include "unit/fetch/scripted.h"

struct rig {
	struct fetch_params params; /* changed before rig_run() at will */
	struct fetch_result result;
	char heard[65536]; /* all lines of the client, LF between */
	char dir[64];
};

/* Fresh directories; IMAP unless is_pop3; keep. */
struct rig *rig_new(bool is_pop3);
/* The same, with another target; its name and the path of a Maildir are
 * filled in. */
struct rig *rig_new_to(bool is_pop3, const struct target *target);
void rig_free(struct rig **r);

/* One fetch against the script, which ends in { 0 }. */
void rig_run(struct rig *r, const struct rig_rule *script);

/* The same; the fetch is stopped when the client has said this. */
void rig_run_and_stop(
    struct rig *r, const struct rig_rule *script, const char *stop_at);

/* For tests that bring fetches of their own, as the deliverer's account 0 or
 * 1: runs the loop of rig_env() against the script until the loop is stopped.
 * at is called when the client has said mark, which is not answered; NULL:
 * nothing is. It may stop and free what it likes. */
const struct fetch_env *rig_env(const struct rig *r);
void rig_play(struct rig *r, const struct rig_rule *script, const char *mark,
    loop_fn at, void *arg);

/* The server, for tests that run the loop of rig_env() themselves. */
struct scripted *rig_host(const struct rig *r);

unsigned int rig_delivered(const struct rig *r);     /* files in new/ */
unsigned int rig_unfinished(const struct rig *r);    /* files in tmp/ */
bool rig_has(const struct rig *r, const char *text); /* a file in new/ */
unsigned int rig_said(const struct rig *r, const char *text);

/* What the ledger has of account 0, once all that was said is written: how
 * many messages are in trouble, and the last of them. */
struct rig_trouble {
	unsigned int n, tries;
	int64_t id;
	uint32_t uid;
	enum ledger_trouble_state state;
	enum ledger_why why;
	uint64_t size;
	bool stub, full;
	size_t n_reached;
	char uidl[128], reason[600], about[300];
};

struct rig_trouble rig_trouble(struct rig *r);
/* The one in trouble is due at once, because the user wants it. */
void rig_retry(struct rig *r, bool full);
/* The time has come for all that wait for it. */
void rig_let_time_pass(struct rig *r);

#endif
