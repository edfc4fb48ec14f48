/* SPDX-License-Identifier: ISC */
#include "proto/imap_items.h"

#include <string.h>

#include "util/text.h"

enum place {
	AT_OPEN,  /* the list has not begun */
	AT_NAME,  /* of an item */
	AT_VALUE, /* of the item */
	AT_NEST,  /* in a value that is a list */
	AT_TAIL   /* behind the list, or in a torn line */
};

enum item {
	ITEM_OTHER,
	ITEM_UID,
	ITEM_FLAGS,
	ITEM_DATE,
	ITEM_SIZE,
	ITEM_BODY,
	ITEM_HEADER,
	ITEM_FIELDS
};

void
imap_items_init(struct imap_items *it)
{
	*it = (struct imap_items){ 0 };
	buf_init(&it->header, IMAP_ITEMS_HEADER_MAX);
}

void
imap_items_deinit(struct imap_items *it)
{
	buf_deinit(&it->header);
}

void
imap_items_begin(struct imap_items *it)
{
	imap_items_deinit(it);
	imap_items_init(it);
}

static void
tear(struct imap_items *it)
{
	it->torn = true;
	it->at = AT_TAIL;
}

/* ---- names ---- */

static enum item
item_of(struct span name)
{
	if (span_ieq(name, SPAN("UID")))
		return ITEM_UID;
	if (span_ieq(name, SPAN("FLAGS")))
		return ITEM_FLAGS;
	if (span_ieq(name, SPAN("INTERNALDATE")))
		return ITEM_DATE;
	if (span_ieq(name, SPAN("RFC822.SIZE")))
		return ITEM_SIZE;
	if (span_ieq(name, SPAN("BODY[]")) || span_ieq(name, SPAN("BODY[]<0>")))
		return ITEM_BODY;
	if (!span_iskip(&name, SPAN("BODY[HEADER")))
		return ITEM_OTHER;
	return span_skip(&name, SPAN("]")) ? ITEM_HEADER : ITEM_FIELDS;
}

static void
on_name(struct imap_items *it, struct span name)
{
	static const unsigned int named[] = {
		[ITEM_SIZE] = IMAP_NAMED_SIZE,
		[ITEM_BODY] = IMAP_NAMED_BODY,
		[ITEM_HEADER] = IMAP_NAMED_HEADER,
		[ITEM_FIELDS] = IMAP_NAMED_FIELDS,
	};

	it->item = item_of(name);
	it->named |= named[it->item];
	it->at = AT_VALUE;
	if (it->item == ITEM_FLAGS)
		it->flags = 0;
	if (it->item == ITEM_DATE)
		it->internaldate = 0;
}

/* ---- values that are words ---- */

static bool
is_number(struct span s, uint64_t max, uint64_t *n)
{
	return text_number(&s, max, n) && s.n == 0;
}

static void
on_uid(struct imap_items *it, struct span value)
{
	uint64_t n;

	if (!is_number(value, UINT32_MAX, &n))
		n = 0;
	if (it->uid != 0 && it->uid != n)
		it->torn = true; /* two answers are none */
	it->uid = (uint32_t)n;
}

static void
on_value(struct imap_items *it, struct span value)
{
	uint64_t n;

	it->at = AT_NAME;
	switch ((enum item)it->item) {
	case ITEM_UID:
		on_uid(it, value);
		break;
	case ITEM_SIZE:
		if (is_number(value, UINT64_MAX, &n)) {
			it->rfc822_size = n;
			it->has_size = true;
		}
		break;
	case ITEM_BODY:
		it->body_nil = true;
		if (!span_ieq(value, SPAN("NIL"))) /* no value: the next name */
			on_name(it, value);
		break;
	case ITEM_FLAGS:
	case ITEM_DATE:
	case ITEM_HEADER:
	case ITEM_FIELDS:
	case ITEM_OTHER:
		break;
	}
}

/* One of the flags; keywords and what servers make up are passed over. */
static void
on_flag(struct imap_items *it, struct span flag)
{
	static const struct {
		struct span name;
		enum imap_flag flag;
	} known[] = {
		{ { "\\Seen", 5 }, IMAP_SEEN },
		{ { "\\Flagged", 8 }, IMAP_FLAGGED },
		{ { "\\Answered", 9 }, IMAP_ANSWERED },
		{ { "\\Draft", 6 }, IMAP_DRAFT },
		{ { "\\Deleted", 8 }, IMAP_DELETED },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_ieq(flag, known[i].name))
			it->flags |= known[i].flag;
}

static void
on_atom(struct imap_items *it, struct span value)
{
	if (it->at == AT_OPEN)
		tear(it);
	else if (it->at == AT_NAME)
		on_name(it, value);
	else if (it->at == AT_VALUE)
		on_value(it, value);
	else if (it->at == AT_NEST && it->item == ITEM_FLAGS)
		on_flag(it, value);
}

/* ---- lists ---- */

static void
on_open(struct imap_items *it)
{
	if (it->at == AT_TAIL)
		return;
	if (it->at == AT_VALUE) {
		it->at = AT_NEST;
		it->base = it->depth;
	} else if (it->at == AT_OPEN) {
		it->at = AT_NAME;
	}
	if (++it->depth > IMAP_ITEMS_DEPTH_MAX)
		tear(it);
}

static void
on_close(struct imap_items *it)
{
	if (it->at == AT_OPEN)
		tear(it);
	if (it->at == AT_TAIL)
		return;
	if (it->at == AT_VALUE && it->item == ITEM_BODY)
		it->body_nil = true;
	it->depth--;
	if (it->at != AT_NEST || it->depth == it->base)
		it->at = AT_NAME;
	if (it->depth == 0)
		it->at = AT_TAIL;
}

/* ---- strings ---- */

static bool
is_header(const struct imap_items *it)
{
	return it->item == ITEM_HEADER || it->item == ITEM_FIELDS;
}

static enum imap_items_event
on_string(struct imap_items *it, uint64_t size)
{
	if (it->at == AT_OPEN)
		tear(it);
	if (it->at != AT_VALUE)
		return IMAP_ITEMS_MORE;
	it->at = AT_NAME;
	if (it->item == ITEM_DATE) {
		it->dating = size <= sizeof(it->date);
	} else if (is_header(it) && !it->has_header) {
		it->has_header = it->collecting = true;
	} else if (it->item == ITEM_BODY && !it->body) {
		it->body = it->streaming = true;
		it->body_size = size;
		return IMAP_ITEMS_BODY;
	}
	return IMAP_ITEMS_MORE;
}

static void
collect_date(struct imap_items *it, struct span value)
{
	value = span_take(&value, sizeof(it->date) - it->date_n);
	memcpy(it->date + it->date_n, value.p, value.n);
	it->date_n += value.n;
}

static enum imap_items_event
on_octets(struct imap_items *it, struct span value)
{
	if (it->streaming)
		return IMAP_ITEMS_DATA;
	if (it->dating)
		collect_date(it, value);
	if (it->collecting)
		buf_add(&it->header,
		    span_take(&value, IMAP_ITEMS_HEADER_MAX - it->header.n));
	return IMAP_ITEMS_MORE;
}

static void
on_end(struct imap_items *it)
{
	if (it->dating)
		it->internaldate =
		    imap_date_read(span_make(it->date, it->date_n));
	it->streaming = it->collecting = it->dating = false;
	it->date_n = 0;
}

enum imap_items_event
imap_items_token(struct imap_items *it, enum imap_token tok, struct span value,
    uint64_t size)
{
	switch (tok) {
	case IMAP_TOK_ATOM:
		on_atom(it, value);
		break;
	case IMAP_TOK_OPEN:
		on_open(it);
		break;
	case IMAP_TOK_CLOSE:
		on_close(it);
		break;
	case IMAP_TOK_STRING:
		return on_string(it, size);
	case IMAP_TOK_OCTETS:
		return on_octets(it, value);
	case IMAP_TOK_END:
		on_end(it);
		break;
	case IMAP_TOK_EOL:
		it->torn = it->torn || it->at != AT_TAIL;
		return IMAP_ITEMS_DONE;
	case IMAP_TOK_MORE:
	case IMAP_TOK_TEXT:
	case IMAP_TOK_GARBLED:
	case IMAP_TOK_LOST:
		tear(it);
		break;
	}
	return IMAP_ITEMS_MORE;
}
