/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_POP3_LISTING_H
#define MAILHAUL_FETCH_POP3_LISTING_H

/*
 * What the server lists, on its way to the ledger: UIDLs, and for servers
 * that give one UIDL to several messages also sizes, which tell most of those
 * apart.
 *
 *	pop3_uidl()
 *	pop3_listing_uidl() ... pop3_listing_end()
 *	the ledger's answer, with pop3_listing_again(): once more, with sizes
 */

#include <stdbool.h>

#include "deliver/client.h"
#include "fetch/sizes.h"
#include "session/pop3_session.h"

struct pop3_listing {              /* zeroed is fine */
	struct client_box *ledger; /* not ours */
	struct sizes sizes;
	bool begun; /* the ledger is being told */
	bool again; /* this time with sizes */
	bool sized; /* the ledger was told some */
};

void pop3_listing_deinit(struct pop3_listing *l);

/* The lines of the two commands. */
void pop3_listing_uidl(struct pop3_listing *l, const struct pop3_info *info);
void pop3_listing_size(struct pop3_listing *l, const struct pop3_info *info);

/* The end of UIDL: fn gets the answer. */
void pop3_listing_end(struct pop3_listing *l, client_box_fn fn);

enum pop3_listing_answer {
	POP3_LISTING_DONE,
	POP3_LISTING_AGAIN,   /* LIST and UIDL were asked */
	POP3_LISTING_HOPELESS /* there are no sizes, either */
};

enum pop3_listing_answer pop3_listing_again(struct pop3_listing *l,
    const struct client_box_info *info, struct pop3 *machine);

#endif
