/* SPDX-License-Identifier: ISC */
#include "conf/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 16384

static int
failed(struct err *e)
{
	int why = errno;

	return err_set(e, ERR_CONFIG, why, "%s", strerror(why));
}

static int
too_large(struct err *e, size_t max)
{
	return err_set(
	    e, ERR_CONFIG, EFBIG, "larger than the %zu octets allowed", max);
}

/* A whole CHUNK is asked for each time, so that a file of exactly max octets
 * is told from a larger one. */
static int
read_all(int fd, size_t max, struct buf *out, struct err *e)
{
	char chunk[CHUNK];
	size_t total = 0;
	ssize_t n;
	int r = 0;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		total += (size_t)n;
		if (total > max ||
		    buf_add(out, span_make(chunk, (size_t)n)) < 0) {
			r = too_large(e, max);
			break;
		}
	}
	if (n < 0)
		r = failed(e);
	explicit_bzero(chunk, sizeof(chunk));
	return r;
}

int
conf_file_read(const char *path, size_t max, struct buf *out, struct stat *st,
    struct err *e)
{
	/* not blocking: it may be a FIFO that nobody writes to */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (fd < 0)
		return failed(e);
	if (fstat(fd, st) < 0)
		r = failed(e);
	else if (!S_ISREG(st->st_mode))
		r = err_set(e, ERR_CONFIG, EINVAL, "not a regular file");
	else
		r = read_all(fd, max, out, e);
	close(fd);
	return r;
}

const char *
conf_file_foreign(const struct stat *st)
{
	if (st->st_uid != geteuid())
		return "belongs to another user: copy it";
	if ((st->st_mode & S_IWOTH) != 0)
		return "can be written by others: chmod o-w it";
	return NULL;
}
