/* SPDX-License-Identifier: ISC */
#include "conf/conf_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	const char *text;
	bool any;
	const char *wrong; /* NULL: nothing */
} table[] = {
	{ "", false, NULL },
	{ "-d", false, NULL },
	{ "100%", false, NULL },
	{ "%%", false, NULL },
	{ "{}", false, NULL },
	{ "%d %F", false, NULL },
	{ "%{account}", true, NULL },
	{ "%{mailbox}%{user}", true, NULL },
	{ "a%{sender}b%{recipient}c%{uid}d", true, NULL },
	{ "%%{account}", false, NULL },
	{ "%%{acount}", false, NULL },
	{ "%%{", false, NULL },
	{ "%%{%{uid}", true, NULL },
	{ "%%%{uid", false, NULL },
	{ "%{uid", true,
	    "a placeholder is not closed: add \"}\", or write %%{ for %{ "
	    "itself" },
	{ "%{uid} %{", true,
	    "a placeholder is not closed: add \"}\", or write %%{ for %{ "
	    "itself" },
	{ "%{acount}", true,
	    "unknown placeholder %{acount} (did you mean %{account}?)" },
	{ "%{uid}%{UID}", true,
	    "unknown placeholder %{UID}: there are %{account}, %{mailbox}, "
	    "%{user}, %{sender}, %{recipient} and %{uid}" },
	{ "%{}", true,
	    "unknown placeholder %{}: there are %{account}, %{mailbox}, "
	    "%{user}, %{sender}, %{recipient} and %{uid}" },
	{ "%{a%{uid}", true,
	    "unknown placeholder %{a%{uid} (did you mean %{uid}?)" },
};

static void
knows_good_and_bad_placeholders(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct err e;
		int r = conf_template_check(table[i].text, &e);

		assert_int_equal(r, table[i].wrong == NULL ? 0 : -1);
		if (r != 0) {
			assert_int_equal(e.kind, ERR_CONFIG);
			assert_string_equal(e.text, table[i].wrong);
		}
	}
}

static void
sees_whether_there_is_any(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_true(
		    conf_template_has_any(table[i].text) == table[i].any);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_good_and_bad_placeholders),
		cmocka_unit_test(sees_whether_there_is_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
