/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_FILE_H
#define MAILHAUL_CONF_CONF_FILE_H

/* Reading a file together with what fstat(2) says of the very file read. */

#include <stddef.h>
#include <sys/stat.h>

#include "util/buf.h"
#include "util/err.h"

/* A regular file of at most max octets, appended to *out. 0, or -1 with *e
 * (ERR_CONFIG; the reason alone, without the path). */
int conf_file_read(const char *path, size_t max, struct buf *out,
    struct stat *st, struct err *e);

/* What speaks against a file for a user's own configuration, or NULL. With it
 * somebody else would say what is done in the user's name. */
const char *conf_file_foreign(const struct stat *st);

#endif
