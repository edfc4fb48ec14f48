/* SPDX-License-Identifier: ISC */
#include "conf/conf_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf_list.h"
#include "unit/conf/tmp.h"
#include "util/mem.h"

static const char *const global[] = { "level", NULL };

static const char *const account[] = { "host", "list", "oauth2", NULL };

static const char *const oauth2[] = { "id", "list", NULL };

static char *
parse(struct conf_tree *t, const char *path)
{
	const struct conf_words words = { global, account, oauth2 };
	struct conf_list files = { 0 };
	struct conf_report r;
	struct buf b;
	char **v, *text;
	size_t n, i;

	conf_tree_init(t);
	conf_report_init(&r);
	conf_list_add(&files, path);
	conf_parse(t, &files, false, &words, &r);
	conf_list_free(&files);
	v = conf_report_take(&r, &n);
	buf_init(&b, 1 << 20);
	for (i = 0; i < n; i++)
		buf_printf(&b, "%s\n", v[i]);
	conf_errors_free(&v, &n);
	text = mem_spandup(buf_span(&b));
	buf_deinit(&b);
	return text;
}

/* Only what is wrong. */
static void
expect(const char *path, const char *want)
{
	struct conf_tree t;
	char *errors = parse(&t, path);

	assert_string_equal(errors, want);
	free(errors);
	conf_tree_deinit(&t);
}

static void
keeps_values_with_their_places(void **state)
{
	struct conf_tree t;
	struct conf_setting *s;
	char *errors;

	(void)state;
	tmp_write("f", 0600,
	    "/* one\n two */ level = 1\n"
	    "defaults { list = {a, 'b c',\n \"d\\x41\"} }\n"
	    "# x\naccount x {\n host = y\n list += z list += q\n}\n"
	    "account empty { }\n");
	errors = parse(&t, "f");
	assert_string_equal(errors, "");
	free(errors);
	s = conf_section_get(&t.global, "level");
	assert_int_equal(s->at.line, 2);
	assert_string_equal(s->at.path, "f");
	s = conf_section_get(&t.defaults, "list");
	assert_int_equal(s->values.n, 3);
	assert_string_equal(s->values.v[1], "b c");
	assert_string_equal(s->values.v[2], "dA");
	assert_int_equal(t.n_accounts, 2);
	assert_string_equal(t.accounts[0].title, "x");
	assert_int_equal(t.accounts[0].at.line, 6);
	assert_int_equal(conf_section_get(&t.accounts[0], "list")->values.n, 2);
	assert_string_equal(t.accounts[1].title, "empty");
	assert_false(t.broken);
	conf_tree_deinit(&t);
}

static void
follows_includes_with_their_own_lines(void **state)
{
	struct conf_tree t;
	char *errors;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	tmp_write("main", 0600,
	    "level = 1\ninclude(\"d/*.conf\")\ninclude(\"none\")\n"
	    "account m { host = a }\n}\n");
	tmp_write("d/1.conf", 0644, "\naccount one {\n hots = 1\n}\n");
	tmp_write("d/2.conf", 0600, "account two { host = a }\n}\nlevel = 2\n");
	tmp_write("d/3.conf", 0600, "include(\"sub\")");
	tmp_write("d/sub", 0600, "\n\naccount m { }");
	errors = parse(&t, "main");
	assert_string_equal(errors,
	    "main:3: none: No such file or directory\n"
	    "main:4: account \"m\" is there already, in line 3 of d/sub: give "
	    "one of them another name\n"
	    "main:5: this \"}\" closes nothing: remove it, or look for one "
	    "too many above\n"
	    "d/1.conf:3: unknown option \"hots\" (did you mean \"host\"?)\n"
	    "d/2.conf:2: this \"}\" closes nothing: remove it, or look for "
	    "one too many above\n");
	free(errors);
	assert_true(t.broken);
	assert_int_equal(t.n_accounts, 3);
	assert_int_equal(t.n_files, 5);
	assert_true(t.files[1].others_may_read);
	assert_false(t.files[2].others_may_read);
	conf_tree_deinit(&t);
}

static void
refuses_includes_without_end(void **state)
{
	char name[16], text[64];
	int i;

	(void)state;
	tmp_write("self", 0600, "\ninclude(\"./self\")\n");
	expect("self",
	    "self:2: ./self: a file cannot include itself, directly or by "
	    "others\n");
	tmp_write("a", 0600, "include(\"b\")\n");
	tmp_write("b", 0600, "include(\"a\")\n");
	expect("a",
	    "b:1: a: a file cannot include itself, directly or by others\n");
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "deep%d", i);
		snprintf(text, sizeof(text), "include(\"deep%d\")\n", i + 1);
		tmp_write(name, 0600, text);
	}
	expect("deep0",
	    "deep8:1: deep9: files include each other too deeply (8 levels)\n");
}

static void
refuses_files_too_large(void **state)
{
	size_t n = (1 << 20) + 1;
	char *text = malloc(n);

	(void)state;
	memset(text, '\n', n);
	tmp_write_octets("big", 0600, text, n);
	free(text);
	expect("big",
	    "big: larger than the 1048576 octets allowed: write it, or name "
	    "another with -c\n");
}

static void
ends_with_many_unknown_names(void **state)
{
	struct conf_tree t;
	struct buf b;
	char *errors;
	int i;

	(void)state;
	buf_init(&b, 1 << 20);
	for (i = 0; i < 500; i++)
		buf_printf(&b, "zz%d = 1\n", i);
	tmp_write_octets("many", 0600, buf_span(&b).p, b.n);
	buf_deinit(&b);
	errors = parse(&t, "many");
	assert_non_null(strstr(errors, "many:1: unknown option \"zz0\""));
	assert_non_null(strstr(errors, "many:20: unknown option \"zz19\""));
	assert_null(strstr(errors, "many:30:"));
	assert_true(t.broken);
	free(errors);
	conf_tree_deinit(&t);
}

/* Each of them has broken a parser: this one, or libconfuse without care. */
static void
survives_odd_files(void **state)
{
	static const char *const t[] = { "#", "#\n", "####\n", "/**/", "/*",
		"\"", "'", "{", "}", "(", ")", "=", ",", "+=", "root { }",
		"root a { }\nroot a { }\n", "root = 1", "a|b = 1",
		"defaults|host = 1", "account|host = 1", "account=x|host = 1",
		"'account=x|host' = 1", "'' = 1", "'|' = 1",
		"a { a { a { } } }", "a b { c d { } }", "account a { x { } }",
		"account a { x y { } }",
		"account \"\" { } account \"\" { host = 1 }", "\"${\" = \"${\"",
		"\"\\777\"", "\"\\8\" = 1", "include", "include(\"\")",
		"include(\"a\", \"b\")", "level = {1, 2,}", "level = {,}",
		"level = 1 =", "account a { account b { account c {",
		"a = { { } }", "a = 1 b { c = { } } a { }", "zz(1)",
		"zz zz zz { }", "zz { host 1 }", "%s%n = %s%n", "'%s%n' { }" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf_tree tree;

		tmp_write("odd", 0600, t[i]);
		free(parse(&tree, "odd"));
		conf_tree_deinit(&tree);
	}
	/* libconfuse would free its scanner with a section of that name */
	tmp_write("odd", 0600, "root a { }\nroot a { }\n");
	expect("odd",
	    "odd:1: unknown option \"root\": mailhaul.conf(5) lists all\n");
	tmp_write("f", 0600, "level = 1\n"); /* and nothing stays behind */
	expect("f", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_values_with_their_places),
		cmocka_unit_test(follows_includes_with_their_own_lines),
		cmocka_unit_test(refuses_includes_without_end),
		cmocka_unit_test(refuses_files_too_large),
		cmocka_unit_test(ends_with_many_unknown_names),
		cmocka_unit_test(survives_odd_files),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
