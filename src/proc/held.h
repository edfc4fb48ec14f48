/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_HELD_H
#define MAILHAUL_PROC_HELD_H

/*
 * "mailhaul held": messages that did not get through, as the ledger has them.
 * It works while a fetch is running; what is changed counts from the next
 * one on. Each returns the exit status, as in mailhaul(1).
 *
 * A message is named as "UID", "MAILBOX/UID", its UIDL, or "id:N" as the list
 * shows it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

/* words: what stands behind "held" on the command line. */
int held_command(
    struct conf *conf, const char *const *words, size_t n, bool json);

/* For "fetch --full ACCOUNT MESSAGE...": they are due, whatever their size. */
int held_want_full(struct conf *conf, const char *account,
    const char *const *messages, size_t n);

#endif
