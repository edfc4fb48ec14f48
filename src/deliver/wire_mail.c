/* SPDX-License-Identifier: ISC */
#include "deliver/wire_mail.h"

#define NAME_OCTETS (4 + 4) /* and the text */

static void
put_recipients(struct buf *b, const struct wire_recipients *r)
{
	pack_u32(b, (uint32_t)r->n);
	for (size_t i = 0; i < r->n; i++)
		pack_span(b, r->v[i]);
}

static bool
take_recipients(struct unpack *u, struct wire_recipients *r)
{
	uint32_t n = unpack_u32(u);

	r->n = 0;
	if (u->bad || n > WIRE_RECIPIENTS_MAX)
		return false;
	while (r->n < n)
		if (!wire_take_text(u, WIRE_ADDRESS_MAX, &r->v[r->n++]))
			return false;
	return true;
}

/* ---- from the engine ---- */

void
wire_put_ask(struct buf *b, const struct wire_ask *a)
{
	pack_u32(b, a->token);
	pack_u32(b, a->cookie);
	pack_u32(b, a->number);
	pack_u8(b, a->by_content);
	pack_u8(b, a->owes);
	wire_put_digest(b, &a->fingerprint);
}

bool
wire_take_ask(struct span packet, struct wire_ask *a)
{
	struct unpack u = unpack_of(packet);

	a->token = unpack_u32(&u);
	a->cookie = unpack_u32(&u);
	a->number = unpack_u32(&u);
	if (!wire_take_bool(&u, &a->by_content) ||
	    !wire_take_bool(&u, &a->owes))
		return false;
	wire_take_digest(&u, &a->fingerprint);
	return unpack_ok(&u) && a->number > 0;
}

void
wire_put_note(struct buf *b, const struct wire_note *n)
{
	pack_u32(b, n->box);
	pack_u32(b, n->token);
	pack_u32(b, n->cookie);
	pack_u32(b, n->number);
	pack_u8(b, n->by_content);
	wire_put_digest(b, &n->fingerprint);
	pack_u8(b, (uint8_t)n->state);
	pack_u8(b, (uint8_t)n->why);
	pack_u32(b, n->hold_after);
	pack_u64(b, n->size);
	pack_span(b, n->reason);
	pack_span(b, n->about);
	put_recipients(b, &n->reached);
}

bool
wire_take_note(struct span packet, struct wire_note *n)
{
	struct unpack u = unpack_of(packet);
	uint8_t state, why;

	n->box = unpack_u32(&u);
	n->token = unpack_u32(&u);
	n->cookie = unpack_u32(&u);
	n->number = unpack_u32(&u);
	if (!wire_take_bool(&u, &n->by_content))
		return false;
	wire_take_digest(&u, &n->fingerprint);
	state = unpack_u8(&u);
	why = unpack_u8(&u);
	n->hold_after = unpack_u32(&u);
	n->size = unpack_u64(&u);
	if (state > LEDGER_HELD || why > LEDGER_WHY_SIZE)
		return false;
	n->state = (enum ledger_trouble_state)state;
	n->why = (enum ledger_why)why;
	return wire_take_text(&u, WIRE_REASON_MAX, &n->reason) &&
	    wire_take_text(&u, WIRE_ABOUT_MAX, &n->about) &&
	    take_recipients(&u, &n->reached) && unpack_ok(&u) && n->number > 0;
}

/* ---- from the deliverer ---- */

void
wire_put_asked(struct buf *b, const struct wire_asked *a)
{
	pack_u32(b, a->cookie);
	pack_u8(b, a->known);
	pack_u8(b, a->barred);
	wire_put_err(b, &a->e);
	put_recipients(b, &a->reached);
}

bool
wire_take_asked(struct span packet, struct wire_asked *a)
{
	struct unpack u = unpack_of(packet);

	a->cookie = unpack_u32(&u);
	return wire_take_bool(&u, &a->known) &&
	    wire_take_bool(&u, &a->barred) && wire_take_err(&u, &a->e) &&
	    take_recipients(&u, &a->reached) && unpack_ok(&u);
}

bool
wire_put_name(struct buf *b, const struct wire_name *n)
{
	if (b->n + NAME_OCTETS + n->text.n > WIRE_MAX)
		return false;
	pack_u32(b, n->number);
	pack_span(b, n->text);
	return true;
}

bool
wire_take_name(struct unpack *u, struct wire_name *n)
{
	n->number = unpack_u32(u);
	return wire_take_text(u, WIRE_UIDL_MAX, &n->text) && n->number > 0;
}

void
wire_put_dialled(struct buf *b, const struct wire_dialled *d)
{
	pack_u32(b, d->account);
	wire_put_err(b, &d->e);
}

bool
wire_take_dialled(struct span packet, struct wire_dialled *d)
{
	struct unpack u = unpack_of(packet);

	d->account = unpack_u32(&u);
	return wire_take_err(&u, &d->e) && unpack_ok(&u);
}
