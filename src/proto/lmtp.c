/* SPDX-License-Identifier: ISC */
#include "proto/lmtp.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/lmtp_greet.h"
#include "proto/lmtp_reply.h"
#include "proto/lmtp_transaction.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/text.h"

/* What may wait, a piece that grows behind it, and commands. */
#define OUTPUT_MAX (LMTP_PIECE_MAX * (LMTP_BODY_GROWTH + 2))
#define TEXT_MAX 512 /* of a reply, in an error */
#define QUIT_S 30

struct lmtp {
	enum { IN_GREET, IN_READY, IN_QUIT, IN_CLOSED, IN_FAILED } phase;
	struct lmtp_reply reply;
	struct buf output;
	bool output_is_body;
	struct lmtp_greet greet;
	struct lmtp_transaction transaction;
	unsigned int timeout_s; /* 0: ours */
	uint64_t replies;
	struct err err;
};

/* ---- life ---- */

struct lmtp *
lmtp_new(const struct lmtp_params *params)
{
	struct lmtp *m = mem_new(sizeof(*m));

	m->phase = IN_GREET;
	m->timeout_s = params->timeout_s;
	lmtp_reply_init(&m->reply);
	buf_init(&m->output, OUTPUT_MAX);
	lmtp_greet_init(&m->greet, params, &m->output);
	lmtp_transaction_init(&m->transaction, &m->output);
	return m;
}

void
lmtp_free(struct lmtp **m)
{
	if (*m == NULL)
		return;
	lmtp_transaction_deinit(&(*m)->transaction);
	lmtp_greet_deinit(&(*m)->greet);
	lmtp_reply_deinit(&(*m)->reply);
	buf_deinit(&(*m)->output);
	free(*m);
	*m = NULL;
}

/* ---- hearing ---- */

static enum lmtp_event
fail_as(struct lmtp *m, const struct err *e)
{
	m->err = *e;
	m->phase = IN_FAILED;
	return LMTP_FAILED;
}

static enum lmtp_event
fail(struct lmtp *m, enum err_kind kind, const char *what, const char *quote)
{
	struct err e;

	err_set(&e, kind, 0, "%s%s%s", what, *quote != '\0' ? ": " : "", quote);
	return fail_as(m, &e);
}

static enum lmtp_event
fail_quoting(struct lmtp *m, enum err_kind kind, const char *what)
{
	char text[TEXT_MAX];

	return fail(
	    m, kind, what, lmtp_reply_text(&m->reply, text, sizeof(text)));
}

static enum lmtp_event
in_greet(struct lmtp *m, size_t behind)
{
	enum lmtp_event ev = lmtp_greet_reply(&m->greet, &m->reply, behind);

	if (ev == LMTP_READY)
		m->phase = IN_READY;
	return ev == LMTP_FAILED ? fail_as(m, &m->greet.err) : ev;
}

static enum lmtp_event
in_transaction(struct lmtp *m)
{
	enum lmtp_event ev;

	if (!lmtp_transaction_waits(&m->transaction))
		return fail_quoting(m, ERR_PROTO, "the server speaks unasked");
	ev = lmtp_transaction_reply(&m->transaction, &m->reply);
	if (ev == LMTP_FAILED)
		ev = fail_as(m, &m->transaction.err);
	/* what was answered is told first */
	return lmtp_has_news(m) ? LMTP_MORE : ev;
}

/* RFC 5321 3.8: 421 may be the answer to anything, and it is the last one. */
static enum lmtp_event
on_reply(struct lmtp *m, size_t behind)
{
	m->replies++;
	if (m->phase == IN_QUIT) {
		m->phase = IN_CLOSED;
		return LMTP_CLOSED;
	}
	if (m->reply.code == 421)
		return fail_quoting(
		    m, ERR_TEMP, "the server closes the connection");
	return m->phase == IN_GREET ? in_greet(m, behind) : in_transaction(m);
}

static enum lmtp_event
on_bad_reply(struct lmtp *m, struct err *e)
{
	if (m->phase == IN_GREET && m->replies == 0)
		lmtp_greet_doubt(&m->greet, e);
	return fail_as(m, e);
}

static enum lmtp_event
on_input(struct lmtp *m, struct span *in)
{
	struct err e;

	if (m->phase == IN_GREET && lmtp_greet_in_tls(&m->greet))
		return fail(m, ERR_TLS, "octets before TLS began", "");
	switch (lmtp_reply_next(&m->reply, in, &e)) {
	case LMTP_REPLY_WHOLE:
		return on_reply(m, in->n);
	case LMTP_REPLY_BAD:
		return on_bad_reply(m, &e);
	case LMTP_REPLY_MORE:
		break;
	}
	return LMTP_MORE;
}

/* Answers are told before the end, whatever brought it. */
static enum lmtp_event
turn(struct lmtp *m, struct span *in, struct lmtp_info *info)
{
	if (m->transaction.envelope.recipients.due > 0)
		return lmtp_transaction_news(&m->transaction, info);
	if (m->phase == IN_FAILED)
		return LMTP_FAILED;
	if (m->phase == IN_CLOSED)
		return LMTP_CLOSED;
	if (lmtp_transaction_has_news(&m->transaction))
		return lmtp_transaction_news(&m->transaction, info);
	return in->n == 0 ? LMTP_MORE : on_input(m, in);
}

enum lmtp_event
lmtp_step(struct lmtp *m, struct span *in, struct lmtp_info *info)
{
	enum lmtp_event ev;

	do {
		*info = (struct lmtp_info){ 0 };
		ev = turn(m, in, info);
	} while (ev == LMTP_MORE && (in->n > 0 || lmtp_has_news(m)));
	return ev;
}

void
lmtp_upgraded(struct lmtp *m)
{
	lmtp_greet_upgraded(&m->greet);
}

static void
end(struct lmtp *m, const char *what)
{
	if (m->phase < IN_CLOSED)
		fail(m, ERR_NET, what, lmtp_state_name(m));
}

enum lmtp_event
lmtp_eof(struct lmtp *m)
{
	if (m->phase == IN_QUIT) /* impolite, and no harm */
		m->phase = IN_CLOSED;
	end(m, "the server closed the connection");
	return m->phase == IN_CLOSED ? LMTP_CLOSED : LMTP_FAILED;
}

void
lmtp_expire(struct lmtp *m)
{
	end(m, "the server has not answered in time");
}

/* ---- saying ---- */

struct span
lmtp_output(const struct lmtp *m)
{
	return buf_span(&m->output);
}

void
lmtp_sent(struct lmtp *m, size_t n)
{
	buf_drop(&m->output, n);
	if (m->output.n > 0)
		return;
	m->output_is_body = false;
	buf_release(&m->output);
	if (m->phase == IN_READY)
		lmtp_transaction_say(&m->transaction);
}

bool
lmtp_output_is_body(const struct lmtp *m)
{
	return m->output_is_body;
}

/* The end may come at any time, so a request that is too late is no mistake
 * of the caller's; one that is too early is. */
static bool
may_ask(const struct lmtp *m, enum lmtp_part part)
{
	if (m->phase == IN_FAILED || m->phase == IN_CLOSED)
		return false;
	assert(m->phase == IN_READY);
	assert(m->transaction.part == part);
	return true;
}

static struct lmtp_terms
terms(const struct lmtp *m)
{
	struct lmtp_terms t = {
		.smtp = m->greet.smtp,
		.pipelining = lmtp_can(m, "PIPELINING"),
		.chunking = lmtp_can(m, "CHUNKING"),
		.binary_mime = lmtp_can(m, "BINARYMIME"),
		.eight_bit_mime = lmtp_can(m, "8BITMIME"),
		.smtputf8 = lmtp_can(m, "SMTPUTF8"),
	};
	struct span max = SPAN("");

	t.size = lmtp_greet_can(&m->greet, SPAN("SIZE"), &max);
	if (!text_number(&max, UINT64_MAX, &t.size_max) || max.n > 0)
		t.size_max = 0;
	return t;
}

void
lmtp_mail(struct lmtp *m, const struct lmtp_mail *mail)
{
	struct lmtp_terms t;

	if (!may_ask(m, LMTP_PART_NONE))
		return;
	t = terms(m);
	lmtp_transaction_begin(&m->transaction, &t, mail);
}

void
lmtp_body(struct lmtp *m, struct span octets)
{
	if (octets.n == 0 || !may_ask(m, LMTP_PART_BODY))
		return;
	assert(octets.n <= LMTP_PIECE_MAX && m->output.n <= LMTP_PIECE_MAX);
	m->output_is_body = true;
	lmtp_transaction_body(&m->transaction, octets);
}

void
lmtp_end(struct lmtp *m)
{
	if (!may_ask(m, LMTP_PART_BODY))
		return;
	m->output_is_body = true;
	lmtp_transaction_end(&m->transaction);
}

void
lmtp_quit(struct lmtp *m)
{
	if (!may_ask(m, LMTP_PART_NONE))
		return;
	m->phase = IN_QUIT;
	buf_add(&m->output, SPAN("QUIT\r\n"));
}

/* ---- questions ---- */

bool
lmtp_can(const struct lmtp *m, const char *capability)
{
	return lmtp_greet_can(&m->greet, span_of(capability), NULL);
}

bool
lmtp_in_body(const struct lmtp *m)
{
	return m->phase == IN_READY && !m->transaction.body_due &&
	    m->transaction.part == LMTP_PART_BODY;
}

bool
lmtp_has_news(const struct lmtp *m)
{
	return lmtp_transaction_has_news(&m->transaction);
}

uint64_t
lmtp_replies(const struct lmtp *m)
{
	return m->replies;
}

/* What is short by nature is not made longer. */
static unsigned int
shorter(unsigned int s, unsigned int limit)
{
	return limit != 0 && limit < s ? limit : s;
}

unsigned int
lmtp_timeout(const struct lmtp *m)
{
	unsigned int s = 0;

	if (m->phase == IN_GREET)
		return shorter(lmtp_greet_timeout(&m->greet), m->timeout_s);
	if (m->phase == IN_QUIT)
		return shorter(QUIT_S, m->timeout_s);
	if (m->phase == IN_READY)
		s = lmtp_transaction_timeout(&m->transaction);
	return s > 0 && m->timeout_s > 0 ? m->timeout_s : s;
}

const struct err *
lmtp_error(const struct lmtp *m)
{
	return &m->err;
}

const char *
lmtp_state_name(const struct lmtp *m)
{
	static const char *const names[] = {
		[IN_QUIT] = "quit",
		[IN_CLOSED] = "closed",
		[IN_FAILED] = "failed",
	};

	if (m->phase == IN_GREET)
		return lmtp_greet_name(&m->greet);
	if (m->phase == IN_READY)
		return lmtp_transaction_name(&m->transaction);
	return names[m->phase];
}
