/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_H
#define MAILHAUL_PROTO_IMAP_H

/*
 * IMAP client, without I/O. Octets from the server go in, events come out,
 * and octets for the server wait in imap_output(). The machine never reads a
 * clock, a socket or a file, never logs and never calls back, so it may be
 * freed between any two calls. RFC 3501 (9051 where noted), SASL-IR RFC 4959,
 * ID RFC 2971, UIDPLUS RFC 4315, LITERAL+ RFC 7888, IDLE RFC 2177, NOTIFY RFC
 * 5465, LIST-STATUS RFC 5819.
 *
 * One round of a driver:
 *	feed	while ((ev = imap_step(m, &in, &info)) != IMAP_MORE) act on ev;
 *	write	send imap_output(m), then imap_sent(m, n);
 *	wait	for input, or for imap_timeout(m) seconds, then imap_expire(m).
 *
 * After imap_new() the machine greets, upgrades and logs in by itself and
 * reports IMAP_READY. From then on requests may be made at any time, several
 * before the first is answered; each gives a ticket, and IMAP_DONE reports
 * its end, in the order the server chooses. Untagged data is reported with
 * the ticket of the oldest request it can belong to, or 0.
 *
 * A line that makes no sense costs that line; an octet count that makes no
 * sense costs the session, since nothing behind it can be trusted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/sasl_choose.h"
#include "util/err.h"
#include "util/secret.h"
#include "util/set.h"
#include "util/span.h"

struct imap;
struct reach_tunnel; /* of no use to the machine */

enum imap_tls {
	IMAP_TLS_DONE,    /* the connection is TLS from its first octet */
	IMAP_TLS_UPGRADE, /* insist on STARTTLS before any credential */
	IMAP_TLS_NONE     /* the user chose a clear connection (tls = none) */
};

struct imap_params { /* all is copied by imap_new() */
	enum imap_tls tls;
	enum sasl_auth auth;
	const char *user;
	const struct secret *secret; /* NULL: there is none */
	bool secret_is_token;        /* an access token, no password */
	bool has_certificate;        /* TLS shows one of ours */
	const char *host;            /* as OAUTHBEARER tells it; or NULL */
	unsigned int port;
	/* For the session, which borrows it: how it gets at who answers the
	 * challenges of SASL_GSSAPI. */
	struct reach_tunnel *kerberos;
	/* There by the user's own tunnel, which may have logged in for us: then
	 * PREAUTH is welcome, as with IMAP_TLS_NONE, and no secret is needed.
	 * Nowhere else: who can say it in the server's place would have us take
	 * his mail for the user's (RFC 9051 11.3). */
	bool tunnelled;
	bool id;         /* send ID when offered */
	bool keep_offer; /* for imap_offered() */
	/* How long the server may be silent before a request is answered; 0:
	 * 300. It can shorten the other waits, but lengthens none. */
	unsigned int timeout_s;
};

enum imap_event {
	IMAP_MORE = 0,   /* no event: all input is used, give more */
	IMAP_UPGRADE,    /* start TLS on the connection, then imap_upgraded() */
	IMAP_CHALLENGED, /* SASL_GSSAPI: info.data is a challenge in base64;
	                    then imap_respond() or imap_respond_failed(), at any
	                    time. The wait of imap_timeout() goes on. */
	IMAP_READY,      /* logged in: requests are welcome */
	IMAP_LISTED,     /* info.name, info.noselect, info.delimiter; the name
	                    is empty for imap_list_delimiter(), and only then */
	IMAP_FOUND,      /* SEARCH: info.first to info.last exist */
	IMAP_BODY_BEGIN, /* a message starts: info.uid (0: not yet known),
	                    info.size */
	IMAP_BODY_DATA,  /* info.data: raw octets, valid until the next call */
	IMAP_BODY_END,   /* all its octets were seen, and the FETCH response is
	                    complete: info.uid (0: the server never said),
	                    info.size, info.flags, info.internaldate */
	IMAP_FETCHED,    /* a FETCH response without a body ended: info.uid (0:
	                    not said), info.flags, info.internaldate, and
	                    info.has_size, info.rfc822_size and info.data
	                    (header octets) where asked for and given. A body
	                    that was NIL is reported so too. The items that
	                    stand in it, NIL or not, tell which kind of request
	                    it belongs to. One that names neither size nor
	                    header is told only while an imap_fetch() is in
	                    flight: servers send flags at any time. So what was
	                    asked for may never be told before IMAP_DONE. */
	IMAP_IDLING,     /* IDLE: the server said "+" and tells of changes from
	                    now on: info.ticket. Not told when imap_idle_done()
	                    came first, or when the server never says it. */
	IMAP_COUNTED,    /* STATUS of a mailbox, asked for or (NOTIFY) not:
	                    info.name ("INBOX" in this case always),
	                    info.exists, info.uidnext, info.uidvalidity (each 0:
	                    not told); info.ticket is 0 when nobody asked. With
	                    several requests in flight go by the name. */
	IMAP_OVERFLOW,   /* the server gives NOTIFY up (RFC 5465 5.8): from now
	                    on nothing is told unasked */
	IMAP_CHANGED,    /* info.exists changed, or mail went: look again */
	IMAP_VANISHED,   /* EXPUNGE of sequence number info.first */
	IMAP_NOTICE,     /* text for the user, from ALERT: info.text */
	IMAP_IDENTIFIED, /* what the server says of itself, by its answer to
	                    ID: info.text, "name Dovecot, version 2.3" */
	IMAP_DONE,       /* request info.ticket ended: info.ok, else info.err */
	IMAP_CLOSED,     /* orderly end after imap_logout() */
	IMAP_FAILED      /* terminal: see imap_error() */
};

enum imap_flag { /* RFC 3501 2.3.2 */
	IMAP_SEEN = 1,
	IMAP_FLAGGED = 2,
	IMAP_ANSWERED = 4,
	IMAP_DRAFT = 8,
	IMAP_DELETED = 16
};

struct imap_info {
	uint32_t ticket; /* the request this belongs to; 0: none */
	uint32_t uid, exists;
	uint32_t first, last;
	uint64_t size, rfc822_size;
	bool has_size; /* FETCHED: rfc822_size was given, and is a number */
	/* BODY_END and FETCHED, wherever in the response they stood, and
	 * whether asked for or not: */
	unsigned int flags;   /* enum imap_flag; others are not told */
	int64_t internaldate; /* Unix seconds; 0: none, or before 1970 */
	struct span data;     /* borrowed: valid until the next imap_step() */
	struct span name;     /* mailbox name as UTF-8, borrowed likewise */
	struct span text;     /* borrowed likewise; not made printable */
	bool noselect;        /* LIST: \Noselect or \NonExistent */
	char delimiter;       /* LIST: between levels of the name; 0: none */
	bool ok;              /* DONE: the server said OK */
	struct err err;       /* DONE: what NO or BAD meant, by its code */
	/* DONE of a select; the first two of COUNTED too: */
	uint32_t uidvalidity; /* 0: the server sent none */
	uint32_t uidnext;     /* 0: the server sent none */
	bool read_only;
};

struct imap *imap_new(const struct imap_params *params);
void imap_free(struct imap **m); /* wipes; sets *m to NULL; NULL is fine */

/* Use octets from the front of *in and report the next event, if any. */
enum imap_event imap_step(
    struct imap *m, struct span *in, struct imap_info *info);

/* The server closed its side: end of file. Gives IMAP_CLOSED after a BYE that
 * answers imap_logout(), else IMAP_FAILED (ERR_NET). */
enum imap_event imap_eof(struct imap *m);

/* Octets to write. The span is valid until the next call on m. */
struct span imap_output(const struct imap *m);
void imap_sent(struct imap *m, size_t n);

/* True while imap_output() holds a credential: a trace must not show it. */
bool imap_output_is_secret(const struct imap *m);

void imap_upgraded(struct imap *m); /* the answer to IMAP_UPGRADE */

/* The answer to IMAP_CHALLENGED, in base64, and whether it is the last that the
 * mechanism has; or that there is none, and why: the login is cancelled, which
 * the server has to confirm. Without effect when nobody waits for it any more. */
void imap_respond(struct imap *m, struct span response, bool last);
void imap_respond_failed(struct imap *m, const struct err *why);

/* The channel binding of the TLS connection (tls-exporter, RFC 9266), copied:
 * before the first step, or before imap_upgraded(). Without it there is none.
 */
void imap_bind(struct imap *m, struct span binding);

/*
 * Requests; allowed from IMAP_READY on. Each returns its ticket (> 0). Names
 * are UTF-8 and are sent in modified UTF-7 (RFC 3501 5.1.3); they and sets
 * must be non-empty. Sets are sent as they are: the caller keeps them short
 * (set_take). Output grows with what is asked; a driver asks no more while
 * imap_output() is longer than it likes.
 */
uint32_t imap_list(struct imap *m);
/* What separates the levels of names (RFC 3501 6.3.8), as one IMAP_LISTED
 * with an empty name; some servers answer nothing. */
uint32_t imap_list_delimiter(struct imap *m);
uint32_t imap_select(struct imap *m, const char *mailbox);
uint32_t imap_search_uids(struct imap *m, const struct set *uids,
    uint32_t from); /* UID SEARCH of uids, and of from:* unless from is 0 */
uint32_t imap_search_deleted(struct imap *m);
uint32_t imap_fetch(struct imap *m, const struct set *uids,
    bool with_flags); /* and INTERNALDATE */
/* Sizes, as one IMAP_FETCHED each. */
uint32_t imap_fetch_sizes(struct imap *m, const struct set *uids);
/* Size and the header fields of a fingerprint, as one IMAP_FETCHED each. */
uint32_t imap_fetch_headers(struct imap *m, const struct set *uids);
/* Size and header, of which 64 KiB at most, likewise. */
uint32_t imap_fetch_whole_headers(struct imap *m, const struct set *uids);
uint32_t imap_store_deleted(struct imap *m, const struct set *uids);
uint32_t imap_expunge_uids(struct imap *m, const struct set *uids);
uint32_t imap_expunge(struct imap *m); /* everything: see P4 first */
uint32_t imap_noop(struct imap *m);
/* MESSAGES, UIDNEXT and UIDVALIDITY, as one IMAP_COUNTED; a server may leave
 * out any of them, or say nothing. */
uint32_t imap_status(struct imap *m, const char *mailbox);
/* The same of all mailboxes with their IMAP_LISTED, in any order; for servers
 * that can "LIST-STATUS". */
uint32_t imap_list_status(struct imap *m);
/* From then on EXISTS of the selected mailbox and IMAP_COUNTED of these come
 * unasked, instead of what an imap_notify() before wanted; for servers that
 * can "NOTIFY". They say nothing of what is there already, and refuse what is
 * too much for them (Dovecot: 100 names). n may be 0. An imap_idle() on top
 * harms nothing, and Dovecot 2.3 tells of the selected mailbox only then; of
 * the others it tells either way, without UIDVALIDITY. */
uint32_t imap_notify(struct imap *m, const char *const *mailboxes, size_t n);
/* For servers that can "IDLE". Until its IMAP_DONE no other request may be
 * made but imap_idle_done() and imap_logout(). The server may end it at any
 * time by itself, and refuse it: IMAP_DONE that is not ok, and the session
 * goes on. */
uint32_t imap_idle(struct imap *m);
void imap_idle_done(struct imap *m);    /* ends it; fine when there is none */
bool imap_idling(const struct imap *m); /* an imap_idle() is not yet DONE */
void imap_logout(struct imap *m);       /* then only IMAP_CLOSED or _FAILED */

/* How it logs in and why so; NULL as long as that is not decided. */
const struct sasl_choice *imap_login_choice(const struct imap *m);

/* What the server said it can (after login; "" before). */
bool imap_can(const struct imap *m, const char *capability);
struct span imap_capabilities(const struct imap *m); /* separated by SP */
/* What it said it can when the login began; "" without keep_offer. */
struct span imap_offered(const struct imap *m);
struct span imap_greeting(const struct imap *m);
uint32_t imap_exists(const struct imap *m);
size_t imap_pending(const struct imap *m); /* requests not yet DONE */

/* Seconds the current state may last without any input; then call
 * imap_expire(), which gives IMAP_FAILED from the next step. 0: for ever, as
 * from IMAP_IDLING to imap_idle_done(): that is for the owner to renew. */
unsigned int imap_timeout(const struct imap *m);
/* Until the next IMAP_DONE imap_timeout() is s at most, where it is not 0: to
 * find out soon whether the server is still there. 0 takes it back. */
void imap_hurry(struct imap *m, unsigned int s);
void imap_expire(struct imap *m);

const struct err *imap_error(const struct imap *m);
const char *imap_state_name(const struct imap *m); /* for logs and tests */

#endif
