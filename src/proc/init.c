/* SPDX-License-Identifier: ISC */
#include "proc/init.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static void
fill(sigset_t *set)
{
	static const int handed_on[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT,
		SIGUSR1, SIGCHLD };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(handed_on) / sizeof(*handed_on); i++)
		sigaddset(set, handed_on[i]);
}

/* The exit status once worker is among the dead, or -1. */
static int
bury(pid_t worker)
{
	int found = -1;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == worker)
			found = WIFEXITED(status) ? WEXITSTATUS(status)
						  : 128 + WTERMSIG(status);
	return found;
}

static void
stand_by(pid_t worker, const sigset_t *set)
{
	int status = -1;
	int signo;

	while (status < 0) {
		signo = sigwaitinfo(set, NULL);
		if (signo == SIGCHLD)
			status = bury(worker);
		else if (signo > 0)
			kill(worker, signo);
	}
	_exit(status);
}

void
init_step_aside(void)
{
	sigset_t set, before;
	pid_t worker;

	if (getpid() != 1)
		return;
	fill(&set);
	sigprocmask(SIG_BLOCK, &set, &before);
	worker = fork();
	if (worker < 0) {
		fprintf(stderr, "mailhaul: fork: %s\n", strerror(errno));
		_exit(EX_OSERR);
	}
	if (worker > 0)
		stand_by(worker, &set);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
