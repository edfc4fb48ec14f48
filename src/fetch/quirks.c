/* SPDX-License-Identifier: ISC */
#include "fetch/quirks.h"

enum of { ANY, IMAP, POP3 };

/* One sign is enough. A host is its own domain and all below it. */
static const struct row {
	const char *server;
	enum of of;
	const char *host, *also, *greeting, *capability, *id;
	const char *what;
} rows[] = {
	/* clang-format off */
	{ "Gmail", IMAP, "gmail.com", "googlemail.com", "Gimap", "X-GM-EXT-1", "GImap",
	    "each label is a mailbox, so choose few; removing in INBOX takes the "
	    "label off and keeps the mail in \"All Mail\"; 15 connections at a "
	    "time, 2.5 GB a day: it is waited as long as Gmail asks" },
	{ "Gmail", POP3, "gmail.com", "googlemail.com", "Gpop", NULL, NULL,
	    "shows a few hundred messages at a time, so it is asked again until "
	    "nothing is new; what is fetched may be archived there by the "
	    "settings of the account" },
	{ "Microsoft 365", IMAP, "office365.com", "outlook.com",
	    "Microsoft Exchange IMAP4 service", NULL, "Microsoft.Exchange",
	    "takes no password, only OAuth2 (oauth2 = microsoft); \"User is "
	    "authenticated but not connected\" is tried again later; it is "
	    "waited as long as it asks when it throttles" },
	{ "Microsoft 365", POP3, "office365.com", "outlook.com",
	    "Microsoft Exchange POP3 service", NULL, NULL,
	    "takes no password, only OAuth2 (oauth2 = microsoft), and a token "
	    "in a line of its own" },
	{ "iCloud", IMAP, "mail.me.com", "icloud.com", NULL, "XAPPLEPUSHSERVICE", NULL,
	    "bodies are asked for by BODY.PEEK[] alone, and CAPABILITY again "
	    "after the login; it takes an app-specific password" },
	{ "Yahoo", ANY, "yahoo.com", "aol.com", "Yahoo", NULL, "Yahoo",
	    "takes an app password; its [LIMIT] and [UNAVAILABLE] are for now, "
	    "and what it never hands out is held" },
	{ "NetEase", ANY, "163.com", "126.com", "Coremail", NULL, "Coremail",
	    "refuses mailboxes as an \"Unsafe Login\" without ID, which is sent "
	    "(id = true); it takes an authorization code as password" },
	{ "QQ Mail", ANY, "qq.com", "foxmail.com", "QQMail", NULL, "QQMail",
	    "is asked in ascending order only; it takes an authorization code as "
	    "password" },
	{ "Yandex", ANY, "yandex.ru", "yandex.com", "Yandex", NULL, "Yandex",
	    "the first BYE ends the session, and a value that is missing costs "
	    "that message a try; IMAP must be switched on, and it takes an app "
	    "password" },
	{ "Mail.ru", ANY, "mail.ru", NULL, NULL, NULL, "mail.ru",
	    "sizes may be no numbers, and are hints only; it takes an app "
	    "password" },
	{ "GMX, web.de", ANY, "gmx.net", "web.de", NULL, NULL, NULL,
	    "switches POP3 and IMAP off when they are not used for long; POP3 is "
	    "not to be asked more often than every 15 minutes" },
	{ "Zoho", ANY, "zoho.com", "zoho.eu", "Zoho", NULL, "Zoho",
	    "IMAP must be switched on in its settings; RECENT is never used, as "
	    "it is wrong there" },
	{ "Proton Bridge", ANY, NULL, NULL, "Proton", NULL, "Proton",
	    "has a certificate of its own (tls-pin, or tls-ca-file), and may "
	    "number its mailboxes anew when it is updated: a mailbox whose "
	    "UIDVALIDITY changed is left alone and reported" },
	{ "DavMail", ANY, NULL, NULL, "DavMail", NULL, "DavMail",
	    "downloads a message to tell its size: sizes are asked for only "
	    "where max-size is set" },
	{ "Dovecot", ANY, NULL, NULL, "Dovecot", NULL, "Dovecot",
	    "NOTIFY tells of the selected mailbox with IDLE on top only, and is "
	    "used so" },
	{ "Cyrus", ANY, NULL, NULL, "Cyrus", NULL, "Cyrus",
	    "may ask for minutes between two logins, which are waited for" },
	{ "Courier", ANY, NULL, NULL, "Courier", NULL, "Courier",
	    "says no UIDNEXT with SELECT: new mail is searched for" },
	{ "Exchange", IMAP, NULL, NULL, "Microsoft Exchange", NULL, "Exchange",
	    "may offer IDLE and tell of nothing, so all is looked at now and "
	    "then (interval); what it does not hand out is held" },
	{ "Domino", IMAP, NULL, NULL, "Domino", NULL, "Domino",
	    "its superfluous parentheses are stepped over" },
	{ "Zimbra", IMAP, NULL, NULL, "Zimbra", NULL, "Zimbra",
	    "an empty answer for a message is an error, and is tried again" },
	{ "hMailServer", ANY, NULL, NULL, "hMailServer", NULL, "hMailServer",
	    "is asked in ascending order only, and for whole messages" },
	{ "UW IMAP", IMAP, NULL, NULL, "Panda IMAP", NULL, "UW-IMAP",
	    "may make a mailbox read-only when another session opens it" },
	/* clang-format on */
};

static bool
is_below(struct span host, const char *domain)
{
	struct span d = span_of(domain);

	if (host.n < d.n || d.n == 0)
		return false;
	if (host.n > d.n && host.p[host.n - d.n - 1] != '.')
		return false;
	return span_ieq(span_make(host.p + host.n - d.n, d.n), d);
}

static bool
says(struct span text, const char *words)
{
	return words != NULL && span_ihas(text, span_of(words));
}

/* Words are apart by SP (IMAP) or on lines of their own (POP3). */
static bool
can(struct span capabilities, const char *word)
{
	while (word != NULL && capabilities.n > 0) {
		struct span line = span_until(&capabilities, '\n');

		while (line.n > 0)
			if (span_ieq(span_until(&line, ' '), span_of(word)))
				return true;
	}
	return false;
}

static bool
fits(const struct row *row, const struct quirks_signs *s)
{
	struct span host = span_of(s->host);

	if ((row->of == IMAP && s->is_pop3) || (row->of == POP3 && !s->is_pop3))
		return false;
	return is_below(host, row->host) || is_below(host, row->also) ||
	    says(s->greeting, row->greeting) || says(s->id, row->id) ||
	    can(s->capabilities, row->capability);
}

size_t
quirks_find(const struct quirks_signs *signs, struct quirk *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && n < max; i++)
		if (fits(&rows[i], signs))
			out[n++] =
			    (struct quirk){ rows[i].server, rows[i].what };
	return n;
}
