/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_LOG_LINE_H
#define MAILHAUL_SYS_LOG_LINE_H

/* A line of the log in its parts, as sys/log.c hands it to the formats. */

#include <stddef.h>

#include "sys/log.h"

/* Octets that are shown, with a NUL: of subject and message together and of
 * each, of a field's value; and how many fields there are at most. */
#define LOG_LINE_MAX 2048
#define LOG_FIELD_MAX 512
#define LOG_FIELDS_MAX 16

struct log_line {
	enum log_level level;
	const char *subject, *message; /* printable, without any mark */
	const struct log_field *fields;
	size_t n;
};

/* What syslog(3) calls the level: 3 for error to 7 for debug and trace. */
int log_priority(enum log_level level);

/* "subject: error: message", cut where it is too long; dst is returned. */
char *log_line_text(char dst[LOG_LINE_MAX], const struct log_line *line);

#endif
