/* SPDX-License-Identifier: ISC */
#include "conf/conf_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "conf/conf_names.h"

static void
names_every_option_once(void **state)
{
	struct conf_words w = conf_words();
	const char *const *a, *const *b;

	(void)state;
	assert_true(conf_is_in(w.global, "log-level"));
	assert_true(conf_is_in(w.account, "maildir"));
	for (a = w.account; *a != NULL; a++) {
		/* the engine's user, and whom it logs in as */
		assert_true(
		    !conf_is_in(w.global, *a) || strcmp(*a, "user") == 0);
		assert_false(conf_is_keyword(*a));
		for (b = a + 1; *b != NULL; b++)
			assert_string_not_equal(*a, *b);
	}
}

static void
put(struct conf_section *s, const char *name, const char *value,
    struct conf_report *r)
{
	struct conf_place at = { "f", 0, 2 };

	conf_section_put(s, name, value, at, true, r);
}

static struct conf *
read_tree(struct conf_tree *t, bool with_host, struct conf_report *r)
{
	struct conf_section s = { .at = { "f", 0, 1 } };

	conf_tree_init(t);
	conf_report_init(r);
	conf_tree_add_file(t, "f", false);
	s.title = strdup("a");
	put(&s, "user", "u", r);
	put(&s, "maildir", "/m", r);
	if (with_host)
		put(&s, "host", "h", r);
	conf_tree_add_account(t, &s, r);
	return conf_read(t, r);
}

static void
fills_a_plain_struct(void **state)
{
	struct conf_report r;
	struct conf_tree t;
	struct conf *c = read_tree(&t, true, &r);

	(void)state;
	assert_int_equal(r.n, 0);
	conf_tree_deinit(&t); /* nothing is borrowed from it */
	assert_string_equal(c->accounts[0].host, "h");
	assert_string_equal(c->accounts[0].where, "f:1");
	conf_free(&c);
}

static void
misses_what_is_needed(void **state)
{
	struct conf_report r;
	struct conf_tree t;
	struct conf *c = read_tree(&t, false, &r);

	(void)state;
	assert_int_equal(r.n, 1);
	conf_free(&c);
	conf_report_deinit(&r);
	conf_tree_deinit(&t);
}

static void
misses_nothing_in_a_file_not_read_to_its_end(void **state)
{
	struct conf_report r;
	struct conf_tree t;
	struct conf *c = read_tree(&t, false, &r);

	(void)state;
	conf_free(&c);
	conf_report_deinit(&r);
	t.broken = true;
	c = conf_read(&t, &r);
	assert_int_equal(r.n, 0);
	conf_free(&c);
	conf_tree_deinit(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_every_option_once),
		cmocka_unit_test(fills_a_plain_struct),
		cmocka_unit_test(misses_what_is_needed),
		cmocka_unit_test(misses_nothing_in_a_file_not_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
