/* SPDX-License-Identifier: ISC */
#include "fetch/large.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

/* What a stub holds. What becomes of it is seen in imap_large_test.c and
 * pop3_large_test.c. */

static struct fetch_params params;
static struct buf stub;

static void
on_letter(void *arg, uint32_t number, bool known, const struct err *e)
{
	(void)arg;
	(void)number;
	(void)known;
	(void)e;
}

static int
set_up(void **state)
{
	(void)state;
	params = (struct fetch_params){ .subject = "work",
		.conn = { .host = "imap.example.org" },
		.max_size = 10000000,
		.stubs = true };
	buf_init(&stub, 1 << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_deinit(&stub);
	return 0;
}

/* The stub of message 7, of 25.3 MB. */
static void
write_stub(const char *mailbox, struct span header)
{
	struct large l;

	large_init(&l, &params, NULL, mailbox, on_letter);
	l.number = 7;
	l.size = 25300000;
	(void)buf_add(&l.header, header); /* of another message */
	(void)buf_add(&l.header, SPAN("!"));
	buf_clear(&l.header);
	assert_int_equal(buf_add(&l.header, header), 0);
	buf_clear(&stub);
	large_write_stub(&stub, &l);
	large_deinit(&l);
}

static bool
has(const char *text)
{
	struct span s = buf_span(&stub);

	return memmem(s.p, s.n, text, strlen(text)) != NULL;
}

/* Of the stub's own header, with the empty line behind it. */
static struct span
header_of_stub(void)
{
	struct span s = buf_span(&stub);
	const char *end = memmem(s.p, s.n, "\r\n\r\n", 4);

	assert_non_null(end);
	return span_make(s.p, (size_t)(end - s.p) + 4);
}

static bool
header_has(const char *text)
{
	struct span s = header_of_stub();

	return memmem(s.p, s.n, text, strlen(text)) != NULL;
}

#define WHOLE(s) write_stub("INBOX", SPAN(s))

static void
says_how_large_it_is_and_may_be(void **state)
{
	char text[128];
	char little[8];

	(void)state;
	assert_string_equal(
	    large_reason(text, sizeof(text), 25300000, 10000000),
	    "25.3 MB, more than max-size (10.0 MB)");
	assert_string_equal(
	    large_reason(little, sizeof(little), 25300000, 1), "25.3 MB");
}

static void
has_the_fields_that_readers_sort_by(void **state)
{
	(void)state;
	WHOLE("Received: from x\r\nfrom: Al <al@x>\r\nTo: bob@y\r\n"
	      "Subject: A film\r\nDATE: today\r\nMessage-ID: <1@x>\r\n"
	      "References: <0@x>\r\nList-Id: <l.x>\r\nX-Other: no\r\n\r\n");
	assert_true(header_has("From: Al <al@x>\r\n"));
	assert_true(header_has("To: bob@y\r\n"));
	assert_true(header_has("Date: today\r\n"));
	assert_true(header_has("References: <0@x>\r\n"));
	assert_true(header_has("List-Id: <l.x>\r\n"));
	assert_true(
	    header_has("Subject: [left on the server, 25.3 MB] A film\r\n"));
	assert_false(header_has("Received"));
	assert_false(header_has("X-Other"));
}

static void
has_the_field_of_its_recipient(void **state)
{
	(void)state;
	params.style.recipient_header = "X-Original-To";
	WHOLE("X-ORIGINAL-TO: bob@x\r\nX-Original-To: al@x\r\nTo: c@x\r\n\r\n");
	assert_true(header_has("X-Original-To: bob@x\r\n"));
	assert_false(header_has("al@x"));
	params.style.recipient_header = "To"; /* but once */
	WHOLE("To: bob@x\r\n\r\n");
	assert_true(header_has("To: bob@x\r\n"));
	assert_int_equal(
	    memcmp(buf_span(&stub).p, "To: bob@x\r\nX-Mail", 17), 0);
}

/* The message itself may come some day, and is another. */
static void
answers_to_the_message_and_does_not_take_its_name(void **state)
{
	(void)state;
	WHOLE("Message-ID: <1@x>\r\n\r\n");
	assert_true(header_has("In-Reply-To: <1@x>\r\n"));
	assert_false(header_has("Message-ID"));
}

static void
says_what_it_is_in_fields_of_its_own(void **state)
{
	(void)state;
	WHOLE("From: a\r\nContent-Type: multipart/mixed; boundary=b\r\n"
	      "Content-Transfer-Encoding: base64\r\n"
	      "X-Mailhaul-Stub: size=1\r\n\r\n");
	assert_true(header_has("X-Mailhaul-Stub: size=25300000\r\n"));
	assert_true(header_has("Content-Type: text/plain; charset=utf-8\r\n"));
	assert_false(header_has("multipart"));
	assert_false(header_has("base64"));
	assert_false(header_has("size=1\r\n"));
}

static void
says_where_it_is_and_how_to_get_it(void **state)
{
	(void)state;
	WHOLE("Subject: x\r\n\r\n");
	assert_true(has("left on the server imap.example.org\r\n"));
	assert_true(has("account work, mailbox INBOX"));
	assert_true(has("25.3 MB, more than max-size (10.0 MB)"));
	assert_true(has("    mailhaul fetch --full work INBOX/7\r\n"));
	write_stub(NULL, SPAN("Subject: x\r\n\r\n"));
	assert_true(has("    mailhaul fetch --full work UIDL\r\n"));
	assert_true(has("mailhaul held work"));
}

static void
shows_the_whole_header(void **state)
{
	(void)state;
	WHOLE("Received: from x\r\n\tby y\r\nSubject: x\r\n\r\n");
	assert_true(has("    Received: from x\r\n    \tby y\r\n"
			"    Subject: x\r\n"));
}

static void
takes_folded_fields_whole(void **state)
{
	(void)state;
	WHOLE("To: a@x,\r\n b@x,\r\n\tc@x\r\nSubject:\r\n far away\r\n\r\n");
	assert_true(header_has("To: a@x,\r\n b@x,\r\n\tc@x\r\n"));
	assert_true(header_has(
	    "Subject: [left on the server, 25.3 MB]\r\n far away\r\n"));
}

static void
takes_the_first_of_fields_that_are_repeated(void **state)
{
	(void)state;
	WHOLE("Fromage: d\r\nFrom: a@x\r\nFrom: b@x\r\nFrom : c@x\r\n\r\n");
	assert_true(header_has("From: a@x\r\n"));
	assert_false(header_has("b@x"));
	assert_false(header_has("c@x"));
	assert_false(header_has("age"));
}

/* What looks like its end to one reader must look so to all. */
static void
assert_well_formed(void)
{
	struct span header = header_of_stub();
	unsigned int lines = 0;

	while (header.n > 0) {
		struct span line = span_until(&header, '\n');

		assert_true(line.n > 0 && line.p[line.n - 1] == '\r');
		assert_true(header.n == 0 || span_trim(line).n > 0);
		lines++;
	}
	assert_true(lines >= 5);
	assert_true(header_has("X-Mailhaul-Stub: size=25300000\r\n"));
}

static void
writes_a_sound_header_whatever_it_was_given(void **state)
{
	static const struct span headers[] = { SPAN(""), SPAN("\r\n"),
		SPAN("\n"), SPAN("Subject"), SPAN("Subject:"),
		SPAN("Subject:\n"), SPAN("Subject:\r\n\r\nFrom: no\r\n"),
		SPAN("Subject: a\nFrom: b\n\nTo: c"),
		SPAN("From: a\r\r\nTo: b\r\r\n\r\r\nCc: c"),
		SPAN("From: a\r\n \r\n\t\r\n b\r\nTo: c\r\n\r\n"),
		SPAN("From: \0\0\r\nTo\0: x\r\n\r\n"),
		SPAN(" folded from nothing\r\nFrom: x\r\n\r\n"),
		SPAN(":\r\n::\r\nFrom:::\r\n\r\n"),
		SPAN("Subject: =?utf-8?Q?=0D=0AFrom:_x?=\r\n\r\n"),
		SPAN("From: a\r\n   ") };

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		write_stub("INBOX", headers[i]);
		assert_well_formed();
		assert_false(header_has("!"));
	}
}

static void
takes_nothing_from_behind_the_header(void **state)
{
	(void)state;
	WHOLE("From: a\r\n\r\nTo: b\r\nSubject: c\r\n");
	assert_false(header_has("To:"));
	assert_false(header_has("Subject:"));
}

static void
keeps_octets_above_127_as_they_are(void **state)
{
	(void)state;
	WHOLE("From: \xc3\xa9 <a@x>\r\nSubject: \xe9\xff\r\n\r\n");
	assert_true(header_has("From: \xc3\xa9 <a@x>\r\n"));
	assert_true(header_has("\xe9\xff\r\n"));
	assert_true(header_has("8bit"));
}

/* Cut anywhere, and of any lines, it is bounded and sound. */
static void
copes_with_the_longest_header(void **state)
{
	static const char *const lines[] = { "\n", " \n", "a", "From: x\n y\n",
		"From: x\r\n", "To:\n" };
	char *header = mem_new(LARGE_HEADER_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		size_t n = strlen(lines[i]);

		for (size_t at = 0; at < LARGE_HEADER_MAX; at++)
			header[at] = lines[i][at % n];
		write_stub("INBOX", span_make(header, LARGE_HEADER_MAX));
		assert_well_formed();
		assert_true(has("mailhaul fetch --full work INBOX/7"));
	}
	free(header);
}

/* The server may have chosen it, and the user will paste the line. */
static void
puts_no_name_into_the_command_that_a_shell_would_read(void **state)
{
	static const char *const names[] = { "a b", "a'b", "a\"b", "$(x)",
		"`x`", "a;b", "a|b", "a&b", "a\\b", "~x", "*", "a\nb", "a>b",
		"a#b", "!x", "\xc3\xa9", "--config=x", "-c" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		write_stub(names[i], SPAN("Subject: x\r\n\r\n"));
		assert_true(has("    mailhaul fetch --full work 7\r\n"));
	}
	write_stub("Lists/a-b_c@d+e=f.g", SPAN("Subject: x\r\n\r\n"));
	assert_true(has("--full work Lists/a-b_c@d+e=f.g/7\r\n"));
}

static void
shows_a_hostile_name_in_one_line(void **state)
{
	(void)state;
	write_stub("a\r\nX: y\033[2J", SPAN("Subject: x\r\n\r\n"));
	assert_true(has("mailbox a\\x0D\\x0AX: y\\x1B[2J)"));
	assert_false(has("\nX: y"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_how_large_it_is_and_may_be),
		TEST(has_the_fields_that_readers_sort_by),
		TEST(has_the_field_of_its_recipient),
		TEST(answers_to_the_message_and_does_not_take_its_name),
		TEST(says_what_it_is_in_fields_of_its_own),
		TEST(says_where_it_is_and_how_to_get_it),
		TEST(shows_the_whole_header),
		TEST(takes_folded_fields_whole),
		TEST(takes_the_first_of_fields_that_are_repeated),
		TEST(writes_a_sound_header_whatever_it_was_given),
		TEST(takes_nothing_from_behind_the_header),
		TEST(keeps_octets_above_127_as_they_are),
		TEST(copes_with_the_longest_header),
		TEST(puts_no_name_into_the_command_that_a_shell_would_read),
		TEST(shows_a_hostile_name_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
