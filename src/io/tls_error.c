/* SPDX-License-Identifier: ISC */
#include "io/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "io/tls_cert.h"
#include "util/text.h"

/* Together with the fixed words these fit into ERR_TEXT_MAX. */
#define NAME_SHOWN 64
#define NAMES_SHOWN 68
#define ISSUER_SHOWN 36
#define SANS_MAX 3

/* ---- why it was refused ---- */

static void
put_subject(char *dst, size_t size, X509 *cert)
{
	char cn[NAMES_SHOWN - 26];

	if (tls_cert_sans(dst, size, cert, SANS_MAX))
		return;
	tls_cert_name(cn, sizeof(cn), X509_get_subject_name(cert));
	snprintf(dst, size, "no host name (subject %s)", cn);
}

static void
put_dates(char *dst, size_t size, const struct tls_refusal *r)
{
	const char *whose = r->depth == 0 ? "it" : "a certificate above it";
	char day[TLS_CERT_DAY_SIZE];

	if (r->code == X509_V_ERR_CERT_HAS_EXPIRED) {
		tls_cert_day(day, sizeof(day), X509_get0_notAfter(r->bad));
		snprintf(dst, size, "%s expired on %s", whose, day);
	} else {
		tls_cert_day(day, sizeof(day), X509_get0_notBefore(r->bad));
		snprintf(dst, size, "%s is not valid before %s", whose, day);
	}
}

static void
put_crl_day(char *dst, size_t size, const struct tls_refusal *r)
{
	tls_cert_day(dst, size,
	    r->crl == NULL ? NULL : X509_CRL_get0_nextUpdate(r->crl));
}

/* Of what tls-crl-file, the DNS and OCSP say. */
static void
put_revocation(char *dst, size_t size, const struct tls_refusal *r)
{
	const char *whose = r->depth == 0 ? "it" : "a certificate above it";
	char day[TLS_CERT_DAY_SIZE];

	if (r->code == X509_V_ERR_CERT_REVOKED)
		snprintf(dst, size, "%s was revoked, says tls-crl-file", whose);
	else if (r->code == X509_V_ERR_UNABLE_TO_GET_CRL)
		snprintf(dst, size, "tls-crl-file has no CRL of who issued %s",
		    whose);
	else if (r->code == X509_V_ERR_CRL_HAS_EXPIRED) {
		put_crl_day(day, sizeof(day), r);
		snprintf(dst, size,
		    "the CRL of its issuer expired on %s (tls-crl-file)", day);
	} else if (r->code == X509_V_ERR_DANE_NO_MATCH)
		snprintf(dst, size, "no TLSA record matches it");
	else if (r->code == TLS_REFUSAL_REVOKED)
		snprintf(dst, size, "it was revoked, says its OCSP response");
	else if (r->code == TLS_REFUSAL_OCSP)
		snprintf(dst, size,
		    "its OCSP response is not usable (tls-ocsp = require)");
	else if (r->code == TLS_REFUSAL_NO_OCSP)
		snprintf(dst, size,
		    "it comes without an OCSP response (tls-ocsp = require)");
	else
		snprintf(
		    dst, size, "%s", X509_verify_cert_error_string(r->code));
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
		put_revocation(dst, size, r);
		return;
	}
	snprintf(dst, size, "%s", X509_verify_cert_error_string(r->code));
}

/* By itself, since the pin shall be there as a whole. */
static int
refuse_key(struct err *e, const struct tls_refusal *r)
{
	char pin[TLS_PIN_TEXT_SIZE];

	tls_cert_pin_text(pin, r->leaf);
	return err_set(e, ERR_TLS, 0,
	    "no tls-pin matches the key of %.*s; the server's key is %s: if "
	    "that is right, add it to tls-pin",
	    NAME_SHOWN, r->name, pin);
}

int
tls_error_certificate(struct err *e, const struct tls_refusal *r)
{
	char names[NAMES_SHOWN], issuer[ISSUER_SHOWN], until[TLS_CERT_DAY_SIZE],
	    why[100];

	if (r->code == TLS_REFUSAL_PIN)
		return refuse_key(e, r);
	put_reason(why, sizeof(why), r);
	if (r->leaf == NULL)
		return err_set(e, ERR_TLS, 0,
		    "the certificate of %.*s is refused: %s", NAME_SHOWN,
		    r->name, why);
	put_subject(names, sizeof(names), r->leaf);
	tls_cert_name(issuer, sizeof(issuer), X509_get_issuer_name(r->leaf));
	tls_cert_day(until, sizeof(until), X509_get0_notAfter(r->leaf));
	return err_set(e, ERR_TLS, 0,
	    "certificate for %s (issuer %s, valid until %s) is refused: %s",
	    names, issuer, until, why);
}

/* ---- all else ---- */

static bool
is_about_version(unsigned long code)
{
	int reason = ERR_GET_REASON(code);

	return ERR_GET_LIB(code) == ERR_LIB_SSL &&
	    (reason == SSL_R_UNSUPPORTED_PROTOCOL ||
		reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
}

static const char *
reason_text(unsigned long code)
{
	int reason = ERR_GET_REASON(code);
	const char *text;

	if (is_about_version(code))
		return "the server does not offer TLS 1.2 or newer";
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
		return SSL_alert_desc_string_long(
		    reason - SSL_AD_REASON_OFFSET);
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
tls_error_session(struct err *e, const char *doing, bool only_tls_1_3)
{
	if (!only_tls_1_3 || !is_about_version(ERR_peek_error()))
		return tls_error_queue(e, doing);
	ERR_clear_error();
	return err_set(e, ERR_TLS, 0,
	    "%s: the server does not offer TLS 1.3 (tls-min)", doing);
}

int
tls_error_not_tls(struct err *e, struct span first)
{
	char said[100];

	text_printable(said, sizeof(said), span_trim(first));
	return err_set(e, ERR_TLS, 0,
	    "the server does not speak TLS here, it said \"%s\"", said);
}
