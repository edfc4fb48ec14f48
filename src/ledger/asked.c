/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "ledger/ledger.h"

#define NAME_MAX_OCTETS (1 << 16) /* account, mailbox, and the rest */

void
ledger_asked_init(struct ledger_asked *a)
{
	*a = (struct ledger_asked){ .known = false };
	buf_init(&a->name, NAME_MAX_OCTETS);
}

void
ledger_asked_deinit(struct ledger_asked *a)
{
	for (size_t i = 0; i < a->n_reached; i++)
		free(a->reached[i]);
	free(a->reached);
	buf_deinit(&a->name);
}
