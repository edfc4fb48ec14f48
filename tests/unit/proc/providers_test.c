/* SPDX-License-Identifier: ISC */
#include "proc/providers.h"

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
#include <unistd.h>

#include "proc/setup_section.h"

static void
finds_by_domain(void **state)
{
	static const struct {
		const char *domain, *name;
	} all[] = {
		{ "gmail.com", "Gmail" },
		{ "GMail.COM", "Gmail" },
		{ "googlemail.com", "Gmail" },
		{ "msn.com", "Outlook.com" },
		{ "yahoo.co.uk", "Yahoo" },
		{ "mac.com", "iCloud" },
		{ "gmx.at", "GMX" },
		{ "foxmail.com", "QQ Mail" },
		{ "ya.ru", "Yandex" },
		{ "bk.ru", "Mail.ru" },
		{ "pm.me", "Proton Mail" },
		{ "example.org", NULL },
		{ "mail.com.example", NULL },
		{ "ail.com", NULL },
		{ "gmail.co", NULL },
		{ "gmail.com googlemail.com", NULL },
		{ "", NULL },
		{ " ", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const struct provider *p = providers_find(all[i].domain);

		if (all[i].name == NULL)
			assert_null(p);
		else
			assert_string_equal(p->name, all[i].name);
	}
}

static void
finds_by_the_server_for_mail(void **state)
{
	static const struct {
		const char *host, *name;
	} all[] = {
		{ "aspmx.l.google.com", "Gmail" },
		{ "ASPMX3.googlemail.com", "Gmail" },
		{ "example-org.mail.protection.outlook.com", "Microsoft 365" },
		{ "example-org.a-v1.mx.microsoft", "Microsoft 365" },
		{ "mx.zoho.eu", "Zoho for organizations (EU)" },
		{ "notgoogle.com", NULL },
		{ "google.com.example", NULL },
		{ "outlook.com", NULL },
		{ "com", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const struct provider *p = providers_find_mx(all[i].host);

		if (all[i].name == NULL)
			assert_null(p);
		else
			assert_string_equal(p->name, all[i].name);
	}
}

static void
has_no_domain_twice(void **state)
{
	(void)state;
	for (const struct provider *p = providers_all(); p->name != NULL; p++) {
		char *copy = strdup(p->domains), *save = NULL;

		for (char *d = strtok_r(copy, " ", &save); d != NULL;
		     d = strtok_r(NULL, " ", &save))
			assert_ptr_equal(providers_find(d), p);
		free(copy);
	}
}

/* What is printed is a configuration that can be used. */
static struct conf *
load(const struct setup_found *f, const char *address)
{
	char path[] = "/tmp/mailhaul-providers-XXXXXX";
	int fd = mkstemp(path);
	struct conf *c;
	char **errors;
	size_t n;
	struct buf b;

	assert_true(fd >= 0);
	buf_init(&b, SETUP_SECTION_MAX);
	setup_section_put(&b, f, address);
	assert_int_equal(write(fd, buf_span(&b).p, b.n), b.n);
	close(fd);
	c = conf_load(path, &errors, &n);
	if (c == NULL)
		print_message("%s\n%.*s", errors[0], (int)b.n, buf_span(&b).p);
	buf_deinit(&b);
	conf_errors_free(&errors, &n);
	unlink(path);
	return c;
}

static void
check_section(const struct provider *p, bool pop3)
{
	struct setup_found f;
	struct conf *c;

	if (!setup_found_provider(&f, p, "alice@example.org", pop3))
		return;
	assert_null(setup_found_check(&f));
	c = load(&f, "alice@example.org");
	assert_non_null(c);
	assert_int_equal(c->n, 1);
	assert_string_equal(c->accounts[0].name, "alice@example.org");
	assert_string_equal(c->accounts[0].host, f.host);
	assert_string_equal(
	    c->accounts[0].user, p->local_part ? "alice" : "alice@example.org");
	assert_int_equal(c->accounts[0].port, f.port);
	assert_int_equal(c->accounts[0].tls, f.tls);
	assert_int_equal(c->accounts[0].protocol, f.protocol);
	assert_int_equal(c->accounts[0].secret.oauth2 != NULL, p->only_oauth2);
	conf_free(&c);
}

static void
makes_sections_that_can_be_used(void **state)
{
	(void)state;
	for (const struct provider *p = providers_all(); p->name != NULL; p++) {
		check_section(p, false);
		check_section(p, true);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_domain),
		cmocka_unit_test(finds_by_the_server_for_mail),
		cmocka_unit_test(has_no_domain_twice),
		cmocka_unit_test(makes_sections_that_can_be_used),
	};

	(void)setenv("HOME", "/tmp", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
