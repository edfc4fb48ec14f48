/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_LMTP_ENVELOPE_H
#define MAILHAUL_PROTO_LMTP_ENVELOPE_H

/*
 * What is said of one message before its octets: the sender, the recipients,
 * the parameters of MAIL, and which command carries the body. Parameters are
 * used only where the server offers them. Who cannot be asked for at all has
 * his verdict from the beginning.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/lmtp.h"
#include "proto/lmtp_recipients.h"
#include "util/buf.h"

/* What the server offers, and how it is spoken to. */
struct lmtp_terms {
	bool smtp;
	bool pipelining, chunking, binary_mime, eight_bit_mime, smtputf8, size;
	uint64_t size_max; /* 0: none */
};

struct lmtp_envelope {
	char *sender; /* "": the null sender */
	struct lmtp_recipients recipients;
	uint64_t size;
	bool names_size; /* SIZE= */
	bool binary;     /* BODY=BINARYMIME */
	bool eight_bit;  /* BODY=8BITMIME */
	bool utf8;       /* SMTPUTF8 */
	bool chunked;    /* BDAT, not DATA */
};

void lmtp_envelope_init(struct lmtp_envelope *e, const struct lmtp_terms *terms,
    const struct lmtp_mail *mail);
void lmtp_envelope_deinit(struct lmtp_envelope *e);

void lmtp_envelope_put_mail(const struct lmtp_envelope *e, struct buf *out);
void lmtp_envelope_put_rcpt(
    const struct lmtp_envelope *e, size_t i, struct buf *out);

#endif
