/* SPDX-License-Identifier: ISC */
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/ipc.h"
#include "io/own_env.h"
#include "proc/wire.h"

/* ---- in the child, between fork and exec ---- */

/* The supervisor hears why; nothing else is left to do. */
static void
give_up(int fd, const struct err *e)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, WIRE_REFUSE);
	wire_pack_err(&b, e);
	(void)send(fd, buf_span(&b).p, buf_span(&b).n, MSG_NOSIGNAL);
	_exit(EX_OSERR);
}

static void
give_up_for(int fd, const char *what)
{
	struct err e;

	err_set(&e, ERR_TEMP, errno, "cannot start a process: %s: %s", what,
	    strerror(errno));
	give_up(fd, &e);
}

/* A program of that user shall not type into the terminal of ours, nor stand
 * in a directory that is none of its business. */
static void
become(const struct user *user, int fd)
{
	struct err e;

	if (setsid() < 0)
		give_up_for(fd, "setsid");
	if (chdir("/") < 0)
		give_up_for(fd, "/");
	if (user_become(user, &e) != 0)
		give_up(fd, &e);
}

static void
run(char **argv, const struct user *user, int fd, int stderr_fd,
    const char **env)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (stderr_fd >= 0 && dup2(stderr_fd, STDERR_FILENO) < 0)
		give_up_for(fd, "dup2");
	/* dup2 clears close-on-exec, unless it is the same descriptor */
	if (fd == WIRE_FD ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, WIRE_FD) < 0)
		give_up_for(fd, "dup2");
	syscall(SYS_close_range, WIRE_FD + 1, ~0U, 0);
	if (user != NULL)
		become(user, WIRE_FD);
	execve("/proc/self/exe", argv, (char **)(uintptr_t)env);
	give_up_for(WIRE_FD, "exec");
}

/* ---- in the supervisor ---- */

pid_t
spawn_role(const char *role, const struct user *user, int stderr_fd, int *fd,
    struct err *e)
{
	/* execve(2) only reads them */
	char *argv[] = { (char *)(uintptr_t)role, NULL, NULL };
	const char *env[OWN_ENV_MAX];
	int pair[2];
	pid_t pid;

	if (user != NULL)
		argv[1] = (char *)(uintptr_t)user->name;
	if (ipc_pair(pair, e) != 0)
		return -1;
	own_env_pick(env, NULL);
	pid = fork();
	if (pid == 0)
		run(argv, user, pair[1], stderr_fd, env);
	close(pair[1]);
	if (pid < 0) {
		err_set(e, ERR_TEMP, errno, "cannot start the %s: %s", role,
		    strerror(errno));
		close(pair[0]);
		return -1;
	}
	*fd = pair[0];
	return pid;
}

/* The kernel keeps 15 octets of it: "mailhaul-engine", "mailhaul-delive" */
void
spawn_name(const char *role)
{
	char name[16];

	snprintf(name, sizeof(name), "mailhaul-%.6s", strchr(role, ' ') + 1);
	prctl(PR_SET_NAME, name);
}

static bool
judge(int status, char *why, size_t size)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFEXITED(status))
		snprintf(
		    why, size, "exited with status %d", WEXITSTATUS(status));
	else
		snprintf(why, size, "was killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return false;
}

int
spawn_watch(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool
spawn_reap(pid_t pid, unsigned int ms, char *why, size_t size)
{
	int fd = spawn_watch(pid);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int status = 0;
	int n = 0;

	/* a signal to us is no reason to wait without an end */
	while (fd >= 0 && (n = poll(&p, 1, (int)ms)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		kill(pid, SIGKILL);
	if (fd >= 0)
		close(fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return judge(status, why, size);
}
