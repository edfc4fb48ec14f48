/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_REPLY_H
#define MAILHAUL_PROTO_REPLY_H

/*
 * What a server's refusal means: response codes (RFC 3501 7.1, 5530, 2449,
 * 3206) and the free texts that real servers send (see the quirks in the
 * manual). Pure; shared by the IMAP and POP3 machines.
 */

#include "util/err.h"
#include "util/span.h"

/*
 * The kind of error a NO, BAD, BYE or -ERR stands for. code is what stood in
 * brackets ("THROTTLED", "SYS/TEMP", "" if none), text the rest of the line,
 * otherwise what it would mean without either.
 */
enum err_kind reply_kind(
    struct span code, struct span text, enum err_kind otherwise);

#define REPLY_AFTER_MAX_S 86400 /* nobody is believed who asks for more */

/* The seconds a text asks to wait, as in "Suggested Backoff Time: 299961
 * milliseconds" (300) or "Logins must be at least 5 minutes apart"; 0: it does
 * not ask. */
unsigned int reply_after_s(struct span text);

/* Splits "[CODE args] text"; without a code *code is empty. */
void reply_split(
    struct span line, struct span *code, struct span *args, struct span *text);

#endif
