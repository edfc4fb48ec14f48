/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_TRACE_H
#define MAILHAUL_DELIVER_TRACE_H

/*
 * What is put in front of a message, in this order, each part only if asked
 * for (Delivered-To also only if the recipient is known):
 *
 *	From SENDER Wed Nov 25 17:31:17 2026
 *	Delivered-To: RECIPIENT
 *	Received: from HOST
 *		by MYHOST with IMAPS (mailhaul-1.0 polling ACCOUNT account
 *		USER folder MAILBOX)
 *		for <RECIPIENT>; Wed, 25 Nov 2026 17:31:17 +0000
 *	X-Mailhaul: account=ACCOUNT mailbox=MAILBOX uid=UID
 *
 * (Received has three lines; "by" is one.) Names come from servers and users:
 * all but letters, digits and ._@+/=- is written as %XX, and a name is cut at
 * TRACE_VALUE_MAX octets so written. Addresses are as deliver/address.h lets
 * them through. No line is longer than 998 octets (RFC 5322 2.1.1).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

#define TRACE_VALUE_MAX 210 /* the longest UIDL (RFC 1939 7) is not cut */
#define TRACE_OCTETS_MAX 4096
#define TRACE_NO_UID SIZE_MAX
#define TRACE_UID_OCTETS 10

struct trace { /* nothing here is ours */
	bool from_line, delivered_to, received, source;
	bool crlf;            /* line ends; else LF */
	int64_t now;          /* Unix time; written in UTC */
	const char *host;     /* of the server */
	const char *by;       /* our own */
	const char *protocol; /* "IMAP" "IMAPS" "POP3" "POP3S" */
	const char *account, *user;
	const char *mailbox;   /* NULL: POP3 */
	uint32_t uid;          /* of IMAP; 0: not known yet */
	const char *uidl;      /* of POP3; NULL: there is none */
	const char *sender;    /* "": MAILER-DAEMON stands for it */
	const char *recipient; /* "": not known */
};

/* Adds at most TRACE_OCTETS_MAX octets to *out. The answer: where, from the
 * first octet added, TRACE_UID_OCTETS blanks wait for the UID of IMAP; else
 * TRACE_NO_UID. */
size_t trace_build(const struct trace *t, struct buf *out);

/* What to write over those blanks. */
void trace_uid(uint32_t uid, char octets[TRACE_UID_OCTETS]);

#endif
