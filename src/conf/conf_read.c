/* SPDX-License-Identifier: ISC */
#include "conf/conf_read.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_account.h"
#include "conf/conf_daemon.h"
#include "conf/conf_delivery.h"
#include "conf/conf_delivery_kind.h"
#include "conf/conf_kind.h"
#include "conf/conf_list.h"
#include "conf/conf_user_kind.h"
#include "conf/conf_value.h"
#include "conf/conf_watch.h"
#include "sys/file.h"
#include "util/mem.h"

#define MINUTE_S UINT64_C(60)
#define HOUR_S UINT64_C(3600)
#define DAY_S UINT64_C(86400)
#define SIZE_LIMIT (UINT64_C(1) << 40)

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* ---- the options ---- */

/* In the order of the enums in conf.h and log.h. */
static const char *const protocols[] = { "imap", "pop3", NULL };

static const char *const tls_modes[] = { "implicit", "starttls", "none", NULL };

static const char *const auths[] = { "auto", "plain", "login", NULL };

static const char *const watches[] = { "idle", "poll", NULL };

static const char *const afters[] = { "keep", "delete", NULL };

static const char *const oversizes[] = { "skip", "stub", NULL };

/* The last is CONF_TLS_AUTO. */
static const char *const delivery_tls_modes[] = { "implicit", "starttls",
	"none", "auto", NULL };

static const char *const levels[] = { "error", "warning", "notice", "info",
	"debug", "trace", NULL };

static const char *const formats[] = { "auto", "text", "journal", "json",
	"syslog", NULL };

/* clang-format off */
#define GLOBAL(field) .at = offsetof(struct conf, field)
#define FIELD(field) .at = offsetof(struct conf_account, field)

static const struct conf_option global_options[] = {
	{ "log-level", conf_read_choice, GLOBAL(log_level), .words = levels },
	{ "state-dir", conf_read_path, GLOBAL(state_dir) },
	{ "max-connections-per-host", conf_read_number,
	    GLOBAL(max_connections_per_host), .min = 1, .max = 1000000 },
	{ "log-format", conf_read_choice, GLOBAL(log_format),
	    .words = formats },
	{ "control", conf_read_socket, GLOBAL(control) },
	{ "control-group", conf_read_group, GLOBAL(control_group) },
	{ "user", conf_read_engine_user, GLOBAL(engine_user) },
	{ "users", conf_read_users, GLOBAL(users) },
	{ "user-accounts", conf_read_number, GLOBAL(user_accounts),
	    .min = 1, .max = 1000 },
	{ "user-connections", conf_read_number, GLOBAL(user_connections),
	    .min = 1, .max = 1000 },
	{ "user-password-command", conf_read_bool, GLOBAL(user_commands) },
	{ "stop-timeout", conf_read_seconds, GLOBAL(stop_timeout_s),
	    .min = 1, .max = HOUR_S },
	{ "notify-command", conf_read_command, GLOBAL(notify_command) },
	{ "notify-after", conf_read_seconds_64, GLOBAL(notify_after_s),
	    .min = 0, .max = 7 * DAY_S },
	{ "metrics", conf_read_metrics, GLOBAL(metrics) },
};

static const struct conf_option account_options[] = {
	{ "run-as", conf_read_run_as, FIELD(run_as) }, /* says what "~" is */
	{ "protocol", conf_read_choice, FIELD(protocol), .words = protocols },
	{ "host", conf_read_text, FIELD(host), .check = conf_check_host },
	{ "port", conf_read_number, FIELD(port), .min = 1, .max = 65535 },
	{ "tls", conf_read_choice, FIELD(tls), .words = tls_modes },
	{ "tls-ca-file", conf_read_path, FIELD(tls_ca_file) },
	{ "tls-name", conf_read_text, FIELD(tls_name),
	    .check = conf_check_host },
	{ "auth", conf_read_choice, FIELD(auth), .words = auths },
	{ "user", conf_read_text, FIELD(user), .check = conf_check_wire },
	{ "password", conf_read_password, FIELD(secret.literal) },
	{ "password-file", conf_read_path, FIELD(secret.file) },
	{ "password-command", conf_read_command, FIELD(secret.command) },
	{ "password-credential", conf_read_text, FIELD(secret.credential),
	    .check = conf_check_credential },
	{ "mailboxes", conf_read_mailboxes, FIELD(mailboxes) },
	{ "watch", conf_read_choice, FIELD(watch), .words = watches },
	{ "interval", conf_read_seconds_64, FIELD(interval_s),
	    .min = 10, .max = 30 * DAY_S },
	{ "idle-renew", conf_read_seconds, FIELD(idle_renew_s),
	    .min = 10, .max = 29 * MINUTE_S },
	{ "max-connections", conf_read_number, FIELD(max_connections),
	    .min = 1, .max = 100 },
	{ "notify", conf_read_bool, FIELD(notify) },
	{ "list-status", conf_read_bool, FIELD(list_status) },
	{ "after", conf_read_choice, FIELD(after), .words = afters },
	{ "expunge-others", conf_read_bool, FIELD(expunge_others) },
	{ "maildir", conf_read_target, FIELD(maildir) },
	{ "mda", conf_read_mda, FIELD(mda) },
	{ "lmtp", conf_read_server, FIELD(relay) },
	{ "smtp", conf_read_server, FIELD(relay) },
	{ "mbox", conf_read_target, FIELD(mbox) },
	{ "maildir-folders", conf_read_bool, FIELD(maildir_folders) },
	{ "keep-flags", conf_read_bool, FIELD(keep_flags) },
	{ "mda-timeout", conf_read_seconds, FIELD(mda_timeout_s),
	    .min = 1, .max = DAY_S },
	{ "mda-parallel", conf_read_number, FIELD(mda_parallel),
	    .min = 1, .max = 64 },
	{ "mda-from-line", conf_read_bool, FIELD(mda_from_line) },
	{ "mda-new-privileges", conf_read_bool, FIELD(mda_new_privileges) },
	{ "mda-exit", conf_read_exits, FIELD(mda_exit) },
	{ "recipient", conf_read_addresses, FIELD(recipients) },
	{ "recipient-header", conf_read_text, FIELD(recipient_header),
	    .check = conf_check_field_name },
	{ "recipient-prefix", conf_read_text, FIELD(recipient_prefix),
	    .check = conf_check_wire },
	{ "trace", conf_read_trace, .at = 0 },
	{ "max-size", conf_read_size, FIELD(max_size), .max = SIZE_LIMIT },
	{ "oversize", conf_read_choice, FIELD(oversize), .words = oversizes },
	{ "delivery-parallel", conf_read_number, FIELD(delivery_parallel),
	    .min = 1, .max = 16 },
	{ "delivery-tls", conf_read_choice, FIELD(delivery_tls),
	    .words = delivery_tls_modes },
	{ "delivery-tls-ca-file", conf_read_path, FIELD(delivery_tls_ca_file) },
	{ "delivery-tls-name", conf_read_text, FIELD(delivery_tls_name),
	    .check = conf_check_host },
	{ "delivery-timeout", conf_read_seconds, FIELD(delivery_timeout_s),
	    .min = 1, .max = HOUR_S },
	{ "helo-name", conf_read_text, FIELD(helo_name),
	    .check = conf_check_helo },
	{ "connect-timeout", conf_read_seconds, FIELD(connect_timeout_s),
	    .min = 1, .max = HOUR_S },
	{ "tls-timeout", conf_read_seconds, FIELD(tls_timeout_s),
	    .min = 1, .max = HOUR_S },
	{ "command-timeout", conf_read_seconds, FIELD(command_timeout_s),
	    .min = 1, .max = DAY_S },
	{ "total-timeout", conf_read_seconds_64, FIELD(total_timeout_s),
	    .min = 0, .max = 30 * DAY_S },
	{ "retries", conf_read_number, FIELD(retries), .min = 0, .max = 20 },
	{ "pipelining", conf_read_bool, FIELD(pipelining) },
	{ "capa", conf_read_bool, FIELD(capa) },
	{ "id", conf_read_bool, FIELD(id) },
};
/* clang-format on */

static const char *const sources[] = { "password", "password-file",
	"password-command", "password-credential", NULL };

static const char **
names(const char **to, const struct conf_option *o, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = o[i].name;
	to[n] = NULL;
	return to;
}

struct conf_words
conf_words(void)
{
	static const char *global[COUNT(global_options) + 1];
	static const char *account[COUNT(account_options) + 1];

	return (struct conf_words){
		.global = names(global, global_options, COUNT(global_options)),
		.account =
		    names(account, account_options, COUNT(account_options)),
	};
}

/* ---- sections ---- */

static void
read_option(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *base)
{
	o->read(r, o, s, (char *)base + o->at);
}

/* The first of these options in it, or NULL. */
static const struct conf_setting *
first_in(const struct conf_section *s, const char *const *group)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (conf_is_in(group, s->v[i].name))
			return &s->v[i];
	}
	return NULL;
}

/* Of the options of a group a section may have one. */
static void
check_group(struct conf_reader *r, const struct conf_section *s,
    const char *const *group, const char *text)
{
	const struct conf_setting *first = first_in(s, group);
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (&s->v[i] != first && conf_is_in(group, s->v[i].name))
			conf_complain(r->report, s->v[i].at,
			    "%s: %s beside %s: %s", r->who, s->v[i].name,
			    first->name, text);
	}
}

static void
check_groups(struct conf_reader *r, const struct conf_section *s)
{
	check_group(r, s, sources,
	    "there can be one source of a password, remove the others");
	check_group(
	    r, s, conf_destinations, "two destinations, remove one of them");
}

static bool
is_replaced(const char *name, const struct conf_section *own)
{
	if (conf_is_in(sources, name))
		return first_in(own, sources) != NULL;
	return conf_is_in(conf_destinations, name) &&
	    first_in(own, conf_destinations) != NULL;
}

/* The options an account does not set come from defaults; but a password and
 * a destination of its own, of whatever kind, take the place of theirs. */
static void
read_options(struct conf_reader *r, const struct conf_section *own,
    const struct conf_section *defaults, struct conf_account *a)
{
	size_t i;

	free(r->home);
	r->home = NULL;
	for (i = 0; i < COUNT(account_options); i++) {
		const struct conf_option *o = &account_options[i];
		const struct conf_setting *s = conf_section_get(own, o->name);

		if (s == NULL && is_replaced(o->name, own))
			continue;
		r->quiet = s == NULL;
		if (s == NULL && defaults != NULL)
			s = conf_section_get(defaults, o->name);
		if (s != NULL)
			read_option(r, o, s, a);
	}
	r->quiet = false;
}

/* For its errors alone: they are told once, not for each account. */
static void
check_defaults(struct conf_reader *r, const struct conf_section *s)
{
	struct conf_account a;

	r->who = "defaults";
	conf_account_init(&a);
	check_groups(r, s);
	read_options(r, s, NULL, &a);
	conf_account_deinit(&a);
}

/* ---- accounts ---- */

static void
check_missing(struct conf_reader *r, const struct conf_section *s,
    const struct conf_account *a)
{
	const struct {
		const char *value, *name, *example;
	} needed[] = {
		{ a->host, "host", "\"imap.example.org\"" },
		{ a->user, "user", "\"alice\"" },
	};

	size_t i;

	for (i = 0; i < COUNT(needed); i++) {
		if (needed[i].value == NULL)
			conf_complain(r->report, s->at,
			    "%s: %s is missing: add %s = %s", r->who,
			    needed[i].name, needed[i].name, needed[i].example);
	}
}

static unsigned int
default_port(const struct conf_account *a)
{
	if (a->protocol == CONF_IMAP)
		return a->tls == CONF_TLS_IMPLICIT ? 993 : 143;
	return a->tls == CONF_TLS_IMPLICIT ? 995 : 110;
}

static void
finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	conf_watch_finish(r, own, a);
	if (a->port == 0)
		a->port = default_port(a);
	conf_delivery_finish(r, own, a);
}

static void
read_account(
    struct conf_reader *r, const struct conf_section *s, struct conf_account *a)
{
	char *who = mem_printf("account %s", s->title);
	const char *wrong = conf_check_account_name(s->title);

	r->who = who;
	conf_account_init(a);
	a->name = mem_strdup(s->title);
	a->where = mem_printf("%s:%u", s->at.path, s->at.line);
	if (wrong != NULL)
		conf_complain(
		    r->report, s->at, "the name of an account %s", wrong);
	check_groups(r, s);
	read_options(r, s, &r->tree->defaults, a);
	if (!r->tree->broken)
		check_missing(r, s, a);
	finish(r, s, a);
	r->who = NULL;
	free(who);
}

/* ---- all ---- */

static char *
default_state_dir(struct conf_report *r, struct conf_place at)
{
	const char *service = getenv("STATE_DIRECTORY"); /* of systemd */
	const char *xdg = getenv("XDG_STATE_HOME");
	struct err e;
	char *dir;

	if (service != NULL && service[0] == '/') /* may be "a:b" */
		return mem_spandup(
		    span_make(service, span_find(span_of(service), ':')));
	if (geteuid() == 0)
		return mem_strdup("/var/lib/mailhaul");
	if (xdg != NULL && xdg[0] == '/')
		return mem_printf("%s/mailhaul", xdg);
	dir = file_expand("~/.local/state/mailhaul", &e);
	if (dir == NULL)
		conf_complain(r, at, "no state-dir: set it (%s)", e.text);
	return dir;
}

/* A user's own file may say how much is logged: that matters where it is
 * the only one. */
static bool
is_theirs(struct conf_reader *r, const struct conf_setting *s)
{
	if (!r->tree->own || strcmp(s->name, "log-level") == 0)
		return true;
	conf_refuse(r, s, "is the administrator's: remove it");
	return false;
}

static void
read_global(struct conf_reader *r, struct conf *c, struct conf_place whole)
{
	size_t i;

	for (i = 0; i < COUNT(global_options); i++) {
		const struct conf_option *o = &global_options[i];
		const struct conf_setting *s =
		    conf_section_get(&r->tree->global, o->name);

		if (s != NULL && is_theirs(r, s))
			read_option(r, o, s, c);
	}
	if (c->state_dir == NULL)
		c->state_dir = default_state_dir(r->report, whole);
	conf_daemon_finish(c);
}

struct conf *
conf_read(const struct conf_tree *t, struct conf_report *r)
{
	struct conf_reader reader = { .tree = t, .report = r };
	struct conf_place whole = { .path = "mailhaul" };
	struct conf *c = mem_new(sizeof(*c));

	if (t->n_files > 0)
		whole.path = t->files[0].path;
	c->log_level = LOG_LEVEL_INFO;
	c->max_connections_per_host = 8;
	conf_daemon_init(c);
	read_global(&reader, c, whole);
	check_defaults(&reader, &t->defaults);
	c->accounts = mem_array(t->n_accounts, sizeof(*c->accounts));
	for (; c->n < t->n_accounts; c->n++)
		read_account(&reader, &t->accounts[c->n], &c->accounts[c->n]);
	conf_daemon_warn(c, whole.path);
	free(reader.home);
	if (c->n == 0 && c->users.n == 0 && !t->broken && !t->own && r->n == 0)
		conf_complain(
		    r, whole, "there is no account: add account NAME { ... }");
	return c;
}
