/* SPDX-License-Identifier: ISC */
#include "proc/certificates.h"

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

#include "sys/log.h"

#define DAY 86400
#define NOW (INT64_C(20000) * DAY + 5000) /* 2024-10-04 */
#define WEEKS_2 (UINT64_C(14) * DAY)

static char dir[32], path[64], said[4096];
static struct loop *loop;
static struct certificates *certificates;

static void
listen(enum log_level level, const char *line)
{
	(void)level;
	snprintf(
	    said + strlen(said), sizeof(said) - strlen(said), "%s\n", line);
}

static void
expect_said(const char *words)
{
	if (*words == '\0' ? said[0] != '\0' : strstr(said, words) == NULL)
		fail_msg("\"%s\" is not \"%s\"", said, words);
	said[0] = '\0';
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/certs.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/certificates.json", dir);
	loop = loop_new();
	certificates = certificates_new(loop, dir);
	said[0] = '\0';
	log_set_sink(listen);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	certificates_free(&certificates);
	loop_free(&loop);
	log_set_sink(NULL);
	unlink(path);
	return rmdir(dir);
}

/* Another run of ours. */
static void
again(void)
{
	certificates_free(&certificates);
	certificates = certificates_new(loop, dir);
}

static struct certificate
good_for(int64_t seconds)
{
	return (struct certificate){ .host = "imap.example.org",
		.authority = "An Authority",
		.pin = "sha256:x",
		.not_after = NOW + seconds };
}

static void
see(const struct certificate *c, int64_t now)
{
	certificates_seen(certificates, "work", WEEKS_2, c, now);
}

static void
warns_once_a_day_of_one_that_ends_soon(void **state)
{
	struct certificate c = good_for(INT64_C(10) * DAY);

	(void)state;
	see(&c, NOW);
	expect_said(
	    "work: warning: the certificate of imap.example.org expires in 10 "
	    "days (2024-10-14)");
	see(&c, NOW + 100);
	expect_said("");
	again();
	see(&c, NOW + 200);
	expect_said("");
	certificates_seen(certificates, "other", WEEKS_2, &c, NOW);
	expect_said(
	    "other: warning: the certificate of imap.example.org expires in");
	see(&c, NOW + DAY);
	expect_said("expires in 9 days");
	see(&c, NOW + INT64_C(9) * DAY);
	expect_said("expires in 1 day (");
}

static void
warns_in_time_and_not_before(void **state)
{
	struct certificate c = good_for((int64_t)WEEKS_2 + 10);

	(void)state;
	see(&c, NOW);
	expect_said("");
	see(&c, NOW + 20);
	expect_said("expires in 13 days");
	certificates_seen(certificates, "never", 0, &c, NOW + 20);
	expect_said("");
}

static void
tells_when_another_authority_issued_it(void **state)
{
	struct certificate c = good_for(INT64_C(90) * DAY);

	(void)state;
	see(&c, NOW);
	snprintf(c.pin, sizeof(c.pin), "sha256:y"); /* renewed */
	see(&c, NOW);
	expect_said("");
	again();
	snprintf(c.authority, sizeof(c.authority), "Somebody");
	see(&c, NOW);
	expect_said(
	    "work: warning: the issuer of imap.example.org's certificate "
	    "changed from An Authority to Somebody");
	see(&c, NOW);
	expect_said("");
	/* an account that goes elsewhere is told nothing */
	snprintf(c.authority, sizeof(c.authority), "A Third");
	snprintf(c.host, sizeof(c.host), "other.example");
	see(&c, NOW + DAY);
	expect_said("");
	/* nor is it told all day when servers take turns */
	snprintf(c.authority, sizeof(c.authority), "A Fourth");
	see(&c, NOW + DAY);
	expect_said("changed from A Third to A Fourth");
	snprintf(c.authority, sizeof(c.authority), "A Third");
	see(&c, NOW + DAY);
	expect_said("");
}

static void
mentions_a_useless_ocsp_response(void **state)
{
	struct certificate c = good_for(INT64_C(90) * DAY);

	(void)state;
	log_set_level(LOG_LEVEL_NOTICE);
	c.ocsp_is_useless = true;
	see(&c, NOW);
	expect_said("work: the OCSP response that imap.example.org sends");
	see(&c, NOW);
	expect_said("");
}

static void
keeps_it_for_its_owner_alone(void **state)
{
	struct certificate c = good_for(DAY);
	struct stat st;

	(void)state;
	see(&c, NOW);
	again();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
begins_anew_when_the_file_makes_no_sense(void **state)
{
	static const char *const texts[] = { "{", "[]", "{}", "1",
		"{\"accounts\":1}" };
	struct certificate c = good_for(DAY);

	(void)state;
	log_set_level(LOG_LEVEL_NOTICE);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		FILE *f;

		certificates_free(&certificates);
		f = fopen(path, "w");
		fputs(texts[i], f);
		fclose(f);
		said[0] = '\0';
		certificates = certificates_new(loop, dir);
		expect_said("it makes no sense, and is begun anew");
	}
	certificates_free(&certificates);
	{
		FILE *f = fopen(path, "w");

		fputs("{\"accounts\":{\"work\":7,\"x\":{\"host\":1}}}", f);
		fclose(f);
	}
	said[0] = '\0';
	certificates = certificates_new(loop, dir);
	see(&c, NOW);
	expect_said("expires in 1 day");
}

static void
forgets_accounts_that_are_no_more(void **state)
{
	struct certificate c = good_for(INT64_C(900) * DAY);
	char text[2048] = "";
	FILE *f;

	(void)state;
	see(&c, NOW);
	certificates_seen(
	    certificates, "other", 0, &c, NOW + INT64_C(401) * DAY);
	again();
	f = fopen(path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_non_null(strstr(text, "\"other\""));
	assert_null(strstr(text, "\"work\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    warns_once_a_day_of_one_that_ends_soon, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    warns_in_time_and_not_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    tells_when_another_authority_issued_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    mentions_a_useless_ocsp_response, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    keeps_it_for_its_owner_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    begins_anew_when_the_file_makes_no_sense, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    forgets_accounts_that_are_no_more, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
