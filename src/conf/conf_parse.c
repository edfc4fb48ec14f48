/* SPDX-License-Identifier: ISC */
#include "conf/conf_parse.h"

#include <confuse.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_file.h"
#include "conf/conf_include.h"
#include "conf/conf_list.h"
#include "conf/conf_phrase.h"
#include "conf/conf_scan.h"
#include "conf/conf_table.h"
#include "sys/file.h"
#include "util/mem.h"

#define FILE_MAX_OCTETS ((size_t)1 << 20)
#define TOTAL_MAX_OCTETS ((size_t)16 << 20)
#define FILES_MAX 4096
#define DEPTH_MAX 8
#define UNKNOWN_MAX 24 /* names; each may cost three readings */

struct open_file {
	size_t file; /* in tree->files */
	dev_t dev;
	ino_t ino;
	struct conf_scan scan;
	size_t next_section;
	struct open_file *from; /* the file that includes it */
	unsigned int depth;
};

struct parser {
	const struct conf_words *words;
	struct conf_tree *tree;
	struct conf_report *report;
	cfg_t *root;
	struct open_file *open;
	bool own;
	size_t octets;
	struct conf_section section; /* the one being read */
	struct conf_unknowns unknown;
	bool again;                    /* a new name turned up */
	struct conf_place password_at; /* the last one; line 0: none yet */
	bool told;                     /* why this file could not be read on */
};

/* libconfuse's callbacks have no argument of ours. */
static struct parser *parser;

/* ---- places ---- */

static struct conf_place
place(const struct parser *p, unsigned int line)
{
	return (struct conf_place){
		.path = p->tree->files[p->open->file].path,
		.file = p->open->file,
		.line = line,
	};
}

static struct conf_place
here(const struct parser *p, const cfg_t *cfg)
{
	return place(p, (unsigned int)cfg->line);
}

/* Those of no name that we know are like accounts. */
static enum conf_inside
where(const struct parser *p, const cfg_t *cfg)
{
	if (cfg == p->root)
		return CONF_IN_NONE;
	return strcmp(cfg_name((cfg_t *)(uintptr_t)cfg), "oauth2") == 0
	    ? CONF_IN_OAUTH2
	    : CONF_IN_ACCOUNT;
}

static void
complain_unknown(struct parser *p, struct conf_place at, const char *name,
    enum conf_inside in)
{
	conf_complain_unknown(p->report, at, p->words, name, in);
}

/* ---- what libconfuse reads ---- */

/* Called for each value. libconfuse itself gets an empty text to keep, so
 * that no password stays with it. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct parser *p = parser;
	bool global = cfg == p->root, first = cfg_opt_size(opt) == 1;
	struct conf_section *s = global ? &p->tree->global : &p->section;
	enum conf_inside in = where(p, cfg);

	*(const char **)result = "";
	if (conf_may_be_secret(opt->name))
		p->password_at = here(p, cfg);
	if (!global && s->title == NULL)
		s->title = mem_strdup(cfg_title(cfg));
	if (!global && !conf_is_section(cfg_name(cfg)))
		return 0; /* the section is the error */
	if (conf_is_in(conf_words_in(p->words, in), opt->name))
		conf_section_put(
		    s, opt->name, value, here(p, cfg), first, p->report);
	else if (first)
		complain_unknown(p, here(p, cfg), opt->name, in);
	return 0;
}

/* Sections of one title are one to libconfuse. The name of one without
 * options can be asked for only if it is the last and new. */
static bool
find_title(cfg_opt_t *opt, size_t known, struct conf_section *s)
{
	unsigned int n = cfg_opt_size(opt);

	if (s->title == NULL && n > known)
		s->title = mem_strdup(cfg_title(cfg_opt_getnsec(opt, n - 1)));
	return s->title != NULL;
}

typedef void (*add_fn)(
    struct conf_tree *t, struct conf_section *s, struct conf_report *r);

static void
end_of_titled(struct parser *p, cfg_opt_t *opt, size_t known, add_fn add)
{
	struct conf_section *s = &p->section;

	if (find_title(opt, known, s))
		add(p->tree, s, p->report);
	else
		conf_complain(p->report, s->at,
		    "an %s of this name is there already: remove it",
		    opt->name);
}

static unsigned int
section_line(struct open_file *o)
{
	size_t i = o->next_section++;

	return i < o->scan.n_sections ? o->scan.section_lines[i] : 0;
}

/* Called behind the closing brace. */
static int
on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	struct parser *p = parser;

	(void)cfg;
	p->section.at = place(p, section_line(p->open));
	if (strcmp(opt->name, "account") == 0)
		end_of_titled(
		    p, opt, p->tree->n_accounts, conf_tree_add_account);
	else if (strcmp(opt->name, "oauth2") == 0)
		end_of_titled(p, opt, p->tree->n_oauth2, conf_tree_add_oauth2);
	else if (strcmp(opt->name, "defaults") == 0)
		conf_tree_add_defaults(p->tree, &p->section, p->report);
	else
		complain_unknown(p, p->section.at, opt->name, CONF_IN_NONE);
	conf_section_deinit(&p->section);
	return 0;
}

/* ---- what libconfuse refuses ---- */

static void
stop(struct parser *p, struct conf_place at, const char *before,
    const char *word, const char *after)
{
	conf_complain(p->report, at, "%s%s%s", before, word, after);
	p->told = true;
}

/* Words without quotes behind an unquoted password are a part of it: they
 * must not be shown as unknown options. */
static bool
behind_password(const struct parser *p, struct conf_place at)
{
	const struct conf_place *last = &p->password_at;

	return last->line == at.line && last->file == at.file;
}

static void
on_unknown(struct parser *p, const cfg_t *cfg, const char *name)
{
	bool in_section = cfg != p->root;
	struct conf_place at = here(p, cfg);

	if (behind_password(p, at)) {
		stop(p, at, "more than one word for a password: put it ",
		    "in quotes", "");
		return;
	}
	if (in_section && conf_is_keyword(name)) {
		stop(p, at, "\"", name,
		    "\" inside a section: is the \"}\" of the section above "
		    "missing?");
		return;
	}
	if (conf_unknowns_find(&p->unknown, name, in_section) != NULL ||
	    strchr(name, '|') != NULL || p->unknown.n == UNKNOWN_MAX) {
		complain_unknown(p, at, name, where(p, cfg));
		p->told = true;
		return;
	}
	conf_unknowns_add(&p->unknown, name, in_section);
	p->again = true;
}

/* An unknown name without "=" may be a section. "root" may not: that is
 * libconfuse's name for the whole, and it frees the scanner with it. */
static bool
may_be_section(struct parser *p, const cfg_t *cfg, const char *name, bool title)
{
	struct conf_unknown *u = conf_unknowns_find(&p->unknown, name, false);

	if (cfg != p->root || u == NULL || strcmp(name, "root") == 0)
		return false;
	if (u->shape != (title ? CONF_OPTION : CONF_TITLED_SECTION))
		return false;
	u->shape = title ? CONF_TITLED_SECTION : CONF_SECTION;
	p->again = true;
	return true;
}

static void __attribute__((format(printf, 2, 0)))
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct parser *p = parser;
	struct conf_place at = here(p, cfg);
	const char *word = strstr(fmt, "%s") == NULL ? "" : va_arg(ap, char *);
	const struct conf_phrase *phrase;

	if (strcmp(fmt, CONF_NO_OPTION) == 0) {
		on_unknown(p, cfg, word);
		return;
	}
	if (strcmp(fmt, CONF_NO_EQUAL) == 0 &&
	    may_be_section(p, cfg, word, true))
		return;
	if (strcmp(fmt, CONF_NO_TITLE) == 0 &&
	    may_be_section(p, cfg, word, false))
		return;
	if (conf_unknowns_find(&p->unknown, word, cfg != p->root) != NULL) {
		complain_unknown(p, at, word, where(p, cfg));
		p->told = true;
		return;
	}
	phrase = conf_phrase_find(fmt);
	if (phrase != NULL)
		stop(p, at, phrase->before, word, phrase->after);
}

/* ---- files ---- */

static bool
is_open(const struct parser *p, const struct stat *st)
{
	const struct open_file *o;

	for (o = p->open; o != NULL; o = o->from) {
		if (o->dev == st->st_dev && o->ino == st->st_ino)
			return true;
	}
	return false;
}

static void
parse_text(struct parser *p, struct span text)
{
	/* "r" never writes */
	FILE *fp = fmemopen((void *)(uintptr_t)text.p, text.n, "r");

	if (fp == NULL) {
		conf_complain(p->report, place(p, 0), "%s", strerror(errno));
		p->tree->broken = true;
		return;
	}
	setvbuf(fp, NULL, _IONBF, 0); /* no further copy of a password */
	p->told = false;
	if (cfg_parse_fp(p->root, fp) != CFG_SUCCESS) {
		p->tree->broken = true;
		if (!p->told)
			conf_complain(p->report, here(p, p->root),
			    "this is no \"name = value\" and no section: see "
			    "mailhaul.conf(5)");
	}
	fclose(fp);
	conf_section_deinit(&p->section);
}

static void
parse_file(
    struct parser *p, const char *path, const struct stat *st, struct span raw)
{
	struct open_file o = {
		.dev = st->st_dev,
		.ino = st->st_ino,
		.from = p->open,
		.depth = p->open == NULL ? 0 : p->open->depth + 1,
	};

	o.file = conf_tree_add_file(
	    p->tree, path, file_others_may_read(st->st_mode));
	p->open = &o;
	conf_scan_init(&o.scan);
	conf_scan(&o.scan, raw, place(p, 1), p->report);
	parse_text(p, buf_span(&o.scan.text));
	conf_scan_deinit(&o.scan);
	p->open = o.from;
}

/* What speaks against opening one more, or NULL. */
static const char *
too_much(const struct parser *p)
{
	if (p->open != NULL && p->open->depth >= DEPTH_MAX)
		return "files include each other too deeply (8 levels)";
	if (p->tree->n_files >= FILES_MAX)
		return "too many files (4096)";
	if (p->octets >= TOTAL_MAX_OCTETS)
		return "the files are too large together (16 MB)";
	return NULL;
}

static void
complain_file(
    struct parser *p, struct conf_place at, const char *path, const char *text)
{
	if (at.line > 0)
		conf_complain(p->report, at, "%s: %s", path, text);
	else if (p->own)
		conf_complain(p->report, at, "%s", text);
	else
		conf_complain(p->report, at,
		    "%s: write it, or name another with -c", text);
}

/* at is where the file is asked for. */
static void
load(struct parser *p, const char *path, struct conf_place at)
{
	const char *why = too_much(p);
	struct stat st;
	struct buf raw;
	struct err e;

	buf_init(&raw, FILE_MAX_OCTETS);
	if (why != NULL) {
		conf_complain(p->report, at, "%s: %s", path, why);
	} else if (conf_file_read(path, FILE_MAX_OCTETS, &raw, &st, &e) < 0) {
		complain_file(p, at, path, e.text);
		p->tree->broken = true;
	} else if (p->own && (why = conf_file_foreign(&st)) != NULL) {
		complain_file(p, at, path, why);
		p->tree->broken = true;
	} else if (is_open(p, &st)) {
		conf_complain(p->report, at,
		    "%s: a file cannot include itself, directly or by others",
		    path);
	} else {
		p->octets += raw.n;
		parse_file(p, path, &st, buf_span(&raw));
	}
	buf_wipe(&raw);
}

static int
on_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	struct parser *p = parser;
	struct conf_place at = here(p, cfg);
	struct conf_list paths = { 0 };
	int line = cfg->line;
	size_t i;

	(void)opt;
	if (argc != 1 || argv[0][0] == '\0') {
		conf_complain(
		    p->report, at, "write include(\"file\") with one file");
		return 0;
	}
	conf_include_paths(&paths, argv[0], at, p->report);
	for (i = 0; i < paths.n; i++)
		load(p, paths.v[i], at);
	conf_list_free(&paths);
	cfg->line = line; /* the included file had its own */
	return 0;
}

/* ---- tables ---- */

static void
add_unknown(const struct parser *p, struct conf_table *t, bool in_section,
    const struct conf_table *inside)
{
	size_t i;

	for (i = 0; i < p->unknown.n; i++) {
		const struct conf_unknown *u = &p->unknown.v[i];

		if (u->in_section != in_section)
			continue;
		if (u->shape == CONF_OPTION)
			conf_table_add_option(t, u->name, on_value);
		else
			conf_table_add_section(t, u->name, inside,
			    u->shape == CONF_TITLED_SECTION, on_section);
	}
}

static cfg_t *
new_root(const struct parser *p)
{
	cfg_opt_t include = CFG_FUNC("include", on_include);
	struct conf_table section = { 0 }, all = { 0 };
	const char *const *w;
	cfg_t *root;

	/* One table for all sections: on_value() knows what may be where. */
	for (w = p->words->account; *w != NULL; w++)
		conf_table_add_option(&section, *w, on_value);
	for (w = p->words->oauth2; *w != NULL; w++) {
		if (!conf_is_in(p->words->account, *w))
			conf_table_add_option(&section, *w, on_value);
	}
	add_unknown(p, &section, true, NULL);
	for (w = p->words->global; *w != NULL; w++)
		conf_table_add_option(&all, *w, on_value);
	conf_table_add(&all, include);
	conf_table_add_section(&all, "account", &section, true, on_section);
	conf_table_add_section(&all, "defaults", &section, false, on_section);
	conf_table_add_section(&all, "oauth2", &section, true, on_section);
	add_unknown(p, &all, false, &section);
	root = cfg_init(all.v, CFGF_NONE); /* copies the tables */
	conf_table_free(&section);
	conf_table_free(&all);
	if (root == NULL)
		mem_grow(NULL, SIZE_MAX, SIZE_MAX); /* ends us in words */
	return root;
}

/* ---- all of it ---- */

static void
read_once(struct parser *p, const struct conf_list *files)
{
	size_t i;

	conf_tree_deinit(p->tree);
	p->tree->own = p->own;
	conf_report_deinit(p->report);
	p->octets = 0;
	p->again = false;
	p->password_at = (struct conf_place){ 0 };
	p->root = new_root(p);
	cfg_set_error_function(p->root, on_error);
	for (i = 0; i < files->n; i++) {
		struct conf_place at = { .path = files->v[i],
			.file = p->tree->n_files };

		load(p, files->v[i], at);
	}
	cfg_free(p->root);
}

void
conf_parse(struct conf_tree *t, const struct conf_list *files, bool own,
    const struct conf_words *words, struct conf_report *r)
{
	struct parser p = {
		.words = words, .tree = t, .report = r, .own = own
	};

	parser = &p;
	do
		read_once(&p, files);
	while (p.again);
	parser = NULL;
	conf_unknowns_free(&p.unknown);
}
