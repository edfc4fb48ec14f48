/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pwd.h>

#include "unit/conf/tmp.h"

#include "unit/conf/load.h"

/* What an account cannot do without. */
#define MUST "host = h user = u maildir = /m "

/* Of an account that is complete but for text. */
static struct conf *
load_account(const char *text)
{
	return load_options(MUST, text);
}

static void
account_says(const char *text, const char *want)
{
	options_say(MUST, text, want);
}

/* ---- good files ---- */

static void
gives_an_account_its_defaults(void **state)
{
	struct conf *c = load_account("");
	struct conf_account *a = &c->accounts[0];

	(void)state;
	assert_string_equal(c->path, "f");
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_int_equal(c->max_connections_per_host, 8);
	assert_int_equal(c->n, 1);
	assert_string_equal(a->name, "a");
	assert_string_equal(a->where, "f:1");
	assert_int_equal(a->protocol, CONF_IMAP);
	assert_string_equal(a->host, "h");
	assert_int_equal(a->port, 993);
	assert_int_equal(a->tls, CONF_TLS_IMPLICIT);
	assert_null(a->tls_ca_file);
	assert_null(a->tls_name);
	assert_int_equal(a->auth, CONF_AUTH_AUTO);
	assert_string_equal(a->user, "u");
	assert_null(a->secret.file);
	assert_null(a->secret.credential);
	assert_null(a->secret.literal);
	assert_int_equal(a->secret.command.n, 0);
	assert_int_equal(a->mailboxes.n, 1);
	assert_string_equal(a->mailboxes.v[0], "INBOX");
	assert_null(a->mailboxes.v[1]);
	assert_int_equal(a->watch, CONF_WATCH_IDLE);
	assert_int_equal(a->after, CONF_KEEP);
	assert_false(a->expunge_others);
	assert_string_equal(a->maildir, "/m");
	assert_int_equal(a->interval_s, 900);
	assert_int_equal(a->connect_timeout_s, 30);
	assert_int_equal(a->tls_timeout_s, 30);
	assert_int_equal(a->command_timeout_s, 300);
	assert_int_equal(a->total_timeout_s, 0);
	assert_int_equal(a->retries, 3);
	assert_true(a->pipelining && a->capa && a->id);
	conf_free(&c);
	assert_null(c);
	conf_free(&c);
}

static void
chooses_the_port_by_protocol_and_tls(void **state)
{
	static const struct {
		const char *text;
		unsigned int port;
	} t[] = {
		{ "", 993 },
		{ "tls = starttls", 143 },
		{ "tls = none", 143 },
		{ "protocol = pop3", 995 },
		{ "protocol = pop3 tls = starttls", 110 },
		{ "protocol = pop3 tls = none", 110 },
		{ "protocol = pop3 port = 1", 1 },
		{ "tls = none port = 65535", 65535 },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf *c = load_account(t[i].text);

		assert_int_equal(c->accounts[0].port, t[i].port);
		conf_free(&c);
	}
}

static void
chooses_the_interval_by_protocol_and_watch(void **state)
{
	static const struct {
		const char *text;
		uint64_t s;
	} t[] = {
		{ "", 900 },
		{ "watch = idle", 900 },
		{ "watch = poll", 300 },
		{ "protocol = pop3", 600 },
		{ "protocol = pop3 watch = poll", 600 },
		{ "interval = 10", 10 },
		{ "interval = 30d", 2592000 },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf *c = load_account(t[i].text);

		assert_int_equal(c->accounts[0].interval_s, t[i].s);
		conf_free(&c);
	}
}

static void
reads_every_option_of_an_account(void **state)
{
	struct conf *c = load_account(
	    "protocol = \"imap\" port = 1993 tls = starttls "
	    "tls-ca-file = '/ca.pem' tls-name = mail.example.org "
	    "auth = login password-command = {\"pass\", 'show', x} "
	    "mailboxes = {\"INBOX\", \"Lists/*\", \"!Lists/noise\"} "
	    "watch = poll interval = 2h after = delete expunge-others = on "
	    "connect-timeout = 1 tls-timeout = 1h command-timeout = 1d "
	    "total-timeout = 30d retries = 0 pipelining = no capa = off "
	    "id = false");
	struct conf_account *a = &c->accounts[0];

	(void)state;
	assert_int_equal(a->port, 1993);
	assert_int_equal(a->tls, CONF_TLS_STARTTLS);
	assert_string_equal(a->tls_ca_file, "/ca.pem");
	assert_string_equal(a->tls_name, "mail.example.org");
	assert_int_equal(a->auth, CONF_AUTH_LOGIN);
	assert_int_equal(a->secret.command.n, 3);
	assert_string_equal(a->secret.command.v[2], "x");
	assert_null(a->secret.command.v[3]);
	assert_int_equal(a->mailboxes.n, 3);
	assert_string_equal(a->mailboxes.v[1], "Lists/*");
	assert_int_equal(a->watch, CONF_WATCH_POLL);
	assert_int_equal(a->interval_s, 7200);
	assert_int_equal(a->after, CONF_DELETE);
	assert_true(a->expunge_others);
	assert_int_equal(a->connect_timeout_s, 1);
	assert_int_equal(a->tls_timeout_s, 3600);
	assert_int_equal(a->command_timeout_s, 86400);
	assert_int_equal(a->total_timeout_s, 2592000);
	assert_int_equal(a->retries, 0);
	assert_false(a->pipelining || a->capa || a->id);
	conf_free(&c);
}

static void
reads_the_global_options(void **state)
{
	struct conf *c = load_text("log-level = trace\n"
				   "state-dir = \"/var/x\"\n"
				   "max-connections-per-host = 100000\n"
				   "account a { " MUST "}\n");

	(void)state;
	assert_int_equal(c->log_level, LOG_LEVEL_TRACE);
	assert_string_equal(c->state_dir, "/var/x");
	assert_int_equal(c->max_connections_per_host, 100000);
	conf_free(&c);
}

static void
finds_the_state_directory(void **state)
{
	struct conf *c;

	(void)state;
	setenv("STATE_DIRECTORY", "/var/lib/one:/var/lib/two", 1);
	c = load_account("");
	assert_string_equal(c->state_dir, "/var/lib/one");
	conf_free(&c);
	unsetenv("STATE_DIRECTORY");
	setenv("XDG_STATE_HOME", "/xdg", 1);
	c = load_account("");
	assert_string_equal(c->state_dir,
	    geteuid() == 0 ? "/var/lib/mailhaul" : "/xdg/mailhaul");
	conf_free(&c);
	unsetenv("XDG_STATE_HOME");
}

static void
finds_the_users_own_file_before_the_systems(void **state)
{
	char errors[4096];
	struct conf *c;

	(void)state;
	assert_int_equal(mkdir("mailhaul", 0700), 0);
	tmp_write("mailhaul/mailhaul.conf", 0600, "account mine { " MUST "}");
	setenv("XDG_CONFIG_HOME", tmp_path, 1);
	c = load(NULL, errors, sizeof(errors));
	assert_non_null(c);
	assert_string_equal(c->accounts[0].name, "mine");
	conf_free(&c);
	unsetenv("XDG_CONFIG_HOME");
}

static void
takes_from_defaults_what_an_account_leaves_out(void **state)
{
	struct conf *c = load_text(
	    "account first { user = a }\n"
	    "defaults { host = h maildir = \"/m\" watch = poll port = 1\n"
	    "  password-file = /p mailboxes = {a, b} }\n"
	    "account second { user = b watch = idle host = own\n"
	    "  password-credential = c mailboxes = {z} }\n"
	    "account third { user = c protocol = pop3 }\n");

	(void)state;
	assert_int_equal(c->n, 3);
	assert_string_equal(c->accounts[0].host, "h");
	assert_int_equal(c->accounts[0].watch, CONF_WATCH_POLL);
	assert_int_equal(c->accounts[0].mailboxes.n, 2);
	assert_string_equal(c->accounts[0].secret.file, "/p");
	assert_string_equal(c->accounts[1].host, "own");
	assert_int_equal(c->accounts[1].watch, CONF_WATCH_IDLE);
	assert_int_equal(c->accounts[1].mailboxes.n, 1);
	assert_null(c->accounts[1].secret.file);
	assert_string_equal(c->accounts[1].secret.credential, "c");
	assert_int_equal(c->accounts[1].port, 1);
	assert_int_equal(c->accounts[2].mailboxes.n, 0);
	assert_int_equal(c->accounts[2].watch, CONF_WATCH_POLL);
	conf_free(&c);
}

static void
keeps_a_password_to_the_letter(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "\"a$b{\"", "a$b{" },
		{ "\"${HOME}\"", "${HOME}" },
		{ "\"a${\"", "a${" },
		{ "\"\\${x:-y}\"", "${x:-y}" },
		{ "'${HOME}'", "${HOME}" },
		{ "'a\"b#c//d/*e'", "a\"b#c//d/*e" },
		{ "'it\\'s \\\\ \\n'", "it's \\ \\n" },
		{ "\"q\\\"\\\\ \\x41\\102\\t\"", "q\"\\ AB\t" },
		{ "\"# no comment\"", "# no comment" },
		{ "plain~word;:!%@", "plain~word;:!%@" },
		{ "\"\xc3\xa9\xff\"", "\xc3\xa9\xff" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		char *text = mem_printf("password = %s", t[i].text);
		struct conf *c;

		c = load_account(text);
		assert_true(span_eq(secret_span(c->accounts[0].secret.literal),
		    span_of(t[i].want)));
		conf_free(&c);
		free(text);
	}
}

static void
expands_the_home_directory(void **state)
{
	struct conf *c;
	char line[160];

	(void)state;
	setenv("HOME", "/home/alice", 1);
	c = load_account("password-file = ~/pw tls-ca-file = \"~/ca\"");
	assert_string_equal(c->accounts[0].secret.file, "/home/alice/pw");
	assert_string_equal(c->accounts[0].tls_ca_file, "/home/alice/ca");
	conf_free(&c);
	c = load_text("account a { host = h user = u maildir = ~/Maildir }");
	assert_string_equal(c->accounts[0].maildir, "/home/alice/Maildir");
	conf_summary(&c->accounts[0], line, sizeof(line));
	assert_string_equal(
	    line, "imap u@h:993 (tls), INBOX -> ~/Maildir, keep");
	conf_free(&c);
}

/* The first user of this system but root, NULL: there is none. */
static const struct passwd *
another_user(void)
{
	const struct passwd *pw;

	setpwent();
	do
		pw = getpwent();
	while (pw != NULL && (pw->pw_uid == 0 || pw->pw_dir[0] != '/'));
	return pw;
}

static void
delivers_to_the_home_of_the_user_it_runs_as(void **state)
{
	const struct passwd *pw = another_user();
	char want[4096], *text;
	struct conf *c;

	(void)state;
	if (geteuid() != 0 || pw == NULL)
		skip();
	setenv("HOME", "/home/alice", 1);
	text = mem_printf("defaults { host = h user = u maildir = \"~/M\" }\n"
			  "account a { run-as = %s password-file = \"~/p\" }\n"
			  "account b { run-as = %s mbox = \"~\" }\n"
			  "account c { }\n",
	    pw->pw_name, pw->pw_name);
	c = load_text(text);
	snprintf(want, sizeof(want), "%s/M", pw->pw_dir);
	assert_string_equal(c->accounts[0].maildir, want);
	assert_string_equal(c->accounts[0].secret.file, "/home/alice/p");
	assert_string_equal(c->accounts[1].mbox, pw->pw_dir);
	assert_string_equal(c->accounts[2].maildir, "/home/alice/M");
	assert_null(c->accounts[2].run_as);
	assert_in_range(c->warnings.n, 1, 2); /* the other: of the engine */
	assert_string_equal(c->warnings.v[c->warnings.n - 1],
	    "f:4: account c: delivers as root: add run-as = NAME");
	conf_free(&c);
	free(text);
}

static void
reads_the_file_of_the_benchmarks(void **state)
{
	struct conf *c = load_text(
	    "# Template for mailhaul in the benchmarks.\n"
	    "state-dir = \"/w/state\"\n"
	    "max-connections-per-host = 100000\n"
	    "account \"a0\" {\n    protocol = pop3\n"
	    "    host = \"localhost\"\n    port = 9995\n    tls = none\n"
	    "    tls-ca-file = \"/w/ca.pem\"\n    user = \"u0\"\n"
	    "    password = \"secret\"\n    after = keep\n"
	    "    watch = poll\n    maildir = \"/w/m0\"\n}\n"
	    "account \"a1\" { host = \"localhost\" user = \"u1\"\n"
	    "    watch = idle maildir = \"/w/m1\" }\n");

	(void)state;
	assert_int_equal(c->n, 2);
	assert_string_equal(c->accounts[1].where, "f:16");
	conf_free(&c);
}

static void
reads_a_thousand_accounts(void **state)
{
	struct conf *c;
	struct buf b;
	char *text;
	int i;

	(void)state;
	buf_init(&b, 1 << 20);
	for (i = 0; i < 1000; i++)
		buf_printf(&b, "account a%d { " MUST "}\n", i);
	text = mem_spandup(buf_span(&b));
	buf_deinit(&b);
	c = load_text(text);
	assert_int_equal(c->n, 1000);
	assert_ptr_equal(conf_find(c, "a999"), &c->accounts[999]);
	conf_free(&c);
	free(text);
}

/* ---- bad files ---- */

static void
refuses_values_out_of_range(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "port = 1", NULL },
		{ "port = 65535", NULL },
		{ "port = 0",
		    "port = \"0\": it must be a number from 1 to 65535" },
		{ "port = 65536",
		    "port = \"65536\": it must be a number from 1 to 65535" },
		{ "port = imaps",
		    "port = \"imaps\": it must be a number from 1 to 65535" },
		{ "port = -1",
		    "port = \"-1\": it must be a number from 1 to 65535" },
		{ "retries = 20", NULL },
		{ "retries = 21",
		    "retries = \"21\": it must be a number from 0 to 20" },
		{ "interval = 10s", NULL },
		{ "interval = 30d", NULL },
		{ "interval = 9s",
		    "interval = \"9s\": it must be a time from 10s to 30d, as "
		    "30s, 5m, 2h or 14d" },
		{ "interval = 31d",
		    "interval = \"31d\": it must be a time from 10s to 30d, as "
		    "30s, 5m, 2h or 14d" },
		{ "interval = 5x",
		    "interval = \"5x\": it must be a time from 10s to 30d, as "
		    "30s, 5m, 2h or 14d" },
		{ "connect-timeout = 1h", NULL },
		{ "connect-timeout = 0",
		    "connect-timeout = \"0\": it must be a time from 1s to 1h, "
		    "as 30s, 5m, 2h or 14d" },
		{ "tls-timeout = 2h",
		    "tls-timeout = \"2h\": it must be a time from 1s to 1h, as "
		    "30s, 5m, 2h or 14d" },
		{ "command-timeout = 2d",
		    "command-timeout = \"2d\": it must be a time from 1s to "
		    "1d, "
		    "as 30s, 5m, 2h or 14d" },
		{ "total-timeout = 0", NULL },
		{ "total-timeout = 31d",
		    "total-timeout = \"31d\": it must be a time from 0s to "
		    "30d, "
		    "as 30s, 5m, 2h or 14d" },
		{ "protocol = smtp", "protocol = \"smtp\": use imap or pop3" },
		{ "tls = ssl",
		    "tls = \"ssl\": use implicit, starttls or none" },
		{ "auth = cram",
		    "auth = \"cram\": use auto, plain, login, cram-md5, "
		    "scram-sha-1, scram-sha-1-plus, scram-sha-256, "
		    "scram-sha-256-plus, external, xoauth2, oauthbearer, "
		    "gssapi or apop" },
		{ "watch = IDLE", "watch = \"IDLE\": use idle or poll" },
		{ "after = seen", "after = \"seen\": use keep or delete" },
		{ "id = maybe", "id = \"maybe\": use yes or no" },
		{ "id = {yes, no}",
		    "id has one value, not a list: remove the others" },
		{ "id = {yes}", NULL },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		account_says(t[i].text, t[i].want);
}

static void
refuses_what_may_not_go_on_the_wire(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "tls-name = \"a\\nb\"",
		    "tls-name holds a character that no host name has: only "
		    "letters, digits, \".\", \"-\" and \"_\"" },
		{ "tls-name = -a",
		    "tls-name is no host name: it begins with \"-\" or has an "
		    "empty part" },
		{ "tls-name = \"a:993\"",
		    "tls-name is no IPv6 address: write a port as port = "
		    "NUMBER" },
		{ "tls-name = \"https://a\"",
		    "tls-name is a URL: write the host alone" },
		{ "mailboxes = \"a\\rb\"",
		    "mailboxes holds a line break: remove it" },
		{ "mailboxes = {a, \"\"}",
		    "mailboxes is empty: give it a value" },
		{ "mailboxes = {a, \"\\xff\"}",
		    "mailboxes is not UTF-8: save the file as UTF-8" },
		{ "mailboxes = {\"!Junk\"}",
		    "mailboxes only leaves out: put what is wanted first, as "
		    "{\"*\", \"!Junk\"}" },
		{ "password = \"a\\x0ab\"",
		    "password holds a line break: remove it" },
		{ "password = \"\"", "password is empty: give it a value" },
		{ "password-credential = a/b",
		    "password-credential is a name in $CREDENTIALS_DIRECTORY: "
		    "without \"/\" and not beginning with \".\"" },
		{ "password-command = \"pass show x\"",
		    "password-command = \"pass show x\": no shell splits it: "
		    "write {\"program\", \"argument\"}" },
		{ "password-command = {\"\", x}",
		    "password-command begins with an empty word: name the "
		    "program first" },
		{ "password-file = pw",
		    "password-file = \"pw\": the path must begin with \"/\" or "
		    "\"~/\"" },
		{ "tls-ca-file = ~bob/ca",
		    "tls-ca-file ~bob/ca: only \"~\" and "
		    "\"~/\" are understood" },
		{ "password = x password-file = /p",
		    "password-file beside password: there can be one source of "
		    "a password, remove the others" },
		{ "protocol = pop3 mailboxes = a",
		    "mailboxes is for IMAP: POP3 has one mailbox, remove it" },
		{ "protocol = pop3 watch = idle",
		    "watch = idle is for IMAP: remove it" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		account_says(t[i].text, t[i].want);
}

static void
names_the_line_and_what_to_do(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "", "f: there is no account: add account NAME { ... }\n" },
		{ "log-level = loud\n",
		    "f:1: log-level = \"loud\": use error, warning, notice, "
		    "info, debug or trace\n" },
		{ "max-connections-per-host = 0",
		    "f:1: max-connections-per-host = \"0\": it must be a "
		    "number "
		    "from 1 to 1000000\n" },
		{ "max-connections-per-host = 1000001",
		    "f:1: max-connections-per-host = \"1000001\": it must be a "
		    "number from 1 to 1000000\n" },
		{ "\naccount a {\n}\n",
		    "f:2: account a: host is missing: add host = "
		    "\"imap.example.org\"\n"
		    "f:2: account a: user is missing: add user = \"alice\"\n"
		    "f:2: account a: there is no destination: add maildir = "
		    "\"~/Maildir\", or mda, lmtp, smtp or mbox\n" },
		{ "account a {\n" MUST "\n}\n/*\n*/ account b { " MUST
		  "}\naccount\na { }\naccount a { " MUST "}\n",
		    "f:7: an account of this name is there already: remove it\n"
		    "f:8: account \"a\" is there already, in line 1 of f: give "
		    "one of them another name\n" },
		{ "account \"a b\" { " MUST "}\naccount \"\" { " MUST "}",
		    "f:1: the name of an account holds a blank, a \"/\" or a "
		    "control character, or begins with \"-\": choose another\n"
		    "f:2: the name of an account is empty: give it one\n" },
		{ "defaults { port = 0\n}\ndefaults { }\n"
		  "account a { " MUST "}\naccount b { " MUST "}",
		    "f:1: defaults: port = \"0\": it must be a number from 1 "
		    "to "
		    "65535\n"
		    "f:3: a second defaults section: put its options into the "
		    "first, in line 1 of f\n" },
		{ "account a { " MUST "\nport = 1\nport = 1\n"
		  "mailboxes = a\nmailboxes += b\nmailboxes = {c}\n}",
		    "f:3: \"port\" is given twice, first in line 2: remove "
		    "one\n"
		    "f:6: \"mailboxes\" is given twice, first in line 4: "
		    "remove "
		    "one\n" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		expect_errors(t[i].text, t[i].want);
}

static void
tells_every_unknown_option_and_the_nearest_right_one(void **state)
{
	(void)state;
	expect_errors("# x\n#\n\nlog-levl = info\nfoo(3)\n", /* stops */
	    "f:4: unknown option \"log-levl\" (did you mean \"log-level\"?)\n"
	    "f:5: unknown option \"foo\": mailhaul.conf(5) lists all\n");
	expect_errors("log_level = info\n"
		      "port = 3\n"
		      "acount x {\n port = 0 zzz = 1 }\n"
		      "default { hst = a }\n"
		      "nothing = {a, b}\n"
		      "account a {\n" MUST "\n"
		      "  hots = x\n  usr = {a,\n b}\n  log-level = info\n"
		      "  port = 0\n}\n"
		      "account b { " MUST "hots = x }\n",
	    "f:1: unknown option \"log_level\" (did you mean \"log-level\"?)\n"
	    "f:2: \"port\" stands outside an account: put it into account NAME "
	    "{ } or defaults { }\n"
	    "f:3: unknown option \"acount\" (did you mean \"account\"?)\n"
	    "f:5: unknown option \"default\" (did you mean \"defaults\"?)\n"
	    "f:6: unknown option \"nothing\": mailhaul.conf(5) lists all\n"
	    "f:9: unknown option \"hots\" (did you mean \"host\"?)\n"
	    "f:10: unknown option \"usr\" (did you mean \"user\"?)\n"
	    "f:12: \"log-level\" is for all accounts: put it outside the "
	    "braces\n"
	    "f:13: account a: port = \"0\": it must be a number from 1 to "
	    "65535\n"
	    "f:15: unknown option \"hots\" (did you mean \"host\"?)\n");
}

static void
tells_a_broken_grammar_and_what_came_before(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "account a {\n" MUST "\n\n",
		    "f:1: the section that begins here has no end: add "
		    "\"}\"\n" },
		{ "account a {\n" MUST "\nmailboxes = {x\n",
		    "f:1: the section that begins here has no end: add \"}\"\n"
		    "f:4: the file ends inside a section or a value: add what "
		    "is missing, perhaps \"}\"\n" },
		{ "account a {\n" MUST "\naccount b { " MUST "}\n",
		    "f:1: the section that begins here has no end: add \"}\"\n"
		    "f:3: \"account\" inside a section: is the \"}\" of the "
		    "section above missing?\n" },
		{ "log-level = loud\n}\n",
		    "f:1: log-level = \"loud\": use error, warning, notice, "
		    "info, debug or trace\n"
		    "f:2: this \"}\" closes nothing: remove it, or look for "
		    "one "
		    "too many above\n" },
		{ "log-level info\n",
		    "f:1: \"log-level\" must be followed by \"=\" and a "
		    "value\n" },
		{ "account {\n}\n",
		    "f:1: \"account\" must be followed by a name and \"{\"\n" },
		{ "account a b {\n}\n",
		    "f:1: \"account\" begins a section: \"{\" is missing\n" },
		{ "log-level = ,\n",
		    "f:1: \",\" is not expected here: put values that hold "
		    "signs in quotes\n" },
		{ "'' = 3",
		    "f:1: this is no \"name = value\" and no section: see "
		    "mailhaul.conf(5)\n" },
		{ "include\n",
		    "f:2: the file ends inside a section or a value: add what "
		    "is missing, perhaps \"}\"\n" },
		{ "include = x\n",
		    "f:1: \"include\" must be written include(\"file\")\n" },
		{ "include()\naccount a { " MUST "}\n",
		    "f:1: write include(\"file\") with one file\n" },
		{ "account a { " MUST "user = \"x\ncapa = {} id = * }\n",
		    "f:1: a quote is opened and not closed on its line: add "
		    "\"\n"
		    "f:1: \"user\" is given twice, first in line 1: remove "
		    "one\n"
		    "f:2: an empty list: put something between the braces, or "
		    "leave the option out\n"
		    "f:2: \"*\" must stand in quotes: put them around the "
		    "whole "
		    "value\n"
		    "f:2: account a: id = \"_\": use yes or no\n" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		expect_errors(t[i].text, t[i].want);
}

static void
never_shows_a_part_of_a_password(void **state)
{
	static const char *const t[] = { "password = my hunter2",
		"password = my hunter2 hunter3 {", "pasword = my hunter2",
		"password = {my, hunter2}", "password = \"hunter2\\n\"",
		"password = \"hunter2", "password = my\"hunter2\"",
		"password = my,hunter2" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		char *text = mem_printf("account a { " MUST "%s\n}\n", t[i]);
		char errors[4096];

		tmp_write("f", 0600, text);
		assert_null(load("f", errors, sizeof(errors)));
		assert_true(strlen(errors) > 0);
		if (strstr(errors, "hunter") != NULL)
			fail_msg("%s", errors);
		free(text);
	}
}

static void
wants_a_private_file_for_a_password(void **state)
{
	static const mode_t open_modes[] = { 0640, 0604, 0644 };
	char errors[4096];
	struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		tmp_write("g", open_modes[i],
		    "account a {\n" MUST "\npassword = x }");
		assert_null(load("g", errors, sizeof(errors)));
		assert_string_equal(errors,
		    "g:3: account a: password stands in a file that others can "
		    "read: chmod 600 it, or use password-file\n");
	}
	tmp_write("g", 0644, "account a {\n" MUST "\npassword-file = /x }");
	c = load("g", errors, sizeof(errors));
	assert_non_null(c);
	conf_free(&c);
}

static void
wants_a_private_file_for_an_included_password(void **state)
{
	char errors[4096];

	(void)state;
	tmp_write("main", 0600, "include(\"part\")\n");
	tmp_write("part", 0644, "\naccount a { " MUST "\npassword = x }");
	assert_null(load("main", errors, sizeof(errors)));
	assert_string_equal(errors,
	    "part:3: account a: password stands in a file that others can "
	    "read: chmod 600 it, or use password-file\n");
}

static void
refuses_what_is_no_file(void **state)
{
	char errors[4096];

	(void)state;
	assert_null(load("none", errors, sizeof(errors)));
	assert_string_equal(errors,
	    "none: No such file or directory: write it, or name another with "
	    "-c\n");
	assert_null(load("/", errors, sizeof(errors)));
	assert_string_equal(errors,
	    "/: not a regular file: write it, or name another with -c\n");
}

/* ---- questions ---- */

static void
finds_accounts_and_the_nearest(void **state)
{
	struct conf *c =
	    load_text("account work { " MUST "}\naccount home { " MUST "}\n");
	char text[CONF_NO_ACCOUNT_MAX];

	(void)state;
	assert_ptr_equal(conf_find(c, "home"), &c->accounts[1]);
	assert_null(conf_find(c, "hom"));
	assert_string_equal(conf_nearest(c, "hom"), "home");
	(void)conf_no_account(c, "hom", text, sizeof(text));
	assert_non_null(strstr(text, "there is no account \"hom\" in "));
	assert_non_null(strstr(text, "; did you mean \"home\"?"));
	assert_string_equal(conf_nearest(c, "wrok"), "work");
	assert_null(conf_nearest(c, "something"));
	conf_free(&c);
}

static void
sums_an_account_up(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "", "imap u@h:993 (tls), INBOX -> /m, keep" },
		{ "tls = none mailboxes = {a, b, \"!c\"} after = delete",
		    "imap u@h:143 (no tls), a + 2 more -> /m, delete" },
		{ "auth = scram-sha-256",
		    "imap u@h:993 (tls, scram-sha-256), INBOX -> /m, keep" },
		{ "protocol = pop3 tls = starttls password = hush",
		    "pop3 u@h:110 (starttls) -> /m, keep" },
	};

	char line[200], small[12];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf *c = load_account(t[i].text);

		assert_ptr_equal(
		    conf_summary(&c->accounts[0], line, sizeof(line)), line);
		assert_string_equal(line, t[i].want);
		conf_summary(&c->accounts[0], small, sizeof(small));
		assert_true(strlen(small) < sizeof(small));
		conf_free(&c);
	}
}

static void
sums_every_destination_up(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "mda = {\"/usr/bin/procmail\", \"-t\"}", "procmail (mda)" },
		{ "mda = maildrop", "maildrop (mda)" },
		{ "lmtp = \"/run/x\" recipient = a", "lmtp unix:/run/x" },
		{ "lmtp = \"[::1]\" recipient = a", "lmtp [::1]:24" },
		{ "smtp = host recipient = \"a@b\"", "smtp host:25" },
		{ "mbox = \"/var/mail/bob\"", "mbox /var/mail/bob" },
	};

	char line[200], want[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf *c = load_options("host = h user = u", t[i].text);

		conf_summary(&c->accounts[0], line, sizeof(line));
		snprintf(want, sizeof(want),
		    "imap u@h:993 (tls), INBOX -> %s, keep", t[i].want);
		assert_string_equal(line, want);
		conf_free(&c);
	}
}

static void
says_in_a_summary_who_delivers(void **state)
{
	struct conf *c = load_account("");
	char line[200];

	(void)state;
	c->accounts[0].run_as = mem_strdup("alice");
	conf_summary(&c->accounts[0], line, sizeof(line));
	assert_string_equal(
	    line, "imap u@h:993 (tls), INBOX -> /m as alice, keep");
	conf_free(&c);
}

static void
puts_brackets_around_an_address_in_a_summary(void **state)
{
	struct conf *c =
	    load_text("account a { host = \"::1\" user = u maildir = /m }");
	char line[200];

	(void)state;
	conf_summary(&c->accounts[0], line, sizeof(line));
	assert_string_equal(line, "imap u@[::1]:993 (tls), INBOX -> /m, keep");
	conf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_an_account_its_defaults),
		cmocka_unit_test(chooses_the_port_by_protocol_and_tls),
		cmocka_unit_test(chooses_the_interval_by_protocol_and_watch),
		cmocka_unit_test(reads_every_option_of_an_account),
		cmocka_unit_test(reads_the_global_options),
		cmocka_unit_test(finds_the_state_directory),
		cmocka_unit_test(finds_the_users_own_file_before_the_systems),
		cmocka_unit_test(
		    takes_from_defaults_what_an_account_leaves_out),
		cmocka_unit_test(keeps_a_password_to_the_letter),
		cmocka_unit_test(expands_the_home_directory),
		cmocka_unit_test(delivers_to_the_home_of_the_user_it_runs_as),
		cmocka_unit_test(reads_the_file_of_the_benchmarks),
		cmocka_unit_test(reads_a_thousand_accounts),
		cmocka_unit_test(refuses_values_out_of_range),
		cmocka_unit_test(refuses_what_may_not_go_on_the_wire),
		cmocka_unit_test(names_the_line_and_what_to_do),
		cmocka_unit_test(
		    tells_every_unknown_option_and_the_nearest_right_one),
		cmocka_unit_test(tells_a_broken_grammar_and_what_came_before),
		cmocka_unit_test(never_shows_a_part_of_a_password),
		cmocka_unit_test(wants_a_private_file_for_a_password),
		cmocka_unit_test(wants_a_private_file_for_an_included_password),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(finds_accounts_and_the_nearest),
		cmocka_unit_test(sums_an_account_up),
		cmocka_unit_test(sums_every_destination_up),
		cmocka_unit_test(says_in_a_summary_who_delivers),
		cmocka_unit_test(puts_brackets_around_an_address_in_a_summary),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
