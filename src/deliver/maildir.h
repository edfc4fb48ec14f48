/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_MAILDIR_H
#define MAILHAUL_DELIVER_MAILDIR_H

/*
 * An open Maildir: the descriptors of its tmp/ and new/, which stay the same
 * directories whatever happens to the path. The path of the Maildir itself is
 * the user's own; below it no link is followed.
 *
 * A message is created in tmp/ under a name of ours and published under that
 * name with its size behind it; the ledger knows it by the latter.
 *
 * It is immutable and counted, so that two threads may use it. Errors are
 * ERR_DELIVER and name the file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

#define MAILDIR_NAME_MAX 200 /* octets of a file name, with its NUL */

/* ---- names ---- */

struct maildir_names { /* one per process */
	char host[64];
	char token[17];
	uint32_t count;
};

/* token: 16 hex digits that mark our tmp files, from the ledger. */
void maildir_names_init(struct maildir_names *names, const char *token);
void maildir_names_next(
    struct maildir_names *names, char dst[MAILDIR_NAME_MAX]);

/* The name in new/ of a message of so many octets, and back. */
void maildir_final(
    char dst[MAILDIR_NAME_MAX], const char *name, uint64_t octets);
bool maildir_unfinal(char dst[MAILDIR_NAME_MAX], const char *final);

/* ---- the directories ---- */

struct maildir;

/* With create, what is missing is made, 0700 and durable. */
struct maildir *maildir_open(const char *path, bool create, struct err *e);
struct maildir *maildir_ref(struct maildir *m);
void maildir_unref(struct maildir **m); /* NULL is fine */

const char *maildir_path(const struct maildir *m);

/* Whether the path still leads to these directories. */
bool maildir_is_current(const struct maildir *m);

/* ---- messages ---- */

/* A new file in tmp/, or -1. */
int maildir_create(const struct maildir *m, const char *name, struct err *e);
/* The file in tmp/ once more, to read it, or -1. */
int maildir_read(const struct maildir *m, const char *name, struct err *e);
/* 1: there is such a file in tmp/; 0: there is not; -1. */
int maildir_has(const struct maildir *m, const char *name, struct err *e);
/* From tmp/name to new/final, which must not be there yet. */
int maildir_publish(const struct maildir *m, const char *name,
    const char *final, struct err *e);
/* Removes tmp/name; it is no error if it is gone. */
int maildir_discard(const struct maildir *m, const char *name, struct err *e);

int maildir_sync_tmp(const struct maildir *m, struct err *e);
int maildir_sync_new(const struct maildir *m, struct err *e);

/* Removes every file with our token from tmp/. Only while none is in use. */
int maildir_sweep(const struct maildir *m, const char *token, struct err *e);

#endif
