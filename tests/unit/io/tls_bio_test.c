/* SPDX-License-Identifier: ISC */
#include "io/tls_bio.h"

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
	int peer;
	struct tls_bio io;
	BIO *bio;
};

static void
begin(struct link *l)
{
	int fds[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	*l = (struct link){
		.peer = fds[1],
		.io = { .fd = fds[0], .allowance = 100 },
	};
	l->bio = tls_bio_new(&l->io);
	assert_non_null(l->bio);
}

static void
end(struct link *l)
{
	BIO_free(l->bio);
	close(l->io.fd);
	if (l->peer >= 0)
		close(l->peer);
}

static void
moves_octets_both_ways(void **state)
{
	struct link l;
	char text[8];

	(void)state;
	begin(&l);
	assert_int_equal(BIO_write(l.bio, "abc", 3), 3);
	assert_int_equal(recv(l.peer, text, sizeof(text), 0), 3);
	assert_memory_equal(text, "abc", 3);
	send(l.peer, "defg", 4, 0);
	assert_int_equal(BIO_read(l.bio, text, sizeof(text)), 4);
	assert_memory_equal(text, "defg", 4);
	assert_int_equal(l.io.n_first, 4);
	assert_memory_equal(l.io.first, "defg", 4);
	end(&l);
}

static void
asks_to_come_back_when_nothing_is_there(void **state)
{
	struct link l;
	char text[8];

	(void)state;
	begin(&l);
	assert_true(BIO_read(l.bio, text, sizeof(text)) <= 0);
	assert_true(BIO_should_read(l.bio));
	assert_false(BIO_eof(l.bio));
	end(&l);
}

static void
stops_when_the_allowance_is_used(void **state)
{
	struct link l;
	char text[200] = { 0 };

	(void)state;
	begin(&l);
	send(l.peer, text, sizeof(text), 0);
	assert_int_equal(BIO_read(l.bio, text, sizeof(text)), 100);
	assert_true(BIO_read(l.bio, text, sizeof(text)) <= 0);
	assert_true(BIO_should_read(l.bio));
	l.io.allowance = 300;
	assert_int_equal(BIO_read(l.bio, text, sizeof(text)), 100);
	assert_int_equal(l.io.n_first, TLS_BIO_FIRST_MAX);
	end(&l);
}

static void
knows_the_end(void **state)
{
	struct link l;
	char text[8];

	(void)state;
	begin(&l);
	close(l.peer);
	l.peer = -1;
	assert_true(BIO_read(l.bio, text, sizeof(text)) <= 0);
	assert_false(BIO_should_retry(l.bio));
	assert_true(BIO_eof(l.bio));
	assert_true(l.io.eof);
	end(&l);
}

static void
survives_a_write_to_nobody(void **state)
{
	struct link l;

	(void)state;
	begin(&l);
	close(l.peer);
	l.peer = -1;
	/* SIGPIPE would end this process */
	assert_true(BIO_write(l.bio, "abc", 3) <= 0);
	assert_false(BIO_should_retry(l.bio));
	assert_int_equal(l.io.error, EPIPE);
	end(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_octets_both_ways),
		cmocka_unit_test(asks_to_come_back_when_nothing_is_there),
		cmocka_unit_test(stops_when_the_allowance_is_used),
		cmocka_unit_test(knows_the_end),
		cmocka_unit_test(survives_a_write_to_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
