/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_SYNC_H
#define MAILHAUL_DELIVER_SYNC_H

/*
 * Makes a group of files durable: write-back is started on all of them, then
 * each gets exactly one fsync. The waiting is spread over threads, which are
 * started when the first large group comes, so that the file system can join
 * the commits and the disk has something to choose from.
 */

#include <stddef.h>

struct sync;

struct sync_file {
	int fd;
	int error; /* out: 0, or the errno of fsync */
};

struct sync *sync_new(void);
void sync_free(struct sync **s);

/* Returns when all are done. One caller at a time. */
void sync_group(struct sync *s, struct sync_file *files, size_t n);

#endif
