/* SPDX-License-Identifier: ISC */
#include "proto/pop3_line.h"

#include "unit/proto/split.h"
#include "util/mem.h"

#define LOG_MAX (32 * 1024 * 1024)

struct run {
	struct pop3_line l;
	struct buf log;
};

static void *
open_run(const void *arg)
{
	struct run *run = mem_new(sizeof(*run));

	(void)arg;
	pop3_line_init(&run->l);
	buf_init(&run->log, LOG_MAX);
	return run;
}

static void
log_line(struct run *run, struct span line)
{
	size_t i;

	for (i = 0; i < line.n; i++) {
		if (line.p[i] == '\0')
			buf_add(&run->log, SPAN("<0>"));
		else
			buf_addc(&run->log, line.p[i]);
	}
	buf_add(&run->log, run->l.bare ? SPAN("<lf>") : SPAN("<crlf>"));
}

static void
feed(void *arg, struct span piece)
{
	struct run *run = arg;
	struct span line;

	while (pop3_line_next(&run->l, &piece, &line))
		log_line(run, line);
	assert_int_equal(piece.n, 0);
	assert_true(run->l.held.cap <= POP3_LINE_MAX);
}

static char *
close_run(void *arg)
{
	struct run *run = arg;
	char *log = mem_spandup(buf_span(&run->log));

	pop3_line_deinit(&run->l);
	buf_deinit(&run->log);
	free(run);
	return log;
}

static const struct split_ops ops = { open_run, feed, close_run };

static void
cuts_lines_at_every_split(void **state)
{
	static const struct {
		struct span in;
		const char *want;
	} t[] = {
		/* clang-format off */
		{ { "", 0 }, "" },
		{ { "a", 1 }, "" },
		{ { "\r\n", 2 }, "<crlf>" },
		{ { "\n", 1 }, "<lf>" },
		{ { "\n\r\n\n", 4 }, "<lf><crlf><lf>" },
		{ { "+OK\r\nb\n", 7 }, "+OK<crlf>b<lf>" },
		{ { "a\r\r\nb\rc\r\n", 9 }, "a\r<crlf>b\rc<crlf>" },
		{ { "a\0b\r\n\0\n", 7 }, "a<0>b<crlf><0><lf>" },
		/* clang-format on */
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *log = split_every_one(&ops, NULL, t[i].in);

		assert_string_equal(log, t[i].want);
		free(log);
	}
}

/* The front of n octets comes out, whatever their number and the pieces. */
static void
check_long(size_t n, size_t piece, const char *end)
{
	struct span last = span_of(end);
	size_t total = n + last.n;
	char *in = mem_new(total);
	struct pop3_line l;
	struct span line = SPAN("");
	struct span rest = span_make(in, total);
	bool whole = false;

	memset(in, 'x', n);
	memcpy(in + n, last.p, last.n);
	pop3_line_init(&l);
	while (!whole && rest.n > 0) {
		struct span part = span_take(&rest, piece);

		whole = pop3_line_next(&l, &part, &line);
	}
	assert_true(whole);
	assert_int_equal(line.n, n < POP3_LINE_MAX ? n : POP3_LINE_MAX);
	assert_true(l.seen >= n);
	assert_int_equal(l.bare, last.n == 1);
	pop3_line_deinit(&l);
	free(in);
}

static void
keeps_the_front_of_a_long_line(void **state)
{
	static const size_t sizes[] = { POP3_LINE_MAX - 2, POP3_LINE_MAX - 1,
		POP3_LINE_MAX, POP3_LINE_MAX + 1, POP3_LINE_MAX + 2, 10000000 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_long(sizes[i], SIZE_MAX, "\r\n");
		check_long(sizes[i], SIZE_MAX, "\n");
		check_long(sizes[i], 4096, "\r\n");
		check_long(sizes[i], 4096, "\n");
		check_long(sizes[i], 4097, "\r\n");
	}
}

static void
borrows_a_whole_line(void **state)
{
	struct span in = SPAN("hello\r\nworld\r\n");
	const char *start = in.p;
	struct pop3_line l;
	struct span line;

	(void)state;
	pop3_line_init(&l);
	assert_true(pop3_line_next(&l, &in, &line));
	assert_ptr_equal(line.p, start);
	assert_int_equal(l.held.cap, 0);
	pop3_line_deinit(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_lines_at_every_split),
		cmocka_unit_test(keeps_the_front_of_a_long_line),
		cmocka_unit_test(borrows_a_whole_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
