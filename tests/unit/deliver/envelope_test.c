/* SPDX-License-Identifier: ISC */
#include "deliver/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "util/text.h"

static struct envelope
of(struct span message, const struct envelope_rules *rules)
{
	struct header *h = envelope_header(rules);
	struct envelope e;

	header_add(h, message);
	envelope_read(h, rules, &e);
	header_free(&h);
	return e;
}

struct row {
	const char *in;
	const char *out;
};

/* clang-format off */
static const struct row senders[] = {
	{ "Return-Path: <r@x>\nSender: s@x\nFrom: f@x\n", "r@x" },
	{ "From: f@x\nSender: s@x\nReturn-Path: r@x\n", "r@x" },
	{ "Sender: s@x\nFrom: f@x\n", "s@x" },
	{ "From: F <f@x>, g@x\n", "f@x" },
	{ "Return-Path: <>\nSender: s@x\nFrom: f@x\n", "" },
	{ "Return-Path: <>\nReturn-Path: <r@x>\nFrom: f@x\n", "" },
	{ "Return-Path:\nFrom: f@x\n", "f@x" },
	{ "Return-Path: <a b>\nSender: <s\x1b@x>\nFrom: f@x\n", "f@x" },
	{ "Sender: <>\nFrom: f@x\n", "f@x" },
	{ "From: <>\n", "" },
	{ "From: nobody:;\n", "" },
	{ "To: t@x\nReply-To: t@x\nResent-From: t@x\n\nFrom: f@x\n", "" },
	{ "", "" },
};

static const struct row recipients[] = {
	{ "Delivered-To: a@x\nDelivered-To: b@x\n", "a@x" },
	{ "delivered-to: mbox-a@x\n", "a@x" },
	{ "Delivered-To: <mbox-a@x>\n", "a@x" },
	{ "Delivered-To: MBOX-a@x\n", "MBOX-a@x" },
	{ "Delivered-To: mbox-mbox-a@x\n", "mbox-a@x" },
	{ "Delivered-To: mbox-@x\n", "" },
	{ "Delivered-To: mbox-\n", "" },
	{ "Delivered-To: <>\n", "" },
	{ "Delivered-To: a b@x\n", "a" },
	{ "Delivered-To: <a\xff@x>\nDelivered-To: b@x\n", "" },
	{ "To: a@x\nCc: a@x\nX-Original-To: a@x\n\nDelivered-To: a@x\n", "" },
};

static const struct row abouts[] = {
	{ "", "" },
	{ "From: A <a@x>\nSubject: Hi\n there\n",
	    "from \"A <a@x>\", subject \"Hi there\"" },
	{ "From: a@x\n", "from \"a@x\"" },
	{ "Subject: =?utf-8?Q?=1B?=\n", "subject \"=?utf-8?Q?=1B?=\"" },
	{ "Subject: a\x1b]0;x\x07\xc3\xbc\xff\n",
	    "subject \"a\\x1B]0;x\\x07\xc3\xbc\\xFF\"" },
};

/* clang-format on */

static void
finds_the_sender(void **state)
{
	const struct envelope_rules none = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		struct envelope e = of(span_of(senders[i].in), &none);

		assert_string_equal(e.sender, senders[i].out);
		assert_string_equal(e.recipient, "");
	}
}

static void
finds_the_recipient_where_the_user_says(void **state)
{
	const struct envelope_rules rules = { NULL, "Delivered-To", "mbox-" };

	(void)state;
	for (size_t i = 0; i < sizeof(recipients) / sizeof(recipients[0]);
	     i++) {
		struct envelope e = of(span_of(recipients[i].in), &rules);

		assert_string_equal(e.recipient, recipients[i].out);
	}
}

static void
falls_back_to_the_configured_recipient(void **state)
{
	const struct envelope_rules both = { "me@x", "Delivered-To", NULL };
	const struct envelope_rules one = { "me@x", NULL, NULL };
	const struct envelope_rules bad = { "m e@x", NULL, NULL };
	struct span mail = SPAN("Delivered-To: mbox-a@x\n");
	struct envelope e;

	(void)state;
	assert_string_equal(of(mail, &both).recipient, "mbox-a@x");
	assert_string_equal(of(mail, &one).recipient, "me@x");
	assert_string_equal(of(SPAN("To: a@x\n"), &both).recipient, "me@x");
	assert_string_equal(of(SPAN(""), &bad).recipient, "");
	envelope_read(NULL, &both, &e);
	assert_string_equal(e.recipient, "me@x");
	assert_string_equal(e.sender, "");
	assert_string_equal(e.about, "");
}

static void
takes_a_recipient_from_a_field_it_reads_anyway(void **state)
{
	const struct envelope_rules rules = { NULL, "SENDER", NULL };
	struct envelope e = of(SPAN("Sender: a@x\nSender: b@x\n"), &rules);

	(void)state;
	assert_string_equal(e.sender, "a@x");
	assert_string_equal(e.recipient, "a@x");
}

/* The maximum falls into the middle of an address. */
static void
uses_no_half_address(void **state)
{
	const struct envelope_rules none = { 0 };
	char in[2000];
	size_t n = HEADER_VALUE_MAX - 4;

	(void)state;
	memset(in, 'x', sizeof(in));
	memcpy(in, "From: (", 7);
	memcpy(in + 6 + n - 2, ") ab@example.org", 16);
	assert_string_equal(of(span_make(in, 6 + n + 14), &none).sender, "");
	/* one that is complete will do */
	memcpy(in, "From: <a@x> (", 13);
	assert_string_equal(of(span_make(in, 6 + n + 14), &none).sender, "a@x");
}

static void
tells_people_what_it_is_about(void **state)
{
	const struct envelope_rules none = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(abouts) / sizeof(abouts[0]); i++) {
		struct envelope e = of(span_of(abouts[i].in), &none);

		assert_string_equal(e.about, abouts[i].out);
	}
}

static void
keeps_that_short(void **state)
{
	const struct envelope_rules none = { 0 };
	char in[3000];
	struct envelope e;

	(void)state;
	memset(in, '\x1b', sizeof(in));
	memcpy(in, "From: ", 6);
	memcpy(in + 1500, "\nSubject: ", 10);
	e = of(span_make(in, sizeof(in)), &none);
	assert_true(strlen(e.about) <= ENVELOPE_ABOUT_MAX);
	assert_non_null(strstr(e.about, "...\", subject \"\\x1B"));
	assert_string_equal(e.about + strlen(e.about) - 4, "...\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_sender),
		cmocka_unit_test(finds_the_recipient_where_the_user_says),
		cmocka_unit_test(falls_back_to_the_configured_recipient),
		cmocka_unit_test(
		    takes_a_recipient_from_a_field_it_reads_anyway),
		cmocka_unit_test(uses_no_half_address),
		cmocka_unit_test(tells_people_what_it_is_about),
		cmocka_unit_test(keeps_that_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
