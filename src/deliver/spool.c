/* SPDX-License-Identifier: ISC */
#include "deliver/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/mem.h"

#define KEPT_MAX 64

struct spool {
	char *dir;
	bool keeps;
	int kept[KEPT_MAX];
	size_t n;
};

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

static int
open_new(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 &&
	    (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		fd = open_and_unlink(dir);
	return fd;
}

struct spool *
spool_new(const char *dir)
{
	struct spool *s = mem_new(sizeof(*s));

	s->dir = mem_strdup(dir);
	/* without /proc a reader shares our open file, and no lease shows it */
	s->keeps = access("/proc/self/fd", X_OK) == 0;
	return s;
}

void
spool_free(struct spool **p)
{
	struct spool *s = *p;

	if (s == NULL)
		return;
	*p = NULL;
	while (s->n > 0)
		close(s->kept[--s->n]);
	free(s->dir);
	free(s);
}

int
spool_take(struct spool *s, struct err *e)
{
	int fd;

	if (s->n > 0)
		return s->kept[--s->n];
	fd = open_new(s->dir);
	if (fd >= 0)
		return fd;
	return err_set(e, ERR_DELIVER, errno, "%s: no file can be made: %s",
	    s->dir, strerror(errno));
}

/* A lease to write is given only to who has the file open alone: copies of
 * this descriptor, as the engine had one, do not count. */
static bool
is_alone(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		return false;
	return fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}

void
spool_give(struct spool *s, int fd)
{
	if (s->keeps && s->n < KEPT_MAX && is_alone(fd) &&
	    ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		s->kept[s->n++] = fd;
	else
		close(fd);
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

int
spool_check(int fd, uint64_t octets, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size == octets)
		return 0;
	return err_set(e, ERR_DELIVER, 0,
	    "the spool file has another size than was written");
}
