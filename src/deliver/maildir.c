/* SPDX-License-Identifier: ISC */
#include "deliver/maildir.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/file.h"
#include "util/mem.h"
#include "util/text.h"

struct maildir {
	atomic_uint refs;
	char *path;
	int tmp, new;
};

/* ---- names ---- */

/* maildir(5): what must not be in a host name is written in octal. */
static void
write_host(char *dst, size_t size, const char *host)
{
	size_t n = 0;

	for (; *host != '\0' && n + 5 <= size; host++) {
		const char *octal = NULL;

		if (*host == '/')
			octal = "\\057";
		if (*host == ':')
			octal = "\\072";
		if (octal == NULL) {
			dst[n++] = *host;
			continue;
		}
		memcpy(dst + n, octal, 4);
		n += 4;
	}
	dst[n] = '\0';
}

void
maildir_names_init(struct maildir_names *names, const char *token)
{
	char host[256];

	*names = (struct maildir_names){ 0 };
	if (gethostname(host, sizeof(host)) < 0 || host[0] == '\0')
		memcpy(host, "localhost", sizeof("localhost"));
	host[sizeof(host) - 1] = '\0';
	write_host(names->host, sizeof(names->host), host);
	assert(strlen(token) < sizeof(names->token));
	memcpy(names->token, token, strlen(token) + 1);
}

void
maildir_names_next(struct maildir_names *names, char dst[MAILDIR_NAME_MAX])
{
	int64_t s;
	uint32_t us;
	int n;

	clock_wall(&s, &us);
	n = snprintf(dst, MAILDIR_NAME_MAX,
	    "%" PRId64 ".M%06" PRIu32 "P%ldQ%" PRIu32 "R%s.%s", s, us,
	    (long)getpid(), ++names->count, names->token, names->host);
	/* room for ",S=" and twenty digits is left, too */
	assert(n > 0 && n < MAILDIR_NAME_MAX - 24);
}

void
maildir_final(char dst[MAILDIR_NAME_MAX], const char *name, uint64_t octets)
{
	int n = snprintf(dst, MAILDIR_NAME_MAX, "%s,S=%" PRIu64, name, octets);

	assert(n > 0 && n < MAILDIR_NAME_MAX);
}

bool
maildir_unfinal(char dst[MAILDIR_NAME_MAX], const char *final)
{
	const char *comma = strrchr(final, ',');
	size_t n;

	if (comma == NULL || strncmp(comma, ",S=", 3) != 0 ||
	    strchr(final, '/') != NULL)
		return false;
	n = (size_t)(comma - final);
	if (n == 0 || n >= MAILDIR_NAME_MAX)
		return false;
	memcpy(dst, final, n);
	dst[n] = '\0';
	return true;
}

/* ---- the directories ---- */

static int
open_parts(struct maildir *m, int dir, bool create, struct err *e)
{
	int cur = file_sub_dir(dir, "cur", create, m->path, e);

	if (cur < 0)
		return -1;
	close(cur);
	m->tmp = file_sub_dir(dir, "tmp", create, m->path, e);
	if (m->tmp < 0)
		return -1;
	m->new = file_sub_dir(dir, "new", create, m->path, e);
	return m->new < 0 ? -1 : 0;
}

struct maildir *
maildir_open(const char *path, bool create, struct err *e)
{
	struct maildir *m;
	int dir, r;

	dir = create ? file_make_dir(path, e) : file_open_dir(path, e);
	if (dir < 0)
		return NULL;
	m = mem_new(sizeof(*m));
	atomic_init(&m->refs, 1);
	m->path = mem_strdup(path);
	m->tmp = m->new = -1;
	r = open_parts(m, dir, create, e);
	close(dir);
	if (r < 0)
		maildir_unref(&m);
	return m;
}

struct maildir *
maildir_ref(struct maildir *m)
{
	atomic_fetch_add(&m->refs, 1);
	return m;
}

void
maildir_unref(struct maildir **p)
{
	struct maildir *m = *p;

	*p = NULL;
	if (m == NULL || atomic_fetch_sub(&m->refs, 1) > 1)
		return;
	if (m->tmp >= 0)
		close(m->tmp);
	if (m->new >= 0)
		close(m->new);
	free(m->path);
	free(m);
}

const char *
maildir_path(const struct maildir *m)
{
	return m->path;
}

static bool
leads_to(const char *path, const char *name, int fd)
{
	char *full = mem_printf("%s/%s", path, name);
	struct stat there, here;
	bool same = lstat(full, &there) == 0 && fstat(fd, &here) == 0 &&
	    there.st_dev == here.st_dev && there.st_ino == here.st_ino;

	free(full);
	return same;
}

bool
maildir_is_current(const struct maildir *m)
{
	return leads_to(m->path, "tmp", m->tmp) &&
	    leads_to(m->path, "new", m->new);
}

/* ---- messages ---- */

static int
fail(const struct maildir *m, const char *dir, const char *name, struct err *e)
{
	return err_set(e, ERR_DELIVER, errno, "%s/%s/%s: %s", m->path, dir,
	    name, strerror(errno));
}

int
maildir_create(const struct maildir *m, const char *name, struct err *e)
{
	int fd = openat(m->tmp, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : fail(m, "tmp", name, e);
}

int
maildir_read(const struct maildir *m, const char *name, struct err *e)
{
	int fd = openat(
	    m->tmp, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 ? fd : fail(m, "tmp", name, e);
}

int
maildir_has(const struct maildir *m, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(m->tmp, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : fail(m, "tmp", name, e);
}

int
maildir_discard(const struct maildir *m, const char *name, struct err *e)
{
	if (unlinkat(m->tmp, name, 0) < 0 && errno != ENOENT)
		return fail(m, "tmp", name, e);
	return 0;
}

static bool
same_file(const struct maildir *m, const char *name, const char *final)
{
	struct stat a, b;

	return fstatat(m->tmp, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(m->new, final, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* For file systems without RENAME_NOREPLACE. Dying between the two calls
 * leaves both names, which the next attempt finds. */
static int
publish_by_link(
    const struct maildir *m, const char *name, const char *final, struct err *e)
{
	int r = linkat(m->tmp, name, m->new, final, 0) < 0 ? errno : 0;

	if (r == EEXIST && same_file(m, name, final))
		r = 0;
	errno = r;
	if (r != 0)
		return fail(m, "new", final, e);
	return maildir_discard(m, name, e);
}

int
maildir_publish(
    const struct maildir *m, const char *name, const char *final, struct err *e)
{
	if (renameat2(m->tmp, name, m->new, final, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOSYS || errno == EEXIST)
		return publish_by_link(m, name, final, e);
	return fail(m, "new", final, e);
}

static int
sync_dir(const struct maildir *m, int fd, const char *dir, struct err *e)
{
	char *path;
	int r;

	if (fsync(fd) == 0)
		return 0;
	path = mem_printf("%s/%s", m->path, dir);
	r = err_set(e, ERR_DELIVER, errno, "%s: cannot make it durable: %s",
	    path, strerror(errno));
	free(path);
	return r;
}

int
maildir_sync_tmp(const struct maildir *m, struct err *e)
{
	return sync_dir(m, m->tmp, "tmp", e);
}

int
maildir_sync_new(const struct maildir *m, struct err *e)
{
	return sync_dir(m, m->new, "new", e);
}

/* As maildir_names_next() makes them. */
static bool
is_ours(const char *name, const char *token)
{
	const char *at = strstr(name, token);

	return at != NULL && at > name && at[-1] == 'R' &&
	    at[strlen(token)] == '.';
}

int
maildir_sweep(const struct maildir *m, const char *token, struct err *e)
{
	int fd = openat(m->tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int r = 0;

	if (dir == NULL) {
		r = fail(m, "tmp", "", e);
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		if (is_ours(entry->d_name, token))
			r = maildir_discard(m, entry->d_name, e);
	}
	closedir(dir);
	return r;
}
