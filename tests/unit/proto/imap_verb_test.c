/* SPDX-License-Identifier: ISC */
#include "proto/imap_verb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
names_every_kind_of_command(void **state)
{
	(void)state;
	for (int verb = IMAP_VERB_CAPABILITY; verb <= IMAP_VERB_IDLE; verb++)
		assert_non_null(imap_verb_name((enum imap_verb)verb));
	assert_string_equal(imap_verb_name(IMAP_VERB_IDLE), "idle");
}

static void
gives_every_request_its_time(void **state)
{
	(void)state;
	for (int verb = IMAP_VERB_LIST; verb <= IMAP_VERB_IDLE; verb++)
		assert_int_not_equal(
		    imap_verb_timeout((enum imap_verb)verb, 0), 0);
	assert_int_equal(imap_verb_timeout(IMAP_VERB_FETCH, 0), 300);
	assert_int_equal(imap_verb_timeout(IMAP_VERB_FETCH, 20), 20);
	assert_int_equal(imap_verb_timeout(IMAP_VERB_FETCH, 900), 900);
	assert_int_equal(imap_verb_timeout(IMAP_VERB_IDLE, 0), 60);
	assert_int_equal(imap_verb_timeout(IMAP_VERB_IDLE, 20), 20);
	assert_int_equal(imap_verb_timeout(IMAP_VERB_IDLE, 900), 60);
}

/* What the line means as the end of a command of this kind. */
static enum err_kind
refusal(enum imap_verb verb, const char *line)
{
	struct span in = span_of(line);
	struct imap_read read;
	enum err_kind kind;

	imap_read_init(&read);
	assert_int_equal(imap_read_next(&read, &in), IMAP_HEARD_STATUS);
	kind = imap_verb_refusal(verb, &read);
	imap_read_deinit(&read);
	return kind;
}

static void
knows_what_a_refusal_means(void **state)
{
	(void)state;
	assert_int_equal(refusal(IMAP_VERB_STATUS, "A1 NO\n"), ERR_MAILBOX);
	assert_int_equal(refusal(IMAP_VERB_STATUS, "A1 BAD\n"), ERR_PROTO);
	assert_int_equal(
	    refusal(IMAP_VERB_STATUS, "A1 NO [THROTTLED]\n"), ERR_THROTTLE);
	assert_int_equal(refusal(IMAP_VERB_IDLE, "A1 NO\n"), ERR_PROTO);
	assert_int_equal(refusal(IMAP_VERB_LOGIN, "A1 NO\n"), ERR_AUTH);
	assert_int_equal(
	    refusal(IMAP_VERB_SEARCH, "A1 NO [SERVERBUG] x\n"), ERR_TEMP);
	assert_int_equal(
	    refusal(IMAP_VERB_FETCH, "A1 NO [SERVERBUG] x\n"), ERR_MESSAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_every_kind_of_command),
		cmocka_unit_test(gives_every_request_its_time),
		cmocka_unit_test(knows_what_a_refusal_means),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
