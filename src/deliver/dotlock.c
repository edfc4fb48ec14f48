/* SPDX-License-Identifier: ISC */
#include "deliver/dotlock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/file.h"
#include "util/mem.h"
#include "util/text.h"

#define HOST_MAX 256
#define CONTENT_MAX (HOST_MAX + 24)

struct dotlock {
	char *path;
	char *unique;   /* another name of it, at first */
	struct stat st; /* of this name */
};

/* The number of a file that is gone may come again at once. */
static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void
host_name(char host[HOST_MAX])
{
	if (gethostname(host, HOST_MAX) < 0)
		host[0] = '\0';
	host[HOST_MAX - 1] = '\0';
}

/* What no other attempt will do better. */
static enum dotlock_result
result_of(const char *path, struct err *e)
{
	int why = errno;

	err_set(e, ERR_DELIVER, why, "%s: %s", path, strerror(why));
	return why == EACCES || why == EROFS || why == EPERM ? DOTLOCK_UNABLE
							     : DOTLOCK_FAILED;
}

static enum dotlock_result
busy(const struct dotlock *l, struct err *e)
{
	err_set(e, ERR_DELIVER, EBUSY, "%s: another program holds this lock",
	    l->path);
	return DOTLOCK_BUSY;
}

/* ---- a file of our own ---- */

static struct dotlock *
lock_new(const char *path)
{
	struct dotlock *l = mem_new(sizeof(*l));
	const char *slash = strrchr(path, '/');
	int dir = slash == NULL ? 0 : (int)(slash - path) + 1;

	l->path = mem_printf("%s.lock", path);
	l->unique = mem_printf("%.*s.lk%ld.%08" PRIx32 "%08" PRIx32, dir, path,
	    (long)getpid(), clock_jitter(UINT32_MAX), clock_jitter(UINT32_MAX));
	return l;
}

static void
lock_free(struct dotlock **l)
{
	free((*l)->path);
	free((*l)->unique);
	free(*l);
	*l = NULL;
}

/* Everybody may read who has it, whatever our umask is. */
static int
write_owner(int fd, const struct dotlock *l, struct err *e)
{
	char host[HOST_MAX], *owner;
	int r;

	host_name(host);
	owner = mem_printf("%ld:%s", (long)getpid(), host);
	r = file_write_all(fd, span_of(owner), l->unique, e);
	free(owner);
	(void)fchmod(fd, 0644);
	return r;
}

static enum dotlock_result
make_unique(struct dotlock *l, struct err *e)
{
	int fd = open(l->unique, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	enum dotlock_result r = DOTLOCK_TAKEN;

	if (fd < 0)
		return result_of(l->unique, e);
	if (write_owner(fd, l, e) < 0)
		r = DOTLOCK_FAILED;
	else if (fstat(fd, &l->st) < 0)
		r = result_of(l->unique, e);
	close(fd);
	return r;
}

/* ---- somebody else's ---- */

/* Killed, and its parent has not asked for its status yet: in a container
 * perhaps nobody ever does. */
static bool
is_zombie(pid_t pid)
{
	char path[40], stat[512], *name_end;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	stat[n > 0 ? n : 0] = '\0';
	name_end = strrchr(stat, ')'); /* the name may hold anything */
	return name_end != NULL && strncmp(name_end, ") Z", 3) == 0;
}

static bool
is_gone(pid_t pid)
{
	return (kill(pid, 0) < 0 && errno == ESRCH) || is_zombie(pid);
}

static bool
is_dead(struct span owner)
{
	char host[HOST_MAX];
	uint64_t pid;

	owner = span_trim(owner);
	host_name(host);
	if (!text_number(&owner, INT_MAX, &pid) || pid == 0 ||
	    !span_skip(&owner, SPAN(":")) || !span_eq(owner, span_of(host)))
		return false;
	return is_gone((pid_t)pid);
}

static bool
names_the_dead(const struct dotlock *l)
{
	int fd = open(l->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char owner[CONTENT_MAX];
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, owner, sizeof(owner));
	close(fd);
	return n > 0 && is_dead(span_make(owner, (size_t)n));
}

/* By the clock of whoever has the files. */
static bool
is_stale(const struct dotlock *l, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return false;
	return l->st.st_mtime - st->st_mtime > DOTLOCK_STALE_S ||
	    names_the_dead(l);
}

/* Two may find it stale, and the slower one must not remove what the faster
 * one has made since. */
static bool
remove_stale(const struct dotlock *l, const struct stat *st)
{
	char *aside = mem_printf("%s.old", l->unique);
	bool removed = false;
	struct stat moved;

	if (rename(l->path, aside) == 0) {
		removed = lstat(aside, &moved) == 0 && same_file(&moved, st);
		if (!removed)
			(void)!link(aside, l->path);
		unlink(aside);
	}
	free(aside);
	return removed;
}

/* ---- the lock ---- */

/* The answer may be lost (NFS): what counts is what is there. */
static enum dotlock_result
try_link(const struct dotlock *l, struct err *e)
{
	int why = link(l->unique, l->path) < 0 ? errno : 0;
	struct stat st;

	if (lstat(l->path, &st) == 0 && same_file(&st, &l->st))
		return DOTLOCK_TAKEN;
	if (why == 0 || why == EEXIST)
		return busy(l, e);
	errno = why;
	return result_of(l->path, e);
}

static enum dotlock_result
take(const struct dotlock *l, struct err *e)
{
	enum dotlock_result r = try_link(l, e);
	struct stat st;

	if (r != DOTLOCK_BUSY || lstat(l->path, &st) < 0 || !is_stale(l, &st) ||
	    !remove_stale(l, &st))
		return r;
	return try_link(l, e);
}

enum dotlock_result
dotlock_take(const char *path, struct dotlock **out, struct err *e)
{
	struct dotlock *l = lock_new(path);
	enum dotlock_result r = make_unique(l, e);

	if (r == DOTLOCK_TAKEN)
		r = take(l, e);
	unlink(l->unique);
	if (r != DOTLOCK_TAKEN)
		lock_free(&l);
	*out = l;
	return r;
}

void
dotlock_release(struct dotlock **p)
{
	struct dotlock *l = *p;
	struct stat st;

	if (l == NULL)
		return;
	if (lstat(l->path, &st) == 0 && same_file(&st, &l->st))
		unlink(l->path);
	lock_free(p);
}
