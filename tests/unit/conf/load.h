/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_CONF_LOAD_H
#define TESTS_UNIT_CONF_LOAD_H

/* Reads texts as configurations. Include it behind tmp.h. */

#include "conf/conf.h"
#include "util/mem.h"

/* The file and all errors, each with a line feed behind it. */
static inline struct conf *
load(const char *path, char *errors, size_t size)
{
	char **v;
	size_t n, i;
	struct conf *c = conf_load(path, &v, &n);

	errors[0] = '\0';
	for (i = 0; i < n; i++) {
		size_t used = strlen(errors);

		snprintf(errors + used, size - used, "%s\n", v[i]);
	}
	assert_true((c == NULL) == (n > 0));
	conf_errors_free(&v, &n);
	assert_null(v);
	assert_int_equal(n, 0);
	return c;
}

static inline struct conf *
load_text(const char *text)
{
	char errors[4096];
	struct conf *c;

	tmp_write("f", 0600, text);
	c = load("f", errors, sizeof(errors));
	assert_string_equal(errors, "");
	return c;
}

static inline void
expect_errors(const char *text, const char *want)
{
	char errors[8192];
	struct conf *c;

	tmp_write("f", 0600, text);
	c = load("f", errors, sizeof(errors));
	if (strcmp(errors, want) != 0)
		print_error("for: %s\n", text);
	assert_string_equal(errors, want);
	conf_free(&c);
}

/* Of an account that has must and text. */
static inline struct conf *
load_options(const char *must, const char *text)
{
	char *all = mem_printf("account a { %s %s\n}\n", must, text);
	struct conf *c = load_text(all);

	free(all);
	return c;
}

/* "f:1: account a: " and want, or no error when that is NULL. */
static inline void
options_say(const char *must, const char *text, const char *want)
{
	char *all = mem_printf("account a { %s %s\n}\n", must, text);
	char *line = want == NULL ? mem_strdup("")
				  : mem_printf("f:1: account a: %s\n", want);

	expect_errors(all, line);
	free(line);
	free(all);
}

#endif
