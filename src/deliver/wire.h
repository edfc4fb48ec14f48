/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_WIRE_H
#define MAILHAUL_DELIVER_WIRE_H

/*
 * What engine and deliverer say to each other, as packets of io/ipc.h. Each
 * wire_put_x() adds to a buffer of WIRE_MAX octets, each wire_take_x() reads
 * the same back and returns false when the octets have any other shape:
 * neither side trusts the other's.
 *
 * A box is named by a number that the engine chooses, each higher than those
 * before: none is used again. A
 * letter by the deliverer's token until it is committed, and by the engine's
 * cookie in the answer.
 *
 *	BOX -> SET* BOX_IS			BOX_CLOSE
 *	SETTLE, GONE, MISSING			no answer
 *	LIST_BEGIN, LIST_ADD*, LIST_END -> SET* LIST_IS
 *	VERIFY -> VERIFIED			in the order asked
 *	OPEN -> FILES*, or NO_FILES for so many that will not come
 *	COMMIT -> DONE				DISCARD
 *	ASK -> ASKED, NOTE -> DONE, NAMES -> NAMED*, DIAL -> DIALLED
 *						see deliver/wire_mail.h
 *	RECALL -> RECALLED, REMEMBER: no answer
 *						see deliver/wire_account.h
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/digest.h"
#include "io/ipc.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/pack.h"
#include "util/set.h"
#include "util/span.h"

#define WIRE_MAX IPC_PAYLOAD_MAX
#define WIRE_MAILBOX_MAX 8192 /* octets of a mailbox name */
#define WIRE_UIDL_MAX 4096    /* octets of a UIDL */
#define WIRE_TO_MAX 240       /* octets of where mail goes */
#define WIRE_OPEN_MAX 4096    /* files of a box asked for and not yet opened */
#define WIRE_FILES_MAX IPC_FDS_MAX

enum wire_type {
	/* from the engine */
	WIRE_BOX = 1,
	WIRE_BOX_CLOSE,
	WIRE_SETTLE,
	WIRE_GONE,
	WIRE_LIST_BEGIN,
	WIRE_LIST_ADD,
	WIRE_LIST_END,
	WIRE_VERIFY,
	WIRE_OPEN,
	WIRE_COMMIT,
	WIRE_DISCARD,
	WIRE_MISSING,
	WIRE_ASK,
	WIRE_NOTE,
	WIRE_NAMES,
	WIRE_DIAL,
	WIRE_RECALL,
	WIRE_REMEMBER,
	/* from the deliverer */
	WIRE_SET,
	WIRE_BOX_IS,
	WIRE_LIST_IS,
	WIRE_VERIFIED,
	WIRE_FILES,
	WIRE_NO_FILES,
	WIRE_DONE,
	WIRE_ASKED,
	WIRE_NAMED,
	WIRE_DIALLED,
	WIRE_RECALLED
};

/* ---- parts; the err and the text are checked as they are taken ---- */

void wire_put_err(struct buf *b, const struct err *e);
bool wire_take_err(struct unpack *u, struct err *e);
void wire_put_digest(struct buf *b, const struct digest *d);
void wire_take_digest(struct unpack *u, struct digest *d);
bool wire_take_bool(struct unpack *u, bool *v);
/* At most max octets, without NUL, CR and LF; in the packet. */
bool wire_take_text(struct unpack *u, size_t max, struct span *text);

/* ---- packets ---- */

/* BOX_CLOSE, LIST_BEGIN, LIST_END; and what many others begin with */
void wire_put_number(struct buf *b, uint32_t number);
bool wire_take_number(struct span packet, uint32_t *number);

struct wire_box { /* BOX */
	uint32_t box, account, uidvalidity;
	char delimiter;      /* between levels of the name; 0: none */
	struct span mailbox; /* in the packet */
};

void wire_put_box(struct buf *b, const struct wire_box *box);
bool wire_take_box(struct span packet, struct wire_box *box);

/*
 * SETTLE, GONE, SET: a part of a set. which says what of several it is. Puts
 * what fits of the ranges from number `from` on and returns the number of the
 * first that did not. Taking adds to *set.
 */
size_t wire_put_set(struct buf *b, uint32_t box, uint8_t which,
    const struct set *set, size_t from);
bool wire_take_set(
    struct span packet, uint32_t *box, uint8_t *which, struct set *set);

struct wire_line { /* LIST_ADD: any number of these behind the box */
	uint32_t number;
	uint64_t size;
	struct span uidl; /* in the packet; empty: the server's is unusable */
};

/* False when it does not fit any more. */
bool wire_put_line(struct buf *b, const struct wire_line *line);
bool wire_take_line(struct unpack *u, struct wire_line *line);

struct wire_verify { /* VERIFY */
	uint32_t box, number;
	struct digest fingerprint;
};

void wire_put_verify(struct buf *b, const struct wire_verify *v);
bool wire_take_verify(struct span packet, struct wire_verify *v);

struct wire_open { /* OPEN */
	uint32_t box, count;
};

void wire_put_open(struct buf *b, const struct wire_open *o);
bool wire_take_open(struct span packet, struct wire_open *o);

/* Longest texts of mail that may cross, in octets. */
#define WIRE_ADDRESS_MAX 254
#define WIRE_ABOUT_MAX 240

struct wire_commit { /* COMMIT: one or more of these */
	uint32_t token, cookie, number;
	bool by_content, owes;
	bool relayed;    /* the engine handed it on: record that */
	bool stub;       /* stands for one of size octets, which stays away */
	uint8_t flags;   /* MAILDIR_SEEN etc. */
	int64_t time;    /* of its arrival on the server, Unix; 0: not known */
	uint64_t octets; /* in the file */
	uint64_t size;
	struct digest fingerprint;
	/* in the packet; no NUL, CR or LF: */
	struct span sender, recipient; /* empty: null, not known */
	struct span about;             /* for people */
};

bool wire_put_commit(struct buf *b, const struct wire_commit *c);
bool wire_take_commit(struct unpack *u, struct wire_commit *c);

enum wire_which { /* of SET */
	WIRE_HANDLED,
	WIRE_OWED,
	WIRE_FRESH,
	WIRE_SETTLED,
	WIRE_BARRED,
	WIRE_DUE,
	WIRE_FULL
};

struct wire_answer { /* BOX_IS, LIST_IS */
	uint32_t box;
	uint8_t state; /* enum client_box_state */
	uint32_t was, repeated, barred;
	bool listed;
	struct err e;   /* ERR_NONE: it went well */
	struct span to; /* BOX_IS: where its mail goes, for people; in the
	                   packet */
};

void wire_put_answer(struct buf *b, const struct wire_answer *a);
bool wire_take_answer(struct span packet, struct wire_answer *a);

struct wire_verified { /* VERIFIED */
	uint32_t box, number;
	bool same;
	struct err e;
};

void wire_put_verified(struct buf *b, const struct wire_verified *v);
bool wire_take_verified(struct span packet, struct wire_verified *v);

/* FILES, with as many descriptors; DISCARD (box is 0) */
void wire_put_tokens(
    struct buf *b, uint32_t box, const uint32_t *tokens, size_t n);
bool wire_take_tokens(struct span packet, uint32_t *box,
    uint32_t tokens[WIRE_FILES_MAX], size_t *n);

struct wire_no_files { /* NO_FILES */
	uint32_t box, count;
	struct err e;
};

void wire_put_no_files(struct buf *b, const struct wire_no_files *n);
bool wire_take_no_files(struct span packet, struct wire_no_files *n);

struct wire_done { /* DONE: one or more of these */
	uint32_t cookie;
	bool known;
	struct err e; /* ERR_NONE: delivered */
};

bool wire_put_done(struct buf *b, const struct wire_done *d);
bool wire_take_done(struct unpack *u, struct wire_done *d);

#endif
