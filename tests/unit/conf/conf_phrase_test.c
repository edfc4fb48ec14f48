/* SPDX-License-Identifier: ISC */
#include "conf/conf_phrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
has_words_of_its_own(void **state)
{
	const struct conf_phrase *p = conf_phrase_find(CONF_NO_EQUAL);

	(void)state;
	assert_string_equal(p->before, "\"");
	assert_string_equal(
	    p->after, "\" must be followed by \"=\" and a value");
	p = conf_phrase_find("premature end of file");
	assert_non_null(p);
	assert_string_equal(p->after, "");
}

/* These are told in another way, or not at all. */
static void
knows_only_what_it_can_say_better(void **state)
{
	(void)state;
	assert_null(conf_phrase_find(CONF_NO_OPTION));
	assert_null(conf_phrase_find(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_words_of_its_own),
		cmocka_unit_test(knows_only_what_it_can_say_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
