/* SPDX-License-Identifier: ISC */
#include "sys/log_relay.h"

#include <string.h>

#include "util/text.h"

#define RS '\x1e'
#define US '\x1f'
#define SUBJECT_MAX 512
#define NAME_MAX_OCTETS 32

/* ---- in the child ---- */

static void
put_field(struct buf *b, const struct log_field *f)
{
	char value[LOG_FIELD_MAX];

	text_printable(value, sizeof(value), span_of(f->value));
	if (b->n + strlen(f->name) + strlen(value) + 2 <= LOG_RELAY_MAX)
		(void)buf_printf(b, "%c%s=%s", US, f->name, value);
}

void
log_relay_write(struct buf *b, const struct log_line *line)
{
	char subject[SUBJECT_MAX];

	text_printable(subject, sizeof(subject), span_of(line->subject));
	(void)buf_printf(
	    b, "%c%d%s%c%s", RS, (int)line->level, subject, US, line->message);
	for (size_t i = 0; i < line->n; i++)
		put_field(b, &line->fields[i]);
}

/* ---- in the parent ---- */

/* The next part, as a string in place. */
static char *
next_part(char **rest)
{
	char *part = *rest;
	char *end = strchr(part, US);

	if (end == NULL) {
		*rest = part + strlen(part);
	} else {
		*end = '\0';
		*rest = end + 1;
	}
	return part;
}

static bool
is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n <= NAME_MAX_OCTETS && s[n] == '\0' && s[0] >= 'a';
}

static void
read_fields(char *rest, struct log_relayed *out)
{
	while (*rest != '\0' && out->line.n < LOG_FIELDS_MAX) {
		char *name = next_part(&rest);
		char *value = strchr(name, '=');

		if (value == NULL)
			continue;
		*value = '\0';
		if (is_name(name))
			out->fields[out->line.n++] =
			    (struct log_field){ name, value + 1 };
	}
}

bool
log_relay_read(struct span s, struct log_relayed *out)
{
	char *rest = out->mem;

	if (s.n < 2 || s.n > LOG_RELAY_MAX || s.p[0] != RS || s.p[1] < '0' ||
	    s.p[1] > '0' + LOG_LEVEL_TRACE || span_find(s, '\0') < s.n ||
	    span_find(s, US) == s.n)
		return false;
	memcpy(out->mem, s.p + 2, s.n - 2);
	out->mem[s.n - 2] = '\0';
	out->line = (struct log_line){ .level = (enum log_level)(s.p[1] - '0'),
		.fields = out->fields };
	out->line.subject = next_part(&rest);
	out->line.message = next_part(&rest);
	read_fields(rest, out);
	return true;
}
