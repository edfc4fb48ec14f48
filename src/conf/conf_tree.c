/* SPDX-License-Identifier: ISC */
#include "conf/conf_tree.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_list.h"
#include "util/mem.h"

void
conf_section_deinit(struct conf_section *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		free(s->v[i].name);
		conf_list_free(&s->v[i].values);
	}
	free(s->v);
	free(s->title);
	*s = (struct conf_section){ 0 };
}

void
conf_tree_init(struct conf_tree *t)
{
	*t = (struct conf_tree){ 0 };
}

void
conf_tree_deinit(struct conf_tree *t)
{
	size_t i;

	for (i = 0; i < t->n_files; i++)
		free(t->files[i].path);
	free(t->files);
	conf_section_deinit(&t->global);
	conf_section_deinit(&t->defaults);
	for (i = 0; i < t->n_accounts; i++)
		conf_section_deinit(&t->accounts[i]);
	free(t->accounts);
	for (i = 0; i < t->n_oauth2; i++)
		conf_section_deinit(&t->oauth2[i]);
	free(t->oauth2);
	free(t->home);
	conf_tree_init(t);
}

struct conf_setting *
conf_section_get(const struct conf_section *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (strcmp(s->v[i].name, name) == 0)
			return &s->v[i];
	}
	return NULL;
}

static struct conf_setting *
add(struct conf_section *s, const char *name, struct conf_place at)
{
	struct conf_setting *set;

	s->v = mem_grow(s->v, s->n + 1, sizeof(*s->v));
	set = &s->v[s->n++];
	*set = (struct conf_setting){ .name = mem_strdup(name), .at = at };
	return set;
}

void
conf_section_put(struct conf_section *s, const char *name, const char *value,
    struct conf_place at, bool first, struct conf_report *r)
{
	struct conf_setting *set = conf_section_get(s, name);

	if (set != NULL && first) {
		conf_complain(r, at,
		    "\"%s\" is given twice, first in line %u: remove one", name,
		    set->at.line);
		return;
	}
	if (set == NULL)
		set = add(s, name, at);
	conf_list_add(&set->values, value);
}

static const struct conf_section *
find(const struct conf_section *v, size_t n, const char *title)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(v[i].title, title) == 0)
			return &v[i];
	}
	return NULL;
}

/* kind is what the sections are called. */
static void
add_section(struct conf_section **v, size_t *n, struct conf_section *s,
    const char *kind, struct conf_report *r)
{
	const struct conf_section *first = find(*v, *n, s->title);

	if (first != NULL) {
		conf_complain(r, s->at,
		    "%s \"%s\" is there already, in line %u of %s: give one "
		    "of them another name",
		    kind, s->title, first->at.line, first->at.path);
		return;
	}
	*v = mem_grow(*v, *n + 1, sizeof(**v));
	(*v)[(*n)++] = *s;
	*s = (struct conf_section){ 0 };
}

void
conf_tree_add_account(
    struct conf_tree *t, struct conf_section *s, struct conf_report *r)
{
	add_section(&t->accounts, &t->n_accounts, s, "account", r);
}

void
conf_tree_add_oauth2(
    struct conf_tree *t, struct conf_section *s, struct conf_report *r)
{
	add_section(&t->oauth2, &t->n_oauth2, s, "oauth2", r);
}

const struct conf_section *
conf_tree_oauth2(const struct conf_tree *t, const char *title)
{
	return find(t->oauth2, t->n_oauth2, title);
}

void
conf_tree_add_defaults(
    struct conf_tree *t, struct conf_section *s, struct conf_report *r)
{
	if (t->has_defaults) {
		conf_complain(r, s->at,
		    "a second defaults section: put its options into the "
		    "first, in line %u of %s",
		    t->defaults.at.line, t->defaults.at.path);
		return;
	}
	t->has_defaults = true;
	t->defaults = *s;
	*s = (struct conf_section){ 0 };
}

size_t
conf_tree_add_file(struct conf_tree *t, const char *path, bool others_may_read)
{
	t->files = mem_grow(t->files, t->n_files + 1, sizeof(*t->files));
	t->files[t->n_files] = (struct conf_source){ .path = mem_strdup(path),
		.others_may_read = others_may_read };
	return t->n_files++;
}
