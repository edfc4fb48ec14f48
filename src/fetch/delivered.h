/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_DELIVERED_H
#define MAILHAUL_FETCH_DELIVERED_H

/* The line of the log about a message that was delivered. */

#include <stdint.h>

#include "deliver/client.h"
#include "fetch/fetch.h"

/* Within the letter_fn. mailbox is "" for POP3; what is "", or what there is
 * of it: "a stub of ". */
void delivered_log(const struct fetch_params *params,
    const struct client_box *box, const char *mailbox, const char *what,
    uint32_t number);

#endif
