/* SPDX-License-Identifier: ISC */
#include "deliver/box.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/clock.h"
#include "util/mem.h"

#define BOX_OCTETS (16u << 20) /* written and not yet committed */
#define BOX_LETTERS 512
#define BOX_SLOW_LETTERS 64
#define ALL_OCTETS (64u << 20)
#define ALL_LETTERS 2048

const struct err box_not_open = { .kind = ERR_DELIVER,
	.text = "the mailbox is not open in the ledger" };

static void
init_sets(struct client_box_info *info)
{
	set_init(&info->handled);
	set_init(&info->owed);
	set_init(&info->fresh);
	set_init(&info->settled);
	set_init(&info->barred);
	set_init(&info->due);
	set_init(&info->full);
}

static void
deinit_sets(struct client_box_info *info)
{
	set_deinit(&info->handled);
	set_deinit(&info->owed);
	set_deinit(&info->fresh);
	set_deinit(&info->settled);
	set_deinit(&info->barred);
	set_deinit(&info->due);
	set_deinit(&info->full);
}

struct client_box *
box_new(struct client *c)
{
	struct client_box *b = mem_new(sizeof(*b));

	b->c = c;
	b->id = ++c->last_id;
	init_sets(&b->info);
	set_init(&b->unnamed);
	buf_init(&b->list, WIRE_MAX);
	STAILQ_INIT(&b->questions);
	LIST_INIT(&b->letters);
	ahead_init(&b->ahead);
	TAILQ_INSERT_TAIL(&c->boxes, b, next);
	return b;
}

void
box_free(struct client_box **p)
{
	struct client_box *b = *p;
	struct client *c = b->c;
	struct box_question *q;

	*p = NULL;
	box_give_back(b);
	slots_orphan(&c->slots, b);
	TAILQ_REMOVE(&c->boxes, b, next);
	c->asked -= b->ahead.asked;
	box_feed_starving(c);
	while ((q = STAILQ_FIRST(&b->questions)) != NULL) {
		STAILQ_REMOVE_HEAD(&b->questions, next);
		free(q);
	}
	deinit_sets(&b->info);
	free(b->to);
	set_deinit(&b->unnamed);
	buf_deinit(&b->list);
	free(b);
}

struct client_box *
box_find(struct client *c, uint32_t id)
{
	struct client_box *b;

	TAILQ_FOREACH (b, &c->boxes, next) {
		if (b->id == id)
			return b;
	}
	return NULL;
}

bool
box_down(const struct client *c)
{
	return c->post.ipc == NULL;
}

void
box_cut(struct client *c, const char *why)
{
	struct client_box *b;

	err_set(&c->down, ERR_DELIVER, 0, "%s", why);
	box_note_full(c);
	post_cut(&c->post);
	TAILQ_FOREACH (b, &c->boxes, next) {
		box_give_back(b);
		b->ahead.asked = 0;
	}
	c->asked = 0;
}

void
box_soon(struct client *c)
{
	if (!loop_timer_armed(c->soon))
		loop_timer_arm(c->soon, 0);
}

/* ---- bounds ---- */

/* What programs and servers take one by one may wait for minutes, each with
 * its descriptors, here and with the deliverer; a few who hang must not have
 * them all. As many as run at once for an account, at most. */
static unsigned int
most_letters(const struct client_box *b)
{
	bool slow = b->style != NULL && b->style->envelope;

	return slow ? BOX_SLOW_LETTERS : BOX_LETTERS;
}

bool
box_is_full(const struct client_box *b)
{
	if (b->pending == 0) /* there is always room for one letter */
		return false;
	return b->pending >= most_letters(b) || b->octets >= BOX_OCTETS ||
	    b->c->slots.used >= ALL_LETTERS || b->c->octets >= ALL_OCTETS;
}

void
box_note_full(struct client *c)
{
	struct client_box *b;

	TAILQ_FOREACH (b, &c->boxes, next)
		b->full = b->full || box_is_full(b);
}

/* Something was released: who can go on? */
static void
note_ready(struct client *c)
{
	struct client_box *b;

	TAILQ_FOREACH (b, &c->boxes, next) {
		bool letter = b->ahead.n > 0 || b->failure.kind != ERR_NONE ||
		    b->st == BOX_DEAD || box_down(c);

		if (box_is_full(b) || !(b->full || (b->hungry && letter)))
			continue;
		b->full = b->hungry = false;
		b->notify = true;
	}
}

/* ---- descriptors ---- */

void
box_ask_files(struct client_box *b)
{
	struct client *c = b->c;
	unsigned int n = ahead_want(&b->ahead), room;
	bool none = b->ahead.n == 0 && b->ahead.asked == 0;

	if (b->st != BOX_OPEN || box_down(c) || n == 0)
		return;
	room = c->max_files - c->held - c->asked;
	if (n > room)
		n = room;
	b->starving = none && n == 0;
	if (n == 0)
		return;
	ahead_ask(&b->ahead, n);
	c->asked += n;
	wire_put_open(post_packet(&c->post), &(struct wire_open){ b->id, n });
	post_send(&c->post, WIRE_OPEN);
}

void
box_feed_starving(struct client *c)
{
	struct client_box *b;

	TAILQ_FOREACH (b, &c->boxes, next) {
		if (b->starving)
			box_ask_files(b);
	}
}

void
box_give_back(struct client_box *b)
{
	uint32_t token;
	int fd;

	if (b->ahead.n == 0)
		return;
	while (b->ahead.n > 0 && ahead_take(&b->ahead, &token, &fd)) {
		close(fd);
		post_discard(&b->c->post, token);
		b->c->held--;
	}
	ahead_calm(&b->ahead);
	box_feed_starving(b->c);
	box_soon(b->c);
}

/* ---- answers ---- */

/* fn may close the box. */
void
box_tell(struct client_box *b, client_box_fn fn, const struct err *e)
{
	struct client_box_info info = b->info;

	info.e = e;
	init_sets(&b->info);
	fn(b->arg, &info);
	deinit_sets(&info);
}

void
box_tell_question(struct client_box *b, bool same, const struct err *e)
{
	struct box_question *first = STAILQ_FIRST(&b->questions);
	struct box_question q = *first;

	STAILQ_REMOVE_HEAD(&b->questions, next);
	free(first);
	q.fn(b->arg, q.number, same, e);
}

/* What the slot itself says goes before the answer. */
static const struct err *
own_answer(struct slot *s, struct err *e, bool *known)
{
	*e = *s->e;
	free(s->e);
	*known = e->kind == ERR_NONE;
	return *known ? NULL : e;
}

void
box_tell_slot(
    struct client *c, uint32_t cookie, bool known, const struct err *e)
{
	struct slot s;
	struct err copy;

	if (slots_find(&c->slots, cookie)->letter != NULL) {
		box_tell_asked(c, cookie, &(struct wire_asked){ .e = *e });
		return;
	}
	slots_take(&c->slots, cookie, &s);
	c->octets -= s.octets;
	if (s.failed)
		e = own_answer(&s, &copy, &known);
	else if (e == NULL)
		histogram_add(&c->latency, clock_us() - s.asked_us);
	if (s.box == NULL)
		return;
	s.box->pending--;
	s.box->octets -= s.octets;
	s.box->delivery = (struct client_delivery){ .octets = s.octets,
		.ms = (unsigned int)(clock_ms() - s.opened_ms),
		.to = s.box->to != NULL ? s.box->to : "" };
	if (s.then != NULL)
		s.then(s.then_arg, e);
	s.fn(s.box->arg, s.number, known, e);
}

static void
tell_asked(struct letter *l, const struct wire_asked *answer)
{
	const struct envelope *envelope = draft_envelope(l->draft);
	struct letter_content content = { .fd = l->fd,
		.octets = l->result.octets,
		.eight_bit = l->result.eight_bit,
		.bare = l->result.bare,
		.sender = span_of(envelope->sender),
		.recipient = span_of(envelope->recipient),
		.reached = answer->reached.v,
		.n_reached = answer->reached.n };

	if (answer->known)
		l->asked_fn(l->asked_arg, l, NULL, true, NULL);
	else
		l->asked_fn(l->asked_arg, l, &content, false, NULL);
}

void
box_tell_asked(
    struct client *c, uint32_t cookie, const struct wire_asked *answer)
{
	struct err e = answer->e;
	struct letter *l;
	struct slot s;

	slots_take(&c->slots, cookie, &s);
	if (s.failed)
		e = *s.e;
	free(s.e);
	l = s.letter;
	if (l == NULL)
		return;
	if (e.kind == ERR_NONE && answer->barred)
		err_set(&e, ERR_MESSAGE, EALREADY, "not to be tried now");
	if (e.kind != ERR_NONE)
		l->asked_fn(l->asked_arg, l, NULL, false, &e);
	else
		tell_asked(l, answer);
}

void
box_tell_dial(struct client *c, int fd, const struct err *e)
{
	struct box_dial *d = STAILQ_FIRST(&c->dials);
	struct box_dial copy = *d;

	STAILQ_REMOVE_HEAD(&c->dials, next);
	free(d);
	if (copy.fn != NULL)
		copy.fn(copy.arg, fd, e);
	else if (fd >= 0)
		close(fd);
}

struct box_recall *
box_find_recall(struct client *c, uint32_t account)
{
	struct box_recall *r;

	STAILQ_FOREACH (r, &c->recalls, next) {
		if (r->account == account)
			return r;
	}
	return NULL;
}

void
box_tell_recall(
    struct client *c, struct box_recall *r, const struct client_record *record)
{
	struct box_recall copy = *r;

	STAILQ_REMOVE(&c->recalls, r, box_recall, next);
	free(r);
	if (copy.fn != NULL)
		copy.fn(copy.arg, record);
}

/* One that nobody will name any more. */
static bool
name_one(struct client_box *b)
{
	uint32_t number;

	if (set_empty(&b->unnamed))
		return false;
	number = set_first(&b->unnamed);
	set_remove(&b->unnamed, number, number);
	b->name_fn(b->arg, number, NULL);
	return true;
}

/* A question to a box that cannot answer it, or to nobody. */
static bool
refuse_one(struct client_box *b)
{
	const struct err *e = box_down(b->c) ? &b->c->down : &box_not_open;
	client_box_fn fn = b->fn != NULL ? b->fn : b->list_fn;

	if (!box_down(b->c) && b->st != BOX_DEAD)
		return false;
	if (fn == NULL && STAILQ_EMPTY(&b->questions))
		return name_one(b);
	if (b->fn != NULL)
		b->fn = NULL;
	else
		b->list_fn = NULL;
	b->st = BOX_DEAD;
	if (fn != NULL)
		box_tell(b, fn, e);
	else
		box_tell_question(b, false, e);
	return true;
}

/* One answer that needs no packet, if any is due. Any box may be gone after
 * it, so the search begins anew each time. */
static bool
answer_one(struct client *c)
{
	struct client_box *b;
	uint32_t cookie;

	if (slots_first(&c->slots, box_down(c), &cookie)) {
		box_tell_slot(c, cookie, false, &c->down);
		return true;
	}
	if (box_down(c) && !STAILQ_EMPTY(&c->dials)) {
		box_tell_dial(c, -1, &c->down);
		return true;
	}
	if (box_down(c) && !STAILQ_EMPTY(&c->recalls)) {
		box_tell_recall(c, STAILQ_FIRST(&c->recalls), NULL);
		return true;
	}
	TAILQ_FOREACH (b, &c->boxes, next) {
		if (refuse_one(b))
			return true;
	}
	note_ready(c);
	TAILQ_FOREACH (b, &c->boxes, next) {
		if (!b->notify)
			continue;
		b->notify = false;
		b->ready(b->arg);
		return true;
	}
	return false;
}

void
box_enter(struct client *c)
{
	c->busy++;
}

static void
destroy(struct client *c)
{
	struct box_dial *d;
	struct box_recall *r;

	while ((d = STAILQ_FIRST(&c->dials)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->dials, next);
		free(d);
	}
	while ((r = STAILQ_FIRST(&c->recalls)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->recalls, next);
		free(r);
	}
	desk_free(&c->desk);
	digest_free(&c->digest);
	slots_deinit(&c->slots);
	post_deinit(&c->post);
	loop_timer_free(&c->soon);
	loop_timer_free(&c->idle);
	free(c);
}

void
box_leave(struct client *c)
{
	while (!c->freed && answer_one(c))
		;
	if (!c->freed)
		post_gathered(&c->post);
	if (--c->busy == 0 && c->freed)
		destroy(c);
}
