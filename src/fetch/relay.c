/* SPDX-License-Identifier: ISC */
#include "fetch/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch/relay_mail.h"
#include "sys/log.h"
#include "util/mem.h"
#include "util/streak.h"

#define PIECE_OCTETS 32768
#define UNSENT_MAX ((size_t)128 * 1024) /* beyond, the body waits */
#define FAILURES_MAX 3                  /* connections lost in a row */
#define LAST_WORD_MS 10000              /* for an answer, when we are to stop */

enum at { AT_REST, AT_DIAL, AT_GREETING, AT_READY, AT_MAIL, AT_LEAVE };

struct relay {
	const struct fetch_env *env;       /* not ours */
	const struct relay_params *params; /* not ours */
	struct lmtp_session *session;
	enum at at;
	bool dialling;                         /* client_dial() is asked */
	TAILQ_HEAD(, relay_mail) asked, mails; /* about, and to be sent */
	struct relay_mail *now;                /* in its transaction */
	bool full;                             /* all octets of it are given */
	unsigned int unrecorded; /* answers the ledger has yet to keep */
	unsigned int sent;       /* over this connection */
	unsigned int failures;
	struct streak streak;
	struct err broken; /* set: nothing is handed on any more */
	struct loop_timer *next, *last_word;
	char piece[PIECE_OCTETS];
};

static void
later(struct relay *r)
{
	loop_timer_arm(r->next, 0);
}

/* ---- letters that end ---- */

static void
give_up(struct relay_mail *m, const struct err *e)
{
	letter_give_up(&m->letter, e, m->fn);
	relay_mail_free(&m);
}

static void break_off(struct relay *r, const struct err *e);
static void drop_now(struct relay *r, const struct err *e);

/* If the ledger cannot keep what the server has taken, the server shall take
 * no more: all of that would come again. */
static void
on_recorded(void *arg, const struct err *e)
{
	struct relay *r = arg;

	r->unrecorded--;
	if (e != NULL && e->kind != ERR_MESSAGE) { /* that is a note, kept */
		break_off(r, e);
		drop_now(r, e);
	}
	later(r);
}

static void
record(struct relay *r, struct relay_mail *m)
{
	r->unrecorded++;
	letter_sent(&m->letter, m->fn, on_recorded, r);
	relay_mail_free(&m);
}

/* With a note of who has it already. */
static void
refuse(struct relay *r, struct relay_mail *m, bool held, const char *reason)
{
	struct span reached[RELAY_RECIPIENTS_MAX];
	size_t n = relay_mail_reached(m, reached);
	struct client_note note = { .number = m->number,
		.held = held,
		.why = CLIENT_WHY_REFUSED,
		.size = m->octets,
		.reason = reason };

	r->unrecorded++;
	letter_refused(&m->letter, &note, reached, n, m->fn, on_recorded, r);
	relay_mail_free(&m);
}

/* Nothing goes any more. */
static void
give_up_all(struct relay *r, const struct err *e)
{
	struct relay_mail *m;

	while ((m = TAILQ_FIRST(&r->mails)) != NULL) {
		TAILQ_REMOVE(&r->mails, m, next);
		give_up(m, e);
	}
}

static void
break_off(struct relay *r, const struct err *e)
{
	if (r->broken.kind == ERR_NONE)
		r->broken = *e;
	give_up_all(r, &r->broken);
}

/* ---- one transaction ---- */

static void
begin(struct relay *r)
{
	struct relay_mail *m = TAILQ_FIRST(&r->mails);
	struct span to[RELAY_RECIPIENTS_MAX];
	struct lmtp_mail mail = { .sender = span_of(m->sender),
		.recipients = to,
		.n = m->n_to,
		.size = m->octets,
		.eight_bit = m->eight_bit,
		.bare = m->bare };

	TAILQ_REMOVE(&r->mails, m, next);
	for (size_t i = 0; i < m->n_to; i++)
		to[i] = span_of(m->to[i]);
	relay_mail_begin(m);
	r->now = m;
	r->full = false;
	r->at = AT_MAIL;
	lmtp_mail(lmtp_session_machine(r->session), &mail);
	lmtp_session_flush(r->session);
}

/* All octets are given; the server may have it when the ledger knows of the
 * one before. */
static void
finish_body(struct relay *r)
{
	if (!r->full || r->now->ended || r->unrecorded > 0)
		return;
	r->now->ended = true;
	lmtp_end(lmtp_session_machine(r->session));
	lmtp_session_flush(r->session);
}

static void lose(struct relay *r, const struct err *e);

static void
give_octets(struct relay *r)
{
	struct relay_mail *m = r->now;
	struct err e;
	ssize_t n;

	while (
	    m->at < m->octets && lmtp_session_unsent(r->session) < UNSENT_MAX) {
		uint64_t left = m->octets - m->at;

		n = pread(m->fd, r->piece,
		    left < sizeof(r->piece) ? left : sizeof(r->piece),
		    (off_t)m->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err_set(&e, ERR_DELIVER, errno,
			    "the spool file cannot be read");
			lose(r, &e);
			return;
		}
		m->at += (uint64_t)n;
		lmtp_body(lmtp_session_machine(r->session),
		    span_make(r->piece, (size_t)n));
		lmtp_session_flush(r->session);
	}
	r->full = m->at == m->octets;
	finish_body(r);
}

/* In 'who: "550 ..."' the code is what tells refusals apart. */
static unsigned int
count_refusal(struct relay *r, const char *text)
{
	const char *quote = strchr(text, '"');
	char code[4] = "";

	if (quote != NULL && strlen(quote) > 3)
		memcpy(code, quote + 1, 3);
	return streak_add(&r->streak, code);
}

static void
refused(struct relay *r, struct relay_mail *m)
{
	bool held = !relay_mail_is_for_later(m);
	struct err e;

	if (count_refusal(r, m->refusal.text) >= STREAK_LONG) {
		err_set(&e, ERR_DELIVER, 0,
		    "the last %u messages all were refused so, and more are "
		    "not tried: %s",
		    r->streak.n, m->refusal.text);
		break_off(r, &e);
	}
	refuse(r, m, held, m->refusal.text);
}

static void
on_sent(struct relay *r)
{
	struct relay_mail *m = r->now;

	r->now = NULL;
	r->at = AT_READY;
	r->sent++;
	r->failures = 0;
	if (relay_mail_done(m)) {
		streak_end(&r->streak);
		record(r, m);
	} else {
		refused(r, m);
	}
	later(r);
}

/* Before its end was said: the server will not take it. */
static void
drop_now(struct relay *r, const struct err *e)
{
	struct relay_mail *m = r->now;

	if (m == NULL || m->ended)
		return;
	r->now = NULL;
	lmtp_session_free(&r->session);
	r->at = AT_REST;
	give_up(m, e);
}

/* ---- the connection ---- */

/* What was under way when it was lost: not answered at all, it is simply sent
 * again; else nobody knows, and it waits its time. */
static void
save_now(struct relay *r, const struct err *e)
{
	struct relay_mail *m = r->now;
	bool held;

	r->now = NULL;
	if (m == NULL)
		return;
	held = m->refusal.kind != ERR_NONE && !relay_mail_is_for_later(m);
	if (held) /* all have answered, and none wants it */
		refuse(r, m, true, m->refusal.text);
	else if (!m->heard && !m->ended && r->failures < FAILURES_MAX)
		TAILQ_INSERT_HEAD(&r->mails, m, next);
	else
		refuse(r, m, false, e->text);
}

static void
lose(struct relay *r, const struct err *e)
{
	struct err why = *e;

	err_prefix(&why, "%s %s", r->params->lmtp.smtp ? "smtp" : "lmtp",
	    r->params->conn.host);
	why.kind = ERR_DELIVER;
	lmtp_session_free(&r->session);
	r->failures = r->sent > 0 ? 1 : r->failures + 1;
	r->sent = 0;
	if (r->at < AT_READY || e->kind == ERR_DELIVER)
		r->failures = FAILURES_MAX;
	save_now(r, &why);
	r->at = AT_REST;
	if (r->failures >= FAILURES_MAX)
		break_off(r, &why);
	else
		log_info(r->params->subject, "%s", why.text);
	later(r);
}

static void
ended(struct relay *r, const struct err *e)
{
	if (r->at == AT_LEAVE) {
		lmtp_session_free(&r->session);
		r->at = AT_REST;
	} else {
		lose(r, e);
	}
}

static void
on_event(void *arg, enum lmtp_event ev, struct lmtp_info *info)
{
	struct relay *r = arg;

	switch (ev) {
	case LMTP_READY:
		r->at = AT_READY;
		later(r);
		break;
	case LMTP_BODY:
		if (r->now != NULL && !r->full)
			give_octets(r);
		break;
	case LMTP_ANSWER:
		if (r->now != NULL)
			relay_mail_answer(r->now, info);
		break;
	case LMTP_SENT:
		if (r->now != NULL)
			on_sent(r);
		break;
	case LMTP_CLOSED:
	case LMTP_FAILED:
		ended(r, &info->err);
		break;
	case LMTP_MORE:
	case LMTP_UPGRADE:
		break;
	}
}

static void
open_session(struct relay *r, int socket)
{
	struct conn_params conn = r->params->conn;

	conn.socket = socket;
	r->at = AT_GREETING;
	r->session = lmtp_session_open(r->env->loop, r->env->dns, &conn,
	    &r->params->lmtp, r->params->subject, on_event, r);
}

static void
on_dialled(void *arg, int fd, const struct err *e)
{
	struct relay *r = arg;

	r->dialling = false;
	if (e != NULL)
		lose(r, e);
	else
		open_session(r, fd);
}

static void
dial(struct relay *r)
{
	if (!r->params->local) {
		open_session(r, 0);
		return;
	}
	r->at = AT_DIAL;
	r->dialling = true;
	client_dial(r->env->client, r->params->account, on_dialled, r);
}

/* ---- what comes next ---- */

static void
on_next(void *arg)
{
	struct relay *r = arg;

	if (r->at == AT_MAIL)
		finish_body(r);
	else if (TAILQ_EMPTY(&r->mails))
		return;
	else if (r->at == AT_REST)
		dial(r);
	else if (r->at == AT_READY)
		begin(r);
}

/* When none does, it is the configuration that is wrong. */
static void
no_recipient(struct relay *r, struct relay_mail *m)
{
	struct err e;

	if (streak_add(&r->streak, "no recipient") >= STREAK_LONG) {
		err_set(&e, ERR_DELIVER, 0,
		    "the last %u messages all named no recipient, and more "
		    "are not tried (recipient-header)",
		    r->streak.n);
		break_off(r, &e);
	}
	refuse(r, m, true,
	    "it names no recipient (recipient-header), and the account has "
	    "none");
}

static void
on_asked(void *arg, struct letter *l, const struct letter_content *content,
    bool known, const struct err *e)
{
	struct relay *r = arg;
	struct relay_mail *m;

	TAILQ_FOREACH (m, &r->asked, next)
		if (m->letter == l)
			break;
	TAILQ_REMOVE(&r->asked, m, next);
	if (e != NULL || known) {
		give_up(m, e);
		return;
	}
	if (r->broken.kind != ERR_NONE) {
		give_up(m, &r->broken);
		return;
	}
	relay_mail_fill(
	    m, content, r->params->recipients, r->params->n_recipients);
	if (content->recipient.n == 0 && r->params->n_recipients == 0) {
		no_recipient(r, m);
	} else if (m->n_to == 0) {
		record(r, m); /* all have it: only the ledger did not know */
	} else {
		TAILQ_INSERT_TAIL(&r->mails, m, next);
		later(r);
	}
}

void
relay_take(struct relay *r, struct letter **l,
    const struct letter_params *params, letter_fn fn)
{
	struct relay_mail *m = relay_mail_new(*l, params->number, fn);

	*l = NULL;
	TAILQ_INSERT_TAIL(&r->asked, m, next);
	letter_ask(m->letter, params, on_asked, r);
}

size_t
relay_load(const struct relay *r)
{
	size_t n = r->now != NULL;
	const struct relay_mail *m;

	TAILQ_FOREACH (m, &r->asked, next)
		n++;
	TAILQ_FOREACH (m, &r->mails, next)
		n++;
	return n;
}

/* ---- life ---- */

static void
on_last_word(void *arg)
{
	struct relay *r = arg;

	if (r->session != NULL)
		lose(r, &r->broken);
}

void
relay_stop(struct relay *r, const struct err *why)
{
	struct err e = *why;

	break_off(r, &e);
	drop_now(r, &e);
	if (r->now != NULL)
		loop_timer_arm(r->last_word, LAST_WORD_MS);
}

struct relay *
relay_new(const struct fetch_env *env, const struct relay_params *params)
{
	struct relay *r = mem_new(sizeof(*r));

	r->env = env;
	r->params = params;
	TAILQ_INIT(&r->asked);
	TAILQ_INIT(&r->mails);
	r->next = loop_timer_new(env->loop, on_next, r);
	r->last_word = loop_timer_new(env->loop, on_last_word, r);
	return r;
}

void
relay_leave(struct relay *r)
{
	if (r->at != AT_READY)
		return;
	r->at = AT_LEAVE;
	lmtp_quit(lmtp_session_machine(r->session));
	lmtp_session_flush(r->session);
}

void
relay_free(struct relay **p)
{
	struct relay *r = *p;
	struct relay_mail *m;

	*p = NULL;
	if (r == NULL)
		return;
	lmtp_session_free(&r->session);
	if (r->dialling)
		client_dial_cancel(r->env->client, r);
	TAILQ_CONCAT(&r->mails, &r->asked, next);
	while ((m = TAILQ_FIRST(&r->mails)) != NULL) {
		TAILQ_REMOVE(&r->mails, m, next);
		relay_mail_free(&m);
	}
	relay_mail_free(&r->now);
	loop_timer_free(&r->next);
	loop_timer_free(&r->last_word);
	free(r);
}
