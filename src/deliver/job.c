/* SPDX-License-Identifier: ISC */
#include "deliver/job.h"

#include <stdlib.h>
#include <string.h>

#include "deliver/folder.h"
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
	set_init(&j->barred);
	set_init(&j->due);
	set_init(&j->full);
	j->commit.fd = -1;
	ledger_asked_init(&j->asked);
	return j;
}

struct job *
job_of(struct job_account *account, enum job_kind kind)
{
	struct job *j = job_new(kind);

	j->account = account;
	j->counts = true;
	account->counting++;
	return j;
}

void
job_free(struct job **p)
{
	struct job *j = *p;

	if (j == NULL)
		return;
	*p = NULL;
	if (j->counts)
		j->account->counting--;
	commit_discard(&j->commit);
	maildir_unref(&j->maildir);
	ledger_asked_deinit(&j->asked);
	letter_text_free(&j->mail);
	set_deinit(&j->set);
	set_deinit(&j->owed);
	set_deinit(&j->settled);
	set_deinit(&j->barred);
	set_deinit(&j->due);
	set_deinit(&j->full);
	free(j->text);
	free(j->to);
	free(j);
}

void
job_free_all(struct job_list *jobs)
{
	struct job *j;

	while ((j = STAILQ_FIRST(jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(jobs, next);
		job_free(&j);
	}
}

/* ---- what a packet says ---- */

static void
take_words(struct job *j, const struct wire_commit *w)
{
	if (w->stub && j->mail == NULL)
		j->mail = letter_text_new("");
	if (j->mail == NULL)
		return;
	letter_text_take(j->mail, w);
	if (!w->stub)
		return;
	j->mail->note = (struct ledger_note){ .size = w->size };
	letter_text_reason(j->mail, "larger than max-size: a stub is here");
	j->commit.entry.stub = true;
	j->commit.entry.note = &j->mail->note;
}

static void
take_name(struct ledger_entry *entry, uint32_t number, bool by_content,
    bool owes, const struct digest *fingerprint)
{
	entry->number = number;
	entry->by_content = by_content;
	entry->owes = owes;
	memcpy(entry->fingerprint, fingerprint->b, LEDGER_FINGERPRINT);
}

void
job_take_commit(struct job *j, const struct wire_commit *w)
{
	j->cookie = w->cookie;
	j->commit.octets = w->octets;
	j->commit.flags = w->flags;
	j->commit.time = w->time;
	take_name(&j->commit.entry, w->number, w->by_content, w->owes,
	    &w->fingerprint);
	take_words(j, w);
}

void
job_take_ask(struct job *j, const struct wire_ask *w, int64_t box)
{
	j->cookie = w->cookie;
	j->commit.entry.box = box;
	take_name(&j->commit.entry, w->number, w->by_content, w->owes,
	    &w->fingerprint);
}

void
job_take_note(struct job *j, const struct wire_note *w, int64_t box)
{
	if (j->mail == NULL)
		j->mail = letter_text_new("");
	letter_text_take_note(j->mail, w, box);
	if (w->token != WIRE_NO_TOKEN)
		err_set(&j->commit.e, ERR_MESSAGE, 0, "%s: %s",
		    w->state == LEDGER_HELD ? "held" : "later",
		    j->mail->reason);
}

/* ---- mailboxes ---- */

/* NULL: there is none, since the mail goes to a program or a server. */
static struct place *
place_of(const struct job *j, struct places *places)
{
	const struct target *t = j->account->target;
	struct place *p = NULL;
	char *path = NULL;

	switch (t->way) {
	case TARGET_MAILDIR:
		path = t->folders ? folder_path(t->path, j->text, j->delimiter)
				  : mem_strdup(t->path);
		p = places_find(places, path);
		p->folder = strcmp(path, t->path) != 0;
		p->root = p->folder ? places_find(places, t->path) : NULL;
		break;
	case TARGET_MBOX:
		path = mem_printf("%s%s", PLACE_MBOX, t->path);
		p = places_find(places, path);
		break;
	case TARGET_MDA:
	case TARGET_RELAY:
		return NULL;
	}
	free(path);
	return p;
}

static void
read_box(struct job *j, struct ledger *l)
{
	if (ledger_sets(
		l, j->ledger_box, &j->set, &j->owed, &j->settled, &j->e) < 0 ||
	    ledger_listed(l, j->ledger_box, &j->listed, &j->e) < 0)
		return;
	(void)ledger_troubles_of(
	    l, j->ledger_box, &j->barred, &j->due, &j->full, &j->e);
}

static void
run_box(struct job *j, struct places *places)
{
	struct place *p = place_of(j, places);

	if (p != NULL && place_ready(places, p, &j->e) < 0)
		return;
	if (ledger_box(places->ledger, j->account->target->name, j->text,
		j->uidvalidity, &j->ledger_box, &j->state, &j->was, &j->e) < 0)
		return;
	if (j->state == LEDGER_CHANGED)
		return;
	/* a program or a server keeps what it took, recorded or not: it gets
	 * nothing while nothing can be recorded */
	if (p == NULL && ledger_reserve(places->ledger, &j->e) < 0)
		return;
	j->place = p;
	j->to = target_text(j->account->target, p != NULL ? p->path : NULL);
	if (p != NULL)
		j->maildir = maildir_ref(p->maildir);
	read_box(j, places->ledger);
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
		ledger_list_end(l, j->ledger_box, &j->set, &j->owed,
		    &j->repeated, &j->full, &j->n_barred, &j->e);
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

/* ---- messages ---- */

/* One that the ledger cannot tell is answered, too: somebody waits for it.
 * They are more than fit into one packet. */
static void
put_name(struct buf *names, struct job *j, struct ledger *l, uint32_t number)
{
	char text[LEDGER_UID_TEXT];

	if (ledger_name(l, j->ledger_box, number, text, &j->e) < 0)
		text[0] = '\0';
	pack_u32(names, number);
	pack_str(names, text);
}

static void
run_names(struct job *j, struct ledger *l)
{
	struct buf names;

	buf_init(&names, SIZE_MAX);
	for (size_t i = 0; i < j->set.n; i++)
		for (uint32_t n = j->set.r[i].first;; n++) {
			put_name(&names, j, l, n);
			if (n == j->set.r[i].last)
				break;
		}
	j->n = names.n;
	j->text = mem_spandup(buf_span(&names));
	buf_deinit(&names);
}

static void
run_note(struct job *j, struct ledger *l)
{
	struct err e;

	if (ledger_note(l, &j->mail->note, 1, &e) == 0)
		return;
	j->e = e;
	if (j->letter)
		j->commit.e = e;
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
	case JOB_MISSING:
		ledger_missing(l, j->ledger_box, &j->set, &j->e);
		break;
	case JOB_NAMES:
		run_names(j, l);
		break;
	case JOB_ASK:
		ledger_ask(l, &j->commit.entry, &j->asked, &j->e);
		break;
	case JOB_NOTE:
		run_note(j, l);
		break;
	case JOB_CLOSE:
		maildir_unref(&j->maildir);
		break;
	case JOB_RECALL:
		ledger_account(l, j->account->target->name, &j->record, &j->e);
		break;
	case JOB_REMEMBER:
		ledger_account_note(
		    l, j->account->target->name, &j->record, &j->e);
		break;
	case JOB_COMMIT:
		break; /* commit_group() */
	}
}
