/* SPDX-License-Identifier: ISC */
#include "ledger/runs.h"

int
runs_init(struct runs *r, struct db *d, int64_t box, struct err *e)
{
	*r = (struct runs){ .d = d, .box = box };
	return db_run(
	    d, "DELETE FROM temp.run WHERE box = ?1", DB_ARGS(db_i(box)), e);
}

int
runs_store(struct runs *r, struct err *e)
{
	int64_t n = r->n;

	r->n = 0;
	if (n == 0)
		return 0;
	return db_run(r->d, "INSERT INTO temp.run VALUES (?1, ?2, ?3, ?4)",
	    DB_ARGS(db_i(r->box), db_i(r->number), db_i(n), db_i(r->seq)), e);
}

int
runs_add(struct runs *r, uint32_t number, int64_t seq, struct err *e)
{
	r->last_seq = seq > r->last_seq ? seq : r->last_seq;
	if (r->n > 0 && r->number + r->n == number && r->seq + r->n == seq) {
		r->n++;
		return 0;
	}
	if (runs_store(r, e) < 0)
		return -1;
	r->number = number;
	r->seq = seq;
	r->n = 1;
	return 0;
}

int
runs_number(const struct runs *r, int64_t seq, int64_t *number, struct err *e)
{
	*number = 0;
	if (seq > r->last_seq)
		return 0;
	if (r->n > 0 && seq >= r->seq && seq < r->seq + r->n) {
		*number = r->number + seq - r->seq;
		return 0;
	}
	return db_number(r->d,
	    "SELECT CASE WHEN ?2 < seq + n THEN number + ?2 - seq END "
	    "FROM temp.run WHERE box = ?1 AND seq <= ?2 "
	    "ORDER BY seq DESC LIMIT 1",
	    DB_ARGS(db_i(r->box), db_i(seq)), 0, number, e);
}

bool
runs_growing(const struct runs *r, uint32_t number)
{
	return r->n > 0 && number >= r->number && number < r->number + r->n;
}

int
runs_seq(
    struct db *d, int64_t box, uint32_t number, int64_t *seq, struct err *e)
{
	return db_number(d,
	    "SELECT CASE WHEN ?2 < number + n THEN seq + ?2 - number END "
	    "FROM temp.run WHERE box = ?1 AND number <= ?2 "
	    "ORDER BY number DESC LIMIT 1",
	    DB_ARGS(db_i(box), db_i(number)), 0, seq, e);
}
