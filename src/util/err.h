/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_ERR_H
#define MAILHAUL_UTIL_ERR_H

/*
 * What went wrong, in words, and of which kind. The kind is chosen by what
 * the scheduler does about it (sched/reaction.c has the one table). A struct
 * err lives on the caller's stack; nothing is allocated.
 */

#include <stdbool.h>

enum err_kind {
	ERR_NONE,
	ERR_NET,      /* resolver, connect, reset, end of file: try again */
	ERR_TLS,      /* certificate or handshake */
	ERR_PROTO,    /* the server broke the protocol: reconnect */
	ERR_AUTH,     /* the login was refused */
	ERR_THROTTLE, /* the server asks us to slow down */
	ERR_TEMP,     /* the server is unavailable for now */
	ERR_LOCKED,   /* another session holds the mailbox */
	ERR_MESSAGE,  /* this message only */
	ERR_MAILBOX,  /* this mailbox only: missing, UIDVALIDITY changed */
	ERR_DELIVER,  /* our side: disk, MDA, ledger */
	ERR_CONFIG,   /* the user must change something */
	ERR_CANCEL,   /* we were asked to stop */
	ERR_KINDS
};

#define ERR_TEXT_MAX 240

struct err {
	enum err_kind kind;
	int sys;              /* errno, or 0 */
	unsigned int after_s; /* the server asked to wait so long; 0: no */
	char text[ERR_TEXT_MAX];
};

/*
 * Fills *e and returns -1, so that a failing function ends in
 * "return err_set(...)". The text is made printable; what is too long is cut.
 * e may be NULL.
 */
int err_set(struct err *e, enum err_kind kind, int sys, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "what: " in front of the text of *e; returns -1. */
int err_prefix(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void err_clear(struct err *e);
const char *err_kind_name(enum err_kind kind); /* "net", "tls", ... */

#endif
