/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_LOG_RELAY_H
#define MAILHAUL_SYS_LOG_RELAY_H

/*
 * LOG_RELAY: how a child writes a line that its parent puts into the log. It
 * keeps the parts apart, with octets that no printable text has: RS, a digit
 * for the level, subject, US, message, then US name=value for each field.
 * One write(2) of less than PIPE_BUF, so children may share a pipe.
 */

#include <stdbool.h>

#include "sys/log_line.h"
#include "util/buf.h"

#define LOG_RELAY_MAX 4095 /* and a newline */

/* A field that would make it longer than that is left out. */
void log_relay_write(struct buf *b, const struct log_line *line);

struct log_relayed {
	struct log_line line; /* its parts are in mem */
	struct log_field fields[LOG_FIELDS_MAX];
	char mem[LOG_RELAY_MAX + 1];
};

/*
 * Takes s (without the newline) apart. False when no child of ours wrote it
 * so. A child may be hostile: the subject and the message are not printable
 * yet, names of fields that are not in order are left out.
 */
bool log_relay_read(struct span s, struct log_relayed *out);

#endif
