/* SPDX-License-Identifier: ISC */
#include "conf/conf_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_list.h"
#include "conf/conf_value.h"
#include "sys/file.h"
#include "util/mem.h"
#include "util/text.h"

#define DAY_S 86400U

/* ---- complaints ---- */

void
conf_refuse(
    struct conf_reader *r, const struct conf_setting *s, const char *text)
{
	if (r->quiet)
		return;
	conf_complain(r->report, s->at, "%s%s%s %s",
	    r->who == NULL ? "" : r->who, r->who == NULL ? "" : ": ", s->name,
	    text);
}

void
conf_refuse_value(
    struct conf_reader *r, const struct conf_setting *s, const char *text)
{
	char *full = mem_printf("= \"%s\": %s", s->values.v[0], text);

	conf_refuse(r, s, full);
	free(full);
}

void
conf_refuse_in(struct conf_reader *r, const struct conf_section *own,
    const char *name, const char *text)
{
	const struct conf_setting *s = conf_section_get(own, name);

	conf_complain(r->report, s == NULL ? own->at : s->at, "%s: %s %s",
	    r->who, name, text);
}

const char *
conf_single(struct conf_reader *r, const struct conf_setting *s)
{
	if (s->values.n == 1)
		return s->values.v[0];
	conf_refuse(r, s, "has one value, not a list: remove the others");
	return NULL;
}

/* ---- choices ---- */

static void
refuse_choice(struct conf_reader *r, const struct conf_setting *s,
    const char *const *words)
{
	char *text = mem_strdup("use "), *longer;
	size_t i;

	for (i = 0; words[i] != NULL; i++) {
		const char *between = words[i + 1] == NULL ? " or " : ", ";

		longer =
		    mem_printf("%s%s%s", text, i == 0 ? "" : between, words[i]);
		free(text);
		text = longer;
	}
	conf_refuse_value(r, s, text);
	free(text);
}

void
conf_read_choice(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *value = conf_single(r, s);
	unsigned int i;

	if (value == NULL)
		return;
	for (i = 0; o->words[i] != NULL; i++) {
		if (strcmp(value, o->words[i]) == 0) {
			*(unsigned int *)field = i; /* as our enums are */
			return;
		}
	}
	refuse_choice(r, s, o->words);
}

void
conf_read_bool(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	static const char *const words[] = { "no", "yes", "false", "true",
		"off", "on", NULL };
	const char *value = conf_single(r, s);
	size_t i;

	(void)o;
	if (value == NULL)
		return;
	for (i = 0; words[i] != NULL; i++) {
		if (strcasecmp(value, words[i]) == 0) {
			*(bool *)field = i % 2 == 1;
			return;
		}
	}
	conf_refuse_value(r, s, "use yes or no");
}

/* ---- numbers ---- */

static bool
in_range(const struct conf_option *o, uint64_t v)
{
	return v >= o->min && v <= o->max;
}

void
conf_read_number(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *value = conf_single(r, s);
	struct span rest = span_of(value);
	char text[96];
	uint64_t v;

	if (value == NULL)
		return;
	if (text_number(&rest, o->max, &v) && rest.n == 0 && in_range(o, v)) {
		*(unsigned int *)field = (unsigned int)v;
		return;
	}
	snprintf(text, sizeof(text), "it must be a number from %llu to %llu",
	    (unsigned long long)o->min, (unsigned long long)o->max);
	conf_refuse_value(r, s, text);
}

/* In the largest unit that shows it whole; dst is returned. */
static char *
duration(char *dst, size_t size, uint64_t s)
{
	static const struct {
		uint64_t factor;
		char letter;
	} units[] = { { DAY_S, 'd' }, { 3600, 'h' }, { 60, 'm' } };

	size_t i;

	for (i = 0; s > 0 && i < sizeof(units) / sizeof(*units); i++) {
		if (s % units[i].factor != 0)
			continue;
		snprintf(dst, size, "%llu%c",
		    (unsigned long long)(s / units[i].factor), units[i].letter);
		return dst;
	}
	snprintf(dst, size, "%llus", (unsigned long long)s);
	return dst;
}

static bool
read_duration(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, uint64_t *v)
{
	const char *value = conf_single(r, s);
	char text[128], min[32], max[32];

	if (value == NULL)
		return false;
	if (text_duration(span_of(value), v) && in_range(o, *v))
		return true;
	snprintf(text, sizeof(text),
	    "it must be a time from %s to %s, as 30s, 5m, 2h or 14d",
	    duration(min, sizeof(min), o->min),
	    duration(max, sizeof(max), o->max));
	conf_refuse_value(r, s, text);
	return false;
}

void
conf_read_seconds(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	uint64_t v;

	if (read_duration(r, o, s, &v))
		*(unsigned int *)field = (unsigned int)v;
}

void
conf_read_seconds_64(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	uint64_t v;

	if (read_duration(r, o, s, &v))
		*(uint64_t *)field = v;
}

void
conf_read_size(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *value = conf_single(r, s);
	uint64_t v;

	if (value == NULL)
		return;
	if (text_size(span_of(value), &v) && in_range(o, v))
		*(uint64_t *)field = v;
	else
		conf_refuse_value(
		    r, s, "it must be a size up to 1024G, as 512K, 50M or 2G");
}

/* ---- texts ---- */

static void
replace(void *field, char *text)
{
	char **to = field;

	free(*to);
	*to = text;
}

void
conf_read_text(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *value = conf_single(r, s), *wrong;

	if (value == NULL)
		return;
	wrong = o->check(value);
	if (wrong != NULL)
		conf_refuse(r, s, wrong);
	replace(field, mem_strdup(value)); /* it is there, though wrong */
}

/* "~" is home, or our own if that is NULL. */
static void
read_path(struct conf_reader *r, const struct conf_setting *s, const char *home,
    void *field)
{
	const char *value = conf_single(r, s);
	struct err e;
	char *path;

	if (value == NULL)
		return;
	if (home != NULL &&
	    (strcmp(value, "~") == 0 || strncmp(value, "~/", 2) == 0))
		path = mem_printf("%s%s", home, value + 1);
	else
		path = file_expand(value, &e);
	if (path == NULL)
		conf_refuse(r, s, e.text);
	else if (path[0] != '/')
		conf_refuse_value(
		    r, s, "the path must begin with \"/\" or \"~/\"");
	else if (strlen(path) >= 4096) /* PATH_MAX of Linux */
		conf_refuse(r, s, "is too long for a path");
	replace(field, path == NULL ? mem_strdup(value) : path);
}

void
conf_read_path(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	(void)o;
	read_path(r, s, r->tree->home, field);
}

void
conf_read_target(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	(void)o;
	read_path(r, s, r->home != NULL ? r->home : r->tree->home, field);
}

/* ---- lists ---- */

void
conf_read_command(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	(void)o;
	if (s->values.v[0][0] == '\0')
		conf_refuse(
		    r, s, "begins with an empty word: name the program first");
	else if (s->values.n == 1 && strchr(s->values.v[0], ' ') != NULL)
		conf_refuse_value(r, s,
		    "no shell splits it: write {\"program\", \"argument\"}");
	conf_list_copy(field, &s->values);
}

void
conf_read_mailboxes(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	size_t i, chosen = 0;

	(void)o;
	for (i = 0; i < s->values.n; i++) {
		const char *name = s->values.v[i], *wrong;

		if (name[0] == '!')
			name++;
		else
			chosen++;
		wrong = conf_check_wire(name);
		if (wrong != NULL)
			conf_refuse(r, s, wrong);
	}
	if (chosen == 0)
		conf_refuse(r, s,
		    "only leaves out: put what is wanted first, as "
		    "{\"*\", \"!Junk\"}");
	conf_list_copy(field, &s->values);
}

/* ---- passwords ---- */

void
conf_check_hidden(
    struct conf_reader *r, const struct conf_setting *s, const char *instead)
{
	char *text;

	if (!r->tree->files[s->at.file].others_may_read)
		return;
	text = mem_printf("stands in a file that others can read: chmod 600 "
			  "it%s%s",
	    instead == NULL ? "" : ", or use ", instead == NULL ? "" : instead);
	conf_refuse(r, s, text);
	free(text);
}

void
conf_read_password(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *value = conf_single(r, s), *wrong;
	struct secret **to = field;
	char *instead;

	(void)o;
	if (value == NULL)
		return;
	wrong = conf_check_password(value);
	if (wrong != NULL)
		conf_refuse(r, s, wrong);
	instead = mem_printf("%s-file", s->name);
	conf_check_hidden(r, s, instead);
	free(instead);
	secret_free(to);
	*to = secret_new(span_of(value));
}
