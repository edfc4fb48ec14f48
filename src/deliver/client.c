/* SPDX-License-Identifier: ISC */
#include "deliver/client.h"

#include <assert.h>
#include <stdlib.h>

#include "deliver/box.h"
#include "deliver/fingerprint.h"
#include "deliver/reply.h"
#include "sys/limit.h"
#include "util/mem.h"

#define FILES_MAX 2048 /* descriptors held, whatever the limit allows */
#define BEHIND 64      /* packets not yet taken by the deliverer */

/* ---- life ---- */

static void
on_soon(void *arg)
{
	struct client *c = arg;

	box_enter(c);
	box_note_full(c);
	box_leave(c);
}

static void
on_idle(void *arg)
{
	struct client *c = arg;
	struct client_box *b;
	bool again = false;

	TAILQ_FOREACH (b, &c->boxes, next) {
		if (ahead_rest(&b->ahead))
			box_give_back(b);
		again = again || b->ahead.n > 0 || b->ahead.asked > 0;
	}
	if (again)
		loop_timer_arm(c->idle, BOX_IDLE_MS);
}

static void
on_packet(void *arg, struct ipc_packet *p)
{
	struct client *c = arg;

	box_enter(c);
	if (p == NULL)
		box_cut(c, "the deliverer has gone");
	else if (!reply_hear(c, p) && !c->freed)
		box_cut(c, "the deliverer makes no sense");
	box_leave(c);
}

struct client *
client_new(struct loop *loop, int fd)
{
	struct client *c = mem_new(sizeof(*c));

	TAILQ_INIT(&c->boxes);
	slots_init(&c->slots);
	c->max_files = limit_files(FILES_MAX);
	c->desk = desk_new();
	c->digest = digest_new();
	c->soon = loop_timer_new(loop, on_soon, c);
	c->idle = loop_timer_new(loop, on_idle, c);
	post_init(&c->post, ipc_new(loop, fd, on_packet, c));
	return c;
}

void
client_free(struct client **p)
{
	struct client *c = *p;
	struct client_box *b;

	if (c == NULL)
		return;
	*p = NULL;
	while ((b = TAILQ_FIRST(&c->boxes)) != NULL)
		client_box_close(&b);
	c->freed = true;
	box_enter(c);
	box_leave(c); /* unless we are inside a callback, this is the end */
}

/* ---- boxes ---- */

struct client_box *
client_box_open(struct client *c, uint32_t account, const char *mailbox,
    uint32_t uidvalidity, client_box_fn fn, client_ready_fn ready, void *arg)
{
	struct client_box *b = box_new(c);
	struct wire_box box = { .box = b->id,
		.account = account,
		.uidvalidity = uidvalidity,
		.mailbox = span_of(mailbox) };

	b->fn = fn;
	b->ready = ready;
	b->arg = arg;
	box_soon(c);
	if (box.mailbox.n > WIRE_MAILBOX_MAX) {
		b->st = BOX_DEAD;
		return b;
	}
	wire_put_box(post_packet(&c->post), &box);
	post_send(&c->post, WIRE_BOX);
	b->told = true;
	return b;
}

void
client_box_close(struct client_box **p)
{
	struct client_box *b = *p;
	struct letter *l;

	if (b == NULL)
		return;
	*p = NULL;
	while ((l = LIST_FIRST(&b->letters)) != NULL)
		letter_discard(&l);
	box_give_back(b);
	if (b->told)
		post_number(&b->c->post, WIRE_BOX_CLOSE, b->id);
	box_free(&b);
}

static void
send_set(struct client_box *b, enum wire_type type, const struct set *set)
{
	struct post *post = &b->c->post;
	size_t at = 0;

	while (b->st == BOX_OPEN && at < set->n) {
		at = wire_put_set(post_packet(post), b->id, 0, set, at);
		post_send(post, type);
	}
}

void
client_settle(struct client_box *b, const struct set *absent)
{
	send_set(b, WIRE_SETTLE, absent);
}

void
client_gone(struct client_box *b, const struct set *numbers)
{
	send_set(b, WIRE_GONE, numbers);
}

static void
begin_lines(struct client_box *b)
{
	buf_clear(&b->list);
	wire_put_number(&b->list, b->id);
}

static void
send_lines(struct client_box *b)
{
	post_raw(&b->c->post, WIRE_LIST_ADD, buf_span(&b->list));
	begin_lines(b);
}

void
client_list_begin(struct client_box *b)
{
	if (b->st != BOX_OPEN)
		return;
	post_number(&b->c->post, WIRE_LIST_BEGIN, b->id);
	begin_lines(b);
}

void
client_list_add(
    struct client_box *b, uint32_t number, struct span uidl, uint64_t size)
{
	struct wire_line line = { number, size, uidl };

	if (b->st != BOX_OPEN)
		return;
	assert(number > 0 && uidl.n <= WIRE_UIDL_MAX);
	if (wire_put_line(&b->list, &line))
		return;
	send_lines(b);
	wire_put_line(&b->list, &line);
}

void
client_list_end(struct client_box *b, client_box_fn fn)
{
	b->list_fn = fn;
	box_soon(b->c);
	if (b->st != BOX_OPEN)
		return;
	send_lines(b);
	buf_clear(&b->list);
	buf_release(&b->list);
	post_number(&b->c->post, WIRE_LIST_END, b->id);
}

void
client_verify(struct client_box *b, uint32_t number, struct span header,
    uint64_t size, client_verify_fn fn)
{
	struct client *c = b->c;
	struct box_question *q = mem_new(sizeof(*q));
	struct fingerprint *f = fingerprint_new();
	struct wire_verify v = { .box = b->id, .number = number };

	q->number = number;
	q->fn = fn;
	STAILQ_INSERT_TAIL(&b->questions, q, next);
	fingerprint_add(f, header);
	fingerprint_end(f, c->digest, size, &v.fingerprint);
	fingerprint_free(&f);
	box_soon(c);
	if (b->st != BOX_OPEN)
		return;
	wire_put_verify(post_packet(&c->post), &v);
	post_send(&c->post, WIRE_VERIFY);
}

/* ---- letters ---- */

/* With LF, and nothing in front. */
static const struct draft_style plain;

static struct letter *
new_letter(struct client_box *b)
{
	struct letter *l = mem_new(sizeof(*l));

	l->b = b;
	LIST_INSERT_HEAD(&b->letters, l, next);
	return l;
}

/* A letter that only tells why there is none. */
static struct letter *
dead_letter(struct client_box *b)
{
	struct letter *l = new_letter(b);

	if (box_down(b->c))
		l->e = b->c->down;
	else if (b->failure.kind != ERR_NONE)
		l->e = b->failure;
	else
		l->e = box_not_open;
	err_clear(&b->failure);
	return l;
}

struct letter *
letter_open(struct client_box *b)
{
	struct letter *l;
	uint32_t token;
	int fd;

	if (box_down(b->c) || b->st == BOX_DEAD || b->failure.kind != ERR_NONE)
		return dead_letter(b);
	if (box_is_full(b)) {
		b->full = true;
		return NULL;
	}
	if (!ahead_take(&b->ahead, &token, &fd)) {
		b->hungry = true;
		box_ask_files(b);
		return NULL;
	}
	l = new_letter(b);
	l->token = token;
	l->draft = draft_new(b->c->desk, fd, &plain, 0, NULL);
	box_ask_files(b);
	return l;
}

int
letter_write(struct letter *l, struct span octets, struct err *e)
{
	if (l->draft == NULL) {
		*e = l->e;
		return -1;
	}
	l->b->octets += octets.n;
	l->b->c->octets += octets.n;
	return draft_write(l->draft, octets, e);
}

uint64_t
letter_octets(const struct letter *l)
{
	return l->draft != NULL ? draft_octets(l->draft) : 0;
}

static void
end_letter(struct letter *l)
{
	struct client *c = l->b->c;
	bool held = l->draft != NULL;

	draft_free(&l->draft);
	LIST_REMOVE(l, next);
	free(l);
	if (held) {
		c->held--;
		box_feed_starving(c);
	}
	box_soon(c);
}

/* It failed before it was sent: the owner hears it in the next round. */
static void
answer_later(struct letter *l, struct slot *slot)
{
	slot->failed = true;
	slot->e = &l->e;
	slots_put(&l->b->c->slots, slot);
	if (l->draft != NULL)
		post_discard(&l->b->c->post, l->token);
}

void
letter_commit(
    struct letter **p, const struct letter_params *params, letter_fn fn)
{
	struct letter *l = *p;
	struct client_box *b = l->b;
	struct wire_commit commit = { .token = l->token,
		.number = params->number,
		.by_content = params->by_content,
		.owes = params->owes };
	struct slot slot = { .box = b,
		.number = params->number,
		.octets = letter_octets(l),
		.fn = fn };
	struct draft_result written;

	*p = NULL;
	b->pending++;
	if (l->draft != NULL &&
	    draft_finish(l->draft, params->number, &written, &l->e) == 0) {
		commit.octets = written.octets;
		commit.fingerprint = written.fingerprint;
		commit.cookie = slots_put(&b->c->slots, &slot);
		post_commit(&b->c->post, &commit);
	} else {
		answer_later(l, &slot);
	}
	end_letter(l);
}

void
letter_discard(struct letter **p)
{
	struct letter *l = *p;
	struct client *c;

	if (l == NULL)
		return;
	*p = NULL;
	c = l->b->c;
	box_note_full(c);
	l->b->octets -= letter_octets(l);
	c->octets -= letter_octets(l);
	if (l->draft != NULL)
		post_discard(&c->post, l->token);
	end_letter(l);
}

/* ---- bounds ---- */

bool
client_full(const struct client_box *b)
{
	return box_is_full(b);
}

bool
client_behind(const struct client_box *b)
{
	const struct ipc *ipc = b->c->post.ipc;

	return ipc != NULL && ipc_unsent(ipc) > BEHIND;
}

unsigned int
client_pending(const struct client_box *b)
{
	return b->pending;
}
