/* SPDX-License-Identifier: ISC */
#include "proc/member.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "proc/spawn.h"
#include "proc/wire.h"
#include "sys/clock.h"
#include "util/mem.h"

#define WAIT_MS 100
#define WAIT_MAX_MS 30000
#define LOCK_AGAIN_MS 100
#define LOCK_TRIES 50
#define LIFE_MS 60000 /* whoever lived so long was no failure */

struct member {
	struct loop *loop; /* not ours */
	struct member_params params;
	const struct member_events *events; /* not ours */
	void *arg;
	struct ipc *link;         /* NULL: nobody is there, or it leaves */
	pid_t pid;                /* 0: nobody is there */
	int pidfd;                /* -1: the same */
	struct loop_fd *watch;    /* of pidfd */
	struct loop_timer *start; /* the next one */
	struct loop_timer *limit; /* of leaving */
	struct err why;           /* what it said before it ended */
	uint64_t since;           /* when it was started */
	unsigned int wait_ms;     /* before the next one */
	unsigned int restarts;
	unsigned int lock_tries; /* in a row that found it taken */
	bool dismissed, replaced;
	bool killed; /* by us: nobody needs to be told */
};

/* ---- the end ---- */

static void
try_again(struct member *m)
{
	bool at_once = m->replaced;

	m->replaced = false;
	if (at_once)
		loop_timer_arm(m->start, 0);
	if (at_once || m->dismissed || !m->params.restarts)
		return;
	if (clock_ms() - m->since >= LIFE_MS)
		m->wait_ms = WAIT_MS;
	loop_timer_arm(m->start, m->wait_ms);
	m->wait_ms *= 2;
	if (m->wait_ms > WAIT_MAX_MS)
		m->wait_ms = WAIT_MAX_MS;
	m->restarts++;
}

/* Who is told may free us. */
static void
end(struct member *m, const struct err *e)
{
	try_again(m);
	m->events->ended(m->arg, e);
}

static const char *
moral(const struct member *m)
{
	if (m->params.restarts)
		return "it is started again";
	if (m->params.moral != NULL)
		return m->params.moral;
	return "what was delivered is safe, run mailhaul again";
}

static void
describe(const struct member *m, const char *why, struct err *e)
{
	const struct user *user = m->params.user;

	err_set(e, ERR_TEMP, 0, "the process \"%s\"%s%s %s; %s", m->params.role,
	    user == NULL ? "" : " of ", user == NULL ? "" : user->name, why,
	    moral(m));
}

static void
forget(struct member *m)
{
	loop_fd_free(&m->watch);
	loop_timer_stop(m->limit);
	if (m->pidfd >= 0)
		close(m->pidfd);
	m->pidfd = -1;
	m->pid = 0;
}

static void
on_exit_of(void *arg, bool readable, bool writable)
{
	struct member *m = arg;
	bool asked = m->dismissed || m->replaced;
	char why[100] = "ended";
	struct err e = m->why;
	bool good = spawn_reap(m->pid, 0, why, sizeof(why));

	(void)readable;
	(void)writable;
	forget(m);
	if (e.kind == ERR_NONE && !(good && asked))
		describe(m, why, &e);
	end(m, &e);
}

static void
on_limit(void *arg)
{
	struct member *m = arg;

	kill(m->pid, SIGKILL);
}

/* End of file is its word to leave, and ours that it has left. */
static void
await_end(struct member *m)
{
	ipc_free(&m->link);
	if (m->pid == 0 || m->watch != NULL)
		return;
	m->watch = loop_fd_new(m->loop, m->pidfd, on_exit_of, m);
	loop_fd_want(m->watch, true, false);
	loop_timer_arm(m->limit, MEMBER_END_MS);
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct member *m = arg;
	struct unpack u;

	if (packet == NULL) {
		await_end(m);
	} else if (packet->type == WIRE_REFUSE) {
		u = unpack_of(packet->payload);
		wire_unpack_err(&u, &m->why);
		await_end(m);
	} else {
		m->events->packet(m->arg, packet);
	}
}

/* ---- the start ---- */

static int
start(struct member *m, struct err *e)
{
	char why[100];
	int fd;

	m->since = clock_ms();
	m->killed = false;
	err_clear(&m->why);
	if (m->events->prepare != NULL && m->events->prepare(m->arg, e) != 0)
		return -1;
	m->pid = spawn_role(
	    m->params.role, m->params.user, m->params.stderr_fd, &fd, e);
	if (m->pid < 0) {
		m->pid = 0;
		return -1;
	}
	m->pidfd = spawn_watch(m->pid);
	if (m->pidfd < 0) {
		close(fd);
		(void)spawn_reap(m->pid, 0, why, sizeof(why));
		m->pid = 0;
		return err_set(
		    e, ERR_TEMP, 0, "cannot watch the %s", m->params.role);
	}
	m->link = ipc_new(m->loop, fd, on_packet, m);
	return 0;
}

/* Whose supervisor was killed may still be syncing: it holds the lock for as
 * long as that takes. */
static bool
waits_for_lock(struct member *m, const struct err *e)
{
	if (e->kind != ERR_LOCKED || m->lock_tries == LOCK_TRIES) {
		m->lock_tries = 0;
		return false;
	}
	m->lock_tries++;
	loop_timer_arm(m->start, LOCK_AGAIN_MS);
	return true;
}

static void
on_start(void *arg)
{
	struct member *m = arg;
	struct err e;

	if (start(m, &e) != 0) {
		if (!waits_for_lock(m, &e))
			end(m, &e);
		return;
	}
	m->lock_tries = 0;
	m->events->started(m->arg);
}

/* ---- life ---- */

struct member *
member_new(struct loop *loop, const struct member_params *params,
    const struct member_events *events, void *arg)
{
	struct member *m = mem_new(sizeof(*m));

	m->loop = loop;
	m->params = *params;
	m->events = events;
	m->arg = arg;
	m->pidfd = -1;
	m->wait_ms = WAIT_MS;
	m->start = loop_timer_new(loop, on_start, m);
	m->limit = loop_timer_new(loop, on_limit, m);
	loop_timer_arm(m->start, 0);
	return m;
}

void
member_free(struct member **p)
{
	member_free_by(p, clock_ms() + MEMBER_END_MS);
}

static unsigned int
until(uint64_t deadline)
{
	uint64_t now = clock_ms();

	return now < deadline ? (unsigned int)(deadline - now) : 0;
}

void
member_free_by(struct member **p, uint64_t deadline)
{
	struct member *m = *p;
	char why[100];

	if (m == NULL)
		return;
	*p = NULL;
	ipc_free(&m->link);
	if (m->pid > 0 &&
	    !spawn_reap(m->pid, until(deadline), why, sizeof(why)) &&
	    !m->killed)
		log_error(
		    "supervisor", "the process \"%s\" %s", m->params.role, why);
	forget(m);
	loop_timer_free(&m->start);
	loop_timer_free(&m->limit);
	free(m);
}

struct ipc *
member_link(const struct member *m)
{
	return m->link;
}

unsigned int
member_restarts(const struct member *m)
{
	return m->restarts;
}

bool
member_dismiss(struct member *m)
{
	m->dismissed = true;
	loop_timer_stop(m->start);
	await_end(m);
	return m->pid != 0;
}

void
member_replace(struct member *m)
{
	m->dismissed = false;
	if (m->pid == 0) {
		loop_timer_arm(m->start, 0);
		return;
	}
	m->replaced = true;
	await_end(m);
}

void
member_kill(struct member *m)
{
	if (m->pid <= 0)
		return;
	m->killed = true;
	kill(m->pid, SIGKILL);
}

void
member_last(struct member *m)
{
	m->params.restarts = false;
	if (m->pid == 0)
		loop_timer_stop(m->start);
}
