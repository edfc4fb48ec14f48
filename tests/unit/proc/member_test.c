/* SPDX-License-Identifier: ISC */
#include "proc/member.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/wire.h"
#include "sys/clock.h"

/* The member is this program again, see play(): its role says what it does. */
#define LIMIT_MS 10000

struct watcher {
	struct loop *loop;
	struct loop_timer *limit;
	struct member *member;
	unsigned int prepared, started, packets, ended, until;
	int refusals; /* of prepare() that are left */
	uint64_t at[8];
	struct err e;
	bool locked; /* is why it refuses */
	bool free_it, replace_it;
};

static int
on_prepare(void *arg, struct err *e)
{
	struct watcher *w = arg;

	w->at[w->prepared++ % 8] = clock_ms();
	if (w->refusals-- > 0)
		return err_set(
		    e, w->locked ? ERR_LOCKED : ERR_DELIVER, 0, "not today");
	return 0;
}

static void
on_started(void *arg)
{
	struct watcher *w = arg;

	w->started++;
	assert_non_null(member_link(w->member));
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct watcher *w = arg;

	assert_int_equal(packet->type, WIRE_READY);
	w->packets++;
	if (w->replace_it) {
		w->replace_it = false;
		member_replace(w->member);
	} else if (w->packets == w->until) {
		loop_stop(w->loop);
	}
}

static void
on_ended(void *arg, const struct err *e)
{
	struct watcher *w = arg;

	w->e = *e;
	w->ended++;
	assert_null(member_link(w->member));
	if (w->free_it)
		member_free(&w->member);
	if (w->ended == w->until || w->free_it)
		loop_stop(w->loop);
}

static void
on_limit(void *arg)
{
	struct watcher *w = arg;

	loop_stop(w->loop);
}

static const struct member_events events = { on_prepare, on_started, on_packet,
	on_ended };

static void
begin(struct watcher *w, const char *role, bool restarts)
{
	const struct member_params params = {
		.role = role, .stderr_fd = -1, .restarts = restarts
	};

	w->loop = loop_new();
	w->limit = loop_timer_new(w->loop, on_limit, w);
	w->member = member_new(w->loop, &params, &events, w);
	assert_int_equal(w->prepared, 0); /* it comes from the loop */
}

static void
go_on(struct watcher *w)
{
	loop_timer_arm(w->limit, LIMIT_MS);
	loop_run(w->loop);
	assert_true(loop_timer_armed(w->limit));
}

static void
end(struct watcher *w)
{
	member_free(&w->member);
	loop_timer_free(&w->limit);
	loop_free(&w->loop);
	assert_int_equal(waitpid(-1, NULL, 0), -1); /* nobody is left */
	assert_int_equal(errno, ECHILD);
}

static void
starts_it_again_after_a_wait_that_doubles(void **state)
{
	struct watcher w = { .until = 4 };

	(void)state;
	begin(&w, "mailhaul: ends", true);
	go_on(&w);
	assert_int_equal(w.started, 4);
	assert_true(w.at[1] - w.at[0] >= 100);
	assert_true(w.at[2] - w.at[1] >= 200);
	assert_true(w.at[3] - w.at[2] >= 400);
	assert_true(w.at[3] - w.at[0] < 5000);
	assert_int_equal(member_restarts(w.member), 4); /* one is to come */
	assert_non_null(strstr(w.e.text, "exited with status 7"));
	assert_non_null(strstr(w.e.text, "it is started again"));
	end(&w);
}

static void
does_not_start_it_again_when_it_must_not(void **state)
{
	struct watcher w = { .until = 1 };

	(void)state;
	begin(&w, "mailhaul: ends", false);
	go_on(&w);
	w.until = 0;
	loop_timer_arm(w.limit, 300);
	loop_run(w.loop);
	assert_int_equal(w.started, 1);
	assert_int_equal(w.ended, 1);
	assert_non_null(strstr(w.e.text, "run mailhaul again"));
	end(&w);
}

/* All that it said is heard before its end. */
static void
hears_a_refusal_and_the_words_before(void **state)
{
	struct watcher w = { .until = 2 };

	(void)state;
	begin(&w, "mailhaul: refuses", false);
	w.until = 0;
	w.free_it = true;
	go_on(&w);
	assert_int_equal(w.packets, 1);
	assert_int_equal(w.e.kind, ERR_LOCKED);
	assert_string_equal(w.e.text, "somebody else has it");
	end(&w);
}

static void
tries_to_prepare_again(void **state)
{
	struct watcher w = { .refusals = 2, .until = 1 };

	(void)state;
	begin(&w, "mailhaul: stays", true);
	go_on(&w);
	assert_string_equal(w.e.text, "not today");
	go_on(&w); /* it ended again or said its word */
	while (w.packets == 0)
		go_on(&w);
	assert_int_equal(w.prepared, 3);
	assert_int_equal(w.started, 1);
	assert_int_equal(w.ended, 2);
	end(&w);
}

static void
waits_for_a_lock_without_a_word(void **state)
{
	struct watcher w = { .refusals = 2, .locked = true, .until = 1 };

	(void)state;
	begin(&w, "mailhaul: stays", true);
	while (w.packets == 0)
		go_on(&w);
	assert_int_equal(w.prepared, 3);
	assert_int_equal(w.started, 1);
	assert_int_equal(w.ended, 0);
	assert_int_equal(member_restarts(w.member), 0);
	end(&w);
}

static void
dismisses_it_in_order(void **state)
{
	struct watcher w = { .until = 1 };

	(void)state;
	begin(&w, "mailhaul: stays", true);
	go_on(&w); /* it said its word */
	w.free_it = true;
	assert_true(member_dismiss(w.member));
	assert_int_equal(w.ended, 0);
	go_on(&w);
	assert_int_equal(w.ended, 1);
	assert_int_equal(w.e.kind, ERR_NONE);
	assert_null(w.member);
	end(&w);
}

static void
dismisses_nobody(void **state)
{
	struct watcher w = { .until = 1 };

	(void)state;
	begin(&w, "mailhaul: ends", true);
	go_on(&w);
	assert_false(member_dismiss(w.member));
	loop_timer_arm(w.limit, 300);
	loop_run(w.loop);
	assert_int_equal(w.started, 1);
	end(&w);
}

static void
replaces_it_without_a_wait(void **state)
{
	struct watcher w = { .until = 2, .replace_it = true };
	uint64_t before = clock_ms();

	(void)state;
	begin(&w, "mailhaul: stays", false);
	go_on(&w);
	assert_int_equal(w.packets, 2);
	assert_int_equal(w.started, 2);
	assert_int_equal(w.ended, 1);
	assert_int_equal(w.e.kind, ERR_NONE);
	assert_int_equal(member_restarts(w.member), 0);
	assert_true(clock_ms() - before < 5000);
	end(&w);
}

static void
tells_that_it_was_killed(void **state)
{
	struct watcher w = { .until = 1 };

	(void)state;
	begin(&w, "mailhaul: stays", true);
	go_on(&w);
	w.until = 1;
	member_last(w.member);
	member_kill(w.member);
	go_on(&w);
	assert_int_equal(w.ended, 1);
	assert_non_null(strstr(w.e.text, "killed by signal 9"));
	assert_int_equal(member_restarts(w.member), 0);
	end(&w);
}

/* ---- the member ---- */

static void
say(uint8_t type, const struct err *e)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, type);
	if (e != NULL)
		wire_pack_err(&b, e);
	(void)send(WIRE_FD, buf_span(&b).p, b.n, MSG_NOSIGNAL);
	buf_deinit(&b);
}

static int
play(const char *role)
{
	struct err e;
	char c;

	if (strcmp(role, "mailhaul: ends") == 0)
		return 7;
	say(WIRE_READY, NULL);
	if (strcmp(role, "mailhaul: refuses") == 0) {
		err_set(&e, ERR_LOCKED, 0, "somebody else has it");
		say(WIRE_REFUSE, &e);
	}
	fcntl(WIRE_FD, F_SETFL, 0);
	while (recv(WIRE_FD, &c, 1, 0) > 0)
		;
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_it_again_after_a_wait_that_doubles),
		cmocka_unit_test(does_not_start_it_again_when_it_must_not),
		cmocka_unit_test(hears_a_refusal_and_the_words_before),
		cmocka_unit_test(tries_to_prepare_again),
		cmocka_unit_test(waits_for_a_lock_without_a_word),
		cmocka_unit_test(dismisses_it_in_order),
		cmocka_unit_test(dismisses_nobody),
		cmocka_unit_test(replaces_it_without_a_wait),
		cmocka_unit_test(tells_that_it_was_killed),
	};

	if (argc == 1 && strncmp(argv[0], "mailhaul: ", 10) == 0)
		return play(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
