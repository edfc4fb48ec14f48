/* SPDX-License-Identifier: ISC */
#include "conf/conf_daemon.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/conf_delivery_kind.h"
#include "conf/conf_list.h"
#include "util/mem.h"

/* What root's daemon has where, see conf_read.c and mailhaul.conf(5). */
#define ROOT_STATE_DIR "/var/lib/mailhaul"
#define ENGINE_USER "mailhaul"

void
conf_read_socket(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	struct sockaddr_un address;
	char **path = field;

	conf_read_path(r, o, s, field);
	if (*path != NULL && strlen(*path) >= sizeof(address.sun_path))
		conf_refuse(
		    r, s, "is too long for a socket: at most 107 octets");
}

void
conf_read_metrics(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	struct conf_server *to = field;
	size_t before = r->report->n;

	conf_read_server(r, o, s, field);
	if (r->report->n > before || (to->socket == NULL && to->host == NULL))
		return;
	if (!conf_server_is_here(to))
		conf_refuse_value(r, s,
		    "is not this host, and nobody is asked who he is: write "
		    "127.0.0.1:9099, [::1]:9099 or unix:/path");
	else if (to->host != NULL && to->port == 0)
		conf_refuse_value(
		    r, s, "has no port: write it as 127.0.0.1:9099");
}

void
conf_daemon_init(struct conf *c)
{
	c->log_format = LOG_AUTO;
	c->user_accounts = 10;
	c->user_connections = 8;
	c->stop_timeout_s = 20;
	c->notify_after_s = 600;
}

/* The same for the daemon and for those that ask it: it depends on nothing
 * but who we are and the state. */
static char *
default_control(const char *state_dir)
{
	if (geteuid() == 0 && strcmp(state_dir, ROOT_STATE_DIR) == 0)
		return mem_strdup(CONF_SYSTEM_CONTROL);
	return mem_printf("%s/control", state_dir);
}

void
conf_daemon_finish(struct conf *c)
{
	if (c->control == NULL)
		c->control =
		    default_control(c->state_dir == NULL ? "" : c->state_dir);
	if (c->engine_user == NULL && geteuid() == 0 &&
	    getpwnam(ENGINE_USER) != NULL)
		c->engine_user = mem_strdup(ENGINE_USER);
}

static void
warn(struct conf *c, char *text)
{
	conf_list_add(&c->warnings, text);
	free(text);
}

/* They may come later, or the name is misspelt: who knows? */
static void
warn_of_missing(struct conf *c, const char *path)
{
	size_t i;

	for (i = 0; i < c->users.n; i++) {
		const char *name = c->users.v[i];
		bool group = name[0] == '@';

		if (group ? getgrnam(name + 1) == NULL : getpwnam(name) == NULL)
			warn(c,
			    mem_printf("%s: users = \"%s\": there is no such "
				       "%s now",
				path, name, group ? "group" : "user"));
	}
}

/* What a letter makes happen there (a program, a file that is not where it
 * seems to be) happens with all privileges. */
static bool
delivers_as_root(const struct conf_account *a)
{
	return a->run_as == NULL && a->way != CONF_LMTP && a->way != CONF_SMTP;
}

void
conf_daemon_warn(struct conf *c, const char *path)
{
	size_t i;

	if (geteuid() != 0)
		return;
	if (c->engine_user == NULL)
		warn(c,
		    mem_printf("%s: what talks to the servers runs as root: "
			       "add a user %s, or user = NAME",
			path, ENGINE_USER));
	warn_of_missing(c, path);
	for (i = 0; i < c->n; i++) {
		const struct conf_account *a = &c->accounts[i];

		if (delivers_as_root(a))
			warn(c,
			    mem_printf("%s: account %s: delivers as root: add "
				       "run-as = NAME",
				a->where, a->name));
	}
}
