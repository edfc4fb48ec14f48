/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_LOG_H
#define MAILHAUL_SYS_LOG_H

/*
 * One line per event, subject (account, or the room for what has none)
 * first. Lines are made printable here, so a newline or an escape from a
 * server never reaches a terminal or a log. Never pass a secret.
 *
 *	error	the operator must act	warning	skipped or retried
 *	notice	start, stop, reload	info	one line per message, session
 *	debug	changes of state	trace	the dialogue, credentials masked
 */

#include <stdbool.h>

#include "util/span.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_TRACE
};

/* How a line is written to standard error. */
enum log_format {
	LOG_AUTO,    /* LOG_JOURNAL when the journal reads it, else text */
	LOG_TEXT,    /* "subject: error: text" */
	LOG_JOURNAL, /* "<3>" in front, sd-daemon(3); or, when the journal reads
	                standard error, straight to it with all fields */
	LOG_JSON,    /* an object per line */
	LOG_SYSLOG,  /* to syslog(3) instead */
	LOG_RELAY /* for log_relay() of a parent, whose format counts: a child
	                behind walls can open no socket */
};

/* What a line says, once more for machines. The name is in lower case and
 * without a prefix: "account", "uid", "ms". At most 16 are kept. */
struct log_field {
	const char *name;
	const char *value;
};

/* Receives one finished line without a newline. */
typedef void (*log_sink_fn)(enum log_level level, const char *line);

void log_set_level(enum log_level level);
enum log_level log_level(void);
bool log_wants(enum log_level level);
void log_set_format(enum log_format format); /* text is the default */
void log_set_sink(log_sink_fn sink); /* NULL: standard error, the default */
bool log_level_parse(const char *name, enum log_level *level);
const char *log_level_name(enum log_level level);

/* clang-format off */
#define LOG_PRINTF __attribute__((format(printf, 2, 3)))
/* clang-format on */
void log_error(const char *subject, const char *fmt, ...) LOG_PRINTF;
void log_warning(const char *subject, const char *fmt, ...) LOG_PRINTF;
void log_notice(const char *subject, const char *fmt, ...) LOG_PRINTF;
void log_info(const char *subject, const char *fmt, ...) LOG_PRINTF;
void log_debug(const char *subject, const char *fmt, ...) LOG_PRINTF;

/* With fields for the formats that have them; text and journal lines show
 * what fmt says alone. */
void log_record(enum log_level level, const char *subject,
    const struct log_field *fields, size_t n, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/*
 * Logs what a child wrote to its standard error, one line without its
 * newline. What is not of LOG_RELAY comes from a library or is the last word
 * of one that crashed: it becomes a warning about who. The child's level has
 * chosen; ours does not choose again.
 */
void log_relay(const char *who, struct span line);

/* The dialogue: each line of octets, as "subject: C: text" or "S: text". */
void log_wire(const char *subject, char who, struct span octets);

#endif
