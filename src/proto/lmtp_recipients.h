/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_LMTP_RECIPIENTS_H
#define MAILHAUL_PROTO_LMTP_RECIPIENTS_H

/*
 * The recipients of one message, and what became of it for each. Each gets
 * one verdict, which is told once, lowest index first.
 */

#include <stdbool.h>
#include <stddef.h>

#include "proto/lmtp.h"
#include "util/span.h"

enum lmtp_standing {
	LMTP_UNASKED,  /* RCPT is to be said, or was and is not answered */
	LMTP_WELCOME,  /* RCPT was accepted */
	LMTP_ANSWERED, /* has its verdict, which is due */
	LMTP_TOLD
};

struct lmtp_recipient {
	char *address;
	enum lmtp_standing standing;
	enum lmtp_verdict verdict;
	struct err err;
};

struct lmtp_recipients {
	struct lmtp_recipient *list;
	size_t n;
	size_t welcome; /* of them are */
	size_t due;     /* verdicts, to be told */
	size_t from;    /* none is due before it */
};

void lmtp_recipients_init(
    struct lmtp_recipients *r, const struct span *addresses, size_t n);
void lmtp_recipients_deinit(struct lmtp_recipients *r);

/* The first from i on that stands so; n if none does. */
size_t lmtp_recipients_find(
    const struct lmtp_recipients *r, size_t i, enum lmtp_standing standing);

void lmtp_recipients_welcome(struct lmtp_recipients *r, size_t i);

/* What the server said in words, or we for it. */
void lmtp_recipients_answer(struct lmtp_recipients *r, size_t i,
    enum lmtp_verdict verdict, const char *text);

/* The same for all that stand so. */
void lmtp_recipients_answer_all(struct lmtp_recipients *r,
    enum lmtp_standing standing, enum lmtp_verdict verdict, const char *text);

/* The next verdict to be told, or false. */
bool lmtp_recipients_tell(struct lmtp_recipients *r, struct lmtp_info *info);

#endif
