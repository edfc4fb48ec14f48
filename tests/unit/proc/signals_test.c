/* SPDX-License-Identifier: ISC */
#include "proc/signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct loop *loop;
static int ended, polled, reloaded;

static void
on_end(void *arg, int signo)
{
	assert_ptr_equal(arg, &loop);
	ended = signo;
	loop_stop(loop);
}

static void
on_poll(void *arg, int signo)
{
	(void)arg;
	polled = signo;
	loop_stop(loop);
}

static void
on_reload(void *arg)
{
	(void)arg;
	reloaded++;
	loop_stop(loop);
}

static void
has_a_meaning_for_each(void **state)
{
	static const struct signals_hooks hooks = { on_end, on_poll,
		on_reload };
	struct signals *s;

	(void)state;
	loop = loop_new();
	s = signals_new(loop, &hooks, &loop);
	raise(SIGTERM);
	loop_run(loop);
	assert_int_equal(ended, SIGTERM);
	raise(SIGINT);
	loop_run(loop);
	assert_int_equal(ended, SIGINT);
	raise(SIGUSR1);
	loop_run(loop);
	assert_int_equal(polled, SIGUSR1);
	assert_int_equal(reloaded, 0);
	raise(SIGHUP);
	loop_run(loop);
	assert_int_equal(reloaded, 1);
	signals_free(&s);
	signals_free(&s);
	loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_meaning_for_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
