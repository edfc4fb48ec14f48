/* SPDX-License-Identifier: ISC */
#include "deliver/fingerprint.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/header.h"
#include "util/mem.h"

#define READ_OCTETS 65536

static const char *const names[] = { "Message-ID", "Date", "From" };

#define FIELDS (sizeof(names) / sizeof(names[0]))

struct fingerprint {
	struct header *header;
};

struct fingerprint *
fingerprint_new(void)
{
	struct fingerprint *f = mem_new(sizeof(*f));

	f->header = header_new(names, FIELDS);
	return f;
}

void
fingerprint_free(struct fingerprint **f)
{
	if (*f == NULL)
		return;
	header_free(&(*f)->header);
	free(*f);
	*f = NULL;
}

void
fingerprint_add(struct fingerprint *f, struct span octets)
{
	header_add(f->header, octets);
}

static void
add_number(struct digest_state *with, uint64_t v)
{
	char octets[8];

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (char)(uint8_t)(v >> (8 * i));
	digest_add(with, span_make(octets, sizeof(octets)));
}

void
fingerprint_end(const struct fingerprint *f, struct digest_state *with,
    uint64_t size, struct digest *out)
{
	digest_begin(with);
	for (size_t i = 0; i < FIELDS; i++) {
		struct span value = header_value(f->header, i);

		add_number(with, value.n);
		digest_add(with, value);
	}
	add_number(with, size);
	digest_end(with, out);
}
