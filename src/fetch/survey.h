/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_SURVEY_H
#define MAILHAUL_FETCH_SURVEY_H

/*
 * A look at a server, for its user: connect, log in, see what it can and
 * which mailboxes it has, leave. No mailbox is opened, so nothing there
 * changes, and no deliverer is needed. What is found out is told one by one,
 * in the order of enum fact_kind but for warnings; then the end follows, once,
 * whatever happens.
 */

#include "fetch/env.h"
#include "fetch/fact.h"
#include "fetch/fetch.h"
#include "util/err.h"

struct survey;

#define SURVEY_DEADLINE_S 60
#define SURVEY_MAILBOXES_MAX 1000 /* told of; the others are counted */

/* e->kind is ERR_NONE when all is well. survey_free() inside it is fine. */
typedef void (*survey_end_fn)(void *arg, const struct err *e);

struct survey_params {               /* what it points to outlives the survey */
	const struct fetch_env *env; /* of which no client is used */
	const struct fetch_params *fetch;
	fact_fn fact; /* from the loop */
	survey_end_fn end;
	void *arg;
};

struct survey *survey_new(const struct survey_params *params);
void survey_free(struct survey **s); /* at once; end is not called */
/* Ends with e, and what is known by now is told before. */
void survey_stop(struct survey *s, const struct err *e);

#endif
