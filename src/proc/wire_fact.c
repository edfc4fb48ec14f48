/* SPDX-License-Identifier: ISC */
#include "proc/wire_fact.h"

#include <stdlib.h>

#include "util/mem.h"
#include "util/text.h"

void
wire_pack_fact(struct buf *b, const struct fact *fact)
{
	pack_u8(b, (uint8_t)fact->kind);
	for (size_t i = 0; i < FACT_TEXTS; i++)
		pack_str(b, fact->text[i]);
	for (size_t i = 0; i < FACT_NUMBERS; i++)
		pack_u64(b, fact->number[i]);
}

bool
wire_unpack_fact(struct unpack *u, struct fact *fact)
{
	uint8_t kind = unpack_u8(u);

	*fact = (struct fact){ .kind = (enum fact_kind)kind };
	for (size_t i = 0; i < FACT_TEXTS; i++) {
		char text[FACT_TEXT_MAX];

		text_printable(text, sizeof(text), unpack_span(u));
		fact->text[i] = mem_strdup(text);
	}
	for (size_t i = 0; i < FACT_NUMBERS; i++)
		fact->number[i] = unpack_u64(u);
	return unpack_ok(u) && kind < FACT_KINDS;
}

void
wire_copy_fact(struct fact *to, const struct fact *from)
{
	*to = *from;
	for (size_t i = 0; i < FACT_TEXTS; i++)
		to->text[i] = mem_strdup(from->text[i]);
}

void
wire_free_fact(struct fact *fact)
{
	for (size_t i = 0; i < FACT_TEXTS; i++)
		free((char *)(uintptr_t)fact->text[i]);
}
