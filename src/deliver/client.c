/* SPDX-License-Identifier: ISC */
#include "deliver/client.h"

#include <assert.h>
#include <stdlib.h>

#include "deliver/box.h"
#include "deliver/fingerprint.h"
#include "deliver/reply.h"
#include "deliver/wire_account.h"
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
		again = again || ahead_awake(&b->ahead);
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
	STAILQ_INIT(&c->dials);
	STAILQ_INIT(&c->recalls);
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
client_box_open(struct client *c, const struct client_box_params *params,
    client_box_fn fn, client_ready_fn ready, void *arg)
{
	struct client_box *b = box_new(c);
	struct wire_box box = { .box = b->id,
		.account = params->account,
		.uidvalidity = params->uidvalidity,
		.delimiter = params->delimiter,
		.mailbox = span_of(params->mailbox) };

	b->fn = fn;
	b->ready = ready;
	b->arg = arg;
	b->style = params->style;
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

void
client_missing(struct client_box *b, const struct set *numbers)
{
	send_set(b, WIRE_MISSING, numbers);
}

void
client_names(struct client_box *b, const struct set *numbers, client_name_fn fn)
{
	assert(set_count(numbers) <= WIRE_NAMES_MAX);
	b->name_fn = fn;
	set_add_set(&b->unnamed, numbers);
	send_set(b, WIRE_NAMES, numbers);
	box_soon(b->c); /* the deliverer may have gone */
}

static void
read_about(struct span octets, struct envelope *envelope)
{
	struct envelope_rules rules = { 0 };
	struct header *h = envelope_header(&rules);

	header_add(h, octets);
	envelope_read(h, &rules, envelope);
	header_free(&h);
}

void
client_note(struct client_box *b, const struct client_note *note)
{
	struct envelope envelope;
	struct wire_note w;

	if (b->st != BOX_OPEN)
		return;
	client_note_put(&w, b->id, note);
	read_about(note->header, &envelope);
	w.about = span_of(envelope.about);
	wire_put_note(post_packet(&b->c->post), &w);
	post_send(&b->c->post, WIRE_NOTE);
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

/* ---- local servers ---- */

void
client_dial(struct client *c, uint32_t account, client_dial_fn fn, void *arg)
{
	struct box_dial *d = mem_new(sizeof(*d));

	d->account = account;
	d->fn = fn;
	d->arg = arg;
	STAILQ_INSERT_TAIL(&c->dials, d, next);
	post_number(&c->post, WIRE_DIAL, account);
	box_soon(c);
}

void
client_dial_cancel(struct client *c, void *arg)
{
	struct box_dial *d;

	STAILQ_FOREACH (d, &c->dials, next) {
		if (d->arg == arg)
			d->fn = NULL;
	}
}

/* ---- accounts ---- */

void
client_recall(
    struct client *c, uint32_t account, client_record_fn fn, void *arg)
{
	struct box_recall *r = mem_new(sizeof(*r));

	r->account = account;
	r->fn = fn;
	r->arg = arg;
	STAILQ_INSERT_TAIL(&c->recalls, r, next);
	post_number(&c->post, WIRE_RECALL, account);
	box_soon(c);
}

void
client_recall_cancel(struct client *c, void *arg)
{
	struct box_recall *r;

	STAILQ_FOREACH (r, &c->recalls, next) {
		if (r->arg == arg)
			r->fn = NULL;
	}
}

void
client_remember(
    struct client *c, uint32_t account, const struct client_record *record)
{
	struct wire_remember w = { .account = account,
		.refused = record->refused,
		.refused_at = record->refused_at,
		.mark = record->mark };

	assert(record->refused_at >= 0);
	wire_put_remember(post_packet(&c->post), &w);
	post_send(&c->post, WIRE_REMEMBER);
}

/* ---- how it went ---- */

const struct client_delivery *
client_delivery(const struct client_box *b)
{
	return &b->delivery;
}

const struct histogram *
client_latency(const struct client *c)
{
	return &c->latency;
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
