/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_HELD_SHOW_H
#define MAILHAUL_PROC_HELD_SHOW_H

/* How messages in trouble are shown, on standard output. */

#include <stddef.h>

#include "ledger/ledger.h"

struct held_list { /* zeroed is empty; its strings are its own */
	struct ledger_trouble *v;
	size_t n;
};

void held_list_add(struct held_list *l, const struct ledger_trouble *t);
void held_list_free(struct held_list *l);

void held_print_table(const struct held_list *l);
void held_print_one(const struct ledger_trouble *t);
void held_print_json(const struct held_list *l); /* an array of objects */

#endif
