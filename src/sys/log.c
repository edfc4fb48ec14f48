/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log_journal.h"
#include "sys/log_json.h"
#include "sys/log_line.h"
#include "sys/log_relay.h"
#include "sys/log_syslog.h"
#include "util/text.h"

#define WIRE_MAX_OCTETS 500

static const struct {
	const char *name;
	const char *mark; /* stands in the line, where the reader must look */
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "error: ", 3 },
	[LOG_LEVEL_WARNING] = { "warning", "warning: ", 4 },
	[LOG_LEVEL_NOTICE] = { "notice", "", 5 },
	[LOG_LEVEL_INFO] = { "info", "", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", "", 7 },
	[LOG_LEVEL_TRACE] = { "trace", "", 7 },
};

static enum log_level wanted = LOG_LEVEL_INFO;
static enum log_format format = LOG_TEXT;
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
	bool journal = log_journal_reads(STDERR_FILENO);

	if (f == LOG_AUTO)
		f = journal ? LOG_JOURNAL : LOG_TEXT;
	log_journal_close();
	if (f == LOG_JOURNAL && journal)
		(void)log_journal_open(LOG_JOURNAL_PATH); /* or "<3>" it is */
	if (f == LOG_SYSLOG)
		log_syslog_open();
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

int
log_priority(enum log_level level)
{
	return levels[level].priority;
}

/* What snprintf() wrote of what it wanted to write. */
static size_t
written(int wants, size_t size)
{
	if (wants < 0)
		return 0;
	return (size_t)wants < size ? (size_t)wants : size - 1;
}

char *
log_line_text(char dst[LOG_LINE_MAX], const struct log_line *line)
{
	/* one more than is shown, so that a cut is seen and marked */
	char raw[LOG_LINE_MAX + 1];
	size_t n = written(snprintf(raw, sizeof(raw), "%s: %s%s", line->subject,
			       levels[line->level].mark, line->message),
	    sizeof(raw));

	return text_printable(dst, LOG_LINE_MAX, span_make(raw, n));
}

/* ---- to where they go ---- */

/* One write(2) per line: lines of several processes do not mix. */
static void
put(struct buf *b)
{
	struct span all;
	ssize_t told;

	(void)buf_addc(b, '\n');
	all = buf_span(b);
	told = write(STDERR_FILENO, all.p, all.n);
	(void)told; /* where would we complain? */
}

static void
put_text(struct buf *b, const struct log_line *line)
{
	char text[LOG_LINE_MAX];

	if (format == LOG_JOURNAL)
		(void)buf_printf(b, "<%d>", log_priority(line->level));
	(void)buf_add(b, span_of(log_line_text(text, line)));
}

static void
put_json(struct buf *b, const struct log_line *line)
{
	int64_t s;
	uint32_t us;

	clock_wall(&s, &us);
	log_json_write(b, line, s, us);
}

static void
to_standard_error(const struct log_line *line)
{
	struct buf b;

	buf_init(&b, LOG_JSON_MAX + 1);
	if (format == LOG_JSON)
		put_json(&b, line);
	else if (format == LOG_RELAY)
		log_relay_write(&b, line);
	else
		put_text(&b, line);
	put(&b);
	buf_deinit(&b);
}

static void
hand_out(const struct log_line *line)
{
	char text[LOG_LINE_MAX];

	if (sink != NULL)
		sink(line->level, log_line_text(text, line));
	else if (format == LOG_SYSLOG)
		log_syslog_send(
		    log_priority(line->level), log_line_text(text, line));
	else if (format != LOG_JOURNAL || !log_journal_send(line))
		to_standard_error(line);
}

static void
show(enum log_level level, const char *subject, struct span message,
    const struct log_field *fields, size_t n)
{
	char s[LOG_LINE_MAX], m[LOG_LINE_MAX];
	struct log_line line = { .level = level,
		.subject = s,
		.message = m,
		.fields = fields,
		.n = n < LOG_FIELDS_MAX ? n : LOG_FIELDS_MAX };

	text_printable(s, sizeof(s), span_of(subject));
	text_printable(m, sizeof(m), message);
	hand_out(&line);
}

void
log_relay(const char *who, struct span line)
{
	struct log_relayed r;

	if (log_relay_read(line, &r))
		show(r.line.level, r.line.subject, span_of(r.line.message),
		    r.line.fields, r.line.n);
	else if (line.n > 0)
		show(LOG_LEVEL_WARNING, who, line, NULL, 0);
}

/* ---- from where they come ---- */

static void say(enum log_level level, const char *subject,
    const struct log_field *fields, size_t n, const char *fmt, va_list ap)
    __attribute__((format(printf, 5, 0)));

static void
say(enum log_level level, const char *subject, const struct log_field *fields,
    size_t n, const char *fmt, va_list ap)
{
	char raw[LOG_LINE_MAX + 1];
	size_t octets;

	if (!log_wants(level))
		return;
	octets = written(vsnprintf(raw, sizeof(raw), fmt, ap), sizeof(raw));
	show(level, subject, span_make(raw, octets), fields, n);
}

#define SAY(level, fields, n)                                                  \
	do {                                                                   \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, fmt);                                             \
		say(level, subject, fields, n, fmt, ap);                       \
		va_end(ap);                                                    \
	} while (0)

void
log_record(enum log_level level, const char *subject,
    const struct log_field *fields, size_t n, const char *fmt, ...)
{
	SAY(level, fields, n);
}

void
log_error(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_ERROR, NULL, 0);
}

void
log_warning(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_WARNING, NULL, 0);
}

void
log_notice(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_NOTICE, NULL, 0);
}

void
log_info(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_INFO, NULL, 0);
}

void
log_debug(const char *subject, const char *fmt, ...)
{
	SAY(LOG_LEVEL_DEBUG, NULL, 0);
}

static void
wire_line(const char *subject, char who, struct span line)
{
	char raw[LOG_LINE_MAX + 1];
	struct span shown;
	size_t n, more;

	shown = span_take(&line, WIRE_MAX_OCTETS);
	more = line.n;
	n = written(snprintf(raw, sizeof(raw), "%c: ", who), sizeof(raw));
	if (shown.n > 0)
		memcpy(raw + n, shown.p, shown.n);
	n += shown.n;
	if (more > 0)
		n += written(snprintf(raw + n, sizeof(raw) - n,
				 " (and %zu octets more)", more),
		    sizeof(raw) - n);
	show(LOG_LEVEL_TRACE, subject, span_make(raw, n), NULL, 0);
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
