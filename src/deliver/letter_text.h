/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_LETTER_TEXT_H
#define MAILHAUL_DELIVER_LETTER_TEXT_H

/*
 * What is said of a message besides its octets: for a program's arguments,
 * and for the ledger's note when it does not get through.
 */

#include "deliver/wire_mail.h"
#include "ledger/ledger.h"

struct letter_text { /* all of it is its own */
	char *mailbox;
	char *sender, *recipient, *about; /* "": none */
	char *reason;                     /* of the note */
	char **reached;                   /* of the note: recipients */
	size_t n_reached;
	struct ledger_note note; /* its texts are those above */
};

struct letter_text *letter_text_new(const char *mailbox);
void letter_text_free(struct letter_text **t); /* NULL is fine */

void letter_text_take(struct letter_text *t, const struct wire_commit *w);
/* Fills the note, as the engine says it, for a message of this box. */
void letter_text_take_note(
    struct letter_text *t, const struct wire_note *w, int64_t box);

/* Another reason for the note. */
void letter_text_reason(struct letter_text *t, const char *reason);

#endif
