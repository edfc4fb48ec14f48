/* SPDX-License-Identifier: ISC */
#include "deliver/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#ifndef MAILHAUL_VERSION
#define MAILHAUL_VERSION "1"
#endif

/* Wed, 25 Nov 2026 17:31:17 +0000 */
#define NOW INT64_C(1795627877)

static const struct trace all = { .from_line = true,
	.delivered_to = true,
	.received = true,
	.source = true,
	.now = NOW,
	.host = "imap.example.org",
	.by = "here.example.org",
	.protocol = "IMAPS",
	.account = "work",
	.user = "alice@example.org",
	.mailbox = "INBOX",
	.uid = 4294967295,
	.sender = "s@x",
	.recipient = "r@y" };

static void
expect_at(const struct trace *t, size_t uid_at, const char *want)
{
	struct buf out;
	char *got;

	buf_init(&out, TRACE_OCTETS_MAX + 3);
	buf_add(&out, SPAN("abc")); /* not from the start of the buffer */
	assert_int_equal(trace_build(t, &out), uid_at);
	buf_drop(&out, 3);
	got = strndup(buf_span(&out).p, out.n);
	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
	buf_deinit(&out);
}

static void
expect(const struct trace *t, const char *want)
{
	expect_at(t, TRACE_NO_UID, want);
}

static void
writes_all_in_order(void **state)
{
	(void)state;
	expect(&all,
	    "From s@x Wed Nov 25 17:31:17 2026\n"
	    "Delivered-To: r@y\n"
	    "Received: from imap.example.org\n"
	    "\tby here.example.org with IMAPS (mailhaul-" MAILHAUL_VERSION
	    " polling work account alice@example.org folder INBOX)\n"
	    "\tfor <r@y>; Wed, 25 Nov 2026 17:31:17 +0000\n"
	    "X-Mailhaul: account=work mailbox=INBOX uid=4294967295\n");
}

static void
writes_crlf(void **state)
{
	struct trace t = all;

	(void)state;
	t.crlf = true;
	expect(&t,
	    "From s@x Wed Nov 25 17:31:17 2026\r\n"
	    "Delivered-To: r@y\r\n"
	    "Received: from imap.example.org\r\n"
	    "\tby here.example.org with IMAPS (mailhaul-" MAILHAUL_VERSION
	    " polling work account alice@example.org folder INBOX)\r\n"
	    "\tfor <r@y>; Wed, 25 Nov 2026 17:31:17 +0000\r\n"
	    "X-Mailhaul: account=work mailbox=INBOX uid=4294967295\r\n");
}

static void
writes_each_part_alone(void **state)
{
	struct trace t = all;

	(void)state;
	t.from_line = t.delivered_to = t.received = t.source = false;
	expect(&t, "");
	t.from_line = true;
	t.sender = "";
	t.now = 1000000000;
	expect(&t, "From MAILER-DAEMON Sun Sep  9 01:46:40 2001\n");
	t.from_line = false;
	t.delivered_to = true;
	expect(&t, "Delivered-To: r@y\n");
	t.recipient = "";
	expect(&t, "");
}

static void
writes_pop3_without_folder(void **state)
{
	struct trace t = all;

	(void)state;
	t.from_line = t.delivered_to = false;
	t.protocol = "POP3";
	t.mailbox = NULL;
	t.recipient = "";
	t.uid = 0;
	t.now = 1000000000;
	expect(&t,
	    "Received: from imap.example.org\n"
	    "\tby here.example.org with POP3 (mailhaul-" MAILHAUL_VERSION
	    " polling work account alice@example.org);\n"
	    "\tSun, 09 Sep 2001 01:46:40 +0000\n"
	    "X-Mailhaul: account=work\n");
	t.received = false;
	t.uidl = "a<b\"%";
	expect(&t, "X-Mailhaul: account=work uid=a%3Cb%22%25\n");
}

static void
leaves_room_for_a_uid(void **state)
{
	struct trace t = all;
	char uid[TRACE_UID_OCTETS];

	(void)state;
	t.from_line = t.received = false;
	t.uid = 0;
	expect_at(&t, 18 + 43,
	    "Delivered-To: r@y\n"
	    "X-Mailhaul: account=work mailbox=INBOX uid=          \n");
	trace_uid(0, uid);
	assert_memory_equal(uid, "          ", sizeof(uid));
	trace_uid(7, uid);
	assert_memory_equal(uid, "7         ", sizeof(uid));
	trace_uid(UINT32_MAX, uid);
	assert_memory_equal(uid, "4294967295", sizeof(uid));
}

static void
cleans_names(void **state)
{
	struct trace t = all;

	(void)state;
	t.from_line = t.delivered_to = false;
	t.host = "h\r\nX: y";
	t.by = "(";
	t.account = "a b";
	t.user = "c)d;\\";
	t.mailbox = "Lists/\xc3\xbc\x1b\x7f\n.A_=+-@%";
	t.uid = 1;
	expect(&t,
	    "Received: from h%0D%0AX%3A%20y\n"
	    "\tby %28 with IMAPS (mailhaul-" MAILHAUL_VERSION
	    " polling a%20b account c%29d%3B%5C folder "
	    "Lists/%C3%BC%1B%7F%0A.A_=+-@%25)\n"
	    "\tfor <r@y>; Wed, 25 Nov 2026 17:31:17 +0000\n"
	    "X-Mailhaul: account=a%20b "
	    "mailbox=Lists/%C3%BC%1B%7F%0A.A_=+-@%25 uid=1\n");
}

static void
keeps_lines_short(void **state)
{
	char name[2000], address[255];
	struct trace t = all;
	struct buf out;
	struct span s;

	(void)state;
	memset(name, ' ', sizeof(name) - 1);
	name[0] = 'x'; /* the cut would fall into an escape */
	name[sizeof(name) - 1] = '\0';
	memset(address, 'a', sizeof(address) - 1);
	address[sizeof(address) - 1] = '\0';
	t.host = t.by = t.account = t.user = t.mailbox = name;
	t.sender = t.recipient = address;
	t.crlf = true;
	buf_init(&out, TRACE_OCTETS_MAX);
	trace_build(&t, &out);
	s = buf_span(&out);
	assert_true(s.n > 16);
	assert_memory_equal(s.p + s.n - 16, "uid=4294967295\r\n", 16);
	while (s.n > 0) {
		struct span line = span_until(&s, '\n');

		assert_true(line.n <= 999); /* with its CR */
		assert_false(span_has(line, SPAN("%2 ")));
		assert_false(span_has(line, SPAN("% ")));
	}
	buf_deinit(&out);
}

static void
survives_a_mad_clock(void **state)
{
	static const int64_t clocks[] = { -1, INT64_MIN, INT64_MAX,
		INT64_C(253402300800) };
	struct trace t = all;

	(void)state;
	t.delivered_to = t.received = t.source = false;
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		t.now = clocks[i];
		expect(&t, "From s@x Thu Jan  1 00:00:00 1970\n");
	}
	t.now = INT64_C(253402300799);
	expect(&t, "From s@x Fri Dec 31 23:59:59 9999\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_all_in_order),
		cmocka_unit_test(writes_crlf),
		cmocka_unit_test(writes_each_part_alone),
		cmocka_unit_test(writes_pop3_without_folder),
		cmocka_unit_test(leaves_room_for_a_uid),
		cmocka_unit_test(cleans_names),
		cmocka_unit_test(keeps_lines_short),
		cmocka_unit_test(survives_a_mad_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
