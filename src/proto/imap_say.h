/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_SAY_H
#define MAILHAUL_PROTO_IMAP_SAY_H

/*
 * What goes to an IMAP server: commands with their tags, A1, A2, ..., the
 * octets that wait to be sent, and how many of them hold a credential.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/imap_flight.h"
#include "util/buf.h"
#include "util/span.h"

struct imap_say {
	struct buf out;
	size_t secret; /* octets of out up to the end of a credential */
	uint32_t tag;  /* the last one used */
	bool full;     /* a command did not fit, and was lost */
	struct imap_flight flight;
};

void imap_say_init(struct imap_say *s);
void imap_say_deinit(struct imap_say *s); /* wipes */

/* Gives back the memory that is not needed. */
void imap_say_rest(struct imap_say *s);

/* The tag, and the command is in flight. Its words are added to s->out. */
uint32_t imap_say_begin(struct imap_say *s, enum imap_verb verb);
/* The whole of it. */
uint32_t imap_say_command(
    struct imap_say *s, enum imap_verb verb, struct span words);

void imap_say_secret(struct imap_say *s); /* all of s->out is secret */
void imap_say_sent(struct imap_say *s, size_t n);
void imap_say_nothing(struct imap_say *s); /* drops and wipes the output */

#endif
