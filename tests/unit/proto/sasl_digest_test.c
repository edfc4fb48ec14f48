/* SPDX-License-Identifier: ISC */
#include "proto/sasl_digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

static void
assert_said(struct buf *out, const char *want)
{
	char *said = mem_spandup(buf_span(out));

	assert_string_equal(said, want);
	free(said);
	buf_deinit(out);
}

static void
makes_the_digest_of_rfc_2195(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(
	    sasl_digest_cram(&out, SPAN("tim"), SPAN("tanstaaftanstaaf"),
		SPAN("<1896.697170952@postoffice.reston.mci.net>")),
	    0);
	assert_said(&out, "tim b913a602c7eda7a495b4e6e7334d3890");
}

static void
makes_the_digest_of_rfc_1939(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(
	    sasl_digest_apop(&out, SPAN("<1896.697170952@dbc.mtview.ca.us>"),
		SPAN("tanstaaf")),
	    0);
	assert_said(&out, "c4c9334bac560ecc979e58001b3e22fb");
}

/* From RFC 5802 5 and 7677 3. */
static void
salts_as_scram_does(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(sasl_digest_salted(&out, false, SPAN("pencil"),
			     SPAN("\x41\x25\xc2\x47\xe4\x3a\xb1\xe9\x3c\x6d"
				  "\xff\x76"),
			     4096),
	    0);
	assert_said(&out, "1d96ee3a529b5a5f9e47c01f229a2cb8a6e15f7d");
	buf_init(&out, 1000);
	assert_int_equal(sasl_digest_salted(&out, true, SPAN("pencil"),
			     SPAN("\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0"
				  "\x4b\x14\x12\x36\xfa\x81"),
			     4096),
	    0);
	assert_said(&out,
	    "c4a49510323ab4f952cac1fa99441939"
	    "e78ea74d6be81ddf7096e87513dc615d");
}

static void
takes_any_octet_and_length(void **state)
{
	char password[1000];
	struct buf out;

	(void)state;
	memset(password, 0xff, sizeof(password));
	password[7] = '\0';
	buf_init(&out, 1000);
	assert_int_equal(sasl_digest_cram(&out, SPAN("u"),
			     span_make(password, sizeof(password)), SPAN("x")),
	    0);
	assert_int_equal(out.n, 34);
	buf_deinit(&out);
}

static void
says_so_when_there_is_no_room(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 31);
	assert_int_equal(sasl_digest_apop(&out, SPAN("<a@b>"), SPAN("x")), -1);
	assert_int_equal(
	    sasl_digest_cram(&out, SPAN("u"), SPAN("p"), SPAN("x")), -1);
	buf_deinit(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_the_digest_of_rfc_2195),
		cmocka_unit_test(makes_the_digest_of_rfc_1939),
		cmocka_unit_test(salts_as_scram_does),
		cmocka_unit_test(takes_any_octet_and_length),
		cmocka_unit_test(says_so_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
