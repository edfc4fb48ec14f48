/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/text.h"

#define LINE_MAX_OCTETS 2048
#define WIRE_MAX_OCTETS 500

static const struct {
	const char *name;
	const char *mark; /* stands in the line, where the reader must look */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "error: " },
	[LOG_LEVEL_WARNING] = { "warning", "warning: " },
	[LOG_LEVEL_NOTICE] = { "notice", "" },
	[LOG_LEVEL_INFO] = { "info", "" },
	[LOG_LEVEL_DEBUG] = { "debug", "" },
	[LOG_LEVEL_TRACE] = { "trace", "" },
};

static enum log_level wanted = LOG_LEVEL_INFO;
static enum log_format format;
static log_sink_fn sink;

void
log_set_level(enum log_level level)
{
	wanted = level;
}

enum log_level
log_level(void)
{
	return wanted;
}

bool
log_wants(enum log_level level)
{
	return level <= wanted;
}

void
log_set_format(enum log_format f)
{
	format = f;
}

void
log_set_sink(log_sink_fn fn)
{
	sink = fn;
}

bool
log_level_parse(const char *name, enum log_level *level)
{
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

/* One write(2) per line: lines of several processes do not mix. */
static void
hand_out(enum log_level level, struct span raw)
{
	char line[LINE_MAX_OCTETS + 1];
	size_t n;
	ssize_t told;

	text_printable(line, LINE_MAX_OCTETS, raw);
	if (sink != NULL) {
		sink(level, line);
		return;
	}
	n = strlen(line);
	line[n] = '\n';
	told = write(STDERR_FILENO, line, n + 1);
	(void)told; /* where would we complain? */
}

/* What snprintf() wrote of what it wanted to write. */
static size_t
written(int wants, size_t size)
{
	if (wants < 0)
		return 0;
	return (size_t)wants < size ? (size_t)wants : size - 1;
}

static void say(enum log_level level, const char *subject, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
say(enum log_level level, const char *subject, const char *fmt, va_list ap)
{
	/* one more than is shown, so that a cut is seen and marked */
	char raw[LINE_MAX_OCTETS + 1];
	size_t n;

	if (!log_wants(level))
		return;
	n = written(
	    snprintf(raw, sizeof(raw), "%s: %s", subject, levels[level].mark),
	    sizeof(raw));
	n += written(
	    vsnprintf(raw + n, sizeof(raw) - n, fmt, ap), sizeof(raw) - n);
	hand_out(level, span_make(raw, n));
}

#define SAY(level)                                                             \
	do {                                                                   \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, fmt);                                             \
		say(level, subject, fmt, ap);                                  \
		va_end(ap);                                                    \
	} while (0)

void
log_record(enum log_level level, const char *subject,
    const struct log_field *fields, size_t n, const char *fmt, ...)
{
	(void)fields;
	(void)n;
	(void)format;
	SAY(level);
}

void
log_error(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_ERROR);
}

void
log_warning(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_WARNING);
}

void
log_notice(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_NOTICE);
}

void
log_info(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_INFO);
}

void
log_debug(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_DEBUG);
}

static void
wire_line(const char *subject, char who, struct span line)
{
	char raw[LINE_MAX_OCTETS + 1];
	struct span shown;
	size_t n, more;

	shown = span_take(&line, WIRE_MAX_OCTETS);
	more = line.n;
	n = written(snprintf(raw, sizeof(raw), "%.256s: %c: ", subject, who),
	    sizeof(raw));
	if (shown.n > 0)
		memcpy(raw + n, shown.p, shown.n);
	n += shown.n;
	if (more > 0)
		n += written(snprintf(raw + n, sizeof(raw) - n,
				 " (and %zu octets more)", more),
		    sizeof(raw) - n);
	hand_out(LOG_LEVEL_TRACE, span_make(raw, n));
}

void
log_wire(const char *subject, char who, struct span octets)
{
	if (!log_wants(LOG_LEVEL_TRACE))
		return;
	while (octets.n > 0) {
		struct span line = span_until(&octets, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		wire_line(subject, who, line);
	}
}
