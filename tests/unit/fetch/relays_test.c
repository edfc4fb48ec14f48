/* SPDX-License-Identifier: ISC */
#include "fetch/relays.h"

#include "sys/log.h"
#include "unit/fetch/lmtp_server.h"

#define LETTERS 3
#define WATCHDOG_MS 20000

static struct rig *rig;
static struct relays *relays;
static struct client_box *box;
static unsigned int connections, wanted, given, answered;
static struct loop_fd *listen_watch;
static struct loop_timer *watchdog;
static int listener, clients[LETTERS];
static const char *const bob[] = { "bob@x" };

/* A server that accepts and says nothing. */
static void
on_connect(void *arg, bool readable, bool writable)
{
	struct err e;

	(void)arg;
	(void)readable;
	(void)writable;
	assert_true(connections < LETTERS);
	clients[connections++] = accept(listener, NULL, NULL);
	if (connections < wanted)
		return;
	err_set(&e, ERR_CANCEL, 0, "it was enough");
	relays_stop(relays, &e);
}

static void
on_letter(void *arg, uint32_t number, bool known, const struct err *e)
{
	(void)arg;
	(void)number;
	assert_false(known);
	assert_int_equal(e->kind, ERR_CANCEL);
	if (++answered == LETTERS)
		loop_stop(rig_env(rig)->loop);
}

static void
on_watchdog(void *arg)
{
	(void)arg;
	fail_msg("%u connections, %u answers", connections, answered);
}

static void
give(void)
{
	struct letter_params params = { 0 };
	struct letter *l;
	struct err e;

	while (given < LETTERS) {
		l = letter_open(box, given + 1, NULL);
		if (l == NULL)
			return;
		params.number = ++given;
		assert_int_equal(letter_write(l, SPAN("A: b\r\n\r\n"), &e), 0);
		relays_take(relays, &l, &params, on_letter);
		assert_null(l);
	}
}

static void
on_box(void *arg, struct client_box_info *info)
{
	(void)arg;
	assert_null(info->e);
	give();
}

static void
on_ready(void *arg)
{
	(void)arg;
	give();
}

/* Three letters, until there are so many connections for them. */
static void
spread(size_t parallel, unsigned int expected)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(in);
	struct relay_params params = { .subject = "test",
		.lmtp = { .tls = LMTP_TLS_NONE, .helo = "me" },
		.recipients = bob,
		.n_recipients = 1,
		.parallel = parallel };
	struct draft_style style = {
		.mailbox = "INBOX", .crlf = true, .envelope = true
	};
	struct client_box_params b = {
		.mailbox = "INBOX", .uidvalidity = 7, .style = &style
	};
	struct loop *loop = rig_env(rig)->loop;

	wanted = expected;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&in, size), 0);
	assert_int_equal(listen(listener, LETTERS), 0);
	getsockname(listener, (struct sockaddr *)&in, &size);
	listen_watch = loop_fd_new(loop, listener, on_connect, NULL);
	loop_fd_want(listen_watch, true, false);
	params.conn = (struct conn_params){ .host = "127.0.0.1",
		.port = ntohs(in.sin_port),
		.connect_timeout_ms = 10000 };
	relays = relays_new(rig_env(rig), &params);
	box = client_box_open(rig_env(rig)->client, &b, on_box, on_ready, NULL);
	loop_timer_arm(watchdog, WATCHDOG_MS);
	loop_run(loop);
	relays_leave(relays);
	relays_free(&relays);
	client_box_close(&box);
	assert_int_equal(connections, expected);
}

static int
set_up(void **state)
{
	static const struct target target = { .way = TARGET_RELAY };

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	rig = rig_new_to(false, &target);
	watchdog = loop_timer_new(rig_env(rig)->loop, on_watchdog, NULL);
	connections = given = answered = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_timer_free(&watchdog);
	loop_fd_free(&listen_watch);
	close(listener);
	for (unsigned int i = 0; i < connections; i++)
		close(clients[i]);
	rig_free(&rig);
	return 0;
}

static void
hands_all_to_the_one(void **state)
{
	(void)state;
	spread(1, 1);
}

static void
gives_each_connection_its_share(void **state)
{
	(void)state;
	spread(2, 2);
}

static void
makes_no_more_connections_than_there_are_letters(void **state)
{
	(void)state;
	spread(8, LETTERS);
}

static void
frees_nothing(void **state)
{
	struct relays *none = NULL;

	(void)state;
	relays_free(&none);
	assert_null(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    hands_all_to_the_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    gives_each_connection_its_share, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    makes_no_more_connections_than_there_are_letters, set_up,
		    tear_down),
		cmocka_unit_test(frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
