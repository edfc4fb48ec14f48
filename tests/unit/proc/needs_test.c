/* SPDX-License-Identifier: ISC */
#include "proc/needs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/ipc.h"
#include "util/pack.h"

static void
add(struct needs *needs, enum conf_way way, const char *path)
{
	struct conf_account a = { .way = way };
	char *copy = strdup(path);

	if (way == CONF_MAILDIR)
		a.maildir = copy;
	if (way == CONF_MBOX)
		a.mbox = copy;
	if (way == CONF_LMTP)
		a.relay.socket = copy;
	if (way == CONF_SMTP)
		a.relay.host = copy;
	needs_add(needs, &a);
	free(copy);
}

static void
needs_the_maildir_and_the_directory_of_an_mbox(void **state)
{
	struct needs needs = { 0 };

	(void)state;
	add(&needs, CONF_MBOX, "/home/a/Mail/in");
	add(&needs, CONF_MBOX, "/in");
	add(&needs, CONF_MAILDIR, "/home/a/Maildir");
	assert_int_equal(needs.n, 3);
	assert_string_equal(needs.places[0].path, "/home/a/Mail");
	assert_false(needs.places[0].make);
	assert_string_equal(needs.places[1].path, "/");
	assert_string_equal(needs.places[2].path, "/home/a/Maildir");
	assert_true(needs.places[2].make);
	assert_false(needs.programs || needs.sockets || needs.privileges);
	needs_deinit(&needs);
	assert_int_equal(needs.n, 0);
}

static void
needs_a_place_once(void **state)
{
	struct needs needs = { 0 };

	(void)state;
	add(&needs, CONF_MBOX, "/home/a/Mail/in");
	add(&needs, CONF_MBOX, "/home/a/Mail/out");
	assert_int_equal(needs.n, 1);
	assert_false(needs.places[0].make);
	add(&needs, CONF_MAILDIR, "/home/a/Mail");
	add(&needs, CONF_MBOX, "/home/a/Mail/out");
	assert_int_equal(needs.n, 1);
	assert_true(needs.places[0].make);
	needs_deinit(&needs);
}

static void
needs_programs_for_an_mda_and_a_socket_for_a_local_server(void **state)
{
	struct conf_account gain = { .way = CONF_MDA,
		.mda_new_privileges = true };
	struct needs needs = { 0 };

	(void)state;
	add(&needs, CONF_SMTP, "localhost");
	assert_false(needs.sockets);
	add(&needs, CONF_LMTP, "/run/lmtp");
	assert_true(needs.sockets && !needs.programs);
	add(&needs, CONF_MDA, "");
	assert_true(needs.programs && !needs.privileges);
	needs_add(&needs, &gain);
	assert_true(needs.programs && needs.privileges);
	assert_int_equal(needs.n, 0);
	needs_deinit(&needs);
}

/* All of them, in their order, in as many packets as it takes. */
static void
packs_any_number_of_places(void **state)
{
	struct needs needs = { 0 };
	char path[200];
	size_t at = 0, n = 0, packets = 0;
	struct buf b;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/%0*d", 60 + i % 100, i);
		add(&needs, CONF_MAILDIR, path);
	}
	buf_init(&b, IPC_PAYLOAD_MAX);
	while (needs_pack_places(&needs, &at, &b)) {
		struct unpack u = unpack_of(buf_span(&b));

		for (packets++; unpack_more(&u); n++) {
			char *got;

			assert_int_equal(unpack_u8(&u), 1);
			got = unpack_str(&u);
			assert_string_equal(got, needs.places[n].path);
			free(got);
		}
		assert_true(unpack_ok(&u));
		buf_clear(&b);
	}
	assert_int_equal(n, 1000);
	assert_true(packets > 1 && packets < 10);
	buf_deinit(&b);
	needs_deinit(&needs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    needs_the_maildir_and_the_directory_of_an_mbox),
		cmocka_unit_test(needs_a_place_once),
		cmocka_unit_test(
		    needs_programs_for_an_mda_and_a_socket_for_a_local_server),
		cmocka_unit_test(packs_any_number_of_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
