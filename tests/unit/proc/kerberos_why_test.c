/* SPDX-License-Identifier: ISC */
#include "proc/kerberos_why.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

/* As of MIT's 1.20: number of the process, time, what. */
#define LINE(words) "[17868] 1795655693.540107: " words "\n"
#define ASKS LINE("Requesting tickets for imap/h@R, referrals on")
#define NOT_CACHED                                                             \
	LINE("Retrieving a@R -> imap/h@R from FILE:/c with result: "           \
	     "-1765328243/Matching credential not found (filename: /c)")
#define FOUND                                                                  \
	LINE("Retrieving a@R -> krbtgt/R@R from FILE:/c with result: "         \
	     "0/Success")

static void
expect(const char *trace, enum err_kind kind, const char *text)
{
	struct err e;

	assert_int_equal(
	    kerberos_why(span_of(trace), "alice", "imap", "h.example", &e), -1);
	assert_string_equal(e.text, text);
	assert_int_equal(e.kind, kind);
}

static void
tells_what_the_realm_has_said(void **state)
{
	(void)state;
	expect(NOT_CACHED FOUND ASKS LINE(
		   "TGS request result: -1765328377/Server imap/h@R not found "
		   "in Kerberos database"),
	    ERR_AUTH,
	    "Kerberos: Server imap/h@R not found in Kerberos database; is host "
	    "(or tls-name) the name the server has in Kerberos?");
	expect(LINE("Received error from KDC: -1765328359/Additional "
		    "pre-authentication required")
		   LINE("Received error from KDC: -1765328347/Clock skew too "
			"great"),
	    ERR_TEMP,
	    "Kerberos: Clock skew too great: set the clock of this machine, "
	    "or the server's");
	expect(LINE("TGS request result: -1765328352/Ticket expired"), ERR_TEMP,
	    "Kerberos: Ticket expired: run kinit again, or set "
	    "KRB5_CLIENT_KTNAME");
	expect(LINE("Received error from KDC: -1765328366/Client's credentials "
		    "have been revoked\x1b"),
	    ERR_TEMP, "Kerberos: Client's credentials have been revoked\\x1B");
	/* the last is what it came to */
	expect(LINE("x result: -1/first") LINE("x result: -2/second"), ERR_TEMP,
	    "Kerberos: second");
}

static void
knows_a_ticket_that_has_expired(void **state)
{
	(void)state;
	expect(NOT_CACHED FOUND, ERR_TEMP,
	    "the Kerberos ticket of alice has expired: run kinit again, or set "
	    "KRB5_CLIENT_KTNAME");
}

static void
tells_how_far_it_came(void **state)
{
	(void)state;
	expect(NOT_CACHED FOUND ASKS LINE("Sending initial UDP request to "
					  "dgram 127.0.0.1:88"),
	    ERR_TEMP,
	    "Kerberos gives no ticket for imap/h.example; at last: Sending "
	    "initial UDP request to dgram 127.0.0.1:88");
	expect(LINE("Received error from KDC: -1765328359/Additional "
		    "pre-authentication required") ASKS,
	    ERR_TEMP,
	    "Kerberos gives no ticket for imap/h.example; at last: Requesting "
	    "tickets for imap/h@R, referrals on");
}

/* So far it writes nothing down. */
static void
takes_silence_for_a_missing_ticket(void **state)
{
	static const char *const silent[] = { "", "\n", " \n\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++)
		expect(silent[i], ERR_TEMP,
		    "no Kerberos ticket for alice: run kinit, or set "
		    "KRB5_CLIENT_KTNAME to a keytab of his");
}

/* Its words may change, and names be as long as they like. */
static void
says_something_whatever_is_written(void **state)
{
	static const char *const all[] = { "[", "[1", "[1] ", "[1] 2",
		"result: ", "result: -", "result: -1", "result: -99999999999/x",
		"from KDC: -/", "result: -1/", "\xff\n\x01" };
	char longest[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct err e = { 0 };

		assert_int_equal(
		    kerberos_why(span_of(all[i]), "u", "imap", "h", &e), -1);
		assert_int_not_equal(e.kind, ERR_NONE);
		assert_true(e.text[0] != '\0');
	}
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < 2; i++) {
		struct err e = { 0 };

		kerberos_why(i == 0 ? SPAN("") : span_of(longest), longest,
		    "imap", longest, &e);
		assert_int_equal(e.kind, ERR_TEMP);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_the_realm_has_said),
		cmocka_unit_test(knows_a_ticket_that_has_expired),
		cmocka_unit_test(tells_how_far_it_came),
		cmocka_unit_test(takes_silence_for_a_missing_ticket),
		cmocka_unit_test(says_something_whatever_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
