/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_HINT_H
#define MAILHAUL_PROC_HINT_H

/*
 * What the user can do about an error of an account: a table, from the kind
 * of the error, words in its text, and the provider that the host belongs to.
 * It only adds to the error's own words, and never decides anything.
 */

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "util/err.h"

#define HINT_MAX 512

/* of_server: the error came from the way to the server or from itself; else
 * the account's secret could not be had. dst is returned; "" when there is
 * nothing to add. */
const char *hint_for(const struct conf_account *a, const struct err *e,
    bool of_server, char *dst, size_t size);

#endif
