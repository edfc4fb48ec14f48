/* SPDX-License-Identifier: ISC */
#include "deliver/job.h"

#include <stdlib.h>
#include <string.h>

#include "deliver/wire.h"
#include "util/mem.h"
#include "util/pack.h"

struct job *
job_new(enum job_kind kind)
{
	struct job *j = mem_new(sizeof(*j));

	j->kind = kind;
	set_init(&j->set);
	set_init(&j->owed);
	set_init(&j->settled);
	j->commit.fd = -1;
	return j;
}

void
job_free(struct job **p)
{
	struct job *j = *p;

	if (j == NULL)
		return;
	*p = NULL;
	if (j->commit.maildir != NULL)
		commit_discard(&j->commit);
	maildir_unref(&j->maildir);
	set_deinit(&j->set);
	set_deinit(&j->owed);
	set_deinit(&j->settled);
	free(j->text);
	free(j);
}

static void
run_box(struct job *j, struct places *places)
{
	struct place *p = places_find(places, j->account->maildir);

	if (place_ready(places, p, &j->e) < 0)
		return;
	if (ledger_box(places->ledger, j->account->name, j->text,
		j->uidvalidity, &j->ledger_box, &j->state, &j->was, &j->e) < 0)
		return;
	if (j->state == LEDGER_CHANGED)
		return;
	j->place = p;
	j->maildir = maildir_ref(p->maildir);
	if (ledger_sets(places->ledger, j->ledger_box, &j->set, &j->owed,
		&j->settled, &j->e) == 0)
		ledger_listed(places->ledger, j->ledger_box, &j->listed, &j->e);
}

/* ---- listings: a failure is told at the end ---- */

static void
run_list_begin(struct job *j, struct ledger *l)
{
	err_clear(&j->account->list_failed);
	ledger_list_begin(l, j->ledger_box, &j->account->list_failed);
}

static void
run_list_add(struct job *j, struct ledger *l)
{
	struct unpack u = unpack_of(span_make(j->text, j->n));
	struct err *e = &j->account->list_failed;
	struct wire_line line;

	while (e->kind == ERR_NONE && unpack_more(&u)) {
		if (!wire_take_line(&u, &line))
			return; /* looked at before */
		ledger_list_add(
		    l, j->ledger_box, line.number, line.uidl, line.size, e);
	}
}

static void
run_list_end(struct job *j, struct ledger *l)
{
	j->e = j->account->list_failed;
	if (j->e.kind == ERR_NONE)
		ledger_list_end(
		    l, j->ledger_box, &j->set, &j->owed, &j->repeated, &j->e);
}

static void
run_verify(struct job *j, struct ledger *l)
{
	uint8_t fingerprint[LEDGER_FINGERPRINT];
	bool found;

	if (ledger_fingerprint(
		l, j->ledger_box, j->number, fingerprint, &found, &j->e) == 0)
		j->same = found &&
		    memcmp(fingerprint, j->fingerprint.b, LEDGER_FINGERPRINT) ==
			0;
}

void
job_run(struct job *j, struct places *places)
{
	struct ledger *l = places->ledger;

	switch (j->kind) {
	case JOB_BOX:
		run_box(j, places);
		break;
	case JOB_SETTLE:
		ledger_settle(l, j->ledger_box, &j->set, &j->e);
		break;
	case JOB_GONE:
		ledger_gone(l, j->ledger_box, &j->set, &j->e);
		break;
	case JOB_LIST_BEGIN:
		run_list_begin(j, l);
		break;
	case JOB_LIST_ADD:
		run_list_add(j, l);
		break;
	case JOB_LIST_END:
		run_list_end(j, l);
		break;
	case JOB_VERIFY:
		run_verify(j, l);
		break;
	case JOB_COMMIT:
		break; /* commit_group() */
	}
}
