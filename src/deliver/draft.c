/* SPDX-License-Identifier: ISC */
#include "deliver/draft.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/eol.h"
#include "deliver/fingerprint.h"
#include "deliver/header.h"
#include "deliver/quote.h"
#include "deliver/trace.h"
#include "sys/clock.h"
#include "util/buf.h"
#include "util/mem.h"

#define DESK_OCTETS 65536
#define HOST_OCTETS 256
#define PIECE_OCTETS 4096 /* converted before it is quoted */

struct desk {
	struct draft *owner; /* of the octets, or NULL */
	size_t n;
	struct digest_state *digest;
	char host[HOST_OCTETS]; /* our own name */
	char octets[DESK_OCTETS];
};

struct draft {
	struct desk *desk;               /* not ours */
	const struct draft_style *style; /* not ours */
	int fd;                          /* -1: closed, or taken */
	bool begun;                      /* what stands in front was written */
	char last;                       /* octet of the message, for mbox */
	struct eol eol;
	struct eol_watch watch;          /* with crlf */
	struct quote quote;              /* with mbox */
	struct fingerprint *fingerprint; /* NULL: content is taken */
	struct digest_state *content;    /* or NULL */
	struct envelope_rules rules;
	struct header *header; /* NULL: nothing is looked for in it */
	struct buf held;       /* until begun */
	struct envelope envelope;
	uint32_t number;
	char *uidl;
	size_t uid_at; /* where it is missing in the file, or TRACE_NO_UID */
	uint64_t given, written;
	struct err e; /* the first failure */
};

/* ---- life ---- */

struct desk *
desk_new(void)
{
	struct desk *d = mem_new(sizeof(*d));

	d->digest = digest_new();
	if (gethostname(d->host, sizeof(d->host) - 1) < 0 || !d->host[0])
		memcpy(d->host, "localhost", sizeof("localhost"));
	return d;
}

void
desk_free(struct desk **d)
{
	if (*d == NULL)
		return;
	digest_free(&(*d)->digest);
	free(*d);
	*d = NULL;
}

static bool
has_front(const struct draft_style *s)
{
	return s->from_line || s->mbox || s->received || s->delivered_to ||
	    s->source;
}

/* Is anything asked for that only the header of the message can tell? */
static bool
needs_header(const struct draft_style *s)
{
	if (s->envelope || s->from_line || s->mbox)
		return true;
	return s->recipient_header != NULL && (s->received || s->delivered_to);
}

struct draft *
draft_new(struct desk *desk, int fd, const struct draft_style *style,
    uint32_t number, const char *uidl)
{
	struct draft *d = mem_new(sizeof(*d));

	assert(!(style->crlf && style->mbox));
	d->desk = desk;
	d->fd = fd;
	d->style = style;
	d->number = number;
	d->uidl = mem_strdup(uidl);
	d->uid_at = TRACE_NO_UID;
	d->last = '\n';
	eol_init(&d->eol);
	eol_watch_init(&d->watch);
	quote_init(&d->quote);
	buf_init(&d->held, DRAFT_HELD_MAX);
	if (style->by_content) {
		d->content = digest_new();
		digest_begin(d->content);
	} else {
		d->fingerprint = fingerprint_new();
	}
	d->rules = (struct envelope_rules){ style->recipient,
		style->recipient_header, style->recipient_prefix };
	if (needs_header(style))
		d->header = envelope_header(&d->rules);
	d->begun = d->header == NULL && !has_front(style);
	return d;
}

void
draft_free(struct draft **p)
{
	struct draft *d = *p;

	if (d == NULL)
		return;
	*p = NULL;
	if (d->desk->owner == d)
		d->desk->owner = NULL;
	if (d->fd >= 0)
		close(d->fd);
	fingerprint_free(&d->fingerprint);
	digest_free(&d->content);
	header_free(&d->header);
	buf_deinit(&d->held);
	free(d->uidl);
	free(d);
}

/* ---- the desk ---- */

static void
failed(struct draft *d)
{
	if (d->e.kind == ERR_NONE)
		err_set(&d->e, ERR_DELIVER, errno, "cannot write: %s",
		    strerror(errno));
}

/* Writes what its owner left on the desk. */
static void
clear_desk(struct desk *desk)
{
	struct draft *d = desk->owner;
	size_t done = 0;

	desk->owner = NULL;
	if (d == NULL || d->e.kind != ERR_NONE)
		return;
	while (done < desk->n) {
		ssize_t n = write(d->fd, desk->octets + done, desk->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			failed(d);
			return;
		}
		done += (size_t)n;
	}
	d->written += done;
}

static void
sit_down(struct draft *d)
{
	if (d->desk->owner == d)
		return;
	clear_desk(d->desk);
	d->desk->owner = d;
	d->desk->n = 0;
}

/* As they are. */
static void
put(struct draft *d, struct span octets)
{
	struct desk *desk = d->desk;

	if (d->style->crlf)
		eol_watch(&d->watch, octets);
	while (octets.n > 0 && d->e.kind == ERR_NONE) {
		struct span part;

		sit_down(d);
		part = span_take(&octets, sizeof(desk->octets) - desk->n);
		memcpy(desk->octets + desk->n, part.p, part.n);
		desk->n += part.n;
		if (desk->n == sizeof(desk->octets))
			clear_desk(desk);
	}
}

/* ---- octets of the message ---- */

static void
put_converted(struct draft *d, struct span octets)
{
	struct desk *desk = d->desk;

	while (octets.n > 0 && d->e.kind == ERR_NONE) {
		sit_down(d);
		desk->n += eol_convert(&d->eol, &octets, desk->octets + desk->n,
		    sizeof(desk->octets) - desk->n);
		if (desk->n == sizeof(desk->octets))
			clear_desk(desk);
	}
}

static void
put_quoted(struct draft *d, struct span octets)
{
	struct span s;

	if (octets.n > 0)
		d->last = octets.p[octets.n - 1];
	while ((s = quote_next(&d->quote, &octets)).n > 0)
		put(d, s);
}

static void
put_mbox(struct draft *d, struct span octets)
{
	char piece[PIECE_OCTETS];

	while (octets.n > 0 && d->e.kind == ERR_NONE) {
		size_t n = eol_convert(&d->eol, &octets, piece, sizeof(piece));

		put_quoted(d, span_make(piece, n));
	}
}

static void
put_message(struct draft *d, struct span octets)
{
	if (d->style->mbox)
		put_mbox(d, octets);
	else if (d->style->crlf)
		put(d, octets);
	else
		put_converted(d, octets);
}

static void
end_message(struct draft *d)
{
	char cr[1];
	struct span kept = span_make(cr, eol_end(&d->eol, cr));

	if (!d->style->mbox) {
		put(d, kept);
		return;
	}
	put_quoted(d, kept);
	put(d, quote_end(&d->quote));
	/* always one more, so that a reader can take it off again */
	put(d, d->last == '\n' ? SPAN("\n") : SPAN("\n\n"));
}

/* ---- what stands in front ---- */

static void
put_front(struct draft *d)
{
	const struct draft_style *s = d->style;
	struct trace t = { .from_line = s->from_line || s->mbox,
		.delivered_to = s->delivered_to,
		.received = s->received,
		.source = s->source,
		.crlf = s->crlf,
		.now = clock_wall_s(),
		.host = s->host,
		.by = d->desk->host,
		.protocol = s->protocol,
		.account = s->account,
		.user = s->user,
		.mailbox = s->mailbox,
		.uid = d->number,
		.uidl = d->uidl,
		.sender = d->envelope.sender,
		.recipient = d->envelope.recipient };
	struct buf front;

	buf_init(&front, TRACE_OCTETS_MAX);
	d->uid_at = trace_build(&t, &front);
	put(d, buf_span(&front));
	buf_deinit(&front);
}

/* Nothing is waited for any more. */
static void
begin(struct draft *d)
{
	d->begun = true;
	envelope_read(d->header, &d->rules, &d->envelope);
	header_free(&d->header);
	put_front(d);
	put_message(d, buf_span(&d->held));
	buf_deinit(&d->held);
}

/* Holds back what is header, and begins behind it. */
static void
hold(struct draft *d, struct span *octets)
{
	struct span more;

	if (d->header == NULL) {
		begin(d);
		return;
	}
	more = span_take(octets, DRAFT_HELD_MAX - d->held.n);
	header_add(d->header, more);
	if (!header_ended(d->header) && d->held.n + more.n < DRAFT_HELD_MAX) {
		buf_add(&d->held, more);
		return;
	}
	begin(d);
	put_message(d, more);
}

int
draft_write(struct draft *d, struct span octets, struct err *e)
{
	d->given += octets.n;
	if (d->content != NULL)
		digest_add(d->content, octets);
	else
		fingerprint_add(d->fingerprint, octets);
	if (!d->begun && octets.n > 0)
		hold(d, &octets);
	put_message(d, octets);
	if (d->e.kind == ERR_NONE)
		return 0;
	*e = d->e;
	return -1;
}

uint64_t
draft_octets(const struct draft *d)
{
	return d->given;
}

/* ---- the end ---- */

/* Over the blanks that were left for it; they lie in the file now. */
static void
put_uid(struct draft *d, uint32_t number)
{
	char uid[TRACE_UID_OCTETS];
	size_t done = 0;

	trace_uid(number, uid);
	while (done < sizeof(uid)) {
		ssize_t n = pwrite(d->fd, uid + done, sizeof(uid) - done,
		    (off_t)(d->uid_at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			failed(d);
			return;
		}
		done += (size_t)n;
	}
}

static void
close_fd(struct draft *d)
{
	/* some file systems report a full disk only here */
	if (close(d->fd) < 0 && errno != EINTR)
		failed(d);
	d->fd = -1;
}

int
draft_finish(
    struct draft *d, uint32_t number, struct draft_result *out, struct err *e)
{
	if (!d->begun)
		begin(d);
	end_message(d);
	if (d->desk->owner == d)
		clear_desk(d->desk);
	if (d->uid_at != TRACE_NO_UID && d->e.kind == ERR_NONE)
		put_uid(d, number);
	if (!d->style->crlf)
		close_fd(d);
	*out = (struct draft_result){ .octets = d->written };
	if (d->style->crlf) {
		out->eight_bit = d->watch.eight_bit;
		out->bare = eol_watch_bare(&d->watch);
	}
	if (d->content != NULL)
		digest_end(d->content, &out->fingerprint);
	else
		fingerprint_end(d->fingerprint, d->desk->digest, d->given,
		    &out->fingerprint);
	fingerprint_free(&d->fingerprint); /* it may be kept a while */
	if (d->e.kind == ERR_NONE)
		return 0;
	*e = d->e;
	return -1;
}

const struct envelope *
draft_envelope(const struct draft *d)
{
	return &d->envelope;
}

int
draft_take_fd(struct draft *d)
{
	int fd = d->fd;

	d->fd = -1;
	return fd;
}
