/* SPDX-License-Identifier: ISC */
#include "deliver/post.h"

void
post_init(struct post *p, struct ipc *ipc)
{
	p->ipc = ipc;
	p->n_discards = 0;
	buf_init(&p->out, WIRE_MAX);
	buf_init(&p->commits, WIRE_MAX);
}

void
post_deinit(struct post *p)
{
	post_gathered(p);
	post_cut(p);
	buf_deinit(&p->out);
	buf_deinit(&p->commits);
}

void
post_cut(struct post *p)
{
	ipc_free(&p->ipc);
	p->n_discards = 0;
	buf_clear(&p->commits);
}

static void
send_now(struct post *p, enum wire_type type, struct span payload)
{
	if (p->ipc != NULL)
		ipc_send(p->ipc, (uint8_t)type, payload);
}

void
post_gathered(struct post *p)
{
	if (p->commits.n > 0) {
		send_now(p, WIRE_COMMIT, buf_span(&p->commits));
		buf_clear(&p->commits);
	}
	if (p->n_discards > 0) {
		buf_clear(&p->out);
		wire_put_tokens(&p->out, 0, p->discards, p->n_discards);
		send_now(p, WIRE_DISCARD, buf_span(&p->out));
		p->n_discards = 0;
	}
}

struct buf *
post_packet(struct post *p)
{
	post_gathered(p);
	buf_clear(&p->out);
	return &p->out;
}

void
post_send(struct post *p, enum wire_type type)
{
	send_now(p, type, buf_span(&p->out));
}

void
post_number(struct post *p, enum wire_type type, uint32_t number)
{
	wire_put_number(post_packet(p), number);
	post_send(p, type);
}

void
post_raw(struct post *p, enum wire_type type, struct span payload)
{
	post_gathered(p);
	send_now(p, type, payload);
}

void
post_commit(struct post *p, const struct wire_commit *c)
{
	if (p->ipc == NULL || wire_put_commit(&p->commits, c))
		return;
	post_gathered(p);
	wire_put_commit(&p->commits, c);
}

void
post_discard(struct post *p, uint32_t token)
{
	if (p->ipc == NULL)
		return;
	if (p->n_discards == WIRE_FILES_MAX)
		post_gathered(p);
	p->discards[p->n_discards++] = token;
}
