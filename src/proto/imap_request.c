/* SPDX-License-Identifier: ISC */
#include "proto/imap_request.h"

#include <assert.h>

#include "proto/imap_words.h"

#define COMMAND_MAX (1 << 20)

static uint32_t
request_words(struct imap *m, enum imap_verb verb, struct span words)
{
	struct buf text;

	buf_init(&text, COMMAND_MAX);
	return imap_request(m, verb, &text, buf_add(&text, words));
}

static uint32_t
request_set(struct imap *m, enum imap_verb verb, struct span before,
    const struct set *uids, struct span after)
{
	struct buf text;
	int r;

	assert(!set_empty(uids));
	buf_init(&text, COMMAND_MAX);
	r = buf_add(&text, before) | set_write(uids, &text) |
	    buf_add(&text, after);
	return imap_request(m, verb, &text, r);
}

uint32_t
imap_list(struct imap *m)
{
	return request_words(m, IMAP_VERB_LIST, SPAN("LIST \"\" \"*\""));
}

uint32_t
imap_list_delimiter(struct imap *m)
{
	return request_words(m, IMAP_VERB_DELIMITER, SPAN("LIST \"\" \"\""));
}

uint32_t
imap_select(struct imap *m, const char *mailbox)
{
	struct buf text;
	int r;

	buf_init(&text, COMMAND_MAX);
	r = buf_add(&text, SPAN("SELECT ")) |
	    imap_words_put_mailbox(&text, span_of(mailbox));
	return imap_request(m, IMAP_VERB_SELECT, &text, r);
}

uint32_t
imap_search_uids(struct imap *m, const struct set *uids, uint32_t from)
{
	bool some = uids != NULL && !set_empty(uids);
	struct buf text;
	int r;

	assert(some || from > 0);
	buf_init(&text, COMMAND_MAX);
	r = buf_add(&text, SPAN("UID SEARCH UID "));
	if (some)
		r |= set_write(uids, &text);
	if (from > 0)
		r |= buf_printf(&text, some ? ",%u:*" : "%u:*", from);
	return imap_request(m, IMAP_VERB_SEARCH, &text, r);
}

uint32_t
imap_search_deleted(struct imap *m)
{
	return request_words(m, IMAP_VERB_SEARCH, SPAN("UID SEARCH DELETED"));
}

uint32_t
imap_fetch(struct imap *m, const struct set *uids, bool with_flags)
{
	return request_set(m, IMAP_VERB_FETCH, SPAN("UID FETCH "), uids,
	    with_flags ? SPAN(" (UID FLAGS INTERNALDATE BODY.PEEK[])")
		       : SPAN(" (UID BODY.PEEK[])"));
}

uint32_t
imap_fetch_sizes(struct imap *m, const struct set *uids)
{
	return request_set(m, IMAP_VERB_SIZES, SPAN("UID FETCH "), uids,
	    SPAN(" (RFC822.SIZE)"));
}

uint32_t
imap_fetch_headers(struct imap *m, const struct set *uids)
{
	return request_set(m, IMAP_VERB_HEADERS, SPAN("UID FETCH "), uids,
	    SPAN(" (UID RFC822.SIZE "
		 "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM)])"));
}

uint32_t
imap_fetch_whole_headers(struct imap *m, const struct set *uids)
{
	return request_set(m, IMAP_VERB_WHOLE_HEADERS, SPAN("UID FETCH "), uids,
	    SPAN(" (RFC822.SIZE BODY.PEEK[HEADER])"));
}

uint32_t
imap_store_deleted(struct imap *m, const struct set *uids)
{
	return request_set(m, IMAP_VERB_STORE, SPAN("UID STORE "), uids,
	    SPAN(" +FLAGS.SILENT (\\Deleted)"));
}

uint32_t
imap_expunge_uids(struct imap *m, const struct set *uids)
{
	return request_set(
	    m, IMAP_VERB_EXPUNGE, SPAN("UID EXPUNGE "), uids, SPAN(""));
}

uint32_t
imap_expunge(struct imap *m)
{
	return request_words(m, IMAP_VERB_EXPUNGE, SPAN("EXPUNGE"));
}

uint32_t
imap_noop(struct imap *m)
{
	return request_words(m, IMAP_VERB_NOOP, SPAN("NOOP"));
}

/* ---- watching for mail ---- */

#define COUNTS "(MESSAGES UIDNEXT UIDVALIDITY)"

uint32_t
imap_status(struct imap *m, const char *mailbox)
{
	struct buf text;
	int r;

	buf_init(&text, COMMAND_MAX);
	r = buf_add(&text, SPAN("STATUS ")) |
	    imap_words_put_mailbox(&text, span_of(mailbox)) |
	    buf_add(&text, SPAN(" " COUNTS));
	return imap_request(m, IMAP_VERB_STATUS, &text, r);
}

uint32_t
imap_list_status(struct imap *m)
{
	return request_words(m, IMAP_VERB_LIST_STATUS,
	    SPAN("LIST \"\" \"*\" RETURN (STATUS " COUNTS ")"));
}

/* RFC 5465 5.2: neither of the two may be asked for alone. */
#define EVENTS "(MessageNew MessageExpunge)"

static bool
is_the_same_in_utf7(const char *name)
{
	for (; *name != '\0' && *name != '&' && (*name & 0x80) == 0; name++)
		;
	return *name == '\0';
}

/* Dovecot 2.3 takes the names that are given here for UTF-8, and then never
 * tells of others. It does if all mailboxes are asked for. */
static int
put_mailboxes(struct buf *text, const char *const *mailboxes, size_t n)
{
	int r = buf_add(text, SPAN(" (mailboxes ("));
	bool all = false;

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			r |= buf_addc(text, ' ');
		r |= imap_words_put_mailbox(text, span_of(mailboxes[i]));
		all |= !is_the_same_in_utf7(mailboxes[i]);
	}
	r |= buf_add(text, SPAN(") " EVENTS ")"));
	return all ? r | buf_add(text, SPAN(" (personal " EVENTS ")")) : r;
}

uint32_t
imap_notify(struct imap *m, const char *const *mailboxes, size_t n)
{
	struct buf text;
	int r;

	buf_init(&text, COMMAND_MAX);
	r = buf_add(&text, SPAN("NOTIFY SET (selected " EVENTS ")"));
	if (n > 0)
		r |= put_mailboxes(&text, mailboxes, n);
	return imap_request(m, IMAP_VERB_NOTIFY, &text, r);
}

uint32_t
imap_idle(struct imap *m)
{
	return request_words(m, IMAP_VERB_IDLE, SPAN("IDLE"));
}
