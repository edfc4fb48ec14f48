/* SPDX-License-Identifier: ISC */
#include "ledger/asked.h"

#include <stdlib.h>

#include "ledger/boxes.h"
#include "ledger/names.h"
#include "ledger/troubles.h"

#define NAME_MAX_OCTETS (1 << 16) /* account, mailbox, and the rest */

void
ledger_asked_init(struct ledger_asked *a)
{
	*a = (struct ledger_asked){ .known = false };
	buf_init(&a->name, NAME_MAX_OCTETS);
}

void
ledger_asked_deinit(struct ledger_asked *a)
{
	for (size_t i = 0; i < a->n_reached; i++)
		free(a->reached[i]);
	free(a->reached);
	buf_deinit(&a->name);
}

static int
ask_name(struct db *d, const struct message *m, struct name *name,
    struct ledger_asked *out, struct err *e)
{
	if (names_of(d, m, name, e) < 0 ||
	    boxes_name(d, m->box, &out->name, e) < 0)
		return -1;
	names_show(out->uid, sizeof(out->uid), names_span(name));
	if (buf_add(&out->name, names_span(name)) == 0)
		return 0;
	return err_set(
	    e, ERR_DELIVER, 0, "ledger: %s: a name is too long", db_path(d));
}

static int
ask_trouble(struct db *d, const struct message *m, const struct name *name,
    bool stub, int64_t now, struct ledger_asked *out, struct err *e)
{
	struct trouble t;

	if (troubles_find(d, m->box, names_span(name), &t, e) < 0)
		return -1;
	if (t.id == 0)
		return 0;
	out->barred = troubles_bar(&t, now);
	if (stub && (t.stub || t.state == LEDGER_DROPPED)) {
		out->known = true;
		if (troubles_hold_stub(d, t.id, e) < 0)
			return -1;
	}
	/* no listing shows that it is still there */
	if (m->by_content && troubles_seen(d, t.id, now, e) < 0)
		return -1;
	return troubles_reached(d, t.id, &out->reached, &out->n_reached, e);
}

int
asked_find(struct db *d, const struct ledger_entry *m, bool pop3, int64_t now,
    struct ledger_asked *out, struct err *e)
{
	struct message message = names_entry(m, pop3);
	struct name name;

	out->known = m->known;
	if (ask_name(d, &message, &name, out, e) < 0)
		return -1;
	return ask_trouble(d, &message, &name, m->stub, now, out, e);
}
