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
#include <unistd.h>

#include <cmocka.h>

#include "io/ipc.h"
#include "proc/spawn.h"
#include "proc/wire.h"

#define LIMIT_MS 20000

struct hall {
	struct loop *loop;
	struct err e;
};

static void
on_ready(void *arg)
{
	(void)arg;
}

static void
on_progress(void *arg, uint32_t number, const struct fetch_progress *progress)
{
	(void)arg;
	(void)number;
	(void)progress;
}

static void
on_result(void *arg, uint32_t number, const struct fetch_result *result)
{
	(void)arg;
	(void)number;
	(void)result;
}

static void
on_broken(void *arg, const struct err *e)
{
	struct hall *h = arg;

	h->e = *e;
	loop_stop(h->loop);
}

static void
on_limit(void *arg)
{
	struct hall *h = arg;

	loop_stop(h->loop);
}

static const struct team_events events = { on_ready, on_progress, on_result,
	on_broken };

/* What the engine says comes by the link: by then the deliverer must know
 * every account. */
static void
tells_of_all_targets_before_the_link(void **state)
{
	struct conf_account accounts[3] = {
		{ .name = (char[]){ "a" }, .maildir = (char[]){ "/A" } },
		{ .name = (char[]){ "b" }, .maildir = (char[]){ "/B" } },
		{ .name = (char[]){ "c" }, .maildir = (char[]){ "/C" } },
	};
	struct conf conf = {
		.state_dir = (char[]){ "/none" }, .accounts = accounts, .n = 3
	};
	struct team_params params = {
		.conf = &conf, .stderr_fd = -1, .max_files = 77
	};
	struct hall h = { .loop = loop_new() };
	struct loop_timer *limit = loop_timer_new(h.loop, on_limit, &h);
	struct team *team;
	struct err e;

	(void)state;
	accounts[1].mda_new_privileges = true;
	params.lock_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	team = team_new(h.loop, &params, &events, &h, &e);
	assert_non_null(team);
	loop_timer_arm(limit, LIMIT_MS);
	loop_run(h.loop);
	team_free(&team);
	assert_string_equal(h.e.text, "ledger+ 0:/A 1:/B 2:/C link");
	loop_timer_free(&limit);
	loop_free(&h.loop);
	close(params.lock_fd);
}

static void
refuses_a_target_that_fits_no_packet(void **state)
{
	static char long_argument[IPC_PAYLOAD_MAX];
	char *argv[] = { (char[]){ "mda" }, long_argument, NULL };
	struct conf_account account = {
		.name = (char[]){ "a" }, .way = CONF_MDA, .mda = { argv, 2 }
	};
	struct conf conf = {
		.state_dir = (char[]){ "/none" }, .accounts = &account, .n = 1
	};
	struct team_params params = { .conf = &conf, .stderr_fd = -1 };
	struct hall h = { .loop = loop_new() };
	struct err e;

	(void)state;
	memset(long_argument, 'x', sizeof(long_argument) - 1);
	params.lock_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_null(team_new(h.loop, &params, &events, &h, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.text, "account a: "));
	loop_free(&h.loop);
	close(params.lock_fd);
}

/* ---- the children: this program again, see main() ---- */

/* Level, path, privileges, files. */
static bool
lets_gain(struct unpack u)
{
	bool gain;

	(void)unpack_u8(&u);
	free(unpack_str(&u));
	gain = unpack_u8(&u) != 0;
	return unpack_u64(&u) == 77 && unpack_ok(&u) && gain;
}

static void
note_packet(char *heard, size_t size, const char *octets, size_t n)
{
	struct unpack u = unpack_of(span_make(octets + 1, n - 1));
	size_t at = strlen(heard);
	struct conf_account *a;
	uint32_t number;

	if (octets[0] == WIRE_LEDGER)
		snprintf(
		    heard + at, size - at, "ledger%s", lets_gain(u) ? "+" : "");
	if (octets[0] == WIRE_LINK)
		snprintf(heard + at, size - at, " link");
	if (octets[0] != WIRE_TARGET)
		return;
	a = wire_unpack_target(&u, &number);
	snprintf(heard + at, size - at, " %u:%s", number,
	    a == NULL ? "?" : a->maildir);
	wire_free_account(&a);
}

static void
tell(const char *heard)
{
	struct buf b;
	struct err e;

	err_set(&e, ERR_TEMP, 0, "%s", heard);
	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, WIRE_REFUSE);
	wire_pack_err(&b, &e);
	(void)send(WIRE_FD, buf_span(&b).p, b.n, MSG_NOSIGNAL);
	buf_deinit(&b);
}

/* Until it is linked, and then to the end. */
static int
play_deliverer(void)
{
	static char octets[IPC_PAYLOAD_MAX + 1];
	char heard[200] = "";
	ssize_t n;

	fcntl(WIRE_FD, F_SETFL, 0);
	while ((n = recv(WIRE_FD, octets, sizeof(octets), 0)) > 0) {
		note_packet(heard, sizeof(heard), octets, (size_t)n);
		if (octets[0] == WIRE_LINK)
			tell(heard);
	}
	return 0;
}

static int
play_engine(void)
{
	char octet;

	fcntl(WIRE_FD, F_SETFL, 0);
	while (recv(WIRE_FD, &octet, 1, 0) > 0)
		;
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_of_all_targets_before_the_link),
		cmocka_unit_test(refuses_a_target_that_fits_no_packet),
	};

	if (argc == 1 && strcmp(argv[0], SPAWN_DELIVERER) == 0)
		return play_deliverer();
	if (argc == 1 && strcmp(argv[0], SPAWN_ENGINE) == 0)
		return play_engine();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
