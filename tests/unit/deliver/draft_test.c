/* SPDX-License-Identifier: ISC */
#include "deliver/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "deliver/fingerprint.h"

#ifndef MAILHAUL_VERSION
#define MAILHAUL_VERSION "1"
#endif

static struct desk *desk;
static bool close_fails;
static const struct draft_style plain; /* LF, and nothing in front */

/* As some file systems do over a network. */
int
close(int fd)
{
	long r = syscall(SYS_close, fd);

	if (!close_fails)
		return (int)r;
	errno = EDQUOT;
	return -1;
}

int
gethostname(char *name, size_t size)
{
	return snprintf(name, size, "me.x") > 0 ? 0 : -1;
}

/* Wed, 25 Nov 2026 17:31:17 +0000, always. */
int
clock_gettime(clockid_t id, struct timespec *t)
{
	(void)id;
	*t = (struct timespec){ .tv_sec = 1795627877 };
	return 0;
}

/* A file in memory: one end for a draft, the other to look. */
static int
file(int *look)
{
	int fd = memfd_create("draft", MFD_CLOEXEC);

	*look = dup(fd);
	assert_true(fd >= 0 && *look >= 0);
	return fd;
}

static void
expect(int look, const char *octets, size_t n)
{
	char *got = malloc(n + 1);

	assert_non_null(got);
	assert_int_equal(pread(look, got, n + 1, 0), n);
	assert_memory_equal(got, octets, n);
	free(got);
	close(look);
}

static struct draft *
new_plain(int fd)
{
	return draft_new(desk, fd, &plain, 0, NULL);
}

static void
writes_with_lf_and_takes_the_fingerprint(void **state)
{
	struct digest_state *with = digest_new();
	struct fingerprint *f = fingerprint_new();
	struct digest want;
	struct draft *d;
	struct err e;
	struct draft_result r;
	int look;

	(void)state;
	d = new_plain(file(&look));
	assert_int_equal(draft_write(d, SPAN("From: a\r\n\r"), &e), 0);
	assert_int_equal(draft_write(d, SPAN("\nb\r"), &e), 0);
	assert_int_equal(draft_octets(d), 13);
	assert_int_equal(draft_finish(d, 0, &r, &e), 0);
	assert_int_equal(r.octets, 11);
	fingerprint_add(f, SPAN("From: a"));
	fingerprint_end(f, with, 13, &want);
	assert_memory_equal(r.fingerprint.b, want.b, sizeof(want.b));
	draft_free(&d);
	assert_null(d);
	expect(look, "From: a\n\nb\r", 11);
	fingerprint_free(&f);
	digest_free(&with);
}

static void
shares_the_desk(void **state)
{
	struct draft *a, *b;
	struct err e;
	struct draft_result r;
	int look_a, look_b, i;

	(void)state;
	a = new_plain(file(&look_a));
	b = new_plain(file(&look_b));
	for (i = 0; i < 3; i++) {
		assert_int_equal(draft_write(a, SPAN("aa\r"), &e), 0);
		assert_int_equal(draft_write(b, SPAN("b\r\n"), &e), 0);
		assert_int_equal(draft_write(a, SPAN("\n"), &e), 0);
	}
	assert_int_equal(draft_finish(a, 0, &r, &e), 0);
	assert_int_equal(r.octets, 9);
	assert_int_equal(draft_finish(b, 0, &r, &e), 0);
	assert_int_equal(r.octets, 6);
	draft_free(&a);
	draft_free(&b);
	expect(look_a, "aa\naa\naa\n", 9);
	expect(look_b, "b\nb\nb\n", 6);
}

static void
writes_large_messages_in_pieces(void **state)
{
	static char in[65536 * 3 + 17];
	struct draft *d;
	struct err e;
	struct draft_result r;
	size_t i;
	int look;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (char)('a' + i % 23);
	d = new_plain(file(&look));
	assert_int_equal(draft_write(d, span_make(in, sizeof(in)), &e), 0);
	assert_int_equal(draft_finish(d, 0, &r, &e), 0);
	assert_int_equal(r.octets, sizeof(in));
	draft_free(&d);
	expect(look, in, sizeof(in));
}

static void
may_be_empty_or_dropped(void **state)
{
	struct draft *d;
	struct err e;
	struct draft_result r;
	int look;

	(void)state;
	d = new_plain(file(&look));
	assert_int_equal(draft_finish(d, 0, &r, &e), 0);
	assert_int_equal(r.octets, 0);
	draft_free(&d);
	expect(look, "", 0);
	d = new_plain(file(&look));
	assert_int_equal(draft_write(d, SPAN("never"), &e), 0);
	draft_free(&d);
	draft_free(&d);
	expect(look, "", 0);
}

/* /dev/full has no room for anything. */
static void
keeps_its_failure_to_itself(void **state)
{
	struct draft *full = new_plain(open("/dev/full", O_WRONLY));
	struct draft *d;
	struct err e = { 0 };
	struct draft_result r;
	int look;

	(void)state;
	d = new_plain(file(&look));
	assert_int_equal(draft_write(full, SPAN("x"), &e), 0);
	assert_int_equal(draft_write(d, SPAN("y"), &e), 0);
	assert_int_equal(e.kind, ERR_NONE);
	assert_int_equal(draft_write(full, SPAN("x"), &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_non_null(strstr(e.text, "No space left"));
	assert_int_equal(draft_finish(full, 0, &r, &e), -1);
	draft_free(&full);
	assert_int_equal(draft_finish(d, 0, &r, &e), 0);
	draft_free(&d);
	expect(look, "y", 1);
}

static void
notices_a_full_disk_at_the_end(void **state)
{
	struct draft *full = new_plain(open("/dev/full", O_WRONLY));
	struct err e = { 0 };
	struct draft_result r;

	(void)state;
	assert_int_equal(draft_write(full, SPAN("x"), &e), 0);
	assert_int_equal(draft_finish(full, 0, &r, &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	draft_free(&full);
}

static void
notices_a_failure_to_close(void **state)
{
	struct draft *d;
	struct err e = { 0 };
	struct draft_result r;
	int look;

	(void)state;
	d = new_plain(file(&look));
	assert_int_equal(draft_write(d, SPAN("x"), &e), 0);
	close_fails = true;
	assert_int_equal(draft_finish(d, 0, &r, &e), -1);
	close_fails = false;
	assert_int_equal(e.sys, EDQUOT);
	draft_free(&d);
	expect(look, "x", 1);
}

/* ---- styles ---- */

#define RECEIVED                                                               \
	"Received: from h.x\n\tby me.x with IMAPS (mailhaul-" MAILHAUL_VERSION \
	" polling acc account u folder box);\n"                                \
	"\tWed, 25 Nov 2026 17:31:17 +0000\n"
#define STAMP " Wed Nov 25 17:31:17 2026\n"

#define NAMES                                                                  \
	.host = "h.x", .protocol = "IMAPS", .account = "acc", .user = "u",     \
	.mailbox = "box"

/* clang-format off */
static const struct draft_style received = { .received = true, NAMES };
static const struct draft_style source = { .source = true, NAMES };
static const struct draft_style delivered = { .delivered_to = true,
	.recipient_header = "X-To", .recipient_prefix = "p-", NAMES };
static const struct draft_style configured = { .delivered_to = true,
	.recipient = "me@x", NAMES };
static const struct draft_style from_line = { .from_line = true, NAMES };
static const struct draft_style mbox = { .mbox = true, NAMES };
static const struct draft_style envelope = { .envelope = true, NAMES };
static const struct draft_style lmtp = { .crlf = true, .envelope = true,
	.recipient_header = "X-To", NAMES };
static const struct draft_style lmtp_source = { .crlf = true, .source = true,
	NAMES };
static const struct draft_style bare_lmtp = { .crlf = true };
static const struct draft_style pop3 = { .source = true, .protocol = "POP3",
	.account = "acc" };

struct row {
	const struct draft_style *style;
	uint32_t number, later;
	const char *uidl;
	struct span in, out;
	const char *sender, *recipient;
	bool eight_bit, bare;
};

static const struct row rows[] = {
	{ &received, 1, 1, NULL, SPAN("A: b\r\n\r\nc\r"),
	    SPAN(RECEIVED "A: b\n\nc\r"), "", "", 0, 0 },
	/* without a header, and without anything */
	{ &received, 1, 1, NULL, SPAN("\r\nc\r\n"),
	    SPAN(RECEIVED "\nc\n"), "", "", 0, 0 },
	{ &received, 1, 1, NULL, SPAN("no header\r\n"),
	    SPAN(RECEIVED "no header\n"), "", "", 0, 0 },
	{ &received, 1, 1, NULL, SPAN(""), SPAN(RECEIVED), "", "", 0, 0 },
	{ &delivered, 1, 1, NULL, SPAN(""), SPAN(""), "", "", 0, 0 },
	{ &mbox, 1, 1, NULL, SPAN(""),
	    SPAN("From MAILER-DAEMON" STAMP "\n"), "", "", 0, 0 },
	/* the UID: known before, after, never */
	{ &source, 7, 8, NULL, SPAN("A: b\r\n"),
	    SPAN("X-Mailhaul: account=acc mailbox=box uid=7\nA: b\n"),
	    "", "", 0, 0 },
	{ &source, 0, 4294967295, NULL, SPAN("A: b\r\n"),
	    SPAN("X-Mailhaul: account=acc mailbox=box uid=4294967295\nA: b\n"),
	    "", "", 0, 0 },
	{ &source, 0, 0, NULL, SPAN(""),
	    SPAN("X-Mailhaul: account=acc mailbox=box uid=          \n"),
	    "", "", 0, 0 },
	{ &pop3, 0, 9, "u1", SPAN("A: b\r\n"),
	    SPAN("X-Mailhaul: account=acc uid=u1\nA: b\n"), "", "", 0, 0 },
	{ &pop3, 0, 9, NULL, SPAN("A: b\r\n"),
	    SPAN("X-Mailhaul: account=acc\nA: b\n"), "", "", 0, 0 },
	/* what only the header knows */
	{ &delivered, 1, 1, NULL, SPAN("X-To: p-a@x\r\nX-To: b@x\r\n\r\n"),
	    SPAN("Delivered-To: a@x\nX-To: p-a@x\nX-To: b@x\n\n"),
	    "", "a@x", 0, 0 },
	{ &delivered, 1, 1, NULL, SPAN("To: a@x\r\n\r\nX-To: b@x\r\n"),
	    SPAN("To: a@x\n\nX-To: b@x\n"), "", "", 0, 0 },
	{ &configured, 1, 1, NULL, SPAN("To: a@x\r\n\r\n"),
	    SPAN("Delivered-To: me@x\nTo: a@x\n\n"), "", "me@x", 0, 0 },
	{ &from_line, 1, 1, NULL, SPAN("From: f@x\r\n\r\nFrom y\r\n"),
	    SPAN("From f@x" STAMP "From: f@x\n\nFrom y\n"),
	    "f@x", "", 0, 0 },
	{ &mbox, 1, 1, NULL, SPAN("From a\r\nFrom: f@x\r\n\r\n>From y\r\nz"),
	    SPAN("From f@x" STAMP
		">From a\nFrom: f@x\n\n>>From y\nz\n\n"), "f@x", "", 0, 0 },
	{ &mbox, 1, 1, NULL, SPAN("From: f@x\r\n\r\n\r\n\r\n"),
	    SPAN("From f@x" STAMP "From: f@x\n\n\n\n\n"), "f@x", "", 0, 0 },
	{ &mbox, 1, 1, NULL, SPAN("\r\na\0\r\rFrom\r"),
	    SPAN("From MAILER-DAEMON" STAMP "\na\0\r\rFrom\r\n\n"),
	    "", "", 0, 0 },
	{ &mbox, 1, 1, NULL, SPAN("\r\nFro"),
	    SPAN("From MAILER-DAEMON" STAMP "\nFro\n\n"), "", "", 0, 0 },
	{ &envelope, 1, 1, NULL, SPAN("Return-Path: <>\r\nFrom: f@x\r\n\r\nb"),
	    SPAN("Return-Path: <>\nFrom: f@x\n\nb"), "", "", 0, 0 },
	/* for relays */
	{ &lmtp, 1, 1, NULL, SPAN("Sender: s@x\r\nX-To: r@x\r\n\r\nFrom \r\n"),
	    SPAN("Sender: s@x\r\nX-To: r@x\r\n\r\nFrom \r\n"),
	    "s@x", "r@x", false, false },
	{ &lmtp, 1, 1, NULL, SPAN("A: \xff\r\n\r\na\nb\rc\0\r\n"),
	    SPAN("A: \xff\r\n\r\na\nb\rc\0\r\n"), "", "", true, true },
	{ &lmtp_source, 0, 12, NULL, SPAN("A: b\r\n\r\nc"),
	    SPAN("X-Mailhaul: account=acc mailbox=box uid=12        \r\n"
		"A: b\r\n\r\nc"), "", "", false, true },
	{ &bare_lmtp, 0, 12, NULL, SPAN("\x80\r\n"), SPAN("\x80\r\n"),
	    "", "", true, false },
	{ &bare_lmtp, 0, 12, NULL, SPAN(""), SPAN(""), "", "", false, true },
};

/* clang-format on */

static void
look_after(const struct row *row, struct draft *d, int look)
{
	const struct envelope *e = draft_envelope(d);
	int fd = draft_take_fd(d);

	assert_int_equal(fd >= 0, row->style->crlf);
	assert_string_equal(e->sender, row->sender);
	assert_string_equal(e->recipient, row->recipient);
	draft_free(&d);
	if (fd >= 0)
		expect(fd, row->out.p, row->out.n);
	expect(look, row->out.p, row->out.n);
}

/* In pieces, with another draft at the same desk. */
static void
check(const struct row *row, size_t piece)
{
	struct span rest = row->in;
	int look, other;
	struct draft *d =
	    draft_new(desk, file(&look), row->style, row->number, row->uidl);
	struct draft *o = new_plain(file(&other));
	struct draft_result r;
	struct err e;

	while (rest.n > 0) {
		struct span part = span_take(&rest, piece);
		char *copy = malloc(part.n);

		assert_non_null(copy);
		memcpy(copy, part.p, part.n);
		assert_int_equal(draft_write(o, SPAN("-"), &e), 0);
		assert_int_equal(
		    draft_write(d, span_make(copy, part.n), &e), 0);
		free(copy);
	}
	assert_int_equal(draft_octets(d), row->in.n);
	assert_int_equal(draft_finish(d, row->later, &r, &e), 0);
	assert_int_equal(r.octets, row->out.n);
	assert_int_equal(r.eight_bit, row->eight_bit);
	assert_int_equal(r.bare, row->bare);
	look_after(row, d, look);
	draft_free(&o);
	close(other);
}

static void
puts_in_front_what_the_style_asks_for_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t n = 1; n <= rows[i].in.n + 1; n++)
			check(&rows[i], n);
	}
}

static void
tells_what_a_message_is_about(void **state)
{
	struct draft_result r;
	struct draft *d;
	struct err e;
	int look;

	(void)state;
	d = draft_new(desk, file(&look), &envelope, 1, NULL);
	assert_int_equal(draft_write(d, SPAN("Subject: s\r\n\r\n"), &e), 0);
	assert_int_equal(draft_finish(d, 1, &r, &e), 0);
	assert_string_equal(draft_envelope(d)->about, "subject \"s\"");
	draft_free(&d);
	close(look);
}

/* What is behind the maximum is not looked for, at any split. */
static void
holds_back_no_more_than_it_may(void **state)
{
	static const size_t pieces[] = { 1000, DRAFT_HELD_MAX - 1,
		DRAFT_HELD_MAX, DRAFT_HELD_MAX + 1, SIZE_MAX };
	static const char front[] = "From MAILER-DAEMON" STAMP;
	size_t n = DRAFT_HELD_MAX + 5000, f = sizeof(front) - 1;
	char *in = malloc(n), *out = malloc(f + n);

	(void)state;
	assert_non_null(in);
	assert_non_null(out);
	memset(in, 'x', n);
	memcpy(in + DRAFT_HELD_MAX - 5, "\nFrom: a@x\n\n", 12);
	memcpy(out, front, f);
	memcpy(out + f, in, n);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct span rest = span_make(in, n);
		struct draft_result r;
		struct draft *d;
		struct err e;
		int look;

		d = draft_new(desk, file(&look), &from_line, 1, NULL);
		while (rest.n > 0)
			draft_write(d, span_take(&rest, pieces[i]), &e);
		assert_int_equal(draft_finish(d, 1, &r, &e), 0);
		draft_free(&d);
		expect(look, out, f + n);
	}
	free(in);
	free(out);
}

static void
keeps_the_fingerprint_of_what_the_server_gave(void **state)
{
	static const struct draft_style *const styles[] = { &plain, &received,
		&mbox, &lmtp };
	struct span mail = SPAN("From: a\r\nDate: b\r\n\r\nFrom \r\n");
	struct draft_result first, r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		int look;
		struct draft *d =
		    draft_new(desk, file(&look), styles[i], 0, NULL);

		assert_int_equal(draft_write(d, mail, &e), 0);
		assert_int_equal(draft_finish(d, 1, &r, &e), 0);
		if (i == 0)
			first = r;
		assert_memory_equal(
		    &r.fingerprint, &first.fingerprint, DIGEST_OCTETS);
		draft_free(&d);
		close(look);
	}
}

/* Whatever stands in front of it, and however it comes. */
static void
names_a_message_by_every_octet_of_it(void **state)
{
	static const struct draft_style styles[] = { { .by_content = true },
		{ .by_content = true, .crlf = true },
		{ .by_content = true, .mbox = true } };
	struct span mail = SPAN("From: a\r\n\r\nbody\r\n");
	struct draft_result first, r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		struct span rest = mail;
		int look;
		struct draft *d =
		    draft_new(desk, file(&look), &styles[i % 3], 0, NULL);

		while (rest.n > 0)
			draft_write(d, span_take(&rest, i / 3 + 1), &e);
		assert_int_equal(draft_finish(d, 0, &r, &e), 0);
		if (i == 0)
			first = r;
		assert_memory_equal(
		    &r.fingerprint, &first.fingerprint, DIGEST_OCTETS);
		draft_free(&d);
		d = draft_new(desk, file(&look), &styles[i % 3], 0, NULL);
		draft_write(d, SPAN("From: a\r\n\r\nbodY\r\n"), &e);
		assert_int_equal(draft_finish(d, 0, &r, &e), 0);
		assert_memory_not_equal(
		    &r.fingerprint, &first.fingerprint, DIGEST_OCTETS);
		draft_free(&d);
	}
}

static void
notices_that_a_uid_cannot_be_written(void **state)
{
	struct draft *d;
	struct draft_result r;
	struct err e = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	d = draft_new(desk, ends[1], &source, 0, NULL);
	assert_int_equal(draft_finish(d, 7, &r, &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_int_equal(e.sys, ESPIPE);
	draft_free(&d);
	close(ends[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_with_lf_and_takes_the_fingerprint),
		cmocka_unit_test(shares_the_desk),
		cmocka_unit_test(writes_large_messages_in_pieces),
		cmocka_unit_test(may_be_empty_or_dropped),
		cmocka_unit_test(keeps_its_failure_to_itself),
		cmocka_unit_test(notices_a_full_disk_at_the_end),
		cmocka_unit_test(notices_a_failure_to_close),
		cmocka_unit_test(
		    puts_in_front_what_the_style_asks_for_at_every_split),
		cmocka_unit_test(tells_what_a_message_is_about),
		cmocka_unit_test(holds_back_no_more_than_it_may),
		cmocka_unit_test(keeps_the_fingerprint_of_what_the_server_gave),
		cmocka_unit_test(names_a_message_by_every_octet_of_it),
		cmocka_unit_test(notices_that_a_uid_cannot_be_written),
	};
	int r;

	desk = desk_new();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	desk_free(&desk);
	return r;
}
