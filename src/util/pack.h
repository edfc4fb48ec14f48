/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_PACK_H
#define MAILHAUL_UTIL_PACK_H

/*
 * Values in and out of a packet between our own processes. Little-endian
 * integers, spans with a 32-bit length in front. The reader trusts nobody:
 * one value past the end sets bad, and every later read gives 0 or empty, so
 * a handler reads all it wants and asks unpack_ok() once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/span.h"

/* All of these ignore the buffer's overflow: they assert that it fits, since
 * both sides are ours and sizes are checked before packing. */
void pack_u8(struct buf *b, uint8_t v);
void pack_u32(struct buf *b, uint32_t v);
void pack_u64(struct buf *b, uint64_t v);
void pack_span(struct buf *b, struct span s);
void pack_str(struct buf *b, const char *s); /* NULL is sent as empty */

struct unpack {
	struct span rest;
	bool bad;
};

struct unpack unpack_of(struct span packet);
uint8_t unpack_u8(struct unpack *u);
uint32_t unpack_u32(struct unpack *u);
uint64_t unpack_u64(struct unpack *u);
struct span unpack_span(struct unpack *u); /* borrowed from the packet */
char *unpack_str(struct unpack *u);        /* allocated; NUL inside is bad */
bool unpack_more(const struct unpack *u);  /* good, and octets are left */
bool unpack_ok(const struct unpack *u);    /* good, and nothing is left */

#endif
