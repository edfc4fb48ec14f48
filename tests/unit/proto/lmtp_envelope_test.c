/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

static struct span recipients[2];
static struct lmtp_mail mail;
static struct lmtp_terms terms;

static int
set_up(void **state)
{
	(void)state;
	recipients[0] = SPAN("bob@example.org");
	recipients[1] = SPAN("b\xc3\xb6rje@example.org");
	mail = (struct lmtp_mail){ .sender = SPAN("al@example.org"),
		.recipients = recipients,
		.n = 1,
		.size = 1000 };
	terms = (struct lmtp_terms){ 0 };
	return 0;
}

/* MAIL, and all that can be asked for. */
static void
says(const char *want)
{
	struct lmtp_envelope e;
	struct buf out;
	char *said;

	lmtp_envelope_init(&e, &terms, &mail);
	buf_init(&out, 4096);
	lmtp_envelope_put_mail(&e, &out);
	for (size_t i = 0; i < e.recipients.n; i++)
		if (e.recipients.list[i].standing == LMTP_UNASKED)
			lmtp_envelope_put_rcpt(&e, i, &out);
	said = mem_spandup(buf_span(&out));
	assert_string_equal(said, want);
	free(said);
	buf_deinit(&out);
	lmtp_envelope_deinit(&e);
}

#define RCPT "RCPT TO:<bob@example.org>\r\n"

static void
uses_no_parameter_that_is_not_offered(void **state)
{
	(void)state;
	mail.eight_bit = mail.bare = true;
	says("MAIL FROM:<al@example.org>\r\n" RCPT);
	mail.sender = SPAN("");
	says("MAIL FROM:<>\r\n" RCPT);
}

static void
uses_parameters_only_where_they_say_something(void **state)
{
	(void)state;
	terms = (struct lmtp_terms){ .size = true,
		.eight_bit_mime = true,
		.smtputf8 = true,
		.chunking = true,
		.binary_mime = true };
	says("MAIL FROM:<al@example.org> SIZE=1000\r\n" RCPT);
	mail.eight_bit = true;
	says("MAIL FROM:<al@example.org> SIZE=1000 BODY=8BITMIME\r\n" RCPT);
	mail.bare = true;
	says("MAIL FROM:<al@example.org> SIZE=1000 BODY=BINARYMIME\r\n" RCPT);
	mail.bare = false;
	mail.n = 2;
	says("MAIL FROM:<al@example.org> SIZE=1000 BODY=8BITMIME "
	     "SMTPUTF8\r\n" RCPT "RCPT TO:<b\xc3\xb6rje@example.org>\r\n");
	mail.n = 1;
	mail.sender = recipients[1];
	says("MAIL FROM:<b\xc3\xb6rje@example.org> SIZE=1000 BODY=8BITMIME "
	     "SMTPUTF8\r\n" RCPT);
}

static void
asks_for_nobody_whom_the_server_cannot_name(void **state)
{
	struct lmtp_envelope e;
	struct lmtp_info info;

	(void)state;
	mail.n = 2;
	mail.sender = recipients[1];
	says("MAIL FROM:<>\r\n" RCPT);
	lmtp_envelope_init(&e, &terms, &mail);
	assert_true(lmtp_recipients_tell(&e.recipients, &info));
	assert_int_equal(info.recipient, 1);
	assert_int_equal(info.verdict, LMTP_NEVER);
	assert_non_null(strstr(info.err.text, "SMTPUTF8"));
	assert_false(lmtp_recipients_tell(&e.recipients, &info));
	lmtp_envelope_deinit(&e);
}

static size_t
refusals(void)
{
	struct lmtp_envelope e;
	size_t n;

	lmtp_envelope_init(&e, &terms, &mail);
	n = e.recipients.due;
	lmtp_envelope_deinit(&e);
	return n;
}

static void
refuses_for_all_what_is_larger_than_the_server_takes(void **state)
{
	(void)state;
	mail.n = 2;
	terms.smtputf8 = true;
	terms.size_max = 1000;
	assert_int_equal(refusals(), 0);
	terms.size_max = 999;
	assert_int_equal(refusals(), 2);
	terms.smtputf8 = false;
	assert_int_equal(refusals(), 2);
	terms.size_max = 0;
	assert_int_equal(refusals(), 1);
}

static bool
chunked(bool bare, bool chunking, bool binary_mime)
{
	struct lmtp_envelope e;
	bool it;

	mail.bare = bare;
	terms.chunking = chunking;
	terms.binary_mime = binary_mime;
	lmtp_envelope_init(&e, &terms, &mail);
	it = e.chunked;
	lmtp_envelope_deinit(&e);
	return it;
}

static void
mends_bare_line_ends_where_they_may_not_pass(void **state)
{
	(void)state;
	assert_true(chunked(false, true, false));
	assert_false(chunked(true, true, false));
	assert_true(chunked(true, true, true));
	assert_false(chunked(false, false, false));
	assert_false(chunked(true, false, true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    uses_no_parameter_that_is_not_offered, set_up),
		cmocka_unit_test_setup(
		    uses_parameters_only_where_they_say_something, set_up),
		cmocka_unit_test_setup(
		    asks_for_nobody_whom_the_server_cannot_name, set_up),
		cmocka_unit_test_setup(
		    refuses_for_all_what_is_larger_than_the_server_takes,
		    set_up),
		cmocka_unit_test_setup(
		    mends_bare_line_ends_where_they_may_not_pass, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
