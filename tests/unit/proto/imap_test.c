/* SPDX-License-Identifier: ISC */
#include "proto/imap.h"

#include "unit/proto/imap_talk.h"

#include <stdio.h>
#include <time.h>

/* ---- requests used below ---- */

static void
fetch(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 1, 3);
	set_add(&uids, 7, 7);
	imap_fetch(m, &uids, false);
	set_deinit(&uids);
}

#define SENT_FETCH "A2 UID FETCH 1:3,7 (UID BODY.PEEK[])\r\n"

static void
fetch_headers(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 5, 6);
	imap_fetch_headers(m, &uids);
	set_deinit(&uids);
}

#define SENT_HEADERS                                                           \
	"A2 UID FETCH 5:6 (UID RFC822.SIZE "                                   \
	"BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM)])\r\n"

static void
fetch_both(struct imap *m)
{
	fetch_headers(m);
	fetch(m);
}

static void
list(struct imap *m)
{
	imap_list(m);
}

#define SENT_LIST "A2 LIST \"\" \"*\"\r\n"

static void
noop(struct imap *m)
{
	imap_noop(m);
}

static void
select_inbox(struct imap *m)
{
	imap_select(m, "INBOX");
}

static void
select_two(struct imap *m)
{
	imap_select(m, "a");
	imap_select(m, "b");
}

static void
search(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 4, 5);
	imap_search_uids(m, &uids, 9);
	set_deinit(&uids);
}

#define SENT_SEARCH "A2 UID SEARCH UID 4:5,9:*\r\n"

/* ---- what is long ---- */

static struct span
repeat(struct buf *b, const char *before, const char *unit, size_t n,
    const char *after)
{
	buf_init(b, TALK_LOG_MAX);
	buf_add(b, span_of(before));
	for (size_t i = 0; i < n; i++)
		buf_add(b, span_of(unit));
	buf_add(b, span_of(after));
	return buf_span(b);
}

static void
expect_once(void (*ready)(struct imap *m), struct buf *said, const char *want)
{
	struct talk talk = { .ready = ready,
		.turns = { SPAN(TALK_HELLO), buf_span(said) } };
	char *log = talk_once(&talk);

	if (strstr(log, want) == NULL)
		fail_msg("%s", log);
	free(log);
	buf_deinit(said);
}

/* ---- bodies and headers (for the login see imap_entry_test.c) ---- */

static void
fetches_messages_in_any_order_of_items(void **state)
{
	(void)state;
	talk_ready(fetch,
	    SPAN("* 1 FETCH (UID 1 BODY[] {5}\r\na\r\nb\r)\r\n"
		 "* 2 FETCH (FLAGS (\\Seen x) BODY[] {3}\r\nxyz UID 2)\r\n"
		 "* 3 fetch (body[]<0> {0}\r\n uid 3 MODSEQ (12))\r\n"
		 "* 4 FETCH (UID 7 BODY[]   \"q\\\"u\\\\o\")\r\n"
		 "A2 OK done\r\n"),
	    "BEGIN 2 uid=1 size=5\nDATA a\\x0D\\x0Ab\\x0D\n"
	    "END 2 uid=1 size=5\n"
	    "BEGIN 2 uid=0 size=3\nDATA xyz\nEND 2 uid=2 size=3 flags=1\n"
	    "BEGIN 2 uid=0 size=0\nEND 2 uid=3 size=0\n"
	    "BEGIN 2 uid=7 size=5\nDATA q\"u\\o\nEND 2 uid=7 size=5\n"
	    "DONE 2 ok\n",
	    SENT_FETCH);
}

static void
knows_a_body_that_is_not_there(void **state)
{
	(void)state;
	talk_ready(fetch,
	    SPAN("* 1 FETCH (UID 1 BODY[] NIL)\r\n" /* Exchange */
		 "* 2 FETCH (UID 2)\r\n"            /* iCloud */
		 "* 3 FETCH (UID 3 BODY[] )\r\n"    /* Yandex */
		 "* 4 FETCH (BODY[] nil UID 4)\r\n" /* NIL in any case */
		 "* 5 FETCH (BODY[] UID 5)\r\n"
		 "* 6 FETCH (UID 7 BODY[] \"\")\r\n" /* Yahoo */
		 "A2 OK [X] done\r\n"),
	    "FETCHED 2 uid=1 size=- \nFETCHED 2 uid=2 size=- \n"
	    "FETCHED 2 uid=3 size=- \nFETCHED 2 uid=4 size=- \n"
	    "FETCHED 2 uid=5 size=- \n"
	    "BEGIN 2 uid=7 size=0\nEND 2 uid=7 size=0\n"
	    "DONE 2 ok\n",
	    SENT_FETCH);
}

static void
keeps_every_octet_of_a_body(void **state)
{
	(void)state;
	talk_ready(fetch,
	    SPAN("* 1 FETCH (UID 1 BODY[] {53}\r\n"
		 "\0\r\r\n\n\xff) \r\nA2 OK done\r\n* BYE\r\n"
		 "* 1 FETCH (UID 9)\r\n{3}\r\n\")\r\n"
		 "A2 OK done\r\n"),
	    "BEGIN 2 uid=1 size=53\n"
	    "DATA \\x00\\x0D\\x0D\\x0A\\x0A\\xFF) \\x0D\\x0A"
	    "A2 OK done\\x0D\\x0A* BYE\\x0D\\x0A"
	    "* 1 FETCH (UID 9)\\x0D\\x0A{3}\\x0D\\x0A\n"
	    "END 2 uid=0 size=53\n" /* the line behind it is torn */
	    "DONE 2 ok\n",
	    SENT_FETCH);
}

static void
steps_over_a_body_that_nobody_asked_for(void **state)
{
	(void)state;
	talk_ready(noop,
	    SPAN("* 1 FETCH (UID 1 BODY[] {14}\r\nA2 OK you see\n)\r\n"
		 "* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n"
		 "* SEARCH 1 2 3\r\n"
		 "* LIST () \"/\" INBOX\r\n"
		 "A2 OK done\r\n"),
	    "DONE 2 ok\n", "A2 NOOP\r\n");
}

static void
takes_no_body_for_a_request_of_headers(void **state)
{
	(void)state;
	talk_ready(fetch_headers,
	    SPAN("* 1 FETCH (UID 5 BODY[] {2}\r\nhi)\r\n"
		 "* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n"
		 "A2 OK done\r\n"),
	    "DONE 2 ok\n", SENT_HEADERS);
}

static void
fetches_header_fields_and_sizes(void **state)
{
	(void)state;
	talk_ready(fetch_both,
	    SPAN("* 1 FETCH (UID 5 RFC822.SIZE 4294967296 BODY[HEADER.FIELDS "
		 "(\"MESSAGE-ID\" DATE FROM)] {11}\r\nDate: x\r\n\r\n)\r\n"
		 "* 2 FETCH (RFC822.SIZE 9.3736e+06 BODY[HEADER.FIELDS (A)] "
		 "\"y\" UID 6)\r\n"
		 "* 2 FETCH (UID 6 FLAGS ())\r\n"
		 "A2 OK done\r\n"
		 "* 9 FETCH (UID 7 BODY[] {1}\r\nz)\r\n"
		 "A3 OK done\r\n"),
	    "FETCHED 2 uid=5 size=4294967296 "
	    "Date: x\\x0D\\x0A\\x0D\\x0A\n"
	    "FETCHED 2 uid=6 size=- y\n"
	    "FETCHED 3 uid=6 size=- \n"
	    "DONE 2 ok\n"
	    "BEGIN 3 uid=7 size=1\nDATA z\nEND 3 uid=7 size=1\n"
	    "DONE 3 ok\n",
	    SENT_HEADERS "A3 UID FETCH 1:3,7 (UID BODY.PEEK[])\r\n");
}

static void
believes_no_uid_that_is_wrong_or_said_twice(void **state)
{
	(void)state;
	talk_ready(fetch,
	    SPAN("* 1 FETCH (UID 0 BODY[] {1}\r\na)\r\n"
		 "* 1 FETCH (UID 4294967296 BODY[] {1}\r\nb)\r\n"
		 "* 1 FETCH (UID 1 BODY[] {1}\r\nc UID 2)\r\n"
		 "* 1 FETCH (UID 1 BODY[] {1}\r\nd UID 1)\r\n"
		 "* 1 FETCH (UID -1 BODY[] {1}\r\ne)\r\n"
		 "* 1 FETCH (UID 1 BODY[] {1}\r\nf BODY[] {1}\r\ng)\r\n"
		 "* 1 FETCH (UID 1 BODY[] {1}\r\nh\r\n"
		 "* 0 FETCH (UID 1 BODY[] {1}\r\ni)\r\n"
		 "* 4294967296 FETCH (UID 1 BODY[] {1}\r\nj)\r\n"
		 "A2 OK done\r\n"),
	    "BEGIN 2 uid=0 size=1\nDATA a\nEND 2 uid=0 size=1\n"
	    "BEGIN 2 uid=0 size=1\nDATA b\nEND 2 uid=0 size=1\n"
	    "BEGIN 2 uid=1 size=1\nDATA c\nEND 2 uid=0 size=1\n"
	    "BEGIN 2 uid=1 size=1\nDATA d\nEND 2 uid=1 size=1\n"
	    "BEGIN 2 uid=0 size=1\nDATA e\nEND 2 uid=0 size=1\n"
	    "BEGIN 2 uid=1 size=1\nDATA f\nEND 2 uid=1 size=1\n"
	    "BEGIN 2 uid=1 size=1\nDATA h\nEND 2 uid=0 size=1\n"
	    "DONE 2 ok\n",
	    SENT_FETCH);
}

/* ---- flags, dates, sizes, whole headers ---- */

static void
fetch_with_flags(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 1, 9);
	imap_fetch(m, &uids, true);
	set_deinit(&uids);
}

#define SENT_WITH_FLAGS                                                        \
	"A2 UID FETCH 1:9 (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n"

static void
tells_flags_and_dates_wherever_they_stand(void **state)
{
	(void)state;
	talk_ready(fetch_with_flags,
	    SPAN("* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE "
		 "\"17-Jul-1996 02:44:25 -0700\" BODY[] {1}\r\na)\r\n"
		 "* 2 FETCH (BODY[] {1}\r\nb INTERNALDATE {26}\r\n"
		 " 7-Jul-1996 02:44:25 -0700 FLAGS (\\DELETED \\draft) "
		 "UID 2)\r\n"
		 "* 3 FETCH (UID 3 FLAGS (\\Flagged $Junk \\Answered) "
		 "BODY[] NIL INTERNALDATE \"01-Jan-1970 00:00:01 +0000\")\r\n"
		 "* 4 FETCH (UID 4 BODY[] \"\")\r\n"
		 "A2 OK\r\n"),
	    "BEGIN 2 uid=1 size=1\nDATA a\n"
	    "END 2 uid=1 size=1 flags=1 date=837596665\n"
	    "BEGIN 2 uid=0 size=1\nDATA b\n"
	    "END 2 uid=2 size=1 flags=24 date=836732665\n"
	    "FETCHED 2 uid=3 size=- flags=6 date=1 \n"
	    "BEGIN 2 uid=4 size=0\nEND 2 uid=4 size=0\nDONE 2 ok\n",
	    SENT_WITH_FLAGS);
}

static void
lets_no_flags_of_a_torn_line_through(void **state)
{
	(void)state;
	talk_ready(fetch_with_flags,
	    SPAN("* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE "
		 "\"17-Jul-1996 02:44:25 -0700\" BODY[] {1}\r\na\r\n"
		 "A2 OK\r\n"),
	    "BEGIN 2 uid=1 size=1\nDATA a\nEND 2 uid=0 size=1\n"
	    "DONE 2 ok\n",
	    SENT_WITH_FLAGS);
}

static void
keeps_flags_that_come_unasked_to_itself(void **state)
{
	(void)state;
	talk_ready(noop, SPAN("* 1 FETCH (UID 1 FLAGS (\\Seen))\r\nA2 OK\r\n"),
	    "DONE 2 ok\n", "A2 NOOP\r\n");
	talk_ready(fetch_with_flags,
	    SPAN("* 1 FETCH (FLAGS (\\Seen))\r\n"
		 "* 1 FETCH (BODY[] {1}\r\na UID 1)\r\nA2 OK\r\n"),
	    "FETCHED 2 uid=0 size=- flags=1 \n"
	    "BEGIN 2 uid=0 size=1\nDATA a\nEND 2 uid=1 size=1\n"
	    "DONE 2 ok\n",
	    SENT_WITH_FLAGS);
}

static void
takes_any_number_of_flags(void **state)
{
	struct buf said;

	(void)state;
	repeat(&said, "* 1 FETCH (UID 1 FLAGS (\\Seen", " $x", 300000,
	    " \\Draft) BODY[] {1}\r\na)\r\nA2 OK\r\n");
	expect_once(fetch_with_flags, &said, "END 2 uid=1 size=1 flags=9\n");
}

static void
fetch_sizes(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 5, 9);
	imap_fetch_sizes(m, &uids);
	set_deinit(&uids);
}

#define SENT_SIZES "A2 UID FETCH 5:9 (RFC822.SIZE)\r\n"

static void
tells_a_size_that_is_missing_from_none(void **state)
{
	(void)state;
	talk_ready(fetch_sizes,
	    SPAN("* 1 FETCH (UID 5 RFC822.SIZE 0)\r\n"
		 "* 2 FETCH (RFC822.SIZE 18446744073709551615 UID 6)\r\n"
		 "* 3 FETCH (UID 7 RFC822.SIZE 9.37e+06)\r\n"
		 "* 4 FETCH (UID 8 RFC822.SIZE NIL)\r\n"
		 "* 5 FETCH (UID 9 RFC822.SIZE)\r\n"
		 "* 6 FETCH (UID 5 FLAGS (\\Seen))\r\n"
		 "* 6 FETCH (UID 6)\r\n"
		 "* 7 FETCH (UID 7 RFC822.SIZE 7\r\n"
		 "* 8 FETCH (UID 8 BODY[HEADER] \"x\")\r\n"
		 "A2 OK\r\n"),
	    "FETCHED 2 uid=5 size=0 \n"
	    "FETCHED 2 uid=6 size=18446744073709551615 \n"
	    "FETCHED 2 uid=7 size=- \nFETCHED 2 uid=8 size=- \n"
	    "FETCHED 2 uid=9 size=- \nDONE 2 ok\n",
	    SENT_SIZES);
}

static void
fetch_whole_headers(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 5, 6);
	imap_fetch_whole_headers(m, &uids);
	set_deinit(&uids);
}

#define SENT_WHOLE "A2 UID FETCH 5:6 (RFC822.SIZE BODY.PEEK[HEADER])\r\n"

static void
fetches_whole_headers(void **state)
{
	(void)state;
	talk_ready(fetch_whole_headers,
	    SPAN("* 1 FETCH (UID 5 RFC822.SIZE 40 BODY[HEADER] {8}\r\n"
		 "A: b\r\n\r\n)\r\n"
		 "* 2 FETCH (BODY[HEADER] \"\" UID 6 RFC822.SIZE 0)\r\n"
		 "* 3 FETCH (UID 7 RFC822.SIZE 3)\r\n"
		 "* 4 FETCH (UID 8 BODY[HEADER] NIL)\r\n"
		 "* 5 FETCH (UID 9 BODY[HEADER.FIELDS (A)] \"A: b\")\r\n"
		 "A2 OK\r\n"),
	    "FETCHED 2 uid=5 size=40 A: b\\x0D\\x0A\\x0D\\x0A\n"
	    "FETCHED 2 uid=6 size=0 \nFETCHED 2 uid=7 size=3 \n"
	    "FETCHED 2 uid=8 size=- \nDONE 2 ok\n",
	    SENT_WHOLE);
}

static void
cuts_a_whole_header_at_its_limit(void **state)
{
	struct talk talk = { .ready = fetch_whole_headers,
		.turns = { SPAN(TALK_HELLO) } };
	struct buf said;
	char *log;

	(void)state;
	talk.turns[1] =
	    repeat(&said, "* 1 FETCH (UID 5 BODY[HEADER] {70000}\r\n", "x",
		70000, " RFC822.SIZE 70000)\r\nA2 OK\r\n");
	log = talk_once(&talk);
	assert_non_null(strstr(log, "FETCHED 2 uid=5 size=70000 xxx"));
	assert_int_equal(strspn(strstr(log, "xxx"), "x"), 65536);
	free(log);
	buf_deinit(&said);
}

static void
fetch_all_kinds(struct imap *m)
{
	fetch_headers(m);
	fetch_whole_headers(m);
	fetch_with_flags(m);
	fetch_sizes(m);
	fetch_sizes(m);
}

static void
gives_every_kind_of_answer_to_its_own_request(void **state)
{
	(void)state;
	talk_ready(fetch_all_kinds,
	    SPAN("* 1 FETCH (UID 1 RFC822.SIZE 1)\r\n"
		 "* 2 FETCH (UID 2 BODY[] {1}\r\na FLAGS (\\Seen))\r\n"
		 "* 3 FETCH (UID 3 RFC822.SIZE 3 BODY[HEADER] \"h\")\r\n"
		 "* 4 FETCH (UID 4 RFC822.SIZE 4 "
		 "BODY[HEADER.FIELDS (DATE)] \"d\")\r\n"
		 "* 5 FETCH (UID 5 BODY[] NIL FLAGS () RFC822.SIZE 5)\r\n"
		 "* 6 FETCH (UID 6 BODY[HEADER] NIL RFC822.SIZE 6)\r\n"
		 "* 7 FETCH (UID 7 BODY[HEADER.FIELDS (DATE)] NIL)\r\n"
		 "A5 OK\r\n* 1 FETCH (UID 1 RFC822.SIZE 1)\r\nA6 OK\r\n"
		 "* 1 FETCH (UID 1 RFC822.SIZE 1)\r\nA2 OK\r\n"
		 "* 1 FETCH (UID 1 RFC822.SIZE 1)\r\nA3 OK\r\n"
		 "* 1 FETCH (UID 1 RFC822.SIZE 1)\r\nA4 OK\r\n"),
	    "FETCHED 5 uid=1 size=1 \n"
	    "BEGIN 4 uid=2 size=1\nDATA a\nEND 4 uid=2 size=1 flags=1\n"
	    "FETCHED 3 uid=3 size=3 h\nFETCHED 2 uid=4 size=4 d\n"
	    "FETCHED 4 uid=5 size=5 \nFETCHED 3 uid=6 size=6 \n"
	    "FETCHED 2 uid=7 size=- \n"
	    "DONE 5 ok\nFETCHED 6 uid=1 size=1 \nDONE 6 ok\n"
	    "FETCHED 2 uid=1 size=1 \nDONE 2 ok\n"
	    "FETCHED 3 uid=1 size=1 \nDONE 3 ok\nDONE 4 ok\n",
	    SENT_HEADERS
	    "A3 UID FETCH 5:6 (RFC822.SIZE BODY.PEEK[HEADER])\r\n"
	    "A4 UID FETCH 1:9 (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n"
	    "A5 UID FETCH 5:9 (RFC822.SIZE)\r\n"
	    "A6 UID FETCH 5:9 (RFC822.SIZE)\r\n");
}

/* ---- literals ---- */

/* What a body with this count gives: the end of the session, the message, or
 * nothing more than its beginning. */
static void
counted(const char *count, const char *want)
{
	char *said = mem_printf("* 1 FETCH (UID 1 BODY[] %s\r\nabcde)\r\n"
				"A2 OK done\r\n",
	    count);
	struct talk talk = { .ready = fetch,
		.turns = { SPAN(TALK_HELLO), span_of(said) } };
	char *log = split_every(&talk_ops, &talk, talk.turns, 2);

	if (strstr(log, want) == NULL)
		fail_msg("%s: %s", count, log);
	free(log);
	free(said);
}

static void
ends_the_session_on_a_count_that_makes_no_sense(void **state)
{
	static const char *const bad[] = { "{9223372036854775808}",
		"{18446744073709551615}", "{18446744073709551616}",
		"{99999999999999999999}", "{-1}", "{+5}", "{}", "{5x}", "{5++}",
		"{5} ", "~{-1}", "{0x5}", "\"{5}", "BODY[{5}", "{5}\r " };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		counted(bad[i], "FAILED proto: the server's words");
}

static void
counts_literals_of_any_size(void **state)
{
	static const char *const five[] = { "{5}", "{5+}", "~{5}", "{005}",
		"{00000000000000000000000000000000005}" };
	static const char *const huge[] = { "2147483647", "2147483648",
		"4294967295", "4294967296", "9223372036854775807" };

	(void)state;
	for (size_t i = 0; i < sizeof(five) / sizeof(five[0]); i++)
		counted(five[i],
		    "size=5\nDATA abcde\n"
		    "END 2 uid=1 size=5\nDONE 2 ok\n--");
	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		char *count = mem_printf("{%s}", huge[i]);
		char *want = mem_printf("uid=1 size=%s\n"
					"DATA abcde)\\x0D\\x0AA2 OK done"
					"\\x0D\\x0A\n--",
		    huge[i]);

		counted(count, want);
		free(want);
		free(count);
	}
}

static void
steps_over_items_and_lines_it_does_not_know(void **state)
{
	(void)state;
	talk_ready(fetch,
	    SPAN("* 1 FETCH (XAOL {3}\r\n)\r\n A.B 9.3e+06 X ((a \"(\") {1}\r\n"
		 "() [x NIL UID 1 BODY[2] {2}\r\n)) BODY[] {1}\r\na Y)\r\n"
		 "* 2 FETCH ((UID 2 (BODY[] {1}\r\nb)))\r\n" /* Domino */
		 "* XFOO {15}\r\nA2 OK done now\r\n (\r\n"
		 "[COPYUID 55 31 6]\r\n* [COPYUID 55 31 6]\r\n"
		 "3 FETCH (UID 3 BODY[] {12}\r\nA2 OK done\r\n)\r\n" /* QQ */
		 "* STATUS {5}\r\nA2 OK ((MESSAGES 2)\r\n* FLAGS (a \\b)\r\n"
		 "* VANISHED (EARLIER) 1:5\r\n* 5 RECENT\r\n\r\n*\r\n* 5\r\n"
		 "* OK\r\n* OK [HIGHESTMODSEQ 1]\r\n* NO\r\n*  BAD  x\r\n"
		 "+\r\n+ OK\r\n+x\r\n* OK {5}\r\n"
		 "* ID (\"name\" NIL)\r\nA2  ok  done\n"),
	    "BEGIN 2 uid=1 size=1\nDATA a\nEND 2 uid=1 size=1\n"
	    "BEGIN 2 uid=2 size=1\nDATA b\nEND 2 uid=2 size=1\n"
	    "IDENTIFIED name NIL\nDONE 2 ok\n",
	    SENT_FETCH);
}

static void
skips_what_is_nested_too_deep(void **state)
{
	struct buf said;

	(void)state;
	repeat(&said, "* 1 FETCH (UID 1 X ", "(", 100000,
	    " BODY[] {1}\r\na)\r\nA2 OK done\r\n");
	expect_once(fetch, &said, "READY\nDONE 2 ok\n");
	repeat(&said, "* 1 FETCH (UID 1 X ", "(", 31, "");
	for (int i = 0; i < 31; i++)
		buf_addc(&said, ')');
	buf_add(&said, SPAN(" BODY[] {1}\r\na)\r\nA2 OK done\r\n"));
	expect_once(fetch, &said, "END 2 uid=1 size=1\nDONE 2 ok\n");
}

static void
skips_lines_with_words_too_long_and_keeps_count(void **state)
{
	struct buf said;

	(void)state;
	repeat(&said, "* 1 FETCH (UID 1 X", "x", 70000,
	    " {12}\r\nA2 OK done\r\n)\r\nA2 OK done\r\n");
	expect_once(fetch, &said, "READY\nDONE 2 ok\n");
	repeat(&said, "* 1 FETCH (UID 1 BODY[] {2}\r\nhi X \"", "x", 70000,
	    "\" {12}\r\nA2 OK done\r\n)\r\nA2 OK done\r\n");
	expect_once(fetch, &said, "END 2 uid=0 size=2\nDONE 2 ok\n");
	repeat(&said, "* 1 FETCH (UID 1 BODY[", "x", 70000, "\r\n");
	expect_once(fetch, &said, "FAILED proto");
	repeat(&said, "A2 NO ", "x", 70000, "\r\n");
	expect_once(fetch, &said, "DONE 2 not message: fetch: \"xxx");
}

static void
ends_the_session_on_an_endless_line(void **state)
{
	static const char *const begins[] = { "", "* ", "* OK ", "* 1 FETCH (",
		"* 1 FETCH (X {1}\r\na", "* CAPABILITY", "+ ", "A2 OK ",
		"* LIST (" };
	struct buf said;

	(void)state;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		repeat(&said, begins[i], " x", 600000, "");
		expect_once(fetch, &said, "FAILED proto");
	}
}

static void
fetches_a_header_no_longer_than_its_limit(void **state)
{
	struct buf said;
	struct talk talk = { .ready = fetch_headers,
		.turns = { SPAN(TALK_HELLO) } };
	char *log;

	(void)state;
	talk.turns[1] =
	    repeat(&said, "* 1 FETCH (UID 5 BODY[HEADER] {70000}\r\n", "x",
		70000, " RFC822.SIZE 70000)\r\nA2 OK done\r\n");
	log = talk_once(&talk);
	assert_non_null(strstr(log, "FETCHED 2 uid=5 size=70000 xxx"));
	assert_int_equal(strspn(strstr(log, "xxx"), "x"), 65536);
	free(log);
	buf_deinit(&said);
}

/* ---- SEARCH ---- */

static void
finds_ranges(void **state)
{
	(void)state;
	talk_ready(search,
	    SPAN(
		"* SEARCH 1 2 3 5\r\n* SEARCH\r\n* search 6  8 7 7 "
		"4294967294 4294967295 1 (MODSEQ 5) 9\r\n"
		"* SEARCH 0 4294967296 x -1 1:5 * 9.3e+06 {2}\r\n12 \"3\" 4\r\n"
		"* ESEARCH (TAG \"A2\") UID ALL 1:3,5,9:7,*,1:*,0:2 COUNT 4\r\n"
		"* ESEARCH UID MIN 4 ALL 7 MAX {2}\r\n12 ALL 8\r\n"
		"* ESEARCH (TAG A2) UID\r\n"
		"A2 OK done\r\n"),
	    "FOUND 2 1-3\nFOUND 2 5-5\n"
	    "FOUND 2 6-6\nFOUND 2 8-8\nFOUND 2 7-7\nFOUND 2 7-7\n"
	    "FOUND 2 4294967294-4294967295\nFOUND 2 1-1\n"
	    "FOUND 2 4-4\n"
	    "FOUND 2 1-3\nFOUND 2 5-5\nFOUND 2 7-9\n"
	    "FOUND 2 7-8\n"
	    "DONE 2 ok\n",
	    SENT_SEARCH);
}

static double
seconds_of_search(size_t n)
{
	struct buf said;
	struct timespec from, to;
	struct talk talk = { .ready = search, .turns = { SPAN(TALK_HELLO) } };
	char *log;

	buf_init(&said, TALK_LOG_MAX);
	buf_add(&said, SPAN("* SEARCH"));
	for (size_t i = 0; i < n; i++)
		buf_printf(&said, " %zu", 4000000 + i + i / 1000);
	buf_add(&said, SPAN("\r\nA2 OK done\r\n"));
	talk.turns[1] = buf_span(&said);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	log = talk_once(&talk);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_non_null(strstr(log, "FOUND 2 4001001-4002000\n"));
	assert_non_null(strstr(log, "DONE 2 ok\n"));
	free(log);
	buf_deinit(&said);
	return (double)(to.tv_sec - from.tv_sec) +
	    (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void
finds_a_million_messages_in_linear_time(void **state)
{
	double half, whole;

	(void)state;
	half = seconds_of_search(500000);
	whole = seconds_of_search(1000000);
	assert_true(whole < 4 * half + 0.2);
}

static void
tells_when_a_number_of_a_search_is_lost(void **state)
{
	struct buf said;

	(void)state;
	repeat(&said, "* SEARCH 1 ", "9", 70000, " 3\r\nA2 OK done\r\n");
	expect_once(search, &said, "DONE 2 not proto: the answer to search");
	repeat(&said, "* ESEARCH (TAG \"A2\") UID ALL ", "1,3:5,", 70000,
	    "9\r\nA2 OK done\r\n");
	expect_once(search, &said, "FOUND 2 9-9\nDONE 2 ok\n");
}

/* ---- LIST ---- */

static void
lists_mailboxes(void **state)
{
	(void)state;
	talk_ready(list,
	    SPAN("* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n"
		 "* List (\\NOSELECT \\x) \"\\\\\" {3}\r\na\"b\r\n"
		 "* LIST () NIL Entw&APw-rfe (\"CHILDINFO\" (\"x\"))\r\n"
		 "* LIST (\\NonExistent) \".\" \"a&-b\"\r\n"
		 "* LIST () \"/\" \"../../.ssh\"\r\n"
		 "* LIST () {1}\r\n/ \"`id`\"\r\n"
		 "A2 OK done\r\n"),
	    "LISTED 2 / INBOX\nLISTED 2 noselect \\ a\"b\n"
	    "LISTED 2 - Entw\xc3\xbcrfe\nLISTED 2 noselect . a&b\n"
	    "LISTED 2 / ../../.ssh\nLISTED 2 / `id`\n"
	    "DONE 2 ok\n",
	    SENT_LIST);
}

static void
leaves_out_names_that_could_not_be_sent_back(void **state)
{
	struct buf said;

	(void)state;
	talk_ready(list,
	    SPAN("* LIST () \"/\" \"&\"\r\n* LIST () \"/\" \"&AGE-\"\r\n"
		 "* LIST () \"/\" {3}\r\na\0b\r\n"
		 "* LIST () \"/\" {3}\r\na\nb\r\n"
		 "* LIST () \"/\" \"\xc3\xbc\"\r\n"
		 "* LIST () \"/\" \"&AAo-\"\r\n"
		 "* LIST () \"/\" \"\"\r\n* LIST () \"/\" a b\r\n"
		 "* LIST () \"/\"\r\n* LIST ()\r\n* LIST\r\n* LIST (\r\n"
		 "* LIST x \"/\" a\r\n* LIST (()) \"/\" a\r\n"
		 "* LIST () () a\r\n* LIST () \"/\" ()\r\n"
		 "* LIST () \"/\" ok\r\n"
		 "A2 OK done\r\n"),
	    "LISTED 2 / ok\nDONE 2 ok\n", SENT_LIST);
	repeat(&said, "* LIST () \"/\" {1000000}\r\n", "x", 1000000,
	    "\r\n* LIST () \"/\" ok\r\nA2 OK done\r\n");
	expect_once(list, &said, "READY\nLISTED 2 / ok\nDONE 2 ok\n");
}

static void
list_delimiter(struct imap *m)
{
	imap_list_delimiter(m);
}

static void
list_both(struct imap *m)
{
	imap_list_delimiter(m);
	imap_list(m);
}

#define SENT_DELIMITER "A2 LIST \"\" \"\"\r\n"

static void
asks_for_the_delimiter(void **state)
{
	static const struct {
		const char *said, *want;
	} cases[] = {
		{ "(\\Noselect) \"/\" \"\"", "LISTED 2 noselect / \n" },
		{ "() \".\" {0}\r\n", "LISTED 2 . \n" },
		{ "(\\Noselect) NIL \"\"", "LISTED 2 noselect - \n" },
		{ "() \"\\\\\" \"\"", "LISTED 2 \\ \n" },
		{ "(\\Noselect) \"/\" \"/\"", "LISTED 2 noselect / \n" },
		{ "() \"/\" INBOX", "" },
		{ "() \"/\" .", "" },
		{ "() NIL /", "" },
		{ "() \"/\"", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *said =
		    mem_printf("* LIST %s\r\nA2 OK\r\n", cases[i].said);
		char *want = mem_printf("%sDONE 2 ok\n", cases[i].want);

		talk_ready(list_delimiter, span_of(said), want, SENT_DELIMITER);
		free(want);
		free(said);
	}
}

static void
tells_the_root_from_mailboxes(void **state)
{
	(void)state;
	talk_ready(list_both,
	    SPAN("* LIST () \"/\" INBOX\r\n* LIST () \"/\" \"\"\r\n"
		 "* LIST () \"/\" a\r\nA2 OK\r\n"
		 "* LIST () \"/\" \"\"\r\n* LIST () \"/\" /\r\nA3 OK\r\n"),
	    "LISTED 3 / INBOX\nLISTED 2 / \nLISTED 3 / a\nDONE 2 ok\n"
	    "LISTED 3 / /\nDONE 3 ok\n",
	    SENT_DELIMITER "A3 LIST \"\" \"*\"\r\n");
}

/* ---- the mailbox ---- */

static void
selects(void **state)
{
	(void)state;
	talk_ready(select_inbox,
	    SPAN("* FLAGS (\\Seen)\r\n* 17 EXISTS\r\n* 2 RECENT\r\n"
		 "* OK [UIDVALIDITY 3857529045] ok\r\n"
		 "* ok [uidnext 4392]\r\n* OK [PERMANENTFLAGS ()] x\r\n"
		 "A2 OK [READ-WRITE] done\r\n"
		 "* 17 EXISTS\r\n* 18 EXISTS\r\n"
		 "* 19 EXPUNGE\r\n* 0 EXPUNGE\r\n* 4 EXPUNGE\r\n"
		 "* 4 expunge\r\n* 4294967296 EXISTS\r\n* -1 EXISTS\r\n"
		 "* 5 EXISTS\r\n* OK [UIDVALIDITY 5] changed\r\n"
		 "* 4294967295 EXISTS\r\n"),
	    "DONE 2 ok exists=17 uidvalidity=3857529045 uidnext=4392\n"
	    "CHANGED 18\nVANISHED 4 of 18\nVANISHED 4 of 17\n"
	    "CHANGED 5\nCHANGED 4294967295\n",
	    "A2 SELECT \"INBOX\"\r\n");
}

static void
says_what_a_mailbox_is_not(void **state)
{
	(void)state;
	talk_ready(select_inbox,
	    SPAN("* OK [UIDVALIDITY 4294967296]\r\n* OK [UIDNEXT x]\r\n"
		 "A2 OK [READ-ONLY]\r\n"),
	    "DONE 2 ok read-only\n", "A2 SELECT \"INBOX\"\r\n");
	talk_ready(select_inbox,
	    SPAN("* 3 EXISTS\r\nA2 NO no such thing\r\n* 1 EXPUNGE\r\n"),
	    "DONE 2 not mailbox: select: \"no such thing\" "
	    "exists=3 uidvalidity=0 uidnext=0\n",
	    "A2 SELECT \"INBOX\"\r\n");
}

static void
keeps_two_mailboxes_apart(void **state)
{
	(void)state;
	talk_ready(select_two,
	    SPAN("* 1 EXISTS\r\n* OK [UIDVALIDITY 11]\r\nA2 OK\r\n"
		 "* 2 EXISTS\r\n* OK [UIDVALIDITY 22]\r\nA3 OK\r\n"),
	    "DONE 2 ok exists=1 uidvalidity=11 uidnext=0\n"
	    "DONE 3 ok exists=2 uidvalidity=22 uidnext=0\n",
	    "A2 SELECT \"a\"\r\nA3 SELECT \"b\"\r\n");
}

static void
select_strange(struct imap *m)
{
	imap_select(m, "a \"b\\c&\xc3\xbc");
}

static void
quotes_mailbox_names(void **state)
{
	(void)state;
	talk_ready(select_strange, SPAN("A2 OK\r\n"), "DONE 2 ok\n",
	    "A2 SELECT \"a \\\"b\\\\c&-&APw-\"\r\n");
}

static void
select_not_utf8(struct imap *m)
{
	imap_select(m, "a\xff");
}

static void
fails_on_a_name_it_cannot_send(void **state)
{
	(void)state;
	talk_ready(select_not_utf8, SPAN("* OK\r\n"),
	    "FAILED config: a command cannot be written: "
	    "\"not UTF-8, or too long\"\n",
	    "");
}

/* ---- tags, refusals, ends ---- */

static void
ask_everything(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 4, 4);
	assert_int_equal(imap_search_deleted(m), 2);
	assert_int_equal(imap_search_uids(m, NULL, 7), 3);
	assert_int_equal(imap_search_uids(m, &uids, 0), 4);
	assert_int_equal(imap_store_deleted(m, &uids), 5);
	assert_int_equal(imap_expunge_uids(m, &uids), 6);
	assert_int_equal(imap_expunge(m), 7);
	assert_int_equal(imap_noop(m), 8);
	assert_int_equal(imap_pending(m), 7);
	set_deinit(&uids);
}

static void
keeps_requests_in_flight_and_takes_answers_in_any_order(void **state)
{
	(void)state;
	talk_ready(ask_everything,
	    SPAN("* SEARCH 1\r\nA3 OK\r\n* SEARCH 2\r\nA2 OK\r\n"
		 "A8 OK\r\n* SEARCH 3\r\nA4 NO [UNAVAILABLE] later\r\n"
		 "A6 BAD what\r\n* SEARCH 4\r\nA5 NO\r\nA7 NO x\r\n"),
	    "FOUND 2 1-1\nDONE 3 ok\nFOUND 2 2-2\nDONE 2 ok\nDONE 8 ok\n"
	    "FOUND 4 3-3\nDONE 4 not temp: search: \"[UNAVAILABLE] later\"\n"
	    "DONE 6 not proto: expunge: \"what\"\n"
	    "DONE 5 not proto: store\nDONE 7 not proto: expunge: \"x\"\n",
	    "A2 UID SEARCH DELETED\r\nA3 UID SEARCH UID 7:*\r\n"
	    "A4 UID SEARCH UID 4\r\n"
	    "A5 UID STORE 4 +FLAGS.SILENT (\\Deleted)\r\n"
	    "A6 UID EXPUNGE 4\r\nA7 EXPUNGE\r\nA8 NOOP\r\n");
}

static void
refuses_answers_to_what_was_not_asked(void **state)
{
	static const char *const tags[] = { "A1", "A3", "A0", "A", "B2", "a2",
		"A02", "A2x", "A99999999999", "A4294967295", "2", "\\" };

	(void)state;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		char *said = mem_printf("%s NO really\r\nA2 OK\r\n", tags[i]);

		talk_ready(noop, span_of(said),
		    "FAILED proto: an answer to a command that was not sent: "
		    "\"really\"\n",
		    "A2 NOOP\r\n");
		free(said);
	}
	talk_ready(noop, SPAN("A2 OK\r\nA2 OK\r\n"),
	    "DONE 2 ok\n"
	    "FAILED proto: an answer to a command that was not sent\n",
	    "A2 NOOP\r\n");
}

static void
knows_what_refusals_mean(void **state)
{
	(void)state;
	talk_ready(fetch, SPAN("A2 NO\r\n"), "DONE 2 not message: fetch\n",
	    SENT_FETCH);
	talk_ready(fetch,
	    SPAN("A2 BAD User is authenticated but not connected.\r\n"),
	    "DONE 2 not temp: fetch: "
	    "\"User is authenticated but not connected.\"\n",
	    SENT_FETCH);
	talk_ready(fetch, SPAN("A2 NO [LIMIT] UID FETCH Rate limit hit.\r\n"),
	    "DONE 2 not throttle: fetch: "
	    "\"[LIMIT] UID FETCH Rate limit hit.\"\n",
	    SENT_FETCH);
	/* Dovecot, of a broken message; otherwise of itself */
	talk_ready(fetch, SPAN("A2 NO [SERVERBUG] Internal error\r\n"),
	    "DONE 2 not message: fetch: \"[SERVERBUG] Internal error\"\n",
	    SENT_FETCH);
	talk_ready(noop, SPAN("A2 NO [SERVERBUG] Internal error\r\n"),
	    "DONE 2 not temp: noop: \"[SERVERBUG] Internal error\"\n",
	    "A2 NOOP\r\n");
}

static void
passes_on_how_long_it_is_asked_to_wait(void **state)
{
	(void)state;
	talk_ready(noop,
	    SPAN("A2 BAD Request is throttled. Suggested Backoff Time: 89117 "
		 "milliseconds\r\n* BYE Connection closed. 14\r\n"),
	    "DONE 2 not throttle: noop: \"Request is throttled. "
	    "Suggested Backoff Time: 89117 milliseconds\" (in 90 s)\n"
	    "FAILED temp: the server ends the session: "
	    "\"Connection closed. 14\"\n",
	    "A2 NOOP\r\n");
	talk_ready(noop, SPAN("* BYE [UNAVAILABLE] retry in 5 minutes\r\n"),
	    "FAILED temp: the server ends the session: "
	    "\"[UNAVAILABLE] retry in 5 minutes\" (in 300 s)\n",
	    "A2 NOOP\r\n");
}

static void
ends_at_the_first_bye(void **state)
{
	(void)state;
	talk_ready(noop, SPAN("* BYE\r\n* BYE\r\n* BYE\r\n"),
	    "FAILED net: the server ends the session\n", "A2 NOOP\r\n");
	talk_ready(noop, SPAN("* BYE [UNAVAILABLE] back\x1b soon\r\nA2 OK\r\n"),
	    "FAILED temp: the server ends the session: "
	    "\"[UNAVAILABLE] back\\x1B soon\"\n",
	    "A2 NOOP\r\n");
}

static void
passes_on_alerts(void **state)
{
	(void)state;
	talk_ready(noop,
	    SPAN("* OK [ALERT] Go \x1b[0m!\r\n* NO [alert] now\r\n"
		 "* OK [ALERT]\r\n* OK [BADCHARSET] no\r\n"),
	    "NOTICE Go \\x1B[0m!\nNOTICE now\n", "A2 NOOP\r\n");
}

static void
quotes_no_server_that_repeats_the_password(void **state)
{
	(void)state;
	talk_ready(noop, SPAN("* BYE bob:pass\r\n"),
	    "FAILED net: the server ends the session\n", "A2 NOOP\r\n");
	talk_ready(noop,
	    SPAN("* OK [ALERT] it is pass\r\n* OK [ALERT] hi\r\n"
		 "A2 NO LOGIN \"bob\" \"pass\"\r\n"),
	    "NOTICE hi\nDONE 2 not proto: noop\n", "A2 NOOP\r\n");
	talk_ready(noop, SPAN("* ID (\"name\" \"pass\")\r\nA2 OK\r\n"),
	    "DONE 2 ok\n", "A2 NOOP\r\n");
	talk_ready(noop, SPAN("A2 NO AGJvYgBwYXNz\r\n"),
	    "DONE 2 not proto: noop\n", "A2 NOOP\r\n");
}

static void
leave(struct imap *m)
{
	fetch(m);
	imap_logout(m);
	imap_logout(m);
	assert_true(imap_noop(m) > 0);
}

static void
leaves_in_order(void **state)
{
	(void)state;
	talk_ready(leave,
	    SPAN("* 1 FETCH (UID 1 BODY[] {1}\r\na)\r\nA2 OK\r\n"
		 "* 5 EXISTS\r\n* OK [ALERT] x\r\n* BYE x\r\nA3 OK bye\r\n"
		 "* BYE\r\n"),
	    "CLOSED\n", SENT_FETCH "A3 LOGOUT\r\n");
}

static void
knows_the_end_of_file(void **state)
{
	struct talk talk = { .ready = leave,
		.eof = true,
		.turns = { SPAN(TALK_HELLO), SPAN("* BYE\r\n") } };

	(void)state;
	talk_expect(&talk,
	    "READY\nCLOSED\n--\n" TALK_HELLO_SENT SENT_FETCH "A3 LOGOUT\r\n");
	talk.turns[1] = SPAN("* OK\r\n");
	talk_expect(&talk,
	    "READY\nFAILED net: the server closed the connection\n"
	    "--\n" TALK_HELLO_SENT SENT_FETCH "A3 LOGOUT\r\n");
	talk.ready = fetch;
	talk.turns[1] = SPAN("* 1 FETCH (UID 1 BODY[] {5}\r\nab");
	talk_expect(&talk,
	    "READY\nBEGIN 2 uid=1 size=5\nDATA ab\n"
	    "FAILED net: the server closed the connection\n--\n" TALK_HELLO_SENT
		SENT_FETCH);
}

/* ---- by hand ---- */

static struct imap *
machine(enum imap_tls tls)
{
	struct secret *secret = secret_new(SPAN("pass"));
	struct imap_params params = {
		.tls = tls, .user = "bob", .secret = secret
	};
	struct imap *m = imap_new(&params);

	secret_free(&secret);
	return m;
}

static enum imap_event
step(struct imap *m, const char *said)
{
	struct span in = span_of(said);
	struct imap_info info;

	return imap_step(m, &in, &info);
}

static void
has_a_time_limit_for_every_state(void **state)
{
	struct imap *m = machine(IMAP_TLS_UPGRADE);

	(void)state;
	assert_string_equal(imap_state_name(m), "greeting");
	assert_int_equal(imap_timeout(m), 300);
	assert_int_equal(step(m, "* OK\r\n"), IMAP_MORE);
	assert_string_equal(imap_state_name(m), "starttls");
	assert_int_equal(imap_timeout(m), 60);
	assert_int_equal(step(m, "A1 OK\r\n"), IMAP_UPGRADE);
	assert_string_equal(imap_state_name(m), "tls");
	assert_int_equal(imap_timeout(m), 60);
	imap_upgraded(m);
	assert_string_equal(imap_state_name(m), "capability");
	assert_int_equal(imap_timeout(m), 60);
	assert_int_equal(step(m, "A2 OK\r\n"), IMAP_MORE);
	assert_string_equal(imap_state_name(m), "login");
	assert_int_equal(imap_timeout(m), 120);
	assert_int_equal(step(m, "A3 OK\r\n"), IMAP_MORE);
	assert_int_equal(step(m, "A4 OK\r\n"), IMAP_READY);
	assert_string_equal(imap_state_name(m), "ready");
	assert_int_equal(imap_timeout(m), 0);
	fetch(m);
	assert_string_equal(imap_state_name(m), "fetch");
	assert_int_equal(imap_timeout(m), 300);
	imap_logout(m);
	assert_string_equal(imap_state_name(m), "logout");
	assert_int_equal(imap_timeout(m), 30);
	imap_expire(m);
	assert_int_equal(step(m, "A6 OK\r\n"), IMAP_FAILED);
	assert_int_equal(imap_error(m)->kind, ERR_NET);
	assert_string_equal(imap_error(m)->text, "no answer for 30 s (logout)");
	assert_int_equal(imap_timeout(m), 0);
	assert_int_equal(imap_eof(m), IMAP_FAILED);
	imap_free(&m);
}

static void
waits_as_long_as_the_user_says(void **state)
{
	static const struct {
		unsigned int user_s, greeting_s, request_s, logout_s;
	} cases[] = { { 0, 300, 300, 30 }, { 2, 2, 2, 2 },
		{ 100, 100, 100, 30 }, { 3600, 300, 3600, 30 } };
	struct secret *secret = secret_new(SPAN("pass"));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_params params = { .tls = IMAP_TLS_NONE,
			.user = "bob",
			.secret = secret,
			.timeout_s = cases[i].user_s };
		struct imap *m = imap_new(&params);
		char text[64];

		assert_int_equal(imap_timeout(m), cases[i].greeting_s);
		assert_int_equal(
		    step(m, "* PREAUTH [CAPABILITY X] hi\r\n"), IMAP_READY);
		assert_int_equal(imap_timeout(m), 0);
		fetch(m);
		assert_int_equal(imap_timeout(m), cases[i].request_s);
		imap_logout(m);
		assert_int_equal(imap_timeout(m), cases[i].logout_s);
		imap_expire(m);
		snprintf(text, sizeof(text), "no answer for %u s (logout)",
		    cases[i].logout_s);
		assert_string_equal(imap_error(m)->text, text);
		imap_free(&m);
	}
	secret_free(&secret);
}

static void
leaves_before_it_is_ready(void **state)
{
	struct imap *m = machine(IMAP_TLS_NONE);

	(void)state;
	assert_int_equal(step(m, "* OK\r\n"), IMAP_MORE);
	imap_logout(m);
	assert_int_equal(imap_output(m).n, 0);
	assert_int_equal(step(m, "* OK\r\n"), IMAP_CLOSED);
	assert_int_equal(imap_eof(m), IMAP_CLOSED);
	imap_expire(m);
	assert_int_equal(step(m, ""), IMAP_CLOSED);
	imap_free(&m);
	imap_free(&m);
}

static void
marks_output_that_is_secret(void **state)
{
	struct imap *m = machine(IMAP_TLS_DONE);
	size_t n;

	(void)state;
	step(m, "* OK\r\n");
	assert_false(imap_output_is_secret(m));
	step(m, "A1 OK\r\n"); /* without the first being sent */
	assert_true(imap_output_is_secret(m));
	n = imap_output(m).n;
	imap_sent(m, n - 1);
	assert_true(imap_output_is_secret(m));
	imap_sent(m, 1);
	assert_false(imap_output_is_secret(m));
	assert_int_equal(imap_output(m).n, 0);
	imap_free(&m);
}

static void
knows_capabilities_when_ready(void **state)
{
	struct imap *m = machine(IMAP_TLS_DONE);

	(void)state;
	assert_int_equal(
	    step(m, "* OK [CAPABILITY IMAP4rev1 X] hi\r\n"), IMAP_MORE);
	assert_false(imap_can(m, "X"));
	assert_true(span_eq(imap_greeting(m), SPAN("hi")));
	assert_int_equal(
	    step(m, "A1 OK [CAPABILITY  IMAP4rev1 LITERAL + iDLE ]\r\n"),
	    IMAP_READY);
	assert_true(imap_can(m, "idle"));
	assert_false(imap_can(m, "X"));
	assert_false(imap_can(m, "IDL"));
	assert_false(imap_can(m, ""));
	assert_true(
	    span_eq(imap_capabilities(m), SPAN("IMAP4rev1 LITERAL + iDLE")));
	assert_int_equal(step(m, "* CAPABILITY Y\r\n"), IMAP_MORE);
	assert_true(imap_can(m, "Y"));
	assert_int_equal(step(m, "* OK [CAPABILITY Z]\r\n"), IMAP_MORE);
	assert_true(imap_can(m, "Z"));
	imap_free(&m);
}

static void
keeps_what_was_offered_before_the_login(void **state)
{
	struct secret *octets = secret_new(SPAN("pass"));
	struct imap_params params = { .user = "bob", .secret = octets };

	(void)state;
	for (int keep = 0; keep < 2; keep++) {
		struct imap *m;

		params.keep_offer = keep != 0;
		m = imap_new(&params);
		assert_int_equal(
		    step(m, "* OK [CAPABILITY IMAP4rev1 X] hi\r\n"), IMAP_MORE);
		assert_int_equal(
		    step(m, "A1 OK [CAPABILITY IMAP4rev1 Y]\r\n"), IMAP_READY);
		assert_true(span_eq(imap_offered(m),
		    keep != 0 ? SPAN("IMAP4rev1 X") : SPAN("")));
		imap_free(&m);
	}
	secret_free(&octets);
}

static void
lends_body_octets_without_a_copy(void **state)
{
	struct imap *m = machine(IMAP_TLS_NONE);
	struct span in = SPAN("* 1 FETCH (UID 1 BODY[] {4}\r\nbody");
	const char *body = in.p + in.n - 4;
	struct imap_info info;

	(void)state;
	step(m, TALK_HELLO);
	fetch(m);
	assert_int_equal(imap_step(m, &in, &info), IMAP_BODY_BEGIN);
	assert_int_equal(imap_step(m, &in, &info), IMAP_BODY_DATA);
	assert_ptr_equal(info.data.p, body);
	assert_int_equal(info.data.n, 4);
	assert_int_equal(imap_step(m, &in, &info), IMAP_MORE);
	imap_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetches_messages_in_any_order_of_items),
		cmocka_unit_test(knows_a_body_that_is_not_there),
		cmocka_unit_test(keeps_every_octet_of_a_body),
		cmocka_unit_test(steps_over_a_body_that_nobody_asked_for),
		cmocka_unit_test(takes_no_body_for_a_request_of_headers),
		cmocka_unit_test(fetches_header_fields_and_sizes),
		cmocka_unit_test(believes_no_uid_that_is_wrong_or_said_twice),
		cmocka_unit_test(tells_flags_and_dates_wherever_they_stand),
		cmocka_unit_test(lets_no_flags_of_a_torn_line_through),
		cmocka_unit_test(keeps_flags_that_come_unasked_to_itself),
		cmocka_unit_test(takes_any_number_of_flags),
		cmocka_unit_test(tells_a_size_that_is_missing_from_none),
		cmocka_unit_test(fetches_whole_headers),
		cmocka_unit_test(cuts_a_whole_header_at_its_limit),
		cmocka_unit_test(gives_every_kind_of_answer_to_its_own_request),
		cmocka_unit_test(
		    ends_the_session_on_a_count_that_makes_no_sense),
		cmocka_unit_test(counts_literals_of_any_size),
		cmocka_unit_test(steps_over_items_and_lines_it_does_not_know),
		cmocka_unit_test(skips_what_is_nested_too_deep),
		cmocka_unit_test(
		    skips_lines_with_words_too_long_and_keeps_count),
		cmocka_unit_test(ends_the_session_on_an_endless_line),
		cmocka_unit_test(fetches_a_header_no_longer_than_its_limit),
		cmocka_unit_test(finds_ranges),
		cmocka_unit_test(finds_a_million_messages_in_linear_time),
		cmocka_unit_test(tells_when_a_number_of_a_search_is_lost),
		cmocka_unit_test(lists_mailboxes),
		cmocka_unit_test(leaves_out_names_that_could_not_be_sent_back),
		cmocka_unit_test(asks_for_the_delimiter),
		cmocka_unit_test(tells_the_root_from_mailboxes),
		cmocka_unit_test(selects),
		cmocka_unit_test(says_what_a_mailbox_is_not),
		cmocka_unit_test(keeps_two_mailboxes_apart),
		cmocka_unit_test(quotes_mailbox_names),
		cmocka_unit_test(fails_on_a_name_it_cannot_send),
		cmocka_unit_test(
		    keeps_requests_in_flight_and_takes_answers_in_any_order),
		cmocka_unit_test(refuses_answers_to_what_was_not_asked),
		cmocka_unit_test(knows_what_refusals_mean),
		cmocka_unit_test(passes_on_how_long_it_is_asked_to_wait),
		cmocka_unit_test(ends_at_the_first_bye),
		cmocka_unit_test(passes_on_alerts),
		cmocka_unit_test(leaves_in_order),
		cmocka_unit_test(knows_the_end_of_file),
		cmocka_unit_test(has_a_time_limit_for_every_state),
		cmocka_unit_test(waits_as_long_as_the_user_says),
		cmocka_unit_test(quotes_no_server_that_repeats_the_password),
		cmocka_unit_test(leaves_before_it_is_ready),
		cmocka_unit_test(marks_output_that_is_secret),
		cmocka_unit_test(knows_capabilities_when_ready),
		cmocka_unit_test(keeps_what_was_offered_before_the_login),
		cmocka_unit_test(lends_body_octets_without_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
