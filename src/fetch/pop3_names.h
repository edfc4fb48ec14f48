/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_POP3_NAMES_H
#define MAILHAUL_FETCH_POP3_NAMES_H

/*
 * The UIDLs of the messages that are to be retrieved next, for their trace
 * headers. The ledger has them all; we ask for some at a time, well ahead, and
 * a message is not retrieved before its name is here.
 */

#include <stdbool.h>
#include <stddef.h>

#include "deliver/client.h"
#include "util/set.h"

#define POP3_NAMES_AHEAD 512 /* asked for, or here */

struct pop3_names {
	bool wanted;     /* else every message may go, without a name */
	struct set todo; /* not asked for yet */
	size_t asked, n; /* on their way, and here */

	struct {
		uint32_t number;
		char *uidl; /* NULL: it has none */
	} name[POP3_NAMES_AHEAD * 2];
};

void pop3_names_init(struct pop3_names *p, bool wanted);
void pop3_names_deinit(struct pop3_names *p);

void pop3_names_add(struct pop3_names *p, const struct set *numbers);
/* Asks for the next, when few are here. fn: pop3_names_put(). */
void pop3_names_ask(
    struct pop3_names *p, struct client_box *ledger, client_name_fn fn);
void pop3_names_put(struct pop3_names *p, uint32_t number, const char *uidl);

bool pop3_names_has(const struct pop3_names *p, uint32_t number);
/* NULL: none. Valid until it is dropped. */
const char *pop3_names_of(const struct pop3_names *p, uint32_t number);
void pop3_names_drop(struct pop3_names *p, uint32_t number);

#endif
