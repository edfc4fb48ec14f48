/* SPDX-License-Identifier: ISC */
#include "proc/kerberos_why.h"

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

/* krb5.h, by the numbers of RFC 4120 7.5.9. */
#define PROTOCOL_FIRST INT64_C(-1765328384)
#define SERVER_UNKNOWN (PROTOCOL_FIRST + 7)
#define PREAUTH_NEEDED (PROTOCOL_FIRST + 25)
#define TICKET_EXPIRED (PROTOCOL_FIRST + 32)
#define TICKET_NOT_YET (PROTOCOL_FIRST + 33)
#define CLOCK_SKEW (PROTOCOL_FIRST + 37)
#define TOO_BIG_FOR_UDP (PROTOCOL_FIRST + 52)
#define NOT_CACHED INT64_C(-1765328243)
#define WORDS_MAX 140

struct outcome {
	int64_t code; /* 0: none */
	struct span words;
};

/* From these it goes on. */
static bool
is_no_end(int64_t code)
{
	return code == NOT_CACHED || code == PREAUTH_NEEDED ||
	    code == TOO_BIG_FOR_UDP;
}

/* "-1765328377/Server not found" behind the last "result: " or "KDC: ". */
static bool
read_outcome(struct span line, struct span mark, struct outcome *out)
{
	uint64_t n;

	while (line.n > 0 && !span_skip(&line, mark))
		line = span_make(line.p + 1, line.n - 1);
	if (!span_skip(&line, SPAN("-")) ||
	    !text_number(&line, UINT32_MAX, &n) || !span_skip(&line, SPAN("/")))
		return false;
	out->code = -(int64_t)n;
	out->words = line;
	return true;
}

static struct outcome
last_outcome(struct span trace)
{
	struct outcome last = { 0, SPAN("") };

	while (trace.n > 0) {
		struct span line = span_trim(span_until(&trace, '\n'));
		struct outcome o;

		if ((read_outcome(line, SPAN("result: "), &o) ||
			read_outcome(line, SPAN("from KDC: "), &o)) &&
		    !is_no_end(o.code))
			last = o;
	}
	return last;
}

/* What it did last, without number of the process and time. */
static struct span
last_line(struct span trace)
{
	struct span line = SPAN("");

	trace = span_trim(trace);
	while (trace.n > 0)
		line = span_until(&trace, '\n');
	if (span_skip(&line, SPAN("["))) {
		(void)span_until(&line, ' ');
		(void)span_until(&line, ' ');
	}
	return span_trim(line);
}

/* It has found the ticket for tickets, and asked nobody by it. */
static bool
ends_with_old_ticket(struct span last)
{
	return span_skip(&last, SPAN("Retrieving ")) &&
	    span_has(last, SPAN(" -> krbtgt/")) &&
	    span_has(last, SPAN("result: 0/"));
}

static const char *
advice(int64_t code)
{
	switch (code) {
	case SERVER_UNKNOWN:
		return "; is host (or tls-name) the name the server has in "
		       "Kerberos?";
	case TICKET_EXPIRED:
		return ": run kinit again, or set KRB5_CLIENT_KTNAME";
	case TICKET_NOT_YET:
	case CLOCK_SKEW:
		return ": set the clock of this machine, or the server's";
	default:
		return "";
	}
}

int
kerberos_why(struct span trace, const char *user, const char *service,
    const char *host, struct err *e)
{
	struct outcome o = last_outcome(trace);
	struct span last = last_line(trace);
	char words[WORDS_MAX];

	if (ends_with_old_ticket(last))
		return err_set(e, ERR_TEMP, 0,
		    "the Kerberos ticket of %.80s has expired%s", user,
		    advice(TICKET_EXPIRED));
	if (o.code != 0)
		return err_set(e,
		    o.code == SERVER_UNKNOWN ? ERR_AUTH : ERR_TEMP, 0,
		    "Kerberos: %s%s",
		    text_printable(words, sizeof(words), o.words),
		    advice(o.code));
	if (last.n > 0)
		return err_set(e, ERR_TEMP, 0,
		    "Kerberos gives no ticket for %.40s/%.60s; at last: %s",
		    service, host, text_printable(words, sizeof(words), last));
	return err_set(e, ERR_TEMP, 0,
	    "no Kerberos ticket for %.80s: run kinit, or set "
	    "KRB5_CLIENT_KTNAME to a keytab of his",
	    user);
}
