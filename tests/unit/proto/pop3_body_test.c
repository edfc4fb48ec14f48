/* SPDX-License-Identifier: ISC */
#include "proto/pop3_body.h"

#include <time.h>

#include "unit/proto/split.h"
#include "util/buf.h"
#include "util/mem.h"

#define LOG_MAX (1024 * 1024)

struct run {
	struct pop3_body b;
	struct buf log;
	bool over;
};

static void *
open_run(const void *arg)
{
	struct run *run = mem_new(sizeof(*run));

	pop3_body_init(&run->b, *(const bool *)arg);
	buf_init(&run->log, LOG_MAX);
	return run;
}

/* Makes every octet visible. What comes behind the end is logged as such. */
static void
log_octets(struct run *run, struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\r')
			buf_addc(&run->log, 'R');
		else if (s.p[i] == '\n')
			buf_addc(&run->log, 'N');
		else if (s.p[i] == '\0')
			buf_addc(&run->log, '0');
		else
			buf_addc(&run->log, s.p[i]);
	}
}

static void
feed(void *arg, struct span piece)
{
	struct run *run = arg;
	struct span data;

	while (piece.n > 0 && !run->over) {
		enum pop3_body_answer a =
		    pop3_body_next(&run->b, &piece, &data);

		if (a == POP3_BODY_MORE)
			assert_int_equal(piece.n, 0);
		assert_int_equal(data.n > 0, a == POP3_BODY_RUN);
		log_octets(run, data);
		run->over = a == POP3_BODY_OVER;
		if (run->over)
			buf_addc(&run->log, '|');
	}
	log_octets(run, piece);
}

static char *
close_run(void *arg)
{
	struct run *run = arg;
	char *log = mem_spandup(buf_span(&run->log));

	buf_deinit(&run->log);
	free(run);
	return log;
}

static const struct split_ops ops = { open_run, feed, close_run };

/* R is CR, N is LF, 0 is NUL, | is the end; the rest is itself. */
static void
check(const char *in, bool bare, const char *want)
{
	char *octets = mem_strdup(in);
	struct span s = span_of(octets);
	char *log;
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (octets[i] == 'R')
			octets[i] = '\r';
		else if (octets[i] == 'N')
			octets[i] = '\n';
		else if (octets[i] == '0')
			octets[i] = '\0';
	}
	log = split_every_one(&ops, &bare, s);
	assert_string_equal(log, want);
	free(log);
	free(octets);
}

static void
takes_the_stuffing_off(void **state)
{
	static const char *const t[][2] = {
		/* clang-format off */
		{ ".RN", "|" },
		{ "RN.RN", "RN|" },
		{ "aRN.RN", "aRN|" },
		{ "aRN.RN+OKRN", "aRN|+OKRN" },
		{ "a.bRN.RN", "a.bRN|" },
		{ "a.RN.RN", "a.RN|" },
		{ "..RN.RN", ".RN|" },
		{ "...RN.RN", "..RN|" },
		{ "aRN..RN..RN.RN", "aRN.RN.RN|" },
		{ ".aRN.bRN.RN", "aRNbRN|" },
		{ "aRN...bRN.RN", "aRN..bRN|" },
		{ "RNRN..RNRN.RN", "RNRN.RNRN|" },
		{ "0.0RN..0RN.RN", "0.0RN.0RN|" },
		{ "........RN.RN", ".......RN|" },
		{ "a.b.c.d.RN.RN", "a.b.c.d.RN|" },
		{ "\xff\x80RN..\xffRN.RN", "\xff\x80RN.\xffRN|" },
		{ "a", "a" },
		{ "aRN", "aRN" },
		{ "aRN.", "aRN" },
		{ "aRN.R", "aRN" },
		/* clang-format on */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check(t[i][0], false, t[i][1]);
}

static void
ends_at_crlf_dot_crlf_only(void **state)
{
	static const char *const t[][2] = {
		/* clang-format off */
		{ "aN.RNbRN.RN", "aN.RNbRN|" },
		{ "aN.NbRN.RN", "aN.NbRN|" },
		{ "aR.RNbRN.RN", "aR.RNbRN|" },
		{ "aR.RbRN.RN", "aR.RbRN|" },
		{ "aRN.NbRN.RN", "aRNNbRN|" },
		{ "aRN.RbRN.RN", "aRNRbRN|" },
		{ "aRN.RRN.RN", "aRNRRN|" },
		{ "aRN.RRRN.RN", "aRNRRRN|" },
		{ "aRN.R.RN.RN", "aRNR.RN|" },
		{ "aRRN.RN", "aRRN|" },
		{ "aRNR.RN.RN", "aRNR.RN|" },
		{ "aRNN.RN.RNRN.RN", "aRNN.RN|RN.RN" },
		{ "aN..RN.RN", "aN..RN|" },
		{ "N.RNRN.RN", "N.RNRN|" },
		{ ".NRN.RN", "NRN|" },
		{ ".RRN.RN", "RRN|" },
		{ "a0RN0.RNRN.RN", "a0RN0.RNRN|" },
		{ "aRN .RNRN.RN", "aRN .RNRN|" },
		{ "aRN. RN.RN", "aRN RN|" },
		/* clang-format on */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check(t[i][0], false, t[i][1]);
}

static void
begins_a_line_after_lf_where_the_server_ends_its_own_so(void **state)
{
	static const char *const t[][2] = {
		/* clang-format off */
		{ ".N", "|" },
		{ ".RN", "|" },
		{ "aN.N+OKN", "aN|+OKN" },
		{ "aN..N.N", "aN.N|" },
		{ "aN.RN", "aN|" },
		{ "aRN.N", "aRN|" },
		{ "aRN.RN", "aRN|" },
		{ "aN...bN.N", "aN..bN|" },
		{ "aR.N.N", "aR.N|" },
		{ "aN.RbN.N", "aNRbN|" },
		/* clang-format on */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check(t[i][0], true, t[i][1]);
}

static size_t
count_runs(struct span in, size_t *octets)
{
	struct pop3_body b;
	struct span data;
	size_t n = 0;

	*octets = 0;
	pop3_body_init(&b, false);
	while (pop3_body_next(&b, &in, &data) == POP3_BODY_RUN) {
		*octets += data.n;
		n++;
	}
	return n;
}

static void
hands_out_all_it_can_at_once(void **state)
{
	size_t octets;

	(void)state;
	assert_int_equal(
	    count_runs(SPAN("a.\r\nb.c\r\n d\r\n\r\ne\r\n.\r\n"), &octets), 1);
	assert_int_equal(octets, 18);
	assert_int_equal(
	    count_runs(SPAN("a\r\n..b\r\nc\r\n..d\r\n.\r\n"), &octets), 3);
}

static double
seconds_of(struct span in)
{
	struct timespec from;
	struct timespec to;
	size_t octets;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	count_runs(in, &octets);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) +
	    (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Ten million octets in a moment, the worst of them too: there is nothing
 * quadratic. The bound is a hundred times what it takes. */
static void
is_fast_even_when_all_octets_are_dots(void **state)
{
	size_t n = 10000000;
	char *in = mem_new(n);
	size_t i;

	(void)state;
	memset(in, '.', n);
	assert_true(seconds_of(span_make(in, n)) < 10);
	for (i = 0; i + 2 < n; i += 3)
		memcpy(in + i, "\r\n.", 3);
	assert_true(seconds_of(span_make(in, n)) < 10);
	free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_stuffing_off),
		cmocka_unit_test(ends_at_crlf_dot_crlf_only),
		cmocka_unit_test(
		    begins_a_line_after_lf_where_the_server_ends_its_own_so),
		cmocka_unit_test(hands_out_all_it_can_at_once),
		cmocka_unit_test(is_fast_even_when_all_octets_are_dots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
