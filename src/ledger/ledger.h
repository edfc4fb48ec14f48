/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_LEDGER_H
#define MAILHAUL_LEDGER_LEDGER_H

/*
 * What was delivered, in SQLite (WAL, synchronous=FULL): the memory that
 * keeps mail from being lost or repeated. One process has it open (the
 * caller holds the lock); one thread uses a struct ledger at a time.
 *
 * A message is named by its box (account, mailbox, UIDVALIDITY) and number:
 * the UID for IMAP; for POP3 the message number of the listing of this
 * session, which the ledger turns into the UIDL. Numbers are kept as ranges.
 *
 * Life of a message (design: the commit order):
 *	ledger_prepare		one transaction: handled, and in the journal
 *	(the caller renames and syncs new/)
 *	ledger_published	no disk: the journal rows go with the next
 *				transaction, or with ledger_flush
 *	ledger_gone		the server side is done; nothing is owed
 * or, when the rename failed, ledger_unprepare.
 *
 * A crash leaves journal rows; ledger_journal() shows them at the next start:
 * a row whose tmp file exists is renamed, then ledger_published as ever.
 *
 * Errors are ERR_DELIVER and name the file. After a failed transaction
 * nothing of it is in the ledger.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"
#include "util/set.h"
#include "util/span.h"

struct ledger;

#define LEDGER_FINGERPRINT 16 /* octets */

/* path is created 0600 if missing. A ledger of a newer program, one that is
 * not a database, or one that others may write is an error that says so. */
struct ledger *ledger_open(const char *path, struct err *e);
void ledger_close(struct ledger **l); /* flushes; NULL is fine */

/* 16 hex digits made once per ledger: in the names of our tmp files, so that
 * they are known as ours. Valid as long as l. */
const char *ledger_token(const struct ledger *l);

/* ---- boxes ---- */

enum ledger_state {
	LEDGER_NEW,    /* first time: an empty box was made */
	LEDGER_KNOWN,  /* as it was */
	LEDGER_CHANGED /* known with another UIDVALIDITY: *box is 0, *was is
	                  the old one, and nothing was changed */
};

/* uidvalidity is 0 for POP3 (mailbox ""). */
int ledger_box(struct ledger *l, const char *account, const char *mailbox,
    uint32_t uidvalidity, int64_t *box, enum ledger_state *state, uint32_t *was,
    struct err *e);

/*
 * IMAP: handled = delivered. owed = delivered in an account that removes, and
 * not yet gone from the server (a subset of handled). settled = not there
 * when they were looked for (and not handled). The sets are initialised by
 * the caller and replaced.
 */
int ledger_sets(struct ledger *l, int64_t box, struct set *handled,
    struct set *owed, struct set *settled, struct err *e);

/* POP3: a listing of this box ended well, once. */
int ledger_listed(struct ledger *l, int64_t box, bool *listed, struct err *e);

/* Durable at once: numbers that the server does not have, and most likely
 * never will. One that comes all the same is delivered as any other. */
int ledger_settle(
    struct ledger *l, int64_t box, const struct set *absent, struct err *e);

/* Rides in the next transaction (or ledger_flush): removed on the server, or
 * no longer ours to remove. For POP3: of the present listing; such a UIDL is
 * forgotten when a later complete listing is without it. */
int ledger_gone(
    struct ledger *l, int64_t box, const struct set *numbers, struct err *e);

/* The fingerprint of a delivered message; *found false when there is none. */
int ledger_fingerprint(struct ledger *l, int64_t box, uint32_t number,
    uint8_t fingerprint[LEDGER_FINGERPRINT], bool *found, struct err *e);

/* ---- POP3 listings: one at a time per box ---- */

/*
 * begin, one add per line of the server's UIDL (in any order; of two lines
 * with one number the first counts; uidl is empty when it was unusable; size
 * from LIST, 0 if unknown), end. Memory does not grow with the listing. Equal
 * UIDLs in one listing are told apart by size and order, from then on for
 * ever, and *repeated counts them: such messages must not be removed but in
 * the session that fetched them, so they are never in owed. When no line had
 * a size, a listing with *repeated > 0 changes nothing, the sets are empty,
 * and nothing can be prepared: list again, with sizes.
 *
 * fresh: not handled, or removed by us and there again. owed: handled, removal
 * owed; the server may have given the UIDL to another message since, so the
 * fingerprint is to be looked at before. A UIDL that is not listed any more is
 * forgotten at once if its removal was done by us or it was ever repeated,
 * else after LEDGER_UIDL_KEEP_S of absence (servers show short lists on bad
 * days).
 *
 * begin gives the numbers of the box a new meaning: what is to be prepared by
 * the old one must be prepared before. When add or end fails, or while the
 * listing has not ended, nothing can be prepared.
 */
#define LEDGER_UIDL_KEEP_S (INT64_C(60) * 86400)
int ledger_list_begin(struct ledger *l, int64_t box, struct err *e);
int ledger_list_add(struct ledger *l, int64_t box, uint32_t number,
    struct span uidl, uint64_t size, struct err *e);
int ledger_list_end(struct ledger *l, int64_t box, struct set *fresh,
    struct set *owed, uint32_t *repeated, struct err *e);

/* ---- messages ---- */

struct ledger_entry {
	int64_t box;
	uint32_t number;
	bool by_content; /* POP3 without UIDL: the fingerprint is the name */
	bool owes;       /* its removal on the server will be owed */
	uint8_t fingerprint[LEDGER_FINGERPRINT];
	const char *dir;  /* the Maildir, absolute; or the mbox */
	const char *file; /* its name in new/ or cur/; or in the spool */
	uint64_t offset;  /* in the mbox, where its octets begin */
	bool has_offset;
	int64_t row;      /* out of ledger_prepare: the journal row */
	bool known;       /* out: was handled already; not journaled, and the
	                     caller drops its copy. For a UIDL only if the
	                     fingerprint is the same */
};

/* One durable transaction for the whole group, together with whatever rides.
 * On error nothing is recorded and nothing rides less. */
int ledger_prepare(
    struct ledger *l, struct ledger_entry *entries, size_t n, struct err *e);
void ledger_published(
    struct ledger *l, const struct ledger_entry *entries, size_t n);
/* Durable: as if ledger_prepare had not been called for these. */
int ledger_unprepare(struct ledger *l, const struct ledger_entry *entries,
    size_t n, struct err *e);
int ledger_flush(struct ledger *l, struct err *e); /* what rides, durably */

/* Each journal row, oldest first. fn returns 0, or -1 to stop (with *e); it
 * may call anything but ledger_close(). */
typedef int (*ledger_journal_fn)(
    void *arg, const struct ledger_entry *entry, struct err *e);
int ledger_journal(
    struct ledger *l, ledger_journal_fn fn, void *arg, struct err *e);

#endif
