/* SPDX-License-Identifier: ISC */
#include "conf/conf_own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_dir.h"
#include "conf/conf_list.h"
#include "conf/conf_parse.h"
#include "conf/conf_read.h"
#include "conf/conf_report.h"
#include "conf/conf_tree.h"
#include "util/mem.h"
#include "util/text.h"

/* More of any is nobody's configuration. */
#define FILES_MAX 1000
#define ACCOUNTS_MAX 1000
#define OAUTH2_MAX 1000
#define SETTINGS_MAX 200 /* in a section: there are fewer options */
#define VALUES_MAX 20000
#define ERRORS_MAX 100
#define ERROR_MAX 1000 /* octets shown of one */

#define READ_MAX ((size_t)1 << 31) /* octets: conf_parse() bounds files */

/* ---- packing ---- */

static void
pack_place(struct buf *b, struct conf_place at)
{
	pack_u32(b, (uint32_t)at.file);
	pack_u32(b, at.line);
}

static void
pack_section(struct buf *b, const struct conf_section *s)
{
	pack_str(b, s->title);
	pack_place(b, s->at);
	pack_u32(b, (uint32_t)s->n);
	for (size_t i = 0; i < s->n; i++) {
		const struct conf_setting *set = &s->v[i];

		pack_str(b, set->name);
		pack_place(b, set->at);
		pack_u32(b, (uint32_t)set->values.n);
		for (size_t k = 0; k < set->values.n; k++)
			pack_str(b, set->values.v[k]);
	}
}

static void
pack_tree(struct buf *b, const struct conf_tree *t)
{
	pack_u8(b, t->broken);
	pack_u32(b, (uint32_t)t->n_files);
	for (size_t i = 0; i < t->n_files; i++) {
		pack_str(b, t->files[i].path);
		pack_u8(b, t->files[i].others_may_read);
	}
	pack_section(b, &t->global);
	pack_u8(b, t->has_defaults);
	pack_section(b, &t->defaults);
	pack_u32(b, (uint32_t)t->n_accounts);
	for (size_t i = 0; i < t->n_accounts; i++)
		pack_section(b, &t->accounts[i]);
	pack_u32(b, (uint32_t)t->n_oauth2);
	for (size_t i = 0; i < t->n_oauth2; i++)
		pack_section(b, &t->oauth2[i]);
}

static void
pack_errors(struct buf *b, char *const *errors, size_t n)
{
	pack_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		pack_str(b, errors[i]);
}

static void
parse(struct conf_tree *t, const char *dir, struct conf_report *r)
{
	struct conf_words words = conf_words();
	struct conf_place at = { .path = dir };
	struct conf_list files = { 0 };

	if (conf_dir_paths(&files, dir) < 0)
		conf_complain(r, at, "%s", strerror(errno));
	else
		conf_parse(t, &files, true, &words, r);
	conf_list_free(&files);
}

/* What is wrong with values is found again by the other side. */
static struct conf *
understand(const struct conf_tree *t, bool broken)
{
	struct conf_report r;
	struct conf *c;
	char **errors;
	size_t n;

	conf_report_init(&r);
	c = conf_read(t, &r);
	if (broken || r.n > 0)
		conf_free(&c);
	errors = conf_report_take(&r, &n);
	conf_errors_free(&errors, &n);
	return c;
}

static struct conf *
pack_all(struct buf *b, const struct conf_tree *t, struct conf_report *r)
{
	size_t n;
	char **errors = conf_report_take(r, &n);
	struct conf *c = understand(t, n > 0);

	pack_errors(b, errors, n);
	pack_tree(b, t);
	conf_errors_free(&errors, &n);
	return c;
}

static void
pack_refusal(struct buf *b, const char *dir)
{
	char *text = mem_printf(
	    "%s: its files are longer than %zu octets", dir, CONF_OWN_MAX);
	const struct conf_tree none = { .own = true };

	pack_errors(b, &text, 1);
	pack_tree(b, &none);
	free(text);
}

struct conf *
conf_own_pack(const char *dir, struct buf *to)
{
	struct conf_report r;
	struct conf_tree t;
	struct conf *c;
	struct buf all;

	conf_tree_init(&t);
	t.own = true;
	conf_report_init(&r);
	buf_init(&all, READ_MAX);
	parse(&t, dir, &r);
	c = pack_all(&all, &t, &r);
	if (all.n > CONF_OWN_MAX) {
		conf_free(&c);
		pack_refusal(to, dir);
	} else {
		(void)buf_add(to, buf_span(&all));
	}
	buf_wipe(&all);
	conf_tree_deinit(&t);
	return c;
}

/* ---- unpacking ---- */

/* A number of things to come; 0 when it makes no sense. */
static uint32_t
count(struct unpack *u, uint32_t max)
{
	uint32_t n = unpack_u32(u);

	if (n > max)
		u->bad = true;
	return u->bad ? 0 : n;
}

static struct conf_place
unpack_place(struct unpack *u, const struct conf_tree *t)
{
	struct conf_place at = { .path = "" };

	at.file = unpack_u32(u);
	at.line = unpack_u32(u);
	if (at.file < t->n_files)
		at.path = t->files[at.file].path;
	else if (at.file > 0)
		u->bad = true;
	return at;
}

static void
unpack_setting(struct unpack *u, const struct conf_tree *t,
    struct conf_section *s, struct conf_report *r)
{
	char *name = unpack_str(u);
	struct conf_place at = unpack_place(u, t);
	uint32_t n = count(u, VALUES_MAX);

	if (n == 0)
		u->bad = true; /* see conf_setting */
	for (uint32_t i = 0; i < n && !u->bad; i++) {
		char *value = unpack_str(u);

		conf_section_put(s, name, value, at, i == 0, r);
		mem_wipe(value, strlen(value));
		free(value);
	}
	free(name);
}

static void
unpack_section(struct unpack *u, const struct conf_tree *t,
    struct conf_section *s, struct conf_report *r)
{
	uint32_t n;

	s->title = unpack_str(u);
	s->at = unpack_place(u, t);
	n = count(u, SETTINGS_MAX);
	for (uint32_t i = 0; i < n && !u->bad; i++)
		unpack_setting(u, t, s, r);
}

static void
unpack_files(struct unpack *u, struct conf_tree *t)
{
	uint32_t n = count(u, FILES_MAX);

	for (uint32_t i = 0; i < n && !u->bad; i++) {
		char *path = unpack_str(u);
		bool others = unpack_u8(u) != 0;

		conf_tree_add_file(t, path, others);
		free(path);
	}
}

typedef void (*add_fn)(
    struct conf_tree *t, struct conf_section *s, struct conf_report *r);

static void
unpack_sections(struct unpack *u, struct conf_tree *t, uint32_t max, add_fn add,
    struct conf_report *r)
{
	uint32_t n = count(u, max);

	for (uint32_t i = 0; i < n && !u->bad; i++) {
		struct conf_section s = { 0 };

		unpack_section(u, t, &s, r);
		if (!u->bad)
			add(t, &s, r);
		conf_section_deinit(&s);
	}
}

static void
unpack_tree(struct unpack *u, struct conf_tree *t, struct conf_report *r)
{
	t->broken = unpack_u8(u) != 0;
	unpack_files(u, t);
	unpack_section(u, t, &t->global, r);
	t->has_defaults = unpack_u8(u) != 0;
	unpack_section(u, t, &t->defaults, r);
	unpack_sections(u, t, ACCOUNTS_MAX, conf_tree_add_account, r);
	unpack_sections(u, t, OAUTH2_MAX, conf_tree_add_oauth2, r);
}

static char *
printable(const char *text)
{
	char shown[ERROR_MAX];

	return mem_strdup(text_printable(shown, sizeof(shown), span_of(text)));
}

static void
add_error(char ***errors, size_t *n, const char *text)
{
	*errors = mem_grow(*errors, *n + 1, sizeof(**errors));
	(*errors)[(*n)++] = printable(text);
}

static void
unpack_errors(struct unpack *u, char ***errors, size_t *n)
{
	uint32_t said = count(u, ERRORS_MAX);

	*errors = NULL;
	*n = 0;
	for (uint32_t i = 0; i < said && !u->bad; i++) {
		char *text = unpack_str(u);

		add_error(errors, n, text);
		free(text);
	}
}

static void
append(char ***errors, size_t *n, struct conf_report *r)
{
	size_t more;
	char **found = conf_report_take(r, &more);

	for (size_t i = 0; i < more; i++)
		add_error(errors, n, found[i]);
	conf_errors_free(&found, &more);
}

struct conf *
conf_own_unpack(
    struct unpack *u, const char *home, char ***errors, size_t *n_errors)
{
	struct conf_report r;
	struct conf_tree t;
	struct conf *c = NULL;

	conf_tree_init(&t);
	t.own = true;
	t.home = mem_strdup(home);
	conf_report_init(&r);
	unpack_errors(u, errors, n_errors);
	unpack_tree(u, &t, &r);
	if (u->bad)
		add_error(errors, n_errors, "this makes no sense");
	else
		c = conf_read(&t, &r);
	append(errors, n_errors, &r);
	if (*n_errors > 0)
		conf_free(&c);
	conf_tree_deinit(&t);
	return c;
}
