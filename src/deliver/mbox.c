/* SPDX-License-Identifier: ISC */
#include "deliver/mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/dotlock.h"
#include "sys/file.h"
#include "util/mem.h"
#include "util/span.h"

#define CHUNK ((size_t)64 * 1024)

struct mbox {
	char *path;
	int fd;
	struct dotlock *dot; /* NULL: fcntl alone */
	uint64_t size;
	unsigned int gap;     /* octets that are missing to an empty line */
	struct timespec read; /* the last time before us */
	bool changed, torn;
};

static int
fail(const struct mbox *m, const char *what, struct err *e)
{
	return err_set(e, ERR_DELIVER, errno, "%s: %s: %s", m->path, what,
	    strerror(errno));
}

/* Where there is nothing more: 0, and less than n. */
static ssize_t
read_at(int fd, char *dst, size_t n, uint64_t at)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, dst + got, n - got, (off_t)(at + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

static int
write_at(struct mbox *m, struct span s, struct err *e)
{
	while (s.n > 0) {
		ssize_t r = pwrite(m->fd, s.p, s.n, (off_t)m->size);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return fail(m, "cannot append", e);
		m->changed = true;
		m->size += (uint64_t)r;
		span_take(&s, (size_t)r);
	}
	return 0;
}

/* ---- opening ---- */

/* Of a file that is empty we cannot know whether it was we who made it, and
 * died; of another's directory it must not matter whether we can read it. */
static int
sync_entry(const struct mbox *m, bool made, struct err *e)
{
	const char *slash = strrchr(m->path, '/');
	char *dir = slash == NULL
	    ? mem_strdup(".")
	    : mem_spandup(span_make(m->path, (size_t)(slash - m->path) + 1));
	int fd = file_open_dir(dir, e), r = 0;

	if (fd >= 0)
		r = file_sync(fd, dir, e);
	else if (made)
		r = -1;
	if (r < 0)
		err_prefix(e, "%s", m->path);
	if (fd >= 0)
		close(fd);
	free(dir);
	return r;
}

/* It may be gone before it is opened, or come before it is made. */
static int
open_file(struct mbox *m, bool *made, struct err *e)
{
	/* not waiting: it may be a FIFO */
	const int flags =
	    O_RDWR | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;

	*made = false;
	m->fd = open(m->path, flags);
	if (m->fd < 0 && errno == ENOENT) {
		m->fd = open(m->path, flags | O_CREAT | O_EXCL, 0600);
		*made = m->fd >= 0;
	}
	if (m->fd >= 0)
		return 0;
	if (errno == ELOOP)
		return err_set(e, ERR_DELIVER, ELOOP,
		    "%s: is a symbolic link, which is not followed here",
		    m->path);
	return fail(m, "cannot open it", e);
}

static int
check_file(struct mbox *m, struct stat *st, struct err *e)
{
	if (fstat(m->fd, st) < 0)
		return fail(m, "cannot look at it", e);
	if (!S_ISREG(st->st_mode))
		return err_set(
		    e, ERR_DELIVER, EINVAL, "%s: is no regular file", m->path);
	if (st->st_nlink > 1)
		return err_set(e, ERR_DELIVER, EMLINK,
		    "%s: has another name, too: it may be somebody's trap",
		    m->path);
	return 0;
}

static int
held(const struct mbox *m, bool *busy, struct err *e)
{
	*busy = true;
	return err_set(e, ERR_DELIVER, EBUSY,
	    "%s: another program has it locked", m->path);
}

static int
lock_file(const struct mbox *m, bool *busy, struct err *e)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(m->fd, F_SETLK, &all) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return held(m, busy, e);
	return fail(m, "cannot lock it", e);
}

static int
lock_beside(struct mbox *m, bool *busy, struct err *e)
{
	switch (dotlock_take(m->path, &m->dot, e)) {
	case DOTLOCK_TAKEN:
	case DOTLOCK_UNABLE:
		return 0;
	case DOTLOCK_BUSY:
		*busy = true;
		return -1;
	case DOTLOCK_FAILED:
		break;
	}
	return -1;
}

/* Somebody may have put another file in its place while we waited for no
 * lock; or he is done with it and has removed it. */
static bool
is_current(const struct mbox *m, const struct stat *st)
{
	struct stat there;

	return lstat(m->path, &there) == 0 && there.st_dev == st->st_dev &&
	    there.st_ino == st->st_ino;
}

static int
measure(struct mbox *m, struct err *e)
{
	char end[2] = "";
	size_t n = m->size < 2 ? (size_t)m->size : 2;

	if (read_at(m->fd, end, n, m->size - n) < (ssize_t)n)
		return fail(m, "cannot read its end", e);
	if (n > 0 && end[n - 1] != '\n')
		m->gap = 2;
	else
		m->gap = n > 0 && end[0] != '\n' ? 1 : 0;
	return 0;
}

static int
lock_and_look(struct mbox *m, bool *busy, struct err *e)
{
	struct stat st;

	if (lock_file(m, busy, e) < 0 || lock_beside(m, busy, e) < 0 ||
	    check_file(m, &st, e) < 0)
		return -1;
	if (!is_current(m, &st))
		return held(m, busy, e);
	m->size = (uint64_t)st.st_size;
	m->read = st.st_atim;
	return measure(m, e);
}

static int
open_and_lock(struct mbox *m, bool *busy, struct err *e)
{
	struct stat st;
	bool made;

	if (open_file(m, &made, e) < 0 || check_file(m, &st, e) < 0)
		return -1;
	if (st.st_size == 0 && sync_entry(m, made, e) < 0)
		return -1;
	return lock_and_look(m, busy, e);
}

struct mbox *
mbox_open(const char *path, bool *busy, struct err *e)
{
	struct mbox *m = mem_new(sizeof(*m));

	*busy = false;
	m->path = mem_strdup(path);
	m->fd = -1;
	if (open_and_lock(m, busy, e) < 0)
		mbox_close(&m);
	return m;
}

/* ---- closing ---- */

/* Readers compare whole seconds. */
static void
keep_read_time(const struct mbox *m)
{
	struct timespec times[2] = { m->read, { .tv_nsec = UTIME_OMIT } };
	struct stat st;

	if (fstat(m->fd, &st) < 0)
		return;
	if (m->changed && times[0].tv_sec >= st.st_mtim.tv_sec)
		times[0] = (struct timespec){ st.st_mtim.tv_sec - 1, 0 };
	/* only its owner may, and it only misleads */
	(void)futimens(m->fd, times);
}

void
mbox_close(struct mbox **p)
{
	struct mbox *m = *p;

	if (m == NULL)
		return;
	*p = NULL;
	if (m->size > 0)
		keep_read_time(m);
	dotlock_release(&m->dot);
	if (m->fd >= 0)
		close(m->fd);
	free(m->path);
	free(m);
}

/* ---- the content ---- */

bool
mbox_is_dotlocked(const struct mbox *m)
{
	return m->dot != NULL;
}

uint64_t
mbox_size(const struct mbox *m)
{
	return m->size;
}

uint64_t
mbox_next(const struct mbox *m)
{
	return m->size + m->gap;
}

bool
mbox_is_torn(const struct mbox *m)
{
	return m->torn;
}

static int
copy(struct mbox *m, int fd, uint64_t octets, struct err *e)
{
	char *chunk = mem_array(1, CHUNK);
	int r = write_at(m, span_make("\n\n", m->gap), e);

	for (uint64_t at = 0; r == 0 && at < octets;) {
		size_t n = octets - at < CHUNK ? (size_t)(octets - at) : CHUNK;
		ssize_t got = read_at(fd, chunk, n, at);

		if (got < 0)
			r = fail(m, "cannot read what is to be appended", e);
		else if ((size_t)got < n)
			r = err_set(e, ERR_DELIVER, 0,
			    "%s: what is to be appended is too short", m->path);
		else
			r = write_at(m, span_make(chunk, n), e);
		at += n;
	}
	free(chunk);
	return r;
}

int
mbox_append(struct mbox *m, int fd, uint64_t octets, struct err *e)
{
	uint64_t before = m->size;
	struct err why;

	if (copy(m, fd, octets, e) == 0 && measure(m, e) == 0)
		return 0;
	if (mbox_truncate(m, before, &why) < 0 || mbox_sync(m, &why) < 0) {
		m->torn = true;
		err_prefix(e, "a part of a message may stand at the end");
	}
	return -1;
}

int
mbox_truncate(struct mbox *m, uint64_t size, struct err *e)
{
	if (ftruncate(m->fd, (off_t)size) < 0)
		return fail(m, "cannot shorten it", e);
	m->changed = true;
	m->size = size;
	return measure(m, e);
}

int
mbox_sync(const struct mbox *m, struct err *e)
{
	return fsync(m->fd) < 0 ? fail(m, "cannot make it durable", e) : 0;
}

/* How many of the first n octets are the same. */
static size_t
same_octets(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	if (memcmp(a, b, n) == 0)
		return n;
	while (a[i] == b[i])
		i++;
	return i;
}

int
mbox_compare(const struct mbox *m, uint64_t offset, int fd, uint64_t octets,
    uint64_t *same, struct err *e)
{
	char *here = mem_array(2, CHUNK), *there = here + CHUNK;
	size_t n = CHUNK, equal = CHUNK;
	int r = 0;

	*same = 0;
	if (offset > m->size)
		octets = 0;
	while (r == 0 && equal == n && *same < octets) {
		uint64_t at = *same;
		size_t want =
		    octets - at < CHUNK ? (size_t)(octets - at) : CHUNK;
		ssize_t a = read_at(m->fd, here, want, offset + at);
		ssize_t b = read_at(fd, there, want, at);

		if (a < 0 || b < 0) {
			r = fail(m, "cannot compare it", e);
			break;
		}
		n = want;
		equal = same_octets(here, there, (size_t)(a < b ? a : b));
		*same += equal;
	}
	free(here);
	return r;
}
