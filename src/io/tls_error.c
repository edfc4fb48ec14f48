/* SPDX-License-Identifier: ISC */
#include "io/tls_error.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "util/text.h"

/* Together with the fixed words these fit into ERR_TEXT_MAX. */
#define NAME_SHOWN 64
#define NAMES_SHOWN 68
#define ISSUER_SHOWN 36
#define SANS_MAX 3
#define DAY_SIZE 40 /* any three integers fit */

/* ---- what a certificate says of itself ---- */

static struct span
asn1_span(const ASN1_STRING *s)
{
	return span_make((const char *)ASN1_STRING_get0_data(s),
	    (size_t)ASN1_STRING_length(s));
}

static void
put_address(char *dst, size_t size, const ASN1_STRING *ip)
{
	struct span raw = asn1_span(ip);
	int family = raw.n == 4 ? AF_INET : AF_INET6;

	if ((raw.n != 4 && raw.n != 16) ||
	    inet_ntop(family, raw.p, dst, (socklen_t)size) == NULL)
		snprintf(dst, size, "?");
}

/* One alternative name; false for a kind that no server is known by. */
static bool
put_san(char *dst, size_t size, const GENERAL_NAME *name)
{
	if (name->type == GEN_DNS)
		text_printable(dst, size, asn1_span(name->d.dNSName));
	else if (name->type == GEN_IPADD)
		put_address(dst, size, name->d.iPAddress);
	else
		return false;
	return true;
}

/* "a.example, b.example, ..." into dst; false when there is none. */
static bool
put_sans(char *dst, size_t size, X509 *cert)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int n = names == NULL ? 0 : sk_GENERAL_NAME_num(names);
	int shown = 0;
	size_t used = 0;

	dst[0] = '\0';
	for (int i = 0; i < n && used < size; i++) {
		char one[NAME_SHOWN];
		int r;

		if (!put_san(one, sizeof(one), sk_GENERAL_NAME_value(names, i)))
			continue;
		r = snprintf(dst + used, size - used, "%s%s",
		    shown > 0 ? ", " : "", shown < SANS_MAX ? one : "...");
		used += r > 0 ? (size_t)r : 0;
		if (shown++ == SANS_MAX)
			break;
	}
	GENERAL_NAMES_free(names);
	return shown > 0;
}

/* The common name, else the organisation, else "?". */
static void
put_dn(char *dst, size_t size, const X509_NAME *dn)
{
	static const int kinds[] = { NID_commonName, NID_organizationName,
		NID_organizationalUnitName };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int at = X509_NAME_get_index_by_NID(dn, kinds[i], -1);

		if (at < 0)
			continue;
		text_printable(dst, size,
		    asn1_span(
			X509_NAME_ENTRY_get_data(X509_NAME_get_entry(dn, at))));
		return;
	}
	snprintf(dst, size, "?");
}

static void
put_subject(char *dst, size_t size, X509 *cert)
{
	char cn[NAMES_SHOWN - 26];

	if (put_sans(dst, size, cert))
		return;
	put_dn(cn, sizeof(cn), X509_get_subject_name(cert));
	snprintf(dst, size, "no host name (subject %s)", cn);
}

/* Not by strftime(3): it opens /etc/localtime. */
static void
put_day(char *dst, size_t size, const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		snprintf(dst, size, "?");
	else
		snprintf(dst, size, "%04d-%02d-%02d", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday);
}

/* ---- why it was refused ---- */

static void
put_dates(char *dst, size_t size, const struct tls_refusal *r)
{
	const char *whose = r->depth == 0 ? "it" : "a certificate above it";
	char day[DAY_SIZE];

	if (r->code == X509_V_ERR_CERT_HAS_EXPIRED) {
		put_day(day, sizeof(day), X509_get0_notAfter(r->bad));
		snprintf(dst, size, "%s expired on %s", whose, day);
	} else {
		put_day(day, sizeof(day), X509_get0_notBefore(r->bad));
		snprintf(dst, size, "%s is not valid before %s", whose, day);
	}
}

static void
put_reason(char *dst, size_t size, const struct tls_refusal *r)
{
	switch (r->code) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		snprintf(
		    dst, size, "it does not name %.*s", NAME_SHOWN, r->name);
		return;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		if (r->bad != NULL) {
			put_dates(dst, size, r);
			return;
		}
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		snprintf(dst, size,
		    "it is self-signed (to trust it, set tls-ca-file)");
		return;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		snprintf(dst, size,
		    "its issuer is not trusted (for a CA of your own, set "
		    "tls-ca-file)");
		return;
	default:
		break;
	}
	snprintf(dst, size, "%s", X509_verify_cert_error_string(r->code));
}

int
tls_error_certificate(struct err *e, const struct tls_refusal *r)
{
	char names[NAMES_SHOWN], issuer[ISSUER_SHOWN], until[DAY_SIZE],
	    why[100];

	put_reason(why, sizeof(why), r);
	if (r->leaf == NULL)
		return err_set(e, ERR_TLS, 0,
		    "the certificate of %.*s is refused: %s", NAME_SHOWN,
		    r->name, why);
	put_subject(names, sizeof(names), r->leaf);
	put_dn(issuer, sizeof(issuer), X509_get_issuer_name(r->leaf));
	put_day(until, sizeof(until), X509_get0_notAfter(r->leaf));
	return err_set(e, ERR_TLS, 0,
	    "certificate for %s (issuer %s, valid until %s) is refused: %s",
	    names, issuer, until, why);
}

/* ---- all else ---- */

static const char *
reason_text(unsigned long code)
{
	int reason = ERR_GET_REASON(code);
	const char *text;

	if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
		if (reason == SSL_R_UNSUPPORTED_PROTOCOL ||
		    reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
			return "the server does not offer TLS 1.2 or newer";
		if (reason > SSL_AD_REASON_OFFSET)
			return SSL_alert_desc_string_long(
			    reason - SSL_AD_REASON_OFFSET);
	}
	text = ERR_reason_error_string(code);
	return text == NULL ? "unknown reason" : text;
}

int
tls_error_queue(struct err *e, const char *doing)
{
	unsigned long code = ERR_peek_error(); /* the first is the cause */
	bool alert = ERR_GET_LIB(code) == ERR_LIB_SSL &&
	    ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET;

	err_set(e, ERR_TLS, 0, "%s: %s%s", doing,
	    alert ? "the server answered with alert " : "", reason_text(code));
	ERR_clear_error();
	return -1;
}

int
tls_error_not_tls(struct err *e, struct span first)
{
	char said[100];

	text_printable(said, sizeof(said), span_trim(first));
	return err_set(e, ERR_TLS, 0,
	    "the server does not speak TLS here, it said \"%s\"", said);
}
