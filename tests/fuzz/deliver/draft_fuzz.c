/* SPDX-License-Identifier: ISC */
/*
 * A hostile message on its way through a draft. The first octet chooses the
 * size of the pieces, the second the style, the rest is the message. Whole or
 * in pieces the file must be the same, the envelope must be fit for a command
 * line and a dialogue, and behind the front the message is what it was.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "deliver/address.h"
#include "deliver/draft.h"
#include "util/mem.h"
#include "util/text.h"

#define FILE_MAX (4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct made {
	char *octets;
	size_t n;
	struct draft_result result;
	struct envelope envelope;
};

static struct draft_style
style_of(uint8_t bits)
{
	return (struct draft_style){ .crlf = (bits & 3) == 1,
		.mbox = (bits & 3) == 2,
		.from_line = (bits & 4) != 0,
		.received = (bits & 8) != 0,
		.delivered_to = (bits & 16) != 0,
		.source = (bits & 32) != 0,
		.envelope = (bits & 64) != 0,
		.by_content = (bits & 128) != 0,
		.host = "imap.example.org",
		.protocol = "IMAPS",
		.account = "work",
		.user = "alice@example.org",
		.mailbox = "INBOX",
		.recipient_header = "Delivered-To",
		.recipient_prefix = "mbox-" };
}

static void
check_address(const char *address)
{
	assert(address[0] == '\0' || address_tame(span_of(address)));
	assert(!text_breaks_line(span_of(address)));
}

static struct made
make(struct desk *desk, const struct draft_style *style, struct span in,
    size_t piece)
{
	int fd = memfd_create("draft", MFD_CLOEXEC);
	int again = dup(fd);
	struct draft *d = draft_new(desk, fd, style, 7, NULL);
	struct made m = { 0 };
	struct err e;
	ssize_t n;

	while (in.n > 0)
		assert(draft_write(d, span_take(&in, piece), &e) == 0);
	assert(draft_finish(d, 7, &m.result, &e) == 0);
	m.envelope = *draft_envelope(d);
	draft_free(&d);
	m.octets = mem_new(FILE_MAX);
	n = pread(again, m.octets, FILE_MAX, 0);
	assert(n >= 0 && (uint64_t)n == m.result.octets);
	m.n = (size_t)n;
	close(again);
	check_address(m.envelope.sender);
	check_address(m.envelope.recipient);
	assert(!text_breaks_line(span_of(m.envelope.about)));
	return m;
}

/* The date in front may differ by a second. */
static bool
has_date(const struct draft_style *s)
{
	return s->received || s->from_line || s->mbox;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draft_style style;
	struct made whole, split;
	struct desk *desk;
	struct span in;

	if (size < 2)
		return 0;
	desk = desk_new();
	style = style_of(data[1]);
	in = span_make((const char *)data + 2, size - 2);
	whole = make(desk, &style, in, SIZE_MAX);
	split = make(desk, &style, in, (size_t)data[0] % 64 + 1);
	assert(whole.n == split.n);
	if (!has_date(&style))
		assert(memcmp(whole.octets, split.octets, whole.n) == 0);
	if (style.crlf) { /* every octet behind the front */
		assert(whole.n >= in.n);
		assert(memcmp(whole.octets + whole.n - in.n, in.p, in.n) == 0);
	}
	assert(strcmp(whole.envelope.sender, split.envelope.sender) == 0);
	assert(strcmp(whole.envelope.recipient, split.envelope.recipient) == 0);
	assert(memcmp(&whole.result.fingerprint, &split.result.fingerprint,
		   sizeof(whole.result.fingerprint)) == 0);
	free(whole.octets);
	free(split.octets);
	desk_free(&desk);
	return 0;
}
