/* SPDX-License-Identifier: ISC */
#include "deliver/wire.h"

#include <string.h>

#include "util/text.h"

#define RANGE_OCTETS 8
#define COMMIT_OCTETS (3 * 4 + 2 + 3 * 8 + DIGEST_OCTETS + 3 * 4)
#define LINE_OCTETS (4 + 8 + 4) /* and the UIDL */
#define ERR_OCTETS (1 + 4 + 4)  /* and the text */
#define FLAG_BY_CONTENT 1
#define FLAG_OWES 2
#define FLAG_RELAYED 4
#define FLAG_STUB 8
#define FLAGS_ALL 15

static bool
fits(const struct buf *b, size_t octets)
{
	return b->n + octets <= WIRE_MAX;
}

/* ---- parts ---- */

void
wire_put_err(struct buf *b, const struct err *e)
{
	pack_u8(b, (uint8_t)e->kind);
	if (e->kind == ERR_NONE)
		return;
	pack_u32(b, (uint32_t)e->sys);
	pack_str(b, e->text);
}

bool
wire_take_err(struct unpack *u, struct err *e)
{
	uint8_t kind = unpack_u8(u);
	int sys;
	struct span text;

	err_clear(e);
	if (kind == ERR_NONE || kind >= ERR_KINDS)
		return !u->bad && kind == ERR_NONE;
	sys = (int)unpack_u32(u);
	text = unpack_span(u);
	if (u->bad || text.n >= ERR_TEXT_MAX)
		return false;
	err_set(e, (enum err_kind)kind, sys, "%.*s", (int)text.n, text.p);
	return true;
}

void
wire_put_digest(struct buf *b, const struct digest *d)
{
	for (size_t i = 0; i < DIGEST_OCTETS; i++)
		pack_u8(b, d->b[i]);
}

void
wire_take_digest(struct unpack *u, struct digest *d)
{
	for (size_t i = 0; i < DIGEST_OCTETS; i++)
		d->b[i] = unpack_u8(u);
}

bool
wire_take_bool(struct unpack *u, bool *v)
{
	uint8_t octet = unpack_u8(u);

	*v = octet == 1;
	return octet <= 1;
}

bool
wire_take_text(struct unpack *u, size_t max, struct span *text)
{
	*text = unpack_span(u);
	return !u->bad && text->n <= max && !text_breaks_line(*text);
}

/* ---- from the engine ---- */

void
wire_put_number(struct buf *b, uint32_t number)
{
	pack_u32(b, number);
}

bool
wire_take_number(struct span packet, uint32_t *number)
{
	struct unpack u = unpack_of(packet);

	*number = unpack_u32(&u);
	return unpack_ok(&u);
}

void
wire_put_box(struct buf *b, const struct wire_box *box)
{
	pack_u32(b, box->box);
	pack_u32(b, box->account);
	pack_u32(b, box->uidvalidity);
	pack_u8(b, (uint8_t)box->delimiter);
	pack_span(b, box->mailbox);
}

bool
wire_take_box(struct span packet, struct wire_box *box)
{
	struct unpack u = unpack_of(packet);

	box->box = unpack_u32(&u);
	box->account = unpack_u32(&u);
	box->uidvalidity = unpack_u32(&u);
	box->delimiter = (char)unpack_u8(&u);
	box->mailbox = unpack_span(&u);
	return unpack_ok(&u) && box->mailbox.n <= WIRE_MAILBOX_MAX &&
	    span_find(box->mailbox, '\0') == box->mailbox.n;
}

size_t
wire_put_set(struct buf *b, uint32_t box, uint8_t which, const struct set *set,
    size_t from)
{
	pack_u32(b, box);
	pack_u8(b, which);
	for (; from < set->n && fits(b, RANGE_OCTETS); from++) {
		pack_u32(b, set->r[from].first);
		pack_u32(b, set->r[from].last);
	}
	return from;
}

bool
wire_take_set(
    struct span packet, uint32_t *box, uint8_t *which, struct set *set)
{
	struct unpack u = unpack_of(packet);
	uint32_t before = 0;

	*box = unpack_u32(&u);
	*which = unpack_u8(&u);
	while (unpack_more(&u)) {
		uint32_t first = unpack_u32(&u), last = unpack_u32(&u);

		/* ascending, so that adding is cheap */
		if (u.bad || first <= before || last < first)
			return false;
		set_add(set, first, last);
		before = last;
	}
	return unpack_ok(&u);
}

bool
wire_put_line(struct buf *b, const struct wire_line *line)
{
	if (!fits(b, LINE_OCTETS + line->uidl.n))
		return false;
	pack_u32(b, line->number);
	pack_u64(b, line->size);
	pack_span(b, line->uidl);
	return true;
}

bool
wire_take_line(struct unpack *u, struct wire_line *line)
{
	line->number = unpack_u32(u);
	line->size = unpack_u64(u);
	line->uidl = unpack_span(u);
	return !u->bad && line->number > 0 && line->uidl.n <= WIRE_UIDL_MAX;
}

void
wire_put_verify(struct buf *b, const struct wire_verify *v)
{
	pack_u32(b, v->box);
	pack_u32(b, v->number);
	wire_put_digest(b, &v->fingerprint);
}

bool
wire_take_verify(struct span packet, struct wire_verify *v)
{
	struct unpack u = unpack_of(packet);

	v->box = unpack_u32(&u);
	v->number = unpack_u32(&u);
	wire_take_digest(&u, &v->fingerprint);
	return unpack_ok(&u) && v->number > 0;
}

void
wire_put_open(struct buf *b, const struct wire_open *o)
{
	pack_u32(b, o->box);
	pack_u32(b, o->count);
}

bool
wire_take_open(struct span packet, struct wire_open *o)
{
	struct unpack u = unpack_of(packet);

	o->box = unpack_u32(&u);
	o->count = unpack_u32(&u);
	return unpack_ok(&u) && o->count > 0 && o->count <= WIRE_OPEN_MAX;
}

static uint8_t
commit_flags(const struct wire_commit *c)
{
	return (uint8_t)((c->by_content ? FLAG_BY_CONTENT : 0) |
	    (c->owes ? FLAG_OWES : 0) | (c->relayed ? FLAG_RELAYED : 0) |
	    (c->stub ? FLAG_STUB : 0));
}

bool
wire_put_commit(struct buf *b, const struct wire_commit *c)
{
	if (!fits(b, COMMIT_OCTETS + c->sender.n + c->recipient.n + c->about.n))
		return false;
	pack_u32(b, c->token);
	pack_u32(b, c->cookie);
	pack_u32(b, c->number);
	pack_u8(b, commit_flags(c));
	pack_u8(b, c->flags);
	pack_u64(b, (uint64_t)c->time);
	pack_u64(b, c->octets);
	pack_u64(b, c->size);
	wire_put_digest(b, &c->fingerprint);
	pack_span(b, c->sender);
	pack_span(b, c->recipient);
	pack_span(b, c->about);
	return true;
}

bool
wire_take_commit(struct unpack *u, struct wire_commit *c)
{
	uint8_t flags;

	c->token = unpack_u32(u);
	c->cookie = unpack_u32(u);
	c->number = unpack_u32(u);
	flags = unpack_u8(u);
	c->by_content = (flags & FLAG_BY_CONTENT) != 0;
	c->owes = (flags & FLAG_OWES) != 0;
	c->relayed = (flags & FLAG_RELAYED) != 0;
	c->stub = (flags & FLAG_STUB) != 0;
	c->flags = unpack_u8(u);
	c->time = (int64_t)unpack_u64(u);
	c->octets = unpack_u64(u);
	c->size = unpack_u64(u);
	wire_take_digest(u, &c->fingerprint);
	return wire_take_text(u, WIRE_ADDRESS_MAX, &c->sender) &&
	    wire_take_text(u, WIRE_ADDRESS_MAX, &c->recipient) &&
	    wire_take_text(u, WIRE_ABOUT_MAX, &c->about) &&
	    flags <= FLAGS_ALL && c->number > 0;
}

/* ---- from the deliverer ---- */

void
wire_put_answer(struct buf *b, const struct wire_answer *a)
{
	pack_u32(b, a->box);
	pack_u8(b, a->state);
	pack_u32(b, a->was);
	pack_u32(b, a->repeated);
	pack_u32(b, a->barred);
	pack_u8(b, a->listed);
	wire_put_err(b, &a->e);
	pack_span(b, a->to);
}

bool
wire_take_answer(struct span packet, struct wire_answer *a)
{
	struct unpack u = unpack_of(packet);

	a->box = unpack_u32(&u);
	a->state = unpack_u8(&u);
	a->was = unpack_u32(&u);
	a->repeated = unpack_u32(&u);
	a->barred = unpack_u32(&u);
	return wire_take_bool(&u, &a->listed) && wire_take_err(&u, &a->e) &&
	    wire_take_text(&u, WIRE_TO_MAX, &a->to) && unpack_ok(&u);
}

void
wire_put_verified(struct buf *b, const struct wire_verified *v)
{
	pack_u32(b, v->box);
	pack_u32(b, v->number);
	pack_u8(b, v->same);
	wire_put_err(b, &v->e);
}

bool
wire_take_verified(struct span packet, struct wire_verified *v)
{
	struct unpack u = unpack_of(packet);

	v->box = unpack_u32(&u);
	v->number = unpack_u32(&u);
	return wire_take_bool(&u, &v->same) && wire_take_err(&u, &v->e) &&
	    unpack_ok(&u);
}

void
wire_put_tokens(struct buf *b, uint32_t box, const uint32_t *tokens, size_t n)
{
	pack_u32(b, box);
	for (size_t i = 0; i < n; i++)
		pack_u32(b, tokens[i]);
}

bool
wire_take_tokens(struct span packet, uint32_t *box,
    uint32_t tokens[WIRE_FILES_MAX], size_t *n)
{
	struct unpack u = unpack_of(packet);

	*box = unpack_u32(&u);
	*n = 0;
	while (unpack_more(&u) && *n < WIRE_FILES_MAX)
		tokens[(*n)++] = unpack_u32(&u);
	return unpack_ok(&u) && *n > 0;
}

void
wire_put_no_files(struct buf *b, const struct wire_no_files *n)
{
	pack_u32(b, n->box);
	pack_u32(b, n->count);
	wire_put_err(b, &n->e);
}

bool
wire_take_no_files(struct span packet, struct wire_no_files *n)
{
	struct unpack u = unpack_of(packet);

	n->box = unpack_u32(&u);
	n->count = unpack_u32(&u);
	return wire_take_err(&u, &n->e) && unpack_ok(&u) && n->count > 0 &&
	    n->e.kind != ERR_NONE;
}

bool
wire_put_done(struct buf *b, const struct wire_done *d)
{
	if (!fits(b, 5 + ERR_OCTETS + ERR_TEXT_MAX))
		return false;
	pack_u32(b, d->cookie);
	pack_u8(b, d->known);
	wire_put_err(b, &d->e);
	return true;
}

bool
wire_take_done(struct unpack *u, struct wire_done *d)
{
	d->cookie = unpack_u32(u);
	return wire_take_bool(u, &d->known) && wire_take_err(u, &d->e) &&
	    !u->bad;
}
