/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into mailhaul by the tests: somebody has got into a process and
 * tries what he may. MAILHAUL_INTRUDE is a list of tries, separated by commas;
 * the result of each is a line on standard error, "intruder: WHAT: ERRNO". In
 * the deliverer they begin when it publishes a message, in the engine when it
 * connects to a server, and so in one for HTTPS; MAILHAUL_INTRUDE_IN names the
 * role. MAILHAUL_INTRUDE_TO is a pipe with a name for the results instead,
 * where nobody shows what is said on standard error.
 *
 *	read:PATH write:PATH exec ip unix kill ptrace fork
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static int
try(const char *what)
{
	static char *const none[] = { NULL };

	if (strncmp(what, "read:", 5) == 0)
		return open(what + 5, O_RDONLY | O_CLOEXEC);
	if (strncmp(what, "write:", 6) == 0)
		return open(
		    what + 6, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (strcmp(what, "exec") == 0)
		return execve("/bin/false", none, none);
	if (strcmp(what, "ip") == 0)
		return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strcmp(what, "unix") == 0)
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strcmp(what, "kill") == 0)
		return kill(getppid(), SIGCONT);
	if (strcmp(what, "ptrace") == 0)
		return (int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
	if (strcmp(what, "fork") == 0)
		return fork();
	abort();
}

static int to = STDERR_FILENO;

__attribute__((constructor)) static void
open_pipe(void)
{
	const char *path = getenv("MAILHAUL_INTRUDE_TO");

	if (path != NULL)
		to = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

static void
intrude(const char *role)
{
	static atomic_flag began = ATOMIC_FLAG_INIT;
	const char *in = getenv("MAILHAUL_INTRUDE_IN");
	const char *list = getenv("MAILHAUL_INTRUDE");
	char copy[1000], line[1100], *rest = copy, *what;
	int saved = errno, n;

	if (in == NULL || list == NULL || strcmp(in, role) != 0 ||
	    strstr(program_invocation_name, role) == NULL ||
	    atomic_flag_test_and_set(&began))
		return;
	snprintf(copy, sizeof(copy), "%s", list);
	while ((what = strsep(&rest, ",")) != NULL) {
		errno = 0;
		n = try(what) < 0 ? errno : 0;
		n = snprintf(line, sizeof(line), "intruder: %s: %s\n", what,
		    n == 0 ? "done" : strerrorname_np(n));
		if (write(to, line, (size_t)n) != n)
			abort();
	}
	errno = saved;
}

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int
connect(int fd, const struct sockaddr *sa, socklen_t n)
{
	intrude("engine");
	intrude("https");
	return REAL(connect)(fd, sa, n);
}

int
renameat2(int a, const char *from, int b, const char *as, unsigned int flags)
{
	intrude("deliverer");
	return REAL(renameat2)(a, from, b, as, flags);
}

int
renameat(int a, const char *from, int b, const char *as)
{
	intrude("deliverer");
	return REAL(renameat)(a, from, b, as);
}

int
linkat(int a, const char *from, int b, const char *as, int flags)
{
	intrude("deliverer");
	return REAL(linkat)(a, from, b, as, flags);
}
