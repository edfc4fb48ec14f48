/* SPDX-License-Identifier: ISC */
#include "proc/clerk.h"

#include <stdlib.h>

#include "io/ipc.h"
#include "io/sandbox.h"
#include "proc/spawn.h"
#include "proc/wire.h"
#include "util/mem.h"

#define ANSWER_MS 30000
#define END_MS 1000
#define ROWS_MAX 100000 /* of a user; more are not shown */

enum { ASK = 1, ROW, END };

/* ---- the work ---- */

static int
keep(void *arg, const struct ledger_trouble *t, struct err *e)
{
	struct held_list *list = arg;

	(void)e;
	if (list->n < ROWS_MAX)
		held_list_add(list, t);
	return 0;
}

static int
act(struct ledger *l, const struct clerk_request *r, struct held_list *out,
    struct err *e)
{
	if (r->verb == CLERK_READ)
		return ledger_troubles(l, r->account, keep, out, e);
	if (r->verb == CLERK_DROP)
		return ledger_trouble_drop(l, r->id, e);
	return ledger_trouble_retry(l, r->id, r->verb == CLERK_RETRY_FULL, e);
}

static int
do_it(const struct clerk_request *r, struct held_list *out, struct err *e)
{
	struct ledger *l = ledger_open_existing(r->path, e);
	int done = l == NULL ? -1 : act(l, r, out, e);

	ledger_close(&l);
	return done;
}

/* ---- what is said ---- */

static void
pack_row(struct buf *b, const struct ledger_trouble *t)
{
	pack_u64(b, (uint64_t)t->id);
	pack_str(b, t->account);
	pack_str(b, t->mailbox);
	pack_u32(b, t->uid);
	pack_str(b, t->uidl);
	pack_u8(b, (uint8_t)t->state);
	pack_u8(b, (uint8_t)t->why);
	pack_u32(b, t->tries);
	pack_u64(b, (uint64_t)t->since);
	pack_u64(b, (uint64_t)t->next);
	pack_u64(b, t->size);
	pack_u8(b, t->stub);
	pack_u8(b, t->full);
	pack_str(b, t->reason);
	pack_str(b, t->about);
	pack_u64(b, t->n_reached);
}

static void
unpack_row(struct unpack *u, struct held_list *out)
{
	struct ledger_trouble t = { .id = (int64_t)unpack_u64(u) };
	char *account = unpack_str(u);
	char *mailbox = unpack_str(u);
	char *uidl, *reason, *about;

	t.uid = unpack_u32(u);
	uidl = unpack_str(u);
	t.state = (enum ledger_trouble_state)unpack_u8(u);
	t.why = (enum ledger_why)unpack_u8(u);
	t.tries = unpack_u32(u);
	t.since = (int64_t)unpack_u64(u);
	t.next = (int64_t)unpack_u64(u);
	t.size = unpack_u64(u);
	t.stub = unpack_u8(u) != 0;
	t.full = unpack_u8(u) != 0;
	reason = unpack_str(u);
	about = unpack_str(u);
	t.n_reached = unpack_u64(u);
	t.account = account;
	t.mailbox = mailbox;
	t.uidl = uidl;
	t.reason = reason;
	t.about = about;
	if (unpack_ok(u) && t.state <= LEDGER_DROPPED &&
	    t.why <= LEDGER_WHY_SIZE && out->n < ROWS_MAX)
		held_list_add(out, &t);
	free(account);
	free(mailbox);
	free(uidl);
	free(reason);
	free(about);
}

/* ---- the one who asks ---- */

struct talk {
	struct loop *loop;
	struct held_list *out;
	struct err *e;
	bool ended;
};

static void
on_answer(void *arg, struct ipc_packet *packet)
{
	struct talk *t = arg;
	struct unpack u =
	    unpack_of(packet == NULL ? SPAN("") : packet->payload);
	bool over = packet == NULL || packet->type != ROW;

	if (!over && t->out != NULL)
		unpack_row(&u, t->out);
	if (!over || t->ended)
		return;
	if (packet != NULL)
		wire_unpack_err(&u, t->e);
	t->ended = packet != NULL && unpack_ok(&u);
	loop_stop(t->loop);
}

static void
on_limit(void *arg)
{
	struct talk *t = arg;

	loop_stop(t->loop);
}

static void
pack_request(struct buf *b, const struct clerk_request *r)
{
	pack_u8(b, (uint8_t)r->verb);
	pack_str(b, r->path);
	pack_str(b, r->account);
	pack_u64(b, (uint64_t)r->id);
}

static void
talk(struct talk *t, int fd, const struct clerk_request *request)
{
	struct ipc *ipc = ipc_new(t->loop, fd, on_answer, t);
	struct loop_timer *limit = loop_timer_new(t->loop, on_limit, t);
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_request(&b, request);
	ipc_send(ipc, ASK, buf_span(&b));
	buf_deinit(&b);
	loop_timer_arm(limit, ANSWER_MS);
	loop_run(t->loop);
	loop_timer_free(&limit);
	ipc_free(&ipc);
}

static int
ask(const struct user *user, const struct clerk_request *request,
    struct held_list *out, struct err *e)
{
	struct talk t = { .out = out, .e = e };
	char why[100];
	int fd;
	pid_t pid = spawn_role(SPAWN_CLERK, user, -1, &fd, e);

	if (pid < 0)
		return -1;
	t.loop = loop_new();
	talk(&t, fd, request);
	loop_free(&t.loop);
	(void)spawn_reap(pid, END_MS, why, sizeof(why));
	if (!t.ended)
		return err_set(e, ERR_TEMP, 0,
		    "%s: cannot be read as %s: there is no answer",
		    request->path, user->name);
	return e->kind == ERR_NONE ? 0 : -1;
}

int
clerk_ask(const struct user *user, const struct clerk_request *request,
    struct held_list *out, struct err *e)
{
	return user == NULL ? do_it(request, out, e)
			    : ask(user, request, out, e);
}

/* ---- the process ---- */

struct clerk {
	struct loop *loop;
	struct ipc *ipc;
};

static void
say_rows(struct clerk *c, const struct held_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct buf b;

		buf_init(&b, IPC_PAYLOAD_MAX);
		pack_row(&b, &list->v[i]);
		ipc_send(c->ipc, ROW, buf_span(&b));
		buf_deinit(&b);
	}
}

static void
say_end(struct clerk *c, const struct err *e)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	wire_pack_err(&b, e);
	ipc_send(c->ipc, END, buf_span(&b));
	buf_deinit(&b);
}

static void
answer(struct clerk *c, struct unpack *u)
{
	struct clerk_request r = { .verb = (enum clerk_verb)unpack_u8(u) };
	char *path = unpack_str(u);
	char *account = unpack_str(u);
	struct held_list list = { 0 };
	struct err e = { 0 };

	r.id = (int64_t)unpack_u64(u);
	r.path = path;
	if (account != NULL && account[0] != '\0')
		r.account = account;
	if (unpack_ok(u)) {
		if (do_it(&r, &list, &e) == 0)
			err_clear(&e);
		say_rows(c, &list);
		say_end(c, &e);
	}
	held_list_free(&list);
	free(path);
	free(account);
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct clerk *c = arg;
	struct unpack u;

	if (packet == NULL) {
		loop_stop(c->loop);
		return;
	}
	u = unpack_of(packet->payload);
	answer(c, &u);
}

int
clerk_main(void)
{
	struct clerk c;
	struct err e;

	(void)sandbox_privileges(&e); /* with or without */
	c.loop = loop_new();
	c.ipc = ipc_new(c.loop, WIRE_FD, on_packet, &c);
	loop_run(c.loop);
	ipc_free(&c.ipc);
	loop_free(&c.loop);
	return 0;
}
