/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_HTTPS_WIRE_H
#define MAILHAUL_IO_HTTPS_WIRE_H

/* What io/https.c and its process say to each other: one request, one answer.
 * Neither trusts the other's octets. */

#include <stdbool.h>
#include <stddef.h>

#include "io/https.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/span.h"

#define HTTPS_TYPE_MAX 256
#define HTTPS_REQUEST_MAX (HTTPS_FORM_MAX + 4 * HTTPS_URL_MAX)
#define HTTPS_REPLY_MAX (HTTPS_BODY_MAX + 1024)

struct https_request { /* free with https_request_deinit() */
	char *url;
	char *ca_file, *proxy; /* NULL: none */
	struct span form;      /* borrowed from the octets */
	unsigned int timeout_ms;
	bool follow;
};

/* -1: something is too long or cannot be (ERR_CONFIG). *out holds a secret. */
int https_pack_request(
    struct buf *out, const struct https_params *p, struct err *e);
bool https_unpack_request(struct span octets, struct https_request *out);
void https_request_deinit(struct https_request *r); /* wipes */

/* e NULL: a. What of the answer is too long is cut; the body is not, so it
 * must not be longer than HTTPS_BODY_MAX. */
void https_pack_reply(
    struct buf *out, const struct https_answer *a, const struct err *e);
/* 1: *a, borrowed from the octets; 0: *e is what the process told; -1: it
 * makes no sense. */
int https_unpack_reply(
    struct span octets, struct https_answer *a, struct err *e);

#endif
