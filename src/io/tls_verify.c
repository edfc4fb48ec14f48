/* SPDX-License-Identifier: ISC */
#include "io/tls_verify.h"

#include <openssl/x509_vfy.h>
#include <string.h>

#include "io/tls_cert.h"
#include "io/tls_ocsp.h"
#include "io/tls_own.h"
#include "sys/clock.h"

static struct tls *
session_of(X509_STORE_CTX *store)
{
	return SSL_get_app_data(X509_STORE_CTX_get_ex_data(
	    store, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

/* ---- why not ---- */

/* The first reason counts. */
static int
refuse(struct tls *t, X509_STORE_CTX *store, int code)
{
	struct tls_refusal *r = &t->refusal;

	X509_STORE_CTX_set_error(store, code);
	if (t->refused)
		return 0;
	t->refused = true;
	r->leaf = X509_STORE_CTX_get0_cert(store);
	r->bad = X509_STORE_CTX_get_current_cert(store);
	r->crl = X509_STORE_CTX_get0_current_crl(store);
	if (r->leaf != NULL)
		X509_up_ref(r->leaf);
	if (r->bad != NULL)
		X509_up_ref(r->bad);
	if (r->crl != NULL)
		X509_CRL_up_ref(r->crl);
	r->code = code;
	r->depth = X509_STORE_CTX_get_error_depth(store);
	r->name = t->name;
	return 0;
}

void
tls_verify_forget(struct tls *t)
{
	X509_free(t->refusal.leaf);
	X509_free(t->refusal.bad);
	X509_CRL_free(t->refusal.crl);
	t->refusal = (struct tls_refusal){ 0 };
}

/* ---- the chain ---- */

/* The user has CRLs of whom he has them; only that of the server's own issuer
 * is asked for. */
static bool
may_go_without_crl(X509_STORE_CTX *store)
{
	return X509_STORE_CTX_get_error(store) ==
	    X509_V_ERR_UNABLE_TO_GET_CRL &&
	    X509_STORE_CTX_get_error_depth(store) > 0;
}

static int
judge(int good, X509_STORE_CTX *store)
{
	if (good)
		return 1;
	if (may_go_without_crl(store)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	return refuse(
	    session_of(store), store, X509_STORE_CTX_get_error(store));
}

/* ---- the key ---- */

static bool
is_pinned(const struct tls_ctx *ctx, const X509 *cert)
{
	unsigned char pin[TLS_PIN_OCTETS];

	if (cert == NULL || tls_cert_pin(cert, pin) != 0)
		return false;
	for (size_t i = 0; i < ctx->n_pins; i++)
		if (memcmp(ctx->pins + i * TLS_PIN_OCTETS, pin,
			TLS_PIN_OCTETS) == 0)
			return true;
	return false;
}

static bool
wants_pin(const struct tls_ctx *ctx)
{
	return ctx->verify == TLS_VERIFY_PIN || ctx->verify == TLS_VERIFY_BOTH;
}

/* ---- all of it ---- */

/* OpenSSL would take the chain for enough where there is no record. */
static int
verify(X509_STORE_CTX *store, void *arg)
{
	struct tls *t = session_of(store);

	(void)arg;
	if (t->ctx->verify == TLS_VERIFY_DANE && !t->has_tlsa)
		return refuse(t, store, X509_V_ERR_DANE_NO_MATCH);
	if (t->ctx->verify != TLS_VERIFY_PIN && X509_verify_cert(store) != 1)
		return 0;
	if (wants_pin(t->ctx) &&
	    !is_pinned(t->ctx, X509_STORE_CTX_get0_cert(store)))
		return refuse(t, store, TLS_REFUSAL_PIN);
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

void
tls_verify_begin(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, judge);
	SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
}

/* ---- after the handshake ---- */

static int
check_session(const struct tls *t, struct err *e)
{
	X509 *cert = SSL_get0_peer_certificate(t->ssl);
	const unsigned char *alpn;
	unsigned int n;

	if (cert == NULL || SSL_get_verify_result(t->ssl) != X509_V_OK ||
	    SSL_version(t->ssl) < TLS1_2_VERSION ||
	    (wants_pin(t->ctx) && !is_pinned(t->ctx, cert)))
		return err_set(e, ERR_TLS, 0,
		    "the TLS session with %.100s is not verified", t->name);
	SSL_get0_alpn_selected(t->ssl, &alpn, &n);
	if (n > 0 && (n != strlen(t->alpn) || memcmp(alpn, t->alpn, n) != 0))
		return err_set(e, ERR_TLS, 0,
		    "the server chose a protocol by ALPN that was not "
		    "offered");
	return 0;
}

static int
refuse_late(const struct tls *t, int code, struct err *e)
{
	const struct tls_refusal r = {
		.leaf = SSL_get0_peer_certificate(t->ssl),
		.code = code,
		.name = t->name,
	};

	return tls_error_certificate(e, &r);
}

/* The answer is from before we say a word about ourselves. */
static int
check_ocsp(struct tls *t, struct err *e)
{
	struct tls_ocsp_answer answer;

	tls_ocsp_look(t->ssl, &answer);
	t->known.ocsp = answer.state;
	if (answer.good_until > 0 && answer.good_until < t->known.until)
		t->known.until = answer.good_until;
	if (answer.revoked)
		return refuse_late(t, TLS_REFUSAL_REVOKED, e);
	if (!t->ctx->ocsp_required || answer.state == TLS_OCSP_GOOD)
		return 0;
	return refuse_late(t,
	    answer.state == TLS_OCSP_NONE ? TLS_REFUSAL_NO_OCSP
					  : TLS_REFUSAL_OCSP,
	    e);
}

/* So long as all certificates of the chain are good. */
static void
know_chain(struct tls *t)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(t->ssl);
	int n = chain == NULL ? 0 : sk_X509_num(chain);

	for (int i = 0; i < n; i++) {
		int64_t end =
		    tls_cert_time(X509_get0_notAfter(sk_X509_value(chain, i)));

		if (end < t->known.until)
			t->known.until = end;
	}
}

int
tls_verify_end(struct tls *t, struct err *e)
{
	if (check_session(t, e) != 0)
		return -1;
	if (SSL_session_reused(t->ssl) == 1)
		return 0; /* known since */
	t->known =
	    (struct tls_known){ .until = clock_wall_s() + TLS_CACHE_DAY_S };
	if (t->ctx->verify == TLS_VERIFY_PIN ||
	    t->ctx->verify == TLS_VERIFY_DANE)
		return 0;
	know_chain(t);
	return check_ocsp(t, e);
}
