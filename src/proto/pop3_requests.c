/* SPDX-License-Identifier: ISC */
#include "proto/pop3_requests.h"

#include <assert.h>

#include "proto/pop3_text.h"
#include "proto/reply.h"

#define OUTPUT_ENOUGH 4096 /* no more is said before that drains */

typedef enum pop3_event ok_fn(
    struct pop3_requests *r, struct span text, struct pop3_info *info);
typedef enum pop3_event hear_fn(struct span line, struct pop3_info *info);

static ok_fn ok_simple, ok_stat, ok_listing, ok_body, ok_quit;
static hear_fn hear_uidl, hear_list;

static const struct request {
	const char *name;
	const char *says; /* in front of the message number, if there is one */
	const char *behind;
	unsigned int timeout_s;
	enum err_kind no; /* what -ERR means if it does not say so itself */
	ok_fn *ok;
	hear_fn *hear; /* a line of the listing */
} requests[] = {
	/* clang-format off */
	[POP3_REQ_NONE] = { "ready", "", "", 0, ERR_PROTO, ok_simple, NULL },
	[POP3_REQ_STAT] = { "stat", "STAT", "", POP3_REQUEST_S, ERR_MAILBOX,
	    ok_stat, NULL },
	[POP3_REQ_UIDL] = { "uidl", "UIDL", "", POP3_REQUEST_S, ERR_MAILBOX,
	    ok_listing, hear_uidl },
	[POP3_REQ_LIST] = { "list", "LIST", "", POP3_REQUEST_S, ERR_MAILBOX,
	    ok_listing, hear_list },
	[POP3_REQ_RETR] = { "retr", "RETR", "", POP3_REQUEST_S, ERR_MESSAGE,
	    ok_body, NULL },
	[POP3_REQ_DELE] = { "dele", "DELE", "", 120, ERR_MESSAGE, ok_simple,
	    NULL },
	[POP3_REQ_TOP] = { "top", "TOP", " 0", POP3_REQUEST_S, ERR_MESSAGE,
	    ok_body, NULL },
	[POP3_REQ_NOOP] = { "noop", "NOOP", "", 120, ERR_TEMP, ok_simple,
	    NULL },
	/* servers expunge many messages before they answer */
	[POP3_REQ_QUIT] = { "quit", "QUIT", "", 600, ERR_MAILBOX, ok_quit,
	    NULL },
	/* clang-format on */
};

void
pop3_requests_init(struct pop3_requests *r)
{
	*r = (struct pop3_requests){ .part = POP3_PART_STATUS };
	pop3_queue_init(&r->asked);
}

void
pop3_requests_deinit(struct pop3_requests *r)
{
	pop3_queue_deinit(&r->asked);
}

static struct pop3_asked
oldest(const struct pop3_requests *r)
{
	return pop3_queue_at(&r->asked, 0);
}

static const struct request *
row(const struct pop3_requests *r)
{
	return &requests[oldest(r).request];
}

/* ---- asking ---- */

void
pop3_requests_ask(
    struct pop3_requests *r, enum pop3_request request, uint32_t number)
{
	assert(!r->quitting);
	r->quitting = request == POP3_REQ_QUIT;
	pop3_queue_put(&r->asked, (struct pop3_asked){ request, number });
}

static void
say(struct pop3_asked asked, struct buf *out)
{
	const struct request *q = &requests[asked.request];
	int r;

	if (asked.number == 0)
		r = buf_printf(out, "%s\r\n", q->says);
	else
		r = buf_printf(
		    out, "%s %u%s\r\n", q->says, asked.number, q->behind);
	assert(r == 0); /* OUTPUT_ENOUGH is far below what a buffer holds */
}

void
pop3_requests_say(struct pop3_requests *r, bool pipelining, struct buf *out)
{
	while (r->said < r->asked.n && out->n < OUTPUT_ENOUGH) {
		struct pop3_asked next = pop3_queue_at(&r->asked, r->said);
		bool alone = !pipelining || next.request == POP3_REQ_QUIT;

		if (alone && r->said > 0)
			break;
		say(next, out);
		r->said++;
	}
}

/* ---- hearing ---- */

static enum pop3_event
tell(const struct pop3_requests *r, struct pop3_info *info, enum pop3_event ev)
{
	info->request = oldest(r).request;
	info->number = oldest(r).number;
	return ev;
}

enum pop3_event
pop3_requests_done(struct pop3_requests *r, struct pop3_info *info)
{
	tell(r, info, POP3_DONE);
	info->ok = info->err.kind == ERR_NONE;
	r->answered = false;
	r->part = POP3_PART_STATUS;
	r->said--;
	pop3_queue_drop(&r->asked);
	return POP3_DONE;
}

static enum pop3_event
ok_simple(struct pop3_requests *r, struct span text, struct pop3_info *info)
{
	(void)text;
	return pop3_requests_done(r, info);
}

static enum pop3_event
ok_stat(struct pop3_requests *r, struct span text, struct pop3_info *info)
{
	if (!pop3_text_stat(text, &info->count, &info->size))
		return pop3_requests_done(r, info);
	r->answered = true;
	return tell(r, info, POP3_STAT);
}

static enum pop3_event
ok_listing(struct pop3_requests *r, struct span text, struct pop3_info *info)
{
	(void)text;
	(void)info;
	r->part = POP3_PART_LINES;
	return POP3_MORE;
}

static enum pop3_event
ok_body(struct pop3_requests *r, struct span text, struct pop3_info *info)
{
	(void)text;
	r->part = POP3_PART_BODY;
	return tell(r, info, POP3_BODY_BEGIN);
}

static enum pop3_event
ok_quit(struct pop3_requests *r, struct span text, struct pop3_info *info)
{
	(void)text;
	pop3_requests_done(r, info);
	return POP3_CLOSED;
}

enum pop3_event
pop3_requests_ok(struct pop3_requests *r, struct span text, bool bare,
    struct pop3_info *info)
{
	pop3_body_init(&r->body, bare);
	return row(r)->ok(r, text, info);
}

enum pop3_event
pop3_requests_no(struct pop3_requests *r, struct span text,
    struct span quotable, struct pop3_info *info)
{
	const struct request *q = row(r);
	struct span code;
	struct span args;
	struct span rest;
	bool quit = oldest(r).request == POP3_REQ_QUIT;

	reply_split(text, &code, &args, &rest);
	err_set(&info->err, reply_kind(code, rest, q->no), 0,
	    "the server refuses %s%s%.*s", q->says, quotable.n > 0 ? ": " : "",
	    (int)quotable.n, quotable.p);
	info->err.after_s = reply_after_s(rest);
	pop3_requests_done(r, info);
	return quit ? POP3_CLOSED : POP3_DONE;
}

static enum pop3_event
hear_uidl(struct span line, struct pop3_info *info)
{
	return pop3_text_uidl(line, &info->number, &info->uidl) ? POP3_UIDL
								: POP3_MORE;
}

static enum pop3_event
hear_list(struct span line, struct pop3_info *info)
{
	return pop3_text_list(line, &info->number, &info->size) ? POP3_LIST
								: POP3_MORE;
}

enum pop3_event
pop3_requests_line(
    struct pop3_requests *r, struct span line, struct pop3_info *info)
{
	info->request = oldest(r).request;
	return row(r)->hear(line, info);
}

enum pop3_event
pop3_requests_over(struct pop3_requests *r)
{
	r->part = POP3_PART_STATUS;
	r->answered = true;
	return POP3_MORE;
}

enum pop3_event
pop3_requests_body(
    struct pop3_requests *r, struct span *in, struct pop3_info *info)
{
	switch (pop3_body_next(&r->body, in, &info->data)) {
	case POP3_BODY_RUN:
		return tell(r, info, POP3_BODY_DATA);
	case POP3_BODY_OVER:
		r->answered = true;
		return tell(r, info, POP3_BODY_END);
	case POP3_BODY_MORE:
		break;
	}
	return POP3_MORE;
}

unsigned int
pop3_requests_timeout(const struct pop3_requests *r)
{
	return row(r)->timeout_s;
}

const char *
pop3_requests_name(const struct pop3_requests *r)
{
	return row(r)->name;
}
