/* SPDX-License-Identifier: ISC */
#include "sys/log_json.h"

#include <string.h>
#include <time.h>

#include "util/text.h"

/* What is printable needs no other escapes (RFC 8259 7). */
static void
put_string(struct buf *b, const char *s)
{
	(void)buf_addc(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			(void)buf_addc(b, '\\');
		(void)buf_addc(b, *s);
	}
	(void)buf_addc(b, '"');
}

static void
put_member(struct buf *b, const char *name, const char *value)
{
	(void)buf_addc(b, ',');
	put_string(b, name);
	(void)buf_addc(b, ':');
	put_string(b, value);
}

static void
put_time(struct buf *b, int64_t s, uint32_t us)
{
	time_t t = (time_t)s;
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	(void)buf_printf(b, "\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03uZ\"",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, us / 1000);
}

/* Readers disagree on which of two members with a name counts. */
static bool
is_taken(const struct log_line *line, size_t i)
{
	static const char *const ours[] = { "time", "level", "subject",
		"message" };
	const char *name = line->fields[i].name;

	for (size_t k = 0; k < sizeof(ours) / sizeof(*ours); k++)
		if (strcmp(ours[k], name) == 0)
			return true;
	for (size_t k = 0; k < i; k++)
		if (strcmp(line->fields[k].name, name) == 0)
			return true;
	return false;
}

static void
put_field(struct buf *b, const struct log_field *f)
{
	char value[LOG_FIELD_MAX];

	text_printable(value, sizeof(value), span_of(f->value));
	put_member(b, f->name, value);
}

void
log_json_write(
    struct buf *b, const struct log_line *line, int64_t s, uint32_t us)
{
	(void)buf_addc(b, '{');
	put_time(b, s, us);
	put_member(b, "level", log_level_name(line->level));
	put_member(b, "subject", line->subject);
	put_member(b, "message", line->message);
	for (size_t i = 0; i < line->n; i++)
		if (!is_taken(line, i))
			put_field(b, &line->fields[i]);
	(void)buf_addc(b, '}');
}
