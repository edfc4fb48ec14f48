/* SPDX-License-Identifier: ISC */
#include "deliver/letter_text.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

struct letter_text *
letter_text_new(const char *mailbox)
{
	struct letter_text *t = mem_new(sizeof(*t));

	t->mailbox = mem_strdup(mailbox);
	t->sender = mem_strdup("");
	t->recipient = mem_strdup("");
	t->about = mem_strdup("");
	t->reason = mem_strdup("");
	return t;
}

void
letter_text_free(struct letter_text **p)
{
	struct letter_text *t = *p;

	if (t == NULL)
		return;
	*p = NULL;
	for (size_t i = 0; i < t->n_reached; i++)
		free(t->reached[i]);
	free(t->reached);
	free(t->mailbox);
	free(t->sender);
	free(t->recipient);
	free(t->about);
	free(t->reason);
	free(t);
}

static void
replace(char **text, struct span s)
{
	free(*text);
	*text = mem_spandup(s);
}

void
letter_text_take(struct letter_text *t, const struct wire_commit *w)
{
	replace(&t->sender, w->sender);
	replace(&t->recipient, w->recipient);
	replace(&t->about, w->about);
}

void
letter_text_reason(struct letter_text *t, const char *reason)
{
	replace(&t->reason, span_of(reason));
	t->note.reason = t->reason;
	t->note.about = t->about;
}

static void
take_reached(struct letter_text *t, const struct wire_recipients *r)
{
	t->reached = mem_array(r->n + 1, sizeof(*t->reached));
	for (; t->n_reached < r->n; t->n_reached++)
		t->reached[t->n_reached] = mem_spandup(r->v[t->n_reached]);
	t->note.reached = (const char *const *)t->reached;
	t->note.n_reached = t->n_reached;
}

void
letter_text_take_note(
    struct letter_text *t, const struct wire_note *w, int64_t box)
{
	t->note = (struct ledger_note){ .box = box,
		.number = w->number,
		.by_content = w->by_content,
		.state = w->state,
		.why = w->why,
		.hold_after = w->hold_after,
		.size = w->size };
	memcpy(t->note.fingerprint, w->fingerprint.b, LEDGER_FINGERPRINT);
	replace(&t->about, w->about);
	replace(&t->reason, w->reason);
	t->note.reason = t->reason;
	t->note.about = t->about;
	if (t->reached == NULL)
		take_reached(t, &w->reached);
}
