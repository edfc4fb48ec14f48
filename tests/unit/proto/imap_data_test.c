/* SPDX-License-Identifier: ISC */
/* What is only told of by one response; conversations are in imap_test.c. */
#include "proto/imap_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct imap_data data;
	struct imap_flight flight;
	struct imap_read read;
	struct imap_info info;
};

static int
setup(void **state)
{
	static struct world w;

	imap_data_init(&w.data);
	imap_flight_init(&w.flight);
	imap_read_init(&w.read);
	*state = &w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	imap_data_deinit(&w->data);
	imap_flight_deinit(&w->flight);
	imap_read_deinit(&w->read);
	return 0;
}

/* The last event that the line gives. */
static enum imap_event
hear(struct world *w, const char *line)
{
	enum imap_event ev = IMAP_MORE;
	struct span in = span_of(line);
	enum imap_heard heard;

	while ((heard = imap_read_next(&w->read, &in)) != IMAP_HEARD_MORE) {
		w->info = (struct imap_info){ 0 };
		ev = imap_data_hear(
		    &w->data, &w->flight, heard, &w->read, &w->info);
	}
	return ev;
}

static void
gives_data_to_the_oldest_request_that_fits(void **state)
{
	struct world *w = *state;
	struct imap_cmd cmd;

	imap_flight_add(&w->flight, IMAP_VERB_LIST, 1);
	imap_flight_add(&w->flight, IMAP_VERB_FETCH, 2);
	imap_flight_add(&w->flight, IMAP_VERB_FETCH, 3);
	imap_flight_add(&w->flight, IMAP_VERB_HEADERS, 4);
	imap_flight_add(&w->flight, IMAP_VERB_SEARCH, 5);
	assert_int_equal(hear(w, "* LIST () NIL x\n"), IMAP_LISTED);
	assert_int_equal(w->info.ticket, 1);
	assert_int_equal(hear(w, "* 1 FETCH (BODY[] \"\")\n"), IMAP_BODY_END);
	assert_int_equal(w->info.ticket, 2);
	assert_int_equal(hear(w, "* 1 FETCH (UID 3)\n"), IMAP_FETCHED);
	assert_int_equal(w->info.ticket, 2);
	assert_true(imap_flight_take(&w->flight, 2, &cmd));
	assert_int_equal(hear(w, "* 1 FETCH (BODY[] \"\")\n"), IMAP_BODY_END);
	assert_int_equal(w->info.ticket, 3);
	assert_int_equal(hear(w, "* 1 FETCH (RFC822.SIZE 3)\n"), IMAP_FETCHED);
	assert_int_equal(w->info.ticket, 4);
	assert_int_equal(hear(w, "* SEARCH 3\n"), IMAP_FOUND);
	assert_int_equal(w->info.ticket, 5);
}

static void
gives_a_size_alone_to_who_asked_for_no_more(void **state)
{
	struct world *w = *state;
	struct imap_cmd cmd;

	imap_flight_add(&w->flight, IMAP_VERB_WHOLE_HEADERS, 1);
	imap_flight_add(&w->flight, IMAP_VERB_HEADERS, 2);
	imap_flight_add(&w->flight, IMAP_VERB_SIZES, 3);
	assert_int_equal(hear(w, "* 1 FETCH (RFC822.SIZE 3)\n"), IMAP_FETCHED);
	assert_int_equal(w->info.ticket, 3);
	assert_true(imap_flight_take(&w->flight, 3, &cmd));
	assert_int_equal(hear(w, "* 1 FETCH (RFC822.SIZE 3)\n"), IMAP_FETCHED);
	assert_int_equal(w->info.ticket, 1);
	assert_int_equal(
	    hear(w, "* 1 FETCH (BODY[] NIL RFC822.SIZE 3)\n"), IMAP_FETCHED);
	assert_int_equal(w->info.ticket, 1);
	assert_true(imap_flight_take(&w->flight, 1, &cmd));
	assert_int_equal(
	    hear(w, "* 1 FETCH (BODY[HEADER] \"\")\n"), IMAP_FETCHED);
	assert_int_equal(w->info.ticket, 2);
	assert_true(imap_flight_take(&w->flight, 2, &cmd));
	assert_int_equal(hear(w, "* 1 FETCH (RFC822.SIZE 3)\n"), IMAP_MORE);
}

static void
passes_over_what_nobody_asked_for(void **state)
{
	static const char *const lines[] = { "* LIST () NIL x\n",
		"* 1 FETCH (BODY[] \"abc\" UID 3)\n", "* 1 FETCH (UID 3)\n",
		"* 1 FETCH (UID 3 RFC822.SIZE 3)\n", "* SEARCH 3\n",
		"* SEARCH \"3\n", "* OK [UIDNEXT 3]\n", "* 0 EXISTS\n",
		"* 1 EXPUNGE\n", "* STATUS x (\n", "+ x\n" };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(hear(w, lines[i]), IMAP_MORE);
}

static void
counts_mailboxes_asked_for_or_not(void **state)
{
	struct world *w = *state;
	struct imap_cmd cmd;

	assert_int_equal(hear(w, "* STATUS x (UIDNEXT 3)\n"), IMAP_COUNTED);
	assert_int_equal(w->info.ticket, 0);
	assert_int_equal(w->info.uidnext, 3);
	imap_flight_add(&w->flight, IMAP_VERB_LIST_STATUS, 1);
	imap_flight_add(&w->flight, IMAP_VERB_STATUS, 2);
	imap_flight_add(&w->flight, IMAP_VERB_LIST, 3);
	assert_int_equal(hear(w, "* STATUS x ()\n"), IMAP_COUNTED);
	assert_int_equal(w->info.ticket, 1);
	assert_int_equal(hear(w, "* LIST () NIL x\n"), IMAP_LISTED);
	assert_int_equal(w->info.ticket, 1);
	assert_true(imap_flight_take(&w->flight, 1, &cmd));
	assert_int_equal(hear(w, "* STATUS x ()\n"), IMAP_COUNTED);
	assert_int_equal(w->info.ticket, 2);
	assert_int_equal(hear(w, "* LIST () NIL x\n"), IMAP_LISTED);
	assert_int_equal(w->info.ticket, 3);
	assert_int_equal(w->data.exists, 0);
}

static void
tells_that_notify_is_given_up(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    hear(w, "* OK [NOTIFICATIONOVERFLOW]\n"), IMAP_OVERFLOW);
	assert_int_equal(
	    hear(w, "* no [notificationOverflow] x\n"), IMAP_OVERFLOW);
	assert_int_equal(hear(w, "* OK NOTIFICATIONOVERFLOW\n"), IMAP_MORE);
}

static void
keeps_count_of_the_mailbox(void **state)
{
	struct world *w = *state;

	assert_int_equal(hear(w, "* 2 EXISTS\n"), IMAP_CHANGED);
	assert_int_equal(hear(w, "* 2 EXISTS\n"), IMAP_MORE);
	assert_int_equal(hear(w, "* 3 EXPUNGE\n"), IMAP_MORE);
	assert_int_equal(hear(w, "* 2 EXPUNGE\n"), IMAP_VANISHED);
	assert_int_equal(w->info.first, 2);
	assert_int_equal(w->info.exists, 1);
	assert_int_equal(w->data.exists, 1);
	imap_flight_add(&w->flight, IMAP_VERB_SELECT, 1);
	assert_int_equal(hear(w, "* 9 EXISTS\n"), IMAP_MORE);
	assert_int_equal(w->data.exists, 9);
	assert_int_equal(w->flight.cmd[0].exists, 9);
}

static void
remembers_that_a_search_was_spoilt(void **state)
{
	struct world *w = *state;

	imap_flight_add(&w->flight, IMAP_VERB_SEARCH, 1);
	imap_flight_add(&w->flight, IMAP_VERB_SEARCH, 2);
	assert_int_equal(hear(w, "* SEARCH \"3\n"), IMAP_MORE);
	assert_true(w->flight.cmd[0].spoilt);
	assert_false(w->flight.cmd[1].spoilt);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    gives_data_to_the_oldest_request_that_fits, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    gives_a_size_alone_to_who_asked_for_no_more, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    passes_over_what_nobody_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    counts_mailboxes_asked_for_or_not, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    tells_that_notify_is_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    keeps_count_of_the_mailbox, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    remembers_that_a_search_was_spoilt, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
