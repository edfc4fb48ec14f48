/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_LMTP_H
#define MAILHAUL_PROTO_LMTP_H

/*
 * LMTP and SMTP client, without I/O, of the same shape as proto/pop3.h:
 * octets in, events out, octets for the server in lmtp_output(). RFC 2033,
 * RFC 5321, PIPELINING 2920, CHUNKING 3030, 8BITMIME 6152, SMTPUTF8 6531, SIZE
 * 1870, STARTTLS 3207, enhanced codes 2034.
 *
 * After lmtp_new() the machine greets and upgrades by itself and reports
 * LMTP_READY. Then, for each message:
 *	lmtp_mail()	sender, recipients, size; answers may come at once
 *	LMTP_BODY	lmtp_body() while lmtp_output() is short, lmtp_end()
 *	LMTP_ANSWER	once for each recipient, at any time from lmtp_mail() on
 *	LMTP_SENT	the next lmtp_mail(), or lmtp_quit()
 * LMTP_BODY does not come when no recipient is left who would take it. Nothing
 * that lets the server accept the message is in the output before lmtp_end().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"

struct lmtp;

enum lmtp_tls {
	LMTP_TLS_DONE, /* TLS from the first octet, or a socket of this host */
	LMTP_TLS_UPGRADE, /* insist on STARTTLS before any mail */
	LMTP_TLS_NONE     /* the user chose a clear connection */
};

struct lmtp_params { /* all is copied by lmtp_new() */
	bool smtp;   /* EHLO, not LHLO; one answer for all recipients */
	enum lmtp_tls tls;
	const char *helo;       /* what we call ourselves */
	unsigned int timeout_s; /* for an answer; 0: ours */
};

enum lmtp_event {
	LMTP_MORE = 0, /* no event: all input is used, give more */
	LMTP_UPGRADE,  /* start TLS, then lmtp_upgraded() */
	LMTP_READY,    /* greeted: lmtp_mail() */
	LMTP_BODY,     /* lmtp_body() and lmtp_end() are welcome */
	LMTP_ANSWER, /* the final one for info.recipient: info.verdict, .err */
	LMTP_SENT,   /* all recipients are answered */
	LMTP_CLOSED, /* the end after lmtp_quit() */
	LMTP_FAILED  /* terminal: see lmtp_error(); what was not answered by
	                  now is unknown, and not accepted before lmtp_end() */
};

enum lmtp_verdict {
	LMTP_ACCEPTED, /* the server has it, for this recipient */
	LMTP_LATER,    /* 4xx */
	LMTP_NEVER     /* 5xx, or it cannot be asked for */
};

struct lmtp_info {
	size_t recipient; /* an index into lmtp_mail's recipients */
	enum lmtp_verdict verdict;
	struct err err; /* ERR_MESSAGE, quoting the server, printable; for
	                   LMTP_ACCEPTED ERR_NONE, with such a text */
};

/* Addresses have no angle brackets around them, and hold no CR, LF, NUL,
 * '<', '>', blank or other control character: the caller has checked. */
struct lmtp_mail {          /* all is copied by lmtp_mail() */
	struct span sender; /* empty: the null sender */
	const struct span *recipients;
	size_t n;       /* of them, at least 1 */
	uint64_t size;  /* octets that lmtp_body() will get in all, exactly */
	bool eight_bit; /* some octet is above 127 */
	bool bare;      /* has bare LF or CR, or does not end with CRLF */
};

struct lmtp *lmtp_new(const struct lmtp_params *params);
void lmtp_free(struct lmtp **m); /* sets *m to NULL; NULL is fine */

enum lmtp_event lmtp_step(
    struct lmtp *m, struct span *in, struct lmtp_info *info);

/* End of file from the server: LMTP_FAILED (ERR_NET), or LMTP_CLOSED if all
 * that was missing is the answer to QUIT. */
enum lmtp_event lmtp_eof(struct lmtp *m);

struct span lmtp_output(const struct lmtp *m);
void lmtp_sent(struct lmtp *m, size_t n);
bool lmtp_output_is_body(const struct lmtp *m); /* octets of the message */

void lmtp_upgraded(struct lmtp *m);

/* After LMTP_READY, or after LMTP_SENT. */
void lmtp_mail(struct lmtp *m, const struct lmtp_mail *mail);

/* After LMTP_BODY. At most LMTP_PIECE_MAX octets in a piece, and only while
 * lmtp_output() holds no more than that. */
#define LMTP_PIECE_MAX ((size_t)256 * 1024)
void lmtp_body(struct lmtp *m, struct span octets);
void lmtp_end(struct lmtp *m); /* all were given: the server may accept */

void lmtp_quit(struct lmtp *m); /* like lmtp_mail() */

bool lmtp_can(const struct lmtp *m, const char *capability);
bool lmtp_in_body(const struct lmtp *m); /* between LMTP_BODY and the end */
/* An event is due that lmtp_step() gives without input. */
bool lmtp_has_news(const struct lmtp *m);
uint64_t lmtp_replies(const struct lmtp *m); /* heard so far */

unsigned int lmtp_timeout(const struct lmtp *m); /* seconds; 0: for ever */
void lmtp_expire(struct lmtp *m);

const struct err *lmtp_error(const struct lmtp *m);
const char *lmtp_state_name(const struct lmtp *m);

#endif
