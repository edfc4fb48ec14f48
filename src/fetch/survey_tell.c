/* SPDX-License-Identifier: ISC */
#include "fetch/survey_tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define QUIRKS_MAX 8
#define SECRET_MIN 4 /* a shorter one is part of many a word */

/* All of it, as it is: a half would be found in many a name of a mailbox. */
static bool
repeats_secret(const struct survey_params *p, struct span text)
{
	const struct secret *s =
	    p->fetch->is_pop3 ? p->fetch->pop3.secret : p->fetch->imap.secret;
	struct span octets = s == NULL ? SPAN("") : secret_span(s);

	return octets.n >= SECRET_MIN && span_has(text, octets);
}

const char *
survey_shown(
    const struct survey_params *p, char *dst, size_t size, struct span text)
{
	if (repeats_secret(p, text))
		text = SPAN("(the server repeats the password here)");
	return text_printable(dst, size, text);
}

void
survey_tell(const struct survey_params *p, enum fact_kind kind, struct span a,
    struct span b)
{
	char first[FACT_TEXT_MAX], second[FACT_TEXT_MAX];
	struct fact fact = { .kind = kind, .text = { first, second, "", "" } };

	if (a.n == 0)
		return;
	survey_shown(p, first, sizeof(first), a);
	survey_shown(p, second, sizeof(second), b);
	p->fact(p->arg, &fact);
}

/* ---- the way there ---- */

static void
tell_certificate(
    const struct survey_params *p, const struct tls_info_certificate *c)
{
	const struct fact fact = { .kind = FACT_CERTIFICATE,
		.text = { c->subject, c->names, c->issuer, c->pin },
		.number = { c->not_before < 0 ? 0 : (uint64_t)c->not_before,
		    c->not_after < 0 ? 0 : (uint64_t)c->not_after } };

	p->fact(p->arg, &fact);
}

static void
tell_tls(const struct survey_params *p, const struct tls_info *info)
{
	char what[160], said[80];
	const struct fact fact = { .kind = FACT_TLS,
		.text = { what, tls_verify_name(info->verified), said, "" } };

	snprintf(what, sizeof(what), "%s %s", info->version, info->cipher);
	said[0] = '\0';
	if (info->ocsp != TLS_OCSP_NONE)
		snprintf(
		    said, sizeof(said), "OCSP: %s", tls_ocsp_name(info->ocsp));
	p->fact(p->arg, &fact);
	for (size_t i = 0; i < info->n; i++)
		tell_certificate(p, &info->chain[i]);
}

/* While it is not connected the peer is what was asked for. */
static bool
is_connected(const struct survey_params *p, const char *peer)
{
	char asked[300];

	snprintf(asked, sizeof(asked), "%s:%u", p->fetch->conn.host,
	    p->fetch->conn.port);
	return strcmp(peer, asked) != 0;
}

void
survey_tell_way(const struct survey_params *p, const struct conn *c)
{
	struct tls_info info;
	struct tls_info_certificate refused;
	const char *peer = conn_peer(c);

	if (conn_octets_in(c) > 0 || is_connected(p, peer))
		survey_tell(p, FACT_REACHED, span_of(peer), SPAN(""));
	if (conn_tls_info(c, &info))
		tell_tls(p, &info);
	else if (conn_refused(c, &refused))
		tell_certificate(p, &refused);
}

void
survey_tell_login(
    const struct survey_params *p, const struct sasl_choice *choice)
{
	if (choice != NULL)
		survey_tell(p, FACT_LOGIN,
		    span_of(sasl_name(choice->mechanism)),
		    span_of(choice->why));
}

/* ---- what is known of such servers ---- */

void
survey_tell_quirks(
    const struct survey_params *p, const struct quirks_signs *signs)
{
	struct quirk found[QUIRKS_MAX];
	size_t n = quirks_find(signs, found, QUIRKS_MAX);

	for (size_t i = 0; i < n; i++)
		survey_tell(p, FACT_QUIRK, span_of(found[i].server),
		    span_of(found[i].what));
}
