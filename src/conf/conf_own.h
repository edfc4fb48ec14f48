/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_OWN_H
#define MAILHAUL_CONF_CONF_OWN_H

/*
 * A user's own configuration (conf_load_dir), read by one process and
 * understood by another. The first is the user: it opens his files and knows
 * their grammar. The second is privileged and believes nothing: it gets names
 * and values as plain text, and checks them as it would those of a file.
 */

#include "conf/conf.h"
#include "util/buf.h"
#include "util/pack.h"

/* Octets of one, packed; what would be more is an error in words. */
#define CONF_OWN_MAX ((size_t)1024 * 1024)

/* In the first: appends what is in dir, and what is wrong with it. That is
 * also returned as conf_own_unpack() will; NULL when anything is wrong. */
struct conf *conf_own_pack(const char *dir, struct buf *to);

/* In the second. home is what "~" is. As conf_load(); the texts are
 * printable. */
struct conf *conf_own_unpack(
    struct unpack *u, const char *home, char ***errors, size_t *n_errors);

#endif
