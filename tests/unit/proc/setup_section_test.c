/* SPDX-License-Identifier: ISC */
#include "proc/setup_section.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct setup_found
found(void)
{
	return (struct setup_found){ .protocol = CONF_IMAP,
		.tls = CONF_TLS_IMPLICIT,
		.port = 993,
		.host = "imap.example.org",
		.user = "alice",
		.password = true,
		.where = "somebody said so" };
}

static char *
section(const struct setup_found *f, const char *address)
{
	struct buf b;
	char *text;

	buf_init(&b, SETUP_SECTION_MAX);
	setup_section_put(&b, f, address);
	(void)buf_addc(&b, '\0');
	text = strdup(buf_span(&b).p);
	buf_deinit(&b);
	assert_non_null(text);
	return text;
}

static void
prints_what_was_found(void **state)
{
	struct setup_found f = found();
	char *text = section(&f, "alice@example.org");

	(void)state;
	assert_string_equal(text,
	    "# somebody said so\n"
	    "account \"alice@example.org\" {\n"
	    "    protocol = imap\n"
	    "    host     = \"imap.example.org\"\n"
	    "    user     = \"alice\"\n"
	    "    # where the password is: one of\n"
	    "    # password-command = {\"pass\", \"show\", "
	    "\"alice@example.org\"}\n"
	    "    # password-file = \"~/.config/mailhaul/password\"\n"
	    "    maildir  = \"~/Maildir\"\n"
	    "}\n");
	free(text);
	f.protocol = CONF_POP3;
	f.tls = CONF_TLS_STARTTLS;
	f.foreign = true;
	text = section(&f, "alice@example.org");
	assert_non_null(strstr(text, "# The DNS is not signed"));
	assert_non_null(strstr(text, "    protocol = pop3\n"));
	assert_non_null(strstr(text, "    port     = 993\n"));
	assert_non_null(strstr(text, "    tls      = starttls\n"));
	free(text);
}

static void
keeps_values_and_comments_in_their_place(void **state)
{
	struct setup_found f = found();
	char *text;

	(void)state;
	(void)snprintf(f.user, sizeof(f.user), "a\"b\\c");
	(void)snprintf(
	    f.where, sizeof(f.where), "one\n} account two\r\n\033[2J");
	text = section(&f, "alice@example.org");
	assert_non_null(strstr(text, "    user     = \"a\\\"b\\\\c\"\n"));
	assert_ptr_equal(
	    strstr(text, "# one\\x0A} account two\\x0D\\x0A\\x1B[2J\n"), text);
	assert_null(strstr(text, "\n} account two"));
	assert_null(strchr(text, '\033'));
	free(text);
}

static void
finds_a_name_for_the_account(void **state)
{
	static const char *const all[][2] = {
		{ "a/b@example.org", "\"a_b@example.org\"" },
		{ "-a@example.org", "\"_a@example.org\"" },
		{ "m\xc3\xbcller@example.org",
		    "\"m\xc3\xbcller@example.org\"" },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "89@example.org",
		    "\"0123456789012345678901234567890123456789012345678901234"
		    "56789@exa\"" },
	};
	struct setup_found f = found();

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char *text = section(&f, all[i][0]);
		char *name = strstr(text, "\naccount ");

		assert_non_null(name);
		assert_memory_equal(name + 9, all[i][1], strlen(all[i][1]));
		free(text);
	}
}

static void
comes_out_as_it_went_in(void **state)
{
	struct setup_found in = found(), out;
	struct unpack u;
	struct buf b;

	(void)state;
	assert_true(setup_found_provider(&in,
	    providers_find_mx("x.mail.protection.outlook.com"),
	    "alice@example.org", true));
	in.foreign = true;
	buf_init(&b, 4096);
	setup_found_pack(&b, &in);
	u = unpack_of(buf_span(&b));
	assert_true(setup_found_unpack(&u, &out));
	assert_int_equal(out.protocol, CONF_POP3);
	assert_int_equal(out.port, 995);
	assert_string_equal(out.host, in.host);
	assert_string_equal(out.user, in.user);
	assert_string_equal(out.where, in.where);
	assert_ptr_equal(out.provider, in.provider);
	assert_true(out.foreign);
	assert_true(out.oauth2);
	assert_false(out.password);
	for (size_t n = 0; n < b.n; n++) {
		u = unpack_of(span_make(buf_span(&b).p, n));
		assert_false(setup_found_unpack(&u, &out));
	}
	buf_deinit(&b);
}

static void
does_not_believe_what_came(void **state)
{
	struct setup_found bad[9], out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		bad[i] = found();
	(void)snprintf(bad[0].host, sizeof(bad[0].host), "a\"b");
	bad[1].host[0] = '\0';
	(void)snprintf(bad[2].user, sizeof(bad[2].user), "a\nb");
	bad[3].user[0] = '\0';
	bad[4].port = 0;
	bad[5].port = 65536;
	bad[6].tls = CONF_TLS_NONE;
	(void)snprintf(bad[7].user, sizeof(bad[7].user), "a\033[2Jb");
	(void)snprintf(bad[8].where, sizeof(bad[8].where), "a\nb");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct unpack u;
		struct buf b;

		buf_init(&b, 4096);
		setup_found_pack(&b, &bad[i]);
		u = unpack_of(buf_span(&b));
		assert_false(setup_found_unpack(&u, &out));
		buf_deinit(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_what_was_found),
		cmocka_unit_test(keeps_values_and_comments_in_their_place),
		cmocka_unit_test(finds_a_name_for_the_account),
		cmocka_unit_test(comes_out_as_it_went_in),
		cmocka_unit_test(does_not_believe_what_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
