/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_body.h"

#include "unit/proto/split.h"
#include "util/mem.h"

#define OUT_MAX (1024 * 1024)

struct run {
	struct lmtp_body b;
	struct buf out;
};

static void *
open_run(const void *arg)
{
	struct run *run = mem_new(sizeof(*run));

	(void)arg;
	lmtp_body_init(&run->b);
	buf_init(&run->out, OUT_MAX);
	return run;
}

static void
feed(void *arg, struct span piece)
{
	struct run *run = arg;
	size_t before = run->out.n;

	lmtp_body_add(&run->b, piece, &run->out);
	assert_true(run->out.n - before <= LMTP_BODY_GROWTH * piece.n);
	assert_false(span_has(buf_span(&run->out), SPAN("\r\n.\r\n")));
}

/* R and N for CR and LF. */
static char *
close_run(void *arg)
{
	struct run *run = arg;
	char *s;

	lmtp_body_end(&run->b, &run->out);
	s = mem_spandup(buf_span(&run->out));
	for (size_t i = 0; i < run->out.n; i++) {
		if (s[i] == '\r')
			s[i] = 'R';
		else if (s[i] == '\n')
			s[i] = 'N';
		else if (s[i] == '\0')
			s[i] = '0';
	}
	buf_deinit(&run->out);
	free(run);
	return s;
}

static const struct split_ops ops = { open_run, feed, close_run };

static void
check(struct span body, const char *want)
{
	char *got = split_every_one(&ops, NULL, body);

	assert_string_equal(got, want);
	free(got);
}

static void
doubles_dots_at_the_beginning_of_lines_alone(void **state)
{
	(void)state;
	check(SPAN(".\r\n..a\r\nb.c.\r\n.\r\n"), "..RN...aRNb.c.RN..RN.RN");
}

static void
ends_with_a_line_end_and_a_dot(void **state)
{
	(void)state;
	check(SPAN("a\r\n"), "aRN.RN");
	check(SPAN("a"), "aRN.RN");
	check(SPAN(""), ".RN");
	check(SPAN("a\r"), "aRRN.RN");
	check(SPAN("a\n"), "aRN.RN");
	check(SPAN("\r\n"), "RN.RN");
}

static void
makes_a_bare_lf_a_line_end(void **state)
{
	(void)state;
	check(SPAN("a\nb\n\n.\nc\r\n"), "aRNbRNRN..RNcRN.RN");
	check(SPAN("\n"), "RN.RN");
}

static void
keeps_a_bare_cr_that_does_no_harm(void **state)
{
	(void)state;
	check(SPAN("\ra\r\r\nb\rc\r\n"), "RaRRNbRcRN.RN");
}

static void
leaves_nobody_an_end_inside(void **state)
{
	(void)state;
	check(SPAN("a\n.\nMAIL\r\n"), "aRN..RNMAILRN.RN");
	check(SPAN("a\r.\rMAIL\r\n"), "aRN..RMAILRN.RN");
	check(SPAN("a\r.\r\nMAIL\r\n"), "aRN..RNMAILRN.RN");
	check(SPAN("a\n.\r\nMAIL\r\n"), "aRN..RNMAILRN.RN");
	check(SPAN("a\r\n.\nMAIL\r\n"), "aRN..RNMAILRN.RN");
	check(SPAN("a\r\r.\r\r\n"), "aRRN..RRN.RN");
	check(SPAN("a\r\n\r.\r\n"), "aRNRN..RN.RN");
}

static void
passes_all_other_octets(void **state)
{
	(void)state;
	check(SPAN("\0\x80\xff\t \x7f\r\n"), "0\x80\xff\t \x7fRN.RN");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_dots_at_the_beginning_of_lines_alone),
		cmocka_unit_test(ends_with_a_line_end_and_a_dot),
		cmocka_unit_test(makes_a_bare_lf_a_line_end),
		cmocka_unit_test(keeps_a_bare_cr_that_does_no_harm),
		cmocka_unit_test(leaves_nobody_an_end_inside),
		cmocka_unit_test(passes_all_other_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
