/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_NAMES_H
#define MAILHAUL_LEDGER_NAMES_H

/*
 * What a message is called as long as it is on the server, in any session:
 * unambiguous octets, the first of which says of which kind the rest is.
 *
 *	u1234		IMAP: the UID
 *	lUIDL		POP3
 *	dSIZE/NTH/UIDL	POP3, a UIDL that is or was repeated: see uidl.h
 *	c...		POP3 without UIDL: the fingerprint, 16 octets
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/db.h"
#include "ledger/ledger.h"
#include "ledger/uidl.h"
#include "util/err.h"
#include "util/span.h"

#define NAMES_MAX_OCTETS (UIDL_MAX_OCTETS + 48)

struct message { /* which one is meant */
	int64_t box;
	bool pop3, by_content;
	uint32_t number;
	const uint8_t *fingerprint; /* not ours */
};

struct message names_entry(const struct ledger_entry *m, bool pop3);
struct message names_note(const struct ledger_note *n, bool pop3);

struct name {
	uint32_t uid; /* 0 for POP3 */
	size_t n;
	char b[NAMES_MAX_OCTETS];
};

/* An error when the number is not in the present listing. */
int names_of(
    struct db *d, const struct message *m, struct name *name, struct err *e);
void names_of_line(const struct uidl_name *line, struct name *name);
struct span names_span(const struct name *name);

/* For people: the UID, the UIDL, or nothing. Returns dst. */
char *names_show(char *dst, size_t size, struct span name);

#endif
