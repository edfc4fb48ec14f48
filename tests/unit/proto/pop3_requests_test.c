/* SPDX-License-Identifier: ISC */
#include "proto/pop3_requests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/mem.h"

#define OUTPUT_MAX (256 * 1024)

static void
assert_says(struct pop3_requests *r, bool pipelining, const char *want)
{
	struct buf out;
	char *said;

	buf_init(&out, OUTPUT_MAX);
	pop3_requests_say(r, pipelining, &out);
	said = mem_spandup(buf_span(&out));
	assert_string_equal(said, want);
	free(said);
	buf_deinit(&out);
}

static enum pop3_event
ok(struct pop3_requests *r, const char *text, struct pop3_info *info)
{
	*info = (struct pop3_info){ 0 };
	return pop3_requests_ok(r, span_of(text), false, info);
}

static enum pop3_event
no(struct pop3_requests *r, const char *text, struct pop3_info *info)
{
	*info = (struct pop3_info){ 0 };
	return pop3_requests_no(r, span_of(text), span_of(text), info);
}

static void
says_all_at_once_with_pipelining(void **state)
{
	struct pop3_requests r;

	(void)state;
	pop3_requests_init(&r);
	pop3_requests_ask(&r, POP3_REQ_STAT, 0);
	pop3_requests_ask(&r, POP3_REQ_UIDL, 0);
	pop3_requests_ask(&r, POP3_REQ_LIST, 0);
	pop3_requests_ask(&r, POP3_REQ_RETR, 4294967295);
	pop3_requests_ask(&r, POP3_REQ_TOP, 2);
	pop3_requests_ask(&r, POP3_REQ_DELE, 3);
	pop3_requests_ask(&r, POP3_REQ_NOOP, 0);
	assert_says(&r, true,
	    "STAT\r\nUIDL\r\nLIST\r\nRETR 4294967295\r\nTOP 2 0\r\n"
	    "DELE 3\r\nNOOP\r\n");
	assert_says(&r, true, "");
	pop3_requests_deinit(&r);
}

static void
says_one_at_a_time_without(void **state)
{
	struct pop3_requests r;
	struct pop3_info info;

	(void)state;
	pop3_requests_init(&r);
	pop3_requests_ask(&r, POP3_REQ_DELE, 1);
	pop3_requests_ask(&r, POP3_REQ_DELE, 2);
	assert_says(&r, false, "DELE 1\r\n");
	assert_says(&r, false, "");
	assert_int_equal(ok(&r, "", &info), POP3_DONE);
	assert_int_equal(info.number, 1);
	assert_says(&r, false, "DELE 2\r\n");
	pop3_requests_deinit(&r);
}

static void
says_quit_when_all_else_is_answered(void **state)
{
	struct pop3_requests r;
	struct pop3_info info;

	(void)state;
	pop3_requests_init(&r);
	pop3_requests_ask(&r, POP3_REQ_DELE, 1);
	pop3_requests_ask(&r, POP3_REQ_DELE, 2);
	pop3_requests_ask(&r, POP3_REQ_QUIT, 0);
	assert_says(&r, true, "DELE 1\r\nDELE 2\r\n");
	assert_int_equal(ok(&r, "", &info), POP3_DONE);
	assert_says(&r, true, "");
	assert_int_equal(no(&r, "no such message", &info), POP3_DONE);
	assert_false(info.ok);
	assert_says(&r, true, "QUIT\r\n");
	assert_int_equal(ok(&r, "bye", &info), POP3_CLOSED);
	assert_true(info.ok);
	pop3_requests_deinit(&r);
}

static void
says_no_more_while_the_output_is_long(void **state)
{
	struct pop3_requests r;
	struct buf out;
	uint32_t i;

	(void)state;
	pop3_requests_init(&r);
	buf_init(&out, OUTPUT_MAX);
	for (i = 1; i <= 100000; i++)
		pop3_requests_ask(&r, POP3_REQ_RETR, i);
	pop3_requests_say(&r, true, &out);
	assert_true(out.n < 8192);
	while (r.said < 100000) {
		buf_drop(&out, out.n);
		pop3_requests_say(&r, true, &out);
		assert_true(out.n > 0 && out.n < 8192);
	}
	buf_deinit(&out);
	pop3_requests_deinit(&r);
}

static void
reports_stat_and_then_its_end(void **state)
{
	struct pop3_requests r;
	struct pop3_info info;

	(void)state;
	pop3_requests_init(&r);
	pop3_requests_ask(&r, POP3_REQ_STAT, 0);
	pop3_requests_ask(&r, POP3_REQ_STAT, 0);
	assert_says(&r, true, "STAT\r\nSTAT\r\n");
	assert_int_equal(ok(&r, "2 320", &info), POP3_STAT);
	assert_int_equal(info.count, 2);
	assert_int_equal(info.size, 320);
	assert_true(r.answered);
	info = (struct pop3_info){ 0 };
	assert_int_equal(pop3_requests_done(&r, &info), POP3_DONE);
	assert_true(info.ok);
	assert_int_equal(info.request, POP3_REQ_STAT);
	assert_int_equal(ok(&r, "full", &info), POP3_DONE);
	pop3_requests_deinit(&r);
}

static void
says_what_a_refusal_means(void **state)
{
	static const struct {
		enum pop3_request request;
		const char *text;
		enum err_kind kind;
	} t[] = {
		/* clang-format off */
		{ POP3_REQ_RETR, "no such message", ERR_MESSAGE },
		{ POP3_REQ_RETR, "[SYS/TEMP] later", ERR_TEMP },
		{ POP3_REQ_RETR, "[SYS/PERM] never", ERR_MESSAGE },
		{ POP3_REQ_DELE, "", ERR_MESSAGE },
		{ POP3_REQ_TOP, "", ERR_MESSAGE },
		{ POP3_REQ_UIDL, "unknown command", ERR_MAILBOX },
		{ POP3_REQ_LIST, "[LIMIT]", ERR_THROTTLE },
		{ POP3_REQ_NOOP, "", ERR_TEMP },
		/* clang-format on */
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct pop3_requests r;
		struct pop3_info info;

		pop3_requests_init(&r);
		pop3_requests_ask(&r, t[i].request, 0);
		pop3_requests_ask(&r, POP3_REQ_NOOP, 0);
		r.said = 2;
		assert_int_equal(no(&r, t[i].text, &info), POP3_DONE);
		assert_int_equal(info.request, t[i].request);
		assert_false(info.ok);
		assert_int_equal(info.err.kind, t[i].kind);
		assert_int_equal(r.asked.n, 1);
		pop3_requests_deinit(&r);
	}
}

static void
closes_though_quit_is_refused(void **state)
{
	struct pop3_requests r;
	struct pop3_info info;

	(void)state;
	pop3_requests_init(&r);
	pop3_requests_ask(&r, POP3_REQ_QUIT, 0);
	assert_says(&r, true, "QUIT\r\n");
	assert_int_equal(
	    no(&r, "some deleted messages not removed", &info), POP3_CLOSED);
	assert_false(info.ok);
	assert_int_not_equal(info.err.kind, ERR_NONE);
	pop3_requests_deinit(&r);
}

static void
gives_each_request_its_time(void **state)
{
	struct pop3_requests r;
	int q;

	(void)state;
	pop3_requests_init(&r);
	assert_int_equal(pop3_requests_timeout(&r), 0);
	assert_string_equal(pop3_requests_name(&r), "ready");
	for (q = POP3_REQ_STAT; q <= POP3_REQ_QUIT; q++) {
		pop3_requests_deinit(&r);
		pop3_requests_init(&r);
		pop3_requests_ask(&r, (enum pop3_request)q, 0);
		assert_true(pop3_requests_timeout(&r) > 0);
	}
	assert_string_equal(pop3_requests_name(&r), "quit");
	pop3_requests_deinit(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_all_at_once_with_pipelining),
		cmocka_unit_test(says_one_at_a_time_without),
		cmocka_unit_test(says_quit_when_all_else_is_answered),
		cmocka_unit_test(says_no_more_while_the_output_is_long),
		cmocka_unit_test(reports_stat_and_then_its_end),
		cmocka_unit_test(says_what_a_refusal_means),
		cmocka_unit_test(closes_though_quit_is_refused),
		cmocka_unit_test(gives_each_request_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
