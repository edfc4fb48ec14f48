/* SPDX-License-Identifier: ISC */
#include "ledger/names.h"

#include "unit/ledger/table.h"

static const uint8_t print[LEDGER_FINGERPRINT] = "0123456789abcdef";

static struct name
name_of(bool pop3, bool by_content, uint32_t number_)
{
	struct message m = { .box = 1,
		.pop3 = pop3,
		.by_content = by_content,
		.number = number_,
		.fingerprint = print };
	struct name name;

	if (names_of(t.d, &m, &name, &t.e) < 0)
		fail_msg("%s", t.e.text);
	return name;
}

static void
assert_name(const struct name *name, struct span s, const char *shown)
{
	char text[LEDGER_UID_TEXT];

	assert_true(span_eq(names_span(name), s));
	names_show(text, sizeof(text), names_span(name));
	assert_string_equal(text, shown);
}

static void
names_by_uid(void **state)
{
	struct name name = name_of(false, false, UINT32_MAX);

	(void)state;
	assert_name(&name, SPAN("u4294967295"), "4294967295");
	assert_int_equal(name.uid, UINT32_MAX);
}

static void
names_by_content(void **state)
{
	struct name name = name_of(true, true, 5);

	(void)state;
	assert_name(&name, SPAN("c0123456789abcdef"), "");
	assert_int_equal(name.uid, 0);
}

static void
names_by_uidl_whether_handled_or_not(void **state)
{
	struct name name;

	(void)state;
	sql("INSERT INTO temp.line VALUES (1, 3, x'6400ff', 10, 1, 0, 0)");
	sql("INSERT INTO uidl VALUES (1, 7, x'62', 20, 1, 0, 0, 0, '')");
	sql("INSERT INTO temp.run VALUES (1, 4, 1, 7)");
	name = name_of(true, false, 3);
	assert_name(&name, SPAN("ld\0\xff"), "d\\x00\\xFF");
	name = name_of(true, false, 4);
	assert_name(&name, SPAN("lb"), "b");
	assert_int_equal(name.uid, 0);
}

static void
tells_equal_uidls_apart(void **state)
{
	struct name name;

	(void)state;
	sql("INSERT INTO temp.line VALUES (1, 3, x'612f62', 10, 2, 1, 0), "
	    "(1, 4, x'', 9223372036854775807, 9223372036854775807, 1, 0), "
	    "(1, 5, zeroblob(255), 9223372036854775807, 9223372036854775807, "
	    "1, 0)");
	name = name_of(true, false, 3);
	assert_name(&name, SPAN("d10/2/a/b"), "a/b");
	name = name_of(true, false, 4);
	assert_name(
	    &name, SPAN("d9223372036854775807/9223372036854775807/"), "");
	name = name_of(true, false, 5);
	assert_int_equal(name.n, 41 + 255);
}

static void
cuts_what_is_shown(void **state)
{
	char text[LEDGER_UID_TEXT];
	struct name name;

	(void)state;
	sql("INSERT INTO temp.line VALUES (1, 3, "
	    "CAST(printf('%.255c', 'x') AS BLOB), 10, 1, 0, 0)");
	name = name_of(true, false, 3);
	names_show(text, sizeof(text), names_span(&name));
	assert_int_equal(strlen(text), 80);
	assert_string_equal(text + 76, "x...");
}

static void
has_no_name_for_what_is_not_listed(void **state)
{
	struct message m = { .box = 1, .pop3 = true, .number = 9 };
	struct name name;

	(void)state;
	assert_int_equal(names_of(t.d, &m, &name, &t.e), -1);
	assert_non_null(strstr(t.e.text, "message 9 is not in the listing"));
}

static void
takes_the_name_from_entries_and_notes(void **state)
{
	struct ledger_entry entry = { .box = 4, .number = 5 };
	struct ledger_note note = { .box = 4, .number = 5, .by_content = true };
	struct message m = names_entry(&entry, true);

	(void)state;
	assert_int_equal(m.box, 4);
	assert_int_equal(m.number, 5);
	assert_true(m.pop3);
	assert_false(m.by_content);
	assert_ptr_equal(m.fingerprint, entry.fingerprint);
	m = names_note(&note, true);
	assert_true(m.by_content);
	assert_ptr_equal(m.fingerprint, note.fingerprint);
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_by_uid),
		TEST(names_by_content),
		TEST(names_by_uidl_whether_handled_or_not),
		TEST(tells_equal_uidls_apart),
		TEST(cuts_what_is_shown),
		TEST(has_no_name_for_what_is_not_listed),
		TEST(takes_the_name_from_entries_and_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
