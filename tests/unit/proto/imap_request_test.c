/* SPDX-License-Identifier: ISC */
/* The words of every request, and what happens to those that cannot be put
 * into words. What comes of them is in imap_test.c. */
#include "proto/imap_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct imap *
machine(void)
{
	struct secret *secret = secret_new(SPAN("pass"));
	struct imap_params params = {
		.tls = IMAP_TLS_NONE, .user = "bob", .secret = secret
	};
	struct imap *m = imap_new(&params);
	struct span in = SPAN("* PREAUTH [CAPABILITY X] hi\r\n");
	struct imap_info info;

	secret_free(&secret);
	assert_int_equal(imap_step(m, &in, &info), IMAP_READY);
	return m;
}

/* What was said since the last time. */
static void
said(struct imap *m, uint32_t tag, const char *words)
{
	struct span out = imap_output(m);
	char want[512];

	snprintf(want, sizeof(want), "A%u %s\r\n", tag, words);
	if (!span_eq(out, span_of(want)))
		fail_msg("%.*s, not %s", (int)out.n, out.p, want);
	imap_sent(m, out.n);
}

#define HEADERS "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM)]"
#define COUNTS "(MESSAGES UIDNEXT UIDVALIDITY)"
#define EVENTS "(MessageNew MessageExpunge)"

static void
writes_requests_without_arguments(void **state)
{
	struct imap *m = machine();

	(void)state;
	said(m, imap_list(m), "LIST \"\" \"*\"");
	said(m, imap_list_delimiter(m), "LIST \"\" \"\"");
	said(m, imap_list_status(m),
	    "LIST \"\" \"*\" RETURN (STATUS " COUNTS ")");
	said(m, imap_search_deleted(m), "UID SEARCH DELETED");
	said(m, imap_expunge(m), "EXPUNGE");
	said(m, imap_noop(m), "NOOP");
	said(m, imap_idle(m), "IDLE");
	imap_free(&m);
}

static void
writes_requests_of_messages(void **state)
{
	struct imap *m = machine();
	struct set uids = { 0 };

	(void)state;
	set_add(&uids, 1, 3);
	set_add(&uids, 7, 7);
	said(m, imap_search_uids(m, &uids, 9), "UID SEARCH UID 1:3,7,9:*");
	said(m, imap_search_uids(m, &uids, 0), "UID SEARCH UID 1:3,7");
	said(m, imap_search_uids(m, NULL, 9), "UID SEARCH UID 9:*");
	said(m, imap_fetch(m, &uids, false),
	    "UID FETCH 1:3,7 (UID BODY.PEEK[])");
	said(m, imap_fetch(m, &uids, true),
	    "UID FETCH 1:3,7 (UID FLAGS INTERNALDATE BODY.PEEK[])");
	said(m, imap_fetch_sizes(m, &uids), "UID FETCH 1:3,7 (RFC822.SIZE)");
	said(m, imap_fetch_headers(m, &uids),
	    "UID FETCH 1:3,7 (UID RFC822.SIZE " HEADERS ")");
	said(m, imap_fetch_whole_headers(m, &uids),
	    "UID FETCH 1:3,7 (RFC822.SIZE BODY.PEEK[HEADER])");
	said(m, imap_store_deleted(m, &uids),
	    "UID STORE 1:3,7 +FLAGS.SILENT (\\Deleted)");
	said(m, imap_expunge_uids(m, &uids), "UID EXPUNGE 1:3,7");
	set_deinit(&uids);
	imap_free(&m);
}

static void
writes_requests_of_mailboxes(void **state)
{
	static const char *const mailboxes[] = { "INBOX", "a\"b",
		"Entw\xc3\xbcrfe" };
	static const char *const ampersand = "R&D";
	struct imap *m = machine();

	(void)state;
	said(m, imap_select(m, "a \\"), "SELECT \"a \\\\\"");
	said(
	    m, imap_status(m, mailboxes[2]), "STATUS \"Entw&APw-rfe\" " COUNTS);
	said(m, imap_notify(m, NULL, 0), "NOTIFY SET (selected " EVENTS ")");
	said(m, imap_notify(m, mailboxes, 1),
	    "NOTIFY SET (selected " EVENTS ") (mailboxes (\"INBOX\") " EVENTS
	    ")");
	said(m, imap_notify(m, mailboxes, 2),
	    "NOTIFY SET (selected " EVENTS
	    ") (mailboxes (\"INBOX\" \"a\\\"b\") " EVENTS ")");
	said(m, imap_notify(m, mailboxes, 3),
	    "NOTIFY SET (selected " EVENTS
	    ") (mailboxes (\"INBOX\" \"a\\\"b\" \"Entw&APw-rfe\") " EVENTS
	    ") (personal " EVENTS ")");
	said(m, imap_notify(m, &ampersand, 1),
	    "NOTIFY SET (selected " EVENTS ") (mailboxes (\"R&-D\") " EVENTS
	    ") (personal " EVENTS ")");
	imap_free(&m);
}

static uint32_t
select_it(struct imap *m, const char *name)
{
	return imap_select(m, name);
}

static uint32_t
count_it(struct imap *m, const char *name)
{
	return imap_status(m, name);
}

static uint32_t
watch_it(struct imap *m, const char *name)
{
	const char *const mailboxes[] = { "good", name, "fine" };

	return imap_notify(m, mailboxes, 3);
}

static void
fails_on_names_that_cannot_be_sent(void **state)
{
	static uint32_t (*const asks[])(
	    struct imap *, const char *) = { select_it, count_it, watch_it };
	struct imap_info info;
	struct span none = SPAN("");

	(void)state;
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		struct imap *m = machine();

		assert_int_equal(asks[i](m, "\xff"), 1);
		assert_int_equal(imap_output(m).n, 0);
		assert_int_equal(imap_step(m, &none, &info), IMAP_FAILED);
		assert_int_equal(imap_error(m)->kind, ERR_CONFIG);
		assert_int_equal(asks[i](m, "x"), 2);
		assert_int_equal(imap_idle(m), 3);
		assert_false(imap_idling(m));
		imap_free(&m);
	}
}

static void
fails_when_too_much_waits(void **state)
{
	struct imap *m = machine();
	struct buf text;
	struct buf big;
	int n = 0;

	(void)state;
	buf_init(&big, 1 << 20);
	while (buf_addc(&big, 'x') == 0)
		continue;
	while (imap_error(m)->kind == ERR_NONE && n++ < 100) {
		buf_init(&text, 1 << 20);
		imap_request(
		    m, IMAP_VERB_NOOP, &text, buf_add(&text, buf_span(&big)));
	}
	assert_in_range(n, 2, 17);
	assert_int_equal(imap_error(m)->kind, ERR_PROTO);
	assert_int_equal(imap_output(m).n, 0);
	buf_deinit(&big);
	imap_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_requests_without_arguments),
		cmocka_unit_test(writes_requests_of_messages),
		cmocka_unit_test(writes_requests_of_mailboxes),
		cmocka_unit_test(fails_on_names_that_cannot_be_sent),
		cmocka_unit_test(fails_when_too_much_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
