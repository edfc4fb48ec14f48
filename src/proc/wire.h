/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_WIRE_H
#define MAILHAUL_PROC_WIRE_H

/*
 * What the supervisor and its children say to each other. The children trust
 * the supervisor; the supervisor trusts neither of them.
 */

#include <stdint.h>

#include "conf/conf.h"
#include "fetch/fetch.h"
#include "sys/log.h"
#include "util/buf.h"
#include "util/pack.h"

/* The descriptor on which a child finds its supervisor. */
#define WIRE_FD 3

enum wire_type {
	/* to both */
	WIRE_LINK = 1, /* + descriptor: engine and deliverer of each other */
	WIRE_STOP,     /* end in order */
	/* to the deliverer */
	WIRE_LEDGER, /* log level, path; + descriptor of the lock, to hold */
	WIRE_TARGET, /* number, account, Maildir; all of them before LINK */
	/* to the engine */
	WIRE_LIMITS,  /* log level, connections per host */
	WIRE_CA,      /* number; + descriptor of PEM text */
	WIRE_ACCOUNT, /* number, number of its CA (0: none), account, secret */
	/* from the deliverer */
	WIRE_READY,  /* the ledger is open */
	WIRE_REFUSE, /* error: it cannot be used */
	/* from the engine */
	WIRE_PROGRESS, /* number, progress */
	WIRE_RESULT    /* number, result */
};

/* What the engine needs of an account, and its secret. */
void wire_pack_account(
    struct buf *b, const struct conf_account *a, const struct secret *secret);
struct conf_account *wire_unpack_account(
    struct unpack *u, struct secret **secret); /* NULL when it makes no sense */
void wire_free_account(struct conf_account **a);

/* doing in an unpacked progress is allocated; the caller frees it. */
void wire_pack_progress(struct buf *b, const struct fetch_progress *p);
void wire_unpack_progress(struct unpack *u, struct fetch_progress *p);
void wire_pack_result(struct buf *b, const struct fetch_result *r);
void wire_unpack_result(struct unpack *u, struct fetch_result *r);

void wire_pack_err(struct buf *b, const struct err *e);
void wire_unpack_err(struct unpack *u, struct err *e);

#endif
