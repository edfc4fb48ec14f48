/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_PROTO_SPLIT_H
#define MAILHAUL_TESTS_UNIT_PROTO_SPLIT_H

/*
 * Runs a machine over what a server says, cut at every place: whole, one
 * octet at a time, in two pieces at every cut, and in pieces of every small
 * size. All runs must give the same log; that log is returned (free it).
 *
 * The server speaks in turns: a turn is given only when the one before was
 * used up (after STARTTLS, say), and cuts fall inside turns. Each piece lies
 * in memory of exactly its size and is freed after feed(), so that reading
 * over its end, or keeping a borrowed span, is seen by ASan.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/span.h"

struct split_ops {
	void *(*open)(const void *arg);
	void (*feed)(void *run, struct span piece);
	char *(*close)(void *run); /* the log, allocated; ends the run */
};

/* feed() in pieces of size octets, the first of them of first octets. */
static inline void
split_turn(const struct split_ops *ops, void *run, struct span turn,
    size_t first, size_t size)
{
	size_t n = first;

	while (turn.n > 0) {
		struct span piece = span_take(&turn, n > 0 ? n : size);
		char *copy = malloc(piece.n);

		assert_non_null(copy);
		memcpy(copy, piece.p, piece.n);
		ops->feed(run, span_make(copy, piece.n));
		free(copy);
		n = size;
	}
}

/* Only turn number which is cut; the others are given whole. */
static inline char *
split_run(const struct split_ops *ops, const void *arg,
    const struct span *turns, size_t n, size_t which, size_t first, size_t size)
{
	void *run = ops->open(arg);

	for (size_t i = 0; i < n; i++) {
		if (i == which || which == n)
			split_turn(ops, run, turns[i], first, size);
		else
			split_turn(ops, run, turns[i], 0, SIZE_MAX);
	}
	return ops->close(run);
}

static inline void
split_same(const char *want, char *got)
{
	assert_string_equal(got, want);
	free(got);
}

static inline char *
split_every(const struct split_ops *ops, const void *arg,
    const struct span *turns, size_t n)
{
	char *want = split_run(ops, arg, turns, n, n, 0, SIZE_MAX);

	for (size_t size = 1; size < 20; size++)
		split_same(want, split_run(ops, arg, turns, n, n, 0, size));
	for (size_t i = 0; i < n; i++) {
		size_t stride = 1 + turns[i].n / 2000;

		for (size_t cut = 1; cut < turns[i].n; cut += stride)
			split_same(want,
			    split_run(ops, arg, turns, n, i, cut, SIZE_MAX));
	}
	return want;
}

/* For the usual case of one turn. */
static inline char *
split_every_one(const struct split_ops *ops, const void *arg, struct span turn)
{
	return split_every(ops, arg, &turn, 1);
}

#endif
