/* SPDX-License-Identifier: ISC */
#include "proc/providers.h"

#include <stddef.h>
#include <strings.h>

#include "util/span.h"

#define APP_PASSWORD "The password is an app password, not that of the account"

/* clang-format off */
static const struct provider providers[] = {
	{ .name = "Gmail",
	  .domains = "gmail.com googlemail.com",
	  .mx = "google.com googlemail.com",
	  .imap = "imap.gmail.com", .pop3 = "pop.gmail.com",
	  .oauth2 = "google",
	  .notes = { APP_PASSWORD ": make one at",
	      "https://myaccount.google.com/apppasswords (needs 2-step verification)." } },
	{ .name = "Microsoft 365",
	  .domains = "",
	  .mx = "mail.protection.outlook.com mx.microsoft",
	  .imap = "outlook.office365.com", .pop3 = "outlook.office365.com",
	  .oauth2 = "microsoft", .only_oauth2 = true,
	  .notes = { "Microsoft takes no password any more. The administrator may have to allow",
	      "IMAP or POP for the mailbox, and the application." } },
	{ .name = "Outlook.com",
	  .domains = "outlook.com hotmail.com live.com msn.com passport.com "
	      "outlook.at outlook.be outlook.cz outlook.de outlook.dk outlook.es "
	      "outlook.fr outlook.ie outlook.it outlook.jp outlook.pt outlook.sa "
	      "hotmail.be hotmail.ca hotmail.co.uk hotmail.de hotmail.dk "
	      "hotmail.es hotmail.fr hotmail.it hotmail.nl hotmail.no hotmail.se "
	      "live.at live.be live.ca live.co.uk live.de live.dk live.fr "
	      "live.it live.jp live.nl live.no live.se",
	  .imap = "outlook.office365.com", .pop3 = "outlook.office365.com",
	  .oauth2 = "microsoft", .only_oauth2 = true,
	  .notes = { "Microsoft takes no password any more. POP and IMAP must be switched on at",
	      "outlook.com: Settings, Mail, Forwarding and IMAP." } },
	{ .name = "Yahoo",
	  .domains = "yahoo.com ymail.com rocketmail.com myyahoo.com yahoo.ca "
	      "yahoo.co.in yahoo.co.uk yahoo.com.ar yahoo.com.au yahoo.com.br "
	      "yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.gr yahoo.ie "
	      "yahoo.in yahoo.it yahoo.se",
	  .imap = "imap.mail.yahoo.com", .pop3 = "pop.mail.yahoo.com",
	  .oauth2 = "yahoo",
	  .notes = { APP_PASSWORD ": make one at",
	      "https://login.yahoo.com/account/security." } },
	{ .name = "AOL",
	  .domains = "aol.com aim.com love.com aol.de aol.fr aol.co.uk verizon.net",
	  .imap = "imap.aol.com", .pop3 = "pop.aol.com",
	  .oauth2 = "aol",
	  .notes = { APP_PASSWORD ": make one at",
	      "https://login.aol.com/account/security." } },
	{ .name = "iCloud",
	  .domains = "icloud.com me.com mac.com",
	  .imap = "imap.mail.me.com",
	  .local_part = true,
	  .notes = { APP_PASSWORD ": make an",
	      "app-specific one at https://account.apple.com.",
	      "If the login is refused, try the whole address as user." } },
	{ .name = "GMX",
	  .domains = "gmx.net gmx.de gmx.at gmx.ch gmx.eu gmx.org gmx.info gmx.biz",
	  .imap = "imap.gmx.net", .pop3 = "pop.gmx.net",
	  .notes = { "POP3 and IMAP must be switched on at gmx.net: E-Mail, Einstellungen,",
	      "POP3/IMAP Abruf. With two-factor login the password is one for applications." } },
	{ .name = "GMX",
	  .domains = "gmx.com gmx.us gmx.co.uk gmx.fr gmx.es gmx.it gmx.ie gmx.ca",
	  .imap = "imap.gmx.com", .pop3 = "pop.gmx.com",
	  .notes = { "POP3 and IMAP must be switched on at gmx.com: Settings, POP3 & IMAP." } },
	{ .name = "WEB.DE",
	  .domains = "web.de email.de",
	  .imap = "imap.web.de", .pop3 = "pop3.web.de",
	  .notes = { "POP3 and IMAP must be switched on at web.de: E-Mail, Einstellungen,",
	      "POP3/IMAP Abruf. With two-factor login the password is one for applications." } },
	{ .name = "mail.com",
	  .domains = "mail.com email.com usa.com",
	  .imap = "imap.mail.com", .pop3 = "pop.mail.com" },
	{ .name = "QQ Mail",
	  .domains = "qq.com vip.qq.com foxmail.com",
	  .imap = "imap.qq.com", .pop3 = "pop.qq.com",
	  .notes = { "Switch IMAP or POP3 on at mail.qq.com (Settings, Account). The password is",
	      "the authorization code that is shown there." } },
	{ .name = "NetEase 163",
	  .domains = "163.com",
	  .imap = "imap.163.com", .pop3 = "pop.163.com",
	  .notes = { "Switch IMAP or POP3 on at mail.163.com (Settings). The password is the",
	      "authorization code that is shown there. Leave id = true: it is asked for." } },
	{ .name = "NetEase 126",
	  .domains = "126.com",
	  .imap = "imap.126.com", .pop3 = "pop.126.com",
	  .notes = { "Switch IMAP or POP3 on at mail.126.com (Settings). The password is the",
	      "authorization code that is shown there. Leave id = true: it is asked for." } },
	{ .name = "NetEase yeah.net",
	  .domains = "yeah.net",
	  .imap = "imap.yeah.net", .pop3 = "pop.yeah.net",
	  .notes = { "Switch IMAP or POP3 on at yeah.net (Settings). The password is the",
	      "authorization code that is shown there. Leave id = true: it is asked for." } },
	{ .name = "Naver",
	  .domains = "naver.com",
	  .imap = "imap.naver.com", .pop3 = "pop.naver.com",
	  .local_part = true,
	  .notes = { "Switch IMAP or POP3 on at mail.naver.com (Settings, POP3/IMAP)." } },
	{ .name = "Yandex",
	  .domains = "yandex.com",
	  .mx = "mx.yandex.net",
	  .imap = "imap.yandex.com", .pop3 = "pop.yandex.com",
	  .oauth2 = "yandex",
	  .notes = { "Switch IMAP or POP3 on at mail.yandex.com (Settings, Email clients).",
	      APP_PASSWORD ": make one at https://id.yandex.com." } },
	{ .name = "Yandex",
	  .domains = "yandex.ru ya.ru yandex.by yandex.kz yandex.ua",
	  .mx = "mx.yandex.ru",
	  .imap = "imap.yandex.ru", .pop3 = "pop.yandex.ru",
	  .oauth2 = "yandex",
	  .notes = { "Switch IMAP or POP3 on at mail.yandex.ru (Settings, Email clients).",
	      APP_PASSWORD ": make one at https://id.yandex.ru." } },
	{ .name = "Mail.ru",
	  .domains = "mail.ru bk.ru inbox.ru list.ru internet.ru xmail.ru",
	  .mx = "mxs.mail.ru emx.mail.ru",
	  .imap = "imap.mail.ru", .pop3 = "pop.mail.ru",
	  .oauth2 = "mailru",
	  .notes = { APP_PASSWORD ": make one",
	      "for external applications at https://account.mail.ru/user/2-step-auth/passwords." } },
	{ .name = "Rambler",
	  .domains = "rambler.ru lenta.ru ro.ru autorambler.ru myrambler.ru",
	  .imap = "imap.rambler.ru", .pop3 = "pop.rambler.ru",
	  .notes = { "Mail programs must be allowed at mail.rambler.ru (Settings)." } },
	{ .name = "Fastmail",
	  .domains = "fastmail.com fastmail.fm",
	  .mx = "messagingengine.com",
	  .imap = "imap.fastmail.com", .pop3 = "pop.fastmail.com",
	  .oauth2 = "fastmail",
	  .notes = { APP_PASSWORD ": make one at",
	      "fastmail.com: Settings, Privacy & Security, App passwords." } },
	{ .name = "Proton Mail",
	  .domains = "proton.me protonmail.com protonmail.ch pm.me",
	  .mx = "protonmail.ch",
	  .imap = "127.0.0.1", .imap_port = 1143, .starttls = true,
	  .notes = { "Proton Mail Bridge must run on this machine; user and password are those",
	      "that it shows. Its certificate is its own: pin it with tls-pin, after a look",
	      "at what \"mailhaul check --online\" says." } },
	{ .name = "Zoho",
	  .domains = "zohomail.com zoho.com",
	  .imap = "imap.zoho.com", .pop3 = "pop.zoho.com",
	  .notes = { "Switch IMAP or POP on at mail.zoho.com (Settings, Mail Accounts)." } },
	{ .name = "Zoho (EU)",
	  .domains = "zohomail.eu zoho.eu",
	  .imap = "imap.zoho.eu", .pop3 = "pop.zoho.eu",
	  .notes = { "Switch IMAP or POP on at mail.zoho.eu (Settings, Mail Accounts)." } },
	{ .name = "Zoho for organizations",
	  .domains = "", .mx = "mx.zoho.com mx2.zoho.com mx3.zoho.com",
	  .imap = "imappro.zoho.com", .pop3 = "poppro.zoho.com",
	  .notes = { "Switch IMAP or POP on at mail.zoho.com (Settings, Mail Accounts)." } },
	{ .name = "Zoho for organizations (EU)",
	  .domains = "", .mx = "mx.zoho.eu mx2.zoho.eu mx3.zoho.eu",
	  .imap = "imappro.zoho.eu", .pop3 = "poppro.zoho.eu",
	  .notes = { "Switch IMAP or POP on at mail.zoho.eu (Settings, Mail Accounts)." } },
	{ .name = "T-Online",
	  .domains = "t-online.de magenta.de",
	  .imap = "secureimap.t-online.de", .pop3 = "securepop.t-online.de",
	  .notes = { "The password is the one for mail programs (\"Passwort für E-Mail-Programme\"),",
	      "which is set at https://account.idm.telekom.com." } },
	{ .name = "freenet",
	  .domains = "freenet.de",
	  .imap = "mx.freenet.de", .pop3 = "mx.freenet.de" },
	{ .name = "Posteo",
	  .domains = "posteo.de posteo.net posteo.org posteo.eu posteo.at posteo.ch",
	  .imap = "posteo.de", .pop3 = "posteo.de" },
	{ .name = "mailbox.org",
	  .domains = "mailbox.org",
	  .mx = "mailbox.org",
	  .imap = "imap.mailbox.org", .pop3 = "pop3.mailbox.org" },
	{ .name = "IONOS",
	  .domains = "online.de", .mx = "kundenserver.de ionos.de",
	  .imap = "imap.ionos.de", .pop3 = "pop.ionos.de" },
	{ .name = "IONOS",
	  .domains = "", .mx = "ionos.com",
	  .imap = "imap.ionos.com", .pop3 = "pop.ionos.com" },
	{ .name = "Gandi",
	  .domains = "", .mx = "mail.gandi.net",
	  .imap = "mail.gandi.net", .pop3 = "mail.gandi.net" },
	{ .name = "OVH",
	  .domains = "", .mx = "mail.ovh.net",
	  .imap = "ssl0.ovh.net", .pop3 = "ssl0.ovh.net" },
	{ .name = "Migadu",
	  .domains = "", .mx = "migadu.com",
	  .imap = "imap.migadu.com", .pop3 = "pop.migadu.com" },
	{ .name = "Runbox",
	  .domains = "runbox.com", .mx = "runbox.com",
	  .imap = "mail.runbox.com", .pop3 = "mail.runbox.com" },
	{ .name = "Orange",
	  .domains = "orange.fr wanadoo.fr",
	  .imap = "imap.orange.fr", .pop3 = "pop.orange.fr" },
	{ .name = "Libero",
	  .domains = "libero.it",
	  .imap = "imapmail.libero.it", .pop3 = "popmail.libero.it" },
	{ .name = "Seznam",
	  .domains = "seznam.cz email.cz post.cz spoluzaci.cz",
	  .imap = "imap.seznam.cz", .pop3 = "pop3.seznam.cz" },
	{ .name = "WP",
	  .domains = "wp.pl",
	  .imap = "imap.wp.pl", .pop3 = "pop3.wp.pl",
	  .notes = { "Mail programs must be allowed at poczta.wp.pl (Settings, POP3/IMAP)." } },
	{ .name = "Tuta",
	  .domains = "tuta.com tuta.io tutanota.com tutanota.de tutamail.com keemail.me",
	  .mx = "tutanota.de" },
	{ .name = NULL },
};

/* clang-format on */

const struct provider *
providers_all(void)
{
	return providers;
}

/* The next word of list, or an empty one. */
static struct span
next_word(struct span *list)
{
	return list->n == 0 ? *list : span_until(list, ' ');
}

const struct provider *
providers_find(const char *domain)
{
	for (const struct provider *p = providers; p->name != NULL; p++) {
		struct span list = span_of(p->domains), word;

		while ((word = next_word(&list)).n > 0)
			if (span_ieq(word, span_of(domain)))
				return p;
	}
	return NULL;
}

/* Host is end, or something in that domain. */
static bool
ends_in(struct span host, struct span end)
{
	if (host.n > end.n && host.p[host.n - end.n - 1] != '.')
		return false;
	return host.n >= end.n &&
	    span_ieq(span_make(host.p + host.n - end.n, end.n), end);
}

const struct provider *
providers_find_mx(const char *host)
{
	for (const struct provider *p = providers; p->name != NULL; p++) {
		struct span list = span_of(p->mx), word;

		while ((word = next_word(&list)).n > 0)
			if (ends_in(span_of(host), word))
				return p;
	}
	return NULL;
}
