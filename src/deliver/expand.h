/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_EXPAND_H
#define MAILHAUL_DELIVER_EXPAND_H

/*
 * The placeholders in the argument of a program: %{account} %{mailbox}
 * %{user} %{sender} %{recipient} %{uid}; %%{ is a literal %{. Their values
 * may be an enemy's. What comes out is one argument, however it looks, of
 * harmless characters; but not of harmless meaning: "../x" is possible.
 */

#include "util/err.h"

#define EXPAND_VALUE_MAX 1000 /* octets of a value; the rest is cut off */

/* NULL is empty. */
struct expand_values {
	const char *account, *mailbox, *user, *sender, *recipient, *uid;
};

/*
 * A new string in *out, the caller's to free. Of each value [A-Za-z0-9.@_+/=-]
 * stay, every other octet becomes "_". Other names of placeholders, which the
 * configuration refuses, are copied as they stand. -1 with ERR_MESSAGE, EINVAL
 * (and *out NULL) when an argument that begins with a placeholder would begin with
 * "-": the program would take it for an option.
 */
int expand(const struct expand_values *v, const char *argument, char **out,
    struct err *e);

#endif
