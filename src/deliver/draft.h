/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_DRAFT_H
#define MAILHAUL_DELIVER_DRAFT_H

/*
 * A message on its way into a descriptor: the trace headers are put in front,
 * line ends are converted, the fingerprint is taken, and the octets are
 * written in large pieces. Apart from what its style asks for, every octet of
 * the message survives.
 *
 * The pieces are gathered on a desk, one for all drafts, so memory does not
 * grow with their number: when another draft wants the desk, what lies there
 * is written first. Only a header in which sender or recipient is to be found
 * is held back, until it has ended or DRAFT_HELD_MAX octets were seen; what
 * is behind them is not looked for. A failure to write is the draft's own and
 * stays with it.
 *
 *	d = draft_new();	draft_write() all octets;	draft_finish();
 *	draft_envelope(), draft_take_fd();		draft_free()
 */

#include <stdbool.h>
#include <stdint.h>

#include "deliver/envelope.h"
#include "io/digest.h"
#include "util/err.h"
#include "util/span.h"

#define DRAFT_HELD_MAX 65536

struct desk;
struct draft;

struct desk *desk_new(void);
void desk_free(struct desk **d); /* after its drafts */

struct draft_style {    /* nothing here is ours; it outlives its drafts */
	bool crlf;      /* line ends stay; else CRLF becomes LF */
	bool from_line; /* the From_ line of an mbox in front */
	bool mbox;      /* that, mboxrd quoting, and an empty line behind the
	                   message; not with crlf */
	bool received, delivered_to, source; /* the trace headers */
	bool by_content; /* the fingerprint is of every octet as it was given,
	                    since the message has no other name */
	bool envelope;   /* sender, recipient and about are asked for, even if
	                  nothing in front needs them */
	const char *host, *protocol, *account,
	    *user;           /* as in deliver/trace.h */
	const char *mailbox; /* NULL: POP3 */
	/* as in deliver/envelope.h; each may be NULL */
	const char *recipient, *recipient_header, *recipient_prefix;
};

/* fd, empty and at its start, becomes the draft's. number is the UID of IMAP,
 * 0 when not known yet, and for POP3; uidl is copied, NULL when there is
 * none. */
struct draft *draft_new(struct desk *desk, int fd,
    const struct draft_style *style, uint32_t number, const char *uidl);
void draft_free(struct draft **d); /* closes fd; NULL is fine */

/* 0, or -1 with *e: nothing more will be written. */
int draft_write(struct draft *d, struct span octets, struct err *e);
uint64_t draft_octets(const struct draft *d); /* given to draft_write() */

struct draft_result {
	uint64_t octets; /* the size of the file */
	struct digest fingerprint;
	/* of the file, with crlf only: an octet above 127; a bare CR or LF, or
	 * no CRLF at the end */
	bool eight_bit, bare;
};

/* All octets are there: writes what is left and closes fd, unless the style
 * is crlf. number is the UID as it is known now; it is put in its place if
 * draft_new() was not told. After it, only these: */
int draft_finish(
    struct draft *d, uint32_t number, struct draft_result *out, struct err *e);

/* Borrowed until draft_free(). Without style.envelope it may be empty but for
 * what the trace headers needed. */
const struct envelope *draft_envelope(const struct draft *d);
/* With crlf: fd becomes the caller's. */
int draft_take_fd(struct draft *d);

#endif
