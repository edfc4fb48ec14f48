/* SPDX-License-Identifier: ISC */
#include "io/tls_info.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "io/tls_cert.h"
#include "util/text.h"

const char *
tls_verify_name(enum tls_verify v)
{
	static const char *const names[TLS_VERIFIES] = {
		[TLS_VERIFY_CHAIN] = "chain",
		[TLS_VERIFY_PIN] = "pin",
		[TLS_VERIFY_BOTH] = "chain and pin",
		[TLS_VERIFY_DANE] = "DANE",
	};

	return v < TLS_VERIFIES ? names[v] : "?";
}

const char *
tls_ocsp_name(enum tls_ocsp o)
{
	static const char *const names[TLS_OCSPS] = {
		[TLS_OCSP_NONE] = "none",
		[TLS_OCSP_GOOD] = "good",
		[TLS_OCSP_BAD] = "unusable",
	};

	return o < TLS_OCSPS ? names[o] : "?";
}

void
tls_info_describe(struct tls_info_certificate *c, struct x509_st *cert)
{
	const X509_NAME *issuer = X509_get_issuer_name(cert);

	tls_cert_name(
	    c->subject, sizeof(c->subject), X509_get_subject_name(cert));
	tls_cert_name(c->issuer, sizeof(c->issuer), issuer);
	tls_cert_authority(c->authority, sizeof(c->authority), issuer);
	tls_cert_sans(c->names, sizeof(c->names), cert, TLS_INFO_SANS_MAX);
	c->not_before = tls_cert_time(X509_get0_notBefore(cert));
	c->not_after = tls_cert_time(X509_get0_notAfter(cert));
	tls_cert_pin_text(c->pin, cert);
}

static void
describe_chain(struct tls_info *info, const SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	int n;

	if (chain == NULL || sk_X509_num(chain) <= 0)
		chain = SSL_get_peer_cert_chain(ssl);
	n = chain == NULL ? 0 : sk_X509_num(chain);
	for (int i = 0; i < n && info->n < TLS_INFO_CHAIN_MAX; i++)
		tls_info_describe(
		    &info->chain[info->n++], sk_X509_value(chain, i));
	if (info->n == 0 && leaf != NULL)
		tls_info_describe(&info->chain[info->n++], leaf);
}

void
tls_info_fill(struct tls_info *info, const struct ssl_st *ssl)
{
	const unsigned char *alpn;
	unsigned int n;

	*info = (struct tls_info){ 0 };
	snprintf(
	    info->version, sizeof(info->version), "%s", SSL_get_version(ssl));
	snprintf(
	    info->cipher, sizeof(info->cipher), "%s", SSL_get_cipher_name(ssl));
	SSL_get0_alpn_selected(ssl, &alpn, &n);
	text_printable(
	    info->alpn, sizeof(info->alpn), span_make((const char *)alpn, n));
	info->resumed = SSL_session_reused(ssl) == 1;
	describe_chain(info, ssl);
}
