/* SPDX-License-Identifier: ISC */
#include "conf/conf_daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pwd.h>

#include "unit/conf/tmp.h"

#include "unit/conf/load.h"

#define ACCOUNT "account a { host = h user = u lmtp = /l recipient = r }\n"

static struct conf *
load_global(const char *text)
{
	char *all = mem_printf("%s\n" ACCOUNT, text);
	struct conf *c = load_text(all);

	free(all);
	return c;
}

/* "f:1: " and want, or no error when that is NULL. */
static void
global_says(const char *text, const char *want)
{
	char *all = mem_printf("%s\n" ACCOUNT, text);
	char *line =
	    want == NULL ? mem_strdup("") : mem_printf("f:1: %s\n", want);

	expect_errors(all, line);
	free(line);
	free(all);
}

static void
has_defaults_that_suit_most(void **state)
{
	struct conf *c = load_global("");

	(void)state;
	assert_int_equal(c->log_format, LOG_AUTO);
	assert_null(c->control_group);
	assert_int_equal(c->users.n, 0);
	assert_int_equal(c->user_accounts, 10);
	assert_int_equal(c->user_connections, 8);
	assert_false(c->user_commands);
	assert_int_equal(c->stop_timeout_s, 20);
	assert_int_equal(c->notify_command.n, 0);
	assert_int_equal(c->notify_after_s, 600);
	assert_null(c->metrics.socket);
	assert_null(c->metrics.host);
	conf_free(&c);
}

static void
reads_every_option(void **state)
{
	struct conf *c = load_global(
	    "log-format = syslog control = /c user-accounts = 1000 "
	    "user-connections = 1 user-password-command = yes "
	    "stop-timeout = 1h notify-command = {\"/bin/x\", \"-a b\"} "
	    "notify-after = 7d metrics = \"[::1]:9099\"");

	(void)state;
	assert_int_equal(c->log_format, LOG_SYSLOG);
	assert_string_equal(c->control, "/c");
	assert_int_equal(c->user_accounts, 1000);
	assert_int_equal(c->user_connections, 1);
	assert_true(c->user_commands);
	assert_int_equal(c->stop_timeout_s, 3600);
	assert_int_equal(c->notify_command.n, 2);
	assert_string_equal(c->notify_command.v[1], "-a b");
	assert_null(c->notify_command.v[2]);
	assert_int_equal(c->notify_after_s, 604800);
	assert_string_equal(c->metrics.host, "::1");
	assert_int_equal(c->metrics.port, 9099);
	conf_free(&c);
}

static void
knows_every_format_of_the_log(void **state)
{
	static const struct {
		const char *text;
		enum log_format format;
	} t[] = {
		{ "log-format = auto", LOG_AUTO },
		{ "log-format = text", LOG_TEXT },
		{ "log-format = journal", LOG_JOURNAL },
		{ "log-format = json", LOG_JSON },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf *c = load_global(t[i].text);

		assert_int_equal(c->log_format, t[i].format);
		conf_free(&c);
	}
	global_says("log-format = xml",
	    "log-format = \"xml\": use auto, text, journal, json or syslog");
}

static void
refuses_what_is_out_of_range(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "user-accounts = 0",
		    "user-accounts = \"0\": it must be a number from 1 to "
		    "1000" },
		{ "user-connections = 1001",
		    "user-connections = \"1001\": it must be a number from 1 "
		    "to 1000" },
		{ "stop-timeout = 0",
		    "stop-timeout = \"0\": it must be a time from 1s to 1h, "
		    "as 30s, 5m, 2h or 14d" },
		{ "notify-after = 0", NULL },
		{ "notify-after = 8d",
		    "notify-after = \"8d\": it must be a time from 0s to 7d, "
		    "as 30s, 5m, 2h or 14d" },
		{ "notify-command = \"/bin/x a\"",
		    "notify-command = \"/bin/x a\": no shell splits it: "
		    "write {\"program\", \"argument\"}" },
		{ "user-password-command = maybe",
		    "user-password-command = \"maybe\": use yes or no" },
		{ "metric = x",
		    "unknown option \"metric\" (did you mean "
		    "\"metrics\"?)" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		global_says(t[i].text, t[i].want);
}

/* ---- sockets ---- */

static void
is_asked_beside_its_state(void **state)
{
	struct conf *c = load_global("state-dir = /s");

	(void)state;
	assert_string_equal(c->control, "/s/control");
	conf_free(&c);
	c = load_global("state-dir = /var/lib/mailhaul");
	assert_string_equal(c->control,
	    geteuid() == 0 ? "/run/mailhaul/control"
			   : "/var/lib/mailhaul/control");
	conf_free(&c);
}

static void
refuses_a_path_that_fits_no_socket(void **state)
{
	char path[110], *text;
	struct conf *c;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	text = mem_printf("control = %s", path);
	global_says(
	    text, "control is too long for a socket: at most 107 octets");
	text[strlen(text) - 1] = '\0';
	c = load_global(text);
	assert_int_equal(strlen(c->control), 107);
	conf_free(&c);
	free(text);
	global_says("control = c",
	    "control = \"c\": the path must begin with \"/\" or \"~/\"");
}

static void
finds_the_socket_in_a_file_that_is_wrong_elsewhere(void **state)
{
	char *control;

	(void)state;
	tmp_write("f", 0600, "state-dir = /s\nnonsense = 1\n");
	control = conf_control("f");
	assert_string_equal(control, "/s/control");
	free(control);
	assert_null(conf_control("no.such.file"));
}

/* Those who may ask need not be able to read the passwords. */
static void
takes_a_file_that_is_not_ours_to_read_for_the_systems(void **state)
{
	char *control;

	(void)state;
	control = conf_control("f/is/no/directory");
	assert_string_equal(control, "/run/mailhaul/control");
	free(control);
}

static void
needs_no_account_where_users_have_theirs(void **state)
{
	struct conf *c;

	(void)state;
	if (geteuid() != 0) {
		return;
	}
	c = load_text("users = nobody");
	assert_int_equal(c->n, 0);
	conf_free(&c);
}

static void
offers_metrics_on_this_host_only(void **state)
{
#define NOT_HERE                                                               \
	": is not this host, and nobody is asked who he is: write "            \
	"127.0.0.1:9099, [::1]:9099 or unix:/path"

	static const struct {
		const char *text, *want;
	} t[] = {
		{ "metrics = 127.0.0.1:9099", NULL },
		{ "metrics = \"localhost:1\"", NULL },
		{ "metrics = \"unix:/run/m\"", NULL },
		{ "metrics = 192.0.2.1:9099",
		    "metrics = \"192.0.2.1:9099\"" NOT_HERE },
		{ "metrics = 0.0.0.0:9099",
		    "metrics = \"0.0.0.0:9099\"" NOT_HERE },
		{ "metrics = \"[::]:9099\"",
		    "metrics = \"[::]:9099\"" NOT_HERE },
		{ "metrics = localhost",
		    "metrics = \"localhost\": has no port: write it as "
		    "127.0.0.1:9099" },
		{ "metrics = \"localhost:0\"",
		    "metrics is no server: write unix:/path, host, host:port "
		    "or [IPv6 address]:port" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		global_says(t[i].text, t[i].want);
}

/* ---- users ---- */

static void
runs_the_engine_as_nobody_else_unless_root(void **state)
{
	struct conf *c = load_global("");

	(void)state;
	if (geteuid() == 0 && getpwnam("mailhaul") != NULL)
		assert_string_equal(c->engine_user, "mailhaul");
	else
		assert_null(c->engine_user);
	conf_free(&c);
}

/* The warnings after those of the system this runs on. */
static const char *
nth_warning(const struct conf *c, size_t n)
{
	if (geteuid() == 0 && getpwnam("mailhaul") == NULL)
		n++;
	return n < c->warnings.n ? c->warnings.v[n] : NULL;
}

static void
warns_of_an_account_that_delivers_as_root(void **state)
{
	struct conf *c =
	    load_text("defaults { host = h user = u }\n"
		      "account a { maildir = /m }\n"
		      "account b { mbox = /m }\n"
		      "account c { mda = /x }\n"
		      "account d { lmtp = /x recipient = r }\n"
		      "account e { smtp = localhost recipient = \"r@r\" }\n");

	(void)state;
	if (geteuid() != 0) {
		assert_int_equal(c->warnings.n, 0);
		conf_free(&c);
		return;
	}
	assert_string_equal(nth_warning(c, 0),
	    "f:2: account a: delivers as root: add run-as = NAME");
	assert_string_equal(nth_warning(c, 1),
	    "f:3: account b: delivers as root: add run-as = NAME");
	assert_string_equal(nth_warning(c, 2),
	    "f:4: account c: delivers as root: add run-as = NAME");
	assert_null(nth_warning(c, 3));
	conf_free(&c);
}

static void
warns_of_users_that_are_not_there(void **state)
{
	struct conf *c;

	(void)state;
	if (geteuid() != 0) {
		global_says("users = alice",
		    "users is for root, who alone can be other users: remove "
		    "it");
		return;
	}
	c = load_global("users = {\"no.such\", \"@none.such\", \"@root\"}");
	assert_int_equal(c->users.n, 3);
	assert_string_equal(nth_warning(c, 0),
	    "f: users = \"no.such\": there is no such user now");
	assert_string_equal(nth_warning(c, 1),
	    "f: users = \"@none.such\": there is no such group now");
	assert_null(nth_warning(c, 2));
	conf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_defaults_that_suit_most),
		cmocka_unit_test(reads_every_option),
		cmocka_unit_test(knows_every_format_of_the_log),
		cmocka_unit_test(refuses_what_is_out_of_range),
		cmocka_unit_test(is_asked_beside_its_state),
		cmocka_unit_test(refuses_a_path_that_fits_no_socket),
		cmocka_unit_test(
		    finds_the_socket_in_a_file_that_is_wrong_elsewhere),
		cmocka_unit_test(
		    takes_a_file_that_is_not_ours_to_read_for_the_systems),
		cmocka_unit_test(needs_no_account_where_users_have_theirs),
		cmocka_unit_test(offers_metrics_on_this_host_only),
		cmocka_unit_test(runs_the_engine_as_nobody_else_unless_root),
		cmocka_unit_test(warns_of_an_account_that_delivers_as_root),
		cmocka_unit_test(warns_of_users_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
