/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_KIND_H
#define MAILHAUL_CONF_CONF_KIND_H

/*
 * The kinds of values there are: how the text of a setting becomes a field
 * of a plain struct, or a complaint. A table of struct conf_option says which
 * option is of which kind.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf_report.h"
#include "conf/conf_tree.h"

struct conf_reader {
	const struct conf_tree *tree;
	struct conf_report *report;
	const char *who; /* "account work", "defaults", or NULL: in texts */
	char *home;      /* of run-as, once that is read; NULL: our own */
	bool quiet; /* reading a value of defaults again: it has been told */
};

struct conf_option {
	const char *name;
	void (*read)(struct conf_reader *r, const struct conf_option *o,
	    const struct conf_setting *s, void *field);
	size_t at;         /* offset of the field */
	uint64_t min, max; /* of numbers, and of durations in seconds */
	const char *const
	    *words; /* of a choice: in its enum's order, to NULL */
	const char *(*check)(const char *); /* of texts: see conf_value.h */
};

/* "who: name = "value": text" and "who: name text", with the place. */
void conf_refuse_value(
    struct conf_reader *r, const struct conf_setting *s, const char *text);
void conf_refuse(
    struct conf_reader *r, const struct conf_setting *s, const char *text);

/* "who: name text" for an account as a whole: at the option if that stands in
 * its own section, else (it is of defaults, or missing) at the section. */
void conf_refuse_in(struct conf_reader *r, const struct conf_section *own,
    const char *name, const char *text);

/* The value of a setting that has one; else NULL, and it is told. */
const char *conf_single(struct conf_reader *r, const struct conf_setting *s);

#define CONF_KIND(function)                                                    \
	void function(struct conf_reader *r, const struct conf_option *o,      \
	    const struct conf_setting *s, void *field)

CONF_KIND(conf_read_choice);     /* to an enum */
CONF_KIND(conf_read_bool);       /* to a bool */
CONF_KIND(conf_read_number);     /* to an unsigned int */
CONF_KIND(conf_read_seconds);    /* to an unsigned int */
CONF_KIND(conf_read_seconds_64); /* to a uint64_t */
CONF_KIND(conf_read_size);       /* to a uint64_t */
CONF_KIND(conf_read_text);       /* to a char * */
CONF_KIND(conf_read_path);       /* to a char *: absolute, "~" expanded */
CONF_KIND(conf_read_target);     /* the same, "~" is r->home */
CONF_KIND(conf_read_command);    /* to a struct conf_list: an argv */
CONF_KIND(conf_read_mailboxes);  /* to a struct conf_list */
CONF_KIND(conf_read_password);   /* to a struct secret * */

/* Tells that what stands there is a secret, if others can read that file. */
void conf_check_hidden(
    struct conf_reader *r, const struct conf_setting *s, const char *instead);

#endif
