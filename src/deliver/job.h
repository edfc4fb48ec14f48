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
#include "deliver/letter_text.h"
#include "deliver/mda_queue.h"
#include "deliver/place.h"
#include "deliver/target.h"
#include "deliver/wire_mail.h"
#include "io/digest.h"
#include "ledger/ledger.h"
#include "util/err.h"
#include "util/set.h"
#include "util/span.h"
#include "util/streak.h"

struct job;

struct job_account { /* see roster.h */
	uint32_t number;
	struct target *target;
	bool forgotten;
	unsigned int counting; /* on it: boxes, and jobs of job_of() */

	/* the outlet's */
	struct outlet *outlet;   /* not ours */
	struct mda_queue *queue; /* NULL: none yet */
	bool queue_stopping, queue_stopped;
	unsigned int letters;    /* on their way through it */
	LIST_HEAD(, job) on_way; /* those for a program, see twins.h */
	struct mda_program program;
	unsigned int unrecorded; /* accepted by it, and not in the ledger */
	struct streak streak;    /* of the same words */
	struct err blocked;      /* set: nothing more is handed to it */

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
	JOB_MISSING,
	JOB_NAMES,
	JOB_ASK,
	JOB_NOTE,
	JOB_CLOSE,
	JOB_RECALL,
	JOB_REMEMBER,
	JOB_COMMIT
};

struct job {
	STAILQ_ENTRY(job) next;
	enum job_kind kind;
	uint64_t link; /* the engine that asked, by its serial number */
	uint32_t box;  /* the engine's number for it */
	struct job_account *account; /* not ours */
	bool counts;                 /* on the account */
	int64_t ledger_box;          /* BOX: out */
	struct err e;                /* out; but for commits */

	/* BOX: mailbox; LIST_ADD: lines, as they came; NAMES: out, in the form
	 * of wire_mail.h; ASK: out, the name that the message has for ever */
	char *text;
	size_t n;      /* octets of text */
	size_t weight; /* the worker's: octets while it waits */

	uint32_t uidvalidity;      /* BOX */
	enum ledger_state state;   /* BOX: out */
	uint32_t was;              /* BOX: out */
	struct place *place;       /* BOX: out */
	struct maildir *maildir;   /* BOX: out, counted; CLOSE: let go */
	char *to;                  /* BOX: out, where mail goes, for people */
	struct set set, owed;      /* SETTLE, GONE: in set; BOX, LIST_END: out
	                             handled or fresh, and owed */
	struct set settled;        /* BOX: out */
	struct set barred, due;    /* BOX: out */
	struct set full;           /* BOX, LIST_END: out */
	char delimiter;            /* BOX */
	bool listed;               /* BOX: out */
	uint32_t repeated;         /* LIST_END: out */
	uint32_t n_barred;         /* LIST_END: out */
	uint32_t number;           /* VERIFY */
	struct digest fingerprint; /* VERIFY */
	bool same;                 /* VERIFY: out */
	struct ledger_account record; /* REMEMBER; RECALL: out */

	/* of a letter: ASK, NOTE, COMMIT, one after the other */
	LIST_ENTRY(job) on_way;
	bool letter;  /* it counts among the open files */
	bool counted; /* and among those on their way */
	uint32_t cookie;
	struct commit commit;
	struct letter_text *mail;  /* what was said of it; NULL: nothing */
	uint64_t busy_since;       /* its mbox is locked; clock_ms(), or 0 */
	struct ledger_asked asked; /* ASK: out */
};

STAILQ_HEAD(job_list, job);

struct job *job_new(enum job_kind kind);
/* The account lives as long as the job. */
struct job *job_of(struct job_account *account, enum job_kind kind);
void job_free(struct job **j); /* a commit that was not done is discarded */
void job_free_all(struct job_list *jobs);

/* What a packet says of a letter or of a message, as far as it is needed. */
void job_take_commit(struct job *j, const struct wire_commit *w);
void job_take_ask(struct job *j, const struct wire_ask *w, int64_t box);
void job_take_note(struct job *j, const struct wire_note *w, int64_t box);

void job_run(struct job *j, struct places *places);

#endif
