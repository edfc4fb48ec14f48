/* SPDX-License-Identifier: ISC */
#include "proto/pop3_text.h"

#include <stddef.h>
#include <string.h>

#include "util/text.h"

#define LOGIN_DELAY_MAX_S 86400

enum pop3_status
pop3_text_status(struct span line, struct span *text)
{
	enum pop3_status status = POP3_STATUS_NONE;

	if (span_iskip(&line, SPAN("+OK")))
		status = POP3_STATUS_OK;
	else if (span_iskip(&line, SPAN("-ERR")))
		status = POP3_STATUS_ERR;
	else if (span_skip(&line, SPAN("+")))
		status = POP3_STATUS_GO_ON;
	*text = span_trim(line);
	return status;
}

/* One word off the front, with the blanks around it. */
static struct span
take_word(struct span *s)
{
	size_t n = 0;
	struct span word;

	*s = span_trim(*s);
	while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t')
		n++;
	word = span_take(s, n);
	*s = span_trim(*s);
	return word;
}

static bool
take_number(struct span *s, uint64_t max, uint64_t *number)
{
	struct span word = take_word(s);

	return text_number(&word, max, number) && word.n == 0;
}

/* Message numbers are keys, never an index into anything of ours. */
static bool
take_message(struct span *s, uint32_t *message)
{
	uint64_t number;

	if (!take_number(s, UINT32_MAX, &number) || number == 0)
		return false;
	*message = (uint32_t)number;
	return true;
}

bool
pop3_text_uidl(struct span line, uint32_t *number, struct span *uidl)
{
	if (!take_message(&line, number))
		return false;
	*uidl = line;
	if (line.n > POP3_UIDL_MAX || text_breaks_line(line))
		*uidl = SPAN("");
	return true;
}

bool
pop3_text_list(struct span line, uint32_t *number, uint64_t *size)
{
	if (!take_message(&line, number))
		return false;
	if (!take_number(&line, UINT64_MAX, size))
		*size = 0;
	return true;
}

bool
pop3_text_stat(struct span text, uint32_t *count, uint64_t *size)
{
	uint64_t number;

	if (!take_number(&text, UINT32_MAX, &number))
		return false;
	*count = (uint32_t)number;
	if (!take_number(&text, UINT64_MAX, size))
		*size = 0;
	return true;
}

/* RFC 5322 3.2.3 */
static bool
is_atext(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_dot_atom(struct span s)
{
	bool after_dot = true;

	for (size_t i = 0; i < s.n; i++) {
		bool dot = s.p[i] == '.';

		if (dot ? after_dot : !is_atext(s.p[i]))
			return false;
		after_dot = dot;
	}
	return !after_dot;
}

/* "[" dtext "]", the no-fold-literal of 3.6.4 */
static bool
is_literal(struct span s)
{
	if (s.n < 3 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	for (size_t i = 1; i < s.n - 1; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '[' ||
		    s.p[i] == ']' || s.p[i] == '\\')
			return false;
	return true;
}

bool
pop3_text_timestamp(struct span greeting, struct span *stamp)
{
	struct span inside, left;

	(void)span_until(&greeting, '<');
	inside.p = greeting.p;
	inside.n = span_find(greeting, '>');
	if (inside.n == greeting.n)
		return false;
	*stamp = span_make(inside.p - 1, inside.n + 2);
	left = span_until(&inside, '@');
	return stamp->n <= POP3_STAMP_MAX && is_dot_atom(left) &&
	    (is_dot_atom(inside) || is_literal(inside));
}

bool
pop3_text_capability(struct span lines, struct span name, struct span *args)
{
	while (lines.n > 0) {
		struct span line = span_until(&lines, '\n');

		if (!span_ieq(take_word(&line), name))
			continue;
		if (args != NULL)
			*args = line;
		return true;
	}
	return false;
}

unsigned int
pop3_text_login_delay(struct span lines)
{
	struct span args;
	uint64_t s;

	if (!pop3_text_capability(lines, SPAN("LOGIN-DELAY"), &args) ||
	    !take_number(&args, UINT64_MAX, &s))
		return 0;
	return s < LOGIN_DELAY_MAX_S ? (unsigned int)s : LOGIN_DELAY_MAX_S;
}

bool
pop3_text_expire(struct span lines, unsigned int *days)
{
	struct span args;
	uint64_t n;

	if (!pop3_text_capability(lines, SPAN("EXPIRE"), &args) ||
	    !take_number(&args, UINT32_MAX, &n)) /* NEVER */
		return false;
	*days = (unsigned int)n;
	return true;
}

bool
pop3_text_is_per_user(struct span lines)
{
	static const char *const names[] = { "LOGIN-DELAY", "EXPIRE" };
	struct span args;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (pop3_text_capability(lines, span_of(names[i]), &args) &&
		    pop3_text_has_word(args, SPAN("USER")))
			return true;
	return false;
}

bool
pop3_text_has_word(struct span s, struct span word)
{
	while (s.n > 0) {
		if (span_ieq(take_word(&s), word))
			return true;
	}
	return false;
}

bool
pop3_text_is_unknown_command(struct span text)
{
	static const char *const words[] = { "unknown command", "unknown auth",
		"unrecognized", "unrecognised", "unsupported", "not supported",
		"not implemented", "invalid command", "bad command",
		"syntax error", "mechanism" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_ihas(text, span_of(words[i])))
			return true;
	}
	return false;
}
