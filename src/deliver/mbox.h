/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_MBOX_H
#define MAILHAUL_DELIVER_MBOX_H

/*
 * Appending to an mbox under locks: classic fcntl(2) (others use these, and
 * POSIX drops them when this process closes any descriptor of the file: one
 * struct mbox per file at a time), then the dotlock, as Debian policy 11.6
 * asks. Nothing here waits for a lock.
 *
 * What is appended is taken as it is: with its From_ line, quoted, and ending
 * in an empty line. Where the file does not end in an empty line, since
 * somebody died in the middle of his message, one is put in between.
 *
 * Not made durable until mbox_sync(). Errors are ERR_DELIVER and name the
 * file.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

struct mbox;

/*
 * Made if missing, 0600 but for the umask, its entry durable. It must be a
 * regular file with no other name, and no symbolic link. NULL on failure;
 * *busy: since somebody else has a lock (EBUSY), so that it is worth another
 * try later.
 */
struct mbox *mbox_open(const char *path, bool *busy, struct err *e);
/* Gives the locks back. The file was read after it was written only if it was
 * so before: readers take it for new mail. NULL is fine. */
void mbox_close(struct mbox **m);

/* False: its directory lets us make no dotlock, fcntl must do. */
bool mbox_is_dotlocked(const struct mbox *m);

uint64_t mbox_size(const struct mbox *m);
/* Where the octets of the next message will begin. */
uint64_t mbox_next(const struct mbox *m);

/* The first so many octets of fd, wherever it stands. On failure the file is
 * durably what it was before, unless mbox_is_torn(). */
int mbox_append(struct mbox *m, int fd, uint64_t octets, struct err *e);
bool mbox_is_torn(const struct mbox *m);

int mbox_truncate(struct mbox *m, uint64_t size, struct err *e);
int mbox_sync(const struct mbox *m, struct err *e);

/* How many octets from offset on are the same as the first of fd, at most so
 * many. */
int mbox_compare(const struct mbox *m, uint64_t offset, int fd, uint64_t octets,
    uint64_t *same, struct err *e);

#endif
