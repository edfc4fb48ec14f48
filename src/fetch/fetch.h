/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_FETCH_H
#define MAILHAUL_FETCH_FETCH_H

/*
 * One fetch of one account: connect, log in, find what is new, hand it to
 * the deliverer, remove what is to be removed, leave. It ends with one call
 * of fn, whatever happens; when to try again is not decided here.
 *
 * Nothing is removed on the server before the deliverer said that it is
 * durable; nothing is asked for that the ledger says is handled.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fetch/env.h"
#include "fetch/relays.h"
#include "session/imap_session.h"
#include "session/pop3_session.h"
#include "util/err.h"

struct fetch;

#define FETCH_MAILBOX_MAX 256

struct fetch_suspect {
	char mailbox[FETCH_MAILBOX_MAX]; /* "" for POP3 */
	uint32_t number;                 /* 0: none */
};

/* How a session that stays hears of new mail. */
enum fetch_how { FETCH_HOW_POLL, FETCH_HOW_IDLE, FETCH_HOW_NOTIFY };

struct fetch_round;

/* IMAP: what to do when all is fetched. */
struct fetch_stay {
	bool on; /* stay and fetch what comes, if the server tells of it */
	bool idle, notify, list_status; /* may be used where offered */
	bool no_idle;                   /* of the last result: it is no news */
	uint64_t renew_s;  /* IDLE is ended and begun anew so often */
	uint64_t safety_s; /* all is looked at so often, told or not */
	uint64_t poll_s;   /* mailboxes nobody tells of are asked about */
	/* Mailboxes that another session sees to. */
	const char *const *without;
	size_t n_without;
	/* From the loop, whenever all is fetched and it waits again; with
	 * what fetch_new() was given. fetch_free() inside it is not fine,
	 * fetch_leave() is. */
	void (*round)(void *arg, const struct fetch_round *round);
};

struct fetch_params {        /* not ours; outlives the fetch */
	const char *subject; /* the account's name, for the log */
	uint32_t account;    /* its number with the deliverer */
	struct conn_params conn;
	bool is_pop3; /* else IMAP */
	struct imap_params imap;
	struct pop3_params pop3;
	const char *const *mailboxes; /* names and patterns; IMAP */
	size_t n_mailboxes;
	/* How a message is written; the mailbox is filled in. */
	struct draft_style style;
	bool relays; /* letters are handed to a server by relay */
	struct relay_params relay;
	bool folders;        /* mailboxes have places of their own */
	bool keep_flags;     /* IMAP: and the date of arrival */
	uint64_t max_size;   /* octets; what is larger is not fetched; 0 */
	bool stubs;          /* but a stub is delivered for it */
	bool remove;         /* after delivery, on the server */
	bool expunge_others; /* a bare EXPUNGE may take what others marked */
	uint64_t total_timeout_s; /* of one round; 0: none */
	struct fetch_stay stay;
	/* The message that was half received when the last try lost its
	 * connection: it comes last this time, so that others get through. */
	struct fetch_suspect suspect;
};

struct fetch_progress {
	const char *doing;     /* "connecting", "fetching", ... */
	uint64_t messages;     /* delivered so far */
	uint64_t total;        /* to be delivered, as far as known */
	uint64_t octets;       /* received so far of messages */
	uint64_t total_octets; /* 0: not known */
};

struct fetch_result {
	struct err err; /* ERR_NONE: nothing failed */
	struct fetch_progress progress;
	uint64_t removed;
	uint64_t troubles; /* messages that did not get through this time */
	bool logged_in;    /* the session got that far */
	bool more;         /* the server showed a part only: fetch again */
	bool late;         /* ended by the clock: another try would, too */
	struct fetch_suspect suspect; /* for the next try */
	uint64_t idled_s; /* the server ended an IDLE that lasted so long */
	bool no_idle;     /* the server offers IDLE, but does not keep it */
	uint64_t delay_s; /* POP3: the server wants so much between logins */
};

struct fetch_round {
	const struct fetch_result *result; /* since the last round */
	enum fetch_how how;
	size_t watched, polled; /* mailboxes */
	bool heard;             /* mail came that the server told of */
	const char *home;       /* the mailbox it waits in; NULL: none */
	bool missed; /* mail was there of which it had told nothing */
};

/* From the loop. fetch_free() inside it is fine. */
typedef void (*fetch_fn)(void *arg, const struct fetch_result *result);

struct fetch *fetch_new(const struct fetch_env *env,
    const struct fetch_params *params, fetch_fn fn, void *arg);
void fetch_free(struct fetch **f); /* at once; fn is not called */

/* Ends soon with ERR_CANCEL: what is half received is dropped, what was given
 * to the deliverer is waited for. */
void fetch_stop(struct fetch *f);

/* ---- of one that stays ---- */

/* Looks at all now; a round follows. Nothing while it is fetching: false. */
bool fetch_look(struct fetch *f);
/* Ends with ERR_NET within seconds unless the server answers. */
void fetch_probe(struct fetch *f);
/* The deliverer goes, and env->client with it. True: it only waits, and sees
 * to what comes meanwhile after fetch_attach(), when another deliverer knows
 * the account; false: it needs a deliverer, free it. */
bool fetch_detach(struct fetch *f);
void fetch_attach(struct fetch *f);
/* Says good-bye when it waits, else as fetch_stop(); fn follows. */
void fetch_leave(struct fetch *f);
/* Until the next look that nobody asked for it is no longer than this. */
void fetch_safety(struct fetch *f, uint64_t s);
/* The mailboxes of this session, in order; NULL: no more. Valid until the
 * fetch ends. */
const char *fetch_mailbox(const struct fetch *f, size_t i);
/* Another session sees to it (inside round, or while it waits) or no longer
 * does. */
void fetch_give_away(struct fetch *f, const char *mailbox);
void fetch_take_back(struct fetch *f, const char *mailbox);

const struct fetch_progress *fetch_progress(const struct fetch *f);

#endif
