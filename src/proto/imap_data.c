/* SPDX-License-Identifier: ISC */
#include "proto/imap_data.h"

#include "proto/imap_words.h"
#include "util/text.h"

#define NAME_MAX_OCTETS (4 * IMAP_NAMED_MAX)

void
imap_data_init(struct imap_data *d)
{
	*d = (struct imap_data){ 0 };
	buf_init(&d->name, NAME_MAX_OCTETS);
}

void
imap_data_deinit(struct imap_data *d)
{
	buf_deinit(&d->name);
}

void
imap_data_rest(struct imap_data *d)
{
	buf_clear(&d->name);
	buf_release(&d->name);
}

static uint32_t
ticket_of(const struct imap_flight *flight, enum imap_verb verb)
{
	const struct imap_cmd *cmd = imap_flight_oldest(flight, verb);

	return cmd == NULL ? 0 : cmd->tag;
}

/* ---- the mailbox ---- */

static uint32_t
number_of(struct span args)
{
	uint64_t n;

	return text_number(&args, UINT32_MAX, &n) ? (uint32_t)n : 0;
}

static void
hear_select_code(struct imap_cmd *select, const struct imap_read *r)
{
	if (span_ieq(r->code, SPAN("UIDVALIDITY")))
		select->uidvalidity = number_of(r->args);
	else if (span_ieq(r->code, SPAN("UIDNEXT")))
		select->uidnext = number_of(r->args);
	else if (span_ieq(r->code, SPAN("READ-ONLY")))
		select->read_only = true;
}

static enum imap_event
hear_status(const struct imap_flight *flight, const struct imap_read *r,
    struct imap_info *info)
{
	struct imap_cmd *select = imap_flight_oldest(flight, IMAP_VERB_SELECT);

	if (select != NULL)
		hear_select_code(select, r);
	if (span_ieq(r->code, SPAN("NOTIFICATIONOVERFLOW")))
		return IMAP_OVERFLOW;
	if (!span_ieq(r->code, SPAN("ALERT")) || r->rest.n == 0)
		return IMAP_MORE;
	info->text = r->rest;
	return IMAP_NOTICE;
}

static enum imap_event
hear_exists(struct imap_data *d, const struct imap_flight *flight,
    uint32_t number, struct imap_info *info)
{
	struct imap_cmd *select = imap_flight_oldest(flight, IMAP_VERB_SELECT);
	bool same = d->exists == number;

	d->exists = info->exists = number;
	if (select != NULL)
		select->exists = number;
	return select != NULL || same ? IMAP_MORE : IMAP_CHANGED;
}

static enum imap_event
hear_expunge(struct imap_data *d, uint32_t number, struct imap_info *info)
{
	if (number > d->exists)
		return IMAP_MORE;
	info->exists = --d->exists; /* RFC 3501 7.4.1: no EXISTS need follow */
	info->first = number;
	return IMAP_VANISHED;
}

/* ---- LIST, STATUS and SEARCH ---- */

static uint32_t
older(uint32_t a, uint32_t b)
{
	return b == 0 || (a != 0 && a < b) ? a : b;
}

/* The answer to LIST "" "" (RFC 3501 6.3.8). GMail names the root by the
 * delimiter. Any other name is a mailbox, and none may be lost. */
static bool
is_root(const struct imap_flight *flight, const struct imap_read *r)
{
	bool named = r->data.n == 1 && r->named.delimiter != '\0' &&
	    r->data.p[0] == r->named.delimiter;

	return (named || r->data.n == 0) &&
	    imap_flight_oldest(flight, IMAP_VERB_DELIMITER) != NULL;
}

static enum imap_event
hear_listed(struct imap_data *d, const struct imap_flight *flight,
    const struct imap_read *r, struct imap_info *info)
{
	bool root = is_root(flight, r);

	if (root)
		info->ticket = ticket_of(flight, IMAP_VERB_DELIMITER);
	else
		info->ticket = older(ticket_of(flight, IMAP_VERB_LIST),
		    ticket_of(flight, IMAP_VERB_LIST_STATUS));
	if (info->ticket == 0 ||
	    (!root && !imap_words_mailbox(&d->name, r->data)))
		return IMAP_MORE;
	if (!root)
		info->name = buf_span(&d->name);
	info->noselect = r->named.noselect;
	info->delimiter = r->named.delimiter;
	return IMAP_LISTED;
}

/* Dovecot 2.3 tells by NOTIFY in UTF-8. */
static bool
take_counted(struct imap_data *d, struct span raw)
{
	if (imap_words_mailbox(&d->name, raw))
		return true;
	buf_clear(&d->name);
	return raw.n > 0 && text_is_utf8(raw) && !text_breaks_line(raw) &&
	    buf_add(&d->name, raw) == 0;
}

static enum imap_event
hear_counted(struct imap_data *d, const struct imap_flight *flight,
    const struct imap_read *r, struct imap_info *info)
{
	if (!take_counted(d, r->data))
		return IMAP_MORE;
	info->ticket = older(ticket_of(flight, IMAP_VERB_STATUS),
	    ticket_of(flight, IMAP_VERB_LIST_STATUS));
	info->name = buf_span(&d->name);
	if (span_ieq(info->name, SPAN("INBOX"))) /* RFC 3501 5.1 */
		info->name = SPAN("INBOX");
	info->exists = r->named.messages;
	info->uidnext = r->named.uidnext;
	info->uidvalidity = r->named.uidvalidity;
	return IMAP_COUNTED;
}

static enum imap_event
hear_found(const struct imap_flight *flight, const struct imap_read *r,
    struct imap_info *info)
{
	info->ticket = ticket_of(flight, IMAP_VERB_SEARCH);
	info->first = r->first;
	info->last = r->last;
	return info->ticket == 0 ? IMAP_MORE : IMAP_FOUND;
}

static enum imap_event
hear_found_badly(const struct imap_flight *flight)
{
	struct imap_cmd *search = imap_flight_oldest(flight, IMAP_VERB_SEARCH);

	if (search != NULL)
		search->spoilt = true;
	return IMAP_MORE;
}

/* ---- FETCH ---- */

/* What a message is marked with. A torn line may have lost some of it. */
static void
tell_marks(const struct imap_items *items, struct imap_info *info)
{
	if (items->torn)
		return;
	info->flags = items->flags;
	info->internaldate = items->internaldate;
}

static enum imap_event
hear_body(const struct imap_data *d, enum imap_event ev,
    const struct imap_read *r, struct imap_info *info)
{
	if (d->body_ticket == 0)
		return IMAP_MORE;
	info->ticket = d->body_ticket;
	info->uid = r->items.torn ? 0 : r->items.uid;
	info->size = r->items.body_size;
	if (ev == IMAP_BODY_DATA)
		info->data = r->data;
	if (ev == IMAP_BODY_END)
		tell_marks(&r->items, info);
	return ev;
}

/* Size and nothing else: imap_fetch_sizes() asks for that, and it is what is
 * left when a server has no header to give. */
static uint32_t
ticket_of_size(const struct imap_flight *flight)
{
	uint32_t ticket = ticket_of(flight, IMAP_VERB_SIZES);

	if (ticket != 0)
		return ticket;
	return older(ticket_of(flight, IMAP_VERB_HEADERS),
	    ticket_of(flight, IMAP_VERB_WHOLE_HEADERS));
}

/* Whose response without a body this is: the items that stand in it tell,
 * even those that are NIL. One that names neither size nor header can only
 * belong to an imap_fetch(): flags come unasked at any time. */
static uint32_t
ticket_of_items(const struct imap_flight *flight, unsigned int named)
{
	const unsigned int any_header = IMAP_NAMED_HEADER | IMAP_NAMED_FIELDS;
	uint32_t ticket = 0;

	if ((named & IMAP_NAMED_BODY) != 0)
		ticket = ticket_of(flight, IMAP_VERB_FETCH);
	if (ticket == 0 && (named & IMAP_NAMED_HEADER) != 0)
		ticket = ticket_of(flight, IMAP_VERB_WHOLE_HEADERS);
	if (ticket == 0 && (named & any_header) != 0)
		return ticket_of(flight, IMAP_VERB_HEADERS);
	if (ticket == 0 && (named & IMAP_NAMED_SIZE) != 0)
		return ticket_of_size(flight);
	if (named == 0)
		return ticket_of(flight, IMAP_VERB_FETCH);
	return ticket;
}

/* The end of a FETCH response. */
static enum imap_event
hear_fetched(const struct imap_data *d, const struct imap_flight *flight,
    const struct imap_read *r, struct imap_info *info)
{
	const struct imap_items *items = &r->items;

	if (items->body)
		return hear_body(d, IMAP_BODY_END, r, info);
	info->ticket = ticket_of_items(flight, items->named);
	if (items->torn || info->ticket == 0)
		return IMAP_MORE;
	info->uid = items->uid;
	info->has_size = items->has_size;
	info->rfc822_size = items->rfc822_size;
	info->data = buf_span(&items->header);
	tell_marks(items, info);
	return IMAP_FETCHED;
}

enum imap_event
imap_data_hear(struct imap_data *d, const struct imap_flight *flight,
    enum imap_heard heard, const struct imap_read *r, struct imap_info *info)
{
	switch (heard) {
	case IMAP_HEARD_STATUS:
		return hear_status(flight, r, info);
	case IMAP_HEARD_EXISTS:
		return hear_exists(d, flight, r->number, info);
	case IMAP_HEARD_EXPUNGE:
		return hear_expunge(d, r->number, info);
	case IMAP_HEARD_LISTED:
		return hear_listed(d, flight, r, info);
	case IMAP_HEARD_COUNTED:
		return hear_counted(d, flight, r, info);
	case IMAP_HEARD_FOUND:
		return hear_found(flight, r, info);
	case IMAP_HEARD_FOUND_BADLY:
		return hear_found_badly(flight);
	case IMAP_HEARD_BODY_BEGIN:
		d->body_ticket = ticket_of(flight, IMAP_VERB_FETCH);
		return hear_body(d, IMAP_BODY_BEGIN, r, info);
	case IMAP_HEARD_BODY_DATA:
		return hear_body(d, IMAP_BODY_DATA, r, info);
	case IMAP_HEARD_FETCHED:
		return hear_fetched(d, flight, r, info);
	case IMAP_HEARD_IDENTIFIED:
		info->text = r->text;
		return IMAP_IDENTIFIED;
	case IMAP_HEARD_MORE:
	case IMAP_HEARD_CONTINUE:
	case IMAP_HEARD_CAPABILITY:
	case IMAP_HEARD_OTHER:
	case IMAP_HEARD_LOST:
		break;
	}
	return IMAP_MORE;
}
