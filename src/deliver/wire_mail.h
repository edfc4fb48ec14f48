/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_WIRE_MAIL_H
#define MAILHAUL_DELIVER_WIRE_MAIL_H

/*
 * More of what engine and deliverer say to each other, in the manner of
 * deliver/wire.h: of messages that the engine itself hands on, and of those
 * that do not get through.
 */

#include "deliver/wire.h"
#include "ledger/ledger.h"

#define WIRE_REASON_MAX 240     /* octets */
#define WIRE_RECIPIENTS_MAX 100 /* of one message */

struct wire_recipients {
	struct span v[WIRE_RECIPIENTS_MAX]; /* in the packet */
	size_t n;
};

struct wire_ask { /* ASK: what does the ledger know of this open letter? */
	uint32_t token, cookie, number;
	bool by_content, owes;
	struct digest fingerprint;
};

void wire_put_ask(struct buf *b, const struct wire_ask *a);
bool wire_take_ask(struct span packet, struct wire_ask *a);

struct wire_asked { /* ASKED */
	uint32_t cookie;
	bool known;  /* it was delivered before */
	bool barred; /* it is not to be tried now */
	struct err e;
	struct wire_recipients reached; /* these have it already */
};

void wire_put_asked(struct buf *b, const struct wire_asked *a);
bool wire_take_asked(struct span packet, struct wire_asked *a);

#define WIRE_NO_TOKEN UINT32_MAX
#define WIRE_NO_COOKIE UINT32_MAX

/*
 * NOTE: a message does not get through. The letter of the token, if any, is
 * done with; DONE follows for the cookie, if any.
 */
struct wire_note {
	uint32_t box, token, cookie, number;
	bool by_content;
	struct digest fingerprint;       /* for by_content */
	enum ledger_trouble_state state; /* LATER or HELD */
	enum ledger_why why;
	uint32_t hold_after;
	uint64_t size;
	struct span reason, about;
	struct wire_recipients reached; /* besides those known before */
};

void wire_put_note(struct buf *b, const struct wire_note *n);
bool wire_take_note(struct span packet, struct wire_note *n);

#define WIRE_NAMES_MAX 1024 /* numbers of one NAMES, which is as a SET */

struct wire_name { /* NAMED: any number of these behind the box */
	uint32_t number;
	struct span text; /* the UIDL, for people; in the packet */
};

/* False when it does not fit any more. */
bool wire_put_name(struct buf *b, const struct wire_name *n);
bool wire_take_name(struct unpack *u, struct wire_name *n);

struct wire_dialled { /* DIALLED, with a descriptor unless e is set */
	uint32_t account;
	struct err e;
};

void wire_put_dialled(struct buf *b, const struct wire_dialled *d);
bool wire_take_dialled(struct span packet, struct wire_dialled *d);

#endif
