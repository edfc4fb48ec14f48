/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_LEDGER_H
#define MAILHAUL_LEDGER_LEDGER_H

/*
 * What was delivered, in SQLite (WAL, synchronous=FULL): the memory that
 * keeps mail from being lost or repeated. One process has it open (the
 * caller holds the lock), and others may look at the messages in trouble
 * (ledger_open_existing); one thread uses a struct ledger at a time.
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
 * or, when the rename failed, ledger_unprepare. What has no file of ours (an
 * MDA or an LMTP server took it) is handled when ledger_prepare is through;
 * before it is handed over, ledger_ask says whether it should be. One that
 * does not get through is noted with ledger_note, and is in trouble until it
 * is handled; the rest of the mail flows.
 *
 * A crash leaves journal rows; ledger_journal() shows them at the next start:
 * a row whose tmp file exists is renamed, then ledger_published as ever.
 *
 * Errors are ERR_DELIVER and name the file. After a failed transaction
 * nothing of it is in the ledger.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/err.h"
#include "util/set.h"
#include "util/span.h"

struct ledger;

struct ledger_note;

#define LEDGER_FINGERPRINT 16 /* octets */

/* path is created 0600 if missing. A ledger of a newer program, one that is
 * not a database, or one that others may write is an error that says so. One
 * of an older program is brought up to date. */
struct ledger *ledger_open(const char *path, struct err *e);

/*
 * For looking at messages in trouble (ledger_troubles() and what follows it),
 * and for nothing else, also while another process has it open. Creates and
 * upgrades nothing: NULL with e->sys ENOENT when there is no ledger, or one
 * of a program that knew of no troubles.
 */
struct ledger *ledger_open_existing(const char *path, struct err *e);
void ledger_close(struct ledger **l); /* flushes; NULL is fine */

/* 16 hex digits made once per ledger: in the names of our tmp files, so that
 * they are known as ours. Valid as long as l. */
const char *ledger_token(const struct ledger *l);

/* ---- accounts ---- */

#define LEDGER_SALT 16 /* octets */

struct ledger_account {
	uint32_t refused;          /* logins refused in a row */
	int64_t refused_at;        /* Unix seconds of the last; 0: none */
	uint16_t mark;             /* of the secret that was refused */
	uint64_t held, waiting;    /* out: messages in trouble */
	uint8_t salt[LEDGER_SALT]; /* out: random, made once per ledger */
};

/* Zeros for an account that nothing was noted of. */
int ledger_account(struct ledger *l, const char *name,
    struct ledger_account *out, struct err *e);
/* Durable, unless it was noted so before. */
int ledger_account_note(struct ledger *l, const char *name,
    const struct ledger_account *a, struct err *e);

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
 * fingerprint is to be looked at before. full: the part of fresh that the
 * user asked for in whole, whatever the size. *barred counts the messages
 * that are neither handled nor fresh: they are in trouble, and not due now.
 * A UIDL that is not listed any more is
 * forgotten at once if its removal was done by us or it was ever repeated,
 * else after LEDGER_UIDL_KEEP_S of absence (servers show short lists on bad
 * days); its trouble, after that time too.
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
    struct set *owed, uint32_t *repeated, struct set *full, uint32_t *barred,
    struct err *e);

/* ---- messages ---- */

struct ledger_entry {
	int64_t box;
	uint32_t number;
	bool by_content; /* POP3 without UIDL: the fingerprint is the name */
	bool owes;       /* its removal on the server will be owed */
	bool stub;       /* the file stands in for a message that is too large:
	                    that is not handled, but held (see note), and its
	                    removal is never owed */
	bool has_offset;
	uint64_t offset; /* given back by ledger_journal(); mbox: where the
	                    file's octets go */
	uint8_t fingerprint[LEDGER_FINGERPRINT];
	const char *dir;  /* the Maildir, absolute; NULL: it has no file, and
	                     is not journaled */
	const char *file; /* its name in new/ */
	const struct ledger_note *note; /* stub: its size, reason and about;
	                                   may be NULL */
	int64_t row; /* out of ledger_prepare: the journal row, or 0 */
	bool known;  /* out: was handled already; not journaled, and the
	                caller drops its copy. For a UIDL only if the
	                fingerprint is the same. stub: one was delivered
	                before, or the message is handled or dropped */
};

/* One durable transaction for the whole group, together with whatever rides.
 * On error nothing is recorded and nothing rides less. What is recorded is
 * not in trouble any more. */
int ledger_prepare(
    struct ledger *l, struct ledger_entry *entries, size_t n, struct err *e);
void ledger_published(
    struct ledger *l, const struct ledger_entry *entries, size_t n);
/* Durable: as if ledger_prepare had not been called for these, but that a
 * trouble does not come back. Entries without a row are left alone. */
int ledger_unprepare(struct ledger *l, const struct ledger_entry *entries,
    size_t n, struct err *e);
int ledger_flush(struct ledger *l, struct err *e); /* what rides, durably */

/* Durable: something of no meaning, with what rides; and room on the disk for
 * some more. To be asked before messages go where what was taken is taken,
 * recorded or not: -1 when nothing could be recorded now. */
int ledger_reserve(struct ledger *l, struct err *e);

/* Each journal row, oldest first. fn returns 0, or -1 to stop (with *e); it
 * may call anything but ledger_close(). */
typedef int (*ledger_journal_fn)(
    void *arg, const struct ledger_entry *entry, struct err *e);
int ledger_journal(
    struct ledger *l, ledger_journal_fn fn, void *arg, struct err *e);

/* ---- before it is handed over ---- */

#define LEDGER_UID_TEXT 81

struct ledger_asked {
	bool known;  /* as ledger_prepare() would say */
	bool barred; /* in trouble, and not due now: leave it alone */
	/* What the message is called in all the world and for ever (for a UIDL:
	 * until the server repeats it), to be hashed: account NUL mailbox NUL
	 * UIDVALIDITY NUL and the name in its box. */
	struct buf name;
	char uid[LEDGER_UID_TEXT]; /* for people: UID or UIDL, printable; or
	                              empty */
	char **reached;            /* recipients that have it already */
	size_t n_reached;
};

void ledger_asked_init(struct ledger_asked *a);
void ledger_asked_deinit(struct ledger_asked *a);

/*
 * The message is here in whole, or its stub; of *in only box, number,
 * by_content, owes, fingerprint and stub count. Writes only if a UIDL turns
 * out to be that of another message, if a stub is known (its message is held
 * again then), or what rides. *out was initialised, and is replaced.
 */
int ledger_ask(struct ledger *l, const struct ledger_entry *in,
    struct ledger_asked *out, struct err *e);

/* POP3: the UIDL of a message of the present listing, for people. */
int ledger_name(struct ledger *l, int64_t box, uint32_t number,
    char text[LEDGER_UID_TEXT], struct err *e);

/* ---- messages in trouble ---- */

enum ledger_trouble_state { /* as stored */
	LEDGER_LATER,
	LEDGER_HELD,   /* until the user says */
	LEDGER_DROPPED /* the user does not want it */
};

enum ledger_why {           /* as stored */
	LEDGER_WHY_REFUSED, /* its delivery was refused, or failed */
	LEDGER_WHY_MISSING, /* the server does not produce it */
	LEDGER_WHY_SIZE     /* too large */
};

#define LEDGER_REASON_MAX 500 /* octets; what is longer is cut */
#define LEDGER_ABOUT_MAX 200

struct ledger_note {
	int64_t box;
	uint32_t number;
	bool by_content;
	uint8_t fingerprint[LEDGER_FINGERPRINT]; /* by_content */
	enum ledger_trouble_state state;         /* LATER or HELD */
	enum ledger_why why;
	unsigned int hold_after; /* tries that make LATER a HELD; 0: never */
	uint64_t size;           /* 0: as noted before */
	/* Made printable. NULL or empty: as noted before. */
	const char *reason;         /* why, in words */
	const char *about;          /* the message, in words: From, Subject */
	bool stub;                  /* a stub of it was delivered */
	const char *const *reached; /* recipients that got it this time */
	size_t n_reached;
	bool held; /* out: it is held now */
};

/* The wait after so many tries: 60 s, doubled each time, at most 4 h. */
unsigned int ledger_delay_s(unsigned int tries);

/*
 * Durable, all or none: one more try of each has failed. A message that is
 * handled is left alone; one that was dropped stays so, but for what was
 * reached.
 */
int ledger_note(
    struct ledger *l, struct ledger_note *notes, size_t n, struct err *e);

/*
 * IMAP, by the wall clock: barred = held, dropped, or to be tried later. due =
 * in trouble and to be tried now. full = those of them that the user asked
 * for in whole, whatever the size. The sets are initialised by the caller and
 * replaced. For POP3 see ledger_list_end().
 */
int ledger_troubles_of(struct ledger *l, int64_t box, struct set *barred,
    struct set *due, struct set *full, struct err *e);

/* IMAP, durable: the server does not have these any more. They are in trouble
 * no longer, but what was dropped stays so. */
int ledger_missing(
    struct ledger *l, int64_t box, const struct set *numbers, struct err *e);

/* ---- by hand, also with ledger_open_existing() ---- */

struct ledger_trouble {
	int64_t id; /* never given twice */
	const char *account, *mailbox;
	uint32_t uid;     /* IMAP; else 0 */
	const char *uidl; /* POP3: printable; empty without one */
	enum ledger_trouble_state state;
	enum ledger_why why;
	unsigned int tries;
	int64_t since, next; /* Unix time; next 0: at once, or never */
	uint64_t size;       /* 0: unknown */
	bool stub, full;
	const char *reason, *about; /* printable */
	size_t n_reached;
};

/*
 * Those that are not dropped, of one account or of all (NULL), ordered by
 * account, mailbox, uid and id. The strings live until fn returns. fn returns
 * 0, or -1 to stop (with *e), and must not use the ledger.
 */
typedef int (*ledger_trouble_fn)(
    void *arg, const struct ledger_trouble *trouble, struct err *e);
int ledger_troubles(struct ledger *l, const char *account, ledger_trouble_fn fn,
    void *arg, struct err *e);

/* Durable; e->sys is ENOENT when there is no such trouble (any more). retry:
 * due at once, with the tries counted anew; full: in whole, whatever the
 * size, until it is delivered. */
int ledger_trouble_retry(
    struct ledger *l, int64_t id, bool full, struct err *e);
int ledger_trouble_drop(struct ledger *l, int64_t id, struct err *e);

#endif
