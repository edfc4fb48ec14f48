/* SPDX-License-Identifier: ISC */
#include "io/tls_ca.h"

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
#include <sys/stat.h>
#include <unistd.h>

#define PEM(name)                                                              \
	"-----BEGIN CERTIFICATE-----\n" name "\n-----END CERTIFICATE-----\n"

static char dir[64];

static const char *
path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
put_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
set_up(void **state)
{
	(void)state;
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
	snprintf(dir, sizeof(dir), "/tmp/tls_ca_test.XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "a.pem", "b.pem", "0123abcd.0",
		"89abcdef.1", "README" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

static void
finds(const char *file, const char *want)
{
	struct buf out;
	struct err e = { 0 };

	if (tls_read_ca(file, NULL, &out, &e) != 0)
		fail_msg("%s", e.text);
	if (!span_has(buf_span(&out), span_of(want)))
		fail_msg("%s is not found", want);
	buf_deinit(&out);
}

static void
fails(const char *file, const char *why)
{
	struct buf out;
	struct err e = { 0 };

	assert_int_equal(tls_read_ca(file, NULL, &out, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, e.text);
	buf_deinit(&out);
}

static void
reads_the_named_file_before_all_else(void **state)
{
	(void)state;
	put_file("a.pem", PEM("AAAA"));
	put_file("b.pem", PEM("BBBB"));
	setenv("SSL_CERT_FILE", path_of("b.pem"), 1);
	finds(path_of("a.pem"), "AAAA");
}

static void
reads_the_environment_before_the_system(void **state)
{
	(void)state;
	put_file("b.pem", PEM("BBBB"));
	setenv("SSL_CERT_FILE", path_of("b.pem"), 1);
	finds(NULL, "BBBB");
}

static void
reads_hashed_directories(void **state)
{
	char list[200];

	(void)state;
	put_file("0123abcd.0", PEM("AAAA"));
	put_file("89abcdef.1", PEM("BBBB"));
	put_file("README", PEM("CCCC"));
	snprintf(list, sizeof(list), "/nonexistent:%s", dir);
	setenv("SSL_CERT_DIR", list, 1);
	finds(NULL, "AAAA");
	finds(NULL, "BBBB");
	unlink(path_of("0123abcd.0"));
	unlink(path_of("89abcdef.1"));
	fails(NULL, "SSL_CERT_DIR");
}

static void
finds_in(const char *file, const char *want, bool there)
{
	struct buf out;
	struct err e = { 0 };

	if (tls_read_ca(file, dir, &out, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(span_has(buf_span(&out), span_of(want)), there);
	buf_deinit(&out);
}

static void
reads_the_named_directory(void **state)
{
	struct buf out;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(tls_read_ca(NULL, dir, &out, &e), -1);
	assert_non_null(strstr(e.text, "has no file with a certificate"));
	buf_deinit(&out);
	assert_int_equal(tls_read_ca(NULL, "/nonexistent", &out, &e), -1);
	assert_non_null(strstr(e.text, "tls-ca-dir: /nonexistent: No such"));
	buf_deinit(&out);
	put_file("README", PEM("CCCC"));
	put_file("a.pem", PEM("AAAA"));
	finds_in(NULL, "AAAA", true);
	finds_in(NULL, "CCCC", false);
	put_file("b.pem", PEM("BBBB"));
	finds_in(NULL, "BBBB", true);
	finds_in(path_of("README"), "BBBB", true);
	finds_in(path_of("README"), "CCCC", true);
	put_file("0123abcd.0", PEM("DDDD"));
	finds_in(NULL, "DDDD", true);
	finds_in(NULL, "AAAA", false);
}

static void
says_what_to_set(void **state)
{
	(void)state;
	put_file("a.pem", "-----BEGIN PRIVATE KEY-----\n");
	fails(path_of("a.pem"), "tls-ca-file: ");
	fails(path_of("a.pem"), "holds no certificate");
	fails("/nonexistent/ca.pem", "tls-ca-file: /nonexistent/ca.pem");
	setenv("SSL_CERT_FILE", "/nonexistent/ca.pem", 1);
	fails(NULL, "SSL_CERT_FILE: /nonexistent/ca.pem");
	setenv("SSL_CERT_FILE", path_of("a.pem"), 1);
	fails(NULL, "set tls-ca-file");
}

static void
refuses_a_bundle_without_end(void **state)
{
	FILE *f = fopen(path_of("a.pem"), "w");

	(void)state;
	fputs(PEM("AAAA"), f);
	fclose(f);
	assert_int_equal(truncate(path_of("a.pem"), TLS_CA_MAX_OCTETS + 1), 0);
	fails(path_of("a.pem"), "a.pem");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    reads_the_named_file_before_all_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    reads_the_environment_before_the_system, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    reads_hashed_directories, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    reads_the_named_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    says_what_to_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    refuses_a_bundle_without_end, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
