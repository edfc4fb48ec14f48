/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_greet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

static struct lmtp_greet g;
static struct buf out;

static void
begin(bool smtp, enum lmtp_tls tls)
{
	struct lmtp_params p = { .smtp = smtp, .tls = tls, .helo = "me" };

	buf_init(&out, 4096);
	lmtp_greet_init(&g, &p, &out);
}

static void
end(void)
{
	lmtp_greet_deinit(&g);
	buf_deinit(&out);
}

static void
hear(const char *words, size_t behind, enum lmtp_event want)
{
	struct lmtp_reply reply;
	struct span in = span_of(words);
	struct err e;

	lmtp_reply_init(&reply);
	assert_int_equal(lmtp_reply_next(&reply, &in, &e), LMTP_REPLY_WHOLE);
	assert_int_equal(lmtp_greet_reply(&g, &reply, behind), want);
	lmtp_reply_deinit(&reply);
}

static void
said(const char *want)
{
	char *all = mem_spandup(buf_span(&out));

	assert_string_equal(all, want);
	free(all);
	buf_clear(&out);
}

static void
says_lhlo_to_lmtp_and_ehlo_to_smtp(void **state)
{
	(void)state;
	for (int smtp = 0; smtp < 2; smtp++) {
		begin(smtp, LMTP_TLS_NONE);
		assert_string_equal(lmtp_greet_name(&g), "greeting");
		hear("220 hi\r\n", 0, LMTP_MORE);
		said(smtp ? "EHLO me\r\n" : "LHLO me\r\n");
		hear(
		    "250-you\r\n250-SIZE 1\r\n250 8BITMIME\r\n", 0, LMTP_READY);
		assert_true(lmtp_greet_can(&g, SPAN("size"), NULL));
		assert_true(lmtp_greet_can(&g, SPAN("8BITMIME"), NULL));
		assert_false(lmtp_greet_can(&g, SPAN("you"), NULL));
		assert_int_equal(lmtp_greet_timeout(&g), 0);
		said("");
		end();
	}
}

static void
tries_helo_where_ehlo_is_unknown(void **state)
{
	(void)state;
	begin(true, LMTP_TLS_NONE);
	hear("220 hi\r\n", 0, LMTP_MORE);
	hear("502 what?\r\n", 0, LMTP_MORE);
	said("EHLO me\r\nHELO me\r\n");
	hear("250-x\r\n250 SIZE\r\n", 0, LMTP_READY);
	assert_false(lmtp_greet_can(&g, SPAN("SIZE"), NULL));
	end();
}

static void
fails_by_how_it_is_refused(void **state)
{
	static const struct {
		bool smtp;
		const char *greeting, *hello;
		enum err_kind kind;
	} cases[] = {
		{ false, "451 busy\r\n", NULL, ERR_TEMP },
		{ false, "554 go away\r\n", NULL, ERR_DELIVER },
		{ false, "354 hm\r\n", NULL, ERR_PROTO },
		{ false, "220 hi\r\n", "451 busy\r\n", ERR_TEMP },
		{ false, "220 hi\r\n", "500 what?\r\n", ERR_DELIVER },
		{ true, "220 hi\r\n", "421 busy\r\n", ERR_TEMP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool now = cases[i].hello == NULL;

		begin(cases[i].smtp, LMTP_TLS_NONE);
		hear(cases[i].greeting, 0, now ? LMTP_FAILED : LMTP_MORE);
		if (!now)
			hear(cases[i].hello, 0, LMTP_FAILED);
		assert_int_equal(g.err.kind, cases[i].kind);
		assert_int_equal(strstr(g.err.text, "is it an LMTP") != NULL,
		    g.err.kind == ERR_DELIVER);
		end();
	}
}

static void
insists_on_starttls_and_forgets_what_came_before(void **state)
{
	(void)state;
	begin(true, LMTP_TLS_UPGRADE);
	hear("220 hi\r\n", 0, LMTP_MORE);
	hear("250-x\r\n250 SIZE\r\n", 0, LMTP_MORE);
	said("EHLO me\r\nSTARTTLS\r\n");
	hear("220 go\r\n", 0, LMTP_UPGRADE);
	assert_true(lmtp_greet_in_tls(&g));
	lmtp_greet_upgraded(&g);
	assert_false(lmtp_greet_can(&g, SPAN("SIZE"), NULL));
	said("EHLO me\r\n");
	hear("250 x\r\n", 0, LMTP_READY);
	assert_false(lmtp_greet_can(&g, SPAN("SIZE"), NULL));
	end();
}

static void
refuses_bytes_behind_starttls(void **state)
{
	(void)state;
	begin(false, LMTP_TLS_UPGRADE);
	hear("220 hi\r\n", 0, LMTP_MORE);
	hear("250 x\r\n", 0, LMTP_MORE);
	hear("220 go\r\n", 1, LMTP_FAILED);
	assert_int_equal(g.err.kind, ERR_TLS);
	end();
}

static void
fails_when_starttls_is_refused(void **state)
{
	static const char *const no[] = { "454 later\r\n", "502 no\r\n" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(false, LMTP_TLS_UPGRADE);
		hear("220 hi\r\n", 0, LMTP_MORE);
		hear("250 x\r\n", 0, LMTP_MORE);
		hear(no[i], 0, LMTP_FAILED);
		assert_int_equal(g.err.kind, ERR_TLS);
		end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_lhlo_to_lmtp_and_ehlo_to_smtp),
		cmocka_unit_test(tries_helo_where_ehlo_is_unknown),
		cmocka_unit_test(fails_by_how_it_is_refused),
		cmocka_unit_test(
		    insists_on_starttls_and_forgets_what_came_before),
		cmocka_unit_test(refuses_bytes_behind_starttls),
		cmocka_unit_test(fails_when_starttls_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
