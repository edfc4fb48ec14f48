/* SPDX-License-Identifier: ISC */
#include "conf/conf_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "conf/conf_list.h"
#include "conf/conf_value.h"
#include "util/secret.h"

static struct conf_source file = { NULL, false };

static struct conf_tree tree = { .files = &file, .n_files = 1 };

/* Reads one value (two, if second is given) by the option's kind. */
static void
read_value(const struct conf_option *o, const char *value, const char *second,
    void *field, const char *error)
{
	char name[] = "name";
	struct conf_setting s = { .name = name, .at = { "f", 0, 3 } };
	struct conf_report report;
	struct conf_reader r = { .tree = &tree, .report = &report };
	char **v;
	size_t n;

	conf_report_init(&report);
	conf_list_add(&s.values, value);
	if (second != NULL)
		conf_list_add(&s.values, second);
	o->read(&r, o, &s, field);
	conf_list_free(&s.values);
	v = conf_report_take(&report, &n);
	assert_int_equal(n, error == NULL ? 0 : 1);
	if (error != NULL)
		assert_string_equal(v[0], error);
	conf_errors_free(&v, &n);
}

static void
reads_a_choice_to_its_number(void **state)
{
	static const char *const words[] = { "a", "b", NULL };
	const struct conf_option o = { .read = conf_read_choice,
		.words = words };
	unsigned int v = 7;

	(void)state;
	read_value(&o, "c", NULL, &v, "f:3: name = \"c\": use a or b");
	read_value(&o, "a", "b", &v,
	    "f:3: name has one value, not a list: remove the others");
	assert_int_equal(v, 7);
	read_value(&o, "b", NULL, &v, NULL);
	assert_int_equal(v, 1);
}

static void
reads_all_words_for_yes_and_no(void **state)
{
	static const char *const yes[] = { "yes", "true", "on", "YES", "On" };
	static const char *const no[] = { "no", "false", "off", "NO" };
	const struct conf_option o = { .read = conf_read_bool };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		bool b = false;

		read_value(&o, yes[i], NULL, &b, NULL);
		assert_true(b);
	}
	for (i = 0; i < sizeof(no) / sizeof(*no); i++) {
		bool b = true;

		read_value(&o, no[i], NULL, &b, NULL);
		assert_false(b);
	}
}

static void
reads_numbers_and_times_in_their_range(void **state)
{
	struct conf_option o = { .read = conf_read_number, .min = 2, .max = 5 };
	uint64_t wide = 0;
	unsigned int v = 0;

	(void)state;
	read_value(&o, "2", NULL, &v, NULL);
	assert_int_equal(v, 2);
	read_value(&o, "5", NULL, &v, NULL);
	assert_int_equal(v, 5);
	read_value(&o, "6", NULL, &v,
	    "f:3: name = \"6\": it must be a number from 2 to 5");
	read_value(&o, "3x", NULL, &v,
	    "f:3: name = \"3x\": it must be a number from 2 to 5");
	o = (struct conf_option){
		.read = conf_read_seconds, .min = 90, .max = 7200
	};
	read_value(&o, "2h", NULL, &v, NULL);
	assert_int_equal(v, 7200);
	read_value(&o, "1m", NULL, &v,
	    "f:3: name = \"1m\": it must be a time from 90s to 2h, as 30s, "
	    "5m, 2h or 14d");
	o.read = conf_read_seconds_64;
	read_value(&o, "5m", NULL, &wide, NULL);
	assert_true(wide == 300);
}

static void
reads_sizes(void **state)
{
	const struct conf_option o = { .read = conf_read_size, .max = 2048 };
	uint64_t v = 7;

	(void)state;
	read_value(&o, "2K", NULL, &v, NULL);
	assert_true(v == 2048);
	read_value(&o, "2049", NULL, &v,
	    "f:3: name = \"2049\": it must be a size up to 1024G, as 512K, "
	    "50M or 2G");
	read_value(&o, "1k", NULL, &v,
	    "f:3: name = \"1k\": it must be a size up to 1024G, as 512K, 50M "
	    "or 2G");
	assert_true(v == 2048);
	read_value(&o, "0", NULL, &v, NULL);
	assert_true(v == 0);
}

static void
reads_texts_and_paths(void **state)
{
	const struct conf_option text = { .read = conf_read_text,
		.check = conf_check_wire };
	const struct conf_option path = { .read = conf_read_path };
	char *s = NULL;

	(void)state;
	read_value(&text, "a", NULL, &s, NULL);
	assert_string_equal(s, "a");
	read_value(&text, "", NULL, &s, "f:3: name is empty: give it a value");
	setenv("HOME", "/home/alice", 1);
	read_value(&path, "~", NULL, &s, NULL);
	assert_string_equal(s, "/home/alice");
	read_value(&path, "a", NULL, &s,
	    "f:3: name = \"a\": the path must begin with \"/\" or \"~/\"");
	free(s);
}

static void
reads_lists(void **state)
{
	const struct conf_option boxes = { .read = conf_read_mailboxes };
	const struct conf_option command = { .read = conf_read_command };
	struct conf_list l = { 0 };

	(void)state;
	read_value(&boxes, "a", "!b", &l, NULL);
	assert_int_equal(l.n, 2);
	read_value(&boxes, "a", "!", &l, "f:3: name is empty: give it a value");
	read_value(&boxes, "!a", "!b", &l,
	    "f:3: name only leaves out: put what is wanted first, as {\"*\", "
	    "\"!Junk\"}");
	read_value(&command, "pass", "x", &l, NULL);
	assert_string_equal(l.v[1], "x");
	read_value(&command, "pass x", NULL, &l,
	    "f:3: name = \"pass x\": no shell splits it: write {\"program\", "
	    "\"argument\"}");
	conf_list_free(&l);
}

static void
reads_a_password_from_a_private_file_only(void **state)
{
	const struct conf_option o = { .read = conf_read_password };
	struct secret *s = NULL;

	(void)state;
	read_value(&o, "hush", NULL, &s, NULL);
	assert_true(span_eq(secret_span(s), SPAN("hush")));
	file.others_may_read = true;
	read_value(&o, "hush", NULL, &s,
	    "f:3: name stands in a file that others can read: chmod 600 it, or "
	    "use name-file");
	file.others_may_read = false;
	secret_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_choice_to_its_number),
		cmocka_unit_test(reads_all_words_for_yes_and_no),
		cmocka_unit_test(reads_numbers_and_times_in_their_range),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(reads_texts_and_paths),
		cmocka_unit_test(reads_lists),
		cmocka_unit_test(reads_a_password_from_a_private_file_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
