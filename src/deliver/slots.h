/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_SLOTS_H
#define MAILHAUL_DELIVER_SLOTS_H

/*
 * The commits and questions that are not answered yet, by the cookie
 * that comes back in the answer.
 */

#include <stdbool.h>
#include <stdint.h>

#include "deliver/client.h"
#include "util/err.h"

struct slot {
	bool used;
	bool failed; /* here already: e is the answer (ERR_NONE: known) */
	struct client_box *box; /* not ours; NULL: nobody wants to know */
	uint32_t number;
	uint64_t octets;
	uint64_t opened_ms, asked_us; /* by the monotonic clock */
	letter_fn fn;
	letter_then_fn then; /* NULL: nothing */
	void *then_arg;
	struct letter *letter; /* not ours; of an ASK, else NULL */
	struct err *e;         /* ours; NULL unless failed */
	uint32_t next_free;
};

struct slots {
	struct slot *v;
	uint32_t n, first_free;
	uint32_t used, failed; /* how many */
};

void slots_init(struct slots *s);
void slots_deinit(struct slots *s);

/* Keeps a copy of slot (its e is copied, too) and returns its cookie. */
uint32_t slots_put(struct slots *s, const struct slot *slot);
/* NULL when the cookie is not one in use. Valid until slots_put(). */
struct slot *slots_find(struct slots *s, uint32_t cookie);
/* Takes it out. out->e is the caller's to free. */
void slots_take(struct slots *s, uint32_t cookie, struct slot *out);

/* The first that failed (or, with any, the first at all) into *cookie. */
bool slots_first(const struct slots *s, bool any, uint32_t *cookie);
/* Nobody wants to know of this box any more, of this letter. */
void slots_orphan(struct slots *s, const struct client_box *box);
void slots_orphan_letter(struct slots *s, const struct letter *letter);

#endif
