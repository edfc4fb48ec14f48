/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_OUTLET_H
#define MAILHAUL_DELIVER_OUTLET_H

/*
 * What becomes of a letter that was committed, by the account's way: between
 * the link, which heard of it, and the worker, which has the ledger.
 *
 *	Maildir		-> worker: published and recorded
 *	mbox		the same; tried again for a while when it is locked
 *	MDA		-> worker: is it known? -> the program -> worker:
 *			recorded, or a note of why not
 *	relayed		-> worker: recorded
 *
 * When the ledger cannot record what a program has accepted, or the program
 * says the same of message after message, nothing more is handed to it until
 * a mailbox of the account is opened anew.
 */

#include <stdbool.h>

#include "deliver/job.h"
#include "deliver/worker.h"
#include "io/loop.h"

struct outlet;

/* A letter's job has come to its end outside of the worker; the callee's.
 * From the loop. */
typedef void (*outlet_fn)(void *arg, struct job *j);

struct outlet *outlet_new(
    struct loop *loop, struct worker *worker, outlet_fn done, void *arg);
void outlet_free(struct outlet **o); /* after outlet_forget() of all */

/*
 * A mailbox of the account is opened: programs may be run for it again. The
 * job goes to the worker; one of POP3 only when no letter of the account is
 * on its way any more, since its listing gives the numbers another meaning.
 * False when more wait than any engine in its right mind would open.
 */
bool outlet_open_box(struct outlet *o, struct job *j);

/* The job is the outlet's, until it has ended. */
void outlet_commit(struct outlet *o, struct job *j);

/* The worker is done with j. True: it goes on, and is not yet at its end. */
bool outlet_goes_on(struct outlet *o, struct job *j);

/* Programs may be run again, if all that were run have ended. */
void outlet_renew(struct outlet *o, struct job_account *a);

/* Runs no more; what runs may end within MDA_QUEUE_GRACE_MS. Then, and when
 * all that was accepted is with the worker, fn is called from the loop. */
void outlet_stop(struct outlet *o, struct job_account *const *accounts,
    size_t n, loop_fn fn, void *arg);

/* An account is given up: its programs are killed. */
void outlet_forget(struct job_account *a);

#endif
