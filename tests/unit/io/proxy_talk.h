/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_IO_PROXY_TALK_H
#define MAILHAUL_TESTS_UNIT_IO_PROXY_TALK_H

/*
 * A talk with a proxy from a table, at every split of what it answers. What
 * is said is written into text with what was heard in between, so that each
 * step can be seen.
 */

#include <string.h>

#include "io/proxy.h"
#include "util/buf.h"

#define TALK_HOST "imap.example.org"

struct talk {
	const char *name;
	const char *host; /* NULL: TALK_HOST */
	const char *user, *password;
	struct span heard;  /* all that the proxy says, and then the server */
	struct span said;   /* all that it must hear */
	size_t left;        /* octets at the end that are the server's */
	enum err_kind kind; /* ERR_NONE: connected */
	const char *error;
	bool waits; /* neither done nor failed at the end of heard */
};

static inline void
talk_say(struct proxy *p, struct buf *said)
{
	struct span out = proxy_output(p);

	buf_add(said, out);
	proxy_sent(p, out.n);
}

/* What is left of a piece stays in front of the next. */
static inline enum proxy_says
talk_hear(struct proxy *p, struct span heard, size_t step, struct buf *said,
    size_t *left)
{
	enum proxy_says says = PROXY_MORE;

	*left = heard.n;
	while (says == PROXY_MORE && heard.n > 0) {
		struct span piece =
		    span_make(heard.p, step < heard.n ? step : heard.n);
		size_t n = piece.n;

		says = proxy_feed(p, &piece);
		if (says == PROXY_MORE)
			assert_int_equal(piece.n, 0);
		(void)span_take(&heard, n - piece.n);
		*left = heard.n;
		talk_say(p, said);
	}
	return says;
}

static inline void
talk_once(enum proxy_kind kind, const struct talk *t, size_t step)
{
	struct secret *password =
	    t->password == NULL ? NULL : secret_new(span_of(t->password));
	const struct proxy_params params = { .kind = kind,
		.host = "192.0.2.80",
		.port = 1080,
		.user = t->user,
		.password = password };
	struct err e = { 0 };
	struct proxy *p =
	    proxy_new(&params, t->host == NULL ? TALK_HOST : t->host, 993, &e);
	enum proxy_says says;
	struct buf said;
	size_t left;

	assert_non_null(p);
	secret_free(&password);
	buf_init(&said, 65536);
	talk_say(p, &said);
	says = talk_hear(p, t->heard, step, &said, &left);
	assert_int_equal(says,
	    t->waits                  ? PROXY_MORE
		: t->kind == ERR_NONE ? PROXY_DONE
				      : PROXY_FAILED);
	if (t->said.n != said.n ||
	    memcmp(t->said.p, buf_span(&said).p, said.n) != 0)
		fail_msg("it said %zu octets: %.*s", said.n, (int)said.n,
		    buf_span(&said).p);
	if (says == PROXY_DONE)
		assert_int_equal(left, t->left);
	if (says == PROXY_FAILED) {
		assert_int_equal(proxy_error(p)->kind, t->kind);
		assert_string_equal(proxy_error(p)->text, t->error);
		assert_int_equal(
		    proxy_feed(p, &(struct span){ "x", 1 }), PROXY_FAILED);
	}
	buf_deinit(&said);
	proxy_free(&p);
}

static inline void
talk_all(enum proxy_kind kind, const struct talk *talks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t step = 1; step <= talks[i].heard.n + 1; step++)
			talk_once(kind, &talks[i], step);
}

#endif
