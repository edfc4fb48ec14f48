/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_LETTER_H
#define MAILHAUL_DELIVER_LETTER_H

/*
 * Letters: messages on their way from a server to wherever they go. See
 * deliver/client.h, which includes this.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/client_note.h"
#include "util/err.h"
#include "util/span.h"

struct client_box;
struct letter;

/* number: the UID, 0 if not known yet (or POP3); uidl: POP3, or NULL. */
struct letter *letter_open(
    struct client_box *b, uint32_t number, const char *uidl);

/* -1: the disk refused; the letter can only be discarded. */
int letter_write(struct letter *l, struct span octets, struct err *e);
uint64_t letter_octets(const struct letter *l); /* given to letter_write() */

struct letter_params {
	uint32_t number; /* UID, or POP3 message number */
	bool by_content; /* POP3 without UIDL: known by what it holds */
	bool owes;       /* the removal on the server follows */
	bool stub;       /* it stands for one of size octets, which is then
	                    held and can be fetched in full */
	uint64_t size;
	unsigned int flags; /* CLIENT_SEEN etc.: with any it is not new */
	int64_t time;       /* of its arrival, Unix; 0: now */
};

/* As enum maildir_flag. */
#define CLIENT_DRAFT 1
#define CLIENT_FLAGGED 2
#define CLIENT_ANSWERED 4
#define CLIENT_SEEN 8

/* e NULL: delivered, durable; else what went wrong: ERR_MESSAGE: only this
 * message, and the ledger has a note of it (sys is EALREADY: from before;
 * EFBIG: none, it never came as far as that).
 * known: it was delivered before, and this copy was dropped. */
typedef void (*letter_fn)(
    void *arg, uint32_t number, bool known, const struct err *e);

/* Both end the caller's ownership and set the pointer to
 * NULL. */
void letter_commit(
    struct letter **p, const struct letter_params *params, letter_fn fn);
void letter_discard(struct letter **l); /* NULL is fine */

/* ---- letters that the engine itself hands on: LMTP, SMTP ---- */

struct letter_content {  /* borrowed from the letter */
	int fd;          /* for reading, at any place */
	uint64_t octets; /* in it */
	bool eight_bit, bare;
	struct span sender, recipient; /* empty: null, not known */
	const struct span *reached;    /* recipients that have it already */
	size_t n_reached;
};

/* e, or known: there is nothing to hand on; content is NULL. An e of kind
 * ERR_MESSAGE (sys is EALREADY): it is not to be tried now. */
typedef void (*letter_asked_fn)(void *arg, struct letter *l,
    const struct letter_content *content, bool known, const struct err *e);

/* The octets are complete. fn is called once, from the loop, unless the
 * letter is ended before. It counts as pending from now on. */
void letter_ask(struct letter *l, const struct letter_params *params,
    letter_asked_fn fn, void *arg);

/* Once, from the loop, just before the letter_fn of the same letter, and with
 * the same e. */
typedef void (*letter_then_fn)(void *arg, const struct err *e);

/* As letter_commit(): the server has taken it; it is to be recorded. */
void letter_sent(
    struct letter **l, letter_fn fn, letter_then_fn then, void *arg);
/* It has not: it is noted, with those that have it now besides, and fn gets
 * an e of ERR_MESSAGE with the reason. */
void letter_refused(struct letter **l, const struct client_note *note,
    const struct span *reached, size_t n_reached, letter_fn fn,
    letter_then_fn then, void *arg);
/* It is dropped, and fn gets e; or, without e, hears that it is known. */
void letter_give_up(struct letter **l, const struct err *e, letter_fn fn);

#endif
