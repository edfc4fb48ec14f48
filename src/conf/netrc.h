/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_NETRC_H
#define MAILHAUL_CONF_NETRC_H

/*
 * The password for a host and a user in the text of a .netrc, as ftp(1), curl
 * and others have it. Pure: it opens no file. Words are between blanks and
 * line ends; in quotes, which end on their line, blanks are a part of one. A
 * backslash stands in front of any octet that is to be itself.
 */

#include "util/err.h"
#include "util/secret.h"
#include "util/span.h"

/*
 * Of the first entry that fits: "machine" is host (its case is ignored), and
 * "login" is user or missing; or it is "default", and "login" is user. The
 * secret is the caller's. NULL and *e (ERR_CONFIG): there is none, it has no
 * password, or the text is broken in front of it. No word of the text is
 * shown: any may be a password.
 */
struct secret *netrc_find(
    struct span text, const char *host, const char *user, struct err *e);

#endif
