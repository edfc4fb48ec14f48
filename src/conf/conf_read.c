/* SPDX-License-Identifier: ISC */
#include "conf/conf_read.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_account.h"
#include "conf/conf_daemon.h"
#include "conf/conf_delivery.h"
#include "conf/conf_kind.h"
#include "conf/conf_login.h"
#include "conf/conf_oauth2.h"
#include "conf/conf_options.h"
#include "conf/conf_route.h"
#include "conf/conf_tls.h"
#include "conf/conf_value.h"
#include "conf/conf_watch.h"
#include "sys/file.h"
#include "util/mem.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* ---- names ---- */

#define NAMES_MAX 128

static const char *const *
names(const char *to[NAMES_MAX], struct conf_options o)
{
	size_t i;

	assert(o.n < NAMES_MAX);
	for (i = 0; i < o.n; i++)
		to[i] = o.v[i].name;
	to[o.n] = NULL;
	return to;
}

struct conf_words
conf_words(void)
{
	static const char *global[NAMES_MAX], *account[NAMES_MAX];
	static const char *oauth2[NAMES_MAX];

	return (struct conf_words){
		.global = names(global, conf_global_options()),
		.account = names(account, conf_account_options()),
		.oauth2 = names(oauth2, conf_oauth2_options()),
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
	check_group(r, s, conf_sources,
	    "there can be one source of a password, remove the others");
	check_group(
	    r, s, conf_destinations, "two destinations, remove one of them");
}

static bool
is_replaced(const char *name, const struct conf_section *own)
{
	if (conf_is_in(conf_sources, name))
		return first_in(own, conf_sources) != NULL;
	return conf_is_in(conf_destinations, name) &&
	    first_in(own, conf_destinations) != NULL;
}

/* The options an account does not set come from defaults; but a password and
 * a destination of its own, of whatever kind, take the place of theirs. */
static void
read_options(struct conf_reader *r, const struct conf_section *own,
    const struct conf_section *defaults, struct conf_account *a)
{
	const struct conf_options all = conf_account_options();
	size_t i;

	free(r->home);
	r->home = NULL;
	for (i = 0; i < all.n; i++) {
		const struct conf_option *o = &all.v[i];
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
	conf_route_finish(r, own, a);
	conf_tls_finish(r, own, a);
	conf_login_finish(r, own, a);
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
	const struct conf_options all = conf_global_options();
	size_t i;

	for (i = 0; i < all.n; i++) {
		const struct conf_option *o = &all.v[i];
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
	conf_oauth2_check(&reader);
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
