/* SPDX-License-Identifier: ISC */
/* STATUS lines; for LIST see imap_read_test.c and imap_test.c. Conversations
 * are of proto/imap.h. */
#include "proto/imap_named.h"

#include "unit/proto/imap_talk.h"

/* ---- the line ---- */

/* "name messages uidnext uidvalidity", "BAD", or "MORE". */
static char *
read_status(const char *line)
{
	struct span in = span_of(line);
	struct span value;
	struct imap_lex lex;
	struct imap_named n;
	enum imap_named_event ev = IMAP_NAMED_MORE;
	enum imap_token tok;
	char *log;

	imap_lex_init(&lex);
	imap_named_init(&n);
	imap_named_status(&n);
	while (ev == IMAP_NAMED_MORE &&
	    (tok = imap_lex_next(&lex, &in, &value)) != IMAP_TOK_MORE)
		ev = imap_named_token(&n, tok, value);
	if (ev == IMAP_NAMED_DONE)
		log = mem_printf("%.*s %u %u %u", (int)n.name.n,
		    buf_span(&n.name).p, n.messages, n.uidnext, n.uidvalidity);
	else
		log = mem_strdup(ev == IMAP_NAMED_BAD ? "BAD" : "MORE");
	imap_named_deinit(&n);
	imap_lex_deinit(&lex);
	return log;
}

static void
reads_status_lines(void **state)
{
	static const struct {
		const char *line, *want;
	} t[] = {
		/* clang-format off */
		{ "a (MESSAGES 3 UIDNEXT 44 UIDVALIDITY 5)\n", "a 3 44 5" },
		{ "a (uidvalidity 5 UidNext 44 messages 3) \r\n", "a 3 44 5" },
		{ "\"a b\" (UIDNEXT 44)\n", "a b 0 44 0" },
		{ "{3}\r\na\"b (UIDNEXT 44)\n", "a\"b 0 44 0" },
		{ "a ()\n", "a 0 0 0" },
		{ "a(UIDNEXT 4)\n", "a 0 4 0" },
		/* items and values of no use */
		{ "a (X 1 MESSAGES 3 MAILBOXID (F1 (2 x)) UIDNEXT 4 Y \"z (\" "
		  "SIZE {3}\r\n)) UIDVALIDITY 5 RECENT NIL)\n", "a 3 4 5" },
		{ "a (MESSAGES 3 MESSAGES 4)\n", "a 4 0 0" },
		/* no numbers, or too big */
		{ "a (MESSAGES x UIDNEXT -1 UIDVALIDITY 4294967296)\n",
		    "a 0 0 0" },
		{ "a (MESSAGES 4294967295 UIDNEXT 9.3e+06 UIDVALIDITY 5x)\n",
		    "a 4294967295 0 0" },
		{ "a (MESSAGES \"3\" UIDNEXT (4) UIDVALIDITY NIL)\n",
		    "a 0 0 0" },
		{ "a (MESSAGES UIDNEXT 4 UIDVALIDITY)\n", "a 0 4 0" },
		{ "a (UIDNEXT 4) (MESSAGES 5) x\n", "a 0 4 0" },
		/* lines that are none */
		{ "a\n", "BAD" },
		{ "\n", "BAD" },
		{ "(UIDNEXT 4)\n", "BAD" },
		{ "a b (UIDNEXT 4)\n", "BAD" },
		{ "a (UIDNEXT 4\n", "BAD" },
		{ "a (UIDNEXT\n", "BAD" },
		{ "a (X (1 2\n", "BAD" },
		{ "a ((UIDNEXT 4))\n", "BAD" },
		{ "a (\"UIDNEXT\" 4)\n", "BAD" },
		{ "a UIDNEXT 4\n", "BAD" },
		{ "a (UIDNEXT 4)", "MORE" },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *got = read_status(t[i].line);

		assert_string_equal(got, t[i].want);
		free(got);
	}
}

static void
goes_only_so_deep_and_so_long(void **state)
{
	struct imap_named n;

	(void)state;
	imap_named_init(&n);
	imap_named_status(&n);
	imap_named_token(&n, IMAP_TOK_ATOM, SPAN("a"));
	imap_named_token(&n, IMAP_TOK_OPEN, SPAN(""));
	imap_named_token(&n, IMAP_TOK_ATOM, SPAN("X"));
	for (int i = 0; i < IMAP_NAMED_DEPTH; i++)
		assert_int_equal(imap_named_token(&n, IMAP_TOK_OPEN, SPAN("")),
		    IMAP_NAMED_MORE);
	assert_int_equal(
	    imap_named_token(&n, IMAP_TOK_OPEN, SPAN("")), IMAP_NAMED_BAD);
	imap_named_status(&n);
	for (int i = 0; i < IMAP_NAMED_MAX; i++)
		assert_int_equal(
		    imap_named_token(&n, IMAP_TOK_OCTETS, SPAN("x")),
		    IMAP_NAMED_MORE);
	assert_int_equal(
	    imap_named_token(&n, IMAP_TOK_OCTETS, SPAN("x")), IMAP_NAMED_BAD);
	imap_named_deinit(&n);
}

/* ---- conversations ---- */

static void
status(struct imap *m)
{
	imap_status(m, "Entw\xc3\xbcrfe");
}

#define COUNTS "(MESSAGES UIDNEXT UIDVALIDITY)"
#define SENT_STATUS "A2 STATUS \"Entw&APw-rfe\" " COUNTS "\r\n"

static void
counts_a_mailbox(void **state)
{
	(void)state;
	talk_ready(status,
	    SPAN("* STATUS Entw&APw-rfe (UIDNEXT 4 UIDVALIDITY 5 MESSAGES 3)"
		 "\r\nA2 OK done\r\n"),
	    "COUNTED 2 exists=3 uidnext=4 uidvalidity=5 Entw\xc3\xbcrfe\n"
	    "DONE 2 ok\n",
	    SENT_STATUS);
	talk_ready(status, /* NetEase */
	    SPAN("* STATUS \"Entw&APw-rfe\" ()\r\nA2 OK\r\n"),
	    "COUNTED 2 exists=0 uidnext=0 uidvalidity=0 Entw\xc3\xbcrfe\n"
	    "DONE 2 ok\n",
	    SENT_STATUS);
	talk_ready(status, SPAN("A2 NO [NONEXISTENT] no such mailbox\r\n"),
	    "DONE 2 not mailbox: status: "
	    "\"[NONEXISTENT] no such mailbox\"\n",
	    SENT_STATUS);
}

static void
knows_names_however_they_are_written(void **state)
{
	(void)state;
	talk_ready(status,
	    SPAN("* STATUS inBox (UIDNEXT 1)\r\n* STATUS \"a\\\"b\" ()\r\n"
		 "* STATUS {12}\r\nEntw&APw-rfe (UIDNEXT 2)\r\n"
		 "* STATUS \"&\" ()\r\n* STATUS {3}\r\na\nb ()\r\n"
		 "* STATUS \"\" ()\r\n* STATUS INBOX/x ()\r\n"),
	    "COUNTED 2 exists=0 uidnext=1 uidvalidity=0 INBOX\n"
	    "COUNTED 2 exists=0 uidnext=0 uidvalidity=0 a\"b\n"
	    "COUNTED 2 exists=0 uidnext=2 uidvalidity=0 Entw\xc3\xbcrfe\n"
	    "COUNTED 2 exists=0 uidnext=0 uidvalidity=0 &\n"
	    "COUNTED 2 exists=0 uidnext=0 uidvalidity=0 INBOX/x\n",
	    SENT_STATUS);
}

static void
list_status(struct imap *m)
{
	imap_list_status(m);
}

static void
list_twice(struct imap *m)
{
	imap_list_status(m);
	imap_status(m, "a");
	imap_list(m);
}

#define SENT_LIST_STATUS "A2 LIST \"\" \"*\" RETURN (STATUS " COUNTS ")\r\n"

static void
lists_and_counts_at_once(void **state)
{
	(void)state;
	talk_ready(list_status,
	    SPAN("* LIST () \"/\" INBOX\r\n* STATUS INBOX (MESSAGES 1)\r\n"
		 "* STATUS a (UIDNEXT 2)\r\n* LIST (\\Noselect) \"/\" b\r\n"
		 "* LIST () \"/\" a\r\nA2 OK done\r\n* LIST () \"/\" c\r\n"),
	    "LISTED 2 / INBOX\n"
	    "COUNTED 2 exists=1 uidnext=0 uidvalidity=0 INBOX\n"
	    "COUNTED 2 exists=0 uidnext=2 uidvalidity=0 a\n"
	    "LISTED 2 noselect / b\nLISTED 2 / a\nDONE 2 ok\n",
	    SENT_LIST_STATUS);
	talk_ready(list_status, SPAN("A2 BAD Invalid arguments\r\n"),
	    "DONE 2 not proto: list status: \"Invalid arguments\"\n",
	    SENT_LIST_STATUS);
	talk_ready(list_twice,
	    SPAN("* LIST () \"/\" a\r\n* STATUS a ()\r\nA2 OK\r\n"
		 "* LIST () \"/\" a\r\n* STATUS a ()\r\nA3 OK\r\nA4 OK\r\n"),
	    "LISTED 2 / a\nCOUNTED 2 exists=0 uidnext=0 uidvalidity=0 a\n"
	    "DONE 2 ok\nLISTED 4 / a\n"
	    "COUNTED 3 exists=0 uidnext=0 uidvalidity=0 a\n"
	    "DONE 3 ok\nDONE 4 ok\n",
	    SENT_LIST_STATUS "A3 STATUS \"a\" " COUNTS
			     "\r\nA4 LIST \"\" \"*\"\r\n");
}

static void
notify(struct imap *m)
{
	static const char *const mailboxes[] = { "a", "b c" };

	imap_notify(m, mailboxes, 2);
}

#define EVENTS "(MessageNew MessageExpunge)"
#define SENT_NOTIFY                                                            \
	"A2 NOTIFY SET (selected " EVENTS                                      \
	") (mailboxes (\"a\" \"b c\") " EVENTS ")\r\n"

static void
is_told_of_other_mailboxes(void **state)
{
	(void)state;
	talk_ready(notify,
	    SPAN("* STATUS a (MESSAGES 1)\r\nA2 OK done\r\n* 3 EXISTS\r\n"
		 "* STATUS \"b c\" (UIDNEXT 7 UIDVALIDITY 2 MESSAGES 6)\r\n"
		 "* 3 EXPUNGE\r\n* 5 FETCH (UID 5 FLAGS ())\r\n"
		 "* OK [NOTIFICATIONOVERFLOW] too much\r\n"),
	    "COUNTED 0 exists=1 uidnext=0 uidvalidity=0 a\nDONE 2 ok\n"
	    "CHANGED 3\nCOUNTED 0 exists=6 uidnext=7 uidvalidity=2 b c\n"
	    "VANISHED 3 of 3\nOVERFLOW\n",
	    SENT_NOTIFY);
	talk_ready(notify,
	    SPAN("A2 NO [NOTIFICATIONOVERFLOW] Too many names\r\n"
		 "* 3 EXISTS\r\n"),
	    "DONE 2 not proto: notify: "
	    "\"[NOTIFICATIONOVERFLOW] Too many names\"\nCHANGED 3\n",
	    SENT_NOTIFY);
	talk_ready(notify, SPAN("A2 BAD what?\r\n* 3 EXISTS\r\n"),
	    "DONE 2 not proto: notify: \"what?\"\nCHANGED 3\n", SENT_NOTIFY);
}

/* As Dovecot 2.3 writes it; no line is broken by it. */
static void
takes_a_name_in_utf8_for_what_it_is(void **state)
{
	(void)state;
	talk_ready(notify,
	    SPAN("A2 OK done\r\n* STATUS {4}\r\nB/\xc3\xa4 (MESSAGES 1)\r\n"
		 "* STATUS R&D (MESSAGES 2)\r\n"
		 "* STATUS B/&AOQ- (MESSAGES 3)\r\n"
		 "* STATUS {2}\r\n\xc3\x28 (MESSAGES 4)\r\n"
		 "* STATUS {6}\r\na\r\n\xc3\xa4 (MESSAGES 5)\r\n"),
	    "DONE 2 ok\n"
	    "COUNTED 0 exists=1 uidnext=0 uidvalidity=0 B/\xc3\xa4\n"
	    "COUNTED 0 exists=2 uidnext=0 uidvalidity=0 R&D\n"
	    "COUNTED 0 exists=3 uidnext=0 uidvalidity=0 B/\xc3\xa4\n",
	    SENT_NOTIFY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_name_in_utf8_for_what_it_is),
		cmocka_unit_test(reads_status_lines),
		cmocka_unit_test(goes_only_so_deep_and_so_long),
		cmocka_unit_test(counts_a_mailbox),
		cmocka_unit_test(knows_names_however_they_are_written),
		cmocka_unit_test(lists_and_counts_at_once),
		cmocka_unit_test(is_told_of_other_mailboxes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
