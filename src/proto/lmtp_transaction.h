/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_LMTP_TRANSACTION_H
#define MAILHAUL_PROTO_LMTP_TRANSACTION_H

/*
 * One mail transaction (RFC 5321 3.3, RFC 2033 4.2): MAIL, RCPT, DATA or
 * BDAT, and their answers, which come in the order of the commands. It knows
 * nothing of greetings and TLS; proto/lmtp.c hands it whole replies.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/lmtp.h"
#include "proto/lmtp_body.h"
#include "proto/lmtp_envelope.h"
#include "proto/lmtp_reply.h"
#include "util/buf.h"
#include "util/err.h"

enum lmtp_part {
	LMTP_PART_NONE, /* there is no transaction */
	LMTP_PART_ENVELOPE,
	LMTP_PART_BODY,
	LMTP_PART_END, /* the final answers are to come */
	LMTP_PART_DOT, /* the answer to a body that nobody gets */
	LMTP_PART_RSET,
	LMTP_PART_OVER, /* LMTP_SENT is due */
	LMTP_PARTS
};

struct lmtp_transaction {
	enum lmtp_part part;
	bool smtp, pipelining;
	struct lmtp_envelope envelope;

	/* how far it was said and heard */
	bool mail_said, mail_heard, mail_ok, data_said;
	size_t to_ask;  /* the recipient whose RCPT is the next to be said */
	size_t to_hear; /* ... to be answered */
	size_t flying;  /* commands without answers */

	uint64_t given; /* octets of the body up to now */
	char last;      /* of a BDAT, kept until the end */
	bool body_due;  /* LMTP_BODY is */
	struct lmtp_body body;
	struct buf *output; /* not ours */
	struct err err;     /* of LMTP_FAILED */
};

void lmtp_transaction_init(struct lmtp_transaction *t, struct buf *output);
void lmtp_transaction_deinit(struct lmtp_transaction *t);

void lmtp_transaction_begin(struct lmtp_transaction *t,
    const struct lmtp_terms *terms, const struct lmtp_mail *mail);

/* Says what may be said now. To be called when the output has drained. */
void lmtp_transaction_say(struct lmtp_transaction *t);

/* Is a reply due? If not, one is a mistake of the server's; yet in the body it
 * may refuse early. */
bool lmtp_transaction_waits(const struct lmtp_transaction *t);

/* LMTP_MORE, or LMTP_FAILED with err. */
enum lmtp_event lmtp_transaction_reply(
    struct lmtp_transaction *t, const struct lmtp_reply *reply);

/* The next event that needs no input: LMTP_ANSWER, _BODY, _SENT or _MORE. */
bool lmtp_transaction_has_news(const struct lmtp_transaction *t);
enum lmtp_event lmtp_transaction_news(
    struct lmtp_transaction *t, struct lmtp_info *info);

void lmtp_transaction_body(struct lmtp_transaction *t, struct span octets);
void lmtp_transaction_end(struct lmtp_transaction *t);

unsigned int lmtp_transaction_timeout(const struct lmtp_transaction *t);
const char *lmtp_transaction_name(const struct lmtp_transaction *t);

#endif
