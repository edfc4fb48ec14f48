/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_TEMPLATE_H
#define MAILHAUL_CONF_CONF_TEMPLATE_H

/*
 * The placeholders in an MDA's arguments: %{account}, %{mailbox}, %{user},
 * %{sender}, %{recipient} and %{uid}. "%%{" is a literal "%{"; any other "%"
 * is itself. Who runs the MDA fills them in.
 */

#include <stdbool.h>

#include "util/err.h"

/* 0, or -1 with *e (ERR_CONFIG): a placeholder is not closed or unknown. */
int conf_template_check(const char *s, struct err *e);

bool conf_template_has_any(const char *s);

#endif
