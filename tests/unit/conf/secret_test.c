/* SPDX-License-Identifier: ISC */
#include "conf/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf_list.h"
#include "unit/conf/tmp.h"

static struct conf_account
account_with_file(const char *path)
{
	struct conf_account a = { 0 };

	a.secret.file = strdup(path);
	return a;
}

/* want NULL: an error of that text. */
static void
expect(struct conf_account *a, const char *want, const char *error)
{
	struct err e = { 0 };
	struct secret *s;

	assert_int_equal(conf_secret_read(a, &s, &e), want == NULL ? -1 : 0);
	if (want != NULL) {
		assert_true(span_eq(secret_span(s), span_of(want)));
		secret_free(&s);
		return;
	}
	assert_null(s);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.text, error);
}

static void
expect_file(const char *text, const char *want, const char *error)
{
	struct conf_account a = account_with_file("pw");

	tmp_write("pw", 0600, text);
	expect(&a, want, error);
	free(a.secret.file);
}

static void
reads_the_one_line_of_a_file(void **state)
{
	(void)state;
	expect_file("hush", "hush", NULL);
	expect_file("hush\n", "hush", NULL);
	expect_file("hush\r\n", "hush", NULL);
	expect_file(" two words \n", " two words ", NULL);
	expect_file("\xff\xfe\n", "\xff\xfe", NULL);
}

static void
refuses_a_file_that_is_not_one_line(void **state)
{
	struct conf_account a = account_with_file("pw");

	(void)state;
	expect_file("", NULL, "pw is empty: write the password into it");
	expect_file("\n", NULL, "pw is empty: write the password into it");
	expect_file("hush\n\n", NULL,
	    "pw has more than one line: leave the password alone in it");
	expect_file("a\nb\n", NULL,
	    "pw has more than one line: leave the password alone in it");
	expect_file("a\rb", NULL,
	    "pw has more than one line: leave the password alone in it");
	tmp_write_octets("pw", 0600, "a\0b", 3);
	expect(&a, NULL,
	    "pw has more than one line: leave the password alone in it");
	free(a.secret.file);
}

static void
finds_it_in_a_netrc(void **state)
{
	struct conf_account a = {
		.host = "h", .user = "u", .secret.netrc = "netrc"
	};

	(void)state;
	tmp_write("netrc", 0600, "machine h login u password hush\n");
	expect(&a, "hush", NULL);
	tmp_write("netrc", 0640, "machine h login u password hush\n");
	expect(&a, NULL, "netrc can be read by others: chmod 600 it");
	tmp_write("netrc", 0600, "machine x login u password hush\n");
	expect(&a, NULL, "netrc: no entry for machine h and login u: add one");
	a.secret.netrc = "none";
	expect(&a, NULL, "none: No such file or directory");
	if (geteuid() != 0)
		return;
	a.secret.netrc = "netrc";
	assert_int_equal(chown("netrc", 65534, 65534), 0);
	expect(&a, NULL, "netrc belongs to another user: copy it");
}

static void
needs_nothing_where_something_else_logs_in(void **state)
{
	struct conf_account a = { .auth = CONF_AUTH_EXTERNAL };
	char cert[] = "cert.pem";

	(void)state;
	expect(&a, "", NULL);
	a.auth = CONF_AUTH_GSSAPI;
	expect(&a, "", NULL);
	a.auth = CONF_AUTH_AUTO;
	a.tls_cert = cert;
	expect(&a, "", NULL);
}

static void
refuses_a_file_that_others_can_read(void **state)
{
	struct conf_account a = account_with_file("pw");

	(void)state;
	tmp_write("pw", 0640, "hush\n");
	expect(&a, NULL, "pw can be read by others: chmod 600 it");
	tmp_write("pw", 0604, "hush\n");
	expect(&a, NULL, "pw can be read by others: chmod 600 it");
	free(a.secret.file);
}

static void
refuses_what_is_no_file(void **state)
{
	struct conf_account none = account_with_file("none");
	struct conf_account dir = account_with_file("/");
	struct conf_account big = account_with_file("big");
	char *text = calloc(1, SECRET_MAX + 2);

	(void)state;
	expect(&none, NULL, "none: No such file or directory");
	expect(&dir, NULL, "/: not a regular file");
	memset(text, 'a', SECRET_MAX + 1);
	tmp_write("big", 0600, text);
	expect(&big, NULL, "big: larger than the 65536 octets allowed");
	text[SECRET_MAX] = '\0';
	tmp_write("big", 0600, text);
	expect(&big, text, NULL);
	free(text);
	free(none.secret.file);
	free(dir.secret.file);
	free(big.secret.file);
}

static void
reads_a_credential_whatever_its_mode(void **state)
{
	char name[] = "mail";
	struct conf_account a = { .secret.credential = name };

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	expect(&a, NULL,
	    "no $CREDENTIALS_DIRECTORY to find \"mail\" in: add "
	    "LoadCredential= to the systemd service");
	setenv("CREDENTIALS_DIRECTORY", tmp_path, 1);
	tmp_write("mail", 0440, "hush\n");
	expect(&a, "hush", NULL);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
copies_a_literal(void **state)
{
	struct conf_account a = { 0 };

	(void)state;
	expect(&a, NULL,
	    "no password is configured: add password-file, password-command, "
	    "password-credential, password-netrc or password");
	a.secret.literal = secret_new(SPAN("hush"));
	expect(&a, "hush", NULL);
	secret_free(&a.secret.literal);
}

static void
takes_the_first_line_of_an_output(void **state)
{
	static const char *const good[] = { "hush", "hush\n", "hush\r\n",
		"hush\nuser: alice\n", "hush\n\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct err e;
		struct secret *s = conf_secret_of_output(
		    span_of(good[i]), "password-command", &e);

		assert_non_null(s);
		assert_true(span_eq(secret_span(s), SPAN("hush")));
		secret_free(&s);
	}
}

static void
refuses_an_output_without_a_password(void **state)
{
	const struct {
		struct span out;
		const char *error;
	} t[] = {
		{ SPAN(""), "token-command printed nothing" },
		{ SPAN("\nhush\n"),
		    "the first line that token-command printed is empty" },
		{ SPAN("hu\0sh\n"),
		    "token-command printed a CR or NUL in its first line" },
		{ SPAN("hu\rsh\n"),
		    "token-command printed a CR or NUL in its first line" },
	};

	char *text = calloc(1, SECRET_MAX + 1);
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_null(
		    conf_secret_of_output(t[i].out, "token-command", &e));
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_string_equal(e.text, t[i].error);
	}
	memset(text, 'a', SECRET_MAX + 1);
	assert_null(conf_secret_of_output(
	    span_make(text, SECRET_MAX + 1), "password-command", &e));
	assert_string_equal(e.text,
	    "password-command printed a line of more than 65536 octets");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_one_line_of_a_file),
		cmocka_unit_test(refuses_a_file_that_is_not_one_line),
		cmocka_unit_test(finds_it_in_a_netrc),
		cmocka_unit_test(needs_nothing_where_something_else_logs_in),
		cmocka_unit_test(refuses_a_file_that_others_can_read),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(reads_a_credential_whatever_its_mode),
		cmocka_unit_test(copies_a_literal),
		cmocka_unit_test(takes_the_first_line_of_an_output),
		cmocka_unit_test(refuses_an_output_without_a_password),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
