/* SPDX-License-Identifier: ISC */
#include "conf/conf_delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf/conf_account.h"
#include "conf/conf_delivery_kind.h"
#include "conf/conf_value.h"
#include "util/mem.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define ON(way) (1U << (way))
#define ON_RELAY (ON(CONF_LMTP) | ON(CONF_SMTP))

const char *const conf_destinations[] = { "maildir", "mda", "lmtp", "smtp",
	"mbox", NULL };

static bool
is_relay(const struct conf_account *a)
{
	return (ON(a->way) & ON_RELAY) != 0;
}

/* ---- what belongs to which destination ---- */

static bool
way_in(const struct conf_section *s, enum conf_way *way)
{
	unsigned int i;

	for (i = 0; conf_destinations[i] != NULL; i++) {
		if (conf_section_get(s, conf_destinations[i]) != NULL) {
			*way = (enum conf_way)i;
			return true;
		}
	}
	return false;
}

static void
check_ways(struct conf_reader *r, const struct conf_section *own,
    const struct conf_account *a)
{
	static const struct {
		const char *name;
		unsigned int ways;
		const char *text;
	} t[] = {
		{ "maildir-folders", ON(CONF_MAILDIR), "maildir" },
		{ "keep-flags", ON(CONF_MAILDIR), "maildir" },
		{ "mda-timeout", ON(CONF_MDA), "mda" },
		{ "mda-parallel", ON(CONF_MDA), "mda" },
		{ "mda-from-line", ON(CONF_MDA), "mda" },
		{ "mda-new-privileges", ON(CONF_MDA), "mda" },
		{ "mda-exit", ON(CONF_MDA), "mda" },
		{ "delivery-tls", ON_RELAY, "lmtp and smtp" },
		{ "delivery-tls-ca-file", ON_RELAY, "lmtp and smtp" },
		{ "delivery-tls-name", ON_RELAY, "lmtp and smtp" },
		{ "delivery-timeout", ON_RELAY, "lmtp and smtp" },
		{ "delivery-parallel", ON_RELAY, "lmtp and smtp" },
		{ "helo-name", ON_RELAY, "lmtp and smtp" },
	};

	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		const struct conf_setting *s = conf_section_get(own, t[i].name);
		char text[64];

		if (s == NULL || (t[i].ways & ON(a->way)) != 0)
			continue;
		snprintf(text, sizeof(text), "is for %s: remove it", t[i].text);
		conf_refuse(r, s, text);
	}
}

/* ---- Maildir ---- */

/* POP3 has neither mailboxes nor flags. */
static void
finish_maildir(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	static const char *const names[] = { "maildir-folders", "keep-flags" };
	size_t i;

	if (a->way == CONF_MAILDIR && a->protocol == CONF_IMAP)
		return;
	for (i = 0; i < COUNT(names); i++) {
		const struct conf_setting *s = conf_section_get(own, names[i]);

		if (s != NULL && a->way == CONF_MAILDIR)
			conf_refuse(r, s, "is for IMAP: remove it");
	}
	a->maildir_folders = a->keep_flags = false;
}

/* ---- the envelope ---- */

#define RECIPIENTS_MAX 100 /* RFC 5321 4.5.3.1.8: a server takes so many */

static const char *
what_is_missing(const struct conf_account *a)
{
	if (is_relay(a) && a->recipients.n == 0 && a->recipient_header == NULL)
		return "recipient is missing: add recipient = "
		       "\"alice@example.org\", or recipient-header = "
		       "\"Delivered-To\"";
	if (a->recipients.n > RECIPIENTS_MAX)
		return "there are more than 100 recipients: that is a list, "
		       "give the server its address";
	if (!is_relay(a) && a->recipients.n > 1)
		return "there are several recipients, and one copy only: leave "
		       "one (lmtp and smtp take more)";
	return NULL;
}

/* RFC 5321 4.1.1.3: in SMTP only the postmaster needs no domain. */
static bool
lacks_domain(const struct conf_account *a)
{
	size_t i;

	for (i = 0; a->way == CONF_SMTP && i < a->recipients.n; i++) {
		if (strchr(a->recipients.v[i], '@') == NULL &&
		    strcasecmp(a->recipients.v[i], "postmaster") != 0)
			return true;
	}
	return false;
}

static void
finish_envelope(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	const struct conf_setting *s = conf_section_get(own, "recipient");
	struct conf_place at = s == NULL ? own->at : s->at;
	const char *wrong = what_is_missing(a);

	if (wrong == NULL && lacks_domain(a))
		wrong = "a recipient has no \"@\": smtp wants whole addresses";
	if (wrong != NULL)
		conf_complain(r->report, at, "%s: %s", r->who, wrong);
	if (a->recipient_header != NULL)
		return;
	s = conf_section_get(own, "recipient-prefix");
	if (s != NULL)
		conf_refuse(
		    r, s, "is for the value of a header: add recipient-header");
	free(a->recipient_prefix);
	a->recipient_prefix = NULL;
}

/* ---- LMTP and SMTP ---- */

static void
decide_tls(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	const struct conf_setting *s = conf_section_get(own, "delivery-tls");
	bool by_socket = a->relay.socket != NULL;

	if (by_socket && s != NULL && a->delivery_tls < CONF_TLS_NONE)
		conf_refuse(
		    r, s, "is for servers of the network: a socket needs none");
	if (by_socket)
		a->delivery_tls = CONF_TLS_NONE;
	else if (a->delivery_tls == CONF_TLS_AUTO)
		a->delivery_tls = conf_server_is_here(&a->relay)
		    ? CONF_TLS_NONE
		    : CONF_TLS_STARTTLS;
}

static char *
own_name(void)
{
	char name[256];

	if (gethostname(name, sizeof(name)) < 0)
		return mem_strdup("localhost");
	name[sizeof(name) - 1] = '\0';
	return mem_strdup(conf_check_helo(name) == NULL ? name : "localhost");
}

static void
finish_relay(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	decide_tls(r, own, a);
	if (a->relay.host != NULL && a->relay.port == 0)
		a->relay.port = a->way == CONF_LMTP ? 24 : 25;
	if (a->helo_name == NULL)
		a->helo_name = own_name();
	a->trace_delivered_to = false; /* the server we give it to does that */
}

/* What defaults say of LMTP and SMTP is not for this account. */
static void
forget_relay(struct conf_account *a)
{
	a->delivery_tls = CONF_TLS_NONE;
	free(a->delivery_tls_ca_file);
	free(a->delivery_tls_name);
	free(a->helo_name);
	a->delivery_tls_ca_file = a->delivery_tls_name = a->helo_name = NULL;
}

void
conf_delivery_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	if (!way_in(own, &a->way) && !way_in(&r->tree->defaults, &a->way)) {
		if (!r->tree->broken)
			conf_complain(r->report, own->at,
			    "%s: there is no destination: add maildir = "
			    "\"~/Maildir\", or mda, lmtp, smtp or mbox",
			    r->who);
		return;
	}
	check_ways(r, own, a);
	finish_maildir(r, own, a);
	if (!r->tree->broken)
		finish_envelope(r, own, a);
	if (is_relay(a))
		finish_relay(r, own, a);
	else
		forget_relay(a);
	if (a->way != CONF_MDA)
		a->mda_new_privileges = a->mda_from_line = false;
}
