/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_PROC_FOUND_H
#define MAILHAUL_TESTS_UNIT_PROC_FOUND_H

/* An account and findings of all kinds, for those who show them. */

#include "proc/findings.h"

#define NOW 1800000000
#define DAY 86400

static inline void
found_fill(struct findings *f)
{
	static const struct fact facts[] = {
		{ FACT_REACHED, { "192.0.2.1:993", "", "", "" }, { 0 } },
		{ FACT_TLS, { "TLSv1.3 X", "chain", "OCSP: good", "" }, { 0 } },
		{ FACT_CERTIFICATE,
		    { "example.org", "example.org, b.example", "Some CA",
			"sha256:AAA=" },
		    { NOW - DAY, NOW + 5 * DAY + 1 } },
		{ FACT_CERTIFICATE, { "Some CA", "", "Root", "sha256:BBB=" },
		    { 0, NOW - 1 } },
		{ FACT_GREETING, { "hello", "", "", "" }, { 0 } },
		{ FACT_OFFERED, { "IMAP4rev1 ID", "", "", "" }, { 0 } },
		{ FACT_LOGIN, { "PLAIN", "all there is", "", "" }, { 0 } },
		{ FACT_CAPABILITIES, { "IMAP4rev1 IDLE", "", "", "" }, { 0 } },
		{ FACT_SERVER, { "name x", "", "", "" }, { 0 } },
		{ FACT_QUIRK, { "Y", "is odd", "", "" }, { 0 } },
		{ FACT_USE, { "new mail", "IDLE", "", "" }, { 0 } },
		{ FACT_USE, { "removal", "UIDPLUS", "", "" }, { 0 } },
		{ FACT_WARNING, { "careful", "", "", "" }, { 0 } },
		{ FACT_MAILBOX, { "INBOX", "", "", "" },
		    { FACT_CHOSEN | FACT_COUNTED, 12, 34, 56 } },
		{ FACT_MAILBOX, { "Lists", "", "", "" },
		    { FACT_NOSELECT, 0, 0, 0 } },
		{ FACT_MAILBOX, { "Gone", "no such", "", "" },
		    { FACT_CHOSEN | FACT_MISSING, 0, 0, 0 } },
		{ FACT_REST, { "", "", "", "" }, { 9, 2 } },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		findings_add(f, &facts[i]);
}

static inline struct conf_account
found_account(void)
{
	static char name[] = "work";
	static char user[] = "alice";
	static char host[] = "mail.example.org";
	static char maildir[] = "/m";
	static char inbox[] = "INBOX";
	static char *inboxes[] = { inbox, NULL };

	return (struct conf_account){ .name = name,
		.user = user,
		.host = host,
		.port = 993,
		.way = CONF_MAILDIR,
		.maildir = maildir,
		.mailboxes = { inboxes, 1 } };
}

#endif
