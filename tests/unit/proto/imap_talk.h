/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_PROTO_IMAP_TALK_H
#define MAILHAUL_TESTS_UNIT_PROTO_IMAP_TALK_H

/*
 * A conversation with the IMAP machine: what the server says, the events
 * that must come of it, and what must be sent, at every split. Events are
 * written as lines; octets of a body that follow one another are one DATA.
 */

#include "proto/imap.h"
#include "unit/proto/split.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/text.h"

#define TALK_TURNS_MAX 4
#define TALK_LOG_MAX (64 << 20)

struct talk {
	enum imap_tls tls;
	enum sasl_auth auth;
	const char *user, *secret; /* NULL: bob, pass */
	bool token, certificate;
	const char *host;
	struct span binding; /* told when it is new, and after an upgrade */
	bool id;
	/* at IMAP_CHALLENGED */
	void (*challenged)(struct imap *m, struct imap_info *);
	void (*ready)(struct imap *m);                    /* at IMAP_READY */
	void (*done)(struct imap *m, struct imap_info *); /* at IMAP_DONE */
	/* at these three: IDLING, CHANGED, DONE */
	void (*woken)(struct imap *m, enum imap_event ev);
	bool eof; /* at the end */
	struct span turns[TALK_TURNS_MAX];
};

struct talk_run {
	const struct talk *talk;
	struct imap *m;
	struct buf events, data, sent;
	bool over;
};

static inline void
talk_quote(struct buf *to, struct span s)
{
	size_t size = 4 * s.n + 5;
	char *text = mem_new(size);

	buf_add(to, span_of(text_printable(text, size, s)));
	free(text);
}

static inline void
talk_flush(struct talk_run *t)
{
	if (t->data.n == 0)
		return;
	buf_add(&t->events, SPAN("DATA "));
	if (t->data.n > 1000)
		buf_printf(&t->events, "of %zu octets", t->data.n);
	else
		talk_quote(&t->events, buf_span(&t->data));
	buf_addc(&t->events, '\n');
	buf_clear(&t->data);
}

static inline void
talk_err(struct buf *to, const struct err *e)
{
	buf_printf(to, " %s: %s", err_kind_name(e->kind), e->text);
	if (e->after_s != 0)
		buf_printf(to, " (in %u s)", e->after_s);
}

static inline void
talk_done(struct buf *to, const struct imap_info *info)
{
	buf_printf(to, "DONE %u %s", info->ticket, info->ok ? "ok" : "not");
	if (!info->ok)
		talk_err(to, &info->err);
	if (info->exists != 0 || info->uidvalidity != 0 || info->uidnext != 0)
		buf_printf(to, " exists=%u uidvalidity=%u uidnext=%u",
		    info->exists, info->uidvalidity, info->uidnext);
	if (info->read_only)
		buf_printf(to, " read-only");
}

/* Nothing when there is nothing to tell. */
static inline void
talk_marks(struct buf *to, const struct imap_info *info)
{
	if (info->flags != 0)
		buf_printf(to, " flags=%u", info->flags);
	if (info->internaldate != 0)
		buf_printf(to, " date=%lld", (long long)info->internaldate);
}

/* A size that was not given is "-". */
static inline void
talk_fetched(struct buf *to, const struct imap_info *info)
{
	buf_printf(to, "FETCHED %u uid=%u size=", info->ticket, info->uid);
	if (info->has_size)
		buf_printf(to, "%llu", (unsigned long long)info->rfc822_size);
	else
		buf_printf(to, "-");
	talk_marks(to, info);
	buf_addc(to, ' ');
	talk_quote(to, info->data);
}

static inline void
talk_counted(struct buf *to, const struct imap_info *info)
{
	buf_printf(to, "COUNTED %u exists=%u uidnext=%u uidvalidity=%u ",
	    info->ticket, info->exists, info->uidnext, info->uidvalidity);
	talk_quote(to, info->name);
}

static inline void
talk_event(struct talk_run *t, enum imap_event ev, const struct imap_info *i)
{
	struct buf *to = &t->events;

	switch (ev) {
	case IMAP_MORE:
	case IMAP_BODY_DATA:
		return;
	case IMAP_UPGRADE:
		buf_printf(to, "UPGRADE");
		break;
	case IMAP_CHALLENGED:
		buf_printf(to, "CHALLENGED ");
		talk_quote(to, i->data);
		break;
	case IMAP_READY:
		buf_printf(to, "READY");
		break;
	case IMAP_LISTED:
		buf_printf(to, "LISTED %u %s%c ", i->ticket,
		    i->noselect ? "noselect " : "",
		    i->delimiter == '\0' ? '-' : i->delimiter);
		talk_quote(to, i->name);
		break;
	case IMAP_FOUND:
		buf_printf(to, "FOUND %u %u-%u", i->ticket, i->first, i->last);
		break;
	case IMAP_BODY_BEGIN:
		buf_printf(to, "BEGIN %u uid=%u size=%llu", i->ticket, i->uid,
		    (unsigned long long)i->size);
		talk_marks(to, i);
		break;
	case IMAP_BODY_END:
		buf_printf(to, "END %u uid=%u size=%llu", i->ticket, i->uid,
		    (unsigned long long)i->size);
		talk_marks(to, i);
		break;
	case IMAP_FETCHED:
		talk_fetched(to, i);
		break;
	case IMAP_IDLING:
		buf_printf(to, "IDLING %u", i->ticket);
		break;
	case IMAP_COUNTED:
		talk_counted(to, i);
		break;
	case IMAP_OVERFLOW:
		buf_printf(to, "OVERFLOW");
		break;
	case IMAP_CHANGED:
		buf_printf(to, "CHANGED %u", i->exists);
		break;
	case IMAP_VANISHED:
		buf_printf(to, "VANISHED %u of %u", i->first, i->exists + 1);
		break;
	case IMAP_NOTICE:
		buf_printf(to, "NOTICE ");
		talk_quote(to, i->text);
		break;
	case IMAP_IDENTIFIED:
		buf_printf(to, "IDENTIFIED ");
		talk_quote(to, i->text);
		break;
	case IMAP_DONE:
		talk_done(to, i);
		break;
	case IMAP_CLOSED:
		buf_printf(to, "CLOSED");
		break;
	case IMAP_FAILED:
		buf_printf(to, "FAILED");
		talk_err(to, imap_error(t->m));
		break;
	}
	buf_addc(to, '\n');
}

static inline void
talk_send(struct talk_run *t)
{
	struct span out = imap_output(t->m);

	buf_add(&t->sent, out);
	imap_sent(t->m, out.n);
}

static inline void
talk_act(struct talk_run *t, enum imap_event ev, struct imap_info *info)
{
	if (ev == IMAP_BODY_DATA)
		buf_add(&t->data, info->data);
	else
		talk_flush(t);
	talk_event(t, ev, info);
	talk_send(t);
	if (ev == IMAP_UPGRADE && t->talk->binding.n > 0)
		imap_bind(t->m, t->talk->binding);
	if (ev == IMAP_UPGRADE)
		imap_upgraded(t->m);
	if (ev == IMAP_CHALLENGED && t->talk->challenged != NULL)
		t->talk->challenged(t->m, info);
	if (ev == IMAP_READY && t->talk->ready != NULL)
		t->talk->ready(t->m);
	if (ev == IMAP_DONE && t->talk->done != NULL)
		t->talk->done(t->m, info);
	if ((ev == IMAP_IDLING || ev == IMAP_CHANGED || ev == IMAP_DONE) &&
	    t->talk->woken != NULL)
		t->talk->woken(t->m, ev);
	t->over = ev == IMAP_CLOSED || ev == IMAP_FAILED;
	talk_send(t);
}

static inline void *
talk_open(const void *arg)
{
	struct talk_run *t = mem_new(sizeof(*t));
	const struct talk *talk = arg;
	const char *secret = talk->secret == NULL ? "pass" : talk->secret;
	struct secret *octets = secret_new(span_of(secret));
	struct imap_params params = {
		.tls = talk->tls,
		.auth = talk->auth,
		.user = talk->user == NULL ? "bob" : talk->user,
		.secret = octets,
		.secret_is_token = talk->token,
		.has_certificate = talk->certificate,
		.host = talk->host,
		.port = 143,
		.id = talk->id,
	};

	t->talk = talk;
	t->m = imap_new(&params);
	if (talk->binding.n > 0 && talk->tls == IMAP_TLS_DONE)
		imap_bind(t->m, talk->binding);
	secret_free(&octets);
	buf_init(&t->events, TALK_LOG_MAX);
	buf_init(&t->data, TALK_LOG_MAX);
	buf_init(&t->sent, TALK_LOG_MAX);
	return t;
}

static inline void
talk_feed(void *run, struct span piece)
{
	struct talk_run *t = run;
	struct imap_info info;

	while (!t->over) {
		enum imap_event ev = imap_step(t->m, &piece, &info);

		if (ev == IMAP_MORE) {
			assert_int_equal(piece.n, 0);
			talk_send(t);
			return;
		}
		talk_act(t, ev, &info);
	}
}

static inline char *
talk_close(void *run)
{
	struct talk_run *t = run;
	struct imap_info none = { 0 };
	char *log;

	if (t->talk->eof && !t->over)
		talk_act(t, imap_eof(t->m), &none);
	talk_flush(t);
	buf_add(&t->events, SPAN("--\n"));
	buf_add(&t->events, buf_span(&t->sent));
	log = mem_spandup(buf_span(&t->events));
	imap_free(&t->m);
	assert_null(t->m);
	buf_deinit(&t->events);
	buf_deinit(&t->data);
	buf_deinit(&t->sent);
	free(t);
	return log;
}

static const struct split_ops talk_ops = { talk_open, talk_feed, talk_close };

static inline size_t
talk_turns(const struct talk *talk)
{
	size_t n = 0;

	while (n < TALK_TURNS_MAX && talk->turns[n].n > 0)
		n++;
	return n;
}

/* want: the events, "--\n", and what was sent. */
static inline void
talk_expect(const struct talk *talk, const char *want)
{
	char *log = split_every(&talk_ops, talk, talk->turns, talk_turns(talk));

	assert_string_equal(log, want);
	free(log);
}

/* The same without cuts: for what is large. */
static inline char *
talk_once(const struct talk *talk)
{
	size_t n = talk_turns(talk);

	return split_run(&talk_ops, talk, talk->turns, n, n, 0, 65536);
}

/* A session that is logged in after these; its first request is A2. */
#define TALK_HELLO                                                             \
	"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello\r\n"             \
	"A1 OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n"
#define TALK_HELLO_EVENTS "READY\n"
#define TALK_HELLO_SENT "A1 AUTHENTICATE PLAIN AGJvYgBwYXNz\r\n"

/* After READY: what requests makes of said; want is without what the login
 * gives. */
static inline void
talk_ready(void (*requests)(struct imap *m), struct span said,
    const char *events, const char *sent)
{
	struct talk talk = { .ready = requests,
		.turns = { SPAN(TALK_HELLO), said } };
	char *want = mem_printf(
	    TALK_HELLO_EVENTS "%s--\n" TALK_HELLO_SENT "%s", events, sent);

	talk_expect(&talk, want);
	free(want);
}

#endif
