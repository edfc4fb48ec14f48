/* SPDX-License-Identifier: ISC */
/*
 * Line ends at any split: the first octet chooses the size of the pieces, the
 * second the room for the output; the rest is the message. The result is
 * compared with the plainest way to do it.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/eol.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
plain(const char *in, size_t n, char *out)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (in[i] == '\r' && i + 1 < n && in[i + 1] == '\n')
			continue;
		out[k++] = in[i];
	}
	return k;
}

static size_t
converted(struct span in, size_t piece, size_t room, char *out)
{
	struct eol eol;
	size_t n = 0;

	eol_init(&eol);
	while (in.n > 0) {
		struct span part = span_take(&in, piece);

		while (part.n > 0) {
			char *octets = mem_array(1, room); /* exactly */
			size_t k = eol_convert(&eol, &part, octets, room);

			assert(k <= room);
			memcpy(out + n, octets, k);
			n += k;
			free(octets);
		}
	}
	return n + eol_end(&eol, out + n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in;
	char *want, *got;
	size_t n, k;

	if (size < 2)
		return 0;
	in = span_make((const char *)data + 2, size - 2);
	want = mem_array(1, in.n + 1);
	got = mem_array(1, in.n + 1);
	n = plain(in.p, in.n, want);
	k = converted(in, data[0] + 1u, data[1] + 1u, got);
	assert(n == k && memcmp(want, got, n) == 0);
	free(want);
	free(got);
	return 0;
}
