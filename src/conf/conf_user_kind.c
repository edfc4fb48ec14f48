/* SPDX-License-Identifier: ISC */
#include "conf/conf_user_kind.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_list.h"
#include "util/mem.h"
#include "util/text.h"

#define USER_MAX_OCTETS 64

static void
replace(void *field, const char *text)
{
	char **to = field;

	free(*to);
	*to = mem_strdup(text);
}

/* Names go into paths and messages. What more a system allows is its own
 * matter. */
static const char *
check_name(const char *s)
{
	char shown[4 * USER_MAX_OCTETS + 1];

	if (s[0] == '\0')
		return "an empty name is nobody's";
	if (strlen(s) > USER_MAX_OCTETS)
		return "a name has at most 64 octets";
	text_printable(shown, sizeof(shown), span_of(s));
	if (strcmp(shown, s) != 0 || strpbrk(s, " /:@,") != NULL ||
	    s[0] == '-' || s[0] == '.')
		return "that is no name of a user";
	return NULL;
}

/* A user that is there and is not root. */
static const char *
check_user(const char *name, struct passwd **found)
{
	const char *wrong = check_name(name);

	if (wrong != NULL)
		return wrong;
	*found = getpwnam(name);
	if (*found == NULL)
		return "there is no such user";
	if ((*found)->pw_uid == 0)
		return "that is root: choose a user without privileges";
	return NULL;
}

void
conf_read_engine_user(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *name = conf_single(r, s), *wrong;
	struct passwd *pw;

	(void)o;
	if (name == NULL)
		return;
	if (geteuid() != 0 || strchr(name, '@') != NULL)
		wrong = "outside an account it is whom root's daemon talks to "
			"servers as: remove it, or put it into account NAME { "
			"}";
	else
		wrong = check_user(name, &pw);
	if (wrong != NULL)
		conf_refuse_value(r, s, wrong);
	replace(field, name);
}

void
conf_read_group(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *name = conf_single(r, s);

	(void)o;
	if (name == NULL)
		return;
	if (check_name(name) != NULL || getgrnam(name) == NULL)
		conf_refuse_value(r, s, "there is no such group");
	replace(field, name);
}

/* Of a name or "@group". Not that it is there: that would let nobody's mail
 * come because one user has left. */
static const char *
check_entry(const char *entry)
{
	const char *wrong = check_name(entry + (entry[0] == '@'));
	const struct passwd *pw;

	if (wrong != NULL || entry[0] == '@')
		return wrong;
	pw = getpwnam(entry);
	return pw != NULL && pw->pw_uid == 0
	    ? "that is root, whose accounts stand here"
	    : NULL;
}

void
conf_read_users(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	size_t i;

	(void)o;
	if (geteuid() != 0)
		conf_refuse(r, s,
		    "is for root, who alone can be other users: remove it");
	for (i = 0; i < s->values.n; i++) {
		const char *wrong = check_entry(s->values.v[i]);
		char *text;

		if (wrong == NULL)
			continue;
		text = mem_printf("= \"%s\": %s: write names of users, and "
				  "\"@group\"",
		    s->values.v[i], wrong);
		conf_refuse(r, s, text);
		free(text);
	}
	conf_list_copy(field, &s->values);
}

/* NULL and *pw, or what is wrong. */
static const char *
check_run_as(const struct conf_reader *r, const char *name, struct passwd **pw)
{
	if (r->tree->own)
		return "is the administrator's: mail is delivered as you, "
		       "remove it";
	if (geteuid() != 0)
		return "is for root, who alone can be other users: remove it";
	return check_user(name, pw);
}

void
conf_read_run_as(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *name = conf_single(r, s), *wrong;
	struct passwd *pw = NULL;

	(void)o;
	if (name == NULL)
		return;
	wrong = check_run_as(r, name, &pw);
	if (wrong == NULL && pw->pw_dir[0] != '/')
		wrong = "has no home directory";
	if (wrong != NULL) {
		conf_refuse_value(r, s, wrong);
		pw = NULL;
	}
	replace(field, name);
	free(r->home);
	r->home = mem_strdup(pw == NULL ? "/" : pw->pw_dir);
}
