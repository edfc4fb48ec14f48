/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_SAME_H
#define MAILHAUL_CONF_CONF_SAME_H

/* What a reload has to know of an account: whether it goes on as it is. */

#include <stdbool.h>

#include "conf/conf.h"

/* All fields are equal, but for where it stands in its file. Secrets are
 * compared by where they come from, and if literal by what they are. */
bool conf_account_same(
    const struct conf_account *a, const struct conf_account *b);

#endif
