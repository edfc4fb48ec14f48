/* SPDX-License-Identifier: ISC */
#include "deliver/outlet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "deliver/spool.h"
#include "deliver/twins.h"
#include "sys/clock.h"
#include "sys/crash.h"
#include "util/mem.h"

#define BUSY_RETRY_MS 100
#define BUSY_MAX_MS 60000 /* an mbox may be locked so long */
#define BOXES_MAX 4096    /* one for each POP3 account is meant */

struct run { /* of a program, or waiting for it */
	LIST_ENTRY(run) next;
	struct outlet *outlet;
	struct job *job;
};

struct outlet {
	struct loop *loop;     /* not ours */
	struct worker *worker; /* not ours */
	outlet_fn done;
	void *arg;
	struct digest_state *digest;
	struct mda_user *user; /* NULL: no program was run yet */
	struct job_list ended; /* done is due */
	struct job_list busy;  /* their mbox is locked */
	struct twins twins;    /* of letters for programs */
	struct job_list boxes; /* wait for the letters of their account */
	unsigned int n_boxes;
	LIST_HEAD(, run) runs;
	struct loop_timer *soon, *retry;
	unsigned int queues; /* that have not stopped yet */
	bool stopping;
	loop_fn stopped_fn;
	void *stopped_arg;
};

static void
push(struct outlet *o, struct job *j, enum job_kind kind)
{
	j->kind = kind;
	worker_push(o->worker, j);
}

/* ---- ends ---- */

static void
end(struct outlet *o, struct job *j, const struct err *e)
{
	if (e != NULL)
		j->commit.e = *e;
	STAILQ_INSERT_TAIL(&o->ended, j, next);
	loop_timer_arm(o->soon, 0);
}

static void
open_boxes(struct outlet *o, struct job_account *a)
{
	struct job_list waiting = STAILQ_HEAD_INITIALIZER(waiting);
	struct job *j;

	STAILQ_CONCAT(&waiting, &o->boxes);
	while ((j = STAILQ_FIRST(&waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&waiting, next);
		if (j->account != a) {
			STAILQ_INSERT_TAIL(&o->boxes, j, next);
			continue;
		}
		o->n_boxes--;
		(void)outlet_open_box(o, j); /* nothing is on its way */
	}
}

/* Programs are run for what the ledger does not know. */
static void
begin(struct outlet *o, struct job *j)
{
	if (twins_begin(&o->twins, j))
		push(o, j, JOB_ASK);
}

static void
count_out(struct outlet *o, struct job *j)
{
	struct job_account *a = j->account;
	struct job *twin;

	if (!j->counted)
		return;
	j->counted = false;
	if (a->target->way == TARGET_MDA)
		twins_end(j);
	while ((twin = twins_next(&o->twins, a)) != NULL)
		begin(o, twin);
	if (--a->letters == 0)
		open_boxes(o, a);
}

static void
on_soon(void *arg)
{
	struct outlet *o = arg;
	struct job *j;

	while ((j = STAILQ_FIRST(&o->ended)) != NULL) {
		STAILQ_REMOVE_HEAD(&o->ended, next);
		count_out(o, j);
		o->done(o->arg, j);
	}
	if (o->stopping && o->queues == 0 && o->stopped_fn != NULL) {
		loop_fn fn = o->stopped_fn;

		o->stopped_fn = NULL;
		fn(o->stopped_arg); /* may free us */
	}
}

/* ---- programs ---- */

static void
note_stopped(struct outlet *o)
{
	if (o->stopping && o->queues == 0)
		loop_timer_arm(o->soon, 0);
}

static void
on_queue_stopped(void *arg)
{
	struct job_account *a = arg;

	a->queue_stopped = true;
	a->outlet->queues--;
	note_stopped(a->outlet);
}

static void
stop_queue(struct outlet *o, struct job_account *a)
{
	if (a->queue == NULL || a->queue_stopping)
		return;
	a->queue_stopping = true;
	o->queues++;
	mda_queue_stop(a->queue, on_queue_stopped, a);
}

/* Nothing more for this program, for now. */
static void
block(struct outlet *o, struct job_account *a, const struct err *why)
{
	if (a->blocked.kind != ERR_NONE)
		return;
	a->blocked = *why;
	stop_queue(o, a);
}

static void
note(struct outlet *o, struct job *j, enum mda_verdict v, const struct err *e)
{
	struct ledger_note *n = &j->mail->note;
	struct job_account *a = j->account;
	struct err why;

	*n = (struct ledger_note){ .box = j->commit.entry.box,
		.number = j->commit.entry.number,
		.by_content = j->commit.entry.by_content,
		.state = v == MDA_HOLD ? LEDGER_HELD : LEDGER_LATER,
		.why = LEDGER_WHY_REFUSED,
		.size = j->commit.octets };
	letter_text_reason(j->mail, e->text);
	memcpy(n->fingerprint, j->commit.entry.fingerprint,
	    sizeof(n->fingerprint));
	j->commit.e = *e;
	err_prefix(&j->commit.e, v == MDA_HOLD ? "held" : "later");
	/* what no program was run for is of the message alone, and many may
	 * come from one sender */
	if (e->sys != EINVAL &&
	    streak_add(&a->streak, e->text) >= STREAK_LONG) {
		err_set(&why, ERR_DELIVER, 0,
		    "the last %u messages all ended so, and more are not "
		    "tried: %s",
		    a->streak.n, e->text);
		block(o, a, &why);
		j->commit.e = why;
	}
	push(o, j, JOB_NOTE);
}

static void
on_program(void *arg, enum mda_verdict v, const struct err *e)
{
	struct run *run = arg;
	struct outlet *o = run->outlet;
	struct job *j = run->job;
	struct job_account *a = j->account;

	LIST_REMOVE(run, next);
	free(run);
	if (v == MDA_ACCEPTED) {
		crash_point("deliver:accepted");
		streak_end(&a->streak);
		a->unrecorded++;
		push(o, j, JOB_COMMIT);
	} else if (e->kind == ERR_MESSAGE) {
		note(o, j, v, e);
	} else if (e->kind == ERR_CANCEL && a->blocked.kind != ERR_NONE) {
		end(o, j, &a->blocked);
	} else {
		end(o, j, e);
	}
}

static void
write_key(struct outlet *o, const struct job *j, char key[DIGEST_HEX + 1])
{
	struct digest d;

	digest_begin(o->digest);
	digest_add(o->digest, buf_span(&j->asked.name));
	digest_end(o->digest, &d);
	digest_hex(&d, key);
}

static struct mda_queue *
queue_of(struct outlet *o, struct job_account *a)
{
	const struct target *t = a->target;

	if (a->queue != NULL)
		return a->queue;
	if (o->user == NULL)
		o->user = mda_user_new();
	a->program = (struct mda_program){
		.argv = (const char *const *)t->argv,
		.timeout_ms = t->timeout_ms,
		.exits = t->exits,
		.max_files = t->max_files,
		.user = o->user,
	};
	a->outlet = o;
	a->queue = mda_queue_new(o->loop, &a->program, t->parallel);
	return a->queue;
}

/* The ledger does not know it: it is the program's turn. */
static void
run_program(struct outlet *o, struct job *j)
{
	struct job_account *a = j->account;
	struct mda_mail mail = { .account = a->target->name,
		.user = a->target->user,
		.mailbox = j->mail->mailbox,
		.sender = j->mail->sender,
		.recipient = j->mail->recipient,
		.uid = j->asked.uid };
	struct run *run;
	char key[DIGEST_HEX + 1];
	struct err e;

	if (o->stopping)
		err_set(&a->blocked, ERR_CANCEL, 0, "delivery was stopped");
	if (a->blocked.kind != ERR_NONE) {
		end(o, j, &a->blocked);
		return;
	}
	if (spool_check(j->commit.fd, j->commit.octets, &e) < 0 ||
	    (mail.fd = spool_reopen(j->commit.fd, &e)) < 0) {
		end(o, j, &e);
		return;
	}
	write_key(o, j, key);
	mail.key = key;
	run = mem_new(sizeof(*run));
	run->outlet = o;
	run->job = j;
	LIST_INSERT_HEAD(&o->runs, run, next);
	crash_point("deliver:program");
	mda_queue_push(queue_of(o, a), &mail, on_program, run);
}

/* An accepted message was recorded, or cannot be. */
static void
recorded(struct outlet *o, struct job *j)
{
	struct job_account *a = j->account;
	struct err why = j->commit.e;

	crash_point("deliver:recorded");
	a->unrecorded--;
	if (why.kind != ERR_NONE) {
		err_prefix(&why, "accepted, but not recorded");
		block(o, a, &why);
	}
	if (a->queue != NULL)
		mda_queue_done(a->queue);
}

void
outlet_renew(struct outlet *o, struct job_account *a)
{
	if (o->stopping || a->blocked.kind == ERR_NONE || a->unrecorded > 0 ||
	    (a->queue != NULL && !a->queue_stopped))
		return;
	outlet_forget(a);
	err_clear(&a->blocked);
	streak_end(&a->streak);
}

void
outlet_forget(struct job_account *a)
{
	mda_queue_free(&a->queue);
	a->queue_stopping = a->queue_stopped = false;
}

/* ---- mailboxes that somebody else has locked ---- */

static bool
may_wait(const struct outlet *o, const struct job *j)
{
	return !o->stopping &&
	    (j->busy_since == 0 || clock_ms() - j->busy_since < BUSY_MAX_MS);
}

static void
try_later(struct outlet *o, struct job *j)
{
	if (j->busy_since == 0)
		j->busy_since = clock_ms();
	STAILQ_INSERT_TAIL(&o->busy, j, next);
	if (!loop_timer_armed(o->retry))
		loop_timer_arm(o->retry, BUSY_RETRY_MS);
}

static void
on_retry(void *arg)
{
	struct outlet *o = arg;
	struct job *j;

	while ((j = STAILQ_FIRST(&o->busy)) != NULL) {
		STAILQ_REMOVE_HEAD(&o->busy, next);
		err_clear(&j->commit.e);
		worker_push(o->worker, j);
	}
}

/* ---- the way ---- */

bool
outlet_open_box(struct outlet *o, struct job *j)
{
	if (j->uidvalidity != 0 || j->account->letters == 0) {
		outlet_renew(o, j->account);
		worker_push(o->worker, j);
		return true;
	}
	STAILQ_INSERT_TAIL(&o->boxes, j, next);
	return ++o->n_boxes <= BOXES_MAX;
}

void
outlet_commit(struct outlet *o, struct job *j)
{
	j->counted = true;
	j->account->letters++;
	switch (j->account->target->way) {
	case TARGET_MAILDIR:
	case TARGET_MBOX:
	case TARGET_RELAY:
		push(o, j, JOB_COMMIT);
		break;
	case TARGET_MDA:
		begin(o, j);
		break;
	}
}

/* True when a program is to be run for it. */
static bool
is_new(struct job *j)
{
	if (j->e.kind != ERR_NONE) {
		j->commit.e = j->e;
	} else if (j->asked.known) {
		j->commit.entry.known = true;
	} else if (j->asked.barred) {
		err_set(
		    &j->commit.e, ERR_MESSAGE, EALREADY, "not to be tried now");
	} else {
		return true;
	}
	return false;
}

static bool
goes_on(struct outlet *o, struct job *j)
{
	enum target_way way = j->account->target->way;

	if (!j->letter)
		return false;
	if (j->kind == JOB_ASK && way == TARGET_MDA && is_new(j)) {
		run_program(o, j);
		return true;
	}
	if (j->kind == JOB_COMMIT && way == TARGET_MDA)
		recorded(o, j);
	if (!j->commit.busy)
		return false;
	if (may_wait(o, j)) {
		try_later(o, j);
		return true;
	}
	commit_discard(&j->commit);
	return false;
}

bool
outlet_goes_on(struct outlet *o, struct job *j)
{
	if (goes_on(o, j))
		return true;
	count_out(o, j);
	return false;
}

/* ---- life ---- */

struct outlet *
outlet_new(struct loop *loop, struct worker *worker, outlet_fn done, void *arg)
{
	struct outlet *o = mem_new(sizeof(*o));

	o->loop = loop;
	o->worker = worker;
	o->done = done;
	o->arg = arg;
	STAILQ_INIT(&o->ended);
	STAILQ_INIT(&o->busy);
	STAILQ_INIT(&o->boxes);
	twins_init(&o->twins);
	LIST_INIT(&o->runs);
	o->digest = digest_new();
	o->soon = loop_timer_new(loop, on_soon, o);
	o->retry = loop_timer_new(loop, on_retry, o);
	return o;
}

/* Those whose programs were killed, and nobody was told. */
static void
free_runs(struct outlet *o)
{
	struct run *run;

	while ((run = LIST_FIRST(&o->runs)) != NULL) {
		LIST_REMOVE(run, next);
		job_free(&run->job);
		free(run);
	}
}

void
outlet_free(struct outlet **p)
{
	struct outlet *o = *p;

	if (o == NULL)
		return;
	*p = NULL;
	free_runs(o);
	job_free_all(&o->ended);
	job_free_all(&o->busy);
	job_free_all(&o->boxes);
	twins_deinit(&o->twins);
	loop_timer_free(&o->soon);
	loop_timer_free(&o->retry);
	digest_free(&o->digest);
	mda_user_free(&o->user);
	free(o);
}

void
outlet_stop(struct outlet *o, struct job_account *const *accounts, size_t n,
    loop_fn fn, void *arg)
{
	o->stopping = true;
	o->stopped_fn = fn;
	o->stopped_arg = arg;
	for (size_t i = 0; i < n; i++)
		stop_queue(o, accounts[i]);
	on_retry(o); /* for the last time */
	note_stopped(o);
}
