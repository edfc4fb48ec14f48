/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_POP3_LINE_H
#define MAILHAUL_PROTO_POP3_LINE_H

/*
 * Lines out of octets fed at any split. A line ends with LF; one CR before it
 * is not part of the line. Of a longer line than POP3_LINE_MAX the front is
 * given and the rest is skipped, so memory is bounded whatever comes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/span.h"

#define POP3_LINE_MAX 65536

struct pop3_line {
	struct buf held; /* the front of a line that came in pieces */
	uint64_t seen;   /* octets of this line up to now, without LF */
	char last;       /* the last of them */
	bool bare;       /* the line given last ended with LF alone */
	bool given;
};

void pop3_line_init(struct pop3_line *l);
void pop3_line_deinit(struct pop3_line *l);

/* True: *line is the next line, borrowed from *in or *l until the next call.
 * False: all of *in is used, and the line has no end yet. */
bool pop3_line_next(struct pop3_line *l, struct span *in, struct span *line);

#endif
