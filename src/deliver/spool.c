/* SPDX-License-Identifier: ISC */
#include "deliver/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/mem.h"

/* For file systems without O_TMPFILE. */
static int
open_and_unlink(const char *dir)
{
	char *path = mem_printf("%s/spool.XXXXXX", dir);
	int fd = mkostemp(path, O_CLOEXEC); /* mode 0600 */

	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

int
spool_open(const char *dir, struct err *e)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 &&
	    (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		fd = open_and_unlink(dir);
	if (fd >= 0)
		return fd;
	return err_set(e, ERR_DELIVER, errno, "%s: no file can be made: %s",
	    dir, strerror(errno));
}

int
spool_reopen(int fd, struct err *e)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	if (again >= 0)
		return again;
	/* without /proc: the same open file, wound back */
	again = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (again >= 0 && lseek(again, 0, SEEK_SET) == 0)
		return again;
	err_set(e, ERR_DELIVER, errno, "a spool file cannot be read: %s",
	    strerror(errno));
	if (again >= 0)
		close(again);
	return -1;
}
