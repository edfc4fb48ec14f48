/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_POP3_TEXT_H
#define MAILHAUL_PROTO_POP3_TEXT_H

/* What POP3 servers write into single lines. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

#define POP3_STAMP_MAX 256
#define POP3_UIDL_MAX 4096 /* RFC 1939 7 says 70; servers say more */

enum pop3_status {
	POP3_STATUS_OK,
	POP3_STATUS_ERR,
	POP3_STATUS_GO_ON, /* "+": a challenge of SASL */
	POP3_STATUS_NONE   /* no answer at all */
};

/* What an answer begins with, whatever the case; *text is what follows. */
enum pop3_status pop3_text_status(struct span line, struct span *text);

/*
 * "number uidl", with any blanks around. False: no message number, the line
 * is worth nothing. *uidl is empty if the server gave none that can be kept:
 * missing, too long, or with a CR or NUL inside.
 */
bool pop3_text_uidl(struct span line, uint32_t *number, struct span *uidl);

/* "number size". *size is a hint; 0 if it made no sense. */
bool pop3_text_list(struct span line, uint32_t *number, uint64_t *size);

/* "count size", as STAT answers. */
bool pop3_text_stat(struct span text, uint32_t *count, uint64_t *size);

/* The timestamp for APOP in a greeting (RFC 1939 7), with its brackets. False:
 * there is none that is a msg-id of RFC 5322 3.6.4. Whoever may write anything
 * there finds out the password (CVE-2007-1558). */
bool pop3_text_timestamp(struct span greeting, struct span *stamp);

/* Is there a capability of this name in lines separated by LF? Its arguments
 * go to *args unless that is NULL. */
bool pop3_text_capability(
    struct span lines, struct span name, struct span *args);

/* LOGIN-DELAY among them (RFC 2449 6.5): seconds that should lie between two
 * logins, a day at most; 0: none are wanted. */
unsigned int pop3_text_login_delay(struct span lines);

/* EXPIRE among them (RFC 2449 6.7): false where mail stays for ever; else *days
 * that it stays, 0: what was fetched is deleted by the server itself. */
bool pop3_text_expire(struct span lines, unsigned int *days);

/* Are they different for this user, so that only a list that is given after
 * the login tells what they are? */
bool pop3_text_is_per_user(struct span lines);

/* Is it one of the words in s, whatever the case? */
bool pop3_text_has_word(struct span s, struct span word);

/* Does a refusal without a code mean that the command is not known, rather
 * than that something is wrong with what was said? */
bool pop3_text_is_unknown_command(struct span text);

#endif
