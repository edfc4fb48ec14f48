/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_LARGE_H
#define MAILHAUL_FETCH_LARGE_H

/*
 * Messages that are larger than the user wants: they stay on the server, held
 * in the ledger. With stubs a small message is delivered in place of each: it
 * has the fields of the header that readers sort by, and says what was left
 * and how to get it.
 */

#include "fetch/intake.h"
#include "fetch/run.h"
#include "util/buf.h"
#include "util/span.h"

#define LARGE_HEADER_MAX 65536 /* octets; of a longer one the beginning */

struct large {                             /* one at a time */
	const struct fetch_params *params; /* not ours */
	struct intake *intake;             /* not ours */
	const char *mailbox;               /* not ours; NULL: POP3 */
	letter_fn fn;
	uint32_t number;
	uint64_t size;
	struct buf header;
	bool waiting; /* for a letter */
	struct err e; /* of INTAKE_FAILED */
};

void large_init(struct large *l, const struct fetch_params *params,
    struct intake *intake, const char *mailbox, letter_fn fn);
void large_deinit(struct large *l);

/* "uid 7: 25.3 MB, more than max-size = 10.0 MB": into dst, returned. */
char *large_reason(char *dst, size_t size, uint64_t octets, uint64_t max);

/*
 * The header of message number, of size octets, is there: it is noted as
 * held, or its stub goes to the intake. INTAKE_WAIT: as intake_begin(), and
 * large_resume() when letters are ready again.
 */
enum intake_answer large_note(
    struct large *l, uint32_t number, uint64_t size, struct span header);
enum intake_answer large_resume(struct large *l);

/* The stub of a message, as octets with CRLF. */
void large_write_stub(struct buf *out, const struct large *l);

#endif
