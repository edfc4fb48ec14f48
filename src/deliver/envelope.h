/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_ENVELOPE_H
#define MAILHAUL_DELIVER_ENVELOPE_H

/*
 * Whom a message comes from and goes to, as its header tells: what an MDA
 * and an LMTP server want to know beside the message.
 *
 *	h = envelope_header(rules);	header_add() the message to it
 *	envelope_read(h, rules, &out);
 */

#include "deliver/address.h"
#include "deliver/header.h"

#define ENVELOPE_ABOUT_MAX 200

struct envelope_rules {               /* nothing here is ours */
	const char *recipient;        /* configured; NULL: none */
	const char *recipient_header; /* a field's name; NULL: none */
	const char *recipient_prefix; /* taken off what stands there, or NULL */
};

struct envelope {
	char sender[ADDRESS_MAX + 1];    /* "": the null sender, <> */
	char recipient[ADDRESS_MAX + 1]; /* "": not known */
	/* from "...", subject "...": for people, printable; "" without both */
	char about[ENVELOPE_ABOUT_MAX + 1];
};

/* A scanner for the fields that the rules want; they outlive it. The caller
 * frees it. */
struct header *envelope_header(const struct envelope_rules *rules);

/*
 * Sender: Return-Path (also when it is <>), else Sender, else From, else
 * null; what cannot be used is passed over. Recipient: the topmost
 * recipient_header, less the prefix if it begins with that, else the
 * configured one; never guessed. h is from envelope_header(), or NULL: then
 * only what is configured is known.
 */
void envelope_read(const struct header *h, const struct envelope_rules *rules,
    struct envelope *out);

#endif
