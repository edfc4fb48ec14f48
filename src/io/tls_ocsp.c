/* SPDX-License-Identifier: ISC */
#include "io/tls_ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>

#include "io/tls_cert.h"

#define RESPONSE_MAX 65536
#define SKEW_S 300L           /* between the responder's clock and ours */
#define OLD_S (24L * 60 * 60) /* for one that does not say until when */

void
tls_ocsp_begin(SSL_CTX *ctx)
{
	SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
}

/* Responders name the certificate by a digest of their choice. */
static bool
is_about(const OCSP_SINGLERESP *single, X509 *leaf, X509 *issuer)
{
	const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
	ASN1_OBJECT *md = NULL;
	OCSP_CERTID *ours;
	bool same;

	/* what is const in it stays so */
	if (OCSP_id_get0_info(
		NULL, &md, NULL, NULL, (OCSP_CERTID *)(uintptr_t)id) != 1 ||
	    EVP_get_digestbyobj(md) == NULL)
		return false;
	ours = OCSP_cert_to_id(EVP_get_digestbyobj(md), leaf, issuer);
	same = ours != NULL && OCSP_id_cmp(id, ours) == 0;
	OCSP_CERTID_free(ours);
	return same;
}

/* One that revokes it counts, however old it is. */
static void
judge(OCSP_SINGLERESP *single, struct tls_ocsp_answer *out)
{
	ASN1_GENERALIZEDTIME *revoked, *from, *until;
	int reason;
	int status =
	    OCSP_single_get0_status(single, &reason, &revoked, &from, &until);

	if (status == V_OCSP_CERTSTATUS_REVOKED)
		out->revoked = true;
	if (status != V_OCSP_CERTSTATUS_GOOD ||
	    OCSP_check_validity(
		from, until, SKEW_S, until == NULL ? OLD_S : -1L) != 1)
		return;
	out->state = TLS_OCSP_GOOD;
	out->good_until = tls_cert_time(until);
}

static void
look(OCSP_BASICRESP *basic, STACK_OF(X509) * chain, X509_STORE *store,
    struct tls_ocsp_answer *out)
{
	X509 *leaf = sk_X509_value(chain, 0);
	X509 *issuer = sk_X509_value(chain, 1);

	/* signed by the issuer, or by whom the issuer has let do so */
	if (OCSP_basic_verify(basic, chain, store, OCSP_NOEXPLICIT) != 1)
		return;
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

		if (is_about(single, leaf, issuer))
			judge(single, out);
	}
}

/* A certificate that is trusted by itself has nobody who could revoke it. */
static bool
has_issuer(STACK_OF(X509) * chain)
{
	return chain != NULL && sk_X509_num(chain) > 1;
}

void
tls_ocsp_look(SSL *ssl, struct tls_ocsp_answer *out)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	const unsigned char *der;
	long n = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;

	*out = (struct tls_ocsp_answer){ .state = TLS_OCSP_NONE };
	if (der == NULL || n <= 0)
		return;
	out->state = TLS_OCSP_BAD;
	if (n > RESPONSE_MAX || !has_issuer(chain))
		return;
	response = d2i_OCSP_RESPONSE(NULL, &der, n);
	basic = response == NULL ? NULL : OCSP_response_get1_basic(response);
	if (basic != NULL)
		look(basic, chain, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)),
		    out);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	/* or it would be there as long as the session is */
	SSL_set_tlsext_status_ocsp_resp(ssl, NULL, 0);
}
