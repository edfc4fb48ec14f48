/* SPDX-License-Identifier: ISC */
#include "proto/sasl_choose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What there is, by letters: p password, t token, c certificate, T TLS, n no
 * TLS and the user said so, b binding, s SCRAM can say the user. */
static struct sasl_have
have(const char *what)
{
	return (struct sasl_have){ .password = strchr(what, 'p') != NULL,
		.token = strchr(what, 't') != NULL,
		.certificate = strchr(what, 'c') != NULL,
		.tls = strchr(what, 'T') != NULL,
		.clear = strchr(what, 'n') != NULL,
		.binding = strchr(what, 'b') != NULL,
		.scram = strchr(what, 's') != NULL };
}

struct choice {
	enum sasl_auth wanted;
	const char *mechanisms;
	bool command;
	const char *have;
	enum sasl_auth chosen; /* SASL_AUTO: none */
	bool by_command;
	const char *text; /* is in why, or in the error */
};

static void
choose(const struct choice *t)
{
	const struct sasl_offer offer = { .mechanisms = span_of(t->mechanisms),
		.command = t->command };
	const struct sasl_have what = have(t->have);
	struct sasl_choice choice = { 0 };
	struct err e = { 0 };
	int r = sasl_choose(t->wanted, &offer, &what, &choice, &e);
	const char *text = r == 0 ? choice.why : e.text;

	if (choice.mechanism != t->chosen)
		fail_msg("%s of \"%s\" with %s: %s (%s)", sasl_name(t->wanted),
		    t->mechanisms, t->have, sasl_name(choice.mechanism), text);
	assert_int_equal(choice.command, t->by_command);
	assert_int_equal(r, t->chosen == SASL_AUTO ? -1 : 0);
	if (strstr(text, t->text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", t->text, text);
}

#define CHOOSE(t)                                                              \
	for (size_t i = 0; i < sizeof(t) / sizeof((t)[0]); i++)                \
	choose(&(t)[i])

#define ALL                                                                    \
	"LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 "     \
	"SCRAM-SHA-256-PLUS EXTERNAL XOAUTH2 OAUTHBEARER GSSAPI NTLM"
#define WEAKER "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256"
#define STRONGEST "the strongest of those the server offers"

static void
takes_the_strongest_for_a_password(void **state)
{
	static const struct choice t[] = {
		/* clang-format off */
		{ SASL_AUTO, ALL, true, "pTbs", SASL_SCRAM_SHA_256_PLUS, false,
		    STRONGEST },
		{ SASL_AUTO, WEAKER, true, "pTbs", SASL_SCRAM_SHA_1_PLUS,
		    false, STRONGEST },
		{ SASL_AUTO, ALL, true, "pTs", SASL_SCRAM_SHA_256, false,
		    STRONGEST },
		{ SASL_AUTO, "PLAIN scram-sha-1 LOGIN", true, "pTs",
		    SASL_SCRAM_SHA_1, false, STRONGEST },
		/* a user that SCRAM has no words for */
		{ SASL_AUTO, ALL, true, "pTb", SASL_PLAIN, false, STRONGEST },
		/* over TLS it is no better than PLAIN */
		{ SASL_AUTO, "CRAM-MD5 PLAIN", true, "pTs", SASL_PLAIN, false,
		    STRONGEST },
		{ SASL_AUTO, "CRAM-MD5 LOGIN", true, "pTs", SASL_LOGIN, true,
		    STRONGEST },
		{ SASL_AUTO, "CRAM-MD5 LOGIN", false, "pTs", SASL_LOGIN, false,
		    STRONGEST },
		{ SASL_AUTO, "CRAM-MD5", true, "pTs", SASL_CRAM_MD5, false,
		    STRONGEST },
		{ SASL_AUTO, "CRAM-MD5", false, "pTs", SASL_CRAM_MD5, false,
		    STRONGEST },
		{ SASL_AUTO, "", true, "pTs", SASL_LOGIN, true,
		    "no SASL mechanism we know" },
		{ SASL_AUTO, "NTLM GSSAPI", true, "pTs", SASL_LOGIN, true,
		    "no SASL mechanism we know" },
		/* a certificate beside a password is for TLS */
		{ SASL_AUTO, "EXTERNAL PLAIN", true, "pcTs", SASL_PLAIN, false,
		    STRONGEST },
		/* an empty one is one, too */
		{ SASL_AUTO, "PLAIN", true, "T", SASL_PLAIN, false,
		    STRONGEST },
		/* clang-format on */
	};

	(void)state;
	CHOOSE(t);
}

static void
shows_no_password_in_clear_if_it_can_help_it(void **state)
{
	static const struct choice t[] = {
		/* clang-format off */
		{ SASL_AUTO, ALL, true, "pns", SASL_SCRAM_SHA_256, false,
		    STRONGEST },
		{ SASL_AUTO, "PLAIN LOGIN CRAM-MD5", true, "pns",
		    SASL_CRAM_MD5, false, STRONGEST },
		{ SASL_AUTO, "PLAIN LOGIN", true, "pns", SASL_PLAIN, false,
		    STRONGEST },
		{ SASL_AUTO, "", true, "pns", SASL_LOGIN, true,
		    "no SASL mechanism we know" },
		/* neither TLS, nor anybody who wants none */
		{ SASL_AUTO, "PLAIN LOGIN", true, "ps", SASL_AUTO, false,
		    "there is no TLS; it offers PLAIN LOGIN" },
		{ SASL_AUTO, "PLAIN CRAM-MD5", true, "ps", SASL_CRAM_MD5,
		    false, STRONGEST },
		{ SASL_AUTO, "", true, "ps", SASL_AUTO, false,
		    "there is no TLS" },
		/* clang-format on */
	};

	(void)state;
	CHOOSE(t);
}

static void
says_when_there_is_no_way_for_a_password(void **state)
{
	static const struct choice t[] = {
		/* clang-format off */
		{ SASL_AUTO, "", false, "pTs", SASL_AUTO, false,
		    "does not allow LOGIN here" },
		{ SASL_AUTO, "NTLM", false, "pTs", SASL_AUTO, false,
		    "does not allow LOGIN here; it offers NTLM" },
		{ SASL_AUTO, "XOAUTH2", false, "pTs", SASL_AUTO, false,
		    "takes no password here; it offers XOAUTH2: set oauth2" },
		/* names that are none are not repeated */
		{ SASL_AUTO, "a\x1b[31m NTLM p\"w", false, "pTs", SASL_AUTO,
		    false, "it offers NTLM" },
		/* clang-format on */
	};

	(void)state;
	CHOOSE(t);
}

static void
chooses_for_a_token(void **state)
{
	static const struct choice t[] = {
		/* clang-format off */
		{ SASL_AUTO, ALL, true, "ptTbs", SASL_XOAUTH2, false, "token" },
		{ SASL_AUTO, "PLAIN OAUTHBEARER", true, "ptTbs",
		    SASL_OAUTHBEARER, false, "token" },
		{ SASL_AUTO, "", true, "ptTbs", SASL_XOAUTH2, false,
		    "does not say" },
		{ SASL_AUTO, "PLAIN LOGIN", true, "ptTbs", SASL_AUTO, false,
		    "takes no access token; it offers PLAIN LOGIN" },
		/* clang-format on */
	};

	(void)state;
	CHOOSE(t);
}

static void
chooses_for_a_certificate(void **state)
{
	static const struct choice t[] = {
		/* clang-format off */
		{ SASL_AUTO, ALL, true, "cTbs", SASL_EXTERNAL, false,
		    "certificate" },
		{ SASL_AUTO, "", true, "cTbs", SASL_EXTERNAL, false,
		    "certificate" },
		{ SASL_AUTO, "PLAIN", true, "cTbs", SASL_AUTO, false,
		    "does not offer EXTERNAL; it offers PLAIN" },
		/* clang-format on */
	};

	(void)state;
	CHOOSE(t);
}

static void
does_what_it_is_told(void **state)
{
	static const struct choice t[] = {
		/* clang-format off */
		{ SASL_PLAIN, ALL, true, "pTbs", SASL_PLAIN, false, "auth" },
		{ SASL_PLAIN, "", true, "pTbs", SASL_PLAIN, false, "auth" },
		{ SASL_PLAIN, "", true, "pn", SASL_PLAIN, false, "auth" },
		{ SASL_CRAM_MD5, ALL, true, "pTbs", SASL_CRAM_MD5, false,
		    "auth" },
		{ SASL_XOAUTH2, ALL, true, "pTbs", SASL_XOAUTH2, false,
		    "auth" },
		{ SASL_EXTERNAL, ALL, true, "T", SASL_EXTERNAL, false,
		    "auth" },
		{ SASL_LOGIN, ALL, true, "pTbs", SASL_LOGIN, true, "auth" },
		{ SASL_LOGIN, ALL, false, "pTbs", SASL_LOGIN, false, "auth" },
		{ SASL_SCRAM_SHA_1, "LOGIN PLAIN", true, "pTbs", SASL_AUTO,
		    false, "the server does not offer SCRAM-SHA-1; it offers "
		    "LOGIN PLAIN: set auth = auto" },
		{ SASL_PLAIN, "PLAINER XPLAIN", true, "pTbs", SASL_AUTO, false,
		    "does not offer PLAIN; it offers PLAINER XPLAIN" },
		{ SASL_LOGIN, "PLAIN", false, "pTbs", SASL_AUTO, false,
		    "does not allow LOGIN here; it offers PLAIN: set auth" },
		{ SASL_SCRAM_SHA_256_PLUS, ALL, true, "pTs", SASL_AUTO, false,
		    "needs a channel binding" },
		{ SASL_SCRAM_SHA_256_PLUS, "", true, "pTbs",
		    SASL_SCRAM_SHA_256_PLUS, false, "auth" },
		{ SASL_GSSAPI, ALL, true, "pTbs", SASL_GSSAPI, false, "auth" },
		{ SASL_GSSAPI, "PLAIN", true, "pTbs", SASL_AUTO, false,
		    "does not offer GSSAPI; it offers PLAIN: set auth" },
		{ SASL_APOP, ALL, true, "pTbs", SASL_AUTO, false,
		    "APOP is for POP3" },
		/* clang-format on */
	};

	(void)state;
	CHOOSE(t);
}

static void
never_takes_apop_or_gssapi_by_itself(void **state)
{
	static const char all[] = "APOP GSSAPI EXTERNAL DIGEST-MD5";
	const struct sasl_offer offer = {
		.mechanisms = span_of(all), .command = true, .apop = true
	};
	const struct sasl_have what = have("pTbs");
	struct sasl_choice choice;

	(void)state;
	assert_int_equal(
	    sasl_choose(SASL_AUTO, &offer, &what, &choice, NULL), 0);
	assert_int_equal(choice.mechanism, SASL_LOGIN);
	assert_int_equal(
	    sasl_choose(SASL_APOP, &offer, &what, &choice, NULL), 0);
	assert_int_equal(choice.mechanism, SASL_APOP);
}

static void
bounds_what_it_repeats(void **state)
{
	char words[5000] = "";
	const struct sasl_offer offer = { .mechanisms =
					      span_make(words, 5000) };
	const struct sasl_have what = have("pTbs");
	struct sasl_choice choice;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(words); i++)
		words[i] = i % 10 == 9 ? ' ' : 'X';
	assert_int_equal(
	    sasl_choose(SASL_PLAIN, &offer, &what, &choice, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	assert_non_null(strstr(e.text, "XXXXXXXXX: set auth = auto"));
}

static void
advises_after_a_refusal(void **state)
{
	(void)state;
	assert_non_null(strstr(
	    sasl_choose_refused(SASL_SCRAM_SHA_1_PLUS), "scram-sha-256"));
	assert_non_null(
	    strstr(sasl_choose_refused(SASL_SCRAM_SHA_256), "auth = plain"));
	assert_non_null(
	    strstr(sasl_choose_refused(SASL_CRAM_MD5), "auth = login"));
	assert_null(strstr(sasl_choose_refused(SASL_PLAIN), "auth ="));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_strongest_for_a_password),
		cmocka_unit_test(shows_no_password_in_clear_if_it_can_help_it),
		cmocka_unit_test(says_when_there_is_no_way_for_a_password),
		cmocka_unit_test(chooses_for_a_token),
		cmocka_unit_test(chooses_for_a_certificate),
		cmocka_unit_test(does_what_it_is_told),
		cmocka_unit_test(never_takes_apop_or_gssapi_by_itself),
		cmocka_unit_test(bounds_what_it_repeats),
		cmocka_unit_test(advises_after_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
