/* SPDX-License-Identifier: ISC */
/*
 * A process for HTTPS that was taken over: whatever it says is one answer
 * within the limits, or an error that can be printed, or neither. The first
 * octet says whether it is an answer, or the request that it is given.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "io/https_wire.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was understood is said in the same words, but for a type that had to be
 * cut. */
static void
check_answer(struct span octets, const struct https_answer *a)
{
	struct buf again;

	assert(a->status >= 100 && a->status <= 599);
	assert(a->type.n <= HTTPS_TYPE_MAX && a->body.n <= HTTPS_BODY_MAX);
	https_pack_reply(&again, a, NULL);
	assert(span_eq(buf_span(&again), octets));
	buf_wipe(&again);
}

static void
check_error(const struct err *e)
{
	char shown[ERR_TEXT_MAX * 4];

	assert(e->kind != ERR_NONE && e->kind < ERR_KINDS);
	text_printable(shown, sizeof(shown), span_of(e->text));
	assert(strcmp(shown, e->text) == 0);
}

static void
read_reply(struct span octets)
{
	struct https_answer a;
	struct err e = { 0 };
	int r = https_unpack_reply(octets, &a, &e);

	if (r > 0)
		check_answer(octets, &a);
	else if (r == 0)
		check_error(&e);
}

static void
read_request(struct span octets)
{
	struct https_request r;

	if (https_unpack_request(octets, &r))
		assert(strncasecmp(r.url, "https://", 8) == 0 &&
		    r.form.n < octets.n);
	https_request_deinit(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span octets;

	if (size < 1)
		return 0;
	octets = span_make((const char *)data + 1, size - 1);
	if ((data[0] & 1) != 0)
		read_reply(octets);
	else
		read_request(octets);
	return 0;
}
