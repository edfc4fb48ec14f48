/* SPDX-License-Identifier: ISC */
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/launch.h"
#include "util/buf.h"
#include "util/mem.h"

#define GRACE_MS 2000 /* between SIGTERM and SIGKILL */
#define REAP_MS 100   /* how long child_free() may take */
#define CHUNK 16384
#define ROUND_CHUNKS 8
/* What a pipe can hold, and more than enough: behind the child a grandchild
 * may write for ever. */
#define LAST_CHUNKS 64

struct output {
	int fd;
	struct loop_fd *watch;
	struct buf kept;
	size_t max;
	bool tail; /* keep the last octets, not the first */
	bool overflow;
};

struct child {
	struct loop *loop; /* not ours */
	child_fn fn;
	void *arg;
	struct launched process;
	int pidfd;
	struct loop_fd *exit_watch;
	struct loop_timer *timer; /* the deadline, or the news of no start */
	struct output out, err;
	unsigned int timeout_ms;
	bool whole_group;
	bool timed_out;
	bool busy; /* inside fn */
	struct err failure;
};

/* ---- what it prints ---- */

static void
output_init(struct output *o, size_t max, bool tail)
{
	o->fd = -1;
	o->max = max;
	o->tail = tail;
	buf_init(&o->kept, tail ? max + CHUNK : max);
}

static void
output_close(struct output *o)
{
	loop_fd_free(&o->watch);
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

static void
keep(struct output *o, struct span s)
{
	size_t left = o->max - o->kept.n;

	if (!o->tail && s.n > left) {
		o->overflow = true;
		s.n = left;
	}
	buf_add(&o->kept, s); /* fits: see output_init() */
	if (o->tail && o->kept.n > o->max)
		buf_drop(&o->kept, o->kept.n - o->max);
}

static void
output_read(struct output *o, unsigned int chunks)
{
	char chunk[CHUNK];
	ssize_t n = 1;

	while (o->fd >= 0 && chunks-- > 0 && n > 0) {
		n = read(o->fd, chunk, sizeof(chunk));
		if (n > 0)
			keep(o, span_make(chunk, (size_t)n));
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			output_close(o);
	}
	mem_wipe(chunk, sizeof(chunk)); /* it may have been a password */
}

static void
on_output(void *arg, bool readable, bool writable)
{
	(void)readable;
	(void)writable;
	output_read(arg, ROUND_CHUNKS);
}

/* Not 0 to 2, which the child's own descriptors overwrite. */
static int
above_stdio(int fd)
{
	int high;

	if (fd > STDERR_FILENO)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return high;
}

/* A pipe whose reading end is ours; the writing end, or -1. */
static int
output_open(struct child *c, struct output *o)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	ends[0] = above_stdio(ends[0]);
	ends[1] = above_stdio(ends[1]);
	o->fd = ends[0];
	if (ends[0] < 0 || ends[1] < 0 ||
	    fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		if (ends[1] >= 0)
			close(ends[1]);
		return -1;
	}
	o->watch = loop_fd_new(c->loop, o->fd, on_output, o);
	loop_fd_want(o->watch, true, false);
	return ends[1];
}

/* ---- the start ---- */

/* posix_spawn(3) cannot, and our own limit is not lowered even for a moment:
 * other threads open files. */
static void
limit_files_of(pid_t pid, unsigned long max)
{
	struct rlimit r;

	if (max == 0 || prlimit(pid, RLIMIT_NOFILE, NULL, &r) < 0 ||
	    r.rlim_max < max)
		return;
	r.rlim_cur = max;
	(void)prlimit(pid, RLIMIT_NOFILE, &r, NULL);
}

static void on_exit_ready(void *arg, bool readable, bool writable);

/* The kernel tells of the exit through a descriptor: no SIGCHLD handler. */
static int
watch_exit(struct child *c, const char *name, struct err *e)
{
	c->pidfd = pidfd_open(c->process.pid, 0);
	if (c->pidfd < 0) {
		int why = errno;

		kill(-c->process.pid, SIGKILL);
		waitpid(c->process.pid, NULL, 0);
		return launch_failed(e, name, why);
	}
	c->exit_watch = loop_fd_new(c->loop, c->pidfd, on_exit_ready, c);
	loop_fd_want(c->exit_watch, true, false);
	return 0;
}

static int
start(struct child *c, const struct child_params *p, struct err *e)
{
	const bool captured = p->stdout_fd <= STDERR_FILENO;
	int out = p->stdout_fd, err = -1, r;

	if (captured)
		out = output_open(c, &c->out);
	if (out >= 0)
		err = output_open(c, &c->err);
	if (out < 0 || err < 0)
		r = launch_failed(e, p->argv[0], errno);
	else
		r = launch(p, out, err, &c->process, e);
	if (captured && out >= 0)
		close(out);
	if (err >= 0)
		close(err);
	if (r != 0)
		return r;
	limit_files_of(c->process.pid, p->max_files);
	return watch_exit(c, p->argv[0], e);
}

/* ---- the end ---- */

static void
destroy(struct child *c)
{
	buf_wipe(&c->out.kept);
	buf_wipe(&c->err.kept);
	free(c);
}

static void
release(struct child *c)
{
	output_close(&c->out);
	output_close(&c->err);
	loop_fd_free(&c->exit_watch);
	loop_timer_free(&c->timer);
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
	if (c->process.report >= 0)
		close(c->process.report);
	c->process.report = -1;
}

/* Ends the life of c. */
static void
report(struct child *c, int status)
{
	struct child_result result = {
		.timed_out = c->timed_out,
		.overflow = c->out.overflow,
		.status = status,
		.out = buf_span(&c->out.kept),
		.err = buf_span(&c->err.kept),
		.timeout_ms = c->timeout_ms,
	};

	release(c);
	c->busy = true;
	c->fn(
	    c->arg, &result, c->failure.kind == ERR_NONE ? NULL : &c->failure);
	destroy(c);
}

static void
on_exit_ready(void *arg, bool readable, bool writable)
{
	struct child *c = arg;
	int status = 0;
	pid_t r;

	(void)readable;
	(void)writable;
	/* while it is not reaped, its group is surely its own */
	if (c->timed_out || c->whole_group)
		kill(-c->process.pid, SIGKILL);
	r = waitpid(c->process.pid, &status, WNOHANG);
	if (r == 0)
		return;
	if (r < 0) /* nobody knows: that must not look like success */
		err_set(&c->failure, ERR_DELIVER, errno,
		    "cannot learn how a program ended: %s", strerror(errno));
	else if (launch_has_failed(&c->process, &c->failure))
		status = 0; /* there is no result */
	output_read(&c->out, LAST_CHUNKS);
	output_read(&c->err, LAST_CHUNKS);
	report(c, status);
}

/* By itself, and how counts; we hear of it in a moment. */
static bool
has_ended(const struct child *c)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	return !c->timed_out && poll(&p, 1, 0) > 0;
}

static void
on_timer(void *arg)
{
	struct child *c = arg;

	if (c->failure.kind != ERR_NONE) {
		report(c, 0);
		return;
	}
	if (has_ended(c))
		return;
	kill(-c->process.pid, c->timed_out ? SIGKILL : SIGTERM);
	if (!c->timed_out)
		loop_timer_arm(c->timer, GRACE_MS);
	c->timed_out = true;
}

struct child *
child_start(
    struct loop *loop, const struct child_params *p, child_fn fn, void *arg)
{
	struct child *c = mem_new(sizeof(*c));

	c->loop = loop;
	c->fn = fn;
	c->arg = arg;
	c->pidfd = -1;
	c->process.report = -1;
	c->timeout_ms = p->timeout_ms;
	c->whole_group = p->whole_group;
	output_init(&c->out, p->out_max, false);
	output_init(&c->err, p->err_max, true);
	c->timer = loop_timer_new(loop, on_timer, c);
	if (start(c, p, &c->failure) != 0)
		loop_timer_arm(c->timer, 0);
	else if (p->timeout_ms > 0)
		loop_timer_arm(c->timer, p->timeout_ms);
	return c;
}

void
child_stop(struct child *c)
{
	/* the timer may be that of SIGKILL, or the news of no start */
	if (c->failure.kind == ERR_NONE && !c->timed_out && !c->busy)
		loop_timer_arm(c->timer, 0);
}

/* A child that is stuck in the kernel stays a zombie of ours: better than to
 * wait with it. */
static void
kill_and_reap(struct child *c)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	kill(-c->process.pid, SIGKILL);
	poll(&p, 1, REAP_MS);
	waitpid(c->process.pid, NULL, WNOHANG);
}

void
child_free(struct child **p)
{
	struct child *c = *p;

	*p = NULL;
	if (c == NULL || c->busy) /* report() frees it */
		return;
	if (c->pidfd >= 0)
		kill_and_reap(c);
	release(c);
	destroy(c);
}

char *
child_verdict(const struct child_result *r, char *dst, size_t size)
{
	const char *name;

	if (r->timed_out && r->timeout_ms % 1000 != 0)
		snprintf(dst, size, "took longer than %u ms", r->timeout_ms);
	else if (r->timed_out)
		snprintf(
		    dst, size, "took longer than %u s", r->timeout_ms / 1000);
	else if (WIFEXITED(r->status))
		snprintf(
		    dst, size, "exited with status %d", WEXITSTATUS(r->status));
	else if ((name = sigabbrev_np(WTERMSIG(r->status))) != NULL)
		snprintf(dst, size, "was killed by SIG%s", name);
	else
		snprintf(
		    dst, size, "was killed by signal %d", WTERMSIG(r->status));
	return dst;
}
