/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_TEXT_H
#define MAILHAUL_UTIL_TEXT_H

/* Reading and showing text, without locale and without surprises. */

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

/*
 * A decimal number at the front of *s, digits only, at most max. Steps over
 * it and sets *out; on anything else (no digit, overflow, above max) returns
 * false and leaves both alone.
 */
bool text_number(struct span *s, uint64_t max, uint64_t *out);

/*
 * "30s 5m 2h 14d" (one number, one unit; a bare number is seconds) and
 * "512K 50M 2G" (powers of 1024; a bare number is octets). The whole of s
 * must be used.
 */
bool text_duration(struct span s, uint64_t *seconds);
bool text_size(struct span s, uint64_t *octets);

/*
 * Makes text from elsewhere fit for a terminal, a log and a header: printable
 * ASCII and well-formed UTF-8 stay (but no C1, bidi or line separators), all
 * else becomes \xHH. dst always ends in NUL; what is too long ends in "...".
 * Returns dst.
 */
char *text_printable(char *dst, size_t size, struct span s);

bool text_is_utf8(struct span s);

/* True when s holds a CR, LF or NUL: it may not go on the wire. */
bool text_breaks_line(struct span s);

/* 0 to 15, of either case; -1: it is none. */
int text_hex_digit(char c);

/* A letter or digit of ASCII, or one of "._@+/=-": what no program takes for
 * anything but itself. */
bool text_is_plain(char c);

/* Edit distance, for "did you mean". Stops counting at limit. */
unsigned int text_distance(const char *a, const char *b, unsigned int limit);

/* "4.2 MB" and "1h 03m" for people; dst is returned. */
char *text_octets(char *dst, size_t size, uint64_t octets);
char *text_span_of_time(char *dst, size_t size, uint64_t seconds);

#endif
