/* SPDX-License-Identifier: ISC */
#include "io/wire.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct link {
	struct wire wire;
	int peer;
};

static void
begin(struct link *l)
{
	int fds[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	wire_init(&l->wire, fds[0]);
	l->peer = fds[1];
}

static void
end(struct link *l)
{
	wire_deinit(&l->wire);
	assert_int_equal(l->wire.fd, -1);
	if (l->peer >= 0)
		close(l->peer);
}

static void
gives_the_answers_of_tls(void **state)
{
	struct link l;
	struct err e = { 0 };
	char text[8];
	size_t n;

	(void)state;
	begin(&l);
	assert_int_equal(
	    wire_read(&l.wire, text, sizeof(text), &n, &e), TLS_WANT_READ);
	assert_int_equal(n, 0);
	send(l.peer, "abc", 3, 0);
	assert_int_equal(
	    wire_read(&l.wire, text, sizeof(text), &n, &e), TLS_OK);
	assert_int_equal(n, 3);
	assert_int_equal(wire_write(&l.wire, SPAN("de"), &n, &e), TLS_OK);
	assert_int_equal(n, 2);
	assert_int_equal(recv(l.peer, text, sizeof(text), 0), 2);
	shutdown(l.peer, SHUT_WR);
	assert_int_equal(
	    wire_read(&l.wire, text, sizeof(text), &n, &e), TLS_CLOSED);
	assert_int_equal(e.kind, ERR_NONE);
	end(&l);
}

static void
waits_for_room(void **state)
{
	static const char block[65536];
	struct link l;
	struct err e = { 0 };
	enum tls_answer a;
	size_t n;

	(void)state;
	begin(&l);
	while ((a = wire_write(&l.wire, span_make(block, sizeof(block)), &n,
		    &e)) == TLS_OK)
		;
	assert_int_equal(a, TLS_WANT_WRITE);
	end(&l);
}

static void
fails_with_the_reason(void **state)
{
	struct link l;
	struct err e = { 0 };
	size_t n;

	(void)state;
	begin(&l);
	close(l.peer);
	l.peer = -1;
	assert_int_equal(wire_write(&l.wire, SPAN("x"), &n, &e), TLS_FAILED);
	assert_int_equal(e.kind, ERR_NET);
	assert_int_equal(e.sys, EPIPE);
	end(&l);
}

static void
needs_a_context_for_tls(void **state)
{
	struct link l;
	struct err e = { 0 };

	(void)state;
	begin(&l);
	assert_int_equal(
	    wire_begin_tls(&l.wire, NULL, "localhost", NULL, &e), -1);
	assert_int_equal(e.kind, ERR_TLS);
	end(&l);
}

static void
sees_input_without_taking_it(void **state)
{
	struct link l;
	struct err e = { 0 };
	char c;
	size_t n;

	(void)state;
	begin(&l);
	assert_false(wire_input_waits(&l.wire));
	send(l.peer, "x", 1, 0);
	assert_true(wire_input_waits(&l.wire));
	assert_int_equal(wire_read(&l.wire, &c, 1, &n, &e), TLS_OK);
	assert_false(wire_input_waits(&l.wire));
	end(&l);
}

static void
drains_until_the_peer_has_closed(void **state)
{
	struct link l;
	char c;

	(void)state;
	begin(&l);
	send(l.peer, "late", 4, 0);
	wire_finish(&l.wire);
	assert_int_equal(recv(l.peer, &c, 1, 0), 0);
	assert_false(wire_drained(&l.wire));
	shutdown(l.peer, SHUT_WR);
	assert_true(wire_drained(&l.wire));
	end(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_answers_of_tls),
		cmocka_unit_test(waits_for_room),
		cmocka_unit_test(fails_with_the_reason),
		cmocka_unit_test(needs_a_context_for_tls),
		cmocka_unit_test(sees_input_without_taking_it),
		cmocka_unit_test(drains_until_the_peer_has_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
