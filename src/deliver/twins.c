/* SPDX-License-Identifier: ISC */
#include "deliver/twins.h"

#include <stddef.h>

void
twins_init(struct twins *t)
{
	STAILQ_INIT(&t->waiting);
}

void
twins_deinit(struct twins *t)
{
	job_free_all(&t->waiting);
}

/* Numbers of POP3 mean the same in all of them: a mailbox is not opened
 * before all are at their end. */
static bool
has_twin(const struct job *j)
{
	const struct ledger_entry *m = &j->commit.entry;
	const struct job *other;

	LIST_FOREACH (other, &j->account->on_way, on_way) {
		if (other->commit.entry.box == m->box &&
		    other->commit.entry.number == m->number)
			return true;
	}
	return false;
}

bool
twins_begin(struct twins *t, struct job *j)
{
	if (has_twin(j)) {
		STAILQ_INSERT_TAIL(&t->waiting, j, next);
		return false;
	}
	LIST_INSERT_HEAD(&j->account->on_way, j, on_way);
	return true;
}

void
twins_end(struct job *j)
{
	LIST_REMOVE(j, on_way);
}

struct job *
twins_next(struct twins *t, const struct job_account *a)
{
	struct job *j;

	STAILQ_FOREACH (j, &t->waiting, next) {
		if (j->account == a && !has_twin(j)) {
			STAILQ_REMOVE(&t->waiting, j, job, next);
			return j;
		}
	}
	return NULL;
}
