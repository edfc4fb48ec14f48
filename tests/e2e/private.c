/* SPDX-License-Identifier: ISC */
/*
 * Preloaded by the tests into servers that have the system's paths built in:
 * they stay in their own directory. MAILHAUL_AUTHDAEMON is the socket that is
 * connected to instead of Courier's authdaemon; MAILHAUL_SYSLOG is the file
 * that has what would go to syslog. There is no file alteration monitor:
 * Courier, which would look for gamin for a second, polls.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
connect(int fd, const struct sockaddr *to, socklen_t len)
{
	static const char *const theirs = "/authdaemon/socket";
	int (*next)(int, const struct sockaddr *, socklen_t);
	const char *ours = getenv("MAILHAUL_AUTHDAEMON");
	struct sockaddr_un instead = { .sun_family = AF_UNIX };

	next = dlsym(RTLD_NEXT, "connect");
	if (ours == NULL || to->sa_family != AF_UNIX ||
	    memmem(to, len, theirs, strlen(theirs)) == NULL)
		return next(fd, to, len);
	snprintf(instead.sun_path, sizeof(instead.sun_path), "%s", ours);
	return next(fd, (const struct sockaddr *)&instead, sizeof(instead));
}

/* A line of one write, as several processes have the file open. */
void
vsyslog(int priority, const char *format, va_list ap)
{
	const char *path = getenv("MAILHAUL_SYSLOG");
	char line[2048];
	int fd, n, head;

	fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666)
		  : -1;
	if (fd == -1)
		return;
	head = snprintf(line, sizeof(line), "%s[%d] <%d> ",
	    program_invocation_short_name, (int)getpid(), priority & 7);
	n = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, ap);
	n = n < 0 ? 0 : n;
	n += head;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	if (write(fd, line, (size_t)n + 1) == -1)
		abort();
	close(fd);
}

void
syslog(int priority, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsyslog(priority, format, ap);
	va_end(ap);
}

/* What they are called in programs built with _FORTIFY_SOURCE. */
void
__vsyslog_chk(int priority, int flag, const char *format, va_list ap)
{
	(void)flag;
	vsyslog(priority, format, ap);
}

void
__syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, format);
	vsyslog(priority, format, ap);
	va_end(ap);
}

int
FAMOpen(void *fc)
{
	(void)fc;
	return -1;
}

int
FAMOpen2(void *fc, const char *name)
{
	(void)fc;
	(void)name;
	return -1;
}
