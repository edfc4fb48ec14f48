/* SPDX-License-Identifier: ISC */
#include "fetch/large.h"

#include <stdio.h>
#include <string.h>

#include "sys/log.h"
#include "util/text.h"

#define STUB_MAX (LARGE_HEADER_MAX * 3)

/* Fields of the original that a reader sorts, threads and answers by. The
 * Message-ID is not among them: the message itself may come some day. */
static const char *const copied[] = { "From", "Sender", "Reply-To", "To", "Cc",
	"Date", "List-Id", "References" };

void
large_init(struct large *l, const struct fetch_params *params,
    struct intake *intake, const char *mailbox, letter_fn fn)
{
	*l = (struct large){
		.params = params, .intake = intake, .mailbox = mailbox, .fn = fn
	};
	buf_init(&l->header, LARGE_HEADER_MAX);
}

void
large_deinit(struct large *l)
{
	buf_deinit(&l->header);
}

char *
large_reason(char *dst, size_t size, uint64_t octets, uint64_t max)
{
	char is[32];
	char may[32];

	snprintf(dst, size, "%s, more than max-size (%s)",
	    text_octets(is, sizeof(is), octets),
	    text_octets(may, sizeof(may), max));
	return dst;
}

/* ---- the stub ---- */

/* A field with its folded lines and line ends off the front of *header; empty
 * at its end. */
static struct span
take_field(struct span *header)
{
	const char *begin = header->p;
	size_t n = 0;

	do {
		struct span line = span_until(header, '\n');

		n += line.n + 1;
		if (span_trim(line).n == 0)
			break;
	} while (
	    header->n > 0 && (header->p[0] == ' ' || header->p[0] == '\t'));
	if ((size_t)(header->p - begin) < n)
		n = (size_t)(header->p - begin);
	return span_make(begin, n);
}

static bool
has_name(struct span field, const char *name)
{
	return span_iskip(&field, span_of(name)) && field.n > 0 &&
	    field.p[0] == ':';
}

/* With CRLF. */
static void
add_line(struct buf *out, const char *before, struct span line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	(void)buf_printf(out, "%s", before);
	(void)buf_add(out, line);
	(void)buf_add(out, SPAN("\r\n"));
}

/* What stands behind a field's name. A folded line of blanks alone is left
 * out: some readers take it for the end of the header. */
static void
add_field(struct buf *out, struct span field)
{
	add_line(out, "", span_until(&field, '\n'));
	while (field.n > 0) {
		struct span line = span_until(&field, '\n');

		if (span_trim(line).n > 0)
			add_line(out, "", line);
	}
}

/* The field of that name as it stands, under another name if given. */
static void
copy_field(struct buf *out, struct span header, const char *name,
    const char *as, const char *prefix)
{
	while (header.n > 0) {
		struct span field = take_field(&header);

		if (span_trim(field).n == 0)
			return;
		if (!has_name(field, name))
			continue;
		span_take(&field, strlen(name) + 1);
		(void)buf_printf(out, "%s:%s", as, prefix);
		add_field(out, field);
		return;
	}
}

/* A stub goes where the message would have gone. */
static void
copy_recipient(struct buf *out, const struct large *l)
{
	const char *name = l->params->style.recipient_header;

	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		if (name != NULL && span_ieq(span_of(name), span_of(copied[i])))
			return;
	if (name != NULL)
		copy_field(out, buf_span(&l->header), name, name, "");
}

static void
write_header(struct buf *out, const struct large *l)
{
	struct span header = buf_span(&l->header);
	char size[32];
	char prefix[64];

	copy_recipient(out, l);

	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		copy_field(out, header, copied[i], copied[i], "");
	copy_field(out, header, "Message-ID", "In-Reply-To", "");
	snprintf(prefix, sizeof(prefix), " [left on the server, %s]",
	    text_octets(size, sizeof(size), l->size));
	copy_field(out, header, "Subject", "Subject", prefix);
	(void)buf_printf(out,
	    "X-Mailhaul-Stub: size=%llu\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n",
	    (unsigned long long)l->size);
}

/* A name that a shell would not take for more than a word, nor we for an
 * option: the server may have chosen it. */
static bool
is_plain(const char *name)
{
	return name[0] != '-' &&
	    name[strspn(name,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789._/@+=-")] == '\0';
}

/* How to get it. For POP3 the identifier is not known here. */
static void
write_command(struct buf *out, const struct large *l)
{
	const char *account = l->params->subject;

	(void)buf_printf(out,
	    "To have it delivered in full:\r\n\r\n"
	    "    mailhaul fetch --full %s ",
	    account);
	if (l->mailbox == NULL)
		(void)buf_printf(out,
		    "UIDL\r\n\r\n"
		    "where UIDL is what \"mailhaul held %s\" shows for it.",
		    account);
	else if (is_plain(l->mailbox))
		(void)buf_printf(out, "%s/%u", l->mailbox, l->number);
	else
		(void)buf_printf(out, "%u", l->number);
	(void)buf_printf(out, "\r\n\r\n");
}

static void
quote_header(struct buf *out, const struct large *l)
{
	struct span header = buf_span(&l->header);

	(void)buf_printf(out, "Its header is:\r\n\r\n");
	while (header.n > 0)
		add_line(out, "    ", span_until(&header, '\n'));
}

static void
write_body(struct buf *out, const struct large *l)
{
	char reason[128];
	char name[1200] = "";

	if (l->mailbox != NULL)
		text_printable(name, sizeof(name), span_of(l->mailbox));
	(void)buf_printf(out,
	    "This message was left on the server %s\r\n"
	    "(account %s%s%s): %s.\r\n\r\n",
	    l->params->conn.host, l->params->subject,
	    *name != '\0' ? ", mailbox " : "", name,
	    large_reason(reason, sizeof(reason), l->size, l->params->max_size));
	write_command(out, l);
	quote_header(out, l);
}

void
large_write_stub(struct buf *out, const struct large *l)
{
	write_header(out, l);
	write_body(out, l);
}

/* ---- what becomes of one ---- */

static void
hold(struct large *l)
{
	struct client_note note = { .number = l->number,
		.held = true,
		.why = CLIENT_WHY_LARGE,
		.size = l->size,
		.header = buf_span(&l->header) };
	char reason[128];

	note.reason =
	    large_reason(reason, sizeof(reason), l->size, l->params->max_size);
	log_notice(l->params->subject, "%s%smessage %u is held: %s",
	    l->mailbox == NULL ? "" : l->mailbox,
	    l->mailbox == NULL ? "" : ": ", l->number, reason);
	client_note(l->intake->box, &note);
}

static enum intake_answer
deliver_stub(struct large *l)
{
	struct letter_params params = {
		.number = l->number, .stub = true, .size = l->size
	};
	enum intake_answer answer;
	struct buf stub;

	buf_init(&stub, STUB_MAX);
	large_write_stub(&stub, l);
	answer = intake_data(l->intake, buf_span(&stub), &l->e);
	buf_deinit(&stub);
	if (answer == INTAKE_GO)
		(void)intake_end(l->intake, &params, l->fn);
	return answer;
}

enum intake_answer
large_resume(struct large *l)
{
	enum intake_answer answer = intake_resume(l->intake);

	l->waiting = answer == INTAKE_WAIT;
	return l->waiting ? answer : deliver_stub(l);
}

enum intake_answer
large_note(struct large *l, uint32_t number, uint64_t size, struct span header)
{
	enum intake_answer answer;

	l->number = number;
	l->size = size;
	buf_clear(&l->header);
	(void)buf_add(&l->header, span_take(&header, LARGE_HEADER_MAX));
	if (!l->params->stubs) {
		hold(l);
		return INTAKE_GO;
	}
	l->intake->number = number;
	l->intake->uid = l->mailbox == NULL ? 0 : number;
	answer = intake_begin(l->intake, true);
	l->waiting = answer == INTAKE_WAIT;
	return l->waiting ? answer : deliver_stub(l);
}
