/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_BOX_H
#define MAILHAUL_DELIVER_BOX_H

/*
 * The engine's boxes: what each has open, asked and pending, how much that
 * may be, and whom to call when. For client.c and reply.c, which take it
 * from its owners and from the deliverer.
 *
 * Owners are called from box_answer() alone, or with what the deliverer
 * said; both between box_enter() and box_leave(), since an owner may close
 * boxes or free the client.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "deliver/ahead.h"
#include "deliver/client.h"
#include "deliver/draft.h"
#include "deliver/post.h"
#include "deliver/slots.h"
#include "deliver/wire_mail.h"
#include "io/digest.h"
#include "util/buf.h"
#include "util/err.h"

#define BOX_IDLE_MS 2000 /* then unused descriptors are given back */

extern const struct err box_not_open;

enum box_st {
	BOX_ASKED,
	BOX_OPEN,
	BOX_DEAD /* failed, or its UIDVALIDITY has changed */
};

struct box_question { /* client_verify() */
	STAILQ_ENTRY(box_question) next;
	uint32_t number;
	client_verify_fn fn;
};

struct client_box {
	TAILQ_ENTRY(client_box) next;
	struct client *c; /* not ours */
	uint32_t id;
	enum box_st st;
	bool told;                 /* the deliverer knows of it */
	client_box_fn fn, list_fn; /* NULL: nothing is asked */
	client_ready_fn ready;
	client_name_fn name_fn;
	struct set unnamed;              /* asked for with it */
	const struct draft_style *style; /* not ours */
	void *arg;
	struct client_box_info info;     /* as it comes in */
	char *to;                        /* where its mail goes, for people */
	struct client_delivery delivery; /* of the letter being answered */
	struct buf list;                 /* lines not yet sent */
	STAILQ_HEAD(, box_question) questions;
	LIST_HEAD(, letter) letters;
	struct ahead ahead;
	struct err failure; /* the next letter_open() hands it out */
	uint64_t octets;    /* of open and pending letters */
	unsigned int pending;
	bool starving; /* has no letter, and there was no room to ask */
	bool full;     /* client_full() was true: ready is due after */
	bool hungry;   /* letter_open() gave NULL: the same */
	bool notify;   /* ready is called next */
};

struct letter {
	LIST_ENTRY(letter) next;
	struct client_box *b; /* not ours */
	uint32_t token;
	uint64_t opened_ms;
	struct draft *draft; /* NULL: there is only e */
	struct err e;
	/* of one that the engine hands on: */
	bool asked; /* letter_ask() */
	int fd;     /* ours then; else -1 */
	struct letter_params params;
	struct draft_result result;
	letter_asked_fn asked_fn;
	void *asked_arg;
};

struct box_dial { /* client_dial() */
	STAILQ_ENTRY(box_dial) next;
	uint32_t account;
	client_dial_fn fn; /* NULL: cancelled */
	void *arg;
};

struct box_recall { /* client_recall() */
	STAILQ_ENTRY(box_recall) next;
	uint32_t account;
	client_record_fn fn; /* NULL: cancelled */
	void *arg;
};

struct client {
	struct post post; /* without ipc: the deliverer is gone */
	struct err down;  /* why */
	struct loop_timer *soon, *idle;
	TAILQ_HEAD(, client_box) boxes;
	uint32_t last_id;
	struct slots slots;
	STAILQ_HEAD(, box_dial) dials;     /* in the order asked */
	STAILQ_HEAD(, box_recall) recalls; /* one account's too */
	struct desk *desk;
	struct digest_state *digest;
	uint64_t octets;
	struct histogram latency;
	unsigned int held, asked, max_files; /* descriptors */
	unsigned int busy;                   /* inside callbacks */
	bool freed;                          /* by one of them */
};

struct client_box *box_new(struct client *c);
void box_free(struct client_box **b); /* its letters are gone already */
struct client_box *box_find(struct client *c, uint32_t id);

bool box_down(const struct client *c);
void box_cut(struct client *c, const char *why);

/* Something is to be done in the next round of the loop. */
void box_soon(struct client *c);

/* ---- bounds ---- */

bool box_is_full(const struct client_box *b);

/* Before anything is released: whoever may have seen client_full() is to be
 * told when it is over. */
void box_note_full(struct client *c);

/* ---- descriptors ---- */

void box_ask_files(struct client_box *b);
/* Descriptors were closed, or will not come: others may ask. */
void box_feed_starving(struct client *c);
void box_give_back(struct client_box *b); /* those that nobody used */

/* ---- answers ---- */

void box_enter(struct client *c);
void box_leave(struct client *c); /* calls box_answer(); may free c */

/* The sets were gathered in the box. */
void box_tell(struct client_box *b, client_box_fn fn, const struct err *e);
void box_tell_question(struct client_box *b, bool same, const struct err *e);
void box_tell_slot(
    struct client *c, uint32_t cookie, bool known, const struct err *e);
/* The slot of a question about a letter. */
void box_tell_asked(
    struct client *c, uint32_t cookie, const struct wire_asked *answer);
/* The first dial; fd is handed on. */
void box_tell_dial(struct client *c, int fd, const struct err *e);
/* The first of the account, or NULL. */
struct box_recall *box_find_recall(struct client *c, uint32_t account);
/* NULL: nothing is known. r is freed. */
void box_tell_recall(
    struct client *c, struct box_recall *r, const struct client_record *record);

#endif
