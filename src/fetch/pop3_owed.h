/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_POP3_OWED_H
#define MAILHAUL_FETCH_POP3_OWED_H

/*
 * Messages that an earlier session delivered, and whose removal is owed since:
 * the answer to QUIT was lost. The UIDL alone does not say that they are
 * those: some servers count, and a new message has the UIDL of one that went.
 * So their headers are asked for (TOP n 0) and, with the sizes, compared by
 * the ledger. What differs, or cannot be compared, is to be retrieved: then
 * the deliverer sees what it is.
 */

#include <stdbool.h>

#include "deliver/client.h"
#include "session/pop3_session.h"
#include "util/buf.h"
#include "util/set.h"
#include "util/span.h"

struct pop3_owed {
	struct set todo;
	struct buf header;    /* of the one that is coming */
	unsigned int asked;   /* TOPs not yet answered */
	unsigned int waiting; /* for the ledger */
	bool cut;             /* the header is too long to be kept */
	bool works;           /* the server has TOP */
};

void pop3_owed_init(struct pop3_owed *o);
void pop3_owed_deinit(struct pop3_owed *o);
bool pop3_owed_idle(const struct pop3_owed *o); /* nothing is left to do */

/* Takes them over; those for which there is no TOP go to *fresh. */
void pop3_owed_take(struct pop3_owed *o, struct set *owed,
    const struct pop3 *machine, struct set *fresh);

/* Asks for the next; todo is not empty. */
void pop3_owed_ask(struct pop3_owed *o, struct pop3 *machine);

/* The answer: begin, data, end; then done. size 0: not known. The ledger's
 * answer comes by fn, and is to be counted with pop3_owed_heard(). */
void pop3_owed_begin(struct pop3_owed *o);
void pop3_owed_data(struct pop3_owed *o, struct span octets);
void pop3_owed_end(struct pop3_owed *o, struct client_box *ledger,
    uint32_t number, uint64_t size, client_verify_fn fn, struct set *fresh);
void pop3_owed_done(
    struct pop3_owed *o, const struct pop3_info *info, struct set *fresh);
void pop3_owed_heard(struct pop3_owed *o);

#endif
