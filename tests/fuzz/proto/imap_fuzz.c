/* SPDX-License-Identifier: ISC */
/*
 * A hostile IMAP server. The first octet chooses how: bits 0-1 TLS, bits 2-3
 * what is asked, the rest the size of pieces. The second is how to log in:
 * bits 0-3 the mechanism, then whether there are a token, a certificate and a
 * channel binding. What follows is said in turns, 0xFE between them; TLS
 * begins, when it is time, between two turns.
 *
 * At first every kind of request is made, then the mailboxes are counted, then
 * IDLE is said three times: left when something changes, by itself at once,
 * and by LOGOUT. 3 for the bits of TLS (which is as 0) leaves out the first, 3
 * for those behind the second.
 *
 * What must hold: all input is used when more is wanted; a body has as many
 * octets as were announced; no credential leaves before TLS where that is
 * demanded, and none stands in an error; DONE is said once for an IDLE at
 * most; only a session that waits for mail may wait for ever; and how the
 * input is cut changes nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/imap.h"
#include "unit/proto/fixed_nonce.h"
#include "util/buf.h"

#define LOG_MAX (64 << 20)
#define PASSWORD "s3cr3t"
#define PASSWORD_BASE64 "czNjcjN0"  /* so in PLAIN and LOGIN */
#define TOKEN_BASE64 "IHMzY3IzdAEB" /* and so behind "auth=Bearer" */

struct run {
	struct imap *m;
	bool clear;     /* TLS is demanded and not yet there */
	bool upgrading; /* it begins with the next turn */
	bool over;
	bool in_body;
	bool idling;        /* IMAP_IDLING was heard */
	unsigned int phase; /* what is asked next */
	uint64_t size, seen;
	struct buf events, sent;
};

static bool binds;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

enum { ASK_ALL, ASK_COUNTS, ASK_IDLE, ASK_IDLE_SHORTLY, ASK_LAST };

static void
ask_all(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 1, 9);
	imap_list(m);
	imap_select(m, "INBOX");
	imap_search_uids(m, &uids, 10);
	imap_fetch(m, &uids, false);
	imap_fetch_headers(m, &uids);
	imap_store_deleted(m, &uids);
	imap_expunge_uids(m, &uids);
	imap_noop(m);
	imap_fetch(m, &uids, true);
	imap_fetch_sizes(m, &uids);
	imap_fetch_whole_headers(m, &uids);
	imap_list_delimiter(m);
	set_deinit(&uids);
}

static void
ask_counts(struct imap *m)
{
	static const char *const mailboxes[] = { "INBOX", "a" };

	imap_list_status(m);
	imap_status(m, "INBOX");
	imap_notify(m, mailboxes, 2);
	imap_status(m, "a");
	imap_list(m);
}

static void
ask_idle(struct run *r)
{
	r->idling = false;
	imap_idle(r->m);
	must(imap_idling(r->m));
}

static void
ask(struct run *r)
{
	switch (r->phase++) {
	case ASK_ALL:
		ask_all(r->m);
		break;
	case ASK_COUNTS:
		ask_counts(r->m);
		break;
	case ASK_IDLE:
		ask_idle(r);
		break;
	case ASK_IDLE_SHORTLY:
		ask_idle(r);
		imap_idle_done(r->m);
		break;
	case ASK_LAST:
		ask_idle(r);
		imap_logout(r->m);
		break;
	default:
		break;
	}
}

static void
send(struct run *r)
{
	struct span out = imap_output(r->m);
	bool secret = span_has(out, SPAN(PASSWORD)) ||
	    span_has(out, SPAN(PASSWORD_BASE64)) ||
	    span_has(out, SPAN(TOKEN_BASE64));

	must(!secret || imap_output_is_secret(r->m));
	must(!r->clear || (!secret && !span_has(out, SPAN("AUTHENTICATE"))));
	buf_add(&r->sent, out);
	imap_sent(r->m, out.n);
}

static void
check_body(struct run *r, enum imap_event ev, const struct imap_info *info)
{
	must(r->in_body ==
	    (ev == IMAP_BODY_DATA || ev == IMAP_BODY_END ||
		(r->in_body && ev == IMAP_FAILED)));
	if (ev == IMAP_BODY_BEGIN) {
		r->in_body = true;
		r->size = info->size;
		r->seen = 0;
	} else if (ev == IMAP_BODY_DATA) {
		r->seen += info->data.n;
		must(info->data.n > 0 && r->seen <= r->size);
	} else if (ev == IMAP_BODY_END) {
		r->in_body = false;
		must(r->seen == r->size && r->size == info->size);
	}
}

/* What is told of a message is within its bounds, and only told where
 * proto/imap.h says so. */
static void
check_marks(enum imap_event ev, const struct imap_info *info)
{
	bool fetched = ev == IMAP_FETCHED;

	must(info->flags < 32 && info->internaldate >= 0);
	must(fetched || ev == IMAP_BODY_END ||
	    (info->flags == 0 && info->internaldate == 0));
	must(fetched || !info->has_size);
	must(info->has_size || info->rfc822_size == 0);
	must(!fetched || info->data.n <= 65536);
}

/* Of IDLE, and of what waits for ever. */
static void
check_wait(struct run *r, enum imap_event ev, const struct imap_info *info)
{
	if (ev == IMAP_IDLING) {
		must(imap_idling(r->m) && !r->idling);
		r->idling = true;
	}
	if (ev == IMAP_COUNTED)
		must(info->name.n > 0);
	must(info->err.after_s <= 86400);
	if (imap_pending(r->m) > 0 && ev != IMAP_FAILED && ev != IMAP_CLOSED)
		must(imap_timeout(r->m) > 0 || r->idling);
}

static void
note(struct run *r, enum imap_event ev, const struct imap_info *i)
{
	if (ev == IMAP_BODY_DATA || ev == IMAP_FETCHED || ev == IMAP_CHALLENGED)
		buf_add(&r->events, i->data);
	if (ev == IMAP_BODY_DATA || ev == IMAP_UPGRADE)
		return;
	buf_printf(&r->events, "\n%d %u %u %u %u %u %llu %llu %d %d %d ", ev,
	    i->ticket, i->uid, i->exists, i->first, i->last,
	    (unsigned long long)i->size, (unsigned long long)i->rfc822_size,
	    i->ok, i->noselect, i->delimiter);
	buf_printf(&r->events, "%d %s %u %u %u %d", (int)i->err.kind,
	    i->err.text, i->err.after_s, i->uidvalidity, i->uidnext,
	    i->read_only);
	buf_printf(&r->events, " %d %u %lld ", i->has_size, i->flags,
	    (long long)i->internaldate);
	buf_add(&r->events, i->name);
	buf_add(&r->events, i->text);
	if (ev == IMAP_FAILED)
		buf_printf(&r->events, "%s", imap_error(r->m)->text);
}

/* Who answers by Kerberos has the last word, another, none, or gives up. */
static void
respond(struct run *r, struct span challenge)
{
	struct err e;

	err_set(&e, ERR_TEMP, 0, "no ticket");
	if (challenge.n % 4 == 3)
		imap_respond_failed(r->m, &e);
	else if (challenge.n % 4 != 2)
		imap_respond(r->m, SPAN("cmVzcG9uc2U="), challenge.n % 4 == 1);
	send(r);
}

static void
feed(struct run *r, struct span piece)
{
	struct imap_info info;

	while (!r->over) {
		enum imap_event ev = imap_step(r->m, &piece, &info);

		if (ev == IMAP_MORE) {
			must(piece.n == 0);
			send(r);
			return;
		}
		check_body(r, ev, &info);
		check_marks(ev, &info);
		check_wait(r, ev, &info);
		note(r, ev, &info);
		must(
		    !span_has(span_of(imap_error(r->m)->text), SPAN(PASSWORD)));
		r->over = ev == IMAP_FAILED || ev == IMAP_CLOSED;
		r->upgrading = r->upgrading || ev == IMAP_UPGRADE;
		send(r);
		if (ev == IMAP_CHALLENGED)
			respond(r, info.data);
		if (ev == IMAP_READY ||
		    (ev == IMAP_DONE && imap_pending(r->m) == 0))
			ask(r);
		if (ev == IMAP_CHANGED || ev == IMAP_COUNTED)
			imap_idle_done(r->m);
	}
}

static void
turn(struct run *r, struct span said, size_t size)
{
	if (r->upgrading && !r->over) {
		imap_upgraded(r->m);
		r->clear = r->upgrading = false;
	}
	while (said.n > 0) {
		struct span piece = span_take(&said, size);
		char *copy = malloc(piece.n);

		memcpy(copy, piece.p, piece.n);
		feed(r, span_make(copy, piece.n));
		free(copy);
	}
	feed(r, SPAN(""));
}

static void
play(struct run *r, struct imap_params *params, unsigned int phase,
    struct span said, size_t size)
{
	*r = (struct run){ .clear = params->tls == IMAP_TLS_UPGRADE,
		.phase = phase };
	r->m = imap_new(params);
	if (binds)
		imap_bind(r->m, SPAN("0123456789abcdef0123456789abcdef"));
	buf_init(&r->events, LOG_MAX);
	buf_init(&r->sent, LOG_MAX);
	while (said.n > 0)
		turn(r, span_until(&said, '\xfe'), size);
	imap_free(&r->m);
}

/* How often these words stand in s. */
static size_t
count(struct span s, struct span words)
{
	size_t n = 0;

	for (; s.n > 0; span_take(&s, 1))
		n += span_skip(&s, words);
	return n;
}

static void
end(struct run *r)
{
	struct span sent = buf_span(&r->sent);

	must(count(sent, SPAN("DONE\r\n")) <= count(sent, SPAN(" IDLE\r\n")));
	buf_deinit(&r->events);
	buf_deinit(&r->sent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imap_params params = { .user = "u5er", .id = true };
	struct secret *secret = secret_new(SPAN(PASSWORD));
	struct run whole, cut;
	struct span said, a, b;
	unsigned int phase;

	params.secret = secret;
	nonce_is_fixed = true;
	if (size > 1) {
		params.tls = (enum imap_tls)((data[0] & 3) % 3);
		params.auth = (enum sasl_auth)((data[1] & 15) % SASL_AUTHS);
		params.secret_is_token = (data[1] & 16) != 0;
		params.has_certificate = (data[1] & 32) != 0;
		phase = (data[0] & 3) == 3 ? ASK_COUNTS : ASK_ALL;
		if ((data[0] >> 2 & 3) == 3)
			phase = ASK_IDLE;
		binds = (data[1] & 64) != 0;
		said = span_make((const char *)data + 2, size - 2);
		play(&whole, &params, phase, said, SIZE_MAX);
		play(&cut, &params, phase, said, 1 + (data[0] >> 4));
		a = buf_span(&whole.events);
		b = buf_span(&cut.events);
		must(span_eq(a, b));
		/* what waited to be sent when it ended was dropped */
		a = buf_span(&whole.sent);
		b = buf_span(&cut.sent);
		must(whole.over ? span_skip(&b, a) : span_eq(a, b));
		end(&whole);
		end(&cut);
	}
	secret_free(&secret);
	return 0;
}
