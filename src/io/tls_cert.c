/* SPDX-License-Identifier: ISC */
#include "io/tls_cert.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/text.h"

#define NAME_SHOWN 64
#define PIN_BASE64 44
#define SPKI_MAX 16384 /* no key of use is larger */

/* ---- names ---- */

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

bool
tls_cert_sans(char *dst, size_t size, X509 *cert, int max)
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
		    shown > 0 ? ", " : "", shown < max ? one : "...");
		used += r > 0 ? (size_t)r : 0;
		if (shown++ == max)
			break;
	}
	GENERAL_NAMES_free(names);
	return shown > 0;
}

/* The first of these that the name has. */
static void
put_part(
    char *dst, size_t size, const X509_NAME *dn, const int *kinds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
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

void
tls_cert_name(char *dst, size_t size, const X509_NAME *dn)
{
	static const int kinds[] = { NID_commonName, NID_organizationName,
		NID_organizationalUnitName };

	put_part(dst, size, dn, kinds, 3);
}

void
tls_cert_authority(char *dst, size_t size, const X509_NAME *dn)
{
	static const int kinds[] = { NID_organizationName, NID_commonName,
		NID_organizationalUnitName };

	put_part(dst, size, dn, kinds, 3);
}

/* ---- time ---- */

/* Not by strftime(3): it opens /etc/localtime. */
void
tls_cert_day(char *dst, size_t size, const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		snprintf(dst, size, "?");
	else
		snprintf(dst, size, "%04d-%02d-%02d", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday);
}

int64_t
tls_cert_time(const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

/* ---- the key ---- */

int
tls_cert_pin(const X509 *cert, unsigned char pin[TLS_PIN_OCTETS])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	int good = 0;

	if (n > 0 && n <= SPKI_MAX)
		good =
		    EVP_Digest(der, (size_t)n, pin, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return good == 1 ? 0 : -1;
}

void
tls_cert_pin_text(char dst[TLS_PIN_TEXT_SIZE], const X509 *cert)
{
	static const char kind[] = "sha256:";
	unsigned char pin[TLS_PIN_OCTETS], text[TLS_PIN_TEXT_SIZE];

	if (cert == NULL || tls_cert_pin(cert, pin) != 0) {
		snprintf(dst, TLS_PIN_TEXT_SIZE, "?");
		return;
	}
	EVP_EncodeBlock(text, pin, TLS_PIN_OCTETS);
	memcpy(dst, kind, sizeof(kind) - 1);
	memcpy(dst + sizeof(kind) - 1, text, PIN_BASE64 + 1);
}
