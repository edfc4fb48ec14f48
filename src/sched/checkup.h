/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_CHECKUP_H
#define MAILHAUL_SCHED_CHECKUP_H

/*
 * A survey of an account's server, as sched/account.h has a fetch: it waits
 * for a place at the host, and is one try, whatever comes of it.
 */

#include "fetch/survey.h"
#include "sched/hosts.h"
#include "sched/params.h"

struct checkup;

struct checkup_params {
	const struct fetch_env *env; /* not ours; of which no client is used */
	struct hosts *hosts;         /* not ours */
	struct params who;
	fact_fn fact;      /* from the loop */
	survey_end_fn end; /* once; checkup_free() inside it is fine */
	void *arg;
};

struct checkup *checkup_new(const struct checkup_params *params);
void checkup_free(struct checkup **c);
void checkup_stop(struct checkup *c); /* ends with ERR_CANCEL */

#endif
