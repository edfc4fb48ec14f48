/* SPDX-License-Identifier: ISC */
#include "deliver/client_note.h"

#include "deliver/wire_mail.h"

static const enum ledger_why whys[] = {
	[CLIENT_WHY_REFUSED] = LEDGER_WHY_REFUSED,
	[CLIENT_WHY_NO_DATA] = LEDGER_WHY_MISSING,
	[CLIENT_WHY_LARGE] = LEDGER_WHY_SIZE,
};

void
client_note_put(
    struct wire_note *out, uint32_t box, const struct client_note *note)
{
	struct span reason = span_of(note->reason);

	*out = (struct wire_note){ .box = box,
		.token = WIRE_NO_TOKEN,
		.cookie = WIRE_NO_COOKIE,
		.number = note->number,
		.state = note->held ? LEDGER_HELD : LEDGER_LATER,
		.why = whys[note->why],
		.hold_after = note->hold_after,
		.size = note->size,
		.reason = span_take(&reason, WIRE_REASON_MAX) };
}
