/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_envelope.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/mem.h"

static bool
is_ascii(const char *s)
{
	while (*s != '\0' && ((unsigned char)*s & 0x80) == 0)
		s++;
	return *s == '\0';
}

/* Nothing of an address may become another command or parameter. */
static void
assert_harmless(struct span address)
{
	for (size_t i = 0; i < address.n; i++) {
		unsigned char c = (unsigned char)address.p[i];

		assert(c > ' ' && c != 0x7f && c != '<' && c != '>');
	}
}

static void
copy(struct lmtp_envelope *e, const struct lmtp_mail *mail)
{
	assert(mail->n > 0);
	assert_harmless(mail->sender);
	for (size_t i = 0; i < mail->n; i++) {
		assert(mail->recipients[i].n > 0);
		assert_harmless(mail->recipients[i]);
	}
	e->sender = mem_spandup(mail->sender);
	e->size = mail->size;
	lmtp_recipients_init(&e->recipients, mail->recipients, mail->n);
}

/* Without SMTPUTF8 such a sender cannot be named: better none than none of the
 * mail. Nobody can be reached under such a recipient. */
static void
do_without_utf8(struct lmtp_envelope *e)
{
	struct lmtp_recipients *r = &e->recipients;

	if (!is_ascii(e->sender))
		e->sender[0] = '\0';
	for (size_t i = 0; i < r->n; i++) {
		if (!is_ascii(r->list[i].address))
			lmtp_recipients_answer(r, i, LMTP_NEVER,
			    "the server does not offer SMTPUTF8, which this "
			    "address needs");
	}
}

static bool
wants_utf8(const struct lmtp_envelope *e)
{
	const struct lmtp_recipients *r = &e->recipients;
	bool ascii = is_ascii(e->sender);

	for (size_t i = 0; i < r->n && ascii; i++)
		ascii = is_ascii(r->list[i].address);
	return !ascii;
}

static void
refuse_if_too_large(struct lmtp_envelope *e, const struct lmtp_terms *terms)
{
	char text[128];

	if (terms->size_max == 0 || e->size <= terms->size_max)
		return;
	snprintf(text, sizeof(text),
	    "the message has %llu octets, and the server takes %llu at most",
	    (unsigned long long)e->size, (unsigned long long)terms->size_max);
	lmtp_recipients_answer_all(
	    &e->recipients, LMTP_UNASKED, LMTP_NEVER, text);
}

/*
 * BDAT carries octets as they are, but lines that do not end with CRLF it may
 * carry only where BINARYMIME says so (RFC 3030 3); else they are mended on
 * the way through DATA.
 */
static void
choose_body(struct lmtp_envelope *e, const struct lmtp_terms *terms,
    const struct lmtp_mail *mail)
{
	e->binary = mail->bare && terms->chunking && terms->binary_mime;
	e->eight_bit = mail->eight_bit && !e->binary && terms->eight_bit_mime;
	e->chunked = terms->chunking && (e->binary || !mail->bare);
}

void
lmtp_envelope_init(struct lmtp_envelope *e, const struct lmtp_terms *terms,
    const struct lmtp_mail *mail)
{
	*e = (struct lmtp_envelope){ .names_size = terms->size };
	copy(e, mail);
	choose_body(e, terms, mail);
	e->utf8 = terms->smtputf8 && wants_utf8(e);
	refuse_if_too_large(e, terms);
	if (e->recipients.due == 0 && !terms->smtputf8)
		do_without_utf8(e);
}

void
lmtp_envelope_deinit(struct lmtp_envelope *e)
{
	lmtp_recipients_deinit(&e->recipients);
	free(e->sender);
	*e = (struct lmtp_envelope){ 0 };
}

void
lmtp_envelope_put_mail(const struct lmtp_envelope *e, struct buf *out)
{
	buf_printf(out, "MAIL FROM:<%s>", e->sender);
	if (e->names_size)
		buf_printf(out, " SIZE=%llu", (unsigned long long)e->size);
	if (e->binary)
		buf_add(out, SPAN(" BODY=BINARYMIME"));
	if (e->eight_bit)
		buf_add(out, SPAN(" BODY=8BITMIME"));
	if (e->utf8)
		buf_add(out, SPAN(" SMTPUTF8"));
	buf_add(out, SPAN("\r\n"));
}

void
lmtp_envelope_put_rcpt(const struct lmtp_envelope *e, size_t i, struct buf *out)
{
	buf_printf(out, "RCPT TO:<%s>\r\n", e->recipients.list[i].address);
}
