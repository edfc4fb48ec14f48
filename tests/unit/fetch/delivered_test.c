/* SPDX-License-Identifier: ISC */
#include "fetch/delivered.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "deliver/box.h"
#include "sys/log.h"

static char last[1024];
static unsigned int lines;

static void
keep_line(enum log_level level, const char *line)
{
	assert_int_equal(level, LOG_LEVEL_INFO);
	lines++;
	snprintf(last, sizeof(last), "%s", line);
}

static struct fetch_params params;
static struct client_box box;

static int
setup(void **state)
{
	(void)state;
	params = (struct fetch_params){ .subject = "work" };
	box = (struct client_box){
		.delivery = { .octets = 4123, .ms = 12, .to = "~/Maildir" }
	};
	lines = 0;
	log_set_sink(keep_line);
	log_set_level(LOG_LEVEL_INFO);
	log_set_format(LOG_TEXT);
	return 0;
}

static void
expect(const char *text)
{
	if (strstr(last, text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", last, text);
}

static void
says_what_went_where_and_how_fast(void **state)
{
	(void)state;
	delivered_log(&params, &box, "INBOX", "", UINT32_MAX);
	expect("work: INBOX: delivered uid 4294967295 (4123 octets) to "
	       "~/Maildir in 12 ms");
	delivered_log(&params, &box, "INBOX", "a stub of ", 7);
	expect("INBOX: delivered a stub of uid 7 (4123");
	delivered_log(&params, &box, "", "", 7);
	expect("work: delivered message 7 (4123 octets) to ~/Maildir in ");
}

/* Fields go to standard error alone. */
static void
log_to_last(const char *mailbox)
{
	int before = dup(STDERR_FILENO), fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_set_sink(NULL);
	log_set_format(LOG_JSON);
	delivered_log(&params, &box, mailbox, "", 7);
	dup2(before, STDERR_FILENO);
	close(before);
	close(fds[1]);
	n = read(fds[0], last, sizeof(last) - 1);
	last[n < 0 ? 0 : n] = '\0';
	close(fds[0]);
}

static void
has_the_same_as_fields(void **state)
{
	(void)state;
	log_to_last("INBOX");
	expect("\"account\":\"work\"");
	expect("\"mailbox\":\"INBOX\"");
	expect("\"uid\":\"7\"");
	expect("\"size\":\"4123\"");
	expect("\"to\":\"~/Maildir\"");
	expect("\"ms\":\"12\"");
	log_to_last("");
	expect("\"number\":\"7\"");
}

static void
names_the_server_it_was_handed_to(void **state)
{
	(void)state;
	params.relays = true;
	box.delivery.to = "unix:/run/lmtp";
	delivered_log(&params, &box, "INBOX", "", 7);
	expect(" to lmtp unix:/run/lmtp in ");
	box.delivery.to = "";
	params.relay.lmtp.smtp = true;
	params.relay.conn.host = "mx.example.org";
	params.relay.conn.port = 25;
	delivered_log(&params, &box, "INBOX", "", 7);
	expect(" to smtp mx.example.org:25 in ");
}

static void
says_nothing_when_nobody_wants_it(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_NOTICE);
	delivered_log(&params, &box, "INBOX", "", 7);
	assert_int_equal(lines, 0);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_what_went_where_and_how_fast),
		TEST(has_the_same_as_fields),
		TEST(names_the_server_it_was_handed_to),
		TEST(says_nothing_when_nobody_wants_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
