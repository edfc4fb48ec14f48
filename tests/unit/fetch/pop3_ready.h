/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_FETCH_POP3_READY_H
#define MAILHAUL_TESTS_UNIT_FETCH_POP3_READY_H

/* A POP3 machine that is logged in, and what it says. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/pop3.h"
#include "util/secret.h"

/* capa: its answer to CAPA, or NULL: not asked. */
static inline struct pop3 *
ready_machine(const char *capa)
{
	struct secret *secret = secret_new(SPAN("p"));
	struct pop3_params p = { .tls = POP3_TLS_NONE,
		.auth = SASL_LOGIN,
		.user = "u",
		.secret = secret,
		.capa = capa != NULL,
		.pipelining = true };
	struct pop3 *m = pop3_new(&p);
	struct span in[] = { SPAN("+OK\r\n"), span_of(capa), SPAN("+OK\r\n"),
		SPAN("+OK\r\n") };
	enum pop3_event ev = POP3_MORE;
	struct pop3_info info;

	secret_free(&secret);
	for (size_t i = 0; i < 4; i++) {
		ev = pop3_step(m, &in[i], &info);
		pop3_sent(m, pop3_output(m).n);
	}
	assert_int_equal(ev, POP3_READY);
	return m;
}

/* Compares what was said since the last call. */
static inline void
assert_said(struct pop3 *m, const char *text)
{
	struct span said = pop3_output(m);

	assert_true(span_eq(said, span_of(text)));
	pop3_sent(m, said.n);
}

#endif
