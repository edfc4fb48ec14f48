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
#include <unistd.h>

#include "deliver/fingerprint.h"

static struct desk *desk;
static bool close_fails;

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

static void
writes_with_lf_and_takes_the_fingerprint(void **state)
{
	struct digest_state *with = digest_new();
	struct fingerprint *f = fingerprint_new();
	struct digest got, want;
	struct draft *d;
	struct err e;
	uint64_t octets;
	int look;

	(void)state;
	d = draft_new(desk, file(&look));
	assert_int_equal(draft_write(d, SPAN("From: a\r\n\r"), &e), 0);
	assert_int_equal(draft_write(d, SPAN("\nb\r"), &e), 0);
	assert_int_equal(draft_octets(d), 13);
	assert_int_equal(draft_finish(d, &octets, &got, &e), 0);
	assert_int_equal(octets, 11);
	fingerprint_add(f, SPAN("From: a"));
	fingerprint_end(f, with, 13, &want);
	assert_memory_equal(got.b, want.b, sizeof(got.b));
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
	struct digest fp;
	struct err e;
	uint64_t octets;
	int look_a, look_b, i;

	(void)state;
	a = draft_new(desk, file(&look_a));
	b = draft_new(desk, file(&look_b));
	for (i = 0; i < 3; i++) {
		assert_int_equal(draft_write(a, SPAN("aa\r"), &e), 0);
		assert_int_equal(draft_write(b, SPAN("b\r\n"), &e), 0);
		assert_int_equal(draft_write(a, SPAN("\n"), &e), 0);
	}
	assert_int_equal(draft_finish(a, &octets, &fp, &e), 0);
	assert_int_equal(octets, 9);
	assert_int_equal(draft_finish(b, &octets, &fp, &e), 0);
	assert_int_equal(octets, 6);
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
	struct digest fp;
	struct err e;
	uint64_t octets;
	size_t i;
	int look;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (char)('a' + i % 23);
	d = draft_new(desk, file(&look));
	assert_int_equal(draft_write(d, span_make(in, sizeof(in)), &e), 0);
	assert_int_equal(draft_finish(d, &octets, &fp, &e), 0);
	assert_int_equal(octets, sizeof(in));
	draft_free(&d);
	expect(look, in, sizeof(in));
}

static void
may_be_empty_or_dropped(void **state)
{
	struct draft *d;
	struct digest fp;
	struct err e;
	uint64_t octets = 1;
	int look;

	(void)state;
	d = draft_new(desk, file(&look));
	assert_int_equal(draft_finish(d, &octets, &fp, &e), 0);
	assert_int_equal(octets, 0);
	draft_free(&d);
	expect(look, "", 0);
	d = draft_new(desk, file(&look));
	assert_int_equal(draft_write(d, SPAN("never"), &e), 0);
	draft_free(&d);
	draft_free(&d);
	expect(look, "", 0);
}

/* /dev/full has no room for anything. */
static void
keeps_its_failure_to_itself(void **state)
{
	struct draft *full = draft_new(desk, open("/dev/full", O_WRONLY));
	struct draft *d;
	struct digest fp;
	struct err e = { 0 };
	uint64_t octets;
	int look;

	(void)state;
	d = draft_new(desk, file(&look));
	assert_int_equal(draft_write(full, SPAN("x"), &e), 0);
	assert_int_equal(draft_write(d, SPAN("y"), &e), 0);
	assert_int_equal(e.kind, ERR_NONE);
	assert_int_equal(draft_write(full, SPAN("x"), &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_non_null(strstr(e.text, "No space left"));
	assert_int_equal(draft_finish(full, &octets, &fp, &e), -1);
	draft_free(&full);
	assert_int_equal(draft_finish(d, &octets, &fp, &e), 0);
	draft_free(&d);
	expect(look, "y", 1);
}

static void
notices_a_full_disk_at_the_end(void **state)
{
	struct draft *full = draft_new(desk, open("/dev/full", O_WRONLY));
	struct digest fp;
	struct err e = { 0 };
	uint64_t octets;

	(void)state;
	assert_int_equal(draft_write(full, SPAN("x"), &e), 0);
	assert_int_equal(draft_finish(full, &octets, &fp, &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	draft_free(&full);
}

static void
notices_a_failure_to_close(void **state)
{
	struct draft *d;
	struct digest fp;
	struct err e = { 0 };
	uint64_t octets;
	int look;

	(void)state;
	d = draft_new(desk, file(&look));
	assert_int_equal(draft_write(d, SPAN("x"), &e), 0);
	close_fails = true;
	assert_int_equal(draft_finish(d, &octets, &fp, &e), -1);
	close_fails = false;
	assert_int_equal(e.sys, EDQUOT);
	draft_free(&d);
	expect(look, "x", 1);
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
	};
	int r;

	desk = desk_new();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	desk_free(&desk);
	return r;
}
