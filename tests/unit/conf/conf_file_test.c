/* SPDX-License-Identifier: ISC */
#include "conf/conf_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/conf/tmp.h"

static int
read_it(const char *path, size_t max, struct buf *b, struct err *e)
{
	struct stat st = { 0 };
	int r;

	buf_init(b, 1 << 20);
	r = conf_file_read(path, max, b, &st, e);
	if (r == 0)
		assert_int_equal(st.st_mode & 0777, 0640);
	return r;
}

static void
reads_a_file_with_its_mode(void **state)
{
	struct err e;
	struct buf b;

	(void)state;
	tmp_write("f", 0640, "text\n");
	assert_int_equal(read_it("f", 5, &b, &e), 0);
	assert_true(span_eq(buf_span(&b), SPAN("text\n")));
	buf_deinit(&b);
}

static void
refuses_one_octet_too_many(void **state)
{
	struct err e;
	struct buf b;

	(void)state;
	tmp_write("f", 0640, "text\n");
	assert_int_equal(read_it("f", 4, &b, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.text, "larger than the 4 octets allowed");
	buf_deinit(&b);
}

static void
refuses_what_is_no_regular_file(void **state)
{
	struct err e;
	struct buf b;

	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(read_it("pipe", 9, &b, &e), -1);
	assert_string_equal(e.text, "not a regular file");
	assert_int_equal(read_it(".", 9, &b, &e), -1);
	assert_string_equal(e.text, "not a regular file");
	assert_int_equal(read_it("none", 9, &b, &e), -1);
	assert_string_equal(e.text, "No such file or directory");
	buf_deinit(&b);
}

static void
tells_whose_a_file_is(void **state)
{
	struct stat st = { .st_uid = geteuid(), .st_mode = 0644 };

	(void)state;
	assert_null(conf_file_foreign(&st));
	st.st_mode = 0646;
	assert_string_equal(
	    conf_file_foreign(&st), "can be written by others: chmod o-w it");
	st.st_mode = 0600;
	st.st_uid++;
	assert_string_equal(
	    conf_file_foreign(&st), "belongs to another user: copy it");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_whose_a_file_is),
		cmocka_unit_test(reads_a_file_with_its_mode),
		cmocka_unit_test(refuses_one_octet_too_many),
		cmocka_unit_test(refuses_what_is_no_regular_file),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
