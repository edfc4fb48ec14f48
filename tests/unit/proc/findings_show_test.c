/* SPDX-License-Identifier: ISC */
#include "proc/findings_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/proc/found.h"

static struct conf_account account;
static struct findings findings;
static char *shown;
static size_t shown_n;

static int
set_up(void **state)
{
	(void)state;
	account = found_account();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	findings_deinit(&findings);
	free(shown);
	shown = NULL;
	return 0;
}

static void
show(void)
{
	FILE *out = open_memstream(&shown, &shown_n);

	findings_show(out, &account, &findings, NOW);
	fclose(out);
}

static void
expect(const char *want)
{
	if (strstr(shown, want) == NULL)
		fail_msg("\"%s\" is not in\n%s", want, shown);
}

static void
shows_all_of_it(void **state)
{
	(void)state;
	found_fill(&findings);
	show();
	expect("work: imap alice@mail.example.org:993");
	expect("  reached       192.0.2.1:993\n"
	       "  TLS           TLSv1.3 X, verified by chain, OCSP: good\n"
	       "  certificate   example.org\n"
	       "    names       example.org, b.example\n"
	       "    issued      by Some CA, valid until 2027-01-20 (5 days)\n"
	       "    pin         sha256:AAA=\n"
	       "  above it      Some CA\n"
	       "    issued      by Root, EXPIRED on 2027-01-15\n"
	       "  greeting      hello\n"
	       "  offers        IMAP4rev1 ID\n"
	       "  login         PLAIN: all there is\n"
	       "  can           IMAP4rev1 IDLE\n"
	       "  server        name x\n"
	       "  known as      Y: is odd\n"
	       "  used          new mail: IDLE\n"
	       "                removal: UIDPLUS\n"
	       "  warning       careful\n");
	expect("  *         12         34  INBOX\n"
	       "             -          -  Lists  (holds no mail)\n"
	       "  *          -          -  Gone: no such\n"
	       "    and 9 more, of which 2 are chosen\n"
	       "  all is well\n");
}

static void
shows_what_to_do(void **state)
{
	(void)state;
	err_set(&findings.e, ERR_LOCKED, 0, "it is locked");
	findings.of_server = true;
	show();
	expect("  FAILED        it is locked\n  what to do    another program");
	assert_null(strstr(shown, "all is well"));
	assert_null(strstr(shown, "expires"));
	assert_null(strstr(shown, "MAILBOX"));
}

static void
shows_an_error_by_itself(void **state)
{
	FILE *out = open_memstream(&shown, &shown_n);

	(void)state;
	findings_show_error(out, &account, &findings);
	err_set(&findings.e, ERR_LOCKED, 0, "it is locked");
	findings_show_error(out, &account, &findings);
	findings.of_server = true;
	findings_show_error(out, &account, &findings);
	fclose(out);
	expect("mailhaul: work: it is locked\n"
	       "mailhaul: work: it is locked\n"
	       "mailhaul: work: another program");
}

static void
warns_of_a_certificate_that_expires_soon(void **state)
{
	(void)state;
	account.tls_warn_s = 5 * DAY;
	found_fill(&findings);
	show();
	assert_null(strstr(shown, "expires in"));
	free(shown);
	account.tls_warn_s = 6 * DAY;
	show();
	expect("  warning       the certificate expires in 5 days\n");
}

static void
shows_a_maildrop(void **state)
{
	const struct fact drop = { FACT_MAILDROP, { "", "", "", "" },
		{ 1, 1024 } };

	(void)state;
	account.protocol = CONF_POP3;
	findings_add(&findings, &drop);
	show();
	expect("    1 message, 1.0 kB\n");
}

static void
shows_the_way(void **state)
{
	static char proxy[] = "proxy.example.org";
	static char program[] = "ssh";
	static char *argv[] = { program, NULL };
	const struct fact reached = { FACT_REACHED, { "x:1", "", "", "" },
		{ 0 } };

	(void)state;
	account.proxy.kind = CONF_SOCKS5;
	account.proxy.host = proxy;
	account.proxy.port = 1080;
	account.tunnel.v = argv;
	account.tunnel.n = 1;
	account.tls = CONF_TLS_NONE;
	findings_add(&findings, &reached);
	show();
	expect("by the SOCKS5 proxy proxy.example.org:1080\n");
	expect("by the tunnel ssh\n");
	expect("none (tls = none)");
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shows_all_of_it),
		TEST(shows_what_to_do),
		TEST(warns_of_a_certificate_that_expires_soon),
		TEST(shows_an_error_by_itself),
		TEST(shows_a_maildrop),
		TEST(shows_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
