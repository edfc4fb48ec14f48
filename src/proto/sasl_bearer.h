/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_SASL_BEARER_H
#define MAILHAUL_PROTO_SASL_BEARER_H

/*
 * The words that carry an access token (RFC 6750) in SASL: OAUTHBEARER of RFC
 * 7628, and XOAUTH2, which Google made before that. Text without base64.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"
#include "util/err.h"
#include "util/span.h"

/* The initial response. -1 and *e (ERR_CONFIG): user or token hold what ends
 * a field. host may be NULL: then neither it nor the port is told. */
int sasl_bearer_xoauth2(
    struct buf *out, const char *user, struct span token, struct err *e);
int sasl_bearer_oauthbearer(struct buf *out, const char *user,
    struct span token, const char *host, unsigned int port, struct err *e);

/* What a refusal says (RFC 7628 3.2.2), as "the token was refused (status
 * 401, invalid_token, for the scope mail)". What is no JSON is left out. */
void sasl_bearer_refusal(struct err *e, struct span json);

/* What is answered to it, so that the server ends the exchange. */
struct span sasl_bearer_answer(bool oauthbearer);

#endif
