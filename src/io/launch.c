/* SPDX-License-Identifier: ISC */
#include "io/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/mem.h"

#define STATUS_NOT_RUN 127
#define REPORT_FD (STDERR_FILENO + 1)

int
launch_failed(struct err *e, const char *name, int why)
{
	return err_set(
	    e, ERR_DELIVER, why, "cannot run %s: %s", name, strerror(why));
}

/* ---- the environment ---- */

/* The first two are nobody's. */
static const char *const passed_on[] = { "PATH", "LANG", "HOME", "USER",
	"LOGNAME", "GNUPGHOME", "GPG_TTY", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR",
	"DBUS_SESSION_BUS_ADDRESS", "PASSWORD_STORE_DIR" };

#define PASSED_ON (sizeof(passed_on) / sizeof(*passed_on))
#define PASSED_ON_TO_ANYBODY 2

struct env {
	char **v; /* NULL-terminated */
	size_t n;
};

static void
env_add(struct env *env, char *assignment)
{
	env->v = mem_grow(env->v, env->n + 2, sizeof(*env->v));
	env->v[env->n++] = assignment;
	env->v[env->n] = NULL;
}

static void
env_free(struct env *env)
{
	for (size_t i = 0; i < env->n; i++)
		free(env->v[i]);
	free(env->v);
}

static void
add_ours(struct env *env, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *value = getenv(passed_on[i]);

		if (value != NULL)
			env_add(env, mem_printf("%s=%s", passed_on[i], value));
	}
}

static bool
sets(const char *assignment, const char *name)
{
	size_t n = strlen(name);

	return strncmp(assignment, name, n) == 0 && assignment[n] == '=';
}

static bool
is_of_user(const char *assignment)
{
	return sets(assignment, "HOME") || sets(assignment, "USER") ||
	    sets(assignment, "LOGNAME") || sets(assignment, "SHELL");
}

static void
add_given(struct env *env, const char *const *given, const struct user *user)
{
	for (; *given != NULL; given++) {
		if (user == NULL || !is_of_user(*given))
			env_add(env, mem_strdup(*given));
	}
}

static void
add_user(struct env *env, const struct user *user)
{
	env_add(env, mem_printf("HOME=%s", user->home));
	env_add(env, mem_printf("USER=%s", user->name));
	env_add(env, mem_printf("LOGNAME=%s", user->name));
	env_add(env, mem_printf("SHELL=%s", user->shell));
}

static struct env
make_env(const struct child_params *p)
{
	struct env env = { .v = mem_array(1, sizeof(*env.v)) };

	if (p->env != NULL)
		add_given(&env, p->env, p->user);
	else
		add_ours(
		    &env, p->user == NULL ? PASSED_ON : PASSED_ON_TO_ANYBODY);
	if (p->user != NULL)
		add_user(&env, p->user);
	return env;
}

static const char *
program_of(const struct child_params *p)
{
	return p->program != NULL ? p->program : p->argv[0];
}

/* The prototypes lack a const that the functions keep. */
static char *const *
words_of(const struct child_params *p)
{
	return (char *const *)(uintptr_t)p->argv;
}

/* ---- as we are ---- */

static int
set_attributes(posix_spawnattr_t *at)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawnattr_setsigmask(at, &none) != 0 ||
	    posix_spawnattr_setsigdefault(at, &all) != 0 ||
	    posix_spawnattr_setpgroup(at, 0) != 0)
		return ENOMEM;
	return posix_spawnattr_setflags(at,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
		POSIX_SPAWN_SETPGROUP);
}

static int
set_descriptors(posix_spawn_file_actions_t *fa, int in, int out, int err)
{
	int r;

	if (in < 0)
		r = posix_spawn_file_actions_addopen(
		    fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	else
		r = posix_spawn_file_actions_adddup2(fa, in, STDIN_FILENO);
	if (r != 0)
		return r;
	if (posix_spawn_file_actions_adddup2(fa, out, STDOUT_FILENO) != 0 ||
	    posix_spawn_file_actions_adddup2(fa, err, STDERR_FILENO) != 0)
		return ENOMEM;
	return posix_spawn_file_actions_addclosefrom_np(fa, STDERR_FILENO + 1);
}

/* posix_spawn(3) reports what execve(2) says, and copies no memory. */
static int
run_as_we_are(const struct child_params *p, int out, int err, char *const *env,
    pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	int why;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	why = set_attributes(&at);
	if (why == 0)
		why = set_descriptors(&fa, p->stdin_fd, out, err);
	if (why == 0 && p->cwd != NULL)
		why = posix_spawn_file_actions_addchdir_np(&fa, p->cwd);
	if (why == 0)
		why = posix_spawnp(
		    pid, program_of(p), &fa, &at, words_of(p), env);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return why;
}

/* ---- as another user: posix_spawn(3) cannot ---- */

/* Those of the C library and of the kernel refuse, and are as they should
 * be. */
static void
clean_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
place(int fd, int at)
{
	return fd == at ? fcntl(fd, F_SETFD, 0) : dup2(fd, at);
}

/* The report moves to REPORT_FD, which exec closes. */
static int
place_descriptors(const struct child_params *p, int out, int err, int report)
{
	int in = p->stdin_fd;

	if (in < 0)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (in < 0 || place(in, STDIN_FILENO) < 0 ||
	    place(out, STDOUT_FILENO) < 0 || place(err, STDERR_FILENO) < 0)
		return -1;
	if (place(report, REPORT_FD) < 0 ||
	    fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return (int)syscall(SYS_close_range, REPORT_FD + 1, ~0U, 0);
}

/* In the child: all that follows is done by the user, also the search for the
 * program and its directory. */
static int
become_and_run(const struct child_params *p, char *const *env, struct err *e)
{
	if (user_become(p->user, e) < 0)
		return err_prefix(e, "cannot run %s", p->argv[0]);
	if (p->cwd == NULL || chdir(p->cwd) == 0)
		execvpe(program_of(p), words_of(p), env);
	return launch_failed(e, p->argv[0], errno);
}

static _Noreturn void
be_child(const struct child_params *p, int out, int err, int report,
    char *const *env)
{
	struct err e = { 0 };

	setpgid(0, 0);
	clean_signals();
	/* above the descriptors that are about to be replaced */
	report = fcntl(report, F_DUPFD_CLOEXEC, REPORT_FD);
	if (place_descriptors(p, out, err, report) < 0) {
		launch_failed(&e, p->argv[0], errno);
	} else {
		report = REPORT_FD;
		become_and_run(p, env, &e);
	}
	(void)!write(report, &e, sizeof(e));
	_exit(STATUS_NOT_RUN);
}

/* Nobody waits for exec: it may hang in a directory of the user's. */
static int
run_as_user(const struct child_params *p, int out, int err, char *const *env,
    struct launched *l, struct err *e)
{
	sigset_t all, before;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return launch_failed(e, p->argv[0], errno);
	/* none may come to our handlers in the child, which share our loop */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	l->pid = fork();
	if (l->pid == 0)
		be_child(p, out, err, ends[1], env);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (l->pid < 0) {
		launch_failed(e, p->argv[0], errno);
		close(ends[0]);
		return -1;
	}
	setpgid(l->pid, l->pid); /* whoever comes first */
	l->report = ends[0];
	return 0;
}

bool
launch_has_failed(const struct launched *l, struct err *e)
{
	struct err heard;

	if (l->report < 0 ||
	    read(l->report, &heard, sizeof(heard)) != (ssize_t)sizeof(heard))
		return false;
	heard.text[sizeof(heard.text) - 1] = '\0';
	*e = heard;
	return true;
}

/* ---- either ---- */

int
launch(const struct child_params *p, int out, int err, struct launched *l,
    struct err *e)
{
	struct env env = make_env(p);
	int r;

	l->report = -1;
	if (p->user != NULL) {
		r = run_as_user(p, out, err, env.v, l, e);
	} else {
		r = run_as_we_are(p, out, err, env.v, &l->pid);
		if (r != 0)
			r = launch_failed(e, p->argv[0], r);
	}
	env_free(&env);
	return r;
}
