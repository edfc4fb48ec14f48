/* SPDX-License-Identifier: ISC */
#include "proc/rolls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_team.h"
#include "io/https.h"
#include "proc/tokens.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

#define ACCOUNTS_MAX 4

/* Two configurations, so that one can follow the other. */
static struct conf_account accounts[2][ACCOUNTS_MAX];
static struct loop *loop;
static struct rolls *rolls;
static struct buf seen;
static struct buf logged;
static char *text;
static struct rolls_change change;
static char state_dir[64];
static const struct rolls_params rolls_params = { .state_dir = state_dir };

/* ---- what is heard ---- */

static void
note(const char *what, const struct rolls_entry *e)
{
	buf_printf(
	    &seen, "%s%s %s", buf_span(&seen).n == 0 ? "" : ";", what, e->name);
}

static void
on_changed(void *arg, const struct rolls_entry *e)
{
	(void)arg;
	note("changed", e);
	loop_stop(loop);
}

static void
on_progress(void *arg, const struct rolls_entry *e,
    const struct fetch_progress *progress)
{
	(void)arg;
	note("progress", e);
	buf_printf(&seen, " %s", progress->doing);
}

static void
on_result(
    void *arg, const struct rolls_entry *e, const struct fetch_result *result)
{
	(void)arg;
	note("result", e);
	buf_printf(&seen, " %s", err_kind_name(result->err.kind));
	loop_stop(loop);
}

static void
on_empty(void *arg)
{
	(void)arg;
	buf_printf(&seen, "%sempty", buf_span(&seen).n == 0 ? "" : ";");
	loop_stop(loop);
}

static const struct rolls_events events = { on_changed, on_progress, on_result,
	on_empty };

static const char *
take(struct buf *b)
{
	free(text);
	text = mem_spandup(buf_span(b));
	buf_clear(b);
	return text;
}

static void
keep_line(enum log_level level, const char *line)
{
	(void)level;
	buf_printf(&logged, "%s\n", line);
}

/* ---- a rolls ---- */

static void
fill(struct conf_account *a, char *name)
{
	a->name = a->where = a->user = a->host = name;
	a->secret.literal = secret_new(SPAN("one"));
}

static int
set_up(void **state)
{
	static char *names[] = { "work", "home", "old", "team" };

	(void)state;
	memset(accounts, 0, sizeof(accounts));
	for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
		fill(&accounts[0][i], names[i]);
		fill(&accounts[1][i], names[i]);
	}
	buf_init(&seen, 1 << 20);
	buf_init(&logged, 1 << 20);
	log_set_sink(keep_line);
	log_set_level(LOG_LEVEL_NOTICE);
	fake_team_init();
	loop = loop_new();
	rolls = rolls_new(loop, fake_team_get(), &rolls_params, &events, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rolls_free(&rolls);
	loop_free(&loop);
	fake_team_deinit();
	log_set_sink(NULL);
	buf_deinit(&seen);
	buf_deinit(&logged);
	free(text);
	text = NULL;
	for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
		secret_free(&accounts[0][i].secret.literal);
		secret_free(&accounts[1][i].secret.literal);
	}
	return 0;
}

static void
set(size_t which, size_t n)
{
	const struct conf_account *list[ACCOUNTS_MAX];

	for (size_t i = 0; i < n; i++)
		list[i] = &accounts[which][i];
	rolls_set(rolls, list, n, &change);
}

static void
on_timeout(void *arg)
{
	(void)arg;
	fail_msg("nothing happened for ten seconds");
}

/* Until all have settled, or one more thing has happened. */
static void
wait_for_one(void)
{
	struct loop_timer *limit = loop_timer_new(loop, on_timeout, NULL);

	loop_timer_arm(limit, 10000);
	loop_run(loop);
	loop_timer_free(&limit);
}

static void
settle(void)
{
	while (!rolls_settled(rolls))
		wait_for_one();
}

static void
begin(size_t n)
{
	set(0, n);
	settle();
	fake_team_heard();
	take(&seen);
}

static void
tell_state(uint32_t number, enum status_state state)
{
	struct status s = { .state = state };

	if (state == STATUS_REFUSED) {
		s.refused = 3;
		err_set(&s.err, ERR_AUTH, 0, "no");
	}
	rolls_on_status(rolls, number, &s);
	take(&seen);
}

static void
change_password(struct conf_account *a, const char *word)
{
	secret_free(&a->secret.literal);
	a->secret.literal = secret_new(span_of(word));
}

static void
use_command(struct conf_account *a, char **argv)
{
	secret_free(&a->secret.literal);
	a->secret.command = (struct conf_list){ argv, 1 };
}

/* ---- the start ---- */

static void
gives_each_account_with_its_secret(void **state)
{
	(void)state;
	set(0, 2);
	assert_int_equal(change.added, 2);
	assert_false(rolls_settled(rolls));
	assert_ptr_equal(fake_team.expected, &accounts[0][1]);
	assert_string_equal(fake_team_heard(), ""); /* from the loop only */
	settle();
	assert_string_equal(fake_team_heard(),
	    "account 1 work secret=one;account 2 home secret=one");
	assert_string_equal(take(&seen), "changed work;changed home");
	assert_int_equal(rolls_count(rolls), 2);
	assert_string_equal(rolls_at(rolls, 1)->name, "home");
	assert_int_equal(rolls_find(rolls, "home")->number, 2);
	assert_null(rolls_find(rolls, "hom"));
	assert_string_equal(rolls_nearest(rolls, "hom"), "home");
}

static void
one_whose_secret_is_missing_waits_alone(void **state)
{
	char *argv[] = { "false", NULL };
	const struct rolls_entry *e;

	(void)state;
	use_command(&accounts[0][0], argv);
	set(0, 2);
	settle();
	assert_string_equal(fake_team_heard(), "account 2 home secret=one");
	e = rolls_find(rolls, "work");
	assert_true(e->no_secret);
	assert_int_equal(e->status.state, STATUS_WAITING);
	assert_int_equal(e->status.err.kind, ERR_AUTH);
	assert_true(e->status.failing_since > 0);
	assert_true(e->status.next >= e->status.failing_since + 29);
	assert_true(e->status.next <= e->status.failing_since + 31);
	assert_non_null(
	    strstr(take(&logged), "work: warning: waits for its secret: "));
}

static void
a_secret_that_comes_late_begins_the_account(void **state)
{
	char *bad[] = { "false", NULL };
	char *good[] = { "whoami", NULL };

	(void)state;
	use_command(&accounts[0][0], bad);
	set(0, 1);
	settle();
	take(&seen);
	take(&logged);
	accounts[0][0].secret.command.v = good;
	rolls_resume(rolls, 1); /* does not wait for its time */
	assert_false(rolls_settled(rolls));
	settle();
	assert_non_null(strstr(fake_team_heard(), "account 1 work secret="));
	assert_false(rolls_at(rolls, 0)->no_secret);
	assert_int_equal(rolls_at(rolls, 0)->status.failing_since, 0);
	assert_non_null(strstr(take(&logged), "work: its secret is there"));
}

static void
fails_in_vain_with_one_line_and_longer_waits(void **state)
{
	char *bad[] = { "false", NULL };
	const struct rolls_entry *e;

	(void)state;
	use_command(&accounts[0][0], bad);
	set(0, 1);
	settle();
	take(&logged);
	for (unsigned int i = 0; i < 6; i++) {
		rolls_resume(rolls, 1);
		settle();
	}
	assert_string_equal(take(&logged), "");
	e = rolls_at(rolls, 0);
	assert_int_equal(e->status.failures[ERR_AUTH], 7);
	assert_true(e->status.next - e->status.failing_since >= 600);
	assert_true(e->status.next - e->status.failing_since < 630);
}

static void
one_that_the_team_cannot_take_stops(void **state)
{
	(void)state;
	fake_team.refuses = "work";
	set(0, 2);
	settle();
	assert_string_equal(fake_team_heard(), "account 2 home secret=one");
	assert_int_equal(rolls_at(rolls, 0)->status.state, STATUS_STOPPED);
	assert_int_equal(rolls_at(rolls, 0)->status.err.kind, ERR_CONFIG);
	take(&logged);
	fake_team.refuses = NULL;
	set(1, 2); /* a reload, and now they are there */
	settle();
	assert_string_equal(fake_team_heard(), "account 3 work secret=one");
}

static void
on_round(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
next_round(void)
{
	struct loop_timer *t = loop_timer_new(loop, on_round, NULL);

	loop_timer_arm(t, 1);
	loop_run(loop);
	loop_timer_free(&t);
}

static size_t
count_children(void)
{
	char path[64];
	char pids[4096];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	assert_non_null(f);
	pids[fread(pids, 1, sizeof(pids) - 1, f)] = '\0';
	fclose(f);
	for (const char *p = pids; *p != '\0'; p++)
		n += *p == ' ';
	return n;
}

static void
runs_a_bounded_number_of_commands(void **state)
{
	enum { N = 40 };
	static struct conf_account many[N];
	const struct conf_account *list[N];
	char *argv[] = { "sh", "-c", "exec sleep 100", NULL };
	char names[N][8];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "a%zu", i);
		many[i].name = names[i];
		many[i].secret.command = (struct conf_list){ argv, 3 };
		list[i] = &many[i];
	}
	rolls_set(rolls, list, N, &change);
	assert_int_equal(change.added, N);
	next_round();
	assert_int_equal(count_children(), 32);
	rolls_stop(rolls); /* kills what runs */
	wait_for_one();
	assert_string_equal(take(&seen), "empty");
}

/* His are many and hang; the others' come. */
static void
a_user_runs_few_commands_at_a_time(void **state)
{
	char *argv[] = { "sleep", "100", NULL };
	char *good[] = { "whoami", NULL };
	char owner[] = "nobody";

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		accounts[0][i].owner = owner;
		use_command(&accounts[0][i], argv);
		accounts[0][i].secret.command.n = 2;
	}
	use_command(&accounts[0][3], good);
	set(0, 4);
	wait_for_one();
	assert_string_equal(take(&seen), "changed team");
	assert_int_equal(count_children(), 2);
	set(0, 0);
}

/* ---- tokens ---- */

static struct conf_oauth2 provider;

/* A login, as far as this room knows. Nobody is there to be asked. */
static void
log_in(const char *access, int64_t life)
{
	struct tokens t = { .access = secret_new(span_of(access)),
		.refresh = secret_new(SPAN("r")),
		.expires = life == 0 ? 0 : clock_wall_s() + life,
		.client = provider.client_id,
		.token_url = provider.token_url };
	struct err e;

	assert_int_equal(tokens_write(state_dir, "work", &t, &e), 0);
	t.client = t.token_url = NULL;
	tokens_deinit(&t);
}

static void
use_tokens(void)
{
	static char name[] = "idp", url[] = "https://127.0.0.1:1/";

	snprintf(state_dir, sizeof(state_dir), "/tmp/mailhaul-rolls-XXXXXX");
	assert_non_null(mkdtemp(state_dir));
	provider = (struct conf_oauth2){ .name = name,
		.client_id = name,
		.token_url = url,
		.ca_file = url };
	rolls_free(&rolls);
	rolls = rolls_new(loop, fake_team_get(), &rolls_params, &events, NULL);
	secret_free(&accounts[0][0].secret.literal);
	accounts[0][0].secret.oauth2 = &provider;
}

static void
forget_tokens(void)
{
	static const char *const names[] = { "tokens/work.json",
		"tokens/work.lock", "tokens", "" };
	char path[128];

	rolls_free(&rolls);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", state_dir, names[i]);
		(void)remove(path);
	}
}

static void
gives_the_token_that_is_there(void **state)
{
	(void)state;
	use_tokens();
	log_in("t1", 3600);
	set(0, 1);
	settle();
	assert_string_equal(fake_team_heard(), "account 1 work secret=t1");
	forget_tokens();
}

static void
begins_after_a_login_whatever_was_refused_before(void **state)
{
	(void)state;
	use_tokens();
	set(0, 1);
	settle();
	assert_string_equal(fake_team_heard(), "");
	assert_true(rolls_at(rolls, 0)->no_secret);
	assert_non_null(
	    strstr(rolls_at(rolls, 0)->status.err.text, "mailhaul login work"));
	log_in("t1", 3600);
	rolls_resume(rolls, 1);
	settle();
	assert_string_equal(
	    fake_team_heard(), "account 1 work secret=t1;resume 1");
	forget_tokens();
}

static void
gives_another_token_for_one_that_was_refused(void **state)
{
	(void)state;
	use_tokens();
	log_in("t1", 3600);
	set(0, 1);
	settle();
	fake_team_heard();
	take(&logged);
	log_in("t2", 3600); /* by another of us */
	rolls_on_want(rolls, 1);
	wait_for_one();
	assert_string_equal(fake_team_heard(), "secret 1 t2");
	assert_non_null(strstr(take(&logged), "has another secret"));
	/* there is no other than t2, and nobody to be asked */
	rolls_on_want(rolls, 1);
	wait_for_one();
	assert_string_equal(fake_team_heard(), "");
	assert_non_null(strstr(take(&logged), "cannot ask for its secret"));
	tell_state(1, STATUS_REFUSED);
	assert_non_null(
	    strstr(rolls_at(rolls, 0)->status.err.text, "oauth2 idp: "));
	/* when it is there at last, what was refused was the old one */
	log_in("t3", 3600);
	rolls_on_want(rolls, 1);
	wait_for_one();
	assert_string_equal(fake_team_heard(), "secret 1 t3;resume 1");
	forget_tokens();
}

static void
asks_the_command_for_a_token_again(void **state)
{
	char sh[] = "/bin/sh", c[] = "-c";
	char script[] = "cat /proc/self/stat | md5sum"; /* another each time */
	char *argv[] = { sh, c, script, NULL };

	(void)state;
	secret_free(&accounts[0][0].secret.literal);
	accounts[0][0].secret.token_command = (struct conf_list){ argv, 3 };
	begin(1);
	rolls_on_want(rolls, 1);
	wait_for_one();
	assert_int_equal(strncmp(fake_team_heard(), "secret 1 ", 9), 0);
}

/* ---- secrets later ---- */

static void
gives_another_secret_when_one_is_wanted(void **state)
{
	(void)state;
	begin(1);
	rolls_on_want(rolls, 1);
	rolls_on_want(rolls, 1);
	wait_for_one();
	assert_string_equal(fake_team_heard(), ""); /* the same */
	change_password(&accounts[0][0], "two");
	rolls_on_want(rolls, 1);
	wait_for_one();
	assert_string_equal(fake_team_heard(), "secret 1 two");
	rolls_on_lost(rolls, 1);
	assert_string_equal(fake_team_heard(), "account 1 work secret=two");
}

static void
no_log_line_shows_a_secret(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_TRACE);
	change_password(&accounts[0][0], "hunter2");
	begin(1);
	change_password(&accounts[0][0], "hunter3");
	rolls_on_want(rolls, 1);
	wait_for_one();
	assert_string_equal(fake_team_heard(), "secret 1 hunter3");
	assert_null(strstr(take(&logged), "hunter"));
}

/* ---- reload ---- */

static void
an_unchanged_account_is_left_alone(void **state)
{
	(void)state;
	begin(2);
	set(1, 2);
	assert_int_equal(change.added + change.changed + change.removed, 0);
	settle();
	assert_string_equal(fake_team_heard(), "");
	assert_ptr_equal(rolls_at(rolls, 0)->account, &accounts[1][0]);
}

static void
a_changed_account_begins_when_the_old_one_has_left(void **state)
{
	(void)state;
	begin(2);
	accounts[1][0].port = 144;
	set(1, 2);
	assert_int_equal(change.changed, 1);
	assert_string_equal(fake_team_heard(), "drop 1");
	assert_int_equal(rolls_find(rolls, "work")->number, 3);
	assert_false(rolls_settled(rolls));
	rolls_on_gone(rolls, 1);
	settle();
	assert_string_equal(fake_team_heard(), "account 3 work secret=one");
}

static void
waits_for_the_old_one_through_several_reloads(void **state)
{
	(void)state;
	begin(1);
	accounts[1][0].port = 144;
	set(1, 1);
	set(0, 0);
	set(0, 1);
	assert_string_equal(fake_team_heard(), "drop 1");

	rolls_on_gone(rolls, 1);
	settle();
	assert_string_equal(fake_team_heard(), "account 3 work secret=one");
}

static void
drops_what_was_taken_out_and_starts_what_is_new(void **state)
{
	(void)state;
	begin(2);
	accounts[1][0].name = accounts[0][2].name; /* old instead of work */
	set(1, 2);
	assert_int_equal(change.added, 1);
	assert_int_equal(change.removed, 1);
	settle();
	assert_string_equal(
	    fake_team_heard(), "drop 1;account 3 old secret=one");
	rolls_on_gone(rolls, 1);
	rolls_on_gone(rolls, 1);
	assert_int_equal(rolls_count(rolls), 2);
}

static void
a_reload_opens_the_way_for_a_refused_login(void **state)
{
	(void)state;
	begin(2);
	tell_state(1, STATUS_REFUSED);
	change_password(&accounts[0][0], "two");
	change_password(&accounts[1][0], "two"); /* as if from a file */
	set(1, 2);
	wait_for_one();
	assert_string_equal(fake_team_heard(), "secret 1 two;resume 1");
}

static void
a_reload_knows_of_a_refusal_that_no_status_told_yet(void **state)
{
	(void)state;
	begin(1);
	rolls_on_want(rolls, 1);
	wait_for_one();
	assert_string_equal(fake_team_heard(), ""); /* the same */
	change_password(&accounts[0][0], "two");
	change_password(&accounts[1][0], "two");
	set(1, 1);
	wait_for_one();
	assert_string_equal(fake_team_heard(), "secret 1 two;resume 1");
}

static void
one_whose_files_say_something_else_begins_anew(void **state)
{
	(void)state;
	begin(2);
	fake_team.no_files = true;
	fake_team.other_files = "work";
	set(1, 2);
	assert_string_equal(fake_team_heard(), "");
	assert_non_null(strstr(
	    take(&logged), "work: warning: no such file: what it was stays"));
	fake_team.no_files = false;
	set(0, 2);
	assert_string_equal(fake_team_heard(), "drop 1");
	assert_int_equal(change.changed, 1);
	rolls_on_gone(rolls, 1);
	settle();
	assert_string_equal(fake_team_heard(), "account 3 work secret=one");
}

static void
what_stopped_for_its_configuration_begins_anew(void **state)
{
	(void)state;
	begin(1);
	tell_state(1, STATUS_STOPPED);
	set(1, 1);
	assert_string_equal(fake_team_heard(), "drop 1");
	rolls_on_gone(rolls, 1);
	settle();
	assert_string_equal(fake_team_heard(), "account 2 work secret=one");
}

static void
a_reload_while_secrets_are_asked_for_asks_anew(void **state)
{
	(void)state;
	set(0, 2);
	set(1, 2);
	secret_free(&accounts[0][0].secret.literal); /* the old are gone */
	memset(accounts[0], 0x5a, sizeof(struct conf_account));
	settle();
	assert_string_equal(fake_team_heard(),
	    "account 1 work secret=one;account 2 home secret=one");
	accounts[0][0].secret.literal = NULL;
}

/* Other accounts came or went: neither who stopped nor who was refused begins
 * anew, and a command that runs goes on. */
static void
what_was_not_read_anew_is_left_alone(void **state)
{
	char *argv[] = { "sleep", "100", NULL };

	(void)state;
	accounts[0][2].secret.command = (struct conf_list){ argv, 2 };
	set(0, 3);
	wait_for_one();
	wait_for_one();
	assert_int_equal(count_children(), 1);
	fake_team_heard();
	tell_state(1, STATUS_STOPPED);
	tell_state(2, STATUS_REFUSED);
	set(0, 4);
	assert_int_equal(change.added, 1);
	assert_int_equal(change.changed + change.removed, 0);
	wait_for_one();
	assert_string_equal(fake_team_heard(), "account 4 team secret=one");
	assert_int_equal(count_children(), 1);
}

/* ---- orders ---- */

static void
a_poll_has_one_result(void **state)
{
	struct fetch_result fine = { .progress.doing = "done" };
	struct err e;

	(void)state;
	begin(1);
	assert_int_equal(rolls_poll(rolls, 1, &e), 0);
	assert_string_equal(fake_team_heard(), "poll 1");
	rolls_on_progress(rolls, 1, &fine.progress);
	rolls_on_result(rolls, 1, &fine);
	rolls_on_result(rolls, 1, &fine); /* nobody asked */
	assert_string_equal(take(&seen), "progress work done;result work none");
}

/* The look under way may have passed what the second one came for. */
static void
a_poll_during_a_look_is_another_look(void **state)
{
	struct fetch_result fine = { .progress.doing = "done" };
	struct err e;

	(void)state;
	begin(1);
	assert_int_equal(rolls_poll(rolls, 1, &e), 0);
	assert_int_equal(rolls_poll(rolls, 1, &e), 1);
	assert_int_equal(rolls_poll(rolls, 1, &e), 1);
	assert_string_equal(fake_team_heard(), "poll 1");
	rolls_on_result(rolls, 1, &fine);
	assert_string_equal(fake_team_heard(), "poll 1");
	rolls_on_result(rolls, 1, &fine);
	assert_string_equal(fake_team_heard(), "");
	assert_string_equal(take(&seen), "result work none;result work none");
	assert_int_equal(rolls_poll(rolls, 1, &e), 0);
	assert_int_equal(rolls_poll(rolls, 1, &e), 1);
	rolls_on_lost(rolls, 1);
	assert_string_equal(
	    take(&seen), "result work temp;result work temp;changed work");
}

static void
a_poll_before_the_secret_is_there_waits_for_it(void **state)
{
	struct err e;

	(void)state;
	set(0, 1);
	assert_int_equal(rolls_poll(rolls, 1, &e), 0);
	settle();
	assert_string_equal(
	    fake_team_heard(), "account 1 work secret=one;poll 1");
}

static void
says_why_an_account_cannot_be_polled(void **state)
{
	char *argv[] = { "false", NULL };
	struct err e;

	(void)state;
	use_command(&accounts[0][0], argv);
	begin(2);
	assert_int_equal(rolls_poll(rolls, 1, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	rolls_pause(rolls, 2);
	assert_int_equal(rolls_poll(rolls, 2, &e), -1);
	assert_string_equal(
	    e.text, "is paused; \"mailhaul resume home\" lets it go on");
	assert_int_equal(rolls_poll(rolls, 99, &e), -1);
}

static void
a_result_is_owed_to_who_leaves(void **state)
{
	struct err e;

	(void)state;
	begin(1);
	assert_int_equal(rolls_poll(rolls, 1, &e), 0);
	set(0, 0);
	assert_string_equal(take(&seen), "");
	rolls_on_gone(rolls, 1);
	assert_string_equal(take(&seen), "result work cancel");
	set(0, 1); /* its secret is not there yet */
	assert_int_equal(rolls_poll(rolls, 2, &e), 0);
	set(0, 0);
	assert_string_equal(take(&seen), ""); /* from the loop only */
	wait_for_one();
	assert_string_equal(take(&seen), "result work cancel");
}

static void
a_pause_is_kept_over_a_reload_and_a_lost_engine(void **state)
{
	(void)state;
	begin(1);
	rolls_pause(rolls, 1);
	rolls_pause(rolls, 1);
	assert_string_equal(fake_team_heard(), "pause 1");
	rolls_on_lost(rolls, 1);
	assert_string_equal(
	    fake_team_heard(), "account 1 work secret=one;pause 1");
	assert_int_equal(rolls_at(rolls, 0)->status.state, STATUS_PAUSED);
	accounts[1][0].port = 144;
	set(1, 1);
	rolls_on_gone(rolls, 1);
	assert_true(rolls_settled(rolls));
	assert_true(rolls_at(rolls, 0)->paused);
	assert_string_equal(fake_team_heard(), "drop 1");
	rolls_resume(rolls, 2);
	settle();
	assert_string_equal(fake_team_heard(), "account 2 work secret=one");
}

static void
a_resume_after_refusals_looks_for_another_secret_first(void **state)
{
	(void)state;
	begin(1);
	rolls_resume(rolls, 1);
	assert_string_equal(fake_team_heard(), "resume 1");
	tell_state(1, STATUS_REFUSED);
	change_password(&accounts[0][0], "two");
	rolls_resume(rolls, 1);
	assert_string_equal(fake_team_heard(), "");
	wait_for_one();
	assert_string_equal(fake_team_heard(), "secret 1 two;resume 1");
}

/* ---- processes that end ---- */

static void
what_was_lost_is_given_again(void **state)
{
	struct status s = { .state = STATUS_WATCHING, .last_success = 77 };
	struct err e;

	(void)state;
	begin(2);
	rolls_on_status(rolls, 1, &s);
	assert_int_equal(rolls_poll(rolls, 1, &e), 0);
	fake_team_heard();
	take(&seen);
	rolls_on_lost(rolls, 1);
	assert_string_equal(fake_team_heard(), "account 1 work secret=one");
	assert_string_equal(take(&seen), "result work temp;changed work");
	s.last_success = 0; /* the new engine knows of none */
	rolls_on_status(rolls, 1, &s);
	assert_int_equal(rolls_at(rolls, 0)->status.last_success, 77);
}

static void
what_was_lost_on_its_way_out_has_left(void **state)
{
	(void)state;
	begin(1);
	set(0, 0);
	rolls_on_lost(rolls, 1);
	assert_string_equal(fake_team_heard(), "drop 1");
	set(0, 1);
	settle();
	assert_string_equal(fake_team_heard(), "account 2 work secret=one");
}

static void
what_the_engine_cannot_use_stops(void **state)
{
	struct status s = { .state = STATUS_STOPPED };
	struct err e;

	(void)state;
	begin(2);
	assert_int_equal(rolls_poll(rolls, 2, &e), 0);
	err_set(&s.err, ERR_CONFIG, 0, "no such list");
	rolls_on_status(rolls, 1, &s);
	take(&seen);
	rolls_on_gone(rolls, 1);
	rolls_on_gone(rolls, 2); /* it says nothing */
	assert_string_equal(
	    take(&seen), "changed work;result home config;changed home");
	assert_non_null(strstr(take(&logged), "work: error: no such list"));
	assert_int_equal(rolls_at(rolls, 0)->status.state, STATUS_STOPPED);
	assert_int_equal(rolls_at(rolls, 1)->status.err.kind, ERR_CONFIG);
	assert_int_equal(rolls_poll(rolls, 1, &e), -1);
	assert_string_equal(e.text, "no such list");
	fake_team_heard();
	set(1, 2); /* a reload */
	settle();
	assert_string_equal(fake_team_heard(),
	    "account 3 work secret=one;account 4 home secret=one");
}

static void
ignores_numbers_that_nobody_has(void **state)
{
	struct fetch_result fine = { .progress.doing = "done" };
	struct status s = { .state = STATUS_WATCHING };

	(void)state;
	begin(1);
	rolls_on_status(rolls, 7, &s);
	rolls_on_progress(rolls, 7, &fine.progress);
	rolls_on_result(rolls, 7, &fine);
	rolls_on_want(rolls, 7);
	rolls_on_gone(rolls, 7);
	rolls_on_lost(rolls, 7);
	rolls_pause(rolls, 7);
	rolls_resume(rolls, 7);
	assert_string_equal(fake_team_heard(), "");
	assert_string_equal(take(&seen), "");
	assert_int_equal(rolls_count(rolls), 1);
}

static void
is_empty_when_the_last_has_left(void **state)
{
	(void)state;
	begin(2);
	rolls_stop(rolls);
	assert_string_equal(fake_team_heard(), "drop 1;drop 2");
	rolls_on_gone(rolls, 2);
	assert_string_equal(take(&seen), "");
	rolls_on_gone(rolls, 1);
	assert_string_equal(take(&seen), "empty");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_each_account_with_its_secret),
		TEST(one_whose_secret_is_missing_waits_alone),
		TEST(a_secret_that_comes_late_begins_the_account),
		TEST(fails_in_vain_with_one_line_and_longer_waits),
		TEST(one_that_the_team_cannot_take_stops),
		TEST(runs_a_bounded_number_of_commands),
		TEST(a_user_runs_few_commands_at_a_time),
		TEST(gives_the_token_that_is_there),
		TEST(begins_after_a_login_whatever_was_refused_before),
		TEST(gives_another_token_for_one_that_was_refused),
		TEST(asks_the_command_for_a_token_again),
		TEST(gives_another_secret_when_one_is_wanted),
		TEST(no_log_line_shows_a_secret),
		TEST(an_unchanged_account_is_left_alone),
		TEST(a_changed_account_begins_when_the_old_one_has_left),
		TEST(waits_for_the_old_one_through_several_reloads),
		TEST(drops_what_was_taken_out_and_starts_what_is_new),
		TEST(a_reload_opens_the_way_for_a_refused_login),
		TEST(a_reload_knows_of_a_refusal_that_no_status_told_yet),
		TEST(one_whose_files_say_something_else_begins_anew),
		TEST(what_stopped_for_its_configuration_begins_anew),
		TEST(a_reload_while_secrets_are_asked_for_asks_anew),
		TEST(what_was_not_read_anew_is_left_alone),
		TEST(a_poll_has_one_result),
		TEST(a_poll_during_a_look_is_another_look),
		TEST(a_poll_before_the_secret_is_there_waits_for_it),
		TEST(says_why_an_account_cannot_be_polled),
		TEST(a_result_is_owed_to_who_leaves),
		TEST(a_pause_is_kept_over_a_reload_and_a_lost_engine),
		TEST(a_resume_after_refusals_looks_for_another_secret_first),
		TEST(what_was_lost_is_given_again),
		TEST(what_was_lost_on_its_way_out_has_left),
		TEST(what_the_engine_cannot_use_stops),
		TEST(ignores_numbers_that_nobody_has),
		TEST(is_empty_when_the_last_has_left),
	};

	if (argc > 0 && strcmp(argv[0], HTTPS_ROLE) == 0)
		return https_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
