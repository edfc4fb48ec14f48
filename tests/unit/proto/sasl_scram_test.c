/* SPDX-License-Identifier: ISC */
#include "proto/sasl_scram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
reads_the_first_message(void **state)
{
	static const struct {
		const char *said;
		int r;
		const char *salt;
		unsigned int iterations;
	} t[] = {
		/* clang-format off */
		{ "r=ab,s=QUJD,i=4096", 0, "QUJD", 4096 },
		{ "r=ab,s=QUJD,i=1", 0, "QUJD", 1 },
		{ "r=ab,s=QUJD,i=1000000", 0, "QUJD", 1000000 },
		{ "r=ab,s=QUJD,i=4096,x=later", 0, "QUJD", 4096 },
		{ "r=ab,s=QUJD,i=1000001", -1, "", 0 },
		{ "r=ab,s=QUJD,i=4294967297", -1, "", 0 },
		{ "r=ab,s=QUJD,i=99999999999999999999", -1, "", 0 },
		{ "r=ab,s=QUJD,i=0", -1, "", 0 },
		{ "r=ab,s=QUJD,i=", -1, "", 0 },
		{ "r=ab,s=QUJD,i=+1", -1, "", 0 },
		{ "r=ab,s=QUJD,i= 1", -1, "", 0 },
		{ "r=ab,s=QUJD,i=1 ", -1, "", 0 },
		{ "r=ab,s=QUJD,i=0x10", -1, "", 0 },
		{ "r=ab,s=QUJD,x=1,i=1", -1, "", 0 },
		{ "r=ab,i=1,s=QUJD", -1, "", 0 },
		{ "m=x,r=ab,s=QUJD,i=1", -1, "", 0 },
		{ "r=ab,s=QUJD", -1, "", 0 },
		{ "r=ab,s=,i=1", -1, "", 0 },
		{ "r=,s=QUJD,i=1", -1, "", 0 },
		{ "", -1, "", 0 },
		{ ",,,", -1, "", 0 },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct err e = { 0 };
		struct span salt;
		unsigned int iterations;

		assert_int_equal(sasl_scram_first(span_of(t[i].said), &salt,
				     &iterations, &e),
		    t[i].r);
		assert_int_equal(e.kind, t[i].r == 0 ? ERR_NONE : ERR_PROTO);
		if (t[i].r != 0)
			continue;
		assert_true(span_eq(salt, span_of(t[i].salt)));
		assert_int_equal(iterations, t[i].iterations);
	}
}

static void
refuses_a_nul(void **state)
{
	struct span salt;
	unsigned int iterations;

	(void)state;
	assert_int_equal(sasl_scram_first(SPAN("r=a\0b,s=QUJD,i=1"), &salt,
			     &iterations, NULL),
	    -1);
}

static void
says_what_is_wrong(void **state)
{
	static const struct {
		const char *said;
		bool failed, unbound;
		enum err_kind kind;
		const char *text;
	} t[] = {
		/* clang-format off */
		{ "e=unsupported-channel-binding-type", true, true, ERR_AUTH,
		  "auth = scram-sha-256" },
		{ "e=channel-bindings-dont-match", true, false, ERR_AUTH,
		  "another one than ours" },
		{ "e=server-does-support-channel-binding", true, false,
		  ERR_AUTH, "hides" },
		{ "e=channel-binding-not-supported", true, false, ERR_AUTH,
		  "no channel binding" },
		{ "e=invalid-proof,x=y", true, false, ERR_AUTH,
		  "password is wrong" },
		{ "e=no-resources", true, false, ERR_TEMP, "no resources" },
		{ "e=other-error", true, false, ERR_AUTH, "\"other-error\"" },
		{ "e=", true, false, ERR_AUTH, "\"\"" },
		{ "v=QUJD", false, false, ERR_NONE, "" },
		{ "", false, false, ERR_NONE, "" },
		{ "r=e=x", false, false, ERR_NONE, "" },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct err e = { 0 };
		bool unbound = false;

		assert_int_equal(
		    sasl_scram_failed(span_of(t[i].said), &e, &unbound),
		    t[i].failed);
		assert_int_equal(unbound, t[i].unbound);
		assert_int_equal(e.kind, t[i].kind);
		assert_non_null(strstr(e.text, t[i].text));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_first_message),
		cmocka_unit_test(refuses_a_nul),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
