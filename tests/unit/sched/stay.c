/* SPDX-License-Identifier: ISC */
#include "unit/sched/stay.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sys/log.h"

#define LONGEST_MS 4000

struct stay stay;

static struct loop_timer *guard;
static bool too_late;

/* ---- clocks; instead of those of sys/clock.c ---- */

static uint64_t ahead_us;
static int64_t wall_ahead_s;
static uint32_t chance;

static uint64_t
real_us(clockid_t id)
{
	struct timespec t = { 0 };

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
clock_us(void)
{
	return real_us(CLOCK_MONOTONIC) + ahead_us;
}

uint64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

uint64_t
clock_boot_ms(void)
{
	return (real_us(CLOCK_BOOTTIME) + ahead_us) / 1000;
}

void
clock_wall(int64_t *s, uint32_t *us)
{
	uint64_t now = real_us(CLOCK_REALTIME);

	*s = (int64_t)(now / 1000000) + wall_ahead_s;
	if (us != NULL)
		*us = (uint32_t)(now % 1000000);
}

int64_t
clock_wall_s(void)
{
	int64_t s;

	clock_wall(&s, NULL);
	return s;
}

/* Names of files need some. */
uint32_t
clock_jitter(uint32_t n)
{
	return chance++ % n;
}

void
stay_forward(uint64_t s)
{
	ahead_us += s * 1000000;
	wall_ahead_s += (int64_t)s;
}

void
stay_set_wall(int64_t s)
{
	wall_ahead_s += s - clock_wall_s();
}

/* ---- what happens ---- */

void
stay_happened(void *arg)
{
	(void)arg;
	loop_stop(stay.loop);
}

static void
on_guard(void *arg)
{
	(void)arg;
	too_late = true;
	stay_happened(NULL);
}

void
stay_step(void)
{
	too_late = false;
	loop_timer_arm(guard, LONGEST_MS);
	loop_run(stay.loop);
	loop_timer_stop(guard);
	if (too_late)
		fail_msg("nothing happens any more; heard:\n%s\nlogged:\n%s",
		    stay.rig->heard, stay.logged);
}

void
stay_pass(unsigned int ms)
{
	too_late = false;
	loop_timer_arm(guard, ms);
	while (!too_late)
		loop_run(stay.loop);
}

static void
on_changed(void *arg)
{
	struct status s;

	(void)arg;
	stay.changed++;
	if (stay.keeper != NULL)
		keeper_status(stay.keeper, &s); /* fine at any time */
	stay_happened(NULL);
}

static void
on_polled(void *arg, const struct fetch_result *result)
{
	(void)arg;
	stay.polled++;
	stay.answer = *result;
	stay_happened(NULL);
	if (stay.at_polled != NULL)
		stay.at_polled();
}

static void
on_want(void *arg)
{
	(void)arg;
	stay.wanted++;
	stay_happened(NULL);
	if (stay.at_want != NULL)
		stay.at_want();
}

static void
on_left(void *arg)
{
	(void)arg;
	stay.left++;
	stay_happened(NULL);
	if (stay.at_left != NULL)
		stay.at_left();
}

static void
on_line(enum log_level level, const char *line)
{
	size_t at = strlen(stay.logged);

	(void)level;
	snprintf(stay.logged + at, sizeof(stay.logged) - at, "%s\n", line);
}

/* ---- questions ---- */

struct status
stay_status(void)
{
	struct status s;

	keeper_status(stay.keeper, &s);
	return s;
}

bool
stay_is(enum status_state state)
{
	return stay_status().state == state;
}

bool
stay_heard(const char *text, unsigned int times)
{
	return rig_said(stay.rig, text) >= times;
}

bool
stay_logged(const char *text)
{
	return strstr(stay.logged, text) != NULL;
}

/* ---- a keeper ---- */

static void
begin(void)
{
	static const struct keeper_events events = { .changed = on_changed,
		.polled = on_polled,
		.want = on_want,
		.left = on_left };
	struct keeper_params params = { .env = rig_env(stay.rig),
		.hosts = stay.hosts,
		.who = { .conf = &stay.conf, .secret = stay.secret },
		.start_ms = stay.start_ms };

	stay.keeper = keeper_new(&params, &events, NULL);
}

void
stay_keep(const struct rig_rule *script)
{
	scripted_open(stay.host, script, NULL, NULL, NULL);
	begin();
}

void
stay_restart(void)
{
	keeper_free(&stay.keeper);
	begin();
}

void
stay_fetch(const char *const *names, size_t n)
{
	static char texts[8][32];
	static char *list[9];

	for (size_t i = 0; i < n; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%s", names[i]);
		list[i] = texts[i];
	}
	stay.conf.mailboxes = (struct conf_list){ list, n };
}

/* ---- life ---- */

static void
fill_conf(bool is_pop3)
{
	static char name[] = "test";
	static char host[] = "127.0.0.1";
	static char user[] = "u";
	static const char *const inbox[] = { "INBOX" };

	stay.conf = (struct conf_account){ .name = name,
		.protocol = is_pop3 ? CONF_POP3 : CONF_IMAP,
		.host = host,
		.port = scripted_port(stay.host),
		.tls = CONF_TLS_NONE,
		.auth = CONF_AUTH_LOGIN,
		.user = user,
		.watch = is_pop3 ? CONF_WATCH_POLL : CONF_WATCH_IDLE,
		.after = CONF_KEEP,
		.interval_s = 600,
		.poll_s = 600,
		.idle_renew_s = 600,
		.max_connections = 1,
		.notify = true,
		.list_status = true,
		.connect_timeout_s = 10,
		.tls_timeout_s = 10,
		.command_timeout_s = 10,
		.delivery_parallel = 1,
		.pipelining = true,
		.capa = true };
	if (!is_pop3)
		stay_fetch(inbox, 1);
}

static int
set_up(bool is_pop3)
{
	stay = (struct stay){ .rig = rig_new(is_pop3) };
	stay.host = rig_host(stay.rig);
	stay.loop = rig_env(stay.rig)->loop;
	stay.hosts = hosts_new(stay.loop, 1);
	stay.secret = secret_new(SPAN("p"));
	guard = loop_timer_new(stay.loop, on_guard, NULL);
	scripted_watch(stay.host, stay_happened, NULL);
	fill_conf(is_pop3);
	ahead_us = 0;
	wall_ahead_s = 0;
	chance = 0;
	log_set_sink(on_line);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

int
stay_set_up(void **state)
{
	(void)state;
	return set_up(false);
}

int
stay_set_up_pop3(void **state)
{
	(void)state;
	return set_up(true);
}

int
stay_tear_down(void **state)
{
	(void)state;
	keeper_free(&stay.keeper);
	loop_timer_free(&guard);
	hosts_free(&stay.hosts);
	secret_free(&stay.secret);
	rig_free(&stay.rig);
	log_set_sink(NULL);
	return 0;
}
