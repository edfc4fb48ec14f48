/* SPDX-License-Identifier: ISC */
#include "deliver/maildir.h"

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

#define MARK ".mailhaul-"
#define MARK_HEX 16
#define FOLDER "maildirfolder"

struct maildir {
	atomic_uint refs;
	char *path;
	char *mark; /* its path, or NULL */
	int dir, tmp, new, cur;
};

static int
fail(const struct maildir *m, const char *dir, const char *name, struct err *e)
{
	return err_set(e, ERR_DELIVER, errno, "%s/%s/%s: %s", m->path, dir,
	    name, strerror(errno));
}

static int
not_durable(const struct maildir *m, const char *dir, int sys, struct err *e)
{
	return err_set(e, ERR_DELIVER, sys, "%s/%s: cannot make it durable: %s",
	    m->path, dir, strerror(sys));
}

static int
sync_dir(const struct maildir *m, int fd, const char *dir, struct err *e)
{
	return fsync(fd) == 0 ? 0 : not_durable(m, dir, errno, e);
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* ---- looking through a directory ---- */

typedef bool (*entry_fn)(const char *name, void *arg);

/* Until fn returns true: 1; 0: it never did; -1. */
static int
look_through(const struct maildir *m, int at, const char *sub, entry_fn fn,
    void *arg, struct err *e)
{
	int fd =
	    openat(at, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool found = false;

	if (dir == NULL) {
		fail(m, sub, "", e);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	errno = 0;
	while (!found && (entry = readdir(dir)) != NULL) {
		found = fn(entry->d_name, arg);
		errno = 0;
	}
	if (!found && errno != 0) {
		fail(m, sub, "", e);
		closedir(dir);
		return -1;
	}
	closedir(dir);
	return found ? 1 : 0;
}

/* ---- the mark ---- */

static bool
is_mark(const char *name)
{
	const char *digits = name + strlen(MARK);

	return strncmp(name, MARK, strlen(MARK)) == 0 &&
	    strspn(digits, "0123456789abcdef") == MARK_HEX &&
	    digits[MARK_HEX] == '\0';
}

/* 1: there is such a file; 0: there is not; -1. A folder that a server named
 * so is none. */
static int
has_mark(const struct maildir *m, const char *name)
{
	struct stat st;

	if (fstatat(m->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISREG(st.st_mode) ? 1 : 0;
	return errno == ENOENT ? 0 : -1;
}

static bool
take_mark(const char *name, void *arg)
{
	struct maildir *m = arg;

	if (!is_mark(name) || has_mark(m, name) <= 0)
		return false;
	m->mark = mem_printf("%s/%s", m->path, name);
	return true;
}

static int
make_mark(struct maildir *m, struct err *e)
{
	char name[sizeof(MARK) + MARK_HEX];
	int fd;

	snprintf(name, sizeof(name), MARK "%08" PRIx32 "%08" PRIx32,
	    clock_jitter(UINT32_MAX), clock_jitter(UINT32_MAX));
	fd = openat(m->dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, ERR_DELIVER, errno, "%s/%s: %s", m->path,
		    name, strerror(errno));
	close(fd);
	(void)take_mark(name, m);
	return 0;
}

/* One that was there may be the work of a process that died before it was
 * durable. */
static int
mark(struct maildir *m, const char *known, struct err *e)
{
	int r = look_through(m, m->dir, ".", take_mark, m, e);

	if (r > 0 && known != NULL && strcmp(m->mark, known) == 0)
		return 0;
	if (r == 0)
		r = make_mark(m, e);
	return r < 0 ? -1 : sync_dir(m, m->dir, "", e);
}

const char *
maildir_mark(const struct maildir *m)
{
	return m->mark;
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

char *
maildir_of_mark(const char *path)
{
	const char *name = last_part(path);

	if (!is_mark(name) || name == path) /* there is no such Maildir */
		return mem_strdup(path);
	return mem_spandup(span_make(path, (size_t)(name - path) - 1));
}

int
maildir_has_mark(const struct maildir *m, const char *path, struct err *e)
{
	const char *name = last_part(path);
	int has = is_mark(name) ? has_mark(m, name) : 0;

	return has < 0 ? fail(m, ".", name, e) : has;
}

/* ---- the directories ---- */

static int
make_folder(const struct maildir *m, struct err *e)
{
	int fd = openat(
	    m->dir, FOLDER, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EEXIST)
		return err_set(e, ERR_DELIVER, errno, "%s/%s: %s", m->path,
		    FOLDER, strerror(errno));
	if (fd >= 0)
		close(fd);
	return 0;
}

static int
open_parts(struct maildir *m, bool create, bool folder, const char *known,
    struct err *e)
{
	m->cur = file_sub_dir(m->dir, "cur", create, m->path, e);
	if (m->cur < 0)
		return -1;
	m->tmp = file_sub_dir(m->dir, "tmp", create, m->path, e);
	if (m->tmp < 0)
		return -1;
	m->new = file_sub_dir(m->dir, "new", create, m->path, e);
	if (m->new < 0)
		return -1;
	if (create && folder && make_folder(m, e) < 0)
		return -1;
	return create ? mark(m, known, e) : 0;
}

static struct maildir *
open_it(const char *path, bool create, bool folder, const char *known,
    struct err *e)
{
	struct maildir *m;
	int dir = create ? file_make_dir(path, e) : file_open_dir(path, e);

	if (dir < 0)
		return NULL;
	m = mem_new(sizeof(*m));
	atomic_init(&m->refs, 1);
	m->path = mem_strdup(path);
	m->dir = dir;
	m->tmp = m->new = m->cur = -1;
	if (open_parts(m, create, folder, known, e) < 0)
		maildir_unref(&m);
	return m;
}

struct maildir *
maildir_open(const char *path, bool create, bool folder, struct err *e)
{
	return open_it(path, create, folder, NULL, e);
}

struct maildir *
maildir_open_again(
    const char *path, bool folder, const char *mark, struct err *e)
{
	return open_it(path, true, folder, mark, e);
}

struct maildir *
maildir_ref(struct maildir *m)
{
	atomic_fetch_add(&m->refs, 1);
	return m;
}

static void
destroy(struct maildir *m)
{
	const int fds[] = { m->dir, m->tmp, m->new, m->cur };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(m->mark);
	free(m->path);
	free(m);
}

void
maildir_unref(struct maildir **p)
{
	struct maildir *m = *p;

	*p = NULL;
	if (m != NULL && atomic_fetch_sub(&m->refs, 1) == 1)
		destroy(m);
}

bool
maildir_is_idle(const struct maildir *m)
{
	return atomic_load(&m->refs) == 1;
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
	    same_file(&there, &here);

	free(full);
	return same;
}

bool
maildir_is_current(const struct maildir *m)
{
	return leads_to(m->path, "tmp", m->tmp) &&
	    leads_to(m->path, "new", m->new) &&
	    leads_to(m->path, "cur", m->cur);
}

bool
maildir_is_same(const struct maildir *a, const struct maildir *b)
{
	struct stat here, there;

	return fstat(a->new, &here) == 0 && fstat(b->new, &there) == 0 &&
	    same_file(&here, &there);
}

/* ---- messages ---- */

int
maildir_create(const struct maildir *m, const char *name, struct err *e)
{
	int fd = openat(m->tmp, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : fail(m, "tmp", name, e);
}

int
maildir_set_time(int fd, int64_t unix_s, struct err *e)
{
	const struct timespec t = { .tv_sec = unix_s };

	if (futimens(fd, (const struct timespec[]){ t, t }) < 0)
		return err_set(e, ERR_DELIVER, errno,
		    "cannot set the time of a file: %s", strerror(errno));
	return 0;
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

/* ---- publishing ---- */

static int
target(const struct maildir *m, const char *final)
{
	return maildir_final_is_cur(final) ? m->cur : m->new;
}

static int
fail_final(const struct maildir *m, const char *final, struct err *e)
{
	return fail(m, maildir_final_is_cur(final) ? "cur" : "new", final, e);
}

static int
look_at(const struct maildir *m, const char *name, struct stat *st)
{
	return fstatat(m->tmp, name, st, AT_SYMLINK_NOFOLLOW);
}

static bool
begins_with(const char *name, void *arg)
{
	const char *base = arg;

	return strncmp(name, base, strlen(base)) == 0;
}

/* 1: a file of two names was published by an attempt that was cut in half,
 * and a reader may have moved it since; 0: it has the other name for another
 * reason (a copy by hard links); -1. */
static int
was_linked(
    const struct maildir *m, const char *name, const char *final, struct err *e)
{
	struct stat st, there;
	struct span all = span_of(final);
	char *base;
	int r;

	if (look_at(m, name, &st) < 0)
		return fail(m, "tmp", name, e);
	if (st.st_nlink < 2)
		return 0;
	if (fstatat(target(m, final), final, &there, AT_SYMLINK_NOFOLLOW) ==
		0 &&
	    same_file(&st, &there))
		return 1;
	base = mem_spandup(span_until(&all, ':')); /* the flags may change */
	r = look_through(m, m->dir, "cur", begins_with, base, e);
	free(base);
	return r;
}

/* For file systems without RENAME_NOREPLACE. Once the link is there it is
 * published, whatever becomes of the name in tmp/: it will be swept. */
static int
publish_by_link(
    const struct maildir *m, const char *name, const char *final, struct err *e)
{
	struct err ignored;
	int r = was_linked(m, name, final, e);

	if (r < 0)
		return -1;
	if (r == 0 && linkat(m->tmp, name, target(m, final), final, 0) < 0) {
		fail_final(m, final, e);
		/* done, but the answer was lost (NFS) */
		if (was_linked(m, name, final, &ignored) <= 0)
			return -1;
	}
	(void)unlinkat(m->tmp, name, 0);
	return 0;
}

int
maildir_publish(
    const struct maildir *m, const char *name, const char *final, struct err *e)
{
	if (renameat2(
		m->tmp, name, target(m, final), final, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOSYS || errno == EEXIST)
		return publish_by_link(m, name, final, e);
	return fail_final(m, final, e);
}

/* A call may be done although it is said to have failed (NFS). */
bool
maildir_is_unpublished(
    const struct maildir *m, const char *name, const char *final)
{
	struct stat tmp, there;

	if (look_at(m, name, &tmp) < 0 || tmp.st_nlink != 1)
		return false;
	if (fstatat(target(m, final), final, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	return !same_file(&tmp, &there);
}

static const char *const parts[] = { "tmp", "new", "cur" };

int
maildir_part_fd(const struct maildir *m, enum maildir_part part)
{
	const int fds[] = { m->tmp, m->new, m->cur };

	return fds[part];
}

int
maildir_not_durable(
    const struct maildir *m, enum maildir_part part, int sys, struct err *e)
{
	return not_durable(m, parts[part], sys, e);
}

int
maildir_sync_published(
    const struct maildir *m, bool new, bool cur, struct err *e)
{
	if (new &&sync_dir(m, m->new, "new", e) < 0)
		return -1;
	return cur ? sync_dir(m, m->cur, "cur", e) : 0;
}

/* ---- leftovers ---- */

struct sweeping {
	const struct maildir *maildir;
	const struct maildir_names *names;
	struct err *e;
};

/* True, which ends it, when one cannot be removed. */
static bool
sweep_one(const char *name, void *arg)
{
	const struct sweeping *s = arg;

	return maildir_names_left(s->names, name) &&
	    maildir_discard(s->maildir, name, s->e) < 0;
}

int
maildir_sweep(
    const struct maildir *m, const struct maildir_names *names, struct err *e)
{
	struct sweeping s = { m, names, e };

	return look_through(m, m->tmp, ".", sweep_one, &s, e) == 0 ? 0 : -1;
}
