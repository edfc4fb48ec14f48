/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_REPORT_H
#define MAILHAUL_CONF_CONF_REPORT_H

/*
 * The errors of one reading of a configuration. They are found in several
 * passes, and handed out in the order of the files' lines. Never give it the
 * text of a password.
 */

#include <stdbool.h>
#include <stddef.h>

struct conf_place {
	const char *path;  /* not ours */
	size_t file;       /* in the order of opening: for sorting */
	unsigned int line; /* 0: the file as a whole */
};

struct conf_complaint {
	size_t file, order;
	unsigned int line;
	char *text;
};

struct conf_report {
	struct conf_complaint *v;
	size_t n;
	bool full; /* there were more than anybody would read */
};

void conf_report_init(struct conf_report *r);
void conf_report_deinit(struct conf_report *r);

/* "path:line: text", made printable. */
void conf_complain(struct conf_report *r, struct conf_place at, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* The texts, sorted; the report is empty then. */
char **conf_report_take(struct conf_report *r, size_t *n);

/* The word nearest to name in a list that ends in NULL, or NULL when none
 * is near enough to be meant. */
const char *conf_nearest_word(const char *name, const char *const *words);

#endif
