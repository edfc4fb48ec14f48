/* SPDX-License-Identifier: ISC */
#include "proc/findings_show.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "proc/hint.h"
#include "util/text.h"

#define WIDTH 13 /* of what stands in front of the texts */
#define SUMMARY 400
#define DAY_SIZE 40

static void
say(FILE *out, const char *label, const char *text)
{
	if (text[0] != '\0')
		fprintf(out, "  %-*s %s\n", WIDTH, label, text);
}

static void
say_first(
    FILE *out, const struct findings *f, enum fact_kind kind, const char *label)
{
	const struct fact *fact = findings_first(f, kind);

	if (fact != NULL)
		say(out, label, fact->text[0]);
}

/* "a: b" of each. */
static void
say_each(
    FILE *out, const struct findings *f, enum fact_kind kind, const char *label)
{
	const struct fact *fact;
	size_t at = 0;

	while ((fact = findings_next(f, kind, &at)) != NULL) {
		fprintf(out, "  %-*s %s%s%s\n", WIDTH, label, fact->text[0],
		    fact->text[1][0] == '\0' ? "" : ": ", fact->text[1]);
		label = "";
	}
}

/* ---- the way there ---- */

static void
say_detour(FILE *out, const struct conf_account *a)
{
	static const char *const kinds[] = { [CONF_NO_PROXY] = "",
		[CONF_SOCKS5] = "SOCKS5",
		[CONF_HTTP_PROXY] = "HTTP" };

	if (a->tunnel.n > 0)
		fprintf(out, "  %-*s by the tunnel %s\n", WIDTH, "way",
		    a->tunnel.v[0]);
	if (a->proxy.kind != CONF_NO_PROXY)
		fprintf(out, "  %-*s by the %s proxy %s:%u\n", WIDTH, "way",
		    kinds[a->proxy.kind], a->proxy.host, a->proxy.port);
}

static void
put_day(char *dst, size_t size, uint64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	if (s == 0 || gmtime_r(&t, &tm) == NULL)
		snprintf(dst, size, "?");
	else
		snprintf(dst, size, "%04d-%02d-%02d", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday);
}

static void
put_validity(char *dst, size_t size, const struct fact *c, int64_t now)
{
	int64_t days = findings_days(c->number[1], now);
	char until[DAY_SIZE];

	put_day(until, sizeof(until), c->number[1]);
	if (days < 0)
		snprintf(dst, size, "EXPIRED on %s", until);
	else
		snprintf(dst, size, "valid until %s (%" PRId64 " day%s)", until,
		    days, days == 1 ? "" : "s");
}

static void
say_certificate(
    FILE *out, const struct fact *c, const char *label, bool own, int64_t now)
{
	char validity[80];

	put_validity(validity, sizeof(validity), c, now);
	fprintf(out, "  %-*s %s\n", WIDTH, label, c->text[0]);
	if (own)
		say(out, "  names", c->text[1]);
	fprintf(
	    out, "  %-*s by %s, %s\n", WIDTH, "  issued", c->text[2], validity);
	if (own)
		say(out, "  pin", c->text[3]);
}

/* As the daemon warns (tls-warn-before). */
static void
say_expiry(
    FILE *out, const struct conf_account *a, const struct fact *c, int64_t now)
{
	int64_t days = findings_days(c->number[1], now);

	if (days >= 0 && c->number[1] - (uint64_t)now < a->tls_warn_s)
		fprintf(out,
		    "  %-*s the certificate expires in %" PRId64 " day%s\n",
		    WIDTH, "warning", days, days == 1 ? "" : "s");
}

static void
say_tls(FILE *out, const struct conf_account *a, const struct findings *f,
    int64_t now)
{
	const struct fact *tls = findings_first(f, FACT_TLS);
	const struct fact *c;
	size_t at = 0;
	bool own = true;

	if (a->tls == CONF_TLS_NONE && findings_first(f, FACT_REACHED) != NULL)
		say(out, "TLS",
		    "none (tls = none): anybody on the way can "
		    "read all of it");
	if (tls != NULL)
		fprintf(out, "  %-*s %s, verified by %s%s%s\n", WIDTH, "TLS",
		    tls->text[0], tls->text[1],
		    tls->text[2][0] == '\0' ? "" : ", ", tls->text[2]);
	while ((c = findings_next(f, FACT_CERTIFICATE, &at)) != NULL) {
		say_certificate(out, c,
		    !own              ? "above it"
			: tls == NULL ? "REFUSED"
				      : "certificate",
		    own, now);
		if (own)
			say_expiry(out, a, c, now);
		own = false;
	}
}

/* ---- mailboxes ---- */

static void
put_count(char *dst, size_t size, const struct fact *m, size_t which)
{
	if ((m->number[0] & FACT_COUNTED) == 0 ||
	    (which != 1 && m->number[which] == 0))
		snprintf(dst, size, "-");
	else
		snprintf(dst, size, "%" PRIu64, m->number[which]);
}

static void
say_mailbox(FILE *out, const struct fact *m, const char *indent)
{
	uint64_t marks = m->number[0];
	const char *note = "";
	char messages[24], next[24];

	put_count(messages, sizeof(messages), m, 1);
	put_count(next, sizeof(next), m, 2);
	if ((marks & FACT_NOSELECT) != 0)
		note = "  (holds no mail)";
	else if ((marks & FACT_MISSING) != 0 && m->text[1][0] == '\0')
		note = "  (not listed by the server)";
	fprintf(out, "%s%c %10s %10s  %s%s%s%s\n", indent,
	    (marks & FACT_CHOSEN) != 0 ? '*' : ' ', messages, next, m->text[0],
	    note, m->text[1][0] == '\0' ? "" : ": ", m->text[1]);
}

static void
say_rest(FILE *out, const struct findings *f, const char *indent)
{
	const struct fact *rest = findings_first(f, FACT_REST);

	if (rest != NULL)
		fprintf(out,
		    "%s  and %" PRIu64 " more, of which %" PRIu64
		    " are chosen\n",
		    indent, rest->number[0], rest->number[1]);
}

static void
say_maildrop(FILE *out, const struct findings *f, const char *indent)
{
	const struct fact *drop = findings_first(f, FACT_MAILDROP);
	char octets[32];

	if (drop == NULL)
		return;
	text_octets(octets, sizeof(octets), drop->number[1]);
	fprintf(out, "%s  %" PRIu64 " message%s, %s\n", indent, drop->number[0],
	    drop->number[0] == 1 ? "" : "s", octets);
}

void
findings_show_mailboxes(FILE *out, const struct findings *f, const char *indent)
{
	const struct fact *m;
	size_t at = 0;

	if (findings_first(f, FACT_MAILBOX) != NULL)
		fprintf(out, "%s  %10s %10s  %s\n", indent, "MESSAGES",
		    "UIDNEXT", "MAILBOX (* is chosen)");
	while ((m = findings_next(f, FACT_MAILBOX, &at)) != NULL)
		say_mailbox(out, m, indent);
	say_rest(out, f, indent);
	say_maildrop(out, f, indent);
}

/* ---- the end of it ---- */

static void
say_end(FILE *out, const struct conf_account *a, const struct findings *f)
{
	char hint[HINT_MAX];

	if (f->e.kind == ERR_NONE) {
		fprintf(out, "  all is well\n");
		return;
	}
	say(out, "FAILED", f->e.text);
	say(out, "what to do",
	    hint_for(a, &f->e, f->of_server, hint, sizeof(hint)));
}

void
findings_show(FILE *out, const struct conf_account *a, const struct findings *f,
    int64_t now)
{
	char summary[SUMMARY];

	fprintf(out, "%s: %s\n", a->name,
	    conf_summary(a, summary, sizeof(summary)));
	say_detour(out, a);
	say_first(out, f, FACT_REACHED, "reached");
	say_tls(out, a, f, now);
	say_first(out, f, FACT_GREETING, "greeting");
	say_first(out, f, FACT_OFFERED, "offers");
	say_each(out, f, FACT_LOGIN, "login");
	say_first(out, f, FACT_CAPABILITIES, "can");
	say_first(out, f, FACT_SERVER, "server");
	say_each(out, f, FACT_QUIRK, "known as");
	say_each(out, f, FACT_USE, "used");
	say_each(out, f, FACT_WARNING, "warning");
	findings_show_mailboxes(out, f, "  ");
	say_end(out, a, f);
}

void
findings_show_error(
    FILE *out, const struct conf_account *a, const struct findings *f)
{
	char hint[HINT_MAX];

	if (f->e.kind == ERR_NONE)
		return;
	hint_for(a, &f->e, f->of_server, hint, sizeof(hint));
	fprintf(out, "mailhaul: %s: %s\n", a->name, f->e.text);
	if (hint[0] != '\0')
		fprintf(out, "mailhaul: %s: %s\n", a->name, hint);
}
