/* SPDX-License-Identifier: ISC */
#include "sys/crash.h"

#ifdef MAILHAUL_CRASH_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/text.h"

static int
open_record(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* MAILHAUL_CALLS is that of tests/e2e/fault.c. */
const char *
crash_file(size_t i)
{
	static const char *const names[CRASH_FILES] = { "MAILHAUL_POINTS",
		"MAILHAUL_CALLS" };
	const char *path = getenv(names[i]);
	int fd = path == NULL ? -1 : open_record(path);

	if (fd < 0)
		return NULL;
	close(fd);
	return path;
}

/* MAILHAUL_POINTS=file: one line for each point passed, by any process. */
static void
record(const char *name)
{
	const char *path = getenv("MAILHAUL_POINTS");
	char newline[] = "\n";
	struct iovec line[2];
	ssize_t n;
	int fd;

	if (path == NULL)
		return;
	fd = open_record(path);
	if (fd < 0)
		return; /* behind the walls of a sandbox: no record */
	line[0].iov_base = (void *)(uintptr_t)name;
	line[0].iov_len = strlen(name);
	line[1].iov_base = newline;
	line[1].iov_len = 1;
	n = writev(fd, line, 2);
	(void)n;
	close(fd);
}

void
crash_point(const char *name)
{
	static atomic_uint_fast64_t passed;
	const char *only = getenv("MAILHAUL_DIE_IN");
	struct span at = span_of(getenv("MAILHAUL_DIE_AT"));
	uint64_t die;

	record(name);
	if (only != NULL && strncmp(name, only, strlen(only)) != 0)
		return;
	if (text_number(&at, UINT64_MAX, &die) && at.n == 0 &&
	    atomic_fetch_add(&passed, 1) + 1 == die)
		kill(getpid(), SIGKILL);
}

#else

extern int crash_points_are_left_out; /* C wants a declaration in a file */

#endif
