/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_MAILDIR_H
#define MAILHAUL_DELIVER_MAILDIR_H

/*
 * An open Maildir: the descriptors of its tmp/, new/ and cur/, which stay the
 * same directories whatever happens to the path. The path of the Maildir itself is
 * the user's own; below it no link is followed.
 *
 * A message is created in tmp/ under a name of ours and published under that
 * name with its size behind it, into new/, or with its flags behind that,
 * too, into cur/ (see maildir_names.h); the ledger knows it by the latter.
 *
 * A Maildir is told from another that stands at the same path at another time
 * (a disk is mounted, or not) by its mark: an empty file in it, by the name of
 * ".mailhaul-" and 16 random hex digits, which is made when it is first opened
 * and never removed. Readers of mail take no notice of it: folders are
 * directories, and a directory is never taken for a mark.
 *
 * It is immutable and counted, so that two threads may use it. Errors are
 * ERR_DELIVER and name the file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/maildir_names.h"
#include "util/err.h"

/* ---- the directories ---- */

struct maildir;

/* With create, what is missing is made, 0700 and durable, the mark too; and
 * if it is a folder (folder.h), the file that says so (Maildir++). */
struct maildir *maildir_open(
    const char *path, bool create, bool folder, struct err *e);
/* The same with create. If its mark is this one (the path, or NULL), then it
 * was opened by this process before, and need not be made durable again. */
struct maildir *maildir_open_again(
    const char *path, bool folder, const char *mark, struct err *e);
struct maildir *maildir_ref(struct maildir *m);
void maildir_unref(struct maildir **m); /* NULL is fine */
/* Nobody else counts on it. */
bool maildir_is_idle(const struct maildir *m);

const char *maildir_path(const struct maildir *m);

/* Whether the path still leads to these directories. */
bool maildir_is_current(const struct maildir *m);
/* Whether both are the same directories, by whatever paths. */
bool maildir_is_same(const struct maildir *a, const struct maildir *b);

/* The path of the mark; NULL if it was opened without create. */
const char *maildir_mark(const struct maildir *m);
/* The path of the Maildir whose mark has this path; the caller frees. */
char *maildir_of_mark(const char *mark);
/* 1: this Maildir has such a mark, by whatever path; 0: it has not; -1. */
int maildir_has_mark(const struct maildir *m, const char *mark, struct err *e);

/* ---- messages ---- */

/* A new file in tmp/, or -1. */
int maildir_create(const struct maildir *m, const char *name, struct err *e);
/* The time of an open file, of the last reading, too. */
int maildir_set_time(int fd, int64_t unix_s, struct err *e);
/* The file in tmp/ once more, to read it, or -1. */
int maildir_read(const struct maildir *m, const char *name, struct err *e);
/* 1: there is such a file in tmp/; 0: there is not; -1. */
int maildir_has(const struct maildir *m, const char *name, struct err *e);
/* From tmp/name to new/final or cur/final, which must not be there yet. */
int maildir_publish(const struct maildir *m, const char *name,
    const char *final, struct err *e);
/* When that has failed: it is certain that nothing was published. */
bool maildir_is_unpublished(
    const struct maildir *m, const char *name, const char *final);
/* Removes tmp/name; it is no error if it is gone. */
int maildir_discard(const struct maildir *m, const char *name, struct err *e);

/* A directory, to be made durable among many; sys is the errno of that. */
enum maildir_part { MAILDIR_TMP, MAILDIR_NEW, MAILDIR_CUR };

int maildir_part_fd(const struct maildir *m, enum maildir_part part);
int maildir_not_durable(const struct maildir *m, enum maildir_part part,
    int sys, struct err *e); /* -1 */
/* What was published: new/, cur/, or both. */
int maildir_sync_published(
    const struct maildir *m, bool new, bool cur, struct err *e);

/* Removes what earlier processes left in tmp/. What is named by this one may
 * be in use, by whatever path. */
int maildir_sweep(
    const struct maildir *m, const struct maildir_names *names, struct err *e);

#endif
