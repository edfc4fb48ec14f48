/* SPDX-License-Identifier: ISC */
#include "deliver/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/answer.h"
#include "deliver/link_account.h"
#include "deliver/wire_mail.h"
#include "sys/crash.h"
#include "sys/log.h"
#include "util/mem.h"

#define BOXES_MAX 65536
#define WAITING_MAX (8u << 20) /* octets of jobs; beyond, nothing is read */
#define UNSENT_MAX 256         /* packets: the same */
#define RETRY_MS 20

struct box {
	TAILQ_ENTRY(box) next;
	uint32_t id;
	struct job_account *account; /* counts; NULL: forgotten */
	bool open, listing;
	char *mailbox;
	int64_t ledger_box;
	struct maildir *maildir; /* counted */
	struct opener_for files;
};

struct link {
	struct link_env *env; /* not ours */
	uint64_t serial;
	struct ipc *ipc;
	struct loop_timer *retry;
	loop_fn gone;
	void *arg;
	TAILQ_HEAD(, box) boxes;
	unsigned int n_boxes;
	uint32_t last_box; /* its number: they go up */
	struct opener *opener;
	struct buf out;  /* a packet being made */
	struct buf done; /* the answers to commits, gathered */
	bool deaf;
};

/* ---- flow ---- */

static void
hold_back(struct link *l)
{
	bool much = worker_waiting(l->env->worker) > WAITING_MAX ||
	    ipc_unsent(l->ipc) > UNSENT_MAX;

	ipc_pause(l->ipc, much || l->deaf);
	if (much)
		loop_timer_arm(l->retry, RETRY_MS);
}

static void
on_retry(void *arg)
{
	hold_back(arg);
}

static struct buf *
packet(struct link *l)
{
	buf_clear(&l->out);
	return &l->out;
}

static void
send_out(struct link *l, enum wire_type type)
{
	ipc_send(l->ipc, (uint8_t)type, buf_span(&l->out));
}

/* ---- boxes ---- */

static struct box *
find_box(struct link *l, uint32_t id)
{
	struct box *b;

	TAILQ_FOREACH (b, &l->boxes, next) {
		if (b->id == id)
			return b;
	}
	return NULL;
}

static struct box *
find_open(struct link *l, uint32_t id)
{
	struct box *b = find_box(l, id);

	return b != NULL && b->open ? b : NULL;
}

static struct job *
job_for(const struct link *l, const struct box *b, enum job_kind kind)
{
	struct job *j = job_of(b->account, kind);

	j->link = l->serial;
	j->box = b->id;
	j->ledger_box = b->ledger_box;
	return j;
}

/* By the worker, which closes a Maildir that nobody has open any more. */
static void
let_go(struct link *l, struct box *b)
{
	struct job *j;

	if (b->maildir == NULL)
		return;
	j = job_for(l, b, JOB_CLOSE);
	j->maildir = b->maildir;
	b->maildir = NULL;
	worker_push(l->env->worker, j);
}

static void
drop_box(struct link *l, struct box *b)
{
	opener_forget(l->opener, &b->files);
	TAILQ_REMOVE(&l->boxes, b, next);
	l->n_boxes--;
	let_go(l, b);
	if (b->account != NULL) {
		b->account->counting--;
		roster_sweep(&l->env->accounts);
	}
	free(b->mailbox);
	free(b);
}

/* ---- packets from the engine: false ends the link ---- */

static struct box *
add_box(struct link *l, uint32_t id, struct job_account *account)
{
	struct box *b = mem_new(sizeof(*b));

	b->id = l->last_box = id;
	b->account = account;
	if (account != NULL)
		account->counting++;
	TAILQ_INSERT_TAIL(&l->boxes, b, next);
	l->n_boxes++;
	return b;
}

/* The account was forgotten, and the engine has not heard of it, or not yet
 * when it said that. */
static void
refuse_box(struct link *l, uint32_t id)
{
	struct wire_answer a = { .box = add_box(l, id, NULL)->id,
		.e = link_account_forgotten };

	wire_put_answer(packet(l), &a);
	send_out(l, WIRE_BOX_IS);
}

static bool
hear_box(struct link *l, struct span p)
{
	struct wire_box w;
	struct job_account *account;
	struct box *b;
	struct job *j;

	if (!wire_take_box(p, &w) || l->n_boxes == BOXES_MAX)
		return false;
	/* a number that came again would get the answer, and the directory,
	 * of the box that had it before */
	if (w.box <= l->last_box)
		return false;
	account = roster_find(&l->env->accounts, w.account);
	if (account == NULL && !roster_knew(&l->env->accounts, w.account))
		return false;
	if (account == NULL) {
		refuse_box(l, w.box);
		return true;
	}
	b = add_box(l, w.box, account);
	b->mailbox = mem_spandup(w.mailbox);
	j = job_for(l, b, JOB_BOX);
	j->text = mem_strdup(b->mailbox);
	j->n = w.mailbox.n;
	j->delimiter = w.delimiter;
	j->uidvalidity = w.uidvalidity;
	return outlet_open_box(l->env->outlet, j);
}

static bool
hear_box_close(struct link *l, struct span p)
{
	struct box *b;
	uint32_t id;

	if (!wire_take_number(p, &id) || (b = find_box(l, id)) == NULL)
		return false;
	drop_box(l, b);
	return true;
}

static bool
hear_set(struct link *l, struct span p, enum job_kind kind)
{
	struct set set;
	struct box *b = NULL;
	struct job *j;
	uint32_t id;
	uint8_t which;

	set_init(&set);
	if (wire_take_set(p, &id, &which, &set) &&
	    (kind != JOB_NAMES || set_count(&set) <= WIRE_NAMES_MAX))
		b = find_open(l, id);
	if (b != NULL) {
		j = job_for(l, b, kind);
		set_move(&j->set, &set);
		worker_push(l->env->worker, j);
	}
	set_deinit(&set);
	return b != NULL;
}

/* The ledger takes one listing of an account at a time. */
static bool
hear_list_begin(struct link *l, struct span p)
{
	struct box *b, *other;
	uint32_t id;

	if (!wire_take_number(p, &id) || (b = find_open(l, id)) == NULL)
		return false;
	TAILQ_FOREACH (other, &l->boxes, next) {
		if (other->account == b->account && other->listing)
			return false;
	}
	b->listing = true;
	worker_push(l->env->worker, job_for(l, b, JOB_LIST_BEGIN));
	return true;
}

static bool
hear_list_add(struct link *l, struct span p)
{
	struct unpack u = unpack_of(p);
	struct box *b = find_open(l, unpack_u32(&u));
	struct span lines = u.rest;
	struct wire_line line;
	struct job *j;

	if (b == NULL || !b->listing)
		return false;
	while (unpack_more(&u)) {
		if (!wire_take_line(&u, &line))
			return false;
	}
	j = job_for(l, b, JOB_LIST_ADD);
	j->text = mem_spandup(lines);
	j->n = lines.n;
	worker_push(l->env->worker, j);
	return true;
}

static bool
hear_list_end(struct link *l, struct span p)
{
	struct box *b;
	uint32_t id;

	if (!wire_take_number(p, &id) || (b = find_open(l, id)) == NULL ||
	    !b->listing)
		return false;
	b->listing = false;
	worker_push(l->env->worker, job_for(l, b, JOB_LIST_END));
	return true;
}

static bool
hear_verify(struct link *l, struct span p)
{
	struct wire_verify w;
	struct box *b;
	struct job *j;

	if (!wire_take_verify(p, &w) || (b = find_open(l, w.box)) == NULL)
		return false;
	j = job_for(l, b, JOB_VERIFY);
	j->number = w.number;
	j->fingerprint = w.fingerprint;
	worker_push(l->env->worker, j);
	return true;
}

static bool
hear_open(struct link *l, struct span p)
{
	struct wire_open w;
	struct box *b;

	if (!wire_take_open(p, &w) || (b = find_open(l, w.box)) == NULL ||
	    !opener_want(l->opener, &b->files, w.count))
		return false;
	opener_serve(l->opener, l->ipc);
	return true;
}

/* ---- letters ---- */

/* What would break the rules of the account's way, or of stubs. */
static bool
may_commit(const struct job *j, const struct wire_commit *w)
{
	bool relay = j->account->target->way == TARGET_RELAY;

	return w->relayed == relay && (w->flags & ~MAILDIR_FLAGS) == 0;
}

static bool
hear_commit(struct link *l, struct span p)
{
	struct unpack u = unpack_of(p);
	struct wire_commit w;
	struct job *j;

	while (unpack_more(&u)) {
		if (!wire_take_commit(&u, &w) ||
		    (j = opener_find(l->opener, w.token)) == NULL ||
		    !may_commit(j, &w))
			return false;
		j = opener_take(l->opener, w.token);
		job_take_commit(j, &w);
		outlet_commit(l->env->outlet, j);
	}
	return unpack_ok(&u);
}

/* The letter stays open: what is asked goes by a job of its own. */
static bool
hear_ask(struct link *l, struct span p)
{
	struct wire_ask w;
	const struct job *letter;
	struct job *j;

	if (!wire_take_ask(p, &w) ||
	    (letter = opener_find(l->opener, w.token)) == NULL)
		return false;
	j = job_of(letter->account, JOB_ASK);
	j->link = l->serial;
	job_take_ask(j, &w, letter->commit.entry.box);
	worker_push(l->env->worker, j);
	return true;
}

/* Of a letter, which is done with; or of a message that was not fetched. */
static bool
hear_note(struct link *l, struct span p)
{
	struct wire_note w;
	struct box *b;
	struct job *j;

	if (!wire_take_note(p, &w) || (b = find_box(l, w.box)) == NULL)
		return false;
	if (w.token != WIRE_NO_TOKEN)
		j = opener_take(l->opener, w.token);
	else
		j = b->open ? job_for(l, b, JOB_NOTE) : NULL;
	if (j == NULL || (w.token != WIRE_NO_TOKEN) != j->letter)
		return false;
	j->kind = JOB_NOTE;
	j->cookie = w.cookie;
	job_take_note(j, &w, j->letter ? j->commit.entry.box : b->ledger_box);
	worker_push(l->env->worker, j);
	return true;
}

static bool
hear_names(struct link *l, struct span p)
{
	return hear_set(l, p, JOB_NAMES);
}

static bool
hear_discard(struct link *l, struct span p)
{
	uint32_t box, tokens[WIRE_FILES_MAX];
	struct job *j;
	size_t n;

	if (!wire_take_tokens(p, &box, tokens, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((j = opener_take(l->opener, tokens[i])) == NULL)
			return false;
		opener_done(&l->env->room, j);
		job_free(&j);
	}
	opener_serve(l->opener, l->ipc);
	return true;
}

static bool
hear(struct link *l, uint8_t type, struct span p)
{
	switch (type) {
	case WIRE_BOX:
		return hear_box(l, p);
	case WIRE_BOX_CLOSE:
		return hear_box_close(l, p);
	case WIRE_SETTLE:
		return hear_set(l, p, JOB_SETTLE);
	case WIRE_GONE:
		return hear_set(l, p, JOB_GONE);
	case WIRE_LIST_BEGIN:
		return hear_list_begin(l, p);
	case WIRE_LIST_ADD:
		return hear_list_add(l, p);
	case WIRE_LIST_END:
		return hear_list_end(l, p);
	case WIRE_VERIFY:
		return hear_verify(l, p);
	case WIRE_OPEN:
		return hear_open(l, p);
	case WIRE_COMMIT:
		return hear_commit(l, p);
	case WIRE_DISCARD:
		return hear_discard(l, p);
	case WIRE_MISSING:
		return hear_set(l, p, JOB_MISSING);
	case WIRE_ASK:
		return hear_ask(l, p);
	case WIRE_NOTE:
		return hear_note(l, p);
	case WIRE_NAMES:
		return hear_names(l, p);
	case WIRE_DIAL:
	case WIRE_RECALL:
	case WIRE_REMEMBER:
		return link_account_hear(l->env, l->ipc, packet(l), type, p);
	}
	return false;
}

static void
on_packet(void *arg, struct ipc_packet *p)
{
	struct link *l = arg;

	if (p != NULL && !l->deaf && p->n_fds == 0 &&
	    hear(l, p->type, p->payload)) {
		hold_back(l);
		return;
	}
	if (p != NULL && l->deaf)
		return;
	if (p != NULL)
		log_error("deliver",
		    "the engine broke the protocol (packet %u, %zu octets) "
		    "and was cut off",
		    p->type, p->payload.n);
	l->gone(l->arg); /* frees us */
}

/* ---- answers ---- */

bool
link_is_its(const struct link *l, const struct job *j)
{
	return j->link == l->serial;
}

/* The mailbox may have been closed since. */
static void
open_box(struct link *l, struct job *j)
{
	struct box *b = find_box(l, j->box);

	if (b == NULL)
		return;
	if (j->e.kind == ERR_NONE && j->state != LEDGER_CHANGED) {
		b->open = true;
		b->ledger_box = j->ledger_box;
		b->maildir = j->maildir;
		j->maildir = NULL;
		b->files = (struct opener_for){ .box = b->id,
			.account = b->account,
			.mailbox = b->mailbox,
			.ledger_box = j->ledger_box,
			.place = j->place,
			.maildir = b->maildir };
	}
	answer_box(l->ipc, &l->out, j);
}

static void
send_done(struct link *l)
{
	if (l->done.n == 0)
		return;
	crash_point("deliver:answer");
	ipc_send(l->ipc, WIRE_DONE, buf_span(&l->done));
	buf_clear(&l->done);
}

static void
answer_letter(struct link *l, const struct job *j)
{
	struct wire_done d = { .cookie = j->cookie,
		.known = j->commit.entry.known,
		.e = j->commit.e };

	if (j->cookie == WIRE_NO_COOKIE)
		return;
	if (d.e.kind == ERR_NONE && !d.known && j->commit.final[0] != '\0')
		log_debug(j->account->target->name, "%s: %s",
		    j->account->target->path, j->commit.final);
	if (wire_put_done(&l->done, &d))
		return;
	send_done(l);
	wire_put_done(&l->done, &d);
}

void
link_answer(struct link *l, struct job *j)
{
	if (j->letter) {
		answer_letter(l, j);
		return;
	}
	switch (j->kind) {
	case JOB_BOX:
		open_box(l, j);
		break;
	case JOB_LIST_END:
		answer_list(l->ipc, &l->out, j);
		break;
	case JOB_VERIFY:
		answer_verify(l->ipc, &l->out, j);
		break;
	case JOB_ASK:
		answer_asked(l->ipc, &l->out, j);
		break;
	case JOB_NAMES:
		answer_names(l->ipc, &l->out, j);
		break;
	case JOB_RECALL:
		answer_recalled(l->ipc, &l->out, j);
		break;
	case JOB_CLOSE:
	case JOB_REMEMBER:
	case JOB_COMMIT:
	case JOB_NOTE:
	case JOB_SETTLE:
	case JOB_GONE:
	case JOB_MISSING:
	case JOB_LIST_BEGIN:
	case JOB_LIST_ADD:
		break;
	}
}

void
link_answered(struct link *l)
{
	send_done(l);
	if (!l->deaf)
		opener_serve(l->opener, l->ipc);
	hold_back(l);
}

/* ---- life ---- */

struct link *
link_new(struct link_env *env, int fd, loop_fn gone, void *arg)
{
	struct link *l = mem_new(sizeof(*l));

	l->env = env;
	l->serial = ++env->serial;
	l->gone = gone;
	l->arg = arg;
	TAILQ_INIT(&l->boxes);
	buf_init(&l->out, WIRE_MAX);
	buf_init(&l->done, WIRE_MAX);
	l->opener = opener_new(&env->room, l->serial);
	l->retry = loop_timer_new(env->loop, on_retry, l);
	l->ipc = ipc_new(env->loop, fd, on_packet, l);
	return l;
}

void
link_free(struct link **p)
{
	struct link *l = *p;
	struct box *b;

	if (l == NULL)
		return;
	*p = NULL;
	while ((b = TAILQ_FIRST(&l->boxes)) != NULL)
		drop_box(l, b);
	opener_free(&l->opener);
	ipc_free(&l->ipc);
	loop_timer_free(&l->retry);
	buf_deinit(&l->out);
	buf_deinit(&l->done);
	free(l);
}

void
link_deafen(struct link *l)
{
	l->deaf = true;
	opener_drop_all(l->opener);
	hold_back(l);
}
