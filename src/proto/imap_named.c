/* SPDX-License-Identifier: ISC */
#include "proto/imap_named.h"

#include "util/text.h"

enum place {
	AT_LIST, /* the list of attributes should follow */
	AT_ATTRIBUTE,
	AT_DELIMITER,
	AT_NAME,
	AT_EXTENDED, /* LIST: behind the name (RFC 5258) */
	AT_COUNTS,   /* STATUS: the list of items should follow */
	AT_ITEM,
	AT_VALUE,
	AT_NEST, /* in a value that is a list */
	AT_TAIL  /* behind the items */
};

enum item { ITEM_OTHER, ITEM_MESSAGES, ITEM_UIDNEXT, ITEM_UIDVALIDITY };

typedef enum imap_named_event place_fn(
    struct imap_named *n, enum imap_token tok, struct span value);

void
imap_named_init(struct imap_named *n)
{
	*n = (struct imap_named){ 0 };
	buf_init(&n->name, IMAP_NAMED_MAX);
}

void
imap_named_deinit(struct imap_named *n)
{
	buf_deinit(&n->name);
}

void
imap_named_rest(struct imap_named *n)
{
	buf_clear(&n->name);
	buf_release(&n->name);
}

static void
begin(struct imap_named *n, enum place at)
{
	n->at = at;
	n->depth = 0;
	buf_clear(&n->name);
}

void
imap_named_list(struct imap_named *n)
{
	begin(n, AT_LIST);
	n->counted = n->noselect = false;
	n->delimiter = '\0';
}

void
imap_named_status(struct imap_named *n)
{
	begin(n, AT_NAME);
	n->counted = true;
	n->messages = n->uidnext = n->uidvalidity = 0;
}

static enum imap_named_event
go(struct imap_named *n, enum place to)
{
	n->at = to;
	return IMAP_NAMED_MORE;
}

/* ---- in front of the name ---- */

static enum imap_named_event
at_list(struct imap_named *n, enum imap_token tok, struct span value)
{
	(void)value;
	return tok == IMAP_TOK_OPEN ? go(n, AT_ATTRIBUTE) : IMAP_NAMED_BAD;
}

static enum imap_named_event
at_attribute(struct imap_named *n, enum imap_token tok, struct span value)
{
	if (tok == IMAP_TOK_CLOSE)
		return go(n, AT_DELIMITER);
	if (tok != IMAP_TOK_ATOM)
		return IMAP_NAMED_BAD;
	if (span_ieq(value, SPAN("\\Noselect")) ||
	    span_ieq(value, SPAN("\\NonExistent")))
		n->noselect = true;
	return IMAP_NAMED_MORE;
}

/* NIL or one octet in quotes. */
static enum imap_named_event
at_delimiter(struct imap_named *n, enum imap_token tok, struct span value)
{
	if (tok == IMAP_TOK_ATOM || tok == IMAP_TOK_END)
		return go(n, AT_NAME);
	if (tok == IMAP_TOK_OCTETS && n->delimiter == '\0')
		n->delimiter = value.p[0];
	return tok == IMAP_TOK_STRING || tok == IMAP_TOK_OCTETS
	    ? IMAP_NAMED_MORE
	    : IMAP_NAMED_BAD;
}

/* ---- the name, and what is behind it in LIST ---- */

static enum imap_named_event
at_name(struct imap_named *n, enum imap_token tok, struct span value)
{
	enum place behind = n->counted ? AT_COUNTS : AT_EXTENDED;

	if (tok == IMAP_TOK_STRING)
		return IMAP_NAMED_MORE;
	if (tok == IMAP_TOK_END)
		return go(n, behind);
	if ((tok != IMAP_TOK_ATOM && tok != IMAP_TOK_OCTETS) ||
	    buf_add(&n->name, value) != 0)
		return IMAP_NAMED_BAD;
	return tok == IMAP_TOK_ATOM ? go(n, behind) : IMAP_NAMED_MORE;
}

static enum imap_named_event
at_extended(struct imap_named *n, enum imap_token tok, struct span value)
{
	(void)value;
	if (tok == IMAP_TOK_OPEN)
		n->depth++;
	else if (tok == IMAP_TOK_CLOSE && n->depth > 0)
		n->depth--;
	else if (tok == IMAP_TOK_ATOM && n->depth == 0)
		return IMAP_NAMED_BAD; /* a name with blanks, unquoted */
	return tok == IMAP_TOK_EOL ? IMAP_NAMED_DONE : IMAP_NAMED_MORE;
}

/* ---- STATUS ---- */

static enum imap_named_event
at_counts(struct imap_named *n, enum imap_token tok, struct span value)
{
	(void)value;
	return tok == IMAP_TOK_OPEN ? go(n, AT_ITEM) : IMAP_NAMED_BAD;
}

static enum item
item_of(struct span name)
{
	if (span_ieq(name, SPAN("MESSAGES")))
		return ITEM_MESSAGES;
	if (span_ieq(name, SPAN("UIDNEXT")))
		return ITEM_UIDNEXT;
	return span_ieq(name, SPAN("UIDVALIDITY")) ? ITEM_UIDVALIDITY
						   : ITEM_OTHER;
}

static enum imap_named_event
at_item(struct imap_named *n, enum imap_token tok, struct span value)
{
	if (tok == IMAP_TOK_CLOSE)
		return go(n, AT_TAIL);
	if (tok != IMAP_TOK_ATOM)
		return IMAP_NAMED_BAD;
	n->item = item_of(value);
	return go(n, AT_VALUE);
}

static void
set_item(struct imap_named *n, struct span value)
{
	uint64_t number;

	if (!text_number(&value, UINT32_MAX, &number) || value.n > 0)
		number = 0;
	if (n->item == ITEM_MESSAGES)
		n->messages = (uint32_t)number;
	else if (n->item == ITEM_UIDNEXT)
		n->uidnext = (uint32_t)number;
	else if (n->item == ITEM_UIDVALIDITY)
		n->uidvalidity = (uint32_t)number;
}

static enum imap_named_event
at_value(struct imap_named *n, enum imap_token tok, struct span value)
{
	switch (tok) {
	case IMAP_TOK_ATOM:
		if (item_of(value) != ITEM_OTHER) /* the last one has none */
			return at_item(n, tok, value);
		set_item(n, value);
		return go(n, AT_ITEM);
	case IMAP_TOK_CLOSE:
		return go(n, AT_TAIL);
	case IMAP_TOK_OPEN:
		n->depth = 1;
		return go(n, AT_NEST);
	case IMAP_TOK_STRING:
	case IMAP_TOK_OCTETS:
		return IMAP_NAMED_MORE;
	case IMAP_TOK_END:
		return go(n, AT_ITEM);
	case IMAP_TOK_MORE:
	case IMAP_TOK_TEXT:
	case IMAP_TOK_GARBLED:
	case IMAP_TOK_EOL:
	case IMAP_TOK_LOST:
		break;
	}
	return IMAP_NAMED_BAD;
}

static enum imap_named_event
at_nest(struct imap_named *n, enum imap_token tok, struct span value)
{
	(void)value;
	if (tok == IMAP_TOK_EOL)
		return IMAP_NAMED_BAD;
	if (tok == IMAP_TOK_OPEN && ++n->depth > IMAP_NAMED_DEPTH)
		return IMAP_NAMED_BAD;
	if (tok == IMAP_TOK_CLOSE && --n->depth == 0)
		return go(n, AT_ITEM);
	return IMAP_NAMED_MORE;
}

static enum imap_named_event
at_tail(struct imap_named *n, enum imap_token tok, struct span value)
{
	(void)n;
	(void)value;
	return tok == IMAP_TOK_EOL ? IMAP_NAMED_DONE : IMAP_NAMED_MORE;
}

/* ---- all together ---- */

enum imap_named_event
imap_named_token(struct imap_named *n, enum imap_token tok, struct span value)
{
	static place_fn *const places[] = {
		[AT_LIST] = at_list,
		[AT_ATTRIBUTE] = at_attribute,
		[AT_DELIMITER] = at_delimiter,
		[AT_NAME] = at_name,
		[AT_EXTENDED] = at_extended,
		[AT_COUNTS] = at_counts,
		[AT_ITEM] = at_item,
		[AT_VALUE] = at_value,
		[AT_NEST] = at_nest,
		[AT_TAIL] = at_tail,
	};

	return places[n->at](n, tok, value);
}
