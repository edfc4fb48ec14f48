/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_LMTP_GREET_H
#define MAILHAUL_PROTO_LMTP_GREET_H

/*
 * From the greeting to the first mail: LHLO, EHLO or HELO, and STARTTLS
 * between two of them. It is fed whole replies by proto/lmtp.c and knows
 * nothing of mail.
 */

#include <stdbool.h>
#include <stddef.h>

#include "proto/lmtp.h"
#include "proto/lmtp_reply.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/span.h"

struct lmtp_greet {
	unsigned int st; /* enum st in lmtp_greet.c */
	bool smtp;
	bool insecure; /* TLS is demanded and has not begun */
	char *helo;
	size_t behind;           /* octets in hand behind the present reply */
	struct buf *output;      /* not ours */
	struct buf capabilities; /* separated by LF */
	struct err err;
};

void lmtp_greet_init(
    struct lmtp_greet *g, const struct lmtp_params *params, struct buf *output);
void lmtp_greet_deinit(struct lmtp_greet *g);

/* LMTP_MORE, _UPGRADE, _READY or _FAILED (err says why). behind: how many
 * octets of input are in hand behind this reply. */
enum lmtp_event lmtp_greet_reply(
    struct lmtp_greet *g, const struct lmtp_reply *reply, size_t behind);

/* What came is no reply; e says so, and is told what may be the matter. */
void lmtp_greet_doubt(const struct lmtp_greet *g, struct err *e);

bool lmtp_greet_in_tls(const struct lmtp_greet *g); /* after LMTP_UPGRADE */
void lmtp_greet_upgraded(struct lmtp_greet *g);

/* Is it offered? Its arguments go to *args unless that is NULL. */
bool lmtp_greet_can(
    const struct lmtp_greet *g, struct span capability, struct span *args);

unsigned int lmtp_greet_timeout(const struct lmtp_greet *g);
const char *lmtp_greet_name(const struct lmtp_greet *g);

#endif
