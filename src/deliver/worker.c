/* SPDX-License-Identifier: ISC */
#include "deliver/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "sys/crash.h"
#include "sys/log.h"
#include "util/mem.h"

#define GROUP_MAX 1024
#define QUIET_MS 100 /* then what rides in the ledger is made durable */

struct worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job_list queue, done; /* under lock */
	bool stopping, stopped;      /* under lock */
	atomic_size_t waiting;

	/* the thread's */
	struct places places;
	struct commit_tools tools;
	uint64_t marks;
	bool riding; /* the ledger has something to flush */

	/* the loop's */
	int event; /* from the thread to the loop */
	struct loop_fd *watch;
	worker_fn fn;
	loop_fn stopped_fn;
	void *arg, *stopped_arg;
};

/* With what it will find out, where that is much more. */
static size_t
octets_of(const struct job *j)
{
	size_t names = j->kind == JOB_NAMES ? (size_t)set_count(&j->set) : 0;

	return sizeof(*j) + j->n + j->set.n * sizeof(*j->set.r) +
	    names * LEDGER_UID_TEXT;
}

/* ---- the thread ---- */

/* A moment without jobs is over, or was not there. */
static bool
wait_quiet(struct worker *w)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += QUIET_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	return pthread_cond_timedwait(&w->wake, &w->lock, &until) == ETIMEDOUT;
}

static void
flush(struct worker *w)
{
	struct err e;

	if (ledger_flush(w->places.ledger, &e) < 0)
		log_error("deliver", "%s", e.text);
	crash_point("deliver:flushed");
	places_rest(&w->places);
	w->riding = false; /* a failure will show in the next transaction */
}

/* Commits are not to come before it. */
static bool
is_about_mailbox(enum job_kind kind)
{
	return kind == JOB_BOX || kind == JOB_LIST_BEGIN ||
	    kind == JOB_LIST_ADD || kind == JOB_LIST_END;
}

/*
 * Takes the next group: every waiting commit, but none before an earlier job
 * of its own account that is about a whole mailbox.
 */
static size_t
take_group(struct worker *w, struct job_list *group)
{
	struct job_list rest = STAILQ_HEAD_INITIALIZER(rest);
	struct job *j;
	size_t n = 0;

	STAILQ_INIT(group);
	w->marks++;
	while (n < GROUP_MAX && (j = STAILQ_FIRST(&w->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&w->queue, next);
		if (j->kind == JOB_COMMIT && j->account->mark != w->marks) {
			STAILQ_INSERT_TAIL(group, j, next);
			n++;
			continue;
		}
		if (is_about_mailbox(j->kind))
			j->account->mark = w->marks;
		STAILQ_INSERT_TAIL(&rest, j, next);
	}
	STAILQ_CONCAT(&rest, &w->queue);
	STAILQ_CONCAT(&w->queue, &rest);
	return n;
}

/* What waits in front of the first commit. */
static void
take_others(struct worker *w, struct job_list *others)
{
	struct job *j;

	STAILQ_INIT(others);
	while ((j = STAILQ_FIRST(&w->queue)) != NULL && j->kind != JOB_COMMIT) {
		STAILQ_REMOVE_HEAD(&w->queue, next);
		STAILQ_INSERT_TAIL(others, j, next);
	}
}

/* Those that are not refused already. */
static void
run_group(struct worker *w, struct job_list *group, size_t n)
{
	struct commit **commits = mem_array(n, sizeof(*commits));
	struct job *j;
	size_t i = 0;

	STAILQ_FOREACH (j, group, next) {
		if (j->commit.e.kind == ERR_NONE)
			commits[i++] = &j->commit;
	}
	commit_group(&w->tools, commits, i);
	free(commits);
}

/* But what a program or a server has taken is recorded to the last. */
static void
refuse_files(struct job_list *group)
{
	struct job *j;

	STAILQ_FOREACH (j, group, next) {
		if (j->commit.place == NULL)
			continue;
		commit_discard(&j->commit);
		err_set(&j->commit.e, ERR_CANCEL, 0, "delivery was stopped");
	}
}

static void
hand_back(struct worker *w, struct job_list *jobs)
{
	uint64_t one = 1;
	ssize_t r;

	pthread_mutex_lock(&w->lock);
	STAILQ_CONCAT(&w->done, jobs);
	pthread_mutex_unlock(&w->lock);
	r = write(w->event, &one, sizeof(one)); /* full: it is awake anyway */
	(void)r;
}

/* One portion of work, with the lock held before and after. */
static void
work(struct worker *w)
{
	bool stopping = w->stopping;
	struct job_list jobs;
	struct job *j;
	size_t n = 0;

	take_others(w, &jobs);
	if (STAILQ_EMPTY(&jobs))
		n = take_group(w, &jobs);
	pthread_mutex_unlock(&w->lock);
	if (n > 0) {
		if (stopping)
			refuse_files(&jobs);
		run_group(w, &jobs, n);
	} else {
		STAILQ_FOREACH (j, &jobs, next)
			job_run(j, &w->places);
	}
	w->riding = true;
	hand_back(w, &jobs);
	pthread_mutex_lock(&w->lock);
}

static void *
run(void *arg)
{
	struct worker *w = arg;
	struct job_list none = STAILQ_HEAD_INITIALIZER(none);

	pthread_mutex_lock(&w->lock);
	for (;;) {
		if (!STAILQ_EMPTY(&w->queue)) {
			work(w);
		} else if (w->stopping) {
			break;
		} else if (!w->riding) {
			pthread_cond_wait(&w->wake, &w->lock);
		} else if (wait_quiet(w) && STAILQ_EMPTY(&w->queue)) {
			pthread_mutex_unlock(&w->lock);
			flush(w);
			pthread_mutex_lock(&w->lock);
		}
	}
	pthread_mutex_unlock(&w->lock);
	flush(w);
	pthread_mutex_lock(&w->lock);
	w->stopped = true;
	pthread_mutex_unlock(&w->lock);
	hand_back(w, &none);
	return NULL;
}

/* ---- the loop ---- */

static void
on_event(void *arg, bool readable, bool writable)
{
	struct worker *w = arg;
	struct job_list done = STAILQ_HEAD_INITIALIZER(done);
	const struct job *j;
	uint64_t count;
	loop_fn fn;
	void *fn_arg;

	(void)readable;
	(void)writable;
	if (read(w->event, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&w->lock);
	STAILQ_CONCAT(&done, &w->done);
	fn = w->stopped ? w->stopped_fn : NULL;
	pthread_mutex_unlock(&w->lock);
	STAILQ_FOREACH (j, &done, next)
		atomic_fetch_sub(&w->waiting, j->weight);
	w->fn(w->arg, &done);
	job_free_all(&done);
	if (fn == NULL)
		return;
	fn_arg = w->stopped_arg;
	w->stopped_fn = NULL;
	fn(fn_arg); /* may free us */
}

/* ---- life ---- */

static int
start(struct worker *w, struct err *e)
{
	sigset_t all, before;
	int r;

	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return err_set(e, ERR_DELIVER, r, "cannot start a thread: %s",
		    strerror(r));
	return 0;
}

static void
destroy(struct worker *w)
{
	job_free_all(&w->queue);
	job_free_all(&w->done);
	places_deinit(&w->places);
	sync_free(&w->tools.sync);
	ledger_close(&w->tools.ledger);
	loop_fd_free(&w->watch);
	if (w->event >= 0)
		close(w->event);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	free(w);
}

struct worker *
worker_new(struct loop *loop, struct ledger *ledger,
    const struct maildir_names *names, const char *spool, worker_fn done,
    void *arg, struct err *e)
{
	struct worker *w = mem_new(sizeof(*w));
	pthread_condattr_t attr;

	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	STAILQ_INIT(&w->queue);
	STAILQ_INIT(&w->done);
	places_init(&w->places, ledger, names, spool);
	w->tools.ledger = ledger;
	w->tools.sync = sync_new();
	w->fn = done;
	w->arg = arg;
	w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->event < 0) {
		err_set(e, ERR_DELIVER, errno, "eventfd: %s", strerror(errno));
		destroy(w);
		return NULL;
	}
	w->watch = loop_fd_new(loop, w->event, on_event, w);
	loop_fd_want(w->watch, true, false);
	places_roll_forward(&w->places);
	if (start(w, e) < 0) {
		destroy(w);
		return NULL;
	}
	return w;
}

void
worker_stop(struct worker *w, loop_fn fn, void *arg)
{
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	w->stopped_fn = fn;
	w->stopped_arg = arg;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void
worker_free(struct worker **p)
{
	struct worker *w = *p;

	if (w == NULL)
		return;
	*p = NULL;
	worker_stop(w, NULL, NULL);
	pthread_join(w->thread, NULL);
	destroy(w);
}

void
worker_push(struct worker *w, struct job *j)
{
	j->weight = octets_of(j);
	atomic_fetch_add(&w->waiting, j->weight);
	pthread_mutex_lock(&w->lock);
	STAILQ_INSERT_TAIL(&w->queue, j, next);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

size_t
worker_waiting(const struct worker *w)
{
	return atomic_load(&w->waiting);
}
