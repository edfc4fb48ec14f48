/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_CLIENT_H
#define MAILHAUL_DELIVER_CLIENT_H

/*
 * The engine's side of delivery. The deliverer opens, we fill, the deliverer
 * commits: a letter is one message on its way, an open descriptor that the
 * deliverer passed to us. No path is known here and no file is opened.
 *
 *	client_box()		ask what the ledger knows; answer by callback
 *	letter_open()		NULL: none ready; client_ready_fn comes later
 *	letter_write() ...	raw octets; CRLF becomes LF on the way
 *	letter_commit()		answer by callback, from the loop
 *	or letter_discard()
 *
 * Descriptors are asked for ahead, so that letter_open() rarely waits.
 * Octets and letters that are written but not yet committed are bounded, per
 * box and in all: beyond, letter_open() gives NULL and client_full() is true;
 * the owner then pauses its connection until client_ready_fn.
 *
 * When the deliverer goes away, everything pending is answered with
 * ERR_DELIVER.
 */

#include <stdbool.h>
#include <stdint.h>

#include "deliver/draft.h"
#include "deliver/letter.h"
#include "io/loop.h"
#include "util/err.h"
#include "util/histogram.h"
#include "util/set.h"
#include "util/span.h"

struct client;
struct client_box;

/* fd: a SOCK_SEQPACKET to the deliverer; the client's from now on. */
struct client *client_new(struct loop *loop, int fd);
void client_free(struct client **c);

/* ---- boxes ---- */

enum client_box_state { CLIENT_BOX_NEW, CLIENT_BOX_KNOWN, CLIENT_BOX_CHANGED };

struct client_box_info { /* borrowed for the call; sets may be moved out */
	enum client_box_state state;
	uint32_t was;        /* CHANGED: the UIDVALIDITY known before */
	struct set handled;  /* IMAP: not to be fetched (again) */
	struct set settled;  /* IMAP: once searched for in vain; looked for
	                        again when the mailbox holds more than handled */
	struct set owed;     /* delivered; the removal on the server is due */
	struct set fresh;    /* POP3, after client_list_end: to be fetched */
	struct set barred;   /* IMAP: held, or not to be tried yet */
	struct set due;      /* IMAP: failed before; to be tried again now */
	struct set full;     /* to be fetched whatever their size */
	uint32_t n_barred;   /* POP3, after client_list_end: how many */
	uint32_t repeated;   /* POP3: UIDLs that occur more than once */
	bool listed;         /* POP3: this maildrop gave UIDLs before */
	const struct err *e; /* not NULL: failed */
};

typedef void (*client_box_fn)(void *arg, struct client_box_info *info);
typedef void (*client_ready_fn)(void *arg); /* letters are to be had again */

struct client_box_params {
	uint32_t account;     /* as given to the deliverer by the supervisor */
	const char *mailbox;  /* "" for POP3; copied */
	char delimiter;       /* between levels of its name; 0: none */
	uint32_t uidvalidity; /* 0 for POP3 */
	const struct draft_style *style; /* not ours; outlives the box */
};

/*
 * Asks for a mailbox of an account. fn is called once, from the loop. ready
 * is called whenever letter_open() may work again after it gave NULL.
 */
struct client_box *client_box_open(struct client *c,
    const struct client_box_params *params, client_box_fn fn,
    client_ready_fn ready, void *arg);
/* Discards letters still being filled; commits already asked for go on, but
 * nobody is told. fn and ready are never called after. NULL is fine. */
void client_box_close(struct client_box **b);

/* IMAP: numbers that do not exist on the server, and hardly ever will. */
void client_settle(struct client_box *b, const struct set *absent);
/* The server side of these is done (or given up: not ours any more). */
void client_gone(struct client_box *b, const struct set *numbers);
/* IMAP: these were due, and are not on the server any more. */
void client_missing(struct client_box *b, const struct set *numbers);

/* A message does not get through; no answer. The others go on. */
void client_note(struct client_box *b, const struct client_note *note);

/* POP3: the UIDLs of messages of the listing, cut for people. fn is called
 * for each number once, with NULL when there is none. At most WIRE_NAMES_MAX
 * at a time. */
typedef void (*client_name_fn)(void *arg, uint32_t number, const char *uidl);
void client_names(
    struct client_box *b, const struct set *numbers, client_name_fn fn);

/* POP3: the server's list, line by line; fn is called once after the end. */
void client_list_begin(struct client_box *b);
void client_list_add(
    struct client_box *b, uint32_t number, struct span uidl, uint64_t size);
void client_list_end(struct client_box *b, client_box_fn fn);

/* Is the fingerprint of header (octets of the fields Message-ID, Date and
 * From, any order, as the server gave them) and size that of the delivered
 * message number? same is false also when there is none on record. */
typedef void (*client_verify_fn)(
    void *arg, uint32_t number, bool same, const struct err *e);
void client_verify(struct client_box *b, uint32_t number, struct span header,
    uint64_t size, client_verify_fn fn);

/* ---- local servers ---- */

/* A connection to the account's local server (LMTP by a socket): fn gets a
 * descriptor, its own from then on; or -1 and e. */
typedef void (*client_dial_fn)(void *arg, int fd, const struct err *e);
void client_dial(
    struct client *c, uint32_t account, client_dial_fn fn, void *arg);
void client_dial_cancel(struct client *c, void *arg); /* fn is not called */

/* ---- what is remembered of an account across restarts ---- */

#define CLIENT_SALT 16 /* octets */

struct client_record {
	uint32_t refused;       /* logins refused in a row */
	int64_t refused_at;     /* Unix seconds of the last; 0: none */
	uint16_t mark;          /* of the secret that was refused */
	uint64_t held;          /* out only: messages held on the server */
	uint64_t waiting;       /* out only: that wait for another try */
	char salt[CLIENT_SALT]; /* out only: random, made once per ledger */
};

/* record is borrowed; NULL: the ledger could not be read. */
typedef void (*client_record_fn)(void *arg, const struct client_record *record);
/* fn is called once, from the loop. It knows of what was remembered before. */
void client_recall(
    struct client *c, uint32_t account, client_record_fn fn, void *arg);
void client_recall_cancel(struct client *c, void *arg); /* fn is not called */
/* Durable soon, and nobody is told; refused_at is not negative. */
void client_remember(
    struct client *c, uint32_t account, const struct client_record *record);

/* ---- how it went ---- */

struct client_delivery {
	uint64_t octets; /* of the letter, as the server sent them */
	unsigned int ms; /* from letter_open() to the answer */
	const char *to;  /* for people: "~/Maildir", "mda procmail"; empty when
	                    the deliverer does not know */
};

/* Within a letter_fn: of that letter. */
const struct client_delivery *client_delivery(const struct client_box *b);

/* From a commit asked for to its answer, of all that were delivered. */
const struct histogram *client_latency(const struct client *c);

/* ---- bounds ---- */

/* True when the owner should stop feeding: too much waits for the disk. */
bool client_full(const struct client_box *b);
/* True while the deliverer is behind with what it was told: a listing, which
 * no letter bounds, should wait. Nobody is told when that is over. */
bool client_behind(const struct client_box *b);
/* Commits asked for and not yet answered. */
unsigned int client_pending(const struct client_box *b);

#endif
