/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_account.h"
#include "conf/conf_daemon.h"
#include "conf/conf_dir.h"
#include "conf/conf_list.h"
#include "conf/conf_options.h"
#include "conf/conf_parse.h"
#include "conf/conf_read.h"
#include "conf/conf_report.h"
#include "conf/conf_tree.h"
#include "sys/file.h"
#include "util/mem.h"
#include "util/text.h"

#define SYSTEM_PATH "/etc/mailhaul/mailhaul.conf"

static char *
default_path(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	char *path;

	if (xdg != NULL && xdg[0] == '/')
		path = mem_printf("%s/mailhaul/mailhaul.conf", xdg);
	else
		path = file_expand("~/.config/mailhaul/mailhaul.conf", NULL);
	if (path != NULL && access(path, F_OK) == 0)
		return path;
	free(path);
	return mem_strdup(SYSTEM_PATH);
}

/* As far as it makes sense. */
static struct conf *
read_all(const struct conf_list *files, bool own, const char *path,
    struct conf_report *report)
{
	struct conf_words words = conf_words();
	struct conf_tree tree;
	struct conf *c;

	conf_tree_init(&tree);
	conf_report_init(report);
	conf_parse(&tree, files, own, &words, report);
	c = conf_read(&tree, report);
	c->path = mem_strdup(path);
	conf_tree_deinit(&tree);
	return c;
}

static struct conf *
load(const struct conf_list *files, bool own, const char *path, char ***errors,
    size_t *n_errors)
{
	struct conf_report report;
	struct conf *c = read_all(files, own, path, &report);

	if (report.n > 0)
		conf_free(&c);
	*errors = conf_report_take(&report, n_errors);
	return c;
}

struct conf *
conf_load(const char *path, char ***errors, size_t *n_errors)
{
	char *name = path == NULL ? default_path() : mem_strdup(path);
	struct conf_list files = { 0 };
	struct conf *c;

	conf_list_add(&files, name);
	c = load(&files, false, name, errors, n_errors);
	conf_list_free(&files);
	free(name);
	return c;
}

static char *
read_control(const struct conf_list *files, const char *path)
{
	struct conf_report report;
	struct conf *c = read_all(files, false, path, &report);
	char *control = mem_strdup(c->control);
	char **errors;
	size_t n;

	errors = conf_report_take(&report, &n);
	conf_errors_free(&errors, &n);
	conf_free(&c);
	return control;
}

char *
conf_control(const char *path)
{
	char *name = path == NULL ? default_path() : mem_strdup(path);
	struct conf_list files = { 0 };
	char *control = NULL;

	conf_list_add(&files, name);
	if (access(name, R_OK) == 0)
		control = read_control(&files, name);
	else if (errno != ENOENT)
		control = mem_strdup(CONF_SYSTEM_CONTROL);
	conf_list_free(&files);
	free(name);
	return control;
}

struct conf *
conf_load_dir(const char *dir, char ***errors, size_t *n_errors)
{
	struct conf_place at = { .path = dir };
	struct conf_list files = { 0 };
	struct conf_report report;
	struct conf *c = NULL;

	if (conf_dir_paths(&files, dir) < 0) {
		conf_report_init(&report);
		conf_complain(&report, at, "%s", strerror(errno));
		*errors = conf_report_take(&report, n_errors);
	} else {
		c = load(&files, true, dir, errors, n_errors);
	}
	conf_list_free(&files);
	return c;
}

void
conf_free(struct conf **c)
{
	size_t i;

	if (*c == NULL)
		return;
	for (i = 0; i < (*c)->n; i++)
		conf_account_deinit(&(*c)->accounts[i]);
	free((*c)->accounts);
	free((*c)->path);
	free((*c)->state_dir);
	free((*c)->control);
	free((*c)->control_group);
	free((*c)->engine_user);
	conf_list_free(&(*c)->users);
	conf_list_free(&(*c)->notify_command);
	free((*c)->metrics.socket);
	free((*c)->metrics.host);
	conf_list_free(&(*c)->warnings);
	free(*c);
	*c = NULL;
}

void
conf_errors_free(char ***errors, size_t *n)
{
	size_t i;

	for (i = 0; *errors != NULL && i < *n; i++)
		free((*errors)[i]);
	free(*errors);
	*errors = NULL;
	*n = 0;
}

struct conf_account *
conf_find(struct conf *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (strcmp(c->accounts[i].name, name) == 0)
			return &c->accounts[i];
	}
	return NULL;
}

const char *
conf_nearest(const struct conf *c, const char *name)
{
	const char **names = mem_array(c->n + 1, sizeof(*names));
	const char *nearest;
	size_t i;

	for (i = 0; i < c->n; i++)
		names[i] = c->accounts[i].name;
	nearest = conf_nearest_word(name, names);
	free(names);
	return nearest;
}

char *
conf_no_account(const struct conf *c, const char *name, char *dst, size_t size)
{
	const char *near = conf_nearest(c, name);

	snprintf(dst, size, "there is no account \"%s\" in %s%s%s%s", name,
	    c->path, near == NULL ? "" : "; did you mean \"",
	    near == NULL ? "" : near, near == NULL ? "" : "\"?");
	return dst;
}

/* As the user would write it. */
static char *
short_path(const char *path)
{
	char *home = file_expand("~", NULL);
	struct span rest = span_of(path);
	char *text;

	if (home != NULL && home[1] != '\0' &&
	    span_skip(&rest, span_of(home)) &&
	    (rest.n == 0 || rest.p[0] == '/'))
		text = mem_printf("~%s", rest.p);
	else
		text = mem_strdup(path);
	free(home);
	return text;
}

static char *
server_text(const char *protocol, const struct conf_server *s)
{
	bool v6;

	if (s->socket != NULL)
		return mem_printf("%s unix:%s", protocol, s->socket);
	v6 = strchr(s->host, ':') != NULL;
	return mem_printf("%s %s%s%s:%u", protocol, v6 ? "[" : "", s->host,
	    v6 ? "]" : "", s->port);
}

static char *
mbox_text(const char *path)
{
	char *shown = short_path(path), *text = mem_printf("mbox %s", shown);

	free(shown);
	return text;
}

static char *
destination_text(const struct conf_account *a)
{
	const char *slash;

	switch (a->way) {
	case CONF_MAILDIR:
		return short_path(a->maildir);
	case CONF_MDA:
		slash = strrchr(a->mda.v[0], '/');
		return mem_printf(
		    "%s (mda)", slash == NULL ? a->mda.v[0] : slash + 1);
	case CONF_LMTP:
		return server_text("lmtp", &a->relay);
	case CONF_SMTP:
		return server_text("smtp", &a->relay);
	case CONF_MBOX:
		return mbox_text(a->mbox);
	}
	return mem_strdup("");
}

static char *
mailbox_text(const struct conf_account *a)
{
	if (a->mailboxes.n == 0)
		return mem_strdup("");
	if (a->mailboxes.n == 1)
		return mem_printf(", %s", a->mailboxes.v[0]);
	return mem_printf(
	    ", %s + %zu more", a->mailboxes.v[0], a->mailboxes.n - 1);
}

char *
conf_summary(const struct conf_account *a, char *dst, size_t size)
{
	static const char *const tls[] = { "tls", "starttls", "no tls" };
	bool v6 = strchr(a->host, ':') != NULL;
	char *to = destination_text(a), *boxes = mailbox_text(a);
	char *text;

	text = mem_printf("%s %s@%s%s%s:%u (%s%s%s)%s -> %s%s%s, %s",
	    a->protocol == CONF_IMAP ? "imap" : "pop3", a->user, v6 ? "[" : "",
	    a->host, v6 ? "]" : "", a->port, tls[a->tls],
	    a->auth == CONF_AUTH_AUTO ? "" : ", ",
	    a->auth == CONF_AUTH_AUTO ? "" : conf_auth_name(a->auth), boxes, to,
	    a->run_as == NULL ? "" : " as ", a->run_as == NULL ? "" : a->run_as,
	    a->after == CONF_KEEP ? "keep" : "delete");
	text_printable(dst, size, span_of(text));
	free(text);
	free(boxes);
	free(to);
	return dst;
}
