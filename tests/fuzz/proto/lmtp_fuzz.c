/* SPDX-License-Identifier: ISC */
/*
 * A hostile LMTP or SMTP server. The first octet chooses the parameters, the
 * messages and the size of the pieces; the rest is what the server says, up to
 * the first 0xff before TLS (where that is demanded), the rest after it.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/lmtp.h"
#include "util/buf.h"
#include "util/mem.h"

#define LOG_MAX (1 << 26)
#define RECIPIENTS 3
#define MESSAGES 3

struct run {
	struct lmtp *m;
	bool insecure;
	bool over;
	bool open; /* a transaction is */
	bool ended;
	bool strange; /* messages with bare line ends and foreign names */
	size_t messages;
	bool answered[RECIPIENTS];
	struct buf log;  /* events */
	struct buf said; /* all output */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
start(struct run *run, uint8_t how)
{
	static const enum lmtp_tls tls[] = { LMTP_TLS_DONE, LMTP_TLS_UPGRADE,
		LMTP_TLS_NONE, LMTP_TLS_UPGRADE };
	struct lmtp_params p = {
		.smtp = (how & 4) != 0,
		.tls = tls[how & 3],
		.helo = "me",
	};

	*run = (struct run){ .m = lmtp_new(&p) };
	run->insecure = p.tls == LMTP_TLS_UPGRADE;
	run->strange = (how & 8) != 0;
	buf_init(&run->log, LOG_MAX);
	buf_init(&run->said, LOG_MAX);
}

static void
send_all(struct run *run)
{
	struct span out = lmtp_output(run->m);

	assert(!run->insecure || !span_has(out, SPAN("MAIL")));
	buf_add(&run->said, out);
	lmtp_sent(run->m, out.n);
}

static struct span
body(const struct run *run)
{
	return run->strange ? SPAN("a\n.\n.\rb\r.\r\xe9") : SPAN("a\r\n.\r\n");
}

static void
mail(struct run *run)
{
	struct span recipients[RECIPIENTS] = { SPAN("a@x"), SPAN("b@x"),
		SPAN("c@x") };
	struct lmtp_mail it = { .sender = SPAN("s@x"),
		.recipients = recipients,
		.n = RECIPIENTS,
		.size = body(run).n,
		.eight_bit = run->strange,
		.bare = run->strange };

	if (run->strange)
		recipients[1] = SPAN("b\xc3\xb6@x");
	if (run->messages++ == MESSAGES) {
		lmtp_quit(run->m);
		return;
	}
	memset(run->answered, 0, sizeof(run->answered));
	run->ended = false;
	run->open = true;
	lmtp_mail(run->m, &it);
}

/* Until the end is said the server has not all of the message. */
static void
give(struct run *run)
{
	struct span octets = body(run);
	struct span out;

	while (octets.n > 0)
		lmtp_body(run->m, span_take(&octets, 2));
	out = lmtp_output(run->m);
	assert(
	    !span_has(out, SPAN("\r\n.\r\n")) || span_has(out, SPAN("BDAT")));
	send_all(run);
	lmtp_end(run->m);
	run->ended = true;
	out = lmtp_output(run->m);
	assert(out.n == 1 ||
	    (out.n >= 3 &&
		span_eq(span_make(out.p + out.n - 3, 3), SPAN(".\r\n"))));
}

static void
check(struct run *run, enum lmtp_event ev, const struct lmtp_info *info)
{
	if (ev == LMTP_ANSWER) {
		assert(run->open && info->recipient < RECIPIENTS);
		assert(!run->answered[info->recipient]);
		run->answered[info->recipient] = true;
		assert(info->verdict != LMTP_ACCEPTED || run->ended);
		assert(strlen(info->err.text) > 0);
	}
	if (ev == LMTP_SENT) {
		assert(run->open);
		for (size_t i = 0; i < RECIPIENTS; i++)
			assert(run->answered[i]);
		run->open = false;
	}
	if (ev == LMTP_READY || ev == LMTP_CLOSED)
		assert(!run->open && !run->insecure);
	if (ev == LMTP_BODY)
		assert(run->open && !run->ended);
	if (ev == LMTP_FAILED)
		assert(lmtp_error(run->m)->kind != ERR_NONE);
}

static void
note(struct run *run, enum lmtp_event ev, const struct lmtp_info *info)
{
	buf_printf(&run->log, "%d %zu %d %d %s\n", ev, info->recipient,
	    info->verdict, info->err.kind, info->err.text);
}

static void
feed(struct run *run, struct span in)
{
	struct lmtp_info info;
	enum lmtp_event ev;

	while (!run->over) {
		ev = lmtp_step(run->m, &in, &info);
		send_all(run);
		if (ev == LMTP_MORE)
			break;
		if (ev == LMTP_UPGRADE) /* what follows in hand is a fault */
			continue;
		check(run, ev, &info);
		note(run, ev, &info);
		if (ev == LMTP_READY || ev == LMTP_SENT)
			mail(run);
		if (ev == LMTP_BODY)
			give(run);
		run->over = ev == LMTP_CLOSED || ev == LMTP_FAILED;
	}
	assert(run->over || in.n == 0);
	assert(strlen(lmtp_state_name(run->m)) > 0);
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
play(struct run *run, uint8_t how, struct span server, size_t size)
{
	struct span rest = server;
	struct span first = server;

	start(run, how);
	if (run->insecure)
		first = span_until(&rest, '\xff');
	feed_in_pieces(run, first, size);
	if (run->insecure && strcmp(lmtp_state_name(run->m), "tls") == 0) {
		run->insecure = false;
		lmtp_upgraded(run->m);
		send_all(run);
		feed_in_pieces(run, rest, size);
	}
	lmtp_eof(run->m);
}

static void
stop(struct run *run)
{
	lmtp_free(&run->m);
	buf_deinit(&run->log);
	buf_deinit(&run->said);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole;
	struct run cut;
	struct span server;

	if (size == 0)
		return 0;
	server = span_make((const char *)data + 1, size - 1);
	play(&whole, data[0], server, SIZE_MAX);
	play(&cut, data[0], server, 1 + (data[0] >> 4));
	assert(span_eq(buf_span(&whole.log), buf_span(&cut.log)));
	assert(span_eq(buf_span(&whole.said), buf_span(&cut.said)));
	stop(&whole);
	stop(&cut);
	return 0;
}
