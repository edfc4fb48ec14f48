/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_VERB_H
#define MAILHAUL_PROTO_IMAP_VERB_H

/* What is known of each kind of command: its name in logs, how long it may
 * take, and what it means when the server refuses it. */

#include "proto/imap_flight.h"
#include "proto/imap_read.h"
#include "util/err.h"

const char *imap_verb_name(enum imap_verb verb);

/* Seconds the answer may take; user_s is what the user says, 0: nothing. The
 * time of those before IMAP_READY is in proto/imap_entry.c. */
unsigned int imap_verb_timeout(enum imap_verb verb, unsigned int user_s);

/* What NO or BAD to it stands for, by its code and text. */
enum err_kind imap_verb_refusal(enum imap_verb verb, const struct imap_read *r);

#endif
