/* SPDX-License-Identifier: ISC */
#include "deliver/mda_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "util/mem.h"

struct entry {
	TAILQ_ENTRY(entry) next;
	struct mda_queue *queue; /* not ours */
	struct mda_mail mail;    /* the strings and the descriptor are ours */
	char *strings[7];        /* those of mail */
	mda_fn fn;
	void *arg;
	struct mda *run;
};

TAILQ_HEAD(entries, entry);

struct mda_queue {
	struct loop *loop;                 /* not ours */
	const struct mda_program *program; /* not ours */
	unsigned int parallel;
	struct entries waiting, running;
	size_t n_waiting;
	unsigned int n_running;
	unsigned int unrecorded;  /* accepted, and not done */
	struct loop_timer *next;  /* to answer what waits */
	struct loop_timer *grace; /* for what runs */
	bool stopping;
	loop_fn stopped;
	void *stopped_arg;
	bool busy;  /* inside a callback */
	bool freed; /* in it: to be destroyed behind it */
};

/* ---- entries ---- */

static const char *
keep(struct entry *en, size_t i, const char *value)
{
	en->strings[i] = mem_strdup(value);
	return en->strings[i];
}

static struct entry *
entry_new(struct mda_queue *q, const struct mda_mail *m, mda_fn fn, void *arg)
{
	struct entry *en = mem_new(sizeof(*en));

	en->queue = q;
	en->fn = fn;
	en->arg = arg;
	en->mail.fd = m->fd;
	en->mail.account = keep(en, 0, m->account);
	en->mail.mailbox = keep(en, 1, m->mailbox);
	en->mail.user = keep(en, 2, m->user);
	en->mail.sender = keep(en, 3, m->sender);
	en->mail.recipient = keep(en, 4, m->recipient);
	en->mail.uid = keep(en, 5, m->uid);
	en->mail.key = keep(en, 6, m->key);
	return en;
}

static void
entry_free(struct entry *en)
{
	size_t i;

	mda_free(&en->run);
	close(en->mail.fd);
	for (i = 0; i < sizeof(en->strings) / sizeof(*en->strings); i++)
		free(en->strings[i]);
	free(en);
}

static void
free_entries(struct entries *list)
{
	struct entry *en;

	while ((en = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, en, next);
		entry_free(en);
	}
}

static struct entry *
take_waiting(struct mda_queue *q)
{
	struct entry *en = TAILQ_FIRST(&q->waiting);

	if (en != NULL) {
		TAILQ_REMOVE(&q->waiting, en, next);
		q->n_waiting--;
	}
	return en;
}

/* ---- the work ---- */

static void
destroy(struct mda_queue *q)
{
	free_entries(&q->running);
	free_entries(&q->waiting);
	loop_timer_free(&q->next);
	loop_timer_free(&q->grace);
	free(q);
}

/* Ends the life of en. */
static void
answer(struct entry *en, enum mda_verdict v, const struct err *e)
{
	struct mda_queue *q = en->queue;

	q->busy = true;
	en->fn(en->arg, v, e);
	q->busy = false;
	entry_free(en);
}

static void on_ended(void *arg, enum mda_verdict v, const struct err *e);

static void
start_what_may(struct mda_queue *q)
{
	struct entry *en;

	while (!q->stopping && q->n_running + q->unrecorded < q->parallel &&
	    (en = take_waiting(q)) != NULL) {
		TAILQ_INSERT_TAIL(&q->running, en, next);
		q->n_running++;
		en->run =
		    mda_start(q->loop, q->program, &en->mail, on_ended, en);
	}
}

/* Behind each callback: goes on, or ends what has its end. */
static void
go_on(struct mda_queue *q)
{
	loop_fn stopped = q->stopped;

	if (q->freed) {
		destroy(q);
		return;
	}
	start_what_may(q);
	if (!q->stopping || q->n_running > 0 || q->n_waiting > 0 ||
	    stopped == NULL)
		return;
	loop_timer_stop(q->grace);
	q->stopped = NULL;
	stopped(q->stopped_arg); /* may free us */
}

static void
on_ended(void *arg, enum mda_verdict v, const struct err *e)
{
	struct entry *en = arg;
	struct mda_queue *q = en->queue;

	TAILQ_REMOVE(&q->running, en, next);
	q->n_running--;
	if (v == MDA_ACCEPTED)
		q->unrecorded++;
	answer(en, v, e);
	go_on(q);
}

/* ---- the stop ---- */

static void
on_next(void *arg)
{
	struct mda_queue *q = arg;
	struct entry *en;
	struct err e;

	err_set(&e, ERR_CANCEL, 0, "delivery was stopped");
	while (!q->freed && (en = take_waiting(q)) != NULL)
		answer(en, MDA_LATER, &e);
	go_on(q);
}

static void
on_grace(void *arg)
{
	struct mda_queue *q = arg;
	struct entry *en;

	TAILQ_FOREACH (en, &q->running, next)
		mda_stop(en->run);
}

void
mda_queue_stop(struct mda_queue *q, loop_fn stopped, void *arg)
{
	assert(!q->stopping);
	q->stopping = true;
	q->stopped = stopped;
	q->stopped_arg = arg;
	loop_timer_arm(q->next, 0);
	if (q->n_running > 0)
		loop_timer_arm(q->grace, MDA_QUEUE_GRACE_MS);
}

/* ---- life and requests ---- */

struct mda_queue *
mda_queue_new(
    struct loop *loop, const struct mda_program *program, unsigned int parallel)
{
	struct mda_queue *q = mem_new(sizeof(*q));

	assert(parallel > 0);
	q->loop = loop;
	q->program = program;
	q->parallel = parallel;
	TAILQ_INIT(&q->waiting);
	TAILQ_INIT(&q->running);
	q->next = loop_timer_new(loop, on_next, q);
	q->grace = loop_timer_new(loop, on_grace, q);
	return q;
}

void
mda_queue_free(struct mda_queue **p)
{
	struct mda_queue *q = *p;

	*p = NULL;
	if (q == NULL)
		return;
	if (q->busy)
		q->freed = true; /* go_on() does it */
	else
		destroy(q);
}

void
mda_queue_push(
    struct mda_queue *q, const struct mda_mail *mail, mda_fn fn, void *arg)
{
	struct entry *en = entry_new(q, mail, fn, arg);

	TAILQ_INSERT_TAIL(&q->waiting, en, next);
	q->n_waiting++;
	if (q->stopping)
		loop_timer_arm(q->next, 0);
	else
		start_what_may(q);
}

void
mda_queue_done(struct mda_queue *q)
{
	assert(q->unrecorded > 0);
	q->unrecorded--;
	start_what_may(q);
}

size_t
mda_queue_waiting(const struct mda_queue *q)
{
	return q->n_waiting;
}
