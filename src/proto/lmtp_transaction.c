/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_transaction.h"

#include <assert.h>
#include <string.h>

#define OUTPUT_ENOUGH 4096 /* no more commands before that drains */
#define TEXT_MAX 512       /* of a reply, in an error */

#define ANSWER_S 300 /* RFC 5321 4.5.3.2 */
#define END_S 600

void
lmtp_transaction_init(struct lmtp_transaction *t, struct buf *output)
{
	*t = (struct lmtp_transaction){ .output = output };
}

void
lmtp_transaction_deinit(struct lmtp_transaction *t)
{
	lmtp_envelope_deinit(&t->envelope);
	lmtp_transaction_init(t, t->output);
}

static enum lmtp_event
fail(struct lmtp_transaction *t, enum err_kind kind, const char *what,
    const struct lmtp_reply *reply)
{
	char text[TEXT_MAX];

	err_set(&t->err, kind, 0, "%s: %s", what,
	    lmtp_reply_text(reply, text, sizeof(text)));
	return LMTP_FAILED;
}

/* ---- the words we say ---- */

/* Any octets fit: what is checked at the door is far below the maximum. */
static void
put(struct lmtp_transaction *t, struct span s)
{
	int r = buf_add(t->output, s);

	assert(r == 0);
}

static void
say_mail(struct lmtp_transaction *t)
{
	lmtp_envelope_put_mail(&t->envelope, t->output);
	t->mail_said = true;
}

static void
say_rcpt(struct lmtp_transaction *t)
{
	lmtp_envelope_put_rcpt(&t->envelope, t->to_ask, t->output);
	t->to_ask = lmtp_recipients_find(
	    &t->envelope.recipients, t->to_ask + 1, LMTP_UNASKED);
}

static void
say_data(struct lmtp_transaction *t)
{
	put(t, SPAN("DATA\r\n"));
	t->data_said = true;
}

static void
say_bdat(struct lmtp_transaction *t)
{
	buf_printf(t->output, "BDAT %llu LAST\r\n",
	    (unsigned long long)t->envelope.size);
}

/* MAIL was refused: what follows it would be refused, too. */
static bool
in_vain(const struct lmtp_transaction *t)
{
	return t->mail_heard && !t->mail_ok;
}

/* With PIPELINING it flies with the rest: RFC 2920 3.1. */
static bool
may_say_data(const struct lmtp_transaction *t)
{
	return !t->envelope.chunked && !t->data_said &&
	    (t->envelope.recipients.welcome > 0 ||
		(t->pipelining && t->flying > 0));
}

static bool
say_next(struct lmtp_transaction *t)
{
	if (!t->mail_said)
		say_mail(t);
	else if (in_vain(t))
		return false;
	else if (t->to_ask < t->envelope.recipients.n)
		say_rcpt(t);
	else if (may_say_data(t))
		say_data(t);
	else
		return false;
	t->flying++;
	return true;
}

void
lmtp_transaction_say(struct lmtp_transaction *t)
{
	while (t->part == LMTP_PART_ENVELOPE && t->output->n < OUTPUT_ENOUGH &&
	    (t->flying == 0 || t->pipelining)) {
		if (!say_next(t))
			break;
	}
}

void
lmtp_transaction_begin(struct lmtp_transaction *t,
    const struct lmtp_terms *terms, const struct lmtp_mail *mail)
{
	struct lmtp_recipients *r = &t->envelope.recipients;

	assert(t->part == LMTP_PART_NONE);
	t->smtp = terms->smtp;
	t->pipelining = terms->pipelining;
	lmtp_envelope_init(&t->envelope, terms, mail);
	t->to_ask = t->to_hear = lmtp_recipients_find(r, 0, LMTP_UNASKED);
	t->part = t->to_ask < r->n ? LMTP_PART_ENVELOPE : LMTP_PART_OVER;
	lmtp_transaction_say(t);
}

/* ---- the words we hear ---- */

static enum lmtp_verdict
verdict_of(const struct lmtp_reply *reply)
{
	if (reply->code < 300)
		return LMTP_ACCEPTED;
	return reply->code < 500 ? LMTP_LATER : LMTP_NEVER;
}

/* 3xx asks for more, and there is no more. */
static bool
is_no_verdict(const struct lmtp_reply *reply)
{
	return reply->code >= 300 && reply->code < 400;
}

/* A verdict in the server's words. */
static void
answer(struct lmtp_transaction *t, size_t i, const struct lmtp_reply *reply)
{
	char quoted[TEXT_MAX + 2] = "\"";

	lmtp_reply_text(reply, quoted + 1, TEXT_MAX);
	memcpy(quoted + strlen(quoted), "\"", 2);
	lmtp_recipients_answer(
	    &t->envelope.recipients, i, verdict_of(reply), quoted);
}

static void
answer_all(struct lmtp_transaction *t, enum lmtp_standing standing,
    const struct lmtp_reply *reply)
{
	struct lmtp_recipients *r = &t->envelope.recipients;
	size_t i = lmtp_recipients_find(r, 0, standing);

	for (; i < r->n; i = lmtp_recipients_find(r, i, standing))
		answer(t, i, reply);
}

/* The server may still hold a sender: the next MAIL would be refused. */
static void
give_up(struct lmtp_transaction *t)
{
	t->part = t->mail_ok ? LMTP_PART_RSET : LMTP_PART_OVER;
	if (t->mail_ok)
		put(t, SPAN("RSET\r\n"));
}

static void
open_body(struct lmtp_transaction *t)
{
	t->part = LMTP_PART_BODY;
	t->body_due = true;
	lmtp_body_init(&t->body);
	/* without any octet, the command is the end */
	if (t->envelope.chunked && t->envelope.size > 0)
		say_bdat(t);
}

static enum lmtp_event
hear_mail(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	t->mail_heard = true;
	t->mail_ok = reply->code < 300;
	if (!t->mail_ok)
		answer_all(t, LMTP_UNASKED, reply);
	return LMTP_MORE;
}

static enum lmtp_event
hear_rcpt(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	struct lmtp_recipients *r = &t->envelope.recipients;
	size_t i = t->to_hear;

	t->to_hear = lmtp_recipients_find(r, i + 1, LMTP_UNASKED);
	if (reply->code < 300)
		lmtp_recipients_welcome(r, i);
	else
		answer(t, i, reply);
	return LMTP_MORE;
}

/* Behind a MAIL that was refused. */
static enum lmtp_event
hear_vain_rcpt(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	if (reply->code >= 300)
		return LMTP_MORE;
	return fail(
	    t, ERR_PROTO, "a recipient is accepted without a sender", reply);
}

/* RFC 2920 3.1: a server may let us go on although nobody is left. */
static enum lmtp_event
hear_go_on(struct lmtp_transaction *t)
{
	if (t->envelope.recipients.welcome > 0) {
		open_body(t);
	} else {
		put(t, SPAN(".\r\n"));
		t->part = LMTP_PART_DOT;
	}
	return LMTP_MORE;
}

static enum lmtp_event
hear_data(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	if (reply->code == 354)
		return hear_go_on(t);
	if (reply->code < 400)
		return fail(t, ERR_PROTO, "no answer to DATA", reply);
	answer_all(t, LMTP_WELCOME, reply);
	give_up(t);
	return LMTP_MORE;
}

static enum lmtp_event
hear_command(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	t->flying--;
	if (t->data_said && t->flying == 0)
		return hear_data(t, reply);
	if (is_no_verdict(reply))
		return fail(t, ERR_PROTO, "no answer to MAIL or RCPT", reply);
	if (!t->mail_heard)
		return hear_mail(t, reply);
	return in_vain(t) ? hear_vain_rcpt(t, reply) : hear_rcpt(t, reply);
}

static enum lmtp_event
hear_envelope(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	enum lmtp_event ev = hear_command(t, reply);

	if (ev != LMTP_MORE || t->part != LMTP_PART_ENVELOPE)
		return ev;
	lmtp_transaction_say(t);
	if (t->flying > 0)
		return LMTP_MORE;
	if (t->envelope.recipients.welcome > 0)
		open_body(t);
	else
		give_up(t);
	return LMTP_MORE;
}

/* RFC 2033 4.2: one for each recipient that was accepted, in their order. */
static void
take_verdict(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	struct lmtp_recipients *r = &t->envelope.recipients;

	if (t->smtp)
		answer_all(t, LMTP_WELCOME, reply);
	else
		answer(t, lmtp_recipients_find(r, 0, LMTP_WELCOME), reply);
}

/* What is left of the message it will not read, or read as commands: this
 * connection is of no use any more, but the answer is one. */
static enum lmtp_event
hear_body(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	if (reply->code < 400)
		return fail(t, ERR_PROTO,
		    "the server answers before the end of the message", reply);
	take_verdict(t, reply);
	return fail(t, reply->code < 500 ? ERR_TEMP : ERR_PROTO,
	    "the server refuses in the middle of the message", reply);
}

static enum lmtp_event
hear_end(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	if (is_no_verdict(reply))
		return fail(t, ERR_PROTO, "no answer to the message", reply);
	take_verdict(t, reply);
	if (t->envelope.recipients.welcome == 0)
		t->part = LMTP_PART_OVER;
	return LMTP_MORE;
}

/* Whatever it says: nobody gets an empty message. */
static enum lmtp_event
hear_dot(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	(void)reply;
	give_up(t);
	return LMTP_MORE;
}

static enum lmtp_event
hear_rset(struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	if (reply->code >= 300)
		return fail(t, ERR_PROTO, "RSET is refused", reply);
	t->part = LMTP_PART_OVER;
	return LMTP_MORE;
}

/* ---- the parts ---- */

static const struct part {
	const char *name;
	unsigned int timeout_s;
	enum lmtp_event (*hear)(
	    struct lmtp_transaction *t, const struct lmtp_reply *reply);
} parts[LMTP_PARTS] = {
	/* clang-format off */
	[LMTP_PART_NONE] = { "ready", 0, NULL },
	[LMTP_PART_ENVELOPE] = { "envelope", ANSWER_S, hear_envelope },
	[LMTP_PART_BODY] = { "body", ANSWER_S, hear_body },
	[LMTP_PART_END] = { "end", END_S, hear_end },
	[LMTP_PART_DOT] = { "dot", END_S, hear_dot },
	[LMTP_PART_RSET] = { "rset", ANSWER_S, hear_rset },
	[LMTP_PART_OVER] = { "sent", 0, NULL },
	/* clang-format on */
};

bool
lmtp_transaction_waits(const struct lmtp_transaction *t)
{
	if (t->part == LMTP_PART_ENVELOPE)
		return t->flying > 0;
	return parts[t->part].hear != NULL;
}

enum lmtp_event
lmtp_transaction_reply(
    struct lmtp_transaction *t, const struct lmtp_reply *reply)
{
	assert(lmtp_transaction_waits(t));
	return parts[t->part].hear(t, reply);
}

unsigned int
lmtp_transaction_timeout(const struct lmtp_transaction *t)
{
	return parts[t->part].timeout_s;
}

const char *
lmtp_transaction_name(const struct lmtp_transaction *t)
{
	return parts[t->part].name;
}

/* ---- news ---- */

bool
lmtp_transaction_has_news(const struct lmtp_transaction *t)
{
	return t->envelope.recipients.due > 0 || t->body_due ||
	    t->part == LMTP_PART_OVER;
}

enum lmtp_event
lmtp_transaction_news(struct lmtp_transaction *t, struct lmtp_info *info)
{
	if (lmtp_recipients_tell(&t->envelope.recipients, info))
		return LMTP_ANSWER;
	if (t->body_due) {
		t->body_due = false;
		return LMTP_BODY;
	}
	if (t->part != LMTP_PART_OVER)
		return LMTP_MORE;
	lmtp_transaction_deinit(t);
	return LMTP_SENT;
}

/* ---- the body ---- */

static void
put_chunk(struct lmtp_transaction *t, struct span octets)
{
	/* with it all would be said */
	if (t->given == t->envelope.size && octets.n > 0)
		t->last = octets.p[--octets.n];
	put(t, octets);
}

void
lmtp_transaction_body(struct lmtp_transaction *t, struct span octets)
{
	assert(t->part == LMTP_PART_BODY);
	assert(octets.n <= t->envelope.size - t->given);
	t->given += octets.n;
	if (t->envelope.chunked)
		put_chunk(t, octets);
	else
		lmtp_body_add(&t->body, octets, t->output);
}

void
lmtp_transaction_end(struct lmtp_transaction *t)
{
	assert(t->part == LMTP_PART_BODY);
	assert(t->given == t->envelope.size);
	t->part = LMTP_PART_END;
	if (!t->envelope.chunked)
		lmtp_body_end(&t->body, t->output);
	else if (t->envelope.size > 0)
		put(t, span_make(&t->last, 1));
	else
		say_bdat(t);
}
