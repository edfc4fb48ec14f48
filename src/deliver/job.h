/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_JOB_H
#define MAILHAUL_DELIVER_JOB_H

/*
 * What the deliverer's main thread gives to its worker, and gets back with
 * the answer filled in. job_run() does all kinds but commits, which the
 * worker does in groups.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "deliver/commit.h"
#include "deliver/place.h"
#include "io/digest.h"
#include "ledger/ledger.h"
#include "util/err.h"
#include "util/set.h"
#include "util/span.h"

struct job_account { /* lives as long as the worker */
	uint32_t number;
	char *name, *maildir;

	/* the worker's */
	struct err list_failed; /* the listing under way has failed so */
	uint64_t mark;          /* see worker.c */
};

enum job_kind {
	JOB_BOX,
	JOB_SETTLE,
	JOB_GONE,
	JOB_LIST_BEGIN,
	JOB_LIST_ADD,
	JOB_LIST_END,
	JOB_VERIFY,
	JOB_COMMIT
};

struct job {
	STAILQ_ENTRY(job) next;
	enum job_kind kind;
	uint64_t link; /* the engine that asked, by its serial number */
	uint32_t box;  /* the engine's number for it */
	struct job_account *account; /* not ours */
	int64_t ledger_box;          /* BOX: out */
	struct err e;                /* out; but for commits */

	char *text;    /* BOX: mailbox; LIST_ADD: lines, as they came */
	size_t n;      /* octets of text */
	size_t weight; /* the worker's: octets while it waits */

	uint32_t uidvalidity;      /* BOX */
	enum ledger_state state;   /* BOX: out */
	uint32_t was;              /* BOX: out */
	struct place *place;       /* BOX: out */
	struct maildir *maildir;   /* BOX: out, counted */
	struct set set, owed;      /* SETTLE, GONE: in set; BOX, LIST_END: out
	                             handled or fresh, and owed */
	struct set settled;        /* BOX: out */
	bool listed;               /* BOX: out */
	uint32_t repeated;         /* LIST_END: out */
	uint32_t number;           /* VERIFY */
	struct digest fingerprint; /* VERIFY */
	bool same;                 /* VERIFY: out */
	uint32_t cookie;           /* COMMIT */
	struct commit commit;      /* COMMIT */
};

STAILQ_HEAD(job_list, job);

struct job *job_new(enum job_kind kind);
void job_free(struct job **j); /* a commit that was not done is discarded */

void job_run(struct job *j, struct places *places);

#endif
