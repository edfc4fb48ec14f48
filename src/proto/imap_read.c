/* SPDX-License-Identifier: ISC */
#include "proto/imap_read.h"

#include "proto/reply.h"
#include "util/text.h"

enum place {
	AT_START,   /* of a line */
	AT_PLUS,    /* behind "+" */
	AT_STAR,    /* behind "*" */
	AT_NUMBER,  /* behind "* 5" */
	AT_TAG,     /* behind a tag */
	AT_STATUS,  /* behind OK, NO, BAD, BYE, PREAUTH */
	AT_CAPA,    /* behind CAPABILITY */
	AT_EXISTS,  /* behind "* 5 EXISTS" */
	AT_EXPUNGE, /* behind "* 5 EXPUNGE" */
	AT_FETCH,   /* behind "* 5 FETCH" */
	AT_SEARCH,  /* in SEARCH's numbers */
	AT_NOTHING, /* behind them */
	AT_NAME,    /* ESEARCH: the name of a result, or (TAG "x") or UID */
	AT_TAGGED,  /* ESEARCH: in (TAG "x") */
	AT_VALUE,   /* ESEARCH: a result that we did not ask for */
	AT_SET,     /* ESEARCH: in the set of ALL */
	AT_NAMED,   /* in LIST or STATUS */
	AT_ID,      /* behind ID, or behind a value of it */
	AT_FIELD,   /* behind the name of a value */
	AT_SKIP     /* in a line that is of no use */
};

typedef enum imap_heard place_fn(
    struct imap_read *r, enum imap_token tok, struct span value);

void
imap_read_init(struct imap_read *r)
{
	*r = (struct imap_read){ .at = AT_START };
	imap_lex_init(&r->lex);
	imap_items_init(&r->items);
	imap_named_init(&r->named);
}

void
imap_read_deinit(struct imap_read *r)
{
	imap_lex_deinit(&r->lex);
	imap_items_deinit(&r->items);
	imap_named_deinit(&r->named);
}

void
imap_read_rest(struct imap_read *r)
{
	if (r->at != AT_START)
		return;
	imap_lex_rest(&r->lex);
	imap_named_rest(&r->named);
	imap_items_begin(&r->items);
}

static enum imap_heard
go(struct imap_read *r, enum place to)
{
	r->at = to;
	return IMAP_HEARD_MORE;
}

/* The line is over. */
static enum imap_heard
say(struct imap_read *r, enum imap_heard heard)
{
	r->at = AT_START;
	return heard;
}

static enum imap_heard
text_of(struct imap_read *r, enum place to)
{
	imap_lex_text(&r->lex);
	return go(r, to);
}

/* ---- how lines begin ---- */

static bool
whole_number(struct span s, uint64_t max, uint32_t *out)
{
	uint64_t n;

	if (!text_number(&s, max, &n) || s.n > 0)
		return false;
	*out = (uint32_t)n;
	return true;
}

static enum imap_heard
at_start(struct imap_read *r, enum imap_token tok, struct span value)
{
	if (tok == IMAP_TOK_EOL)
		return IMAP_HEARD_MORE; /* an empty line */
	if (tok != IMAP_TOK_ATOM)
		return go(r, AT_SKIP);
	r->tag = 0;
	if (span_eq(value, SPAN("*")))
		return go(r, AT_STAR);
	if (span_eq(value, SPAN("DONE"))) /* it met the end of IDLE half-way */
		return go(r, AT_SKIP);
	if (!span_skip(&value, SPAN("A")) || (value.n > 0 && *value.p == '0') ||
	    !whole_number(value, UINT32_MAX - 1, &r->tag))
		r->tag = IMAP_TAG_STRANGE;
	return go(r, AT_TAG);
}

static bool
is_status(struct span word, enum imap_status *status)
{
	static const struct {
		struct span word;
		enum imap_status status;
	} known[] = {
		{ { "OK", 2 }, IMAP_STATUS_OK },
		{ { "NO", 2 }, IMAP_STATUS_NO },
		{ { "BAD", 3 }, IMAP_STATUS_BAD },
		{ { "BYE", 3 }, IMAP_STATUS_BYE },
		{ { "PREAUTH", 7 }, IMAP_STATUS_PREAUTH },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!span_ieq(word, known[i].word))
			continue;
		*status = known[i].status;
		return true;
	}
	return false;
}

static enum imap_heard
at_tag(struct imap_read *r, enum imap_token tok, struct span value)
{
	if (tok != IMAP_TOK_ATOM || !is_status(value, &r->status) ||
	    r->status > IMAP_STATUS_BAD)
		return go(r, AT_SKIP);
	return text_of(r, AT_STATUS);
}

static enum imap_heard
at_star(struct imap_read *r, enum imap_token tok, struct span value)
{
	if (tok != IMAP_TOK_ATOM)
		return go(r, AT_SKIP);
	if (whole_number(value, UINT32_MAX, &r->number))
		return go(r, AT_NUMBER);
	if (is_status(value, &r->status))
		return text_of(r, AT_STATUS);
	if (span_ieq(value, SPAN("CAPABILITY")))
		return text_of(r, AT_CAPA);
	if (span_ieq(value, SPAN("LIST"))) {
		imap_named_list(&r->named);
		return go(r, AT_NAMED);
	}
	if (span_ieq(value, SPAN("STATUS"))) {
		imap_named_status(&r->named);
		return go(r, AT_NAMED);
	}
	if (span_ieq(value, SPAN("ID"))) {
		imap_named_rest(&r->named);
		return go(r, AT_ID);
	}
	r->run_first = 0;
	if (span_ieq(value, SPAN("SEARCH"))) {
		imap_lex_numbers(&r->lex);
		return go(r, AT_SEARCH);
	}
	return go(r, span_ieq(value, SPAN("ESEARCH")) ? AT_NAME : AT_SKIP);
}

static enum imap_heard
at_number(struct imap_read *r, enum imap_token tok, struct span value)
{
	if (tok != IMAP_TOK_ATOM)
		return go(r, AT_SKIP);
	if (span_ieq(value, SPAN("EXISTS")))
		return go(r, AT_EXISTS);
	if (r->number == 0) /* Courier says "* 0 FETCH" */
		return go(r, AT_SKIP);
	if (span_ieq(value, SPAN("EXPUNGE")))
		return go(r, AT_EXPUNGE);
	if (!span_ieq(value, SPAN("FETCH")))
		return go(r, AT_SKIP);
	imap_items_begin(&r->items);
	return go(r, AT_FETCH);
}

/* ---- how they go on ---- */

static enum imap_heard
at_plus(struct imap_read *r, enum imap_token tok, struct span value)
{
	(void)tok;
	r->text = value;
	return say(r, IMAP_HEARD_CONTINUE);
}

static enum imap_heard
at_status(struct imap_read *r, enum imap_token tok, struct span value)
{
	(void)tok;
	r->text = value;
	reply_split(value, &r->code, &r->args, &r->rest);
	return say(r, IMAP_HEARD_STATUS);
}

static enum imap_heard
at_capa(struct imap_read *r, enum imap_token tok, struct span value)
{
	(void)tok;
	r->text = value;
	return say(r, IMAP_HEARD_CAPABILITY);
}

static enum imap_heard
at_exists(struct imap_read *r, enum imap_token tok, struct span value)
{
	(void)value;
	if (tok != IMAP_TOK_EOL)
		return IMAP_HEARD_MORE;
	return say(r, IMAP_HEARD_EXISTS);
}

static enum imap_heard
at_expunge(struct imap_read *r, enum imap_token tok, struct span value)
{
	(void)value;
	if (tok != IMAP_TOK_EOL)
		return IMAP_HEARD_MORE;
	return say(r, IMAP_HEARD_EXPUNGE);
}

static enum imap_heard
at_fetch(struct imap_read *r, enum imap_token tok, struct span value)
{
	switch (imap_items_token(&r->items, tok, value, r->lex.size)) {
	case IMAP_ITEMS_MORE:
		break;
	case IMAP_ITEMS_BODY:
		return IMAP_HEARD_BODY_BEGIN;
	case IMAP_ITEMS_DATA:
		r->data = value;
		return IMAP_HEARD_BODY_DATA;
	case IMAP_ITEMS_DONE:
		return say(r, IMAP_HEARD_FETCHED);
	}
	return IMAP_HEARD_MORE;
}

static enum imap_heard
at_skip(struct imap_read *r, enum imap_token tok, struct span value)
{
	(void)r;
	(void)tok;
	(void)value;
	return IMAP_HEARD_MORE;
}

/* ---- SEARCH and ESEARCH ---- */

static enum imap_heard
report_run(struct imap_read *r)
{
	r->first = r->run_first;
	r->last = r->run_last;
	return IMAP_HEARD_FOUND;
}

/* Numbers that follow one another are one run, reported when another begins:
 * a million of them may be a single event. */
static enum imap_heard
found(struct imap_read *r, uint32_t first, uint32_t last)
{
	enum imap_heard heard = IMAP_HEARD_MORE;

	if (r->run_first != 0 && r->run_last + 1 == first) {
		r->run_last = last;
		return IMAP_HEARD_MORE;
	}
	if (r->run_first != 0)
		heard = report_run(r);
	r->run_first = first;
	r->run_last = last;
	return heard;
}

static enum imap_heard
end_search(struct imap_read *r)
{
	if (r->run_first == 0)
		return say(r, IMAP_HEARD_OTHER);
	return say(r, report_run(r));
}

static enum imap_heard
at_search(struct imap_read *r, enum imap_token tok, struct span value)
{
	uint32_t n;

	if (tok == IMAP_TOK_EOL)
		return end_search(r);
	if (tok == IMAP_TOK_OPEN) /* (MODSEQ n), RFC 7162 */
		return go(r, AT_NOTHING);
	if (tok == IMAP_TOK_ATOM && whole_number(value, UINT32_MAX, &n) &&
	    n > 0)
		return found(r, n, n);
	return IMAP_HEARD_MORE;
}

static enum imap_heard
at_nothing(struct imap_read *r, enum imap_token tok, struct span value)
{
	(void)value;
	return tok == IMAP_TOK_EOL ? end_search(r) : IMAP_HEARD_MORE;
}

static enum imap_heard
at_name(struct imap_read *r, enum imap_token tok, struct span value)
{
	if (tok == IMAP_TOK_EOL)
		return end_search(r);
	if (tok == IMAP_TOK_OPEN)
		return go(r, AT_TAGGED);
	if (tok != IMAP_TOK_ATOM || span_ieq(value, SPAN("UID")))
		return IMAP_HEARD_MORE;
	if (!span_ieq(value, SPAN("ALL")))
		return go(r, AT_VALUE);
	imap_lex_numbers(&r->lex);
	return go(r, AT_SET);
}

static enum imap_heard
at_tagged(struct imap_read *r, enum imap_token tok, struct span value)
{
	(void)value;
	return tok == IMAP_TOK_CLOSE ? go(r, AT_NAME) : IMAP_HEARD_MORE;
}

static enum imap_heard
at_value(struct imap_read *r, enum imap_token tok, struct span value)
{
	if (tok == IMAP_TOK_EOL)
		return end_search(r);
	if (tok == IMAP_TOK_OPEN)
		return at_name(r, tok, value);
	if (tok == IMAP_TOK_ATOM || tok == IMAP_TOK_END)
		return go(r, AT_NAME);
	return IMAP_HEARD_MORE;
}

/* "7" or "3:5", at commas already cut. */
static enum imap_heard
at_set(struct imap_read *r, enum imap_token tok, struct span value)
{
	struct span rest = value;
	struct span low = span_until(&rest, ':');
	uint32_t first, last;

	if (tok != IMAP_TOK_ATOM)
		return at_name(r, tok, value);
	if (!whole_number(low, UINT32_MAX, &first))
		return at_name(r, tok, value);
	if (low.n == value.n)
		last = first;
	else if (!whole_number(rest, UINT32_MAX, &last))
		return IMAP_HEARD_MORE;
	if (first == 0 || last == 0)
		return IMAP_HEARD_MORE;
	return first < last ? found(r, first, last) : found(r, last, first);
}

/* ---- LIST and STATUS ---- */

static enum imap_heard
at_named(struct imap_read *r, enum imap_token tok, struct span value)
{
	switch (imap_named_token(&r->named, tok, value)) {
	case IMAP_NAMED_MORE:
		break;
	case IMAP_NAMED_BAD:
		return go(r, AT_SKIP);
	case IMAP_NAMED_DONE:
		r->data = buf_span(&r->named.name);
		return say(r,
		    r->named.counted ? IMAP_HEARD_COUNTED : IMAP_HEARD_LISTED);
	}
	return IMAP_HEARD_MORE;
}

/* ---- ID ---- */

/* RFC 2971 3.2: (field value field value ...), strings or NIL. What does not
 * fit is left out: the text is for people. */
static void
add_said(struct imap_read *r, struct span s)
{
	(void)buf_add(&r->named.name, s);
}

static enum imap_heard
at_field(struct imap_read *r, enum imap_token tok, struct span value)
{
	if (tok == IMAP_TOK_EOL) {
		r->text = buf_span(&r->named.name);
		return say(r, IMAP_HEARD_IDENTIFIED);
	}
	if (tok == IMAP_TOK_OCTETS || tok == IMAP_TOK_ATOM)
		add_said(r, value);
	if (tok == IMAP_TOK_END || tok == IMAP_TOK_ATOM)
		return go(r, AT_ID);
	return IMAP_HEARD_MORE;
}

static enum imap_heard
at_id(struct imap_read *r, enum imap_token tok, struct span value)
{
	if (tok == IMAP_TOK_EOL)
		return at_field(r, tok, value);
	if (tok == IMAP_TOK_STRING && r->named.name.n > 0)
		add_said(r, SPAN(", "));
	if (tok == IMAP_TOK_OCTETS)
		add_said(r, value);
	if (tok != IMAP_TOK_END)
		return IMAP_HEARD_MORE;
	add_said(r, SPAN(" "));
	return go(r, AT_FIELD);
}

/* ---- all together ---- */

static place_fn *const places[] = {
	[AT_START] = at_start,
	[AT_PLUS] = at_plus,
	[AT_STAR] = at_star,
	[AT_NUMBER] = at_number,
	[AT_TAG] = at_tag,
	[AT_STATUS] = at_status,
	[AT_CAPA] = at_capa,
	[AT_EXISTS] = at_exists,
	[AT_EXPUNGE] = at_expunge,
	[AT_FETCH] = at_fetch,
	[AT_SEARCH] = at_search,
	[AT_NOTHING] = at_nothing,
	[AT_NAME] = at_name,
	[AT_TAGGED] = at_tagged,
	[AT_VALUE] = at_value,
	[AT_SET] = at_set,
	[AT_NAMED] = at_named,
	[AT_ID] = at_id,
	[AT_FIELD] = at_field,
	[AT_SKIP] = at_skip,
};

static bool
is_search(const struct imap_read *r)
{
	return r->at >= AT_SEARCH && r->at <= AT_SET;
}

/* A word that could not be kept: FETCH can tell, of SEARCH's numbers one is
 * missing, and any other line is of no use. */
static enum imap_heard
garbled(struct imap_read *r)
{
	enum imap_heard heard =
	    is_search(r) ? IMAP_HEARD_FOUND_BADLY : IMAP_HEARD_MORE;

	if (r->at == AT_FETCH)
		return at_fetch(r, IMAP_TOK_GARBLED, SPAN(""));
	r->at = AT_SKIP;
	return heard;
}

/* A "+" needs nothing behind it, and is no word when something is. */
static void
look_for_plus(struct imap_read *r, struct span *in)
{
	if (r->at == AT_START && r->lex.line == 0 && span_skip(in, SPAN("+")))
		text_of(r, AT_PLUS);
}

enum imap_heard
imap_read_next(struct imap_read *r, struct span *in)
{
	enum imap_heard heard = IMAP_HEARD_MORE;

	while (heard == IMAP_HEARD_MORE) {
		struct span value;
		enum imap_token tok;

		look_for_plus(r, in);
		tok = imap_lex_next(&r->lex, in, &value);
		if (tok == IMAP_TOK_MORE)
			break;
		if (tok == IMAP_TOK_LOST)
			return IMAP_HEARD_LOST;
		heard = tok == IMAP_TOK_GARBLED ? garbled(r)
						: places[r->at](r, tok, value);
		if (tok == IMAP_TOK_EOL && heard == IMAP_HEARD_MORE &&
		    r->at != AT_START)
			heard = say(r, IMAP_HEARD_OTHER);
	}
	return heard;
}
