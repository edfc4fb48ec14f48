/* SPDX-License-Identifier: ISC */
#include "fetch/survey_uses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/buf.h"

static struct fetch_params fetch;
static struct secret *secret;
static struct buf told;

static void
on_fact(void *arg, const struct fact *f)
{
	(void)arg;
	assert_int_equal(f->kind, FACT_USE);
	buf_printf(&told, "%s: %s\n", f->text[0], f->text[1]);
}

static const struct survey_params params = { .fetch = &fetch, .fact = on_fact };

static int
set_up(void **state)
{
	(void)state;
	fetch = (struct fetch_params){ .stay = { .on = true,
					   .idle = true,
					   .notify = true,
					   .list_status = true,
					   .poll_s = 120,
					   .safety_s = 600 },
		.pop3.pipelining = true };
	secret = secret_new(SPAN("pass"));
	buf_init(&told, 65536);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secret_free(&secret);
	buf_deinit(&told);
	return 0;
}

static void
expect_told(const char *want)
{
	buf_addc(&told, '\0');
	assert_string_equal(buf_span(&told).p, want);
	buf_clear(&told);
}

/* ---- IMAP ---- */

/* A machine that is logged in. */
static struct imap *
server_can(const char *capabilities)
{
	const struct imap_params p = { .tls = IMAP_TLS_NONE,
		.auth = SASL_LOGIN,
		.user = "u",
		.secret = secret };
	struct imap *m = imap_new(&p);
	struct imap_info info;
	char said[500];
	struct span in;

	snprintf(said, sizeof(said),
	    "* OK [CAPABILITY IMAP4rev1] hi\r\nA1 OK [CAPABILITY %s] in\r\n",
	    capabilities);
	in = span_of(said);
	assert_int_equal(imap_step(m, &in, &info), IMAP_READY);
	return m;
}

static void
expect_imap(const char *capabilities, const char *want)
{
	struct imap *m = server_can(capabilities);

	survey_uses_imap(&params, m);
	imap_free(&m);
	expect_told(want);
}

#define ONE_BY_ONE "mailboxes that are not watched: one by one, by STATUS\n"

static void
says_how_new_mail_is_heard_of(void **state)
{
	(void)state;
	expect_imap("IMAP4rev1 IDLE NOTIFY LIST-STATUS",
	    "new mail: told at once, by NOTIFY and IDLE\n"
	    "mailboxes that are not watched: all in one question, by "
	    "LIST-STATUS\n");
	expect_imap("IMAP4rev1 NOTIFY",
	    "new mail: told at once, by NOTIFY\n" ONE_BY_ONE);
	expect_imap("IMAP4rev1",
	    "new mail: the server offers no IDLE, so it is looked every 2m "
	    "00s\n" ONE_BY_ONE);
	fetch.stay.notify = fetch.stay.list_status = false;
	expect_imap("IMAP4rev1 IDLE NOTIFY LIST-STATUS",
	    "new mail: told at once, by IDLE\n" ONE_BY_ONE);
	fetch.stay.on = false;
	expect_imap("IMAP4rev1 IDLE",
	    "new mail: watch = poll, so it is looked every 2m "
	    "00s\n" ONE_BY_ONE);
}

#define IDLE_ONLY "new mail: told at once, by IDLE\n" ONE_BY_ONE

static void
says_how_mail_is_removed(void **state)
{
	(void)state;
	fetch.remove = true;
	expect_imap("IDLE UIDPLUS",
	    IDLE_ONLY "removal: our own messages alone, by UIDPLUS\n");
	expect_imap("IDLE",
	    IDLE_ONLY
	    "removal: no UIDPLUS: nothing is expunged while deleted mail of "
	    "others stands there\n");
	fetch.expunge_others = true;
	expect_imap("IDLE",
	    IDLE_ONLY
	    "removal: no UIDPLUS: EXPUNGE takes along what others marked as "
	    "deleted (expunge-others)\n");
}

static void
says_what_is_not_used(void **state)
{
	(void)state;
	expect_imap("IDLE COMPRESS=DEFLATE CONDSTORE QRESYNC MOVE NAMESPACE "
		    "SPECIAL-USE ENABLE OBJECTID X-Y",
	    IDLE_ONLY "offered, not used: COMPRESS=DEFLATE, CONDSTORE, "
		      "QRESYNC, MOVE, NAMESPACE, SPECIAL-USE, ENABLE, "
		      "OBJECTID\n");
}

/* ---- POP3 ---- */

static void
expect_pop3(const char *capa, const char *want)
{
	const struct pop3_params p = { .tls = POP3_TLS_NONE,
		.auth = SASL_LOGIN,
		.user = "u",
		.secret = secret,
		.capa = true };
	struct pop3 *m = pop3_new(&p);
	struct pop3_info info;
	char said[500];
	struct span in;

	/* the second list is that of who asks once more after the login */
	snprintf(said, sizeof(said),
	    "+OK hi\r\n+OK\r\n%s.\r\n+OK\r\n+OK\r\n+OK\r\n%s.\r\n", capa, capa);
	in = span_of(said);
	assert_int_equal(pop3_step(m, &in, &info), POP3_READY);
	survey_uses_pop3(&params, m);
	pop3_free(&m);
	expect_told(want);
}

static void
says_what_pop3_can(void **state)
{
	(void)state;
	expect_pop3("UIDL\r\nPIPELINING\r\n",
	    "new mail: looked for every 10m 00s\n"
	    "known mail: told from new by UIDL\n"
	    "speed: commands are sent ahead, by PIPELINING\n");
	expect_pop3("UIDL\r\nLOGIN-DELAY 900\r\nEXPIRE 30\r\n",
	    "new mail: looked for every 15m 00s, as the server wants it "
	    "(LOGIN-DELAY)\n"
	    "known mail: told from new by UIDL\n"
	    "removal: the server removes mail after 30 days\n");
	expect_pop3("UIDL\r\nLOGIN-DELAY 60\r\nEXPIRE 0\r\n",
	    "new mail: looked for every 10m 00s\n"
	    "known mail: told from new by UIDL\n"
	    "removal: the server removes mail once it was fetched\n");
	expect_pop3("PIPELINING\r\n",
	    "new mail: looked for every 10m 00s\n"
	    "known mail: the server does not offer UIDL: what stays there can "
	    "hardly be told from new mail (after = delete can)\n"
	    "speed: commands are sent ahead, by PIPELINING\n");
	fetch.remove = true;
	fetch.pop3.pipelining = false;
	expect_pop3("PIPELINING\r\n", "new mail: looked for every 10m 00s\n");
	expect_pop3("", "new mail: looked for every 10m 00s\n");
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_how_new_mail_is_heard_of),
		TEST(says_how_mail_is_removed),
		TEST(says_what_is_not_used),
		TEST(says_what_pop3_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
