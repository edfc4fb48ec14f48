/* SPDX-License-Identifier: ISC */
/*
 * A hostile proxy. The first octet chooses the protocol, whether there is a
 * password, and the size of the pieces; the rest is what the proxy says. It
 * must come to the same end whole and in pieces, leave the same octets to the
 * server, and show no password.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/proxy.h"
#include "util/buf.h"

#define PASSWORD "s3cr3t-s3cr3t"
#define TOKEN "dTpzM2NyM3QtczNjcjN0" /* Basic's word for it */

struct run {
	enum proxy_says says;
	size_t left;
	struct buf said;
	struct err e;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct proxy *
start(uint8_t how)
{
	struct secret *secret = secret_new(SPAN(PASSWORD));
	struct proxy_params params = {
		.kind = (how & 1) != 0 ? PROXY_SOCKS5 : PROXY_HTTP,
		.host = "proxy.example.org",
		.port = 1080,
		.user = (how & 2) != 0 ? "u" : NULL,
		.password = (how & 2) != 0 ? secret : NULL,
	};
	struct err e;
	struct proxy *p = proxy_new(&params, "imap.example.org", 993, &e);

	assert(p != NULL);
	secret_free(&secret);
	return p;
}

static void
send_all(struct proxy *p, struct run *run)
{
	struct span out = proxy_output(p);

	buf_add(&run->said, out);
	proxy_sent(p, out.n);
}

static void
talk(struct run *run, uint8_t how, struct span heard, size_t step)
{
	struct proxy *p = start(how);

	*run = (struct run){ .says = PROXY_MORE };
	buf_init(&run->said, 1 << 20);
	send_all(p, run);
	while (run->says == PROXY_MORE && heard.n > 0) {
		struct span piece = heard;

		piece.n = step < heard.n ? step : heard.n;
		(void)span_take(&heard, piece.n);
		run->says = proxy_feed(p, &piece);
		assert(run->says != PROXY_MORE || piece.n == 0);
		run->left = heard.n + piece.n;
		send_all(p, run);
	}
	run->e = *proxy_error(p);
	proxy_free(&p);
}

static void
check(const struct run *a, const struct run *b, bool secret)
{
	assert(a->says == b->says);
	assert(a->says != PROXY_DONE || a->left == b->left);
	assert(span_eq(buf_span(&a->said), buf_span(&b->said)));
	assert(strcmp(a->e.text, b->e.text) == 0);
	assert((a->says == PROXY_FAILED) == (a->e.kind != ERR_NONE));
	assert(!secret || strstr(a->e.text, PASSWORD) == NULL);
	assert(!secret || strstr(a->e.text, TOKEN) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, pieces;
	struct span heard;

	if (size < 1)
		return 0;
	heard = span_make((const char *)data + 1, size - 1);
	talk(&whole, data[0], heard, heard.n);
	talk(&pieces, data[0], heard, (size_t)(data[0] >> 2) + 1);
	check(&whole, &pieces, (data[0] & 2) != 0);
	buf_deinit(&whole.said);
	buf_deinit(&pieces.said);
	return 0;
}
