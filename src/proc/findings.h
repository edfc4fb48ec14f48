/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_FINDINGS_H
#define MAILHAUL_PROC_FINDINGS_H

/*
 * What came of the survey of an account: its facts as the engine told them,
 * so many at most, and how it ended.
 */

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "fetch/fact.h"
#include "util/err.h"

struct findings { /* zeroed is fine */
	struct fact *v;
	size_t n, cap;
	struct err e;   /* how it ended */
	bool of_server; /* it was asked: else there was no secret */
};

#define FINDINGS_MAX 1200 /* the rest is dropped */

void findings_deinit(struct findings *f);
void findings_add(struct findings *f, const struct fact *fact); /* copied */

/* The first of a kind from *at on, which is then behind it; or NULL. */
const struct fact *findings_next(
    const struct findings *f, enum fact_kind kind, size_t *at);
const struct fact *findings_first(
    const struct findings *f, enum fact_kind kind);

/* In how many days that will be, rounded down; past: negative. */
int64_t findings_days(uint64_t then, int64_t now);

#endif
