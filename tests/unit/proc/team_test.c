/* SPDX-License-Identifier: ISC */
#include "proc/team.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/ipc.h"
#include "proc/spawn.h"
#include "proc/tunnels.h"
#include "proc/wire.h"
#include "sys/clock.h"

/*
 * The children are this program again and play their parts: see the end. An
 * account's "user" tells them what to do with it. Each of them says on its
 * standard error what it hears.
 */

#define LIMIT_MS 10000

/* The test's side: what the team told, in words, in the order of it. */
struct hall {
	struct loop *loop;
	struct loop_timer *limit;
	struct team *team;
	struct team_params params;
	const char *until; /* the words after which the loop stops */
	char told[2000];
	char dir[64];
	int noise[2]; /* the children's standard error */
	char heard[4000];
};

static void note(struct hall *h, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(struct hall *h, const char *fmt, ...)
{
	size_t at = strlen(h->told);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->told + at, sizeof(h->told) - at, fmt, ap);
	va_end(ap);
	if (h->until != NULL && strstr(h->told, h->until) != NULL)
		loop_stop(h->loop);
}

static char *argv_of_tunnel[] = { (char[]){ "cat" }, NULL };
static char *argv_of_mda[] = { (char[]){ "/bin/mda" }, NULL };
static struct conf_list program = { argv_of_mda, 1 };

static struct conf_account
account_of(const char *user)
{
	static char name[] = "a", host[] = "h", maildir[] = "/M";

	return (struct conf_account){ .name = name,
		.host = host,
		.user = (char *)(uintptr_t)user,
		.tls = CONF_TLS_NONE,
		.delivery_tls = CONF_TLS_NONE,
		.maildir = maildir };
}

static void
give(struct hall *h, uint32_t number, const struct conf_account *a, bool stays)
{
	struct secret *secret = secret_new(SPAN("pass"));
	struct err e;

	if (team_account(h->team, number, a, secret, stays, &e) != 0)
		fail_msg("%s", e.text);
	secret_free(&secret);
}

static void
give_user(struct hall *h, uint32_t number, const char *user, bool stays)
{
	struct conf_account a = account_of(user);

	give(h, number, &a, stays);
}

static void
on_progress(void *arg, uint32_t number, const struct fetch_progress *progress)
{
	note(arg, "progress%u:%s ", number, progress->doing);
}

static void
on_result(void *arg, uint32_t number, const struct fetch_result *result)
{
	note(arg, "result%u:%s ", number, result->err.text);
}

static void
on_status(void *arg, uint32_t number, const struct status *status)
{
	note(arg, "status%u:%s ", number, status->err.text);
}

static void
on_want(void *arg, uint32_t number)
{
	note(arg, "want%u ", number);
}

static void
on_gone(void *arg, uint32_t number)
{
	note(arg, "gone%u ", number);
}

static void
on_lost(void *arg, uint32_t number)
{
	struct hall *h = arg;

	note(h, "lost%u ", number);
	give_user(h, number, number == 9 ? "other" : "stay", true);
}

static void
on_ended(void *arg, enum team_role role, const char *user, const struct err *e)
{
	note(arg, "%s%s%s ended:%s ",
	    role == TEAM_ENGINE ? "engine" : "deliverer",
	    user == NULL ? "" : "-", user == NULL ? "" : user, e->text);
}

static void
on_pong(void *arg)
{
	note(arg, "pong ");
}

static void
on_limit(void *arg)
{
	struct hall *h = arg;

	note(h, "(too late)");
	loop_stop(h->loop);
}

static void
on_certificate(void *arg, uint32_t number, const struct certificate *c)
{
	(void)number;
	(void)c;
	note(arg, "certificate ");
}

static const struct team_events events = { on_progress, on_result, on_status,
	on_want, on_gone, on_lost, on_ended, on_pong, on_certificate };

static int
set_up(void **state)
{
	struct hall *h = calloc(1, sizeof(*h));

	snprintf(h->dir, sizeof(h->dir), "/tmp/team_test.XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	assert_int_equal(chmod(h->dir, 0755), 0);
	assert_int_equal(pipe2(h->noise, O_CLOEXEC), 0);
	fcntl(h->noise[1], F_SETPIPE_SZ, 65536);
	h->loop = loop_new();
	h->limit = loop_timer_new(h->loop, on_limit, h);
	h->params = (struct team_params){ .state_dir = h->dir,
		.stderr_fd = h->noise[1],
		.max_files = 77,
		.restarts = true };
	h->params.lock_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	*state = h;
	return 0;
}

static void
start(struct hall *h)
{
	struct err e;

	h->team = team_new(h->loop, &h->params, &events, h, &e);
	if (h->team == NULL)
		fail_msg("%s", e.text);
}

static void
run_until(struct hall *h, const char *words)
{
	h->until = words;
	loop_timer_arm(h->limit, LIMIT_MS);
	if (strstr(h->told, words) == NULL)
		loop_run(h->loop);
	h->until = NULL;
	if (strstr(h->told, words) == NULL)
		fail_msg("not \"%s\" but \"%s\"", words, h->told);
}

/* Ends the team; then what the children heard is in heard. */
static void
finish(struct hall *h)
{
	ssize_t n;

	team_free(&h->team);
	close(h->noise[1]);
	h->noise[1] = -1;
	n = read(h->noise[0], h->heard, sizeof(h->heard) - 1);
	h->heard[n < 0 ? 0 : n] = '\0';
}

static int
tear_down(void **state)
{
	struct hall *h = *state;
	char path[200];

	team_free(&h->team);
	loop_timer_free(&h->limit);
	loop_free(&h->loop);
	close(h->params.lock_fd);
	close(h->noise[0]);
	if (h->noise[1] >= 0)
		close(h->noise[1]);
	snprintf(path, sizeof(path), "%s/users/.daemon.lock", h->dir);
	(void)unlink(path);
	snprintf(path, sizeof(path), "%s/users/daemon", h->dir);
	(void)rmdir(path);
	snprintf(path, sizeof(path), "%s/users", h->dir);
	(void)rmdir(path);
	(void)rmdir(h->dir);
	free(h);
	return 0;
}

static void
assert_in_order(const char *text, const char *first, const char *second)
{
	const char *a = strstr(text, first);

	if (a == NULL || strstr(a, second) == NULL)
		fail_msg(
		    "not \"%s\" before \"%s\" in:\n%s", first, second, text);
}

static unsigned int
count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/* ---- fetching once ---- */

static void
gives_an_account_and_gets_its_result(void **state)
{
	struct hall *h = *state;

	h->params.restarts = false;
	start(h);
	give_user(h, 42, "once", false);
	run_until(h, "result42:");
	assert_string_equal(h->told, "result42:did once with pass ");
	finish(h);
	assert_in_order(h->heard, "deliverer: ledger ", "deliverer: target 0");
	assert_in_order(h->heard, "engine: limits", "engine: link 0");
	assert_in_order(h->heard, "engine: link 0", "engine: account 0");
}

/* And it has no more than are due to it, however it asks. */
static void
runs_tunnels_for_the_engine(void **state)
{
	struct hall *h = *state;
	struct conf_account a = account_of("dig");

	a.tunnel = (struct conf_list){ argv_of_tunnel, 1 };
	start(h);
	give(h, 3, &a, true);
	give_user(h, 4, "stay", true);
	run_until(h, "status4:");
	team_drop(h->team, 3);
	run_until(h, "gone3 ");
	finish(h);
	assert_in_order(h->heard, "tunnel up 5", "tunnel down 6");
	assert_in_order(h->heard, "tunnel down 6", "tunnel up 7");
	assert_in_order(h->heard, "tunnel up 7", "tunnel down 8");
	assert_in_order(h->heard, "tunnel down 8", "tunnel down 10");
	assert_null(strstr(h->heard, "tunnel down 9"));
	assert_int_equal(count(h->heard, "tunnel up"), 2);
	assert_null(strstr(h->heard, "tunnel down 7")); /* as it wanted */
}

static void
ends_an_engine_that_asks_and_does_not_listen(void **state)
{
	struct hall *h = *state;

	start(h);
	give_user(h, 3, "flood", true);
	run_until(h, "engine ended:");
}

/* The engine's packets come to the deliverer by another way than ours. */
static void
does_not_give_an_account_before_the_deliverer_knows_it(void **state)
{
	struct hall *h = *state;

	start(h);
	give_user(h, 1, "late", false); /* known after the next one */
	give_user(h, 2, "once", false);
	run_until(h, "result1:");
	run_until(h, "result2:");
	finish(h);
	assert_in_order(h->heard, "deliverer: target 0", "engine: account 1");
	assert_in_order(h->heard, "engine: account 1", "engine: account 0");
}

static void
tells_without_restarts_why_nothing_will_come(void **state)
{
	struct hall *h = *state;

	h->params.restarts = false;
	start(h);
	give_user(h, 1, "die", true);
	run_until(h, "ended:");
	assert_non_null(strstr(h->told,
	    "engine ended:the process \"" SPAWN_ENGINE
	    "\" exited with status 3; what was delivered is safe, run mailhaul "
	    "again"));
	assert_null(strstr(h->told, "lost"));
	assert_int_equal(team_restarts(h->team, TEAM_ENGINE), 0);
}

static void
tells_that_a_ledger_cannot_be_used(void **state)
{
	struct hall *h = *state;

	h->params.restarts = false;
	h->params.state_dir = "/refuse";
	start(h);
	give_user(h, 1, "once", false);
	run_until(h, "ended:");
	assert_string_equal(h->told, "deliverer ended:it is broken ");
}

static void
refuses_an_account_that_fits_no_packet(void **state)
{
	static char long_argument[IPC_PAYLOAD_MAX];
	char *argv[] = { (char[]){ "mda" }, long_argument, NULL };
	struct hall *h = *state;
	struct conf_account a = account_of("once");
	struct secret *secret = secret_new(SPAN("pass"));
	struct err e;

	memset(long_argument, 'x', sizeof(long_argument) - 1);
	start(h);
	a.way = CONF_MDA;
	a.mda = (struct conf_list){ argv, 2 };
	assert_int_equal(team_account(h->team, 1, &a, secret, false, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.text, "the arguments of mda"));
	a = account_of("once");
	a.recipients = (struct conf_list){ argv, 2 };
	assert_int_equal(team_account(h->team, 1, &a, secret, false, &e), -1);
	assert_non_null(strstr(e.text, "the recipients"));
	secret_free(&secret);
}

static void
ends_what_has_not_begun_when_it_is_stopped(void **state)
{
	struct hall *h = *state;

	start(h);
	give_user(h, 1, "once", false);
	give_user(h, 2, "stay", true);
	team_stop(h->team);
	assert_string_equal(h->told, ""); /* it comes from the loop */
	run_until(h, "gone2");
	assert_string_equal(h->told, "result1:interrupted gone2 ");
}

/* ---- accounts that stay ---- */

static void
says_to_an_account_what_was_said_before_it_was_there(void **state)
{
	struct hall *h = *state;
	struct secret *secret = secret_new(SPAN("newer"));

	start(h);
	give_user(h, 1, "stay", true);
	team_secret(h->team, 1, secret);
	team_pause(h->team, 1, false);
	team_poll(h->team, 1);
	run_until(h, "result1:polled");
	team_pause(h->team, 1, true);
	team_pause(h->team, 1, false);
	team_probe(h->team);
	team_poll(h->team, 99); /* there is none */
	team_ping(h->team);
	run_until(h, "pong");
	finish(h);
	assert_in_order(h->heard, "engine: account 0", "engine: secret newer");
	assert_in_order(h->heard, "engine: secret newer", "engine: resume 0");
	assert_in_order(h->heard, "engine: resume 0", "engine: poll 0");
	assert_in_order(h->heard, "engine: poll 0", "engine: pause 0");
	assert_in_order(h->heard, "engine: pause 0", "engine: resume 0");
	assert_in_order(h->heard, "engine: resume 0", "engine: probe");
	secret_free(&secret);
}

static void
lets_an_account_go_and_its_deliverer_too(void **state)
{
	struct hall *h = *state;

	start(h);
	give_user(h, 1, "stay", true);
	run_until(h, "status1:");
	team_drop(h->team, 1);
	run_until(h, "gone1 ");
	give_user(h, 2, "stay", true); /* while the deliverer still leaves */
	run_until(h, "status2:");
	assert_null(strstr(h->told, "ended"));
	assert_null(strstr(h->told, "lost"));
	assert_int_equal(team_restarts(h->team, TEAM_DELIVERER), 0);
	finish(h);
	assert_int_equal(count(h->heard, "deliverer: ledger"), 2);
	assert_int_equal(count(h->heard, "engine: unlink 0"), 1);
	assert_int_equal(count(h->heard, "engine: link 0"), 2);
}

/* Of who is lost the target stays known, as he comes again. */
static void
has_the_target_forgotten_of_what_was_dropped(void **state)
{
	struct hall *h = *state;

	start(h);
	give_user(h, 1, "stay", true);
	give_user(h, 9, "other", true);
	run_until(h, "status1:");
	run_until(h, "status9:");
	team_kill_engine(h->team);
	run_until(h, "lost9");
	run_until(h, "status9:");
	assert_null(strstr(h->heard, "deliverer: forget"));
	team_drop(h->team, 9);
	run_until(h, "gone9");
	give_user(h, 3, "stay", true);
	run_until(h, "status3:");
	finish(h);
	assert_int_equal(count(h->heard, "deliverer: forget"), 1);
	assert_in_order(h->heard, "deliverer: forget", "deliverer: target 1");
}

static void
kills_who_does_not_leave_in_time(void **state)
{
	struct hall *h = *state;
	uint64_t began;

	h->params.end_ms = 300;
	start(h);
	give_user(h, 1, "deaf", true);
	run_until(h, "status1:");
	began = clock_ms();
	team_free(&h->team);
	assert_true(clock_ms() - began >= 250);
	assert_true(clock_ms() - began < 5000);
}

static void
drops_what_the_engine_never_had(void **state)
{
	struct hall *h = *state;

	start(h);
	give_user(h, 1, "stay", true);
	team_drop(h->team, 1);
	team_drop(h->team, 1);
	assert_string_equal(h->told, "");
	run_until(h, "gone1 ");
	give_user(h, 1, "stay", true);
	run_until(h, "status1:");
	assert_int_equal(count(h->told, "gone1"), 1);
}

static void
starts_an_engine_that_died_and_gives_it_everything_anew(void **state)
{
	struct hall *h = *state;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	start(h);
	team_metrics(h->team, ends[0]);
	give_user(h, 1, "stay", true);
	give_user(h, 9, "other", true);
	run_until(h, "status1:");
	run_until(h, "status9:");
	team_kill_engine(h->team);
	run_until(h, "lost9");
	h->told[0] = '\0';
	team_ping(h->team); /* there is none now */
	run_until(h, "status1:");
	run_until(h, "status9:");
	run_until(h, "pong");
	assert_int_equal(team_restarts(h->team, TEAM_ENGINE), 1);
	assert_int_equal(team_restarts(h->team, TEAM_DELIVERER), 0);
	finish(h);
	assert_int_equal(count(h->heard, "engine: limits"), 2);
	assert_int_equal(count(h->heard, "engine: metrics"), 2);
	assert_int_equal(count(h->heard, "engine: link 0"), 2);
	/* the deliverer knew them, by the same numbers */
	assert_int_equal(count(h->heard, "deliverer: target"), 2);
	assert_int_equal(count(h->heard, "engine: account 0"), 2);
	assert_int_equal(count(h->heard, "engine: account 1"), 2);
	close(ends[0]);
	close(ends[1]);
}

static void
starts_a_deliverer_that_died_and_uses_no_number_twice(void **state)
{
	struct hall *h = *state;

	start(h);
	give_user(h, 1, "stay", true);
	run_until(h, "status1:");
	give_user(h, 2, "kill", true); /* it dies of this target, once */
	run_until(h, "lost1");
	assert_in_order(h->told, "deliverer ended:", "lost1");
	assert_null(strstr(h->told, "lost2")); /* it waits */
	team_drop(h->team, 2);
	h->told[0] = '\0';
	run_until(h, "status1:");
	assert_int_equal(team_restarts(h->team, TEAM_ENGINE), 0);
	assert_true(team_restarts(h->team, TEAM_DELIVERER) > 0);
	finish(h);
	assert_in_order(h->heard, "engine: link 0", "engine: unlink 0");
	assert_in_order(h->heard, "engine: unlink 0", "engine: link 0");
}

static void
replaces_a_deliverer_that_is_not_allowed_enough(void **state)
{
	struct hall *h = *state;
	struct conf_account a = account_of("other");

	start(h);
	give_user(h, 1, "stay", true);
	run_until(h, "status1:");
	a.way = CONF_MDA;
	a.mda = program;
	a.mda_parallel = 1;
	a.mda_new_privileges = true;
	give(h, 9, &a, true);
	run_until(h, "lost1");
	run_until(h, "status9:");
	assert_null(strstr(h->told, "ended"));
	assert_null(strstr(h->told, "lost9"));
	finish(h);
	assert_in_order(
	    h->heard, "deliverer: ledger /", "deliverer: ledger+! ");
}

/* What needs no more than there is starts none. */
static void
starts_a_deliverer_anew_for_a_place_that_is_new(void **state)
{
	struct hall *h = *state;
	struct conf_account a = account_of("other");

	start(h);
	give_user(h, 1, "stay", true);
	run_until(h, "status1:");
	give(h, 3, &a, true);
	run_until(h, "status3:");
	a.way = CONF_MBOX;
	a.mbox = (char[]){ "/var/mail/x" };
	give(h, 9, &a, true);
	run_until(h, "lost1");
	run_until(h, "status9:");
	finish(h);
	assert_int_equal(count(h->heard, "deliverer: ledger /"), 2);
	assert_in_order(h->heard, "deliverer: makes /M", "deliverer: ledger /");
	assert_in_order(
	    h->heard, "deliverer: ledger /", "deliverer: uses /var/mail");
}

static void
has_no_walls_where_programs_are_run(void **state)
{
	struct hall *h = *state;
	struct conf_account a = account_of("other");

	start(h);
	a.way = CONF_MDA;
	team_expect(h->team, &a);
	give_user(h, 1, "stay", true);
	run_until(h, "status1:");
	a.way = CONF_LMTP;
	a.relay.socket = (char[]){ "/s" };
	give(h, 9, &a, true);
	run_until(h, "status9:");
	finish(h);
	assert_int_equal(count(h->heard, "deliverer: ledger"), 1);
	assert_non_null(strstr(h->heard, "deliverer: ledger! "));
}

static void
gives_rights_at_once_when_they_are_expected(void **state)
{
	struct hall *h = *state;
	struct conf_account a = account_of("other");

	start(h);
	a.way = CONF_MDA;
	a.mda = program;
	a.mda_parallel = 1;
	a.mda_new_privileges = true;
	team_expect(h->team, &a);
	give_user(h, 1, "stay", true);
	run_until(h, "status1:");
	give(h, 9, &a, true);
	run_until(h, "status9:");
	finish(h);
	assert_int_equal(count(h->heard, "deliverer: ledger"), 1);
	assert_non_null(strstr(h->heard, "deliverer: ledger+! "));
}

/* ---- other users ---- */

static void
delivers_as_the_user_of_the_account(void **state)
{
	struct hall *h = *state;
	struct conf_account a = account_of("once");
	char path[200];

	a.run_as = (char[]){ "daemon" };
	h->params.restarts = false;
	start(h);
	give(h, 1, &a, false);
	give_user(h, 2, "once", false);
	run_until(h, "result2:");
	if (geteuid() != 0) {
		run_until(h, "deliverer-daemon ended:");
		return;
	}
	run_until(h, "result1:did once");
	finish(h);
	snprintf(
	    path, sizeof(path), "ledger %s/users/daemon/ledger.sqlite", h->dir);
	assert_non_null(strstr(h->heard, path));
	assert_non_null(strstr(h->heard, "deliverer is: daemon"));
	assert_int_equal(count(h->heard, "deliverer: ledger"), 2);
}

static void
says_that_there_is_no_such_user(void **state)
{
	struct hall *h = *state;
	struct conf_account a = account_of("once");
	struct secret *secret = secret_new(SPAN("pass"));
	struct err e;

	a.run_as = (char[]){ "no such user" };
	start(h);
	team_expect(h->team, &a);
	assert_int_equal(team_account(h->team, 1, &a, secret, false, &e), -1);
	assert_non_null(strstr(e.text, "no such user"));
	team_free(&h->team);
	h->params.engine_user = "no such user";
	assert_null(team_new(h->loop, &h->params, &events, h, &e));
	assert_non_null(strstr(e.text, "no such user"));
	secret_free(&secret);
}

/* ---- the children ---- */

static void
reply(enum wire_type type, struct buf *b)
{
	struct buf packet;

	buf_init(&packet, IPC_PAYLOAD_MAX + 1);
	pack_u8(&packet, (uint8_t)type);
	(void)buf_add(&packet, buf_span(b));
	(void)send(WIRE_FD, buf_span(&packet).p, packet.n, MSG_NOSIGNAL);
	buf_deinit(&packet);
	buf_deinit(b);
}

static void
reply_number(enum wire_type type, uint32_t number)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	reply(type, &b);
}

static void
say(const char *who, const char *what)
{
	char line[300];
	int n = snprintf(line, sizeof(line), "%s: %s\n", who, what);

	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(1);
}

static void
play_places(struct unpack u)
{
	char line[256];

	while (unpack_more(&u)) {
		bool make = unpack_u8(&u) != 0;
		char *path = unpack_str(&u);

		snprintf(
		    line, sizeof(line), "%s %s", make ? "makes" : "uses", path);
		say("deliverer", line);
		free(path);
	}
}

/* Level, format, path, restarts, privileges, programs, sockets, files. */
static void
play_ledger(struct unpack u)
{
	char line[256];
	char *path;
	bool gain, programs, sockets, good;

	(void)unpack_u8(&u);
	(void)unpack_u8(&u);
	path = unpack_str(&u);
	(void)unpack_u8(&u);
	gain = unpack_u8(&u) != 0;
	programs = unpack_u8(&u) != 0;
	sockets = unpack_u8(&u) != 0;
	good = unpack_u64(&u) == 77 && unpack_ok(&u);
	snprintf(line, sizeof(line), "ledger%s%s%s %s%s", gain ? "+" : "",
	    programs ? "!" : "", sockets ? "=" : "", path,
	    good ? "" : " and rubbish");
	say("deliverer", line);
	if (strncmp(path, "/refuse", 7) == 0) {
		struct buf b;
		struct err e;

		err_set(&e, ERR_DELIVER, 0, "it is broken");
		buf_init(&b, IPC_PAYLOAD_MAX);
		wire_pack_err(&b, &e);
		reply(WIRE_REFUSE, &b);
	} else {
		reply(WIRE_READY, &(struct buf){ 0 });
	}
	free(path);
}

static bool deaf; /* it does not hear that it shall end */

static void
play_target(struct unpack u)
{
	static uint32_t late = UINT32_MAX;
	uint32_t number;
	struct conf_account *a = wire_unpack_target(&u, &number);
	char line[64];

	if (a == NULL)
		_exit(9);
	snprintf(line, sizeof(line), "target %u", number);
	say("deliverer", line);
	deaf |= strcmp(a->user, "deaf") == 0;
	if (strcmp(a->user, "kill") == 0 && number != 0)
		_exit(4);
	if (strcmp(a->user, "late") == 0) {
		late = number;
	} else {
		reply_number(WIRE_KNOWN, number);
		if (late != UINT32_MAX)
			reply_number(WIRE_KNOWN, late);
	}
	wire_free_account(&a);
}

static void
ask_for_tunnel(uint32_t number, uint32_t ticket, uint8_t kind)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	pack_u32(&b, ticket);
	pack_u8(&b, kind);
	reply(WIRE_TUNNEL, &b);
}

/* One that is its own, one of nobody, one that it gives back, and one too
 * many for an account without connections; and two that there are none of. */
static void
play_dig(uint32_t number)
{
	ask_for_tunnel(number, 5, TUNNEL_TO_SERVER);
	ask_for_tunnel(number + 1, 6, TUNNEL_TO_SERVER);
	ask_for_tunnel(number, 7, TUNNEL_TO_SERVER);
	reply_number(WIRE_TUNNEL_CLOSE, 7);
	reply_number(WIRE_TUNNEL_CLOSE, 70);
	ask_for_tunnel(number, 8, TUNNEL_TO_SERVER);
	ask_for_tunnel(number, 9, TUNNEL_KINDS); /* is not answered */
	ask_for_tunnel(number, 10, TUNNEL_TO_KERBEROS);
}

/* Until it is killed; the deadline of the test is shorter. */
static void
play_flood(void)
{
	const char packet[10] = { WIRE_TUNNEL, 1 };

	while (send(WIRE_FD, packet, sizeof(packet), MSG_NOSIGNAL) > 0)
		;
	_exit(10);
}

static void
play_account(struct unpack *u, uint32_t number)
{
	bool stays = unpack_u8(u) != 0;
	uint32_t deliverer = unpack_u32(u);
	uint32_t ca = unpack_u32(u), delivery_ca = unpack_u32(u);
	struct secret *secret;
	struct conf_account *a = wire_unpack_account(u, &secret);
	struct status status = { .state = STATUS_WATCHING };
	struct fetch_result result = { .progress.doing = "" };
	struct span word;
	struct buf b;

	if (a == NULL || ca != 0 || delivery_ca != 0 || deliverer > 1)
		_exit(8);
	if (strcmp(a->user, "die") == 0)
		_exit(3);
	if (strcmp(a->user, "flood") == 0)
		play_flood();
	if (strcmp(a->user, "dig") == 0)
		play_dig(number);
	word = secret_span(secret);
	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	if (stays) {
		err_set(&status.err, ERR_TEMP, 0, "%s", a->user);
		wire_pack_status(&b, &status);
		reply(WIRE_STATUS, &b);
	} else {
		err_set(&result.err, ERR_TEMP, 0, "did %s with %.*s", a->user,
		    (int)word.n, word.p);
		wire_pack_result(&b, &result);
		reply(WIRE_RESULT, &b);
	}
	secret_free(&secret);
	wire_free_account(&a);
}

static void
play_poll(uint32_t number)
{
	struct fetch_result result = { .progress.doing = "" };
	struct buf b;

	err_set(&result.err, ERR_TEMP, 0, "polled");
	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	wire_pack_result(&b, &result);
	reply(WIRE_RESULT, &b);
}

static const char *const names[] = {
	[WIRE_LINK] = "link",
	[WIRE_STOP] = "stop",
	[WIRE_FORGET] = "forget",
	[WIRE_LIMITS] = "limits",
	[WIRE_CA] = "ca",
	[WIRE_ACCOUNT] = "account",
	[WIRE_UNLINK] = "unlink",
	[WIRE_SECRET] = "secret",
	[WIRE_DROP] = "drop",
	[WIRE_POLL] = "poll",
	[WIRE_PAUSE] = "pause",
	[WIRE_RESUME] = "resume",
	[WIRE_PROBE] = "probe",
	[WIRE_PING] = "ping",
	[WIRE_METRICS] = "metrics",
	[WIRE_TUNNEL_UP] = "tunnel up",
	[WIRE_TUNNEL_DOWN] = "tunnel down",
};

static uint32_t seated[16]; /* accounts: number + 1 */

static void
note_engine(uint8_t type, struct unpack u)
{
	char line[100];
	struct span secret;
	uint32_t number = unpack_u32(&u);

	if (type == WIRE_SECRET) {
		secret = unpack_span(&u);
		snprintf(
		    line, sizeof(line), "secret %.*s", (int)secret.n, secret.p);
	} else if (type == WIRE_LIMITS || u.bad) {
		snprintf(line, sizeof(line), "%s", names[type]);
	} else {
		snprintf(line, sizeof(line), "%s %u", names[type], number);
	}
	say("engine", line);
}

/* Says good-bye to all accounts. */
static void
play_unlink(void)
{
	for (size_t i = 0; i < 16; i++)
		if (seated[i] != 0) {
			reply_number(WIRE_GONE, seated[i] - 1);
			seated[i] = 0;
		}
}

static void
play_engine_packet(uint8_t type, struct unpack u)
{
	uint32_t number;

	note_engine(type, u);
	number = unpack_u32(&u);
	if (type == WIRE_ACCOUNT) {
		if (number >= 16 || seated[number] != 0)
			_exit(7);
		seated[number] = number + 1;
		play_account(&u, number);
	} else if (type == WIRE_DROP) {
		seated[number] = 0;
		reply_number(WIRE_GONE, number);
	} else if (type == WIRE_POLL) {
		play_poll(number);
	} else if (type == WIRE_UNLINK) {
		play_unlink();
	} else if (type == WIRE_PING) {
		reply(WIRE_PONG, &(struct buf){ 0 });
	}
}

static void
play_deliverer_packet(uint8_t type, struct unpack u)
{
	if (type == WIRE_PLACES)
		play_places(u);
	else if (type == WIRE_LEDGER)
		play_ledger(u);
	else if (type == WIRE_TARGET)
		play_target(u);
	else
		say("deliverer", names[type]);
}

static int
play(void (*packet)(uint8_t type, struct unpack u))
{
	static char octets[IPC_PAYLOAD_MAX + 1];
	ssize_t n;

	fcntl(WIRE_FD, F_SETFL, 0);
	while ((n = recv(WIRE_FD, octets, sizeof(octets), 0)) > 0)
		packet((uint8_t)octets[0],
		    unpack_of(span_make(octets + 1, (size_t)n - 1)));
	while (deaf)
		pause();
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(gives_an_account_and_gets_its_result),
		T(runs_tunnels_for_the_engine),
		T(ends_an_engine_that_asks_and_does_not_listen),
		T(does_not_give_an_account_before_the_deliverer_knows_it),
		T(tells_without_restarts_why_nothing_will_come),
		T(tells_that_a_ledger_cannot_be_used),
		T(refuses_an_account_that_fits_no_packet),
		T(ends_what_has_not_begun_when_it_is_stopped),
		T(says_to_an_account_what_was_said_before_it_was_there),
		T(lets_an_account_go_and_its_deliverer_too),
		T(has_the_target_forgotten_of_what_was_dropped),
		T(kills_who_does_not_leave_in_time),
		T(drops_what_the_engine_never_had),
		T(starts_an_engine_that_died_and_gives_it_everything_anew),
		T(starts_a_deliverer_that_died_and_uses_no_number_twice),
		T(replaces_a_deliverer_that_is_not_allowed_enough),
		T(starts_a_deliverer_anew_for_a_place_that_is_new),
		T(has_no_walls_where_programs_are_run),
		T(gives_rights_at_once_when_they_are_expected),
		T(delivers_as_the_user_of_the_account),
		T(says_that_there_is_no_such_user),
#undef T
	};

	if (strcmp(argv[0], SPAWN_DELIVERER) == 0) {
		if (argc == 2 && geteuid() != 0)
			say("deliverer is", argv[1]);
		return play(play_deliverer_packet);
	}
	if (strcmp(argv[0], SPAWN_ENGINE) == 0)
		return play(play_engine_packet);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
