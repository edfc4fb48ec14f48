/* SPDX-License-Identifier: ISC */
#include "deliver/wire_account.h"

#include <string.h>

#include "deliver/wire.h"

/* Seconds and a mark, as both packets have them. */
static void
put_refused(struct buf *b, int64_t at, uint16_t mark)
{
	pack_u64(b, (uint64_t)at);
	pack_u32(b, mark);
}

static bool
take_refused(struct unpack *u, int64_t *at, uint16_t *mark)
{
	uint64_t seconds = unpack_u64(u);
	uint32_t number = unpack_u32(u);

	if (seconds > INT64_MAX || number > UINT16_MAX)
		return false;
	*at = (int64_t)seconds;
	*mark = (uint16_t)number;
	return true;
}

void
wire_put_remember(struct buf *b, const struct wire_remember *r)
{
	pack_u32(b, r->account);
	pack_u32(b, r->refused);
	put_refused(b, r->refused_at, r->mark);
}

bool
wire_take_remember(struct span packet, struct wire_remember *r)
{
	struct unpack u = unpack_of(packet);

	r->account = unpack_u32(&u);
	r->refused = unpack_u32(&u);
	return take_refused(&u, &r->refused_at, &r->mark) && unpack_ok(&u);
}

void
wire_put_recalled(struct buf *b, const struct wire_recalled *r)
{
	const struct ledger_account *a = &r->record;

	pack_u32(b, r->account);
	pack_u8(b, r->known);
	pack_u32(b, a->refused);
	put_refused(b, a->refused_at, a->mark);
	pack_u64(b, a->held);
	pack_u64(b, a->waiting);
	pack_span(b, span_make((const char *)a->salt, LEDGER_SALT));
}

bool
wire_take_recalled(struct span packet, struct wire_recalled *r)
{
	struct unpack u = unpack_of(packet);
	struct ledger_account *a = &r->record;
	struct span salt;

	r->account = unpack_u32(&u);
	if (!wire_take_bool(&u, &r->known))
		return false;
	a->refused = unpack_u32(&u);
	if (!take_refused(&u, &a->refused_at, &a->mark))
		return false;
	a->held = unpack_u64(&u);
	a->waiting = unpack_u64(&u);
	salt = unpack_span(&u);
	if (!unpack_ok(&u) || salt.n != LEDGER_SALT)
		return false;
	memcpy(a->salt, salt.p, LEDGER_SALT);
	return true;
}
