/* SPDX-License-Identifier: ISC */
#include "deliver/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/text.h"

#ifndef MAILHAUL_VERSION
#define MAILHAUL_VERSION "1"
#endif

#define YEAR_MAX 9999

/* ---- words ---- */

static void
put(struct buf *out, const char *s)
{
	buf_add(out, span_of(s));
}

static void
put_escaped(struct buf *out, char c)
{
	buf_printf(out, "%%%02X", (unsigned int)(unsigned char)c);
}

static void
put_name(struct buf *out, const char *lead, const char *name)
{
	size_t left = TRACE_VALUE_MAX;

	put(out, lead);
	for (struct span s = span_of(name); s.n > 0;) {
		char c = span_take(&s, 1).p[0];
		size_t n = text_is_plain(c) ? 1 : 3;

		if (n > left)
			return;
		left -= n;
		if (n == 1)
			buf_addc(out, c);
		else
			put_escaped(out, c);
	}
}

static void
put_end(const struct trace *t, struct buf *out)
{
	put(out, t->crlf ? "\r\n" : "\n");
}

/* ---- dates ---- */

/* strftime(3) would ask the locale. */
static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
	"Sat" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* A clock that is out of its mind does not stop the mail. */
static struct tm
in_utc(int64_t now)
{
	struct tm tm = { .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };
	struct tm real;
	time_t t = (time_t)now;

	if (now >= 0 && gmtime_r(&t, &real) != NULL &&
	    real.tm_year + 1900 <= YEAR_MAX)
		tm = real;
	return tm;
}

static void
put_asctime(struct buf *out, int64_t now)
{
	struct tm tm = in_utc(now);

	buf_printf(out, "%s %s %2d %02d:%02d:%02d %d", days[tm.tm_wday],
	    months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    tm.tm_year + 1900);
}

/* RFC 5322 3.3 */
static void
put_date(struct buf *out, int64_t now)
{
	struct tm tm = in_utc(now);

	buf_printf(out, "%s, %02d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday],
	    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

/* ---- lines ---- */

static void
put_from_line(const struct trace *t, struct buf *out)
{
	put(out, "From ");
	put(out, t->sender[0] != '\0' ? t->sender : "MAILER-DAEMON");
	put(out, " ");
	put_asctime(out, t->now);
	put_end(t, out);
}

static void
put_delivered_to(const struct trace *t, struct buf *out)
{
	put(out, "Delivered-To: ");
	put(out, t->recipient);
	put_end(t, out);
}

static void
put_received(const struct trace *t, struct buf *out)
{
	put_name(out, "Received: from ", t->host);
	put_end(t, out);
	put_name(out, "\tby ", t->by);
	put_name(out, " with ", t->protocol);
	put(out, " (mailhaul-" MAILHAUL_VERSION);
	put_name(out, " polling ", t->account);
	put_name(out, " account ", t->user);
	if (t->mailbox != NULL)
		put_name(out, " folder ", t->mailbox);
	if (t->recipient[0] != '\0') {
		put(out, ")");
		put_end(t, out);
		put(out, "\tfor <");
		put(out, t->recipient);
		put(out, ">; ");
	} else {
		put(out, ");");
		put_end(t, out);
		put(out, "\t");
	}
	put_date(out, t->now);
	put_end(t, out);
}

static size_t
put_source(const struct trace *t, struct buf *out)
{
	size_t uid_at = TRACE_NO_UID;
	char uid[TRACE_UID_OCTETS];

	put_name(out, "X-Mailhaul: account=", t->account);
	if (t->mailbox == NULL) {
		if (t->uidl != NULL)
			put_name(out, " uid=", t->uidl);
		put_end(t, out);
		return uid_at;
	}
	put_name(out, " mailbox=", t->mailbox);
	put(out, " uid=");
	if (t->uid != 0) {
		buf_printf(out, "%" PRIu32, t->uid);
	} else {
		uid_at = out->n;
		trace_uid(0, uid);
		buf_add(out, span_make(uid, sizeof(uid)));
	}
	put_end(t, out);
	return uid_at;
}

/* ---- the whole ---- */

size_t
trace_build(const struct trace *t, struct buf *out)
{
	size_t before = out->n, uid_at = TRACE_NO_UID;

	if (t->from_line)
		put_from_line(t, out);
	if (t->delivered_to && t->recipient[0] != '\0')
		put_delivered_to(t, out);
	if (t->received)
		put_received(t, out);
	if (t->source)
		uid_at = put_source(t, out);
	return uid_at == TRACE_NO_UID ? uid_at : uid_at - before;
}

void
trace_uid(uint32_t uid, char octets[TRACE_UID_OCTETS])
{
	char text[TRACE_UID_OCTETS + 1];

	snprintf(text, sizeof(text), "%-10" PRIu32, uid);
	if (uid == 0)
		text[0] = ' ';
	memcpy(octets, text, TRACE_UID_OCTETS);
}
