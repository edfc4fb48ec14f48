/* SPDX-License-Identifier: ISC */
#include "conf/netrc.h"

#include <stdbool.h>
#include <string.h>

#include "util/buf.h"
#include "util/text.h"

enum keyword {
	MACHINE,
	DEFAULT,
	LOGIN,
	PASSWORD,
	IGNORED, /* and so is the word behind it */
	MACDEF,
	NO_KEYWORD,
	NO_MORE
};

struct netrc {
	struct span in;
	unsigned int line;
	struct buf word;
	struct span host, user; /* not ours */
	struct err *e;
	bool broken; /* *e says why */
	/* The entry we are in. */
	bool in_entry, is_default, host_fits;
	bool has_login, login_fits, has_password;
	struct buf password;
};

static void
fail(struct netrc *n, const char *text)
{
	if (!n->broken)
		err_set(n->e, ERR_CONFIG, 0, "line %u: %s", n->line, text);
	n->broken = true;
}

/* ---- words ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char
take(struct netrc *n)
{
	char c = *span_take(&n->in, 1).p;

	if (c == '\n')
		n->line++;
	return c;
}

static void
skip_line(struct netrc *n)
{
	while (n->in.n > 0 && take(n) != '\n')
		;
}

static void
put(struct netrc *n, char c)
{
	if (c == '\0')
		fail(n, "there is a NUL: this is no netrc");
	else if (buf_addc(&n->word, c) < 0)
		fail(n, "a word is too long");
}

/* Behind a backslash. */
static void
put_escaped(struct netrc *n)
{
	if (n->in.n == 0 || n->in.p[0] == '\n' || n->in.p[0] == '\r')
		fail(n, "a backslash ends it: write \"\\\\\" for one");
	else
		put(n, take(n));
}

static void
read_quoted(struct netrc *n)
{
	take(n);
	while (n->in.n > 0 && n->in.p[0] != '\n' && !n->broken) {
		char c = take(n);

		if (c == '"')
			return;
		if (c == '\\')
			put_escaped(n);
		else
			put(n, c);
	}
	fail(n, "a quote is opened and not closed on its line");
}

static void
read_plain(struct netrc *n)
{
	while (n->in.n > 0 && !is_blank(n->in.p[0]) && !n->broken) {
		char c = take(n);

		if (c == '\\')
			put_escaped(n);
		else
			put(n, c);
	}
}

/* Into n->word. False: there is none. Comments are only where a keyword may
 * stand: a password may begin with "#". */
static bool
next_word(struct netrc *n, bool keyword)
{
	buf_clear(&n->word);
	while (n->in.n > 0 && !n->broken) {
		if (is_blank(n->in.p[0])) {
			take(n);
		} else if (keyword && n->in.p[0] == '#') {
			skip_line(n);
		} else {
			if (n->in.p[0] == '"')
				read_quoted(n);
			else
				read_plain(n);
			return !n->broken;
		}
	}
	return false;
}

static enum keyword
next_keyword(struct netrc *n)
{
	static const struct {
		const char *name;
		enum keyword keyword;
	} t[] = {
		{ "machine", MACHINE },
		{ "default", DEFAULT },
		{ "login", LOGIN },
		{ "user", LOGIN },
		{ "password", PASSWORD },
		{ "passwd", PASSWORD },
		{ "account", IGNORED },
		{ "port", IGNORED },
		{ "protocol", IGNORED },
		{ "macdef", MACDEF },
	};

	size_t i;

	if (!next_word(n, true))
		return NO_MORE;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		if (span_eq(buf_span(&n->word), span_of(t[i].name)))
			return t[i].keyword;
	}
	return NO_KEYWORD;
}

static bool
value(struct netrc *n)
{
	if (next_word(n, false))
		return true;
	fail(n, "it ends where a value is missing");
	return false;
}

/* ---- entries ---- */

static void
begin_entry(struct netrc *n, bool is_default)
{
	n->in_entry = true;
	n->is_default = is_default;
	n->host_fits =
	    is_default || (value(n) && span_ieq(buf_span(&n->word), n->host));
	n->has_login = n->login_fits = n->has_password = false;
	buf_clear(&n->password);
}

/* Who gives a password for any host says at least whose it is. */
static bool
fits(const struct netrc *n)
{
	return n->in_entry && n->host_fits &&
	    (n->has_login ? n->login_fits : !n->is_default);
}

static void
read_login(struct netrc *n)
{
	if (!value(n))
		return;
	n->has_login = true;
	n->login_fits = span_eq(buf_span(&n->word), n->user);
}

static void
read_password(struct netrc *n)
{
	if (!value(n))
		return;
	n->has_password = true;
	buf_clear(&n->password);
	(void)buf_add(&n->password, buf_span(&n->word));
}

/* Up to an empty line, whatever stands in it. */
static void
skip_macro(struct netrc *n)
{
	if (!value(n))
		return;
	skip_line(n);
	while (n->in.n > 0) {
		struct span line = n->in;

		line.n = span_find(line, '\n');
		skip_line(n);
		if (span_trim(line).n == 0)
			return;
	}
}

/* False: the entry that fits is complete, or there is no more. */
static bool
step(struct netrc *n)
{
	enum keyword k = next_keyword(n);

	switch (k) {
	case MACHINE:
	case DEFAULT:
		if (fits(n))
			return false;
		begin_entry(n, k == DEFAULT);
		break;
	case LOGIN:
		read_login(n);
		break;
	case PASSWORD:
		read_password(n);
		break;
	case IGNORED:
		(void)value(n);
		break;
	case MACDEF:
		skip_macro(n);
		break;
	case NO_KEYWORD:
		fail(n,
		    "a word is none of machine, default, login, password, "
		    "account, port and macdef: put a password with blanks in "
		    "quotes");
		break;
	case NO_MORE:
		return false;
	}
	return !n->broken;
}

static struct secret *
make(struct netrc *n)
{
	struct span p = buf_span(&n->password);

	if (n->broken)
		return NULL;
	if (!fits(n))
		err_set(n->e, ERR_CONFIG, 0,
		    "no entry for machine %.*s and login %.*s: add one",
		    (int)n->host.n, n->host.p, (int)n->user.n, n->user.p);
	else if (!n->has_password || p.n == 0)
		err_set(n->e, ERR_CONFIG, 0,
		    "the entry for machine %.*s and login %.*s has no "
		    "password: add it",
		    (int)n->host.n, n->host.p, (int)n->user.n, n->user.p);
	else if (text_breaks_line(p))
		err_set(n->e, ERR_CONFIG, 0,
		    "the password for machine %.*s holds a line break: remove "
		    "it",
		    (int)n->host.n, n->host.p);
	else
		return secret_new(p);
	return NULL;
}

struct secret *
netrc_find(struct span text, const char *host, const char *user, struct err *e)
{
	struct netrc n = {
		.in = text,
		.line = 1,
		.host = span_of(host),
		.user = span_of(user),
		.e = e,
	};
	struct secret *found;

	span_skip(&n.in, SPAN("\xef\xbb\xbf")); /* a byte order mark */
	buf_init(&n.word, SECRET_MAX);
	buf_init(&n.password, SECRET_MAX);
	while (step(&n))
		;
	found = make(&n);
	buf_wipe(&n.word);
	buf_wipe(&n.password);
	return found;
}
