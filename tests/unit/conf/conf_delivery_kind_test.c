/* SPDX-License-Identifier: ISC */
#include "conf/conf_delivery_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/conf/tmp.h"

#include "unit/conf/load.h"

#define MUST "host = h user = u "

#define NO_SERVER                                                              \
	"lmtp is no server: write unix:/path, host, host:port or [IPv6 "       \
	"address]:port"

#define NO_EXIT                                                                \
	": write \"CODE=VERDICT\" or \"FIRST-LAST=VERDICT\", with codes from " \
	"0 to 255 and accept, later or hold"

#define NO_TRACE                                                               \
	"trace is a list of received, delivered-to and source, or none alone"

struct story {
	const char *text, *want;
};

static void
tell_all(const char *must, const struct story *t, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		options_say(must, t[i].text, t[i].want);
}

#define TELL(must, t) tell_all(must, t, sizeof(t) / sizeof(*(t)))

/* ---- programs ---- */

static void
reads_an_mda_as_an_argv(void **state)
{
	struct conf *c = load_options(MUST,
	    "mda = {\"/usr/bin/x\", \"-f\", \"%{sender}\", \"%%{\", \"\"}");
	const struct conf_list *mda = &c->accounts[0].mda;

	(void)state;
	assert_int_equal(mda->n, 5);
	assert_string_equal(mda->v[0], "/usr/bin/x");
	assert_string_equal(mda->v[2], "%{sender}");
	assert_string_equal(mda->v[3], "%%{");
	assert_string_equal(mda->v[4], "");
	assert_null(mda->v[5]);
	conf_free(&c);
}

static void
refuses_an_mda_that_could_not_be_run(void **state)
{
	static const struct story t[] = {
		{ "mda = procmail", NULL },
		{ "mda = \"/usr/bin/procmail -t\"",
		    "mda = \"/usr/bin/procmail -t\": no shell splits it: "
		    "write {\"program\", \"argument\"}" },
		{ "mda = \"bin/x\"",
		    "mda = \"bin/x\": write the program's whole path, or its "
		    "name alone" },
		{ "mda = \"~/bin/x\"",
		    "mda = \"~/bin/x\": write the program's whole path, or "
		    "its name alone" },
		{ "mda = \"/bin/%{user}\"",
		    "mda = \"/bin/%{user}\": the program's name can hold no "
		    "placeholder" },
		{ "mda = {\"/bin/x\", \"%{recipent}\"}",
		    "mda = \"%{recipent}\": unknown placeholder %{recipent} "
		    "(did you mean %{recipient}?)" },
		{ "mda = {\"/bin/x\", \"%{uid\"}",
		    "mda = \"%{uid\": a placeholder is not closed: add \"}\", "
		    "or write %%{ for %{ itself" },
	};

	(void)state;
	TELL(MUST, t);
}

static void
bounds_the_length_of_an_argv(void **state)
{
	char *text = mem_new(20000), *end;

	(void)state;
	/* {x, y...}: 2 * 4 octets and 1, and the y */
	memcpy(text, "mda = {x, ", 10);
	memset(text + 10, 'y', 16384 - 9);
	end = text + 10 + 16384 - 9;
	memcpy(end, "}", 2);
	options_say(MUST, text, NULL);
	memcpy(end, "y}", 3);
	options_say(MUST, text, "mda is too long: at most 16384 octets in all");
	free(text);
}

static void
reads_what_an_exit_status_means(void **state)
{
	struct conf *c = load_options(MUST,
	    "mda = x mda-exit = {\"73=hold\", \"64-78=later\", \"77=accept\", "
	    "\"255=later\", \"0=hold\"}");
	const uint8_t *exit = c->accounts[0].mda_exit;

	(void)state;
	assert_int_equal(exit[0], CONF_EXIT_HOLD);
	assert_int_equal(exit[1], CONF_EXIT_HOLD);
	assert_int_equal(exit[63], CONF_EXIT_HOLD);
	assert_int_equal(exit[64], CONF_EXIT_LATER);
	assert_int_equal(exit[73], CONF_EXIT_LATER); /* the last word counts */
	assert_int_equal(exit[77], CONF_EXIT_ACCEPT);
	assert_int_equal(exit[78], CONF_EXIT_LATER);
	assert_int_equal(exit[79], CONF_EXIT_HOLD);
	assert_int_equal(exit[255], CONF_EXIT_LATER);
	conf_free(&c);
}

static void
refuses_an_exit_status_that_is_none(void **state)
{
	static const char *const bad[] = { "256=hold", "-1=hold", "5=drop",
		"5=", "5", "=hold", "9-5=hold", "1-256=hold", "1-=hold",
		"1-2-3=hold", "a=hold", "5=hold ", " 5=hold", "" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[80], want[200];

		snprintf(text, sizeof(text),
		    "mda = x mda-exit = {\"1=hold\", \"%s\"}", bad[i]);
		snprintf(
		    want, sizeof(want), "mda-exit = \"%s\"" NO_EXIT, bad[i]);
		options_say(MUST, text, want);
	}
}

/* ---- servers ---- */

static void
reads_a_server_as_a_socket_or_a_host(void **state)
{
	static const struct {
		const char *text, *socket, *host;
		unsigned int port;
	} t[] = {
		{ "lmtp = \"unix:/run/x\"", "/run/x", NULL, 0 },
		{ "lmtp = \"/run/x:24\"", "/run/x:24", NULL, 0 },
		{ "lmtp = h", NULL, "h", 24 },
		{ "lmtp = \"h:1\"", NULL, "h", 1 },
		{ "lmtp = \"192.0.2.1:65535\"", NULL, "192.0.2.1", 65535 },
		{ "lmtp = \"[2001:db8::1]\"", NULL, "2001:db8::1", 24 },
		{ "lmtp = \"[::1]:2400\"", NULL, "::1", 2400 },
		{ "smtp = h", NULL, "h", 25 },
		{ "smtp = \"h:587\"", NULL, "h", 587 },
		{ "smtp = \"unix:/s\"", "/s", NULL, 0 },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf *c =
		    load_options(MUST "recipient = \"a@b\"", t[i].text);
		const struct conf_server *s = &c->accounts[0].relay;

		assert_true((s->socket == NULL) == (t[i].socket == NULL));
		assert_true((s->host == NULL) == (t[i].host == NULL));
		if (s->socket != NULL)
			assert_string_equal(s->socket, t[i].socket);
		if (s->host != NULL)
			assert_string_equal(s->host, t[i].host);
		assert_int_equal(s->port, t[i].port);
		conf_free(&c);
	}
}

static void
refuses_a_server_that_is_none(void **state)
{
	static const struct story t[] = {
		{ "lmtp = \"\"", NO_SERVER },
		{ "lmtp = \":24\"", NO_SERVER },
		{ "lmtp = \"h:\"", NO_SERVER },
		{ "lmtp = \"h:0\"", NO_SERVER },
		{ "lmtp = \"h:65536\"", NO_SERVER },
		{ "lmtp = \"h:24x\"", NO_SERVER },
		{ "lmtp = \"::1\"", NO_SERVER },
		{ "lmtp = \"[::1\"", NO_SERVER },
		{ "lmtp = \"[::1]24\"", NO_SERVER },
		{ "lmtp = \"[h]:24\"", NO_SERVER },
		{ "lmtp = \"unix:run/x\"",
		    "lmtp names no socket: its path must begin with \"/\"" },
		{ "lmtp = \"unix:\"",
		    "lmtp names no socket: its path must begin with \"/\"" },
		{ "lmtp = \"a b\"",
		    "lmtp holds a character that no host name has: only "
		    "letters, digits, \".\", \"-\" and \"_\"" },
		{ "lmtp = \"lmtp://h\"", NO_SERVER },
	};

	char text[200] = "lmtp = \"/";

	(void)state;
	TELL(MUST "recipient = a ", t);
	memset(text + 9, 'x', 106);
	memcpy(text + 115, "\"", 2);
	options_say(MUST "recipient = a ", text, NULL);
	memcpy(text + 115, "x\"", 3);
	options_say(MUST "recipient = a ", text,
	    "lmtp is too long for a socket: at most 107 octets");
}

/* ---- the envelope, and the trace ---- */

static void
reads_several_recipients(void **state)
{
	static const struct story t[] = {
		{ "recipient = {\"a@b\", \"\"}",
		    "recipient is empty: give it a value" },
		{ "recipient = {\"a@b\", \"c d\"}",
		    "recipient holds a blank, a control character, \"<\" or "
		    "\">\": write the address alone" },
	};

	struct conf *c =
	    load_options(MUST, "lmtp = h recipient = {a, \"b@c\"}");

	(void)state;
	assert_int_equal(c->accounts[0].recipients.n, 2);
	assert_string_equal(c->accounts[0].recipients.v[1], "b@c");
	conf_free(&c);
	TELL(MUST "lmtp = h ", t);
}

static void
reads_which_headers_are_added(void **state)
{
	static const struct story bad[] = {
		{ "trace = nothing", NO_TRACE },
		{ "trace = {none, source}", NO_TRACE },
		{ "trace = {source, none}", NO_TRACE },
	};

	static const struct {
		const char *text;
		bool received, delivered_to, source;
	} t[] = {
		{ "", true, true, true },
		{ "trace = none", false, false, false },
		{ "trace = {none}", false, false, false },
		{ "trace = received", true, false, false },
		{ "trace = {source, delivered-to}", false, true, true },
		{ "trace = {source, source}", false, false, true },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf *c = load_options(MUST "maildir = /m ", t[i].text);
		const struct conf_account *a = &c->accounts[0];

		assert_true(a->trace_received == t[i].received);
		assert_true(a->trace_delivered_to == t[i].delivered_to);
		assert_true(a->trace_source == t[i].source);
		conf_free(&c);
	}
	TELL(MUST "maildir = /m ", bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_an_mda_as_an_argv),
		cmocka_unit_test(refuses_an_mda_that_could_not_be_run),
		cmocka_unit_test(bounds_the_length_of_an_argv),
		cmocka_unit_test(reads_what_an_exit_status_means),
		cmocka_unit_test(refuses_an_exit_status_that_is_none),
		cmocka_unit_test(reads_a_server_as_a_socket_or_a_host),
		cmocka_unit_test(refuses_a_server_that_is_none),
		cmocka_unit_test(reads_several_recipients),
		cmocka_unit_test(reads_which_headers_are_added),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
