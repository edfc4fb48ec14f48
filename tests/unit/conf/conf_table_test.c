/* SPDX-License-Identifier: ISC */
#include "conf/conf_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static char heard[200];

static void
hear(const char *what)
{
	size_t used = strlen(heard);

	snprintf(heard + used, sizeof(heard) - used, "%s;", what);
}

static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	(void)cfg;
	(void)opt;
	*(const char **)result = "";
	hear(value);
	return 0;
}

static int
on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	(void)cfg;
	hear(opt->name);
	return 0;
}

static void
makes_what_libconfuse_reads(void **state)
{
	struct conf_table inside = { 0 }, all = { 0 };
	cfg_t *root;

	(void)state;
	conf_table_add_option(&inside, "host", on_value);
	conf_table_add_option(&all, "level", on_value);
	conf_table_add_section(&all, "account", &inside, true, on_section);
	conf_table_add_section(&all, "defaults", &inside, false, on_section);
	assert_int_equal(all.n, 3);
	assert_null(all.v[all.n].name);
	root = cfg_init(all.v, CFGF_NONE);
	conf_table_free(&all);
	conf_table_free(&inside);
	assert_null(all.v);
	assert_int_equal(cfg_parse_buf(root,
			     "level = {one, two} account a { host = h }\n"
			     "defaults { host = d } account b { }\n"),
	    CFG_SUCCESS);
	cfg_free(root);
	assert_string_equal(heard, "one;two;h;account;d;defaults;account;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_what_libconfuse_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
