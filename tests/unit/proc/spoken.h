/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_PROC_SPOKEN_H
#define MAILHAUL_TESTS_UNIT_PROC_SPOKEN_H

/* What a program says to people. */

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Standard output and error go into memory while a report speaks; nothing
 * may be asserted meanwhile. */
static char out[65536], err[65536];
static int files[2], saved[2];

static inline void
listen_to(int fd)
{
	fflush(NULL);
	saved[fd - 1] = dup(fd);
	files[fd - 1] = memfd_create("spoken", MFD_CLOEXEC);
	dup2(files[fd - 1], fd);
}

static inline void
read_back(int fd, char *dst, size_t size)
{
	ssize_t n;

	fflush(NULL);
	dup2(saved[fd - 1], fd);
	close(saved[fd - 1]);
	n = pread(files[fd - 1], dst, size - 1, 0);
	dst[n < 0 ? 0 : n] = '\0';
	close(files[fd - 1]);
}

static inline void
listen_to_both(void)
{
	listen_to(1);
	listen_to(2);
}

static inline void
read_both_back(void)
{
	read_back(2, err, sizeof(err));
	read_back(1, out, sizeof(out));
}

#endif
