/* SPDX-License-Identifier: ISC */
#include "proto/imap_read.h"

#include "unit/proto/split.h"
#include "util/mem.h"
#include "util/text.h"

struct run {
	struct imap_read read;
	struct buf log;
	bool lost;
};

static void *
run_open(const void *arg)
{
	struct run *r = mem_new(sizeof(*r));

	(void)arg;
	imap_read_init(&r->read);
	buf_init(&r->log, 1 << 20);
	return r;
}

static void
quote(struct run *r, struct span s)
{
	char text[300];

	buf_printf(&r->log, "'%s'", text_printable(text, sizeof(text), s));
}

static void
note_status(struct run *r)
{
	static const char *const names[] = { "OK", "NO", "BAD", "BYE",
		"PREAUTH" };

	if (r->read.tag == IMAP_TAG_STRANGE)
		buf_printf(&r->log, "? ");
	else
		buf_printf(&r->log, "%u ", r->read.tag);
	buf_printf(&r->log, "%s ", names[r->read.status]);
	quote(r, r->read.code);
	quote(r, r->read.args);
	quote(r, r->read.rest);
}

static void
note(struct run *r, enum imap_heard heard)
{
	const struct imap_read *d = &r->read;

	switch (heard) {
	case IMAP_HEARD_MORE:
		break;
	case IMAP_HEARD_STATUS:
		note_status(r);
		break;
	case IMAP_HEARD_CONTINUE:
		buf_printf(&r->log, "+ ");
		quote(r, d->text);
		break;
	case IMAP_HEARD_CAPABILITY:
		buf_printf(&r->log, "CAPABILITY ");
		quote(r, d->text);
		break;
	case IMAP_HEARD_EXISTS:
		buf_printf(&r->log, "EXISTS %u", d->number);
		break;
	case IMAP_HEARD_EXPUNGE:
		buf_printf(&r->log, "EXPUNGE %u", d->number);
		break;
	case IMAP_HEARD_LISTED:
		buf_printf(&r->log, "LIST %d %d ", d->named.noselect,
		    d->named.delimiter);
		quote(r, d->data);
		break;
	case IMAP_HEARD_COUNTED:
		buf_printf(&r->log, "STATUS %u ", d->named.messages);
		quote(r, d->data);
		break;
	case IMAP_HEARD_IDENTIFIED:
		buf_printf(&r->log, "ID ");
		quote(r, d->text);
		break;
	case IMAP_HEARD_FOUND:
		buf_printf(&r->log, "FOUND %u-%u", d->first, d->last);
		break;
	case IMAP_HEARD_FOUND_BADLY:
		buf_printf(&r->log, "BADLY");
		break;
	case IMAP_HEARD_BODY_BEGIN:
		buf_printf(&r->log, "BODY %u ", d->items.uid);
		return;
	case IMAP_HEARD_BODY_DATA:
		buf_add(&r->log, d->data);
		return;
	case IMAP_HEARD_FETCHED:
		buf_printf(&r->log, " FETCHED %u%s", d->items.uid,
		    d->items.torn ? " torn" : "");
		break;
	case IMAP_HEARD_OTHER:
		buf_printf(&r->log, "OTHER");
		break;
	case IMAP_HEARD_LOST:
		buf_printf(&r->log, "LOST");
		break;
	}
	buf_addc(&r->log, '\n');
}

static void
run_feed(void *run, struct span piece)
{
	struct run *r = run;
	enum imap_heard heard = IMAP_HEARD_OTHER;

	while (!r->lost && heard != IMAP_HEARD_MORE) {
		heard = imap_read_next(&r->read, &piece);
		r->lost = heard == IMAP_HEARD_LOST;
		if (heard != IMAP_HEARD_MORE)
			note(r, heard);
	}
	if (r->lost)
		assert_int_equal(
		    imap_read_next(&r->read, &piece), IMAP_HEARD_LOST);
}

static char *
run_close(void *run)
{
	struct run *r = run;
	char *log = mem_spandup(buf_span(&r->log));

	imap_read_deinit(&r->read);
	buf_deinit(&r->log);
	free(r);
	return log;
}

static const struct split_ops ops = { run_open, run_feed, run_close };

static void
expect(struct span said, const char *want)
{
	char *log = split_every_one(&ops, NULL, said);

	assert_string_equal(log, want);
	free(log);
}

static void
reads_status_responses(void **state)
{
	(void)state;
	expect(SPAN("* OK [UIDNEXT 5] hi there\r\n* bye\r\n"
		    "*   PREAUTH   x\r\nA7 no [A b] c\nA007 OK\r\nB OK\r\n"
		    "A4294967294 BAD \r\nA4294967295 OK\r\nA1 BYE\r\n"
		    "A1 PREAUTH\r\nA1 OKAY\r\nA1\r\n* OK {5}\r\n"
		    "* OK \"x\r\nA1 OK(x\r\n"),
	    "0 OK 'UIDNEXT''5''hi there'\n0 BYE ''''''\n0 PREAUTH '''''x'\n"
	    "7 NO 'A''b''c'\n? OK ''''''\n? OK ''''''\n"
	    "4294967294 BAD ''''''\n? OK ''''''\nOTHER\nOTHER\nOTHER\nOTHER\n"
	    "0 OK '''''{5}'\n0 OK '''''\"x'\n1 OK '''''(x'\n");
}

static void
reads_continuations(void **state)
{
	(void)state;
	expect(SPAN("+\r\n+ \r\n+ abc=\n+x y\r\n++\r\n * OK\r\n a+ x\r\n"),
	    "+ ''\n+ ''\n+ 'abc='\n+ 'x y'\n+ '+'\n0 OK ''''''\nOTHER\n");
}

static void
reads_data_about_the_mailbox(void **state)
{
	(void)state;
	expect(SPAN("* CAPABILITY  A B \r\n* capability\r\n* 5 EXISTS\r\n"
		    "* 0 exists x\r\n* 3 EXPUNGE\r\n* 0 EXPUNGE\r\n"
		    "* 4294967295 EXISTS\r\n* 4294967296 EXISTS\r\n"
		    "* 5\r\n* 5 RECENT\r\n* 5EXISTS\r\n* 5 (EXISTS)\r\n"
		    "* EXISTS\r\n\r\n  \r\n*\r\n* (\r\n(\r\n\"\r\n"
		    "* \"a\" {1}\r\n\nb\r\n"),
	    "CAPABILITY 'A B'\nCAPABILITY ''\nEXISTS 5\nEXISTS 0\n"
	    "EXPUNGE 3\nOTHER\nEXISTS 4294967295\nOTHER\nOTHER\nOTHER\n"
	    "OTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\n");
}

static void
reads_searches(void **state)
{
	(void)state;
	expect(SPAN("* SEARCH\r\n* SEARCH 1 2 4 (MODSEQ 3) 5\r\n"
		    "* SEARCH 3 2 1 0 x\r\n* SEARCH 4294967295 0 1\r\n"
		    "* ESEARCH\r\n* ESEARCH (TAG \"a\") UID COUNT 3 MIN 7 "
		    "X (1 2) ALL 1:2,4,3,9:8 Y 6 ALL 7\r\n"
		    "* ESEARCH ALL 4294967290:4294967295,4294967296,"
		    "1:4294967296\r\n* SEARCH 1,2 3\r\n* SEARCH \"1\r\n"),
	    "OTHER\nFOUND 1-2\nFOUND 4-4\nFOUND 3-3\nFOUND 2-2\nFOUND 1-1\n"
	    "FOUND 4294967295-4294967295\nFOUND 1-1\nOTHER\n"
	    "FOUND 1-2\nFOUND 4-4\nFOUND 3-3\nFOUND 8-9\nFOUND 7-7\n"
	    "FOUND 4294967290-4294967295\nFOUND 1-3\nBADLY\nOTHER\n");
}

static void
reads_lists(void **state)
{
	(void)state;
	expect(SPAN("* LIST () \"/\" a\r\n* LIST (\\NoSelect) NIL {1}\r\nb\r\n"
		    "* list (\\NonExistent \\x) \"ab\" \"c\" ((x y))\r\n"
		    "* LIST () \"\" \"\"\r\n* LIST () \"/\" a b\r\n"
		    "* LIST () \"/\" (a)\r\n* LIST () \"/\"\r\n* LIST a b c\r\n"
		    "* LIST (\"x\") \"/\" c\r\n* LSUB () \"/\" a\r\n"
		    "* LIST () \"/\" \"a\r\n"),
	    "LIST 0 47 'a'\nLIST 1 0 'b'\nLIST 1 97 'c'\nLIST 0 0 ''\n"
	    "OTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\n");
}

static void
reads_counts(void **state)
{
	(void)state;
	expect(SPAN("* STATUS a (MESSAGES 3)\r\n* status {1}\r\nb ()\r\n"
		    "* STATUS a (X \"\r\n* STATUS\r\n* STATUS \"c\" "
		    "(MESSAGES 5 )\r\n* STATUS a\r\n* LIST () \"/\" a\r\n"),
	    "STATUS 3 'a'\nSTATUS 0 'b'\nOTHER\nOTHER\nSTATUS 5 'c'\n"
	    "OTHER\nLIST 0 47 'a'\n");
}

static void
reads_what_the_server_is(void **state)
{
	(void)state;
	expect(SPAN("* ID (\"name\" \"Dovecot\" \"version\" {3}\r\n2.3)\r\n"
		    "* id NIL\r\n* ID ()\r\n* ID (\"a\" NIL \"b\" \"\")\r\n"
		    "* ID (\"a\"\r\n* ID\r\n* ID (\"a\" \"b\r\n"
		    "* LIST () \"/\" a\r\n* IDX\r\n"),
	    "ID 'name Dovecot, version 2.3'\nID ''\nID ''\nID 'a NIL, b '\n"
	    "ID 'a '\nID ''\nOTHER\nLIST 0 47 'a'\nOTHER\n");
}

static void
passes_over_answers_to_done(void **state)
{
	(void)state;
	expect(SPAN("DONE BAD x\r\nDONE\r\ndone OK\r\nDONEx OK\r\n"),
	    "OTHER\nOTHER\n? OK ''''''\n? OK ''''''\n");
}

static void
reads_messages(void **state)
{
	(void)state;
	expect(SPAN("* 1 FETCH (UID 5 BODY[] {4}\r\na\nb))\r\n"
		    "* 2 FETCH (BODY[] \"\" UID 6)\r\n* 3 fetch (UID 7)\r\n"
		    "* 4 FETCH x\r\n* 5 FETCH (UID 8 \"\r\n* 6 FETCH\r\n"
		    "* 0 FETCH (UID 5 BODY[] {4}\r\n* OK)\r\n* FETCH (UID)\n"),
	    "BODY 5 a\nb) FETCHED 5\nBODY 0  FETCHED 6\n FETCHED 7\n"
	    " FETCHED 0 torn\n FETCHED 8 torn\n FETCHED 0 torn\nOTHER\n"
	    "OTHER\n");
}

static void
is_lost_with_the_words(void **state)
{
	(void)state;
	expect(SPAN("* OK\r\n* X {-1}\r\n* OK\r\n"), "0 OK ''''''\nLOST\n");
}

static void
keeps_no_memory_between_lines(void **state)
{
	struct span in = SPAN("* LIST () \"/\" name\r\n"
			      "* 1 FETCH (BODY[HEADER] \"h\")\r\n* STATUS na");
	struct imap_read r;

	(void)state;
	imap_read_init(&r);
	assert_int_equal(imap_read_next(&r, &in), IMAP_HEARD_LISTED);
	imap_read_rest(&r);
	assert_null(r.named.name.mem);
	assert_null(r.lex.word.mem);
	assert_int_equal(imap_read_next(&r, &in), IMAP_HEARD_FETCHED);
	imap_read_rest(&r);
	assert_null(r.items.header.mem);
	assert_int_equal(imap_read_next(&r, &in), IMAP_HEARD_MORE);
	imap_read_rest(&r); /* in a word */
	in = SPAN("me (X");
	assert_int_equal(imap_read_next(&r, &in), IMAP_HEARD_MORE);
	imap_read_rest(&r); /* in a line */
	in = SPAN(" 2 MESSAGES 3)\r\n");
	assert_int_equal(imap_read_next(&r, &in), IMAP_HEARD_COUNTED);
	assert_true(span_eq(r.data, SPAN("name")));
	assert_int_equal(r.named.messages, 3);
	imap_read_deinit(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_status_responses),
		cmocka_unit_test(reads_continuations),
		cmocka_unit_test(reads_data_about_the_mailbox),
		cmocka_unit_test(reads_searches),
		cmocka_unit_test(reads_lists),
		cmocka_unit_test(reads_counts),
		cmocka_unit_test(reads_what_the_server_is),
		cmocka_unit_test(passes_over_answers_to_done),
		cmocka_unit_test(reads_messages),
		cmocka_unit_test(is_lost_with_the_words),
		cmocka_unit_test(keeps_no_memory_between_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
