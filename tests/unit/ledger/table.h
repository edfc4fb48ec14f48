/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_LEDGER_TABLE_H
#define MAILHAUL_TESTS_UNIT_LEDGER_TABLE_H

/* For what works on the tables: an open ledger file, as "t". */

#include "ledger/db.h"
#include "ledger/store.h"
#include "unit/ledger/folder.h"

struct table {
	struct folder f;
	struct db *d;
	struct err e;
};

static struct table t;

static int
setup(void **state)
{
	char token[STORE_TOKEN + 1];

	(void)state;
	folder_make(&t.f);
	t.d = store_open(t.f.path, token, &t.e);
	if (t.d == NULL)
		fail_msg("%s", t.e.text);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	db_close(&t.d);
	folder_remove(&t.f);
	return 0;
}

static inline void
sql(const char *script)
{
	if (db_script(t.d, script, &t.e) < 0)
		fail_msg("%s", t.e.text);
}

/* Prepared anew each time, so that any string will do. */
static inline int64_t
number(const char *query)
{
	char *view = mem_printf("DROP VIEW IF EXISTS temp.asked;"
				"CREATE TEMP VIEW asked AS %s",
	    query);
	int64_t n;

	sql(view);
	free(view);
	assert_int_equal(
	    db_number(t.d, "SELECT * FROM asked", NULL, -1, &n, &t.e), 0);
	return n;
}

#endif
