/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sys/log.h"
#include "unit/fetch/lmtp_server.h"

/* What becomes of the messages of a mailbox. */

#define FILE_MAX (1 << 20)

static struct rig *rig;
static struct lmtp_server server;
static char *big; /* the answer that brings uid 1, larger than FILE_MAX */

static int
set_up(void **state)
{
	(void)state;
	rig = rig_new(false);
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

static int
set_up_relay(void **state)
{
	static const char *const bob[] = { "bob@x" };
	static const struct target relay = { .way = TARGET_RELAY };
	struct fetch_params *p;

	(void)state;
	rig = rig_new_to(false, &relay);
	lmtp_server_begin(&server, rig_env(rig)->loop, NULL, NULL);
	p = &rig->params;
	p->style.crlf = p->style.envelope = true;
	p->relays = true;
	p->relay = (struct relay_params){ .subject = "test",
		.conn = p->conn,
		.lmtp = { .tls = LMTP_TLS_NONE, .helo = "me" },
		.recipients = bob,
		.n_recipients = 1,
		.parallel = 1 };
	p->relay.conn.port = server.port;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static int
tear_down_relay(void **state)
{
	lmtp_server_end(&server);
	return tear_down(state);
}

#define TWO ONCE(" SELECT ", BOX("2", "7", "3"))
#define BOTH ONCE(" UID FETCH 1:2 ", MAIL("1", "1", "1") MAIL("2", "2", "2") OK)

static const struct rig_rule both[] = { GREETING, LOGIN, TWO, BOTH, LOGOUT,
	END };

/* ---- flags ---- */

/* The name of the only file in cur/, and its time. */
static time_t
in_cur(char *name, size_t size)
{
	char path[512];
	struct dirent *d;
	struct stat st = { 0 };
	DIR *dir;

	name[0] = '\0';
	snprintf(path, sizeof(path), "%s/md/cur", rig->dir);
	dir = opendir(path);
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		assert_string_equal(name, "");
		snprintf(name, size, "%s", d->d_name);
		assert_int_equal(fstatat(dirfd(dir), name, &st, 0), 0);
	}
	if (dir != NULL)
		closedir(dir);
	return st.st_mtime;
}

#define DATE "INTERNALDATE \"17-Jul-1996 02:44:25 +0000\""
#define FLAGGED_1                                                              \
	ONCE(" UID FETCH 1:2 ",                                                \
	    "* 1 FETCH (UID 1 FLAGS (\\Seen \\Flagged) " DATE                  \
	    " BODY[] {3}\r\n1\r\n)\r\n"                                        \
	    "* 2 FETCH (UID 2 FLAGS (\\Recent) " DATE                          \
	    " BODY[] {3}\r\n2\r\n)\r\n" OK)

static void
keeps_flags_and_the_time_of_arrival_when_asked_to(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, TWO,
		FLAGGED_1, LOGOUT, END };
	char name[256];

	(void)state;
	rig->params.keep_flags = true;
	rig_run(rig, script);
	assert_int_equal(rig_said(rig, "FLAGS INTERNALDATE BODY.PEEK[]"), 1);
	assert_int_equal(in_cur(name, sizeof(name)), 837571465);
	assert_string_equal(strchr(name, ':'), ":2,FS");
	assert_true(rig_has(rig, "2\n"));
	assert_int_equal(rig_delivered(rig), 1);
}

static void
takes_all_for_new_unless_asked_to_keep_flags(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, TWO,
		FLAGGED_1, LOGOUT, END };
	char name[256];

	(void)state;
	rig_run(rig, script);
	(void)in_cur(name, sizeof(name));
	assert_string_equal(name, "");
	assert_int_equal(rig_said(rig, "INTERNALDATE"), 0);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
names_the_message_in_its_trace(void **state)
{
	(void)state;
	rig->params.style.source = true;
	rig->params.style.account = "test";
	rig_run(rig, both);
	assert_true(
	    rig_has(rig, "X-Mailhaul: account=test mailbox=INBOX uid=2\n"));
}

/* ---- what is refused ---- */

static void
make_big(void)
{
	static const char before[] = "* 1 FETCH (UID 1 BODY[] {2097152}\r\n";
	static const char after[] = ")\r\n" MAIL("2", "2", "2") OK;
	size_t n = 2097152;

	big = mem_new(sizeof(before) + n + sizeof(after));
	memcpy(big, before, sizeof(before) - 1);
	memset(big + sizeof(before) - 1, 'x', n);
	memcpy(big + sizeof(before) - 1 + n, after, sizeof(after));
}

static void
limit_files_to(rlim_t octets)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on one file is no reason to give up the others. */
static void
notes_a_message_that_cannot_be_stored_and_goes_on(void **state)
{
	struct rig_rule script[] = { GREETING, LOGIN, TWO,
		ONCE(" UID FETCH 1:2 ", NULL), LOGOUT, END };
	struct rig_trouble t;

	(void)state;
	make_big();
	script[3].say = big;
	limit_files_to(FILE_MAX);
	rig_run(rig, script);
	limit_files_to(RLIM_INFINITY);
	free(big);
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_non_null(strstr(rig->result.err.text, "INBOX: uid 1: "));
	assert_int_equal(rig->result.troubles, 1);
	assert_true(rig_has(rig, "2\n"));
	assert_int_equal(rig_unfinished(rig), 0);
	t = rig_trouble(rig);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.uid, 1);
	assert_int_equal(t.state, LEDGER_LATER);
	assert_int_equal(t.why, LEDGER_WHY_REFUSED);
	rig_run(rig, both);
	assert_int_equal(rig_said(rig, "FETCH"), 0);
}

static void
goes_on_when_the_server_for_it_refuses_one(void **state)
{
	static const struct rig_rule lmtp[] = { ONCE(BODY_END, "554 no\r\n"),
		LMTP_REST };

	(void)state;
	lmtp_server_play(&server, lmtp);
	rig->params.remove = true;
	rig_run(rig,
	    (const struct rig_rule[]){ GREETING, LOGIN, TWO, BOTH,
		ALWAYS(" UID STORE 2 ", OK),
		ALWAYS(" UID EXPUNGE 2", "* 2 EXPUNGE\r\n" OK), LOGOUT, END });
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_non_null(strstr(rig->result.err.text, "INBOX: uid 1: "));
	assert_int_equal(rig->result.troubles, 1);
	assert_int_equal(rig->result.progress.messages, 1);
	assert_int_equal(rig->result.removed, 1);
	assert_int_equal(rig_said(rig, "STORE 1"), 0);
	assert_int_equal(lmtp_server_heard(&server, "QUIT"), 1);
	assert_int_equal(rig_trouble(rig).state, LEDGER_HELD);
}

/* No message is to blame: none is noted, and the fetch ends. */
static void
ends_when_the_server_for_it_is_of_no_use(void **state)
{
	static const struct rig_rule lmtp[] = { ALWAYS(NULL, "554 closed\r\n"),
		LMTP_REST };

	(void)state;
	lmtp_server_play(&server, lmtp);
	rig_run(rig, both);
	assert_int_equal(rig->result.err.kind, ERR_DELIVER);
	assert_int_equal(rig->result.troubles, 0);
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
stops_while_the_server_for_it_has_a_letter(void **state)
{
	static const struct rig_rule lmtp[] = { ONCE("MAIL", ""), LMTP_REST };
	static const struct rig_rule script[] = { GREETING, LOGIN, TWO,
		ONCE(" UID FETCH 1:2 ", MAIL("1", "1", "1")), END };

	(void)state;
	lmtp_server_play(&server, lmtp);
	rig->params.total_timeout_s = 1;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_true(rig->result.late);
	assert_int_equal(lmtp_server_heard(&server, "MAIL"), 1);
	assert_int_equal(rig_trouble(rig).n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define RELAYED(name)                                                          \
	cmocka_unit_test_setup_teardown(name, set_up_relay, tear_down_relay)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_flags_and_the_time_of_arrival_when_asked_to),
		TEST(takes_all_for_new_unless_asked_to_keep_flags),
		TEST(names_the_message_in_its_trace),
		TEST(notes_a_message_that_cannot_be_stored_and_goes_on),
		RELAYED(goes_on_when_the_server_for_it_refuses_one),
		RELAYED(ends_when_the_server_for_it_is_of_no_use),
		RELAYED(stops_while_the_server_for_it_has_a_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
