/* SPDX-License-Identifier: ISC */
#include "sched/reaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

#include <cmocka.h>

static void
has_a_row_for_every_kind(void **state)
{
	(void)state;
	assert_int_equal(reaction_of(ERR_NONE)->exit_status, EX_OK);
	for (int kind = ERR_NONE + 1; kind < ERR_KINDS; kind++)
		assert_int_not_equal(
		    reaction_of((enum err_kind)kind)->exit_status, EX_OK);
}

static void
never_tries_a_refused_login_again(void **state)
{
	(void)state;
	assert_false(reaction_of(ERR_AUTH)->retry);
	assert_false(reaction_of(ERR_TLS)->retry);
	assert_false(reaction_of(ERR_CONFIG)->retry);
	assert_false(reaction_of(ERR_THROTTLE)->retry);
	assert_true(reaction_of(ERR_NET)->retry);
}

static void
tells_the_worst_of_several(void **state)
{
	(void)state;
	assert_int_equal(reaction_worse(EX_OK, EX_OK), EX_OK);
	assert_int_equal(reaction_worse(EX_OK, EX_UNAVAILABLE), EX_UNAVAILABLE);
	assert_int_equal(reaction_worse(EX_NOPERM, EX_TEMPFAIL), EX_NOPERM);
	assert_int_equal(reaction_worse(EX_NOPERM, EX_CONFIG), EX_CONFIG);
}

static void
every_kind_has_its_own_words(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_KINDS; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
			    reaction_of((enum err_kind)i)->words,
			    reaction_of((enum err_kind)j)->words);
}

static void
waits_only_where_trying_again_helps(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_KINDS; i++) {
		const struct reaction *r = reaction_of((enum err_kind)i);
		bool waits =
		    r->wait == REACT_BACKOFF || r->wait == REACT_SLOWLY;

		assert_int_equal(r->base_s > 0, waits);
		assert_int_equal(r->ceiling_s > r->base_s, waits);
		assert_true(r->ceiling_s <= 6 * 3600);
	}
	assert_int_equal(reaction_of(ERR_AUTH)->wait, REACT_BREAKER);
	assert_int_equal(reaction_of(ERR_CONFIG)->wait, REACT_STOP);
	assert_int_equal(reaction_of(ERR_MESSAGE)->wait, REACT_NONE);
	assert_int_equal(reaction_of(ERR_MAILBOX)->wait, REACT_NONE);
	assert_int_equal(reaction_of(ERR_CANCEL)->wait, REACT_NONE);
}

static void
tells_at_once_what_somebody_must_act_on(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_KINDS; i++)
		assert_int_equal(reaction_of((enum err_kind)i)->urgent,
		    i == ERR_AUTH || i == ERR_TLS || i == ERR_CONFIG);
}

/* The first tries fall between half of the base and the base. */
static void
waits_by_kind(void **state)
{
	static const struct {
		enum err_kind kind;
		uint64_t least, most, ceiling; /* ms */
	} rows[] = {
		{ ERR_NET, 1000, 2000, 600000 },
		{ ERR_TLS, 150000, 300000, 21600000 },
		{ ERR_PROTO, 5000, 10000, 1800000 },
		{ ERR_THROTTLE, 150000, 300000, 21600000 },
		{ ERR_TEMP, 15000, 30000, 1800000 },
		{ ERR_LOCKED, 30000, 60000, 600000 },
		{ ERR_DELIVER, 2500, 5000, 600000 },
		{ ERR_AUTH, 0, 0, 0 },
		{ ERR_MAILBOX, 0, 0, 0 },
		{ ERR_CANCEL, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err e = { .kind = rows[i].kind };
		uint32_t half = (uint32_t)rows[i].least;

		assert_int_equal(reaction_wait_ms(&e, 1, 0), rows[i].least);
		assert_int_equal(reaction_wait_ms(&e, 1, half), rows[i].most);
		assert_int_equal(
		    reaction_wait_ms(&e, 100, (uint32_t)rows[i].ceiling - half),
		    rows[i].ceiling);
	}
}

static void
waits_as_long_as_the_server_asks(void **state)
{
	struct err e = { .kind = ERR_THROTTLE, .after_s = 7200 };

	(void)state;
	assert_int_equal(reaction_wait_ms(&e, 1, 0), 7200000);
	assert_int_equal(reaction_wait_ms(&e, 1, 720000), 7920000);
	assert_int_equal(reaction_wait_ms(&e, 1, 720001), 7200000);
	e.kind = ERR_AUTH;
	assert_int_equal(reaction_wait_ms(&e, 1, 0), 7200000);
}

static void
is_not_hurried_by_the_server(void **state)
{
	struct err e = { .kind = ERR_THROTTLE, .after_s = 10 };

	(void)state;
	assert_int_equal(reaction_wait_ms(&e, 1, 0), 150000);
}

static void
looks_again_after_a_day_whatever_was_asked(void **state)
{
	struct err e = { .kind = ERR_NET, .after_s = UINT32_MAX };

	(void)state;
	assert_int_equal(reaction_wait_ms(&e, 1, 0), 86400000);
	assert_true(reaction_wait_ms(&e, 1, UINT32_MAX) <= 95040000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_row_for_every_kind),
		cmocka_unit_test(never_tries_a_refused_login_again),
		cmocka_unit_test(tells_the_worst_of_several),
		cmocka_unit_test(every_kind_has_its_own_words),
		cmocka_unit_test(waits_only_where_trying_again_helps),
		cmocka_unit_test(tells_at_once_what_somebody_must_act_on),
		cmocka_unit_test(waits_by_kind),
		cmocka_unit_test(waits_as_long_as_the_server_asks),
		cmocka_unit_test(is_not_hurried_by_the_server),
		cmocka_unit_test(looks_again_after_a_day_whatever_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
