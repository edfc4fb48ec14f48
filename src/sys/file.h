/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_FILE_H
#define MAILHAUL_SYS_FILE_H

/*
 * Paths and durable files. Nothing here is retried after a failed fsync;
 * every error names the path and the reason. Functions return 0 or a
 * descriptor, or -1 with *e filled (kind ERR_DELIVER unless said).
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/err.h"

/* Opens a directory (O_CLOEXEC). The path is the user's own: links in it
 * are followed. */
int file_open_dir(const char *path, struct err *e);

/* Makes path and its missing parents, 0700 each, then opens it; each new
 * entry is made durable in its parent. */
int file_make_dir(const char *path, struct err *e);

/*
 * The sub-directory name of dirfd, made 0700 if create and missing (and then
 * durable). Never follows a link: a link there is an error. path is only for
 * the text of errors.
 */
int file_sub_dir(
    int dirfd, const char *name, bool create, const char *path, struct err *e);

/* The whole of a regular file of at most max octets into *out. */
int file_read(const char *path, size_t max, struct buf *out, struct err *e);

/* All of s, whatever short writes and EINTR there are. */
int file_write_all(int fd, struct span s, const char *path, struct err *e);

/* fsync once; a failure is final for this file. */
int file_sync(int fd, const char *path, struct err *e);

/* Expands "~" and "~/"; an absolute or relative path is copied. NULL and *e
 * (ERR_CONFIG) when there is no home directory, and for "~user". The caller
 * frees. */
char *file_expand(const char *path, struct err *e);

/* True when group or others may read the open file or path. */
bool file_others_may_read(mode_t mode);

/*
 * An exclusive OFD lock on path (created 0600), which the kernel drops when
 * the descriptor closes, however the process ends. The descriptor, or -1;
 * *busy is set when somebody else holds it.
 */
int file_lock(const char *path, bool *busy, struct err *e);

#endif
