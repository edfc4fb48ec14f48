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
#include "sched/status.h"
#include "sys/log.h"
#include "util/buf.h"
#include "util/pack.h"

/* The descriptor on which a child finds its supervisor. */
#define WIRE_FD 3

enum wire_type {
	/* to both */
	WIRE_LINK = 1, /* engine: number of the deliverer; + descriptor: of
	                  each other. A second of the same number follows on
	                  UNLINK */
	WIRE_STOP,     /* end in order: all accounts, then all is answered */
	WIRE_LEVEL,    /* of the log, from now on */
	/* to the deliverer */
	WIRE_PLACES, /* before WIRE_LEDGER: whether to make it, and the path
	                of a directory that mail goes to; and again */
	WIRE_LEDGER, /* log level and format, path, whether another will be
	                started; may an MDA gain privileges, are there
	                programs to run, local servers; files of an MDA;
	                + descriptor of the lock, to hold */
	WIRE_TARGET, /* a target; answered by WIRE_KNOWN */
	WIRE_FORGET, /* number: of a target that the engine has left */
	/* to the engine */
	WIRE_LIMITS,   /* log level, connections per host, tell progress */
	WIRE_CA,       /* number; + descriptor of rules of TLS, packed */
	WIRE_ACCOUNT,  /* number, whether it stays, number of its deliverer,
	                 numbers of its CAs (0: none), account, secret */
	WIRE_SURVEY,   /* number, numbers of its CAs, account, secret: what
	                 does its server say? Answered by WIRE_FACT and one
	                 WIRE_RESULT; no deliverer is needed */
	WIRE_UNLINK,   /* number of a deliverer: it is gone */
	WIRE_SECRET,   /* number, secret: instead of the one it had */
	WIRE_DROP,     /* number: ends in order; answered by WIRE_GONE */
	WIRE_POLL,     /* number: look now; answered by WIRE_RESULT, once for
	                 all that came before the look began */
	WIRE_PAUSE,    /* number: no connection until WIRE_RESUME */
	WIRE_RESUME,   /* number: and the breaker is closed again */
	WIRE_PROBE,    /* the network changed: which sessions live? */
	WIRE_PING,     /* answered by WIRE_PONG: the loop goes round */
	WIRE_METRICS,  /* when the daemon was started, restarts so far; +
	                 descriptor of a listening socket for HTTP */
	WIRE_RESTARTS, /* so many there have been now, for the metrics */
	/* ticket; + descriptor of the other end of a tunnel or agent */
	WIRE_TUNNEL_UP,
	/* ticket, error: it has ended, or never was */
	WIRE_TUNNEL_DOWN,
	/* from the deliverer */
	WIRE_READY,  /* the ledger is open */
	WIRE_REFUSE, /* error: it cannot be used */
	WIRE_KNOWN,  /* number: of a target */
	/* to a reader */
	WIRE_READ, /* what, a path; answered by what follows */
	/* from a reader */
	WIRE_PIECE, /* of the answer */
	WIRE_WHOLE, /* that was all */
	/* from the engine */
	WIRE_PROGRESS, /* number, progress */
	WIRE_RESULT,   /* number, result: of an account that does not stay, or
	                  of a poll */
	WIRE_STATUS,   /* number, status: something changed */
	WIRE_WANT,     /* number: its secret was refused, is there another? */
	WIRE_GONE,     /* number: what was dropped has left */
	WIRE_FACT,     /* number, fact: of a survey */
	WIRE_CERTIFICATE, /* number, certificate: that the server showed, if it
	                     is another than last time, or the first today */
	WIRE_PONG,
	/* number, ticket, enum tunnel_kind: run the account's tunnel, or who
	 * answers for it by Kerberos; answered by UP or DOWN */
	WIRE_TUNNEL,
	/* ticket: and end it; no DOWN follows */
	WIRE_TUNNEL_CLOSE
};

/*
 * What the engine needs of an account, and its secret. Programs, files and
 * directories are none of its business: for a socket, relay.socket is "".
 */
void wire_pack_account(
    struct buf *b, const struct conf_account *a, const struct secret *secret);
struct conf_account *wire_unpack_account(
    struct unpack *u, struct secret **secret); /* NULL when it makes no sense */

/* What the deliverer needs of one: where its mail goes. The path or argv of
 * its way is there when it is unpacked. */
void wire_pack_target(
    struct buf *b, uint32_t number, const struct conf_account *a);
struct conf_account *wire_unpack_target(
    struct unpack *u, uint32_t *number); /* NULL when it makes no sense */

void wire_free_account(struct conf_account **a); /* of both kinds */

/* doing in an unpacked progress is allocated; the caller frees it. */
void wire_pack_progress(struct buf *b, const struct fetch_progress *p);
void wire_unpack_progress(struct unpack *u, struct fetch_progress *p);
void wire_pack_result(struct buf *b, const struct fetch_result *r);
void wire_unpack_result(struct unpack *u, struct fetch_result *r);

void wire_pack_status(struct buf *b, const struct status *s);
void wire_unpack_status(struct unpack *u, struct status *s);

void wire_pack_err(struct buf *b, const struct err *e);
void wire_unpack_err(struct unpack *u, struct err *e);

#endif
