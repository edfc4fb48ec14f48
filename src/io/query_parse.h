/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_QUERY_PARSE_H
#define MAILHAUL_IO_QUERY_PARSE_H

/*
 * DNS messages (RFC 1035) for io/query.c: made, and taken apart. Pure. What
 * comes may be anything: the C library expands names (dn_expand(3)), at most
 * some hundred records are looked at, and what is not understood is left out.
 */

#include "io/query.h"
#include "util/buf.h"
#include "util/span.h"

/* RFC 9715: what passes in one piece nearly everywhere. */
#define QUERY_UDP_MAX 1232
#define QUERY_MESSAGE_MAX 65535

struct query_question {
	uint16_t id;
	enum query_type type;
	size_t n;
	char wire[260]; /* name, type and class as they stand in a message */
};

/* id and type are set by the caller. -1 (ERR_CONFIG): that is no name. */
int query_question_init(
    struct query_question *q, const char *name, struct err *e);

/* Adds the message that asks it. With edns it says how much may come by UDP
 * (RFC 6891). */
void query_put(struct buf *out, const struct query_question *q, bool edns);

enum query_verdict {
	QUERY_ANSWERED, /* *n records, perhaps none; and *ad */
	QUERY_CUT,      /* ask again by TCP */
	QUERY_NO_EDNS,  /* ask again without it; if that was done, see *e */
	QUERY_OTHER,    /* that answers another question: wait on */
	QUERY_FAILED    /* this server has no answer, and *e why: ask another */
};

/* records has room for QUERY_RECORDS_MAX. */
enum query_verdict query_read(struct span message,
    const struct query_question *q, struct query_record *records, size_t *n,
    bool *ad, struct err *e);

#endif
