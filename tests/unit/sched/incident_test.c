/* SPDX-License-Identifier: ISC */
#include "sched/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000)
#define AFTER 900

static struct incident it;
static uint64_t lasted;

static int
set_up(void **state)
{
	(void)state;
	it = (struct incident){ 0 };
	lasted = 12345;
	return 0;
}

static enum incident_line
fails(enum err_kind kind, int64_t now)
{
	struct err e = { .kind = kind, .text = "no route" };

	return incident_failure(&it, &e, now);
}

static enum incident_line
succeeds(int64_t now)
{
	return incident_success(&it, now, &lasted);
}

/* ---- lines ---- */

static void
says_when_it_begins_and_when_it_ends(void **state)
{
	(void)state;
	assert_int_equal(fails(ERR_NET, NOW), INCIDENT_BEGIN);
	assert_int_equal(fails(ERR_NET, NOW + 10), INCIDENT_QUIET);
	assert_int_equal(fails(ERR_NET, NOW + 100), INCIDENT_QUIET);
	assert_int_equal(succeeds(NOW + 200), INCIDENT_END);
	assert_int_equal(lasted, 200);
	assert_int_equal(it.since, NOW);
	assert_int_equal(it.kind, ERR_NET);
	assert_string_equal(it.text, "no route");
	assert_int_equal(succeeds(NOW + 300), INCIDENT_QUIET);
	assert_int_equal(fails(ERR_NET, NOW + 400), INCIDENT_BEGIN);
	assert_int_equal(it.since, NOW + 400);
}

static void
says_nothing_of_what_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(succeeds(NOW), INCIDENT_QUIET);
	assert_int_equal(fails(ERR_CANCEL, NOW), INCIDENT_QUIET);
	assert_int_equal(fails(ERR_NONE, NOW), INCIDENT_QUIET);
	assert_int_equal(incident_tick(&it, NOW + 9999), INCIDENT_QUIET);
	assert_false(it.open);
}

static void
says_hourly_that_it_lasts(void **state)
{
	(void)state;
	fails(ERR_NET, NOW);
	assert_int_equal(incident_tick(&it, NOW + 3599), INCIDENT_QUIET);
	assert_int_equal(incident_tick(&it, NOW + 3600), INCIDENT_AGAIN);
	assert_int_equal(incident_tick(&it, NOW + 3601), INCIDENT_QUIET);
	assert_int_equal(fails(ERR_NET, NOW + 7199), INCIDENT_QUIET);
	assert_int_equal(fails(ERR_NET, NOW + 7200), INCIDENT_AGAIN);
	assert_int_equal(incident_tick(&it, NOW + 7201), INCIDENT_QUIET);
	assert_int_equal(succeeds(NOW + 7300), INCIDENT_END);
	assert_int_equal(lasted, 7300);
}

static void
another_failure_is_said_but_is_the_same_incident(void **state)
{
	(void)state;
	fails(ERR_NET, NOW);
	assert_int_equal(fails(ERR_TLS, NOW + 50), INCIDENT_BEGIN);
	assert_int_equal(it.kind, ERR_TLS);
	assert_int_equal(it.since, NOW);
	succeeds(NOW + 60);
	assert_int_equal(lasted, 60);
}

/* A server that is overloaded fails in all ways by turns. */
static void
failures_that_take_turns_are_said_once_each(void **state)
{
	(void)state;
	fails(ERR_NET, NOW);
	fails(ERR_TEMP, NOW + 1);
	assert_int_equal(fails(ERR_NET, NOW + 2), INCIDENT_QUIET);
	assert_int_equal(fails(ERR_TEMP, NOW + 3), INCIDENT_QUIET);
	assert_int_equal(fails(ERR_NET, NOW + 3601), INCIDENT_AGAIN);
	succeeds(NOW + 3602);
	assert_int_equal(fails(ERR_TEMP, NOW + 3603), INCIDENT_BEGIN);
}

static void
a_clock_set_back_delays_the_next_line_by_an_hour_at_most(void **state)
{
	(void)state;
	fails(ERR_NET, NOW);
	assert_int_equal(incident_tick(&it, NOW - 100000), INCIDENT_QUIET);
	assert_int_equal(it.since, NOW - 100000);
	assert_int_equal(
	    incident_tick(&it, NOW - 100000 + 3600), INCIDENT_AGAIN);
	assert_int_equal(succeeds(NOW - 200000), INCIDENT_END);
	assert_int_equal(lasted, 0);
}

/* ---- the command ---- */

static void
tells_of_what_does_not_pass_by_itself(void **state)
{
	(void)state;
	assert_false(incident_due(&it, NOW, 0));
	fails(ERR_NET, NOW);
	assert_false(incident_due(&it, NOW, AFTER));
	assert_false(incident_due(&it, NOW - 5000, AFTER));
	assert_false(incident_due(&it, NOW + AFTER - 1, AFTER));
	assert_true(incident_due(&it, NOW + AFTER, AFTER));
	assert_true(incident_due(&it, NOW, 0));
}

static void
tells_at_once_when_somebody_must_act(void **state)
{
	static const enum err_kind kinds[] = { ERR_AUTH, ERR_TLS, ERR_CONFIG };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		set_up(state);
		fails(kinds[i], NOW);
		assert_true(incident_due(&it, NOW, AFTER));
	}
	set_up(state);
	fails(ERR_NET, NOW);
	fails(ERR_AUTH, NOW);
	fails(ERR_NET, NOW);
	assert_true(incident_due(&it, NOW, AFTER));
	succeeds(NOW);
	fails(ERR_NET, NOW);
	assert_false(incident_due(&it, NOW, AFTER));
}

static void
tells_once_and_once_more_at_the_end(void **state)
{
	(void)state;
	fails(ERR_NET, NOW);
	incident_told(&it);
	assert_false(incident_due(&it, NOW + 9999, AFTER));
	fails(ERR_AUTH, NOW + 9999);
	assert_false(incident_due(&it, NOW + 9999, AFTER));
	succeeds(NOW + 10000);
	assert_true(incident_due(&it, NOW + 10000, AFTER));
	incident_told(&it);
	assert_false(incident_due(&it, NOW + 10000, AFTER));
}

static void
does_not_tell_of_the_end_of_what_it_did_not_tell_of(void **state)
{
	(void)state;
	fails(ERR_NET, NOW);
	succeeds(NOW + 10);
	assert_false(incident_due(&it, NOW + 9999, AFTER));
}

/* The command had no time to say that all is well, and now nothing is. */
static void
an_end_that_was_not_told_is_no_end(void **state)
{
	(void)state;
	fails(ERR_AUTH, NOW);
	incident_told(&it);
	succeeds(NOW + 10);
	fails(ERR_AUTH, NOW + 11);
	assert_false(incident_due(&it, NOW + 12, AFTER));
	succeeds(NOW + 13);
	assert_true(incident_due(&it, NOW + 14, AFTER));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    says_when_it_begins_and_when_it_ends, set_up),
		cmocka_unit_test_setup(
		    says_nothing_of_what_is_no_failure, set_up),
		cmocka_unit_test_setup(says_hourly_that_it_lasts, set_up),
		cmocka_unit_test_setup(
		    another_failure_is_said_but_is_the_same_incident, set_up),
		cmocka_unit_test_setup(
		    failures_that_take_turns_are_said_once_each, set_up),
		cmocka_unit_test_setup(
		    a_clock_set_back_delays_the_next_line_by_an_hour_at_most,
		    set_up),
		cmocka_unit_test_setup(
		    tells_of_what_does_not_pass_by_itself, set_up),
		cmocka_unit_test_setup(
		    tells_at_once_when_somebody_must_act, set_up),
		cmocka_unit_test_setup(
		    tells_once_and_once_more_at_the_end, set_up),
		cmocka_unit_test_setup(
		    does_not_tell_of_the_end_of_what_it_did_not_tell_of,
		    set_up),
		cmocka_unit_test_setup(
		    an_end_that_was_not_told_is_no_end, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
