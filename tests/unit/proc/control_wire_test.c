/* SPDX-License-Identifier: ISC */
#include "proc/control_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/ipc.h"

static struct buf b;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&b, IPC_PAYLOAD_MAX);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_deinit(&b);
	return 0;
}

static void
a_request_keeps_its_names(void **state)
{
	static const char *const names[] = { "work", "", "alice/home" };
	struct control_request r;

	(void)state;
	assert_int_equal(control_pack_request(&b, names, 3), 0);
	assert_true(control_unpack_request(CONTROL_PAUSE, buf_span(&b), &r));
	assert_int_equal(r.verb, CONTROL_PAUSE);
	assert_int_equal(r.n, 3);
	assert_string_equal(r.names[0], "work");
	assert_string_equal(r.names[1], "");
	assert_string_equal(r.names[2], "alice/home");
	control_free_request(&r);
	assert_false(control_unpack_request(CONTROL_RELOAD, buf_span(&b), &r));
	assert_false(control_unpack_request(0, buf_span(&b), &r));
	assert_false(control_unpack_request(CONTROL_SAY, buf_span(&b), &r));
}

static void
a_request_that_fits_in_no_packet_is_refused(void **state)
{
	enum { N = 8192 };

	static const char *names[N];

	(void)state;
	for (size_t i = 0; i < N; i++)
		names[i] = "";
	assert_int_equal(control_pack_request(&b, names, N), -1);
	assert_int_equal(buf_span(&b).n, 0);
	assert_int_equal(control_pack_request(&b, names, N - 1), 0);
}

static void
an_account_keeps_all_of_its_status(void **state)
{
	struct control_account in = { .name = (char[]){ "work" },
		.paused = true,
		.status = { .state = STATUS_BACKOFF,
		    .how = STATUS_IDLE,
		    .last_success = 5,
		    .next = -1,
		    .failures[ERR_TLS] = 7 } };
	struct control_account out;

	(void)state;
	err_set(&in.status.err, ERR_TLS, 3, "no");
	control_pack_account(&b, &in);
	assert_true(control_unpack_account(buf_span(&b), &out));
	assert_string_equal(out.name, "work");
	assert_true(out.paused);
	assert_false(out.no_secret);
	assert_int_equal(out.status.state, STATUS_BACKOFF);
	assert_int_equal(out.status.next, -1);
	assert_int_equal(out.status.failures[ERR_TLS], 7);
	assert_string_equal(out.status.err.text, "no");
	control_free_account(&out);
}

static void
the_daemon_and_a_line_come_through(void **state)
{
	struct control_daemon in = { .pid = 12,
		.version = (char[]){ "1.2" },
		.started = 3,
		.reloaded = 4,
		.engine_restarts = 5,
		.deliverer_restarts = 6 };
	struct control_daemon out;
	char *text;
	bool bad = false;

	(void)state;
	control_pack_daemon(&b, &in);
	assert_true(control_unpack_daemon(buf_span(&b), &out));
	assert_int_equal(out.pid, 12);
	assert_string_equal(out.version, "1.2");
	assert_int_equal(out.started + out.reloaded, 7);
	assert_int_equal(out.engine_restarts, 5);
	assert_int_equal(out.deliverer_restarts, 6);
	control_free_daemon(&out);
	buf_clear(&b);
	control_pack_say(&b, true, "oh");
	assert_true(control_unpack_say(buf_span(&b), &bad, &text));
	assert_true(bad);
	assert_string_equal(text, "oh");
	free(text);
}

static void
a_fetch_comes_through(void **state)
{
	struct fetch_result in = {
		.progress = { .doing = "done", .messages = 3 }, .removed = 2
	};
	struct fetch_progress progress;
	struct fetch_result out;
	char *name;
	int status;

	(void)state;
	control_pack_result(&b, "work", &in);
	assert_true(control_unpack_result(buf_span(&b), &name, &out));
	assert_string_equal(name, "work");
	assert_string_equal(out.progress.doing, "done");
	assert_int_equal(out.progress.messages, 3);
	assert_int_equal(out.removed, 2);
	control_free_result(&name, &out);
	buf_clear(&b);
	control_pack_progress(&b, "work", &in.progress);
	assert_true(control_unpack_progress(buf_span(&b), &name, &progress));
	assert_int_equal(progress.messages, 3);
	control_free_progress(&name, &progress);
	buf_clear(&b);
	control_pack_end(&b, 78);
	assert_true(control_unpack_end(buf_span(&b), &status));
	assert_int_equal(status, 78);
}

/* Whatever is asked of it, from every beginning of a packet. */
static void
try_all(struct span payload)
{
	struct control_request request;
	struct control_daemon daemon;
	struct control_account account;
	struct fetch_progress progress;
	struct fetch_result result;
	char *name;
	bool bad;
	int status;

	if (control_unpack_request(CONTROL_POLL, payload, &request))
		control_free_request(&request);
	if (control_unpack_daemon(payload, &daemon))
		control_free_daemon(&daemon);
	if (control_unpack_account(payload, &account))
		control_free_account(&account);
	if (control_unpack_progress(payload, &name, &progress))
		control_free_progress(&name, &progress);
	if (control_unpack_result(payload, &name, &result))
		control_free_result(&name, &result);
	if (control_unpack_say(payload, &bad, &name))
		free(name);
	(void)control_unpack_end(payload, &status);
}

static void
harms_nobody_when_it_is_cut_or_wrong(void **state)
{
	struct control_account a = { .name = (char[]){ "work" } };
	char octets[1024];
	size_t n;

	(void)state;
	control_pack_account(&b, &a);
	n = buf_span(&b).n;
	assert_true(n < sizeof(octets));
	memcpy(octets, buf_span(&b).p, n);
	for (size_t i = 0; i <= n; i++)
		try_all(span_make(octets, i));
	for (size_t i = 1; i < n; i++) {
		char was = octets[i];

		octets[i] = (char)0xff;
		try_all(span_make(octets, n));
		octets[i] = was;
	}
}

static void
another_version_is_seen_as_such(void **state)
{
	struct control_daemon out;
	struct control_daemon in = { .version = (char[]){ "1" } };
	char octets[256];
	size_t n;

	(void)state;
	control_pack_daemon(&b, &in);
	n = buf_span(&b).n;
	memcpy(octets, buf_span(&b).p, n);
	assert_false(control_is_foreign(span_make(octets, n)));
	assert_false(control_is_foreign(span_make(octets, 0)));
	octets[0]++;
	assert_true(control_is_foreign(span_make(octets, n)));
	assert_false(control_unpack_daemon(span_make(octets, n), &out));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_keeps_its_names),
		TEST(a_request_that_fits_in_no_packet_is_refused),
		TEST(an_account_keeps_all_of_its_status),
		TEST(the_daemon_and_a_line_come_through),
		TEST(a_fetch_comes_through),
		TEST(harms_nobody_when_it_is_cut_or_wrong),
		TEST(another_version_is_seen_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
