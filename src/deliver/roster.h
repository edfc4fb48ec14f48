/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_ROSTER_H
#define MAILHAUL_DELIVER_ROSTER_H

/*
 * The accounts of a deliverer, by number. One that is forgotten, or comes
 * again under its number, is found no more, but lives on while jobs and boxes
 * count on it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/job.h"
#include "deliver/target.h"
#include "util/set.h"

struct roster {
	struct job_account **v; /* those that are forgotten, too */
	size_t n, n_forgotten;
	struct set forgotten; /* numbers */
};

void roster_init(struct roster *r);
void roster_deinit(struct roster *r); /* nothing counts on any more */

/* The target is the roster's. */
void roster_add(struct roster *r, uint32_t number, struct target *target);
struct job_account *roster_find(const struct roster *r, uint32_t number);

void roster_forget(struct roster *r, uint32_t number);
/* It was here, and is forgotten: who names it may just be late. */
bool roster_knew(const struct roster *r, uint32_t number);

/* Frees what is forgotten, as far as nothing counts on it. */
void roster_sweep(struct roster *r);

#endif
