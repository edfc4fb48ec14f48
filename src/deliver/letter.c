/* SPDX-License-Identifier: ISC */
#include "deliver/letter.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "deliver/box.h"
#include "deliver/maildir_names.h"
#include "sys/clock.h"
#include "util/mem.h"

_Static_assert(CLIENT_DRAFT == MAILDIR_DRAFT &&
	CLIENT_FLAGGED == MAILDIR_FLAGGED &&
	CLIENT_ANSWERED == MAILDIR_REPLIED && CLIENT_SEEN == MAILDIR_SEEN,
    "flags go over the wire as they are");

static struct letter *
new_letter(struct client_box *b)
{
	struct letter *l = mem_new(sizeof(*l));

	l->b = b;
	l->fd = -1;
	l->opened_ms = clock_ms();
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
letter_open(struct client_box *b, uint32_t number, const char *uidl)
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
	l->draft = draft_new(b->c->desk, fd, b->style, number, uidl);
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
	if (l->fd >= 0)
		close(l->fd);
	if (l->asked)
		slots_orphan_letter(&c->slots, l);
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

static struct wire_commit
wire_commit_of(const struct letter *l)
{
	const struct letter_params *p = &l->params;
	const struct envelope *envelope = draft_envelope(l->draft);

	return (struct wire_commit){ .token = l->token,
		.number = p->number,
		.by_content = p->by_content,
		.owes = p->owes,
		.stub = p->stub,
		.flags = (uint8_t)p->flags,
		.time = p->time,
		.octets = l->result.octets,
		.size = p->size,
		.fingerprint = l->result.fingerprint,
		.sender = span_of(envelope->sender),
		.recipient = span_of(envelope->recipient),
		.about = span_of(envelope->about) };
}

static void
send_commit(struct letter *l, bool relayed, const struct slot *slot)
{
	struct wire_commit commit = wire_commit_of(l);

	commit.relayed = relayed;
	commit.cookie = slots_put(&l->b->c->slots, slot);
	post_commit(&l->b->c->post, &commit);
}

static struct slot
slot_of(const struct letter *l, letter_fn fn)
{
	return (struct slot){ .box = l->b,
		.number = l->params.number,
		.octets = letter_octets(l),
		.opened_ms = l->opened_ms,
		.asked_us = clock_us(),
		.fn = fn };
}

static bool
finish_draft(struct letter *l, const struct letter_params *params)
{
	l->params = *params;
	if (l->draft == NULL)
		return false;
	if (draft_finish(l->draft, params->number, &l->result, &l->e) == 0)
		return true;
	if (l->e.sys == EFBIG) /* a limit on one file: others may fit */
		l->e.kind = ERR_MESSAGE;
	return false;
}

void
letter_commit(
    struct letter **p, const struct letter_params *params, letter_fn fn)
{
	struct letter *l = *p;
	bool whole = finish_draft(l, params);
	struct slot slot = slot_of(l, fn);

	*p = NULL;
	l->b->pending++;
	if (whole)
		send_commit(l, false, &slot);
	else
		answer_later(l, &slot);
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
	l->b->pending -= l->asked;
	if (l->draft != NULL)
		post_discard(&c->post, l->token);
	end_letter(l);
}

/* ---- letters that the engine hands on ---- */

void
letter_ask(struct letter *l, const struct letter_params *params,
    letter_asked_fn fn, void *arg)
{
	struct slots *slots = &l->b->c->slots;
	struct slot slot = { .box = l->b, .letter = l };
	struct wire_ask ask = { .token = l->token,
		.number = params->number,
		.by_content = params->by_content,
		.owes = params->owes };

	l->b->pending++;
	l->asked = true;
	l->asked_fn = fn;
	l->asked_arg = arg;
	box_soon(l->b->c); /* it has failed, or the deliverer has gone */
	if (!finish_draft(l, params)) {
		slot.failed = true;
		slot.e = &l->e;
		slots_put(slots, &slot);
		return;
	}
	l->fd = draft_take_fd(l->draft);
	ask.fingerprint = l->result.fingerprint;
	ask.cookie = slots_put(slots, &slot);
	wire_put_ask(post_packet(&l->b->c->post), &ask);
	post_send(&l->b->c->post, WIRE_ASK);
}

void
letter_sent(struct letter **p, letter_fn fn, letter_then_fn then, void *arg)
{
	struct letter *l = *p;
	struct slot slot = slot_of(l, fn);

	*p = NULL;
	slot.then = then;
	slot.then_arg = arg;
	send_commit(l, true, &slot);
	end_letter(l);
}

void
letter_refused(struct letter **p, const struct client_note *note,
    const struct span *reached, size_t n_reached, letter_fn fn,
    letter_then_fn then, void *arg)
{
	struct letter *l = *p;
	struct slot slot = slot_of(l, fn);
	struct post *post = &l->b->c->post;
	struct wire_note w;

	*p = NULL;
	client_note_put(&w, l->b->id, note);
	slot.then = then;
	slot.then_arg = arg;
	w.token = l->token;
	w.cookie = slots_put(&l->b->c->slots, &slot);
	w.by_content = l->params.by_content;
	w.fingerprint = l->result.fingerprint;
	w.about = span_of(draft_envelope(l->draft)->about);
	for (size_t i = 0; i < n_reached && i < WIRE_RECIPIENTS_MAX; i++)
		w.reached.v[w.reached.n++] = reached[i];
	wire_put_note(post_packet(post), &w);
	post_send(post, WIRE_NOTE);
	end_letter(l);
}

void
letter_give_up(struct letter **p, const struct err *e, letter_fn fn)
{
	struct letter *l = *p;
	struct slot slot = slot_of(l, fn);

	*p = NULL;
	err_clear(&l->e);
	if (e != NULL)
		l->e = *e;
	answer_later(l, &slot);
	end_letter(l);
}
