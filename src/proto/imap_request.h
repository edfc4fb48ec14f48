/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_REQUEST_H
#define MAILHAUL_PROTO_IMAP_REQUEST_H

/*
 * Where the requests of proto/imap.h are put into words: imap_request.c has
 * imap_list() and all the others. They enter the machine, which is imap.c's,
 * by the one function below.
 */

#include "proto/imap.h"
#include "proto/imap_flight.h"
#include "util/buf.h"

/* Sends the words of *text, with a tag in front and CRLF behind, and ends the
 * text; the tag is returned. r is what writing it came to: if it is not 0, or
 * the session is over, nothing is sent and the tag is never answered. */
uint32_t imap_request(
    struct imap *m, enum imap_verb verb, struct buf *text, int r);

#endif
