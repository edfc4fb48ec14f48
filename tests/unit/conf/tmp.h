/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_CONF_TMP_H
#define TESTS_UNIT_CONF_TMP_H

/*
 * A temporary directory, which is the working directory while a test runs.
 * Include it behind cmocka.h.
 */

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char tmp_path[64];

static int
tmp_remove(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	(void)where;
	return remove(path);
}

static inline int
tmp_enter(void **state)
{
	(void)state;
	snprintf(tmp_path, sizeof(tmp_path), "/tmp/mailhaul-conf-XXXXXX");
	return mkdtemp(tmp_path) == NULL || chdir(tmp_path) < 0 ? -1 : 0;
}

static inline int
tmp_leave(void **state)
{
	(void)state;
	return chdir("/") < 0
	    ? -1
	    : nftw(tmp_path, tmp_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void
tmp_write_octets(const char *name, mode_t mode, const void *p, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, p, n) == (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline void
tmp_write(const char *name, mode_t mode, const char *text)
{
	tmp_write_octets(name, mode, text, strlen(text));
}

#endif
