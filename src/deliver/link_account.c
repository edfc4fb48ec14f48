/* SPDX-License-Identifier: ISC */
#include "deliver/link_account.h"

#include "deliver/local.h"
#include "deliver/wire_account.h"
#include "deliver/wire_mail.h"

const struct err link_account_forgotten = { .kind = ERR_DELIVER,
	.text = "the account is not delivered to any more" };

/* A local server: nothing in the path is from the engine. */
static bool
hear_dial(struct link_env *env, struct ipc *ipc, struct buf *out, struct span p)
{
	struct wire_dialled d = { 0 };
	const struct job_account *a;
	int fd = -1;

	if (!wire_take_number(p, &d.account))
		return false;
	a = roster_find(&env->accounts, d.account);
	if (a == NULL && !roster_knew(&env->accounts, d.account))
		return false;
	if (a != NULL && a->target->socket == NULL)
		return false;
	if (a != NULL)
		fd = local_dial(a->target->socket, &d.e);
	else
		d.e = link_account_forgotten;
	wire_put_dialled(out, &d);
	if (fd < 0)
		ipc_send(ipc, WIRE_DIALLED, buf_span(out));
	else
		ipc_send_fds(ipc, WIRE_DIALLED, buf_span(out), &fd, 1, true);
	return true;
}

static bool
hear_recall(
    struct link_env *env, struct ipc *ipc, struct buf *out, struct span p)
{
	struct wire_recalled none = { .known = false };
	struct job_account *a;
	struct job *j;

	if (!wire_take_number(p, &none.account))
		return false;
	a = roster_find(&env->accounts, none.account);
	if (a == NULL && !roster_knew(&env->accounts, none.account))
		return false;
	if (a == NULL) {
		wire_put_recalled(out, &none);
		ipc_send(ipc, WIRE_RECALLED, buf_span(out));
		return true;
	}
	j = job_of(a, JOB_RECALL);
	j->link = env->serial;
	worker_push(env->worker, j);
	return true;
}

static bool
hear_remember(struct link_env *env, struct span p)
{
	struct wire_remember w;
	struct job_account *a;
	struct job *j;

	if (!wire_take_remember(p, &w))
		return false;
	a = roster_find(&env->accounts, w.account);
	if (a == NULL)
		return roster_knew(&env->accounts, w.account);
	j = job_of(a, JOB_REMEMBER);
	j->link = env->serial;
	j->record = (struct ledger_account){
		.refused = w.refused, .refused_at = w.refused_at, .mark = w.mark
	};
	worker_push(env->worker, j);
	return true;
}

bool
link_account_hear(struct link_env *env, struct ipc *ipc, struct buf *out,
    uint8_t type, struct span packet)
{
	switch (type) {
	case WIRE_DIAL:
		return hear_dial(env, ipc, out, packet);
	case WIRE_RECALL:
		return hear_recall(env, ipc, out, packet);
	case WIRE_REMEMBER:
		return hear_remember(env, packet);
	}
	return false;
}
