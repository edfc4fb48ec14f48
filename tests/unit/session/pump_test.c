/* SPDX-License-Identifier: ISC */
#include "session/pump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/session/stage.h"

/*
 * A protocol of lines: "tls" wants TLS, "end" is the last, "say" is answered
 * with "said". After expire() and eof() the next feed ends it, too.
 */
struct toy {
	struct pump *pump;
	char heard[4096]; /* lines, with a blank behind each */
	struct buf out;
	unsigned int ended, broken, released;
	unsigned int timeout_s, drains;
	bool secret, body, expired, eof;
	struct err err;
	char binding[TLS_BINDING_OCTETS];
	/* what is done at which line */
	const char *free_at, *pause_at;
};

static struct stage stage;
static struct toy toy;
static struct loop_timer *later;

static void
note(const char *what)
{
	size_t at = strlen(toy.heard);

	snprintf(toy.heard + at, sizeof(toy.heard) - at, "%s ", what);
}

static void
on_stop(void *arg)
{
	(void)arg;
	loop_stop(stage.loop);
}

static void
stop_soon(void)
{
	loop_timer_arm(later, 20);
}

static void
act_on(const char *line)
{
	if (toy.free_at != NULL && strcmp(line, toy.free_at) == 0) {
		pump_free(&toy.pump);
		stop_soon();
	}
	if (toy.pause_at != NULL && strcmp(line, toy.pause_at) == 0) {
		pump_pause(toy.pump, true);
		stop_soon();
	}
}

static void
end_with(const char *what)
{
	toy.ended++;
	note(what);
	act_on(what);
	stop_soon();
}

static enum pump_fed
hear(struct pump *p, struct span *in)
{
	while (!pump_stopped(p) && span_find(*in, '\n') < in->n) {
		char *line = mem_spandup(span_trim(span_until(in, '\n')));
		bool tls = strcmp(line, "tls") == 0;
		bool end = strcmp(line, "end") == 0;

		if (strcmp(line, "say") == 0)
			buf_add(&toy.out, SPAN("said\r\n"));
		note(line);
		act_on(line);
		free(line);
		if (end)
			toy.ended++;
		if (end || tls)
			return end ? PUMP_ENDED : PUMP_UPGRADE;
	}
	return PUMP_MORE;
}

static enum pump_fed
feed(void *arg, struct span *in)
{
	(void)arg;
	if (!toy.expired && !toy.eof)
		return hear(toy.pump, in);
	end_with(toy.expired ? "EXPIRED" : "EOF");
	return PUMP_ENDED;
}

static struct span
output(void *arg)
{
	(void)arg;
	return buf_span(&toy.out);
}

static void
sent(void *arg, size_t n)
{
	(void)arg;
	buf_drop(&toy.out, n);
}

static bool
is_secret(void *arg)
{
	(void)arg;
	return toy.secret;
}

static unsigned int
timeout(void *arg)
{
	(void)arg;
	return toy.timeout_s;
}

static void
upgraded(void *arg)
{
	(void)arg;
	note("UPGRADED");
	buf_add(&toy.out, SPAN("hello\r\n"));
}

static void
expire(void *arg)
{
	(void)arg;
	toy.expired = true;
}

static void
eof(void *arg)
{
	(void)arg;
	toy.eof = true;
}

static void
broken(void *arg, const struct err *e)
{
	(void)arg;
	toy.broken++;
	toy.err = *e;
	note("BROKEN");
	act_on("BROKEN");
	stop_soon();
}

static void
release(void *arg)
{
	(void)arg;
	toy.released++;
}

/* Two more after what was said first. */
static void
drained(void *arg)
{
	(void)arg;
	if (toy.drains++ < 2)
		buf_add(&toy.out, SPAN("more\r\n"));
	note("DRAINED");
	act_on("DRAINED");
}

static bool
is_body(void *arg)
{
	(void)arg;
	return toy.body;
}

static void
bind_channel(void *arg, struct span binding)
{
	(void)arg;
	assert_int_equal(binding.n, TLS_BINDING_OCTETS);
	memcpy(toy.binding, binding.p, binding.n);
	note("BOUND");
}

static const struct pump_machine machine = { feed, output, sent, is_secret,
	timeout, upgraded, expire, eof, broken, release, NULL, NULL,
	bind_channel };

static const struct pump_machine sender = { feed, output, sent, is_secret,
	timeout, upgraded, expire, eof, broken, release, drained, is_body,
	NULL };

static void
begin(peer_fn script, bool tls)
{
	stage_begin(&stage, script, tls);
	toy = (struct toy){ 0 };
	buf_init(&toy.out, 65536);
	later = loop_timer_new(stage.loop, on_stop, NULL);
}

static void
start(void)
{
	toy.pump = pump_open(
	    stage.loop, stage.dns, &stage.conn, &machine, &toy, "toy");
}

static void
start_sender(void)
{
	toy.pump =
	    pump_open(stage.loop, stage.dns, &stage.conn, &sender, &toy, "toy");
}

static void
run_to_end(void)
{
	while (toy.ended == 0) {
		stop_soon();
		loop_run(stage.loop);
	}
}

static bool
end(void)
{
	pump_free(&toy.pump);
	assert_int_equal(toy.released, 1);
	loop_timer_free(&later);
	buf_deinit(&toy.out);
	return stage_end(&stage);
}

/* ---- scripts ---- */

static void
say_two_and_end(struct peer *p)
{
	stage_say(p, "one\r\ntwo\r\nend\r\nmore\r\n");
	peer_hear_end(p);
}

static void
say_and_hang_up(struct peer *p)
{
	stage_say(p, "one\r\ntwo\r\n");
}

static void
ask(struct peer *p)
{
	peer_say(p, "say\r\n");
	peer_hear(p, "said\r\n");
	peer_say(p, "end\r\n");
	peer_hear_end(p);
}

static void
hear_much(struct peer *p)
{
	peer_say(p, "say\r\n");
	peer_hear(p, "said\r\nmore\r\nmore\r\n");
	peer_say(p, "end\r\n");
	peer_hear_end(p);
}

static void
say_and_listen(struct peer *p)
{
	stage_say(p, "say\r\n");
	peer_hear_end(p);
}

static void
be_silent(struct peer *p)
{
	stage_say(p, "one\r\n");
	peer_hear_end(p);
}

static void
do_tls(struct peer *p)
{
	peer_say(p, "tls\r\n");
	if (!peer_tls(p))
		peer_fail(p, "no TLS");
	peer_hear(p, "hello\r\n");
	peer_say(p, "end\r\n");
	peer_hear_end(p);
}

static void
tell_the_binding(struct peer *p)
{
	static const char label[] = "EXPORTER-Channel-Binding"; /* RFC 9266 */
	unsigned char octets[TLS_BINDING_OCTETS] = { 0 };
	struct buf line;

	if (!peer_tls(p))
		peer_fail(p, "no TLS");
	if (SSL_export_keying_material(p->ssl, octets, sizeof(octets), label,
		sizeof(label) - 1, NULL, 0, 0) != 1)
		peer_fail(p, "no binding");
	buf_init(&line, 1000);
	for (size_t i = 0; i < sizeof(octets); i++)
		buf_printf(&line, "%02x", octets[i]);
	buf_addc(&line, '\0');
	peer_say(p, buf_span(&line).p);
	peer_say(p, "\r\nend\r\n");
	peer_hear_end(p);
	buf_deinit(&line);
}

static void
intrude(struct peer *p)
{
	stage_say(p, "tls\r\nevil\r\n");
	peer_hear_end(p);
}

static int broke[2]; /* a pipe: an octet when it was noticed */

static void
intrude_and_reset(struct peer *p)
{
	char c;

	stage_say(p, "tls\r\nevil\r\n");
	if (read(broke[0], &c, 1) != 1)
		peer_fail(p, "nothing broke");
	peer_reset(p);
}

static void
begin_tls_and_stall(struct peer *p)
{
	stage_say(p, "tls\r\n");
	peer_hear_end(p);
}

/* ---- tests ---- */

static void
feeds_lines_in_order_until_the_end_and_no_further(void **state)
{
	(void)state;
	begin(say_two_and_end, false);
	start();
	run_to_end();
	stop_soon(); /* is there more? */
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "one two end ");
	assert_int_equal(toy.ended, 1);
	assert_int_equal(toy.broken, 0);
	assert_true(end());
}

static void
ends_once_when_the_owner_keeps_it_past_the_end(void **state)
{
	(void)state;
	begin(say_and_hang_up, false);
	start();
	loop_run(stage.loop);
	pump_pause(toy.pump, true);
	pump_pause(toy.pump, false); /* feeds, if it may */
	pump_flush(toy.pump);
	stop_soon();
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "one two EOF ");
	assert_int_equal(toy.ended, 1);
	end();
}

static void
sends_what_the_machine_says_without_being_asked(void **state)
{
	(void)state;
	begin(ask, false);
	start();
	run_to_end();
	assert_non_null(strstr(stage_log, "toy: C: said\n"));
	assert_true(end());
}

static void
asks_for_more_whenever_all_was_sent(void **state)
{
	(void)state;
	begin(hear_much, false);
	toy.body = true;
	start_sender();
	run_to_end();
	assert_string_equal(toy.heard, "say DRAINED DRAINED DRAINED end ");
	assert_null(strstr(stage_log, "more"));
	assert_non_null(strstr(stage_log, "toy: C: (octets of the message)\n"));
	assert_true(end());
}

static void
may_be_freed_when_it_asks_for_more(void **state)
{
	(void)state;
	begin(say_and_listen, false);
	toy.free_at = "DRAINED";
	start_sender();
	loop_run(stage.loop);
	assert_null(toy.pump);
	assert_int_equal(toy.released, 1);
	assert_string_equal(toy.heard, "say DRAINED ");
	end();
}

static void
feeds_from_the_loop_when_asked(void **state)
{
	(void)state;
	begin(be_silent, false);
	start();
	stop_soon();
	while (toy.heard[0] == '\0') {
		loop_run(stage.loop);
		stop_soon();
	}
	toy.eof = true; /* known to the machine alone */
	pump_feed(toy.pump);
	assert_string_equal(toy.heard, "one ");
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "one EOF ");
	assert_true(end());
}

static void
never_traces_what_is_secret(void **state)
{
	(void)state;
	begin(ask, false);
	toy.secret = true;
	start();
	run_to_end();
	assert_null(strstr(stage_log, "said"));
	assert_non_null(strstr(stage_log, "toy: C: (credentials)\n"));
	assert_true(end());
}

static void
may_be_freed_at_any_time(void **state)
{
	static const char *const at[] = { "one", "two", "EOF" };

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		begin(say_and_hang_up, false);
		toy.free_at = at[i];
		start();
		loop_run(stage.loop);
		assert_null(toy.pump);
		assert_int_equal(toy.released, 1);
		end();
	}
}

static void
may_be_freed_before_it_is_connected(void **state)
{
	(void)state;
	begin(be_silent, false);
	start();
	pump_free(&toy.pump);
	assert_int_equal(toy.released, 1);
	/* the script waits for somebody */
	toy.released = 0;
	toy.free_at = "one";
	start();
	loop_run(stage.loop);
	end();
}

static void
stops_in_the_middle_while_paused_and_goes_on_with_the_rest(void **state)
{
	(void)state;
	begin(say_and_hang_up, false);
	toy.pause_at = "one";
	start();
	loop_run(stage.loop); /* all, and the end of file, is there by now */
	assert_string_equal(toy.heard, "one ");
	pump_pause(toy.pump, false);
	assert_string_equal(toy.heard, "one "); /* from the loop only */
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "one two EOF ");
	end();
}

static void
pauses_again_before_it_went_on(void **state)
{
	(void)state;
	begin(say_and_hang_up, false);
	toy.pause_at = "one";
	start();
	loop_run(stage.loop);
	pump_pause(toy.pump, false);
	pump_pause(toy.pump, true);
	stop_soon();
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "one ");
	end();
}

static void
expires_when_the_server_is_silent(void **state)
{
	(void)state;
	begin(be_silent, false);
	toy.timeout_s = 1;
	start();
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "one EXPIRED ");
	assert_int_equal(toy.ended, 1);
	end();
}

static void
does_not_expire_while_paused(void **state)
{
	(void)state;
	begin(be_silent, false);
	toy.timeout_s = 1;
	toy.pause_at = "one";
	start();
	loop_run(stage.loop);
	loop_timer_arm(later, 1300);
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "one ");
	assert_false(toy.expired);
	pump_pause(toy.pump, false);
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "one EXPIRED ");
	end();
}

static void
upgrades_and_says_nothing_before_tls(void **state)
{
	(void)state;
	begin(do_tls, true);
	start();
	run_to_end();
	assert_string_equal(toy.heard, "tls BOUND UPGRADED end ");
	assert_true(conn_is_tls(pump_conn(toy.pump)));
	assert_true(end());
}

static void
tells_the_binding_of_a_channel_that_was_tls_at_once(void **state)
{
	struct buf want;

	(void)state;
	begin(tell_the_binding, true);
	stage.conn.tls = true;
	start();
	run_to_end();
	buf_init(&want, 1000);
	buf_printf(&want, "BOUND ");
	for (size_t i = 0; i < sizeof(toy.binding); i++)
		buf_printf(&want, "%02x", (unsigned char)toy.binding[i]);
	buf_printf(&want, " end ");
	buf_addc(&want, '\0');
	assert_string_equal(toy.heard, buf_span(&want).p);
	buf_deinit(&want);
	assert_true(end());
}

static void
breaks_once_when_octets_stand_behind_the_upgrade(void **state)
{
	(void)state;
	begin(intrude, true);
	toy.timeout_s = 1;
	start();
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "tls BROKEN ");
	assert_int_equal(toy.err.kind, ERR_TLS);
	loop_timer_arm(later, 1300); /* longer than the deadline */
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "tls BROKEN ");
	end();
}

static void
breaks_once_although_the_connection_breaks_later(void **state)
{
	(void)state;
	assert_int_equal(pipe(broke), 0);
	begin(intrude_and_reset, true);
	start();
	loop_run(stage.loop);
	assert_int_equal(write(broke[1], "x", 1), 1);
	while (conn_error(pump_conn(toy.pump))->kind == ERR_NONE) {
		stop_soon();
		loop_run(stage.loop);
	}
	assert_string_equal(toy.heard, "tls BROKEN ");
	assert_int_equal(toy.broken, 1);
	assert_true(end());
	close(broke[0]);
	close(broke[1]);
}

static void
leaves_the_deadline_of_the_handshake_to_tls(void **state)
{
	(void)state;
	begin(begin_tls_and_stall, true);
	stage.conn.tls_timeout_ms = 1500;
	toy.timeout_s = 1;
	start();
	loop_run(stage.loop);
	assert_string_equal(toy.heard, "tls BROKEN ");
	assert_int_equal(toy.err.kind, ERR_NET);
	assert_non_null(strstr(toy.err.text, "handshake"));
	assert_false(toy.expired);
	end();
}

static void
says_in_words_that_nobody_listens(void **state)
{
	static const char *const frees[] = { NULL, "BROKEN" };
	unsigned int port;
	int fd = peer_listen(&port);

	(void)state;
	close(fd); /* nobody listens there now */
	for (size_t i = 0; i < 2; i++) {
		begin(be_silent, false);
		toy.free_at = "one";
		start(); /* for the script */
		loop_run(stage.loop);
		toy.released = 0;
		toy.heard[0] = '\0';
		toy.free_at = frees[i];
		stage.conn.port = port;
		start();
		loop_run(stage.loop);
		assert_string_equal(toy.heard, "BROKEN ");
		assert_int_equal(toy.err.kind, ERR_NET);
		assert_non_null(strstr(toy.err.text, "refused"));
		assert_true((toy.pump == NULL) == (i == 1));
		end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    feeds_lines_in_order_until_the_end_and_no_further),
		cmocka_unit_test(
		    ends_once_when_the_owner_keeps_it_past_the_end),
		cmocka_unit_test(
		    sends_what_the_machine_says_without_being_asked),
		cmocka_unit_test(asks_for_more_whenever_all_was_sent),
		cmocka_unit_test(may_be_freed_when_it_asks_for_more),
		cmocka_unit_test(feeds_from_the_loop_when_asked),
		cmocka_unit_test(never_traces_what_is_secret),
		cmocka_unit_test(may_be_freed_at_any_time),
		cmocka_unit_test(may_be_freed_before_it_is_connected),
		cmocka_unit_test(
		    stops_in_the_middle_while_paused_and_goes_on_with_the_rest),
		cmocka_unit_test(pauses_again_before_it_went_on),
		cmocka_unit_test(expires_when_the_server_is_silent),
		cmocka_unit_test(does_not_expire_while_paused),
		cmocka_unit_test(upgrades_and_says_nothing_before_tls),
		cmocka_unit_test(
		    tells_the_binding_of_a_channel_that_was_tls_at_once),
		cmocka_unit_test(
		    breaks_once_when_octets_stand_behind_the_upgrade),
		cmocka_unit_test(
		    breaks_once_although_the_connection_breaks_later),
		cmocka_unit_test(leaves_the_deadline_of_the_handshake_to_tls),
		cmocka_unit_test(says_in_words_that_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
