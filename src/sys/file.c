/* SPDX-License-Identifier: ISC */
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/mem.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define CHUNK 4096

/* "path: reason" by errno; -1. */
static int
failed(struct err *e, const char *path)
{
	int why = errno;

	return err_set(e, ERR_DELIVER, why, "%s: %s", path, strerror(why));
}

/* ---- directories ---- */

int
file_open_dir(const char *path, struct err *e)
{
	int fd = open(path, DIR_FLAGS);

	return fd < 0 ? failed(e, path) : fd;
}

/* The directory path stands in; the caller frees. */
static char *
parent_of(const char *path)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n == 0)
		return mem_strdup(".");
	while (n > 1 && path[n - 1] == '/')
		n--;
	return mem_spandup(span_make(path, n));
}

static int
sync_parent(const char *path, struct err *e)
{
	char *parent = parent_of(path);
	int fd, r = -1;

	fd = file_open_dir(parent, e);
	if (fd >= 0) {
		r = file_sync(fd, parent, e);
		close(fd);
	}
	free(parent);
	return r;
}

/* mkdir -p of what path stands in. It ends at "/" or "." at the latest: of
 * these mkdir(2) says EEXIST, even in a removed directory. */
static int
make_parent(const char *path, struct err *e)
{
	char *parent = parent_of(path);
	int fd = file_make_dir(parent, e);

	free(parent);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

int
file_make_dir(const char *path, struct err *e)
{
	bool made = mkdir(path, 0700) == 0;

	/* "" has no parent to make: it stays the ENOENT it is */
	if (!made && errno == ENOENT && path[0] != '\0') {
		if (make_parent(path, e) < 0)
			return -1;
		made = mkdir(path, 0700) == 0;
	}
	if (!made && errno != EEXIST) {
		int why = errno, fd = open(path, DIR_FLAGS);

		/* it may be there all the same: EROFS or EACCES come first */
		errno = why;
		return fd < 0 ? failed(e, path) : fd;
	}
	if (made && sync_parent(path, e) < 0)
		return -1;
	return file_open_dir(path, e);
}

static bool
plain_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL &&
	    strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Opening a link with O_NOFOLLOW gives ELOOP or ENOTDIR, which tell nobody
 * what is wrong. */
static int
no_sub_dir(int dirfd, const char *name, const char *path, struct err *e)
{
	struct stat st;
	int why = errno;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		return err_set(e, ERR_DELIVER, ELOOP,
		    "%s/%s: is a symbolic link, which is not followed here",
		    path, name);
	return err_set(
	    e, ERR_DELIVER, why, "%s/%s: %s", path, name, strerror(why));
}

int
file_sub_dir(
    int dirfd, const char *name, bool create, const char *path, struct err *e)
{
	int fd;

	if (!plain_name(name))
		return err_set(e, ERR_DELIVER, EINVAL,
		    "%s: \"%s\" is not the name of a directory", path, name);
	fd = openat(dirfd, name, DIR_FLAGS | O_NOFOLLOW);
	if (fd >= 0 || !create || errno != ENOENT)
		return fd < 0 ? no_sub_dir(dirfd, name, path, e) : fd;
	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return no_sub_dir(dirfd, name, path, e);
	if (file_sync(dirfd, path, e) < 0)
		return -1;
	fd = openat(dirfd, name, DIR_FLAGS | O_NOFOLLOW);
	return fd < 0 ? no_sub_dir(dirfd, name, path, e) : fd;
}

/* ---- files ---- */

/* Reads to the end; 1 when more than max octets come. */
static int
read_up_to(int fd, size_t max, struct buf *out)
{
	size_t total = 0, n;
	ssize_t r;
	char beyond;

	for (;;) {
		size_t left = max - total;
		char *room = buf_room(out, left < CHUNK ? left : CHUNK, &n);

		r = n > 0 ? read(fd, room, n) : read(fd, &beyond, 1);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return (int)r;
		if (n == 0)
			return 1;
		buf_wrote(out, (size_t)r);
		total += (size_t)r;
	}
}

static int
read_regular(
    int fd, const char *path, size_t max, struct buf *out, struct err *e)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return failed(e, path);
	if (!S_ISREG(st.st_mode))
		return err_set(
		    e, ERR_DELIVER, EINVAL, "%s: not a regular file", path);
	r = read_up_to(fd, max, out);
	if (r < 0)
		return failed(e, path);
	if (r > 0)
		return err_set(e, ERR_DELIVER, EFBIG,
		    "%s: larger than %zu octets", path, max);
	return 0;
}

int
file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	/* not blocking: it may be a FIFO that nobody writes to */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (fd < 0)
		return failed(e, path);
	r = read_regular(fd, path, max, out, e);
	close(fd);
	return r;
}

int
file_write_all(int fd, struct span s, const char *path, struct err *e)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(e, path);
		span_take(&s, (size_t)n);
	}
	return 0;
}

int
file_sync(int fd, const char *path, struct err *e)
{
	return fsync(fd) < 0 ? failed(e, path) : 0;
}

bool
file_others_may_read(mode_t mode)
{
	return (mode & (S_IRGRP | S_IROTH)) != 0;
}

/* ---- names and locks ---- */

static const char *
home_dir(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home != NULL && home[0] == '/')
		return home;
	pw = getpwuid(getuid());
	if (pw != NULL && pw->pw_dir != NULL && pw->pw_dir[0] == '/')
		return pw->pw_dir;
	return NULL;
}

char *
file_expand(const char *path, struct err *e)
{
	const char *home;

	if (path[0] != '~')
		return mem_strdup(path);
	if (path[1] != '\0' && path[1] != '/') {
		err_set(e, ERR_CONFIG, 0,
		    "%s: only \"~\" and \"~/\" are understood", path);
		return NULL;
	}
	home = home_dir();
	if (home == NULL) {
		err_set(e, ERR_CONFIG, 0,
		    "%s: there is no home directory (is "
		    "HOME set?)",
		    path);
		return NULL;
	}
	return mem_printf("%s%s", home, path + 1);
}

int
file_lock(const char *path, bool *busy, struct err *e)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd, why;

	*busy = false;
	fd = open(
	    path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd < 0)
		return failed(e, path);
	if (fcntl(fd, F_OFD_SETLK, &all) == 0)
		return fd;
	why = errno;
	close(fd);
	*busy = why == EAGAIN || why == EACCES;
	if (*busy)
		return err_set(
		    e, ERR_DELIVER, why, "%s: held by another process", path);
	errno = why;
	return failed(e, path);
}
