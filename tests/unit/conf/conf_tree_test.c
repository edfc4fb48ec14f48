/* SPDX-License-Identifier: ISC */
#include "conf/conf_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf.h"

static void
expect_errors(struct conf_report *r, const char *want)
{
	size_t n;
	char **v = conf_report_take(r, &n);

	assert_int_equal(n, want == NULL ? 0 : 1);
	if (want != NULL)
		assert_string_equal(v[0], want);
	conf_errors_free(&v, &n);
}

static void
collects_the_values_of_one_assignment(void **state)
{
	struct conf_place one = { "f", 0, 1 }, two = { "f", 0, 2 };
	struct conf_section s = { 0 };
	struct conf_setting *set;
	struct conf_report r;

	(void)state;
	conf_report_init(&r);
	conf_section_put(&s, "mailboxes", "a", one, true, &r);
	conf_section_put(&s, "mailboxes", "b", two, false, &r);
	conf_section_put(&s, "host", "h", two, true, &r);
	set = conf_section_get(&s, "mailboxes");
	assert_int_equal(set->values.n, 2);
	assert_int_equal(set->at.line, 1);
	assert_null(conf_section_get(&s, "port"));
	expect_errors(&r, NULL);
	conf_section_put(&s, "host", "i", two, true, &r);
	expect_errors(
	    &r, "f:2: \"host\" is given twice, first in line 2: remove one");
	conf_section_deinit(&s);
	assert_null(conf_section_get(&s, "host"));
}

static void
keeps_one_section_of_a_name(void **state)
{
	struct conf_tree t;
	struct conf_report r;
	struct conf_section s;
	int i;

	(void)state;
	conf_tree_init(&t);
	conf_report_init(&r);
	assert_int_equal(conf_tree_add_file(&t, "f", true), 0);
	assert_int_equal(conf_tree_add_file(&t, "g", false), 1);
	assert_true(t.files[0].others_may_read);
	for (i = 0; i < 2; i++) {
		s = (struct conf_section){ .at = { "f", 0, 5 } };
		conf_tree_add_defaults(&t, &s, &r);
	}
	expect_errors(&r,
	    "f:5: a second defaults section: put its options into the first, "
	    "in line 5 of f");
	assert_true(t.has_defaults);
	conf_tree_deinit(&t);
	assert_int_equal(t.n_files, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collects_the_values_of_one_assignment),
		cmocka_unit_test(keeps_one_section_of_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
