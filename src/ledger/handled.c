/* SPDX-License-Identifier: ISC */
#include "ledger/handled.h"

#include "ledger/ranges.h"

static int
has_content(struct db *d, int64_t box, const uint8_t *fingerprint, bool *has,
    struct err *e)
{
	int64_t found;
	int r = db_number(d,
	    "SELECT 1 FROM content WHERE box = ?1 AND fingerprint = ?2",
	    DB_ARGS(db_i(box), db_b(fingerprint, LEDGER_FINGERPRINT)), 0,
	    &found, e);

	*has = found != 0;
	return r;
}

static int
find_line(struct db *d, int64_t box, uint32_t number, struct uidl_line *line,
    struct err *e)
{
	if (uidl_find(d, box, number, line, e) < 0)
		return -1;
	if (line->listed)
		return 0;
	return err_set(e, ERR_DELIVER, 0,
	    "ledger: %s: message %lu is not in the listing", db_path(d),
	    (unsigned long)number);
}

static int
check_number(const struct db *d, uint32_t number, struct err *e)
{
	if (number != 0)
		return 0;
	return err_set(
	    e, ERR_DELIVER, 0, "ledger: %s: there is no message 0", db_path(d));
}

int
handled_has(struct db *d, const struct message *m, bool *handled, struct err *e)
{
	struct uidl_line line;

	*handled = false;
	if (check_number(d, m->number, e) < 0)
		return -1;
	if (m->by_content)
		return has_content(d, m->box, m->fingerprint, handled, e);
	if (!m->pop3)
		return ranges_has(
		    d, m->box, RANGES_HANDLED, m->number, handled, e);
	if (find_line(d, m->box, m->number, &line, e) < 0)
		return -1;
	*handled = line.seq != 0;
	return 0;
}

int
handled_name(struct db *d, const struct ledger_entry *m, struct err *e)
{
	return db_run(d,
	    "INSERT OR REPLACE INTO temp.named VALUES (?1, ?2, ?3)",
	    DB_ARGS(db_i(m->box), db_i(m->number),
		db_b(m->fingerprint, LEDGER_FINGERPRINT)),
	    e);
}

enum uidl_state
handled_state(const struct ledger_entry *m)
{
	return m->owes ? UIDL_OWED : UIDL_KEPT;
}

int
handled_find(struct db *d, bool pop3, struct ledger_entry *m, struct err *e)
{
	struct message name = names_entry(m, pop3);

	if (handled_has(d, &name, &m->known, e) < 0)
		return -1;
	if (m->by_content)
		return m->known ? handled_name(d, m, e) : 0;
	if (!pop3 || m->stub)
		return 0;
	return uidl_compare(d, m->box, m->number, handled_state(m),
	    span_make((const char *)m->fingerprint, LEDGER_FINGERPRINT),
	    &m->known, e);
}
