/* SPDX-License-Identifier: ISC */
#include "proc/requests.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_team.h"
#include "io/ipc.h"
#include "sys/log.h"
#include "util/mem.h"

#define PEERS_MAX 40

/* A client that writes down what it is answered, as words like
 * "account work;end 0". */
struct client {
	struct ipc *ipc;
	struct buf words;
	char *text;
	bool gone;
};

static struct loop *loop;
static struct rolls *rolls;
static struct requests *requests;
static struct conf_account accounts[2];
static struct client clients[PEERS_MAX];
static size_t n_clients;
static unsigned int reloads;

/* ---- the client ---- */

static void
put(struct client *c, const char *what)
{
	buf_printf(
	    &c->words, "%s%s", buf_span(&c->words).n == 0 ? "" : ";", what);
}

static void
put_account(struct client *c, struct span payload)
{
	struct control_account a;

	assert_true(control_unpack_account(payload, &a));
	put(c, "account ");
	buf_printf(&c->words, "%s %s%s%s", a.name,
	    status_state_name(a.status.state), a.paused ? " paused" : "",
	    a.no_secret ? " without secret" : "");
	control_free_account(&a);
}

static void
put_result(struct client *c, struct span payload)
{
	struct fetch_result r;
	char *name;

	assert_true(control_unpack_result(payload, &name, &r));
	put(c, "result ");
	buf_printf(&c->words, "%s %s %u", name, err_kind_name(r.err.kind),
	    (unsigned int)r.progress.messages);
	control_free_result(&name, &r);
}

static void
put_progress(struct client *c, struct span payload)
{
	struct fetch_progress p;
	char *name;

	assert_true(control_unpack_progress(payload, &name, &p));
	put(c, "progress ");
	buf_printf(&c->words, "%s %s", name, p.doing);
	control_free_progress(&name, &p);
}

static void
put_daemon(struct client *c, struct span payload)
{
	struct control_daemon d;

	assert_true(control_unpack_daemon(payload, &d));
	assert_int_equal(d.pid, getpid());
	assert_string_equal(d.version, MAILHAUL_VERSION);
	put(c, "daemon ");
	buf_printf(&c->words, "%u", d.engine_restarts);
	control_free_daemon(&d);
}

static void
put_say(struct client *c, struct span payload)
{
	char *text;
	bool bad;

	assert_true(control_unpack_say(payload, &bad, &text));
	put(c, bad ? "bad " : "say ");
	buf_printf(&c->words, "%s", text);
	free(text);
}

static void
put_end(struct client *c, struct span payload)
{
	int status;

	assert_true(control_unpack_end(payload, &status));
	put(c, "end ");
	buf_printf(&c->words, "%d", status);
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct client *c = arg;

	if (packet == NULL) {
		c->gone = true;
		put(c, "gone");
	} else if (packet->type == CONTROL_ACCOUNT) {
		put_account(c, packet->payload);
	} else if (packet->type == CONTROL_DAEMON) {
		put_daemon(c, packet->payload);
	} else if (packet->type == CONTROL_RESULT) {
		put_result(c, packet->payload);
	} else if (packet->type == CONTROL_PROGRESS) {
		put_progress(c, packet->payload);
	} else if (packet->type == CONTROL_SAY) {
		put_say(c, packet->payload);
	} else {
		assert_int_equal(packet->type, CONTROL_END);
		put_end(c, packet->payload);
	}
}

static struct client *
connect_as(bool allowed)
{
	struct client *c = &clients[n_clients++];
	struct err e;
	int fds[2];

	assert_int_equal(ipc_pair(fds, &e), 0);
	*c = (struct client){ 0 };
	buf_init(&c->words, 1 << 20);
	c->ipc = ipc_new(loop, fds[0], on_packet, c);
	requests_add(requests, fds[1], allowed);
	return c;
}

static void
on_round(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* All packets under way are read: each is there at once. */
static void
turn(void)
{
	struct loop_timer *t = loop_timer_new(loop, on_round, NULL);

	for (unsigned int i = 0; i < 4; i++) {
		loop_timer_arm(t, 0);
		loop_run(loop);
	}
	loop_timer_free(&t);
}

static void
send_request(struct client *c, enum control_type verb, const char *name)
{
	const char *const names[] = { name };
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	assert_int_equal(
	    control_pack_request(&b, names, name == NULL ? 0 : 1), 0);
	ipc_send(c->ipc, (uint8_t)verb, buf_span(&b));
	buf_deinit(&b);
	turn();
}

static const char *
heard(struct client *c)
{
	free(c->text);
	c->text = mem_spandup(buf_span(&c->words));
	buf_clear(&c->words);
	return c->text;
}

static const char *
ask(struct client *c, enum control_type verb, const char *name)
{
	send_request(c, verb, name);
	return heard(c);
}

/* ---- the daemon ---- */

static void
on_changed(void *arg, const struct rolls_entry *e)
{
	(void)arg;
	(void)e;
	loop_stop(loop);
}

static void
on_progress(void *arg, const struct rolls_entry *e,
    const struct fetch_progress *progress)
{
	(void)arg;
	requests_progress(requests, e, progress);
}

static void
on_result(
    void *arg, const struct rolls_entry *e, const struct fetch_result *result)
{
	(void)arg;
	requests_result(requests, e, result);
}

static void
on_empty(void *arg)
{
	(void)arg;
}

static void
describe(void *arg, struct control_daemon *out)
{
	(void)arg;
	out->engine_restarts = 3;
}

static void
reload(void *arg)
{
	(void)arg;
	reloads++;
}

static const struct rolls_events rolls_events = { on_changed, on_progress,
	on_result, on_empty };
static const struct requests_hooks hooks = { describe, reload };

static void
fill(struct conf_account *a, char *name)
{
	*a = (struct conf_account){
		.name = name,
		.secret.literal = secret_new(SPAN("one")),
	};
}

static int
set_up(void **state)
{
	static const struct rolls_params rolls_params = { .state_dir = "/" };
	static char work[] = "work", home[] = "home";
	const struct conf_account *list[] = { &accounts[0], &accounts[1] };
	struct rolls_change change;

	(void)state;
	reloads = 0;
	fill(&accounts[0], work);
	fill(&accounts[1], home);
	fake_team_init();
	loop = loop_new();
	rolls = rolls_new(
	    loop, fake_team_get(), &rolls_params, &rolls_events, NULL);
	requests = requests_new(loop, rolls, &hooks, NULL);
	rolls_set(rolls, list, 2, &change);
	while (!rolls_settled(rolls))
		loop_run(loop);
	fake_team_heard();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_clients; i++) {
		ipc_free(&clients[i].ipc);
		buf_deinit(&clients[i].words);
		free(clients[i].text);
	}
	n_clients = 0;
	requests_free(&requests);
	rolls_free(&rolls);
	loop_free(&loop);
	fake_team_deinit();
	secret_free(&accounts[0].secret.literal);
	secret_free(&accounts[1].secret.literal);
	return 0;
}

static void
deliver(uint32_t number, uint64_t messages)
{
	struct fetch_result r = { .progress = {
				      .doing = "done", .messages = messages } };

	rolls_on_result(rolls, number, &r);
	turn();
}

/* ---- what is asked for ---- */

static void
tells_of_the_daemon_and_all_accounts(void **state)
{
	struct client *c = connect_as(true);

	(void)state;
	assert_string_equal(ask(c, CONTROL_STATUS, NULL),
	    "daemon 3;account work waiting;account home waiting;end 0");
	assert_string_equal(ask(c, CONTROL_STATUS, "home"),
	    "daemon 3;account home waiting;end 0");
}

static void
names_the_nearest_of_an_unknown_account(void **state)
{
	struct client *c = connect_as(true);

	(void)state;
	assert_string_equal(ask(c, CONTROL_PAUSE, "hom"),
	    "bad the daemon has no account \"hom\"; did you mean \"home\"?;"
	    "end 64");
	assert_string_equal(ask(c, CONTROL_POLL, "zzzzzz"),
	    "bad the daemon has no account \"zzzzzz\";end 64");
	assert_string_equal(fake_team_heard(), "");
}

static void
polls_pauses_and_resumes(void **state)
{
	struct client *c = connect_as(true);

	(void)state;
	assert_string_equal(ask(c, CONTROL_POLL, NULL), "end 0");
	assert_string_equal(fake_team_heard(), "poll 1;poll 2");
	assert_string_equal(ask(c, CONTROL_PAUSE, "work"), "end 0");
	assert_string_equal(fake_team_heard(), "pause 1");
	assert_string_equal(ask(c, CONTROL_POLL, "work"),
	    "bad work: is paused; \"mailhaul resume work\" lets it go on;"
	    "end 75");
	assert_string_equal(ask(c, CONTROL_RESUME, "work"), "end 0");
	assert_string_equal(fake_team_heard(), "resume 1");
	deliver(1, 5); /* nobody waits for it */
	assert_string_equal(heard(c), "");
}

static void
a_fetch_waits_for_all_results(void **state)
{
	struct fetch_progress p = { .doing = "fetching" };
	struct client *c = connect_as(true);

	(void)state;
	assert_string_equal(ask(c, CONTROL_FETCH, NULL),
	    "account work waiting;account home waiting");
	rolls_on_progress(rolls, 1, &p);
	deliver(2, 7);
	assert_string_equal(
	    heard(c), "progress work fetching;result home none 7");
	deliver(1, 0);
	assert_string_equal(heard(c), "result work none 0;end 0");
	deliver(1, 1);
	assert_string_equal(heard(c), "");
}

static void
a_fetch_during_a_look_waits_for_the_next(void **state)
{
	struct client *one = connect_as(true);
	struct client *other = connect_as(true);

	(void)state;
	ask(one, CONTROL_FETCH, "work");
	ask(other, CONTROL_FETCH, "work");
	deliver(1, 1);
	assert_string_equal(heard(one), "result work none 1;end 0");
	assert_string_equal(heard(other), "");
	deliver(1, 2);
	assert_string_equal(heard(other), "result work none 2;end 0");
	assert_string_equal(heard(one), "");
}

static void
a_fetch_of_what_is_paused_fails_at_once(void **state)
{
	struct client *c = connect_as(true);

	(void)state;
	ask(c, CONTROL_PAUSE, "home");
	assert_string_equal(ask(c, CONTROL_FETCH, "home"),
	    "account home waiting paused;result home temp 0;end 0");
	assert_string_equal(ask(c, CONTROL_FETCH, NULL),
	    "account work waiting;account home waiting paused;"
	    "result home temp 0");
	deliver(1, 1);
	assert_string_equal(heard(c), "result work none 1;end 0");
}

static void
a_name_said_twice_is_one_account(void **state)
{
	static const char *const names[] = { "work", "work" };
	struct client *c = connect_as(true);
	struct buf b;

	(void)state;
	buf_init(&b, IPC_PAYLOAD_MAX);
	assert_int_equal(control_pack_request(&b, names, 2), 0);
	ipc_send(c->ipc, CONTROL_FETCH, buf_span(&b));
	buf_deinit(&b);
	turn();
	deliver(1, 1);
	assert_string_equal(
	    heard(c), "account work waiting;result work none 1;end 0");
}

static void
all_who_asked_hear_of_the_reload(void **state)
{
	struct client *one = connect_as(true);
	struct client *other = connect_as(true);

	(void)state;
	ask(one, CONTROL_RELOAD, NULL);
	ask(other, CONTROL_RELOAD, NULL);
	assert_int_equal(reloads, 2);
	requests_reload_says(requests, true, "line 3: no");
	requests_reloaded(requests, 78);
	turn();
	assert_string_equal(heard(one), "bad line 3: no;end 78");
	assert_string_equal(heard(other), "bad line 3: no;end 78");
	requests_reloaded(requests, 0); /* by a signal */
	turn();
	assert_string_equal(heard(one), "");
}

/* ---- who asks ---- */

static void
who_is_not_allowed_is_told(void **state)
{
	struct client *c = connect_as(false);

	(void)state;
	turn();
	assert_string_equal(heard(c),
	    "bad only root, its own user and the control-group may ask;"
	    "end 77;gone");
}

static void
allows_root_us_and_the_group(void **state)
{
	gid_t groups[] = { 7, 8 };
	struct listen_peer peer = { .known = true,
		.uid = 5,
		.gid = 6,
		.groups = groups,
		.n_groups = 2 };

	(void)state;
	assert_false(control_allows(&peer, 4, -1));
	assert_true(control_allows(&peer, 5, -1));
	assert_true(control_allows(&peer, 4, 6));
	assert_true(control_allows(&peer, 4, 8));
	assert_false(control_allows(&peer, 4, 9));
	peer.uid = 0;
	assert_true(control_allows(&peer, 4, -1));
	peer.known = false;
	assert_false(control_allows(&peer, 4, -1));
}

static void
has_room_for_a_bounded_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
		connect_as(true);
	connect_as(true);
	turn();
	assert_string_equal(heard(&clients[CONTROL_PEERS_MAX]),
	    "bad too many clients ask at a time;end 75;gone");
	ipc_free(&clients[0].ipc);
	turn();
	assert_string_equal(
	    ask(connect_as(true), CONTROL_POLL, "work"), "end 0");
}

static void
who_leaves_in_the_middle_is_forgotten(void **state)
{
	struct client *one = connect_as(true);
	struct client *other = connect_as(true);

	(void)state;
	ask(one, CONTROL_FETCH, NULL);
	ask(other, CONTROL_FETCH, "work");
	ipc_free(&one->ipc);
	turn();
	deliver(1, 1);
	deliver(1, 2);
	assert_string_equal(heard(other), "result work none 2;end 0");
}

static void
who_talks_nonsense_is_dropped_alone(void **state)
{
	static const struct {
		uint8_t type;
		struct span payload;
	} nonsense[] = {
		{ CONTROL_STATUS, { "", 0 } },
		{ CONTROL_STATUS, { "\1\377\377\377\377", 5 } },
		{ CONTROL_STATUS, { "\1\2\0\0\0a", 6 } },
		{ CONTROL_RELOAD, { "\1\1\0\0\0a", 6 } },
		{ 0, { "\1", 1 } },
		{ CONTROL_END, { "\1\0", 2 } },
		{ 255, { "\1", 1 } },
	};
	struct client *good = connect_as(true);

	(void)state;
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		struct client *c = connect_as(true);

		ipc_send(c->ipc, nonsense[i].type, nonsense[i].payload);
		turn();
		assert_string_equal(heard(c), "gone");
	}
	assert_string_equal(ask(good, CONTROL_POLL, NULL), "end 0");
}

static void
who_asks_twice_at_a_time_is_dropped(void **state)
{
	struct client *c = connect_as(true);

	(void)state;
	ask(c, CONTROL_FETCH, "work");
	assert_string_equal(ask(c, CONTROL_STATUS, NULL), "gone");
	deliver(1, 1);
}

static void
another_version_is_answered_in_ours(void **state)
{
	struct client *c = connect_as(true);

	(void)state;
	ipc_send(c->ipc, CONTROL_STATUS, SPAN("\2"));
	turn();
	assert_string_equal(heard(c), "end 76;gone");
}

static void
descriptors_that_a_peer_sends_are_closed(void **state)
{
	struct client *c = connect_as(true);
	int pipes[2];
	char octet;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	ipc_send_fds(c->ipc, CONTROL_POLL, SPAN("\1"), &pipes[1], 1, true);
	turn();
	assert_string_equal(heard(c), "end 0");
	assert_int_equal(read(pipes[0], &octet, 1), 0); /* nobody has it */
	close(pipes[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_of_the_daemon_and_all_accounts),
		TEST(names_the_nearest_of_an_unknown_account),
		TEST(polls_pauses_and_resumes),
		TEST(a_fetch_waits_for_all_results),
		TEST(a_fetch_during_a_look_waits_for_the_next),
		TEST(a_fetch_of_what_is_paused_fails_at_once),
		TEST(a_name_said_twice_is_one_account),
		TEST(all_who_asked_hear_of_the_reload),
		TEST(who_is_not_allowed_is_told),
		TEST(allows_root_us_and_the_group),
		TEST(has_room_for_a_bounded_number),
		TEST(who_leaves_in_the_middle_is_forgotten),
		TEST(who_talks_nonsense_is_dropped_alone),
		TEST(who_asks_twice_at_a_time_is_dropped),
		TEST(another_version_is_answered_in_ours),
		TEST(descriptors_that_a_peer_sends_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
