/* SPDX-License-Identifier: ISC */
/*
 * A hostile POP3 server. The first octet chooses the parameters and the size
 * of the pieces; the second how to log in: bits 0-3 the mechanism, then whether
 * there are a token, a certificate and a channel binding. The rest is what the
 * server says, up to the first 0xff before TLS (where that is demanded), the
 * rest after it.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pop3.h"
#include "unit/proto/fixed_nonce.h"
#include "util/buf.h"
#include "util/mem.h"

#define PASSWORD "s3cr3t"
#define PASSWORD_BASE64 "czNjcjN0"  /* so in PLAIN and LOGIN */
#define TOKEN_BASE64 "IHMzY3IzdAEB" /* and so behind "auth=Bearer" */
#define LOG_MAX (1 << 26)

struct run {
	struct pop3 *m;
	bool insecure;
	bool over;
	bool ready;
	bool in_body;
	bool was_data;
	size_t done;
	struct buf log;  /* events; data that follows data is one */
	struct buf said; /* all output */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
start(struct run *run, uint8_t how, uint8_t login)
{
	static const enum pop3_tls tls[] = { POP3_TLS_DONE, POP3_TLS_UPGRADE,
		POP3_TLS_NONE, POP3_TLS_UPGRADE };
	struct secret *secret = secret_new(SPAN(PASSWORD));
	struct pop3_params p = {
		.tls = tls[how & 3],
		.auth = (enum sasl_auth)((login & 15) % SASL_AUTHS),
		.secret_is_token = (login & 16) != 0,
		.has_certificate = (login & 32) != 0,
		.user = "u",
		.secret = secret,
		.capa = (how & 4) != 0,
		.pipelining = (how & 8) != 0,
	};

	*run = (struct run){ .m = pop3_new(&p) };
	if ((login & 64) != 0)
		pop3_bind(run->m, SPAN("0123456789abcdef0123456789abcdef"));
	run->insecure = p.tls == POP3_TLS_UPGRADE;
	buf_init(&run->log, LOG_MAX);
	buf_init(&run->said, LOG_MAX);
	secret_free(&secret);
}

static void
send_all(struct run *run)
{
	struct span out = pop3_output(run->m);
	bool secret = span_has(out, SPAN(PASSWORD)) ||
	    span_has(out, SPAN(PASSWORD_BASE64)) ||
	    span_has(out, SPAN(TOKEN_BASE64));

	assert(!secret || !run->insecure);
	assert(!secret || pop3_output_is_secret(run->m));
	buf_add(&run->said, out);
	pop3_sent(run->m, out.n);
}

static void
note(struct run *run, enum pop3_event ev, const struct pop3_info *info)
{
	bool data = ev == POP3_BODY_DATA;

	if (!data || !run->was_data)
		buf_printf(&run->log, "\n%d %d %u %u %lu %d %d %u ", ev,
		    info->request, info->number, info->count,
		    (unsigned long)info->size, info->ok, info->err.kind,
		    info->err.after_s);
	buf_add(&run->log, info->uidl);
	buf_add(&run->log, info->data);
	run->was_data = data;
}

static void
check(struct run *run, enum pop3_event ev, const struct pop3_info *info)
{
	assert(info->uidl.n <= 4096);
	assert(info->err.after_s <= 86400);
	assert(pop3_error(run->m)->after_s <= 86400);
	assert(pop3_login_delay_s(run->m) <= 86400);
	assert(ev == POP3_CHALLENGED ||
	    (info->data.n > 0) == (ev == POP3_BODY_DATA));
	assert(run->in_body == (ev == POP3_BODY_DATA || ev == POP3_BODY_END) ||
	    ev == POP3_FAILED);
	if (ev == POP3_BODY_BEGIN || ev == POP3_BODY_END)
		run->in_body = ev == POP3_BODY_BEGIN;
	if (ev == POP3_DONE)
		assert(++run->done <= 7);
}

static void
ask(struct pop3 *m)
{
	pop3_stat(m);
	pop3_uidl(m);
	pop3_list(m);
	pop3_retr(m, 1);
	pop3_top(m, 2);
	pop3_dele(m, 1);
	pop3_noop(m);
	pop3_quit(m);
}

/* Who answers by Kerberos has the last word, another, none, or gives up. */
static void
respond(struct pop3 *m, struct span challenge)
{
	struct err e;

	err_set(&e, ERR_TEMP, 0, "no ticket");
	if (challenge.n % 4 == 3)
		pop3_respond_failed(m, &e);
	else if (challenge.n % 4 != 2)
		pop3_respond(m, SPAN("cmVzcG9uc2U="), challenge.n % 4 == 1);
}

static void
feed(struct run *run, struct span in)
{
	struct pop3_info info;
	enum pop3_event ev;

	while (!run->over) {
		ev = pop3_step(run->m, &in, &info);
		send_all(run);
		if (ev == POP3_MORE)
			break;
		if (ev == POP3_UPGRADE) /* what follows in hand is a fault */
			continue;
		check(run, ev, &info);
		note(run, ev, &info);
		if (ev == POP3_CHALLENGED)
			respond(run->m, info.data);
		if (ev == POP3_READY)
			ask(run->m);
		run->ready = run->ready || ev == POP3_READY;
		assert(run->ready ||
		    !span_has(
			span_of(pop3_error(run->m)->text), SPAN(PASSWORD)));
		run->over = ev == POP3_CLOSED || ev == POP3_FAILED;
	}
	assert(run->over || in.n == 0);
	assert(strlen(pop3_state_name(run->m)) > 0);
}

/* Each piece has memory of its own, so that ASan sees its ends. */
static void
feed_in_pieces(struct run *run, struct span in, size_t size)
{
	while (in.n > 0) {
		struct span piece = span_take(&in, size);
		char *copy = mem_grow(NULL, piece.n, 1);

		memcpy(copy, piece.p, piece.n);
		feed(run, span_make(copy, piece.n));
		free(copy);
	}
}

static void
play(struct run *run, const uint8_t how[2], struct span server, size_t size)
{
	struct span rest = server;
	struct span first = server;

	start(run, how[0], how[1]);
	if (run->insecure)
		first = span_until(&rest, '\xff');
	feed_in_pieces(run, first, size);
	if (run->insecure && strcmp(pop3_state_name(run->m), "tls") == 0) {
		run->insecure = false;
		pop3_upgraded(run->m);
		send_all(run);
		feed_in_pieces(run, rest, size);
	}
	if (!run->over)
		assert(pop3_eof(run->m) == POP3_FAILED);
}

static void
stop(struct run *run)
{
	pop3_free(&run->m);
	buf_deinit(&run->log);
	buf_deinit(&run->said);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole;
	struct run cut;
	struct span server;

	if (size < 2)
		return 0;
	nonce_is_fixed = true;
	server = span_make((const char *)data + 2, size - 2);
	play(&whole, data, server, SIZE_MAX);
	play(&cut, data, server, 1 + (data[0] >> 4));
	assert(span_eq(buf_span(&whole.log), buf_span(&cut.log)));
	assert(span_eq(buf_span(&whole.said), buf_span(&cut.said)));
	stop(&whole);
	stop(&cut);
	return 0;
}
