/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into mailhaul by the tests: makes calls that write to a disk
 * fail. MAILHAUL_FAULT is a list of CALL:N:ERRNO separated by commas: the
 * N-th such call of each process fails with that number; N+ means that one
 * and all later ones (a full disk). Calls are write, pwrite, fsync, fdatasync,
 * rename, open (for creating), mkdir, close, and all (any of them). Only
 * regular files and directories count; sockets and terminals work as ever.
 * MAILHAUL_FAULT_IN names a part of the path that the file must have.
 *
 * MAILHAUL_CALLS is a file to which each fsync, fdatasync and rename that
 * succeeded is written: monotonic nanoseconds, call, path.
 *
 * MAILHAUL_CLOCK is a number of seconds that the wall clock is ahead.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define KINDS 9

static const char *const kinds[KINDS] = { "write", "pwrite", "fsync",
	"fdatasync", "rename", "open", "mkdir", "close", "all" };
static atomic_ulong passed[KINDS];

static bool
on_disk(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 &&
	    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* The path of an open file, or "". */
static void
path_of(int fd, char *name, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, size - 1);
	name[n < 0 ? 0 : n] = '\0';
}

static bool
in_path(int fd, const char *path)
{
	const char *part = getenv("MAILHAUL_FAULT_IN");
	char name[4096];

	if (part == NULL)
		return true;
	if (path != NULL && strstr(path, part) != NULL)
		return true;
	if (fd < 0)
		return false;
	path_of(fd, name, sizeof(name));
	return strstr(name, part) != NULL;
}

/* True, and errno set, when the rule for this kind says so. */
static bool
rule(const char *rules, const char *kind, unsigned long nth)
{
	size_t n = strlen(kind);
	const char *at = rules;
	unsigned long wanted;
	char *end;

	while (at != NULL && *at != '\0') {
		if (strncmp(at, kind, n) == 0 && at[n] == ':') {
			wanted = strtoul(at + n + 1, &end, 10);
			if (nth == wanted || (*end == '+' && nth > wanted)) {
				if (*end == '+')
					end++;
				errno = (int)strtol(end + 1, NULL, 10);
				return true;
			}
		}
		at = strchr(at, ',');
		if (at != NULL)
			at++;
	}
	return false;
}

static bool
fails(const char *kind, int fd, const char *path)
{
	const char *rules = getenv("MAILHAUL_FAULT");
	int saved = errno;
	bool yes = false;

	if (rules != NULL && (fd < 0 || on_disk(fd)) && in_path(fd, path)) {
		for (size_t i = 0; i < KINDS; i++)
			if (strcmp(kinds[i], kind) == 0 ||
			    strcmp(kinds[i], "all") == 0)
				yes = yes || rule(rules, kinds[i], ++passed[i]);
	}
	if (!yes)
		errno = saved;
	return yes;
}

/* fd is that of the file, or of the directory that name is in. */
static int
note(int result, const char *call, int fd, const char *name)
{
	const char *path = getenv("MAILHAUL_CALLS");
	char of[4096];
	char line[8300];
	struct timespec t;
	int saved = errno;
	int out, n;

	if (path == NULL || result != 0 || !on_disk(fd))
		return result;
	out = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (out >= 0) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		path_of(fd, of, sizeof(of));
		n = snprintf(line, sizeof(line), "%lld%09ld %s %s%s%s\n",
		    (long long)t.tv_sec, t.tv_nsec, call, of,
		    name[0] == '\0' ? "" : "/", name);
		if (syscall(SYS_write, out, line, (size_t)n) != n)
			abort();
		syscall(SYS_close, out);
	}
	errno = saved;
	return result;
}

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int
clock_gettime(clockid_t id, struct timespec *t)
{
	const char *ahead = getenv("MAILHAUL_CLOCK");
	int result = REAL(clock_gettime)(id, t);

	if (result == 0 && ahead != NULL && id == CLOCK_REALTIME)
		t->tv_sec += strtol(ahead, NULL, 10);
	return result;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	return fails("write", fd, NULL) ? -1 : REAL(write)(fd, p, n);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	return fails("write", fd, NULL) ? -1 : REAL(writev)(fd, v, n);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return fails("pwrite", fd, NULL) ? -1 : REAL(pwrite)(fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return fails("pwrite", fd, NULL) ? -1 : REAL(pwrite64)(fd, p, n, at);
}

int
fsync(int fd)
{
	return fails("fsync", fd, NULL) ? -1
					: note(REAL(fsync)(fd), "sync", fd, "");
}

int
fdatasync(int fd)
{
	return fails("fdatasync", fd, NULL)
	    ? -1
	    : note(REAL(fdatasync)(fd), "sync", fd, "");
}

int
close(int fd)
{
	if (!fails("close", fd, NULL))
		return REAL(close)(fd);
	int why = errno;

	REAL(close)(fd);
	errno = why;
	return -1;
}

int
rename(const char *from, const char *to)
{
	return fails("rename", -1, to) ? -1 : REAL(rename)(from, to);
}

int
renameat(int a, const char *from, int b, const char *to)
{
	return fails("rename", b, to)
	    ? -1
	    : note(REAL(renameat)(a, from, b, to), "rename", b, to);
}

int
renameat2(int a, const char *from, int b, const char *to, unsigned int flags)
{
	return fails("rename", b, to)
	    ? -1
	    : note(REAL(renameat2)(a, from, b, to, flags), "rename", b, to);
}

int
link(const char *from, const char *to)
{
	return fails("rename", -1, to) ? -1 : REAL(link)(from, to);
}

int
linkat(int a, const char *from, int b, const char *to, int flags)
{
	return fails("rename", b, to)
	    ? -1
	    : note(REAL(linkat)(a, from, b, to, flags), "rename", b, to);
}

int
mkdirat(int at, const char *path, mode_t mode)
{
	return fails("mkdir", at, path) ? -1 : REAL(mkdirat)(at, path, mode);
}

int
openat(int at, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode = 0;

	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
		if (fails("open", at, path))
			return -1;
	}
	return REAL(openat)(at, path, flags, mode);
}
