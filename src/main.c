/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/conf.h"
#include "io/https.h"
#include "io/sandbox.h"
#include "proc/check_online.h"
#include "proc/clerk.h"
#include "proc/commands.h"
#include "proc/daemon.h"
#include "proc/deliverer.h"
#include "proc/engine.h"
#include "proc/held.h"
#include "proc/init.h"
#include "proc/kerberos.h"
#include "proc/login.h"
#include "proc/reader_main.h"
#include "proc/scout.h"
#include "proc/setup.h"
#include "proc/spawn.h"
#include "proc/supervisor.h"
#include "proc/trust.h"
#include "proc/users_join.h"
#include "util/mem.h"

/* Arguments and sub-commands, nothing else. */

/* What libconfuse has of a section, and lets go when all is read. */
#define LARGE_OCTETS 4096

struct arguments {
	const char *path; /* of the configuration; NULL: the usual places */
	struct supervisor_options options;
	bool full, json, watch, online, pop3;
	struct login_options login;
	const char *command;
	const char *const *rest;
	size_t n;
};

static int
usage(FILE *out)
{
	fputs("usage: mailhaul [-c FILE] run [-v]\n"
	      "       mailhaul [-c FILE] fetch [-qv] [--exit-new] "
	      "[ACCOUNT...]\n"
	      "       mailhaul [-c FILE] fetch [-qv] --full ACCOUNT "
	      "MESSAGE...\n"
	      "       mailhaul [-c FILE] check [ACCOUNT...]\n"
	      "       mailhaul [-c FILE] check --online [-qv] [--json] "
	      "[ACCOUNT...]\n"
	      "       mailhaul [-c FILE] list [-qv] [--json] ACCOUNT\n"
	      "       mailhaul [-c FILE] status [--json] [--watch] "
	      "[ACCOUNT...]\n"
	      "       mailhaul [-c FILE] poll|pause|resume [ACCOUNT...]\n"
	      "       mailhaul [-c FILE] reload\n"
	      "       mailhaul [-c FILE] login [--device|--listen] ACCOUNT\n"
	      "       mailhaul [-c FILE] login --paste [--redirect URL] "
	      "ACCOUNT\n"
	      "       mailhaul [-c FILE] held [list] [--json] [ACCOUNT]\n"
	      "       mailhaul [-c FILE] held show [--json] ACCOUNT "
	      "MESSAGE...\n"
	      "       mailhaul [-c FILE] held retry [ACCOUNT [MESSAGE...]]\n"
	      "       mailhaul [-c FILE] held drop ACCOUNT MESSAGE...\n"
	      "       mailhaul setup [--pop3] ADDRESS\n"
	      "       mailhaul --help | --version\n",
	    out);
	return out == stdout ? EX_OK : EX_USAGE;
}

static struct conf *
load(const char *path)
{
	char **errors;
	size_t n;
	struct conf *conf = conf_load(path, &errors, &n);

	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "%s\n", errors[i]);
	conf_errors_free(&errors, &n);
	return conf;
}

/* ---- accounts of users ---- */

/* Whether the mistakes of a user are of any interest: "user alice: ...". */
static bool
is_about(const char *line, const char *account)
{
	const char *slash = strchr(account, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - account);

	return n > 0 && strncmp(line, "user ", 5) == 0 &&
	    strncmp(line + 5, account, n) == 0 && line[5 + n] == ':';
}

static void
say_mistake(const void *arg, const char *line)
{
	const struct arguments *a = arg;
	bool told = a->n == 0;

	for (size_t i = 0; i < a->n; i++)
		told = told || is_about(line, a->rest[i]);
	if (told && !a->options.quiet)
		fprintf(stderr, "%s\n", line);
}

/* Those of root's own are there without a look into the users' files. */
static void
join_users(struct conf *conf, const struct arguments *a)
{
	bool meant = a->n == 0;

	for (size_t i = 0; i < a->n; i++)
		meant = meant || strchr(a->rest[i], '/') != NULL;
	if (meant)
		users_join(conf, say_mistake, a);
}

/* ---- commands ---- */

/* Of the daemon, which may run although the file is broken by now; or NULL,
 * and what is wrong was told. */
static char *
find_control(const char *path)
{
	char **errors;
	size_t n;
	struct conf *conf = conf_load(path, &errors, &n);
	char *control = conf_control(path);

	if (conf == NULL && (control == NULL || access(control, F_OK) != 0)) {
		for (size_t i = 0; i < n; i++)
			fprintf(stderr, "%s\n", errors[i]);
		free(control);
		control = NULL;
	}
	conf_errors_free(&errors, &n);
	conf_free(&conf);
	return control;
}

static int
fetch(const struct arguments *a)
{
	struct conf *conf;
	int status = EX_OK;
	size_t n = a->n;

	if (a->full && n < 2)
		return usage(stderr);
	conf = load(a->path);
	if (conf == NULL)
		return EX_CONFIG;
	if (a->full) {
		join_users(conf, a);
		status = held_want_full(conf, a->rest[0], a->rest + 1, n - 1);
		n = 1;
	}
	if (status == EX_OK) {
		status = command_fetch(conf->control, a->rest, n, &a->options);
		if (status < 0) { /* no daemon does it */
			if (!a->full)
				join_users(conf, a);
			status =
			    supervisor_fetch(conf, a->rest, n, &a->options);
		}
	}
	conf_free(&conf);
	return status;
}

static int
run(const struct arguments *a)
{
	struct daemon_options options = { .verbose = a->options.verbose };
	struct conf *conf;

	if (a->n > 0)
		return usage(stderr);
	init_step_aside();
	conf = load(a->path);
	return conf == NULL ? EX_CONFIG : daemon_run(conf, &options);
}

static int
say_status(const struct arguments *a)
{
	char *control = find_control(a->path);
	int status = EX_CONFIG;

	if (control != NULL)
		status =
		    command_status(control, a->rest, a->n, a->json, a->watch);
	free(control);
	return status;
}

/* -1: that is no order. */
static int
verb_of(const char *command)
{
	static const struct {
		const char *name;
		enum control_type verb;
	} all[] = {
		{ "poll", CONTROL_POLL },
		{ "pause", CONTROL_PAUSE },
		{ "resume", CONTROL_RESUME },
		{ "reload", CONTROL_RELOAD },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strcmp(command, all[i].name) == 0)
			return (int)all[i].verb;
	return -1;
}

static int
order(const struct arguments *a, enum control_type verb)
{
	char *control;
	int status = EX_CONFIG;

	if (verb == CONTROL_RELOAD && a->n > 0)
		return usage(stderr);
	control = find_control(a->path);
	if (control != NULL)
		status = command_order(control, verb, a->rest, a->n);
	free(control);
	return status;
}

static int
held(const struct arguments *a)
{
	struct conf *conf = load(a->path);
	int status = EX_CONFIG;

	if (conf != NULL && a->n > 0)
		join_users(conf, a);
	if (conf != NULL)
		status = held_command(conf, a->rest, a->n, a->json);
	conf_free(&conf);
	return status;
}

/* Another place to end up at is for pasting alone. */
static bool
fits(const struct login_options *o)
{
	return o->redirect == NULL || o->way == LOGIN_PASTE;
}

static int
login(const struct arguments *a)
{
	struct conf *conf;
	int status;

	if (a->n != 1 || !fits(&a->login))
		return usage(stderr);
	conf = load(a->path);
	if (conf == NULL)
		return EX_CONFIG;
	join_users(conf, a);
	status = login_run(conf, a->rest[0], &a->login);
	conf_free(&conf);
	return status;
}

static int
say_account(struct conf *conf, const char *name)
{
	struct conf_account *a = conf_find(conf, name);
	char line[CONF_NO_ACCOUNT_MAX];
	struct err e;

	if (a != NULL && trust_check(a, &e) != 0) {
		fprintf(
		    stderr, "%s: account %s: %s\n", a->where, a->name, e.text);
		return EX_CONFIG;
	}
	if (a != NULL) {
		printf(
		    "%s: %s\n", a->name, conf_summary(a, line, sizeof(line)));
		return EX_OK;
	}
	fprintf(
	    stderr, "%s\n", conf_no_account(conf, name, line, sizeof(line)));
	return EX_USAGE;
}

/* By looking at the servers. */
static int
survey(struct conf *conf, const struct arguments *a, bool mailboxes)
{
	const struct check_options options = { .mailboxes = mailboxes,
		.json = a->json,
		.quiet = a->options.quiet,
		.verbose = a->options.verbose };

	return check_online(conf, a->rest, a->n, &options);
}

static int
list(const struct arguments *a)
{
	struct conf *conf;
	int status;

	if (a->n != 1)
		return usage(stderr);
	conf = load(a->path);
	if (conf == NULL)
		return EX_CONFIG;
	join_users(conf, a);
	status = survey(conf, a, true);
	conf_free(&conf);
	return status;
}

static int
check(const struct arguments *a)
{
	struct conf *conf = load(a->path);
	int status = EX_OK;

	if (conf == NULL)
		return EX_CONFIG;
	join_users(conf, a);
	if (a->online) {
		status = survey(conf, a, false);
		conf_free(&conf);
		return status;
	}
	for (size_t i = 0; a->n == 0 && i < conf->n; i++)
		if (say_account(conf, conf->accounts[i].name) != EX_OK)
			status = EX_CONFIG;
	for (size_t i = 0; i < a->n; i++) {
		int said = say_account(conf, a->rest[i]);

		if (status == EX_OK || said == EX_USAGE)
			status = said;
	}
	conf_free(&conf);
	return status;
}

static int
setup(const struct arguments *a)
{
	return a->n == 1 ? setup_command(a->rest[0], a->pop3) : usage(stderr);
}

/* -1: go on; else the exit status. */
static int
read_options(struct arguments *a, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "exit-new", no_argument, NULL, 'n' },
		{ "full", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "watch", no_argument, NULL, 'w' },
		{ "device", no_argument, NULL, 'D' },
		{ "paste", no_argument, NULL, 'P' },
		{ "listen", no_argument, NULL, 'L' },
		{ "redirect", required_argument, NULL, 'R' },
		{ "online", no_argument, NULL, 'o' },
		{ "pop3", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:hqvV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			a->path = optarg;
			break;
		case 'q':
			a->options.quiet = true;
			break;
		case 'v':
			a->options.verbose++;
			break;
		case 'n':
			a->options.exit_new = true;
			break;
		case 'f':
			a->full = true;
			break;
		case 'j':
			a->json = true;
			break;
		case 'w':
			a->watch = true;
			break;
		case 'D':
			a->login.way = LOGIN_DEVICE;
			break;
		case 'P':
			a->login.way = LOGIN_PASTE;
			break;
		case 'L':
			a->login.way = LOGIN_LISTEN;
			break;
		case 'R':
			a->login.redirect = optarg;
			break;
		case 'o':
			a->online = true;
			break;
		case 'p':
			a->pop3 = true;
			break;
		case 'h':
			return usage(stdout);
		case 'V':
			puts("mailhaul " MAILHAUL_VERSION);
			return EX_OK;
		default:
			return usage(stderr);
		}
	}
	return -1;
}

/* A descriptor of ours that came to lie on 0 to 2 would be printed to. What
 * is missing is opened so that using it fails as if it were closed. */
static void
fill_stdio(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null",
			fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(EX_OSERR);
}

/* What was asked for and is not written is no success. */
static int
flush(int status)
{
	errno = EIO; /* it may have failed before: why is forgotten */
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	fprintf(stderr, "mailhaul: cannot write to standard output: %s\n",
	    strerror(errno));
	return status < EX__BASE ? EX_IOERR : status;
}

static int
act(const struct arguments *a)
{
	int verb = verb_of(a->command);

	if (verb >= 0)
		return order(a, (enum control_type)verb);
	if (strcmp(a->command, "run") == 0)
		return run(a);
	if (strcmp(a->command, "status") == 0)
		return say_status(a);
	if (strcmp(a->command, "fetch") == 0)
		return fetch(a);
	if (strcmp(a->command, "check") == 0)
		return check(a);
	if (strcmp(a->command, "list") == 0)
		return list(a);
	if (strcmp(a->command, "held") == 0)
		return held(a);
	if (strcmp(a->command, "login") == 0)
		return login(a);
	if (strcmp(a->command, "setup") == 0)
		return setup(a);
	fprintf(stderr, "mailhaul: there is no command \"%s\"\n", a->command);
	return usage(stderr);
}

static int
command(struct arguments *a, int argc, char **argv)
{
	int said = read_options(a, argc, argv);

	if (said >= 0)
		return said;
	if (optind == argc)
		return usage(stderr);
	a->command = argv[optind];
	a->rest = (const char *const *)&argv[optind + 1];
	a->n = (size_t)(argc - optind - 1);
	return act(a);
}

int
main(int argc, char **argv)
{
	struct arguments a = { 0 };

	fill_stdio();
	(void)sandbox_core(NULL); /* the configuration may hold passwords */
	if (strcmp(argv[0], SPAWN_ENGINE) == 0) {
		spawn_name(argv[0]);
		return engine_main();
	}
	if (strcmp(argv[0], SPAWN_DELIVERER) == 0) {
		spawn_name(argv[0]);
		return deliverer_main();
	}
	if (strcmp(argv[0], SPAWN_READER) == 0) {
		spawn_name(argv[0]);
		return reader_main();
	}
	if (strcmp(argv[0], SPAWN_CLERK) == 0) {
		spawn_name(argv[0]);
		return clerk_main();
	}
	if (strcmp(argv[0], SPAWN_SCOUT) == 0) {
		spawn_name(argv[0]);
		return scout_main();
	}
	if (strcmp(argv[0], KERBEROS_ROLE) == 0) {
		spawn_name(argv[0]);
		return kerberos_main(argc, argv);
	}
	if (strcmp(argv[0], HTTPS_ROLE) == 0) {
		spawn_name(argv[0]);
		return https_main();
	}
	mem_tune(LARGE_OCTETS);
	return flush(command(&a, argc, argv));
}
