/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_reply.h"

#include <stdio.h>

#include "unit/proto/split.h"
#include "util/mem.h"

#define LOG_MAX (4 * 1024 * 1024)

struct run {
	struct lmtp_reply r;
	struct buf log;
	bool bad;
};

static void *
open_run(const void *arg)
{
	struct run *run = mem_new(sizeof(*run));

	(void)arg;
	lmtp_reply_init(&run->r);
	buf_init(&run->log, LOG_MAX);
	return run;
}

static void
feed(void *arg, struct span piece)
{
	struct run *run = arg;
	struct err e;
	char text[512];

	while (!run->bad && piece.n > 0) {
		enum lmtp_reply_answer a = lmtp_reply_next(&run->r, &piece, &e);

		if (a == LMTP_REPLY_MORE)
			assert_int_equal(piece.n, 0);
		if (a == LMTP_REPLY_WHOLE)
			buf_printf(&run->log, "%u <%s>\n", run->r.code,
			    lmtp_reply_text(&run->r, text, sizeof(text)));
		if (a == LMTP_REPLY_BAD) {
			assert_int_equal(e.kind, ERR_PROTO);
			buf_printf(&run->log, "bad: %.60s\n", e.text);
			run->bad = true;
		}
	}
	assert_true(run->r.text.cap <= LMTP_REPLY_TEXT_MAX);
}

static char *
close_run(void *arg)
{
	struct run *run = arg;
	char *log = mem_spandup(buf_span(&run->log));

	lmtp_reply_deinit(&run->r);
	buf_deinit(&run->log);
	free(run);
	return log;
}

static const struct split_ops ops = { open_run, feed, close_run };

static void
check(struct span server, const char *want)
{
	char *log = split_every_one(&ops, NULL, server);

	assert_string_equal(log, want);
	free(log);
}

static void
reads_replies_of_one_line_and_of_many(void **state)
{
	(void)state;
	check(SPAN("250 fine\r\n250\r\n354-go\r\n354- on\r\n354 end\r\n"
		   "220 lf alone\n250-\r\n250 \r\n"),
	    "250 <250 fine>\n250 <250>\n354 <354 go  on end>\n"
	    "220 <220 lf alone>\n250 <250>\n");
}

static void
says_the_enhanced_code_once(void **state)
{
	(void)state;
	check(SPAN("550-5.1.1 no such\r\n550-5.1.1 user\r\n550 5.1 here\r\n"
		   "550-5.1.1\r\n550 5.1.1 x\r\n"),
	    "550 <550 5.1.1 no such user 5.1 here>\n"
	    "550 <550 5.1.1 5.1.1 x>\n");
}

static void
makes_what_it_shows_printable(void **state)
{
	(void)state;
	check(SPAN("550 a\033[2Jb\0c\xff\r\n"),
	    "550 <550 a\\x1B[2Jb\\x00c\\xFF>\n");
}

static void
refuses_what_is_no_reply(void **state)
{
	static const char *const bad[] = { "+OK hi\r\n", "* OK IMAP\r\n",
		"\r\n", "25\r\n", "25 x\r\n", "250x\r\n", "2500\r\n",
		"199 x\r\n", "600 x\r\n", "099 x\r\n", "-50 x\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *log = split_every_one(&ops, NULL, span_of(bad[i]));

		assert_non_null(strstr(log, "bad: this is no reply"));
		free(log);
	}
}

static void
refuses_a_code_that_changes_inside(void **state)
{
	(void)state;
	check(SPAN("250-a\r\n550 b\r\n"),
	    "bad: the code changes inside a reply: 550 b\n");
}

static void
refuses_more_lines_than_anybody_needs(void **state)
{
	struct buf b;
	struct run *run = open_run(NULL);
	char *log;

	(void)state;
	buf_init(&b, LOG_MAX);
	for (size_t i = 0; i < LMTP_REPLY_LINES_MAX - 1; i++)
		buf_add(&b, SPAN("250-x\r\n"));
	feed(run, buf_span(&b));
	feed(run, SPAN("250 x\r\n"));
	feed(run, buf_span(&b));
	feed(run, SPAN("250-x\r\n250-x\r\n"));
	log = close_run(run);
	assert_non_null(strstr(log, "...>\nbad: a reply has no end\n"));
	free(log);
	buf_deinit(&b);
}

/* A line is cut at 4096, and has an end before 65536. */
static void
bounds_long_lines(void **state)
{
	char *line = mem_new(70000);
	struct run *run = open_run(NULL);
	char *log;

	(void)state;
	memset(line, 'x', 70000);
	memcpy(line, "250 ", 4);
	feed(run, span_make(line, 60000));
	feed(run, SPAN("\r\n"));
	assert_int_equal(run->r.text.n, LMTP_REPLY_LINE_MAX);
	feed(run, span_make(line, 70000));
	assert_true(run->bad);
	log = close_run(run);
	assert_non_null(strstr(log, "...>\nbad: a line has no end\n"));
	free(log);
	free(line);
}

static void
keeps_no_more_text_than_it_may(void **state)
{
	char *line = mem_new(4202);
	struct run *run = open_run(NULL);

	(void)state;
	memset(line, 'x', 4200);
	memcpy(line, "250-", 4);
	memcpy(line + 4198, "\r\n", 2);
	for (size_t i = 0; i < 100; i++)
		feed(run, span_make(line, 4200));
	assert_true(run->r.text.n <= LMTP_REPLY_TEXT_MAX);
	feed(run, SPAN("250-SHORT\r\n250 x\r\n"));
	assert_false(run->bad);
	assert_true(run->r.whole);
	assert_true(
	    span_has(lmtp_reply_behind_first(&run->r), SPAN("\nSHORT\nx")));
	free(close_run(run));
	free(line);
}

static void
gives_the_lines_behind_the_first(void **state)
{
	struct lmtp_reply r;
	struct err e;
	struct span in = SPAN("250-me\r\n250-SIZE 1\r\n250 DSN\r\n250 one\r\n");

	(void)state;
	lmtp_reply_init(&r);
	lmtp_reply_next(&r, &in, &e);
	assert_true(span_eq(lmtp_reply_behind_first(&r), SPAN("SIZE 1\nDSN")));
	lmtp_reply_next(&r, &in, &e);
	assert_int_equal(lmtp_reply_behind_first(&r).n, 0);
	lmtp_reply_deinit(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_replies_of_one_line_and_of_many),
		cmocka_unit_test(says_the_enhanced_code_once),
		cmocka_unit_test(makes_what_it_shows_printable),
		cmocka_unit_test(refuses_what_is_no_reply),
		cmocka_unit_test(refuses_a_code_that_changes_inside),
		cmocka_unit_test(refuses_more_lines_than_anybody_needs),
		cmocka_unit_test(bounds_long_lines),
		cmocka_unit_test(keeps_no_more_text_than_it_may),
		cmocka_unit_test(gives_the_lines_behind_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
