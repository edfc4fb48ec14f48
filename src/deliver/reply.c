/* SPDX-License-Identifier: ISC */
#include "deliver/reply.h"

#include <stdlib.h>
#include <string.h>

#include "deliver/wire_account.h"
#include "deliver/wire_mail.h"
#include "util/mem.h"

/* NULL: there is no such set. */
static struct set *
set_of(struct client_box_info *info, uint8_t which)
{
	switch ((enum wire_which)which) {
	case WIRE_HANDLED:
		return &info->handled;
	case WIRE_OWED:
		return &info->owed;
	case WIRE_FRESH:
		return &info->fresh;
	case WIRE_SETTLED:
		return &info->settled;
	case WIRE_BARRED:
		return &info->barred;
	case WIRE_DUE:
		return &info->due;
	case WIRE_FULL:
		return &info->full;
	}
	return NULL;
}

static bool
hear_set(struct client *c, struct ipc_packet *p)
{
	struct client_box_info none = { 0 };
	struct set set;
	struct client_box *b;
	uint32_t id;
	uint8_t which;
	bool ok;

	set_init(&set);
	ok = wire_take_set(p->payload, &id, &which, &set) &&
	    set_of(&none, which) != NULL;
	b = ok ? box_find(c, id) : NULL;
	if (b != NULL)
		set_add_set(set_of(&b->info, which), &set);
	set_deinit(&set);
	return ok;
}

static bool
hear_box_is(struct client *c, struct ipc_packet *p)
{
	struct wire_answer a;
	struct client_box *b;
	client_box_fn fn;
	bool failed;

	if (!wire_take_answer(p->payload, &a) || a.state > CLIENT_BOX_CHANGED)
		return false;
	b = box_find(c, a.box);
	if (b == NULL || b->fn == NULL)
		return b == NULL;
	failed = a.e.kind != ERR_NONE;
	b->info.state = (enum client_box_state)a.state;
	b->info.was = a.was;
	b->info.listed = a.listed;
	free(b->to);
	b->to = mem_spandup(a.to);
	b->st = failed || a.state == CLIENT_BOX_CHANGED ? BOX_DEAD : BOX_OPEN;
	fn = b->fn;
	b->fn = NULL;
	box_tell(b, fn, failed ? &a.e : NULL);
	return true;
}

static bool
hear_list_is(struct client *c, struct ipc_packet *p)
{
	struct wire_answer a;
	struct client_box *b;
	client_box_fn fn;

	if (!wire_take_answer(p->payload, &a))
		return false;
	b = box_find(c, a.box);
	if (b == NULL || b->list_fn == NULL)
		return b == NULL;
	b->info.repeated = a.repeated;
	b->info.n_barred = a.barred;
	fn = b->list_fn;
	b->list_fn = NULL;
	box_tell(b, fn, a.e.kind != ERR_NONE ? &a.e : NULL);
	return true;
}

static bool
hear_verified(struct client *c, struct ipc_packet *p)
{
	struct wire_verified v;
	struct client_box *b;

	if (!wire_take_verified(p->payload, &v))
		return false;
	b = box_find(c, v.box);
	if (b == NULL)
		return true;
	if (STAILQ_EMPTY(&b->questions) ||
	    STAILQ_FIRST(&b->questions)->number != v.number)
		return false;
	box_tell_question(b, v.same, v.e.kind != ERR_NONE ? &v.e : NULL);
	return true;
}

static bool
hear_files(struct client *c, struct ipc_packet *p)
{
	uint32_t id, tokens[WIRE_FILES_MAX];
	struct client_box *b;
	size_t n;

	if (!wire_take_tokens(p->payload, &id, tokens, &n) || n != p->n_fds)
		return false;
	b = box_find(c, id);
	for (size_t i = 0; i < n; i++) {
		if (b == NULL) { /* closed meanwhile */
			post_discard(&c->post, tokens[i]);
			continue;
		}
		if (!ahead_put(&b->ahead, tokens[i], p->fds[i]))
			return false;
		p->fds[i] = -1;
		c->asked--;
		c->held++;
	}
	if (b != NULL && !loop_timer_armed(c->idle))
		loop_timer_arm(c->idle, BOX_IDLE_MS);
	return true;
}

static bool
hear_no_files(struct client *c, struct ipc_packet *p)
{
	struct wire_no_files n;
	struct client_box *b;

	if (!wire_take_no_files(p->payload, &n))
		return false;
	b = box_find(c, n.box);
	if (b == NULL)
		return true;
	if (n.count > b->ahead.asked)
		return false;
	c->asked -= n.count;
	b->ahead.asked -= n.count;
	b->failure = n.e;
	box_feed_starving(c);
	return true;
}

static bool
hear_done(struct client *c, struct ipc_packet *p)
{
	struct unpack u = unpack_of(p->payload);
	struct wire_done d;

	box_note_full(c);
	while (!c->freed && unpack_more(&u)) {
		const struct slot *s;

		if (!wire_take_done(&u, &d))
			return false;
		s = slots_find(&c->slots, d.cookie);
		if (s == NULL || s->failed || s->letter != NULL)
			return false;
		box_tell_slot(
		    c, d.cookie, d.known, d.e.kind != ERR_NONE ? &d.e : NULL);
	}
	return c->freed || unpack_ok(&u);
}

static bool
hear_asked(struct client *c, struct ipc_packet *p)
{
	struct wire_asked a;
	const struct slot *s;

	if (!wire_take_asked(p->payload, &a))
		return false;
	s = slots_find(&c->slots, a.cookie);
	if (s == NULL || s->failed || (s->box != NULL && s->letter == NULL))
		return false;
	box_tell_asked(c, a.cookie, &a);
	return true;
}

/* fn may close the box, or free the client. */
static bool
hear_named(struct client *c, struct ipc_packet *p)
{
	struct unpack u = unpack_of(p->payload);
	uint32_t id = unpack_u32(&u);
	struct wire_name n;
	struct client_box *b;
	char *text;

	while (!c->freed && unpack_more(&u)) {
		if (!wire_take_name(&u, &n))
			return false;
		b = box_find(c, id);
		if (b == NULL || b->name_fn == NULL)
			return true;
		set_remove(&b->unnamed, n.number, n.number);
		text = mem_spandup(n.text);
		b->name_fn(b->arg, n.number, n.text.n > 0 ? text : NULL);
		free(text);
	}
	return c->freed || unpack_ok(&u);
}

static bool
hear_dialled(struct client *c, struct ipc_packet *p)
{
	struct wire_dialled d;
	int fd = -1;

	if (!wire_take_dialled(p->payload, &d) || STAILQ_EMPTY(&c->dials) ||
	    STAILQ_FIRST(&c->dials)->account != d.account ||
	    p->n_fds != (d.e.kind == ERR_NONE ? 1 : 0))
		return false;
	if (p->n_fds == 1) {
		fd = p->fds[0];
		p->fds[0] = -1;
	}
	box_tell_dial(c, fd, d.e.kind != ERR_NONE ? &d.e : NULL);
	return true;
}

static bool
hear_recalled(struct client *c, struct ipc_packet *p)
{
	struct wire_recalled w;
	struct client_record record;
	struct box_recall *r;

	if (!wire_take_recalled(p->payload, &w) ||
	    (r = box_find_recall(c, w.account)) == NULL)
		return false;
	record = (struct client_record){ .refused = w.record.refused,
		.refused_at = w.record.refused_at,
		.mark = w.record.mark,
		.held = w.record.held,
		.waiting = w.record.waiting };
	memcpy(record.salt, w.record.salt, sizeof(record.salt));
	box_tell_recall(c, r, w.known ? &record : NULL);
	return true;
}

bool
reply_hear(struct client *c, struct ipc_packet *p)
{
	switch (p->type) {
	case WIRE_SET:
		return hear_set(c, p);
	case WIRE_BOX_IS:
		return hear_box_is(c, p);
	case WIRE_LIST_IS:
		return hear_list_is(c, p);
	case WIRE_VERIFIED:
		return hear_verified(c, p);
	case WIRE_FILES:
		return hear_files(c, p);
	case WIRE_NO_FILES:
		return hear_no_files(c, p);
	case WIRE_DONE:
		return hear_done(c, p);
	case WIRE_ASKED:
		return hear_asked(c, p);
	case WIRE_NAMED:
		return hear_named(c, p);
	case WIRE_DIALLED:
		return hear_dialled(c, p);
	case WIRE_RECALLED:
		return hear_recalled(c, p);
	}
	return false;
}
