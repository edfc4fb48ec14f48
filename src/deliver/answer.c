/* SPDX-License-Identifier: ISC */
#include "deliver/answer.h"

#include <string.h>

#include "deliver/wire_account.h"
#include "deliver/wire_mail.h"

/* And the buffer is free for the next. */
static void
send_out(struct ipc *ipc, struct buf *out, enum wire_type type)
{
	ipc_send(ipc, (uint8_t)type, buf_span(out));
	buf_clear(out);
}

static void
send_set(struct ipc *ipc, struct buf *out, uint32_t box, enum wire_which which,
    const struct set *set)
{
	size_t at = 0;

	while (at < set->n) {
		at = wire_put_set(out, box, (uint8_t)which, set, at);
		send_out(ipc, out, WIRE_SET);
	}
}

/* A text for people that may cross: a path may hold anything. */
static struct span
cut(const char *text)
{
	size_t n = text != NULL ? strcspn(text, "\r\n") : 0;

	return span_make(text, n < WIRE_TO_MAX ? n : WIRE_TO_MAX);
}

void
answer_box(struct ipc *ipc, struct buf *out, const struct job *j)
{
	struct wire_answer a = { .box = j->box,
		.state = (uint8_t)j->state,
		.was = j->was,
		.listed = j->listed,
		.e = j->e,
		.to = cut(j->to) };

	buf_clear(out);
	if (j->e.kind == ERR_NONE && j->state != LEDGER_CHANGED) {
		send_set(ipc, out, j->box, WIRE_HANDLED, &j->set);
		send_set(ipc, out, j->box, WIRE_OWED, &j->owed);
		send_set(ipc, out, j->box, WIRE_SETTLED, &j->settled);
		send_set(ipc, out, j->box, WIRE_BARRED, &j->barred);
		send_set(ipc, out, j->box, WIRE_DUE, &j->due);
		send_set(ipc, out, j->box, WIRE_FULL, &j->full);
	}
	wire_put_answer(out, &a);
	send_out(ipc, out, WIRE_BOX_IS);
}

void
answer_list(struct ipc *ipc, struct buf *out, const struct job *j)
{
	struct wire_answer a = { .box = j->box,
		.repeated = j->repeated,
		.barred = j->n_barred,
		.e = j->e };

	buf_clear(out);
	if (j->e.kind == ERR_NONE) {
		send_set(ipc, out, j->box, WIRE_FRESH, &j->set);
		send_set(ipc, out, j->box, WIRE_OWED, &j->owed);
		send_set(ipc, out, j->box, WIRE_FULL, &j->full);
	}
	wire_put_answer(out, &a);
	send_out(ipc, out, WIRE_LIST_IS);
}

void
answer_verify(struct ipc *ipc, struct buf *out, const struct job *j)
{
	struct wire_verified v = {
		.box = j->box, .number = j->number, .same = j->same, .e = j->e
	};

	buf_clear(out);
	wire_put_verified(out, &v);
	send_out(ipc, out, WIRE_VERIFIED);
}

void
answer_asked(struct ipc *ipc, struct buf *out, const struct job *j)
{
	struct wire_asked a = { .cookie = j->cookie,
		.known = j->asked.known,
		.barred = j->asked.barred,
		.e = j->e };

	for (size_t i = 0; i < j->asked.n_reached; i++)
		if (a.reached.n < WIRE_RECIPIENTS_MAX)
			a.reached.v[a.reached.n++] =
			    span_of(j->asked.reached[i]);
	buf_clear(out);
	wire_put_asked(out, &a);
	send_out(ipc, out, WIRE_ASKED);
}

/* The job has them packed as they go over the wire. */
void
answer_names(struct ipc *ipc, struct buf *out, const struct job *j)
{
	struct unpack u = unpack_of(span_make(j->text, j->n));
	struct wire_name n;

	buf_clear(out);
	wire_put_number(out, j->box);
	while (unpack_more(&u) && wire_take_name(&u, &n)) {
		if (wire_put_name(out, &n))
			continue;
		send_out(ipc, out, WIRE_NAMED);
		wire_put_number(out, j->box);
		wire_put_name(out, &n);
	}
	send_out(ipc, out, WIRE_NAMED);
}

void
answer_recalled(struct ipc *ipc, struct buf *out, const struct job *j)
{
	struct wire_recalled r = { .account = j->account->number,
		.known = j->e.kind == ERR_NONE,
		.record = j->record };

	buf_clear(out);
	wire_put_recalled(out, &r);
	send_out(ipc, out, WIRE_RECALLED);
}
