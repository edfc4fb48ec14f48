/* SPDX-License-Identifier: ISC */
#include "proc/hint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/span.h"

/* In templates: the account's own. */
#define NAME "{name}"
#define HOST "{host}"
#define PORT "{port}"

/* ---- providers: what a refused login means there ---- */

static const struct provider {
	const char *domains[5]; /* and all below */
	const char *password;   /* when a password was refused */
} providers[] = {
	/* clang-format off */
	{ { "gmail.com", "googlemail.com" },
	    "Google takes an app password (myaccount.google.com/apppasswords, "
	    "with 2-step verification), or: oauth2 = google, then mailhaul "
	    "login " NAME },
	{ { "outlook.com", "office365.com", "hotmail.com", "live.com" },
	    "Microsoft takes no passwords: oauth2 = microsoft, then mailhaul "
	    "login " NAME },
	{ { "yahoo.com", "yahoodns.net", "aol.com" },
	    "Yahoo and AOL take an app password only: make one under Account "
	    "security" },
	{ { "mail.me.com", "icloud.com" },
	    "iCloud takes an app-specific password only: make one at "
	    "account.apple.com; user is the part of the address before the @" },
	{ { "gmx.net", "gmx.com", "gmx.de", "web.de", "mail.com" },
	    "switch POP3 and IMAP on in the settings of the mailbox, on its web "
	    "page (they are switched off again when not used for long); with "
	    "two-factor authentication an app password is needed" },
	{ { "qq.com", "foxmail.com" },
	    "QQ Mail takes an authorization code as password: switch IMAP/SMTP "
	    "on in the settings, on its web page, and make one there" },
	{ { "163.com", "126.com", "yeah.net", "188.com" },
	    "NetEase takes an authorization code as password: switch IMAP or "
	    "POP3 on in the settings, on its web page, and make one there" },
	{ { "yandex.ru", "yandex.com" },
	    "Yandex takes an app password only; allow IMAP in the settings of "
	    "the mailbox, under Email clients" },
	{ { "mail.ru" },
	    "Mail.ru takes a password for external applications only: make one "
	    "under Security" },
	{ { "zoho.com", "zoho.eu", "zoho.in" },
	    "switch IMAP on in the settings of Zoho Mail, under Mail accounts; "
	    "with two-factor authentication an app password is needed" },
	{ { "fastmail.com", "messagingengine.com" },
	    "Fastmail takes an app password only: make one under Privacy & "
	    "Security" },
	{ { "t-online.de" },
	    "T-Online wants the e-mail password, which is another than that of "
	    "the login: set one in its customer centre" },
	/* clang-format on */
};

static bool
is_below(const char *host, const char *domain)
{
	struct span h = span_of(host);
	struct span d = span_of(domain);

	return h.n >= d.n && (h.n == d.n || h.p[h.n - d.n - 1] == '.') &&
	    span_ieq(span_make(h.p + h.n - d.n, d.n), d);
}

static const struct provider *
provider_of(const char *host)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(*providers); i++)
		for (size_t d = 0; d < 5 && providers[i].domains[d] != NULL;
		     d++)
			if (is_below(host, providers[i].domains[d]))
				return &providers[i];
	return NULL;
}

/* ---- by the words of the error ---- */

/* The first row that fits. */
static const struct row {
	enum err_kind kind;
	int sys;           /* 0: any */
	const char *words; /* in the text; NULL: any */
	const char *hint;
} rows[] = {
	/* clang-format off */
	/* what it cannot do follows from who it is */
	{ ERR_NET, 0, "the proxy ",
	    "is the option proxy right, and does it connect us to port " PORT
	    " of " HOST "?" },
	{ ERR_NET, 0, "tunnel",
	    "run the program of the option tunnel by hand, as the user that "
	    "mailhaul runs as: what does it say?" },
	{ ERR_NET, 0, "no such host",
	    "is \"" HOST "\" spelt right (option host)?" },
	{ ERR_NET, 0, "no usable address",
	    "\"" HOST "\" has no address; is it the name of the mail server, and "
	    "not the domain of the mail address (option host)?" },
	{ ERR_NET, 0, "no address for",
	    "is \"" HOST "\" spelt right, and the name of the mail server "
	    "(option host)? Does this machine have a name server that works?" },
	{ ERR_NET, 0, "name was not resolved",
	    "does this machine have a name server that works? See "
	    "/etc/resolv.conf" },
	{ ERR_NET, 0, "in name resolution",
	    "does this machine have a name server that works? See "
	    "/etc/resolv.conf" },
	{ ERR_NET, ECONNREFUSED, NULL,
	    "no server answers on port " PORT " of " HOST ": see the options "
	    "port and tls (imap: 993, or 143 with starttls; pop3: 995, or 110 "
	    "with starttls)" },
	{ ERR_NET, ENETUNREACH, NULL,
	    "is the network up? A host behind a proxy needs the option proxy" },
	{ ERR_NET, EHOSTUNREACH, NULL,
	    "is the network up? A host behind a proxy needs the option proxy" },
	{ ERR_NET, ETIMEDOUT, NULL,
	    "a firewall may swallow what goes to port " PORT "; see the options "
	    "port and proxy, and connect-timeout for a slow server" },
	/* TLS */
	{ ERR_TLS, 0, "does not speak TLS",
	    "port " PORT " begins without TLS: set tls = starttls, or the port "
	    "that begins with it (imap: 993, pop3: 995)" },
	{ ERR_TLS, 0, "wrong version number",
	    "port " PORT " begins without TLS: set tls = starttls, or the port "
	    "that begins with it (imap: 993, pop3: 995)" },
	{ ERR_TLS, 0, "server's key is",
	    "if the server has a new key and that is it, replace tls-pin; else "
	    "somebody else may be answering" },
	{ ERR_TLS, 0, "does not name",
	    "if the name on the certificate is the server's, set host to it, or "
	    "tls-name; else somebody else may be answering" },
	{ ERR_TLS, 0, "tls-crl-file",
	    "put a new list of its issuer's into tls-crl-file; what was revoked "
	    "by it is not to be trusted" },
	{ ERR_TLS, 0, "was revoked",
	    "it is not to be trusted: the server needs a new certificate" },
	{ ERR_TLS, 0, "OCSP response",
	    "the server's software has to staple OCSP responses, or tls-ocsp = "
	    "stapled goes without them" },
	{ ERR_TLS, 0, "no TLSA record",
	    "tls-verify = dane needs a TLSA record, signed by DNSSEC, that fits "
	    "the server's key; has one of the two changed?" },
	{ ERR_TLS, 0, "(tls-min)",
	    "tls-min = 1.2 is as far down as it goes" },
	{ ERR_TLS, 0, "expired",
	    "the server needs a new certificate; is the clock of this machine "
	    "right?" },
	{ ERR_TLS, 0, "not valid before",
	    "is the clock of this machine right?" },
	{ ERR_TLS, 0, "self-signed",
	    "if it is your own server (or Proton Bridge), save its certificate "
	    "and name the file by tls-ca-file, or set tls-verify = pin, and "
	    "tls-pin to the pin that check --online shows" },
	{ ERR_TLS, 0, "issuer is not trusted",
	    "name a CA of your own by tls-ca-file; a server that forgets its "
	    "intermediate certificate is helped by a file with that, or by "
	    "tls-pin" },
	{ ERR_TLS, 0, "does not offer TLS 1.2",
	    "its TLS is too old to be safe: its software must be renewed" },
	{ ERR_TLS, 0, "refuses STARTTLS",
	    "use the port that begins with TLS: tls = implicit (imap: 993, pop3: "
	    "995)" },
	{ ERR_TLS, 0, "refuses STLS",
	    "use the port that begins with TLS: tls = implicit (imap: 993, pop3: "
	    "995)" },
	/* who answers there */
	{ ERR_PROTO, 0, "one for POP3",
	    "that is a POP3 server: set protocol = pop3, or another port" },
	{ ERR_PROTO, 0, "neither +OK nor -ERR: * OK",
	    "that is an IMAP server: set protocol = imap, or another port" },
	{ ERR_PROTO, 0, "no IMAP server",
	    "is " PORT " the port of IMAP there (option port)?" },
	{ ERR_PROTO, 0, "neither +OK nor -ERR",
	    "is " PORT " the port of POP3 there (option port)?" },
	{ ERR_NET, 0, "(greeting)",
	    "a server that is silent may wait for TLS: tls = implicit goes with "
	    "ports 993 and 995, tls = starttls with 143 and 110" },
	/* logins, where the server says what is wrong */
	{ ERR_AUTH, 0, "does not allow LOGIN here",
	    "the server takes no password here: over TLS it might (option tls), "
	    "or it wants OAuth2 (option oauth2)" },
	{ ERR_AUTH, 0, "takes no password here",
	    "the server wants OAuth2: set oauth2, then mailhaul login " NAME },
	{ ERR_AUTH, 0, "takes no access token",
	    "the server wants a password instead of oauth2 or token-command; is "
	    HOST " the right host?" },
	{ ERR_AUTH, 0, "passwords in clear only",
	    "use TLS (option tls), or a server that has it" },
	{ ERR_AUTH, 0, "set auth = auto",
	    "auth = auto takes the strongest that both sides can do" },
	{ ERR_AUTH, 0, "Kerberos database",
	    "host, or tls-name, has to be the name that the server has in "
	    "Kerberos, which its administrator knows" },
	{ ERR_AUTH, 0, "by Kerberos who it is", "is " HOST " the right host?" },
	{ ERR_AUTH, 0, "may be another server",
	    "is " HOST " the right host? Its administrator can tell whether its "
	    "passwords are kept for SCRAM" },
	{ ERR_AUTH, 0, "pplication-specific password",
	    "make an app password on the web page of the provider, and use that" },
	{ ERR_AUTH, 0, "app password",
	    "make an app password on the web page of the provider, and use that" },
	{ ERR_AUTH, 0, "to enable IMAP",
	    "switch IMAP on in the settings, on the web page of the provider" },
	{ ERR_AUTH, 0, "IMAP is disabled",
	    "switch IMAP on in the settings, on the web page of the provider" },
	{ ERR_AUTH, 0, "not enabled for IMAP",
	    "switch IMAP on in the settings, on the web page of the provider" },
	{ ERR_AUTH, 0, "IMAP access is disabled",
	    "switch IMAP on in the settings, on the web page of the provider" },
	{ ERR_AUTH, 0, "POP access is not enabled",
	    "switch POP3 on in the settings, on the web page of the provider" },
	{ ERR_AUTH, 0, "POP3 is disabled",
	    "switch POP3 on in the settings, on the web page of the provider" },
	{ ERR_AUTH, 0, "eb login required",
	    "log in once on the web page of the provider, and confirm there that "
	    "it was you" },
	{ ERR_AUTH, 0, "web browser",
	    "log in once on the web page of the provider, and confirm there that "
	    "it was you" },
	{ ERR_TEMP, 0, "authenticated but not connected",
	    "Microsoft says so when IMAP is switched off for the mailbox, when "
	    "the token is of another user, or for a while" },
	/* all else */
	{ ERR_THROTTLE, 0, NULL,
	    "wait as long as it asks; do other programs use this account?" },
	{ ERR_LOCKED, 0, NULL,
	    "another program, or a session that was cut off, still has the "
	    "mailbox: wait some minutes" },
	{ ERR_MAILBOX, 0, NULL,
	    "see the option mailboxes; mailhaul list " NAME " shows the names" },
	/* clang-format on */
};

static const char *
hint_of_words(const struct err *e)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];

		if (r->kind == e->kind && (r->sys == 0 || r->sys == e->sys) &&
		    (r->words == NULL ||
			span_ihas(span_of(e->text), span_of(r->words))))
			return r->hint;
	}
	return NULL;
}

/* ---- logins ---- */

static bool
has_token(const struct conf_account *a)
{
	return a->secret.oauth2 != NULL || a->secret.token_command.n > 0;
}

static const char *
hint_of_login(const struct conf_account *a)
{
	const struct provider *p = provider_of(a->host);

	if (a->secret.oauth2 != NULL)
		return "the provider refuses the token: run mailhaul "
		       "login " NAME
		       " again, as {user} or whoever may read that mailbox";
	if (has_token(a))
		return "is the token of token-command for this user and this "
		       "service, and not expired?";
	if (a->auth == CONF_AUTH_GSSAPI)
		return "does the server take whom the ticket names (klist "
		       "shows it) for {user}?";
	if (p != NULL)
		return p->password;
	return "check user (often the whole address) and password; many "
	       "providers want an app password, or IMAP and POP3 switched on "
	       "on their web page first";
}

static const char *
hint_of_secret(const struct conf_account *a, const struct err *e)
{
	if (a->secret.oauth2 == NULL ||
	    span_has(span_of(e->text), SPAN("mailhaul login")))
		return NULL;
	return e->kind == ERR_AUTH || e->kind == ERR_CONFIG
	    ? "run mailhaul login " NAME
	    : NULL;
}

/* ---- putting it together ---- */

static const char *
value_of(const struct conf_account *a, struct span *rest, char port[12])
{
	snprintf(port, 12, "%u", a->port);
	if (span_skip(rest, SPAN(NAME)))
		return a->name;
	if (span_skip(rest, SPAN(HOST)))
		return a->host;
	if (span_skip(rest, SPAN(PORT)))
		return port;
	return span_skip(rest, SPAN("{user}")) ? a->user : NULL;
}

static void
put(char *dst, size_t size, const char *template, const struct conf_account *a)
{
	struct span rest = span_of(template);
	size_t n = 0;

	while (rest.n > 0 && n + 1 < size) {
		char port[12];
		const char *value = value_of(a, &rest, port);
		struct span piece =
		    value == NULL ? span_take(&rest, 1) : span_of(value);

		if (piece.n > size - 1 - n)
			piece.n = size - 1 - n;
		memcpy(dst + n, piece.p, piece.n);
		n += piece.n;
	}
	dst[n] = '\0';
}

static void
put_login(char *dst, size_t size, const struct conf_account *a)
{
	size_t n;

	put(dst, size, hint_of_login(a), a);
	if (a->auth == CONF_AUTH_GSSAPI)
		return;
	n = strlen(dst);
	(void)snprintf(dst + n, size - n, " (see mailhaul-providers(7))");
}

const char *
hint_for(const struct conf_account *a, const struct err *e, bool of_server,
    char *dst, size_t size)
{
	const char *template;

	if (!of_server)
		template = hint_of_secret(a, e);
	else
		template = hint_of_words(e);
	put(dst, size, template == NULL ? "" : template, a);
	if (template == NULL && of_server && e->kind == ERR_AUTH)
		put_login(dst, size, a);
	return dst;
}
