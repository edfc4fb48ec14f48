/* SPDX-License-Identifier: ISC */
#include "io/tls_ctx.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/tls_ca.h"
#include "io/tls_identity.h"
#include "io/tls_ocsp.h"
#include "io/tls_own.h"
#include "io/tls_verify.h"
#include "util/mem.h"
#include "util/text.h"

/* Several records of 16 KiB by one system call. */
#define READ_AHEAD_OCTETS ((size_t)65536)
/* Whatever the user asks for: somebody must be named, and nothing be clear. */
#define CIPHERS_NEVER "!aNULL:!eNULL"

static void
prepare(void)
{
	tzset(); /* the first gmtime_r(3) would read /etc/localtime */
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
}

void
tls_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, prepare);
}

/* ---- whom it trusts ---- */

static bool
wants_chain(const struct tls_rules *rules)
{
	return rules->verify == TLS_VERIFY_CHAIN ||
	    rules->verify == TLS_VERIFY_BOTH;
}

static void
digest(struct span text, unsigned char out[32])
{
	if (EVP_Digest(text.p, text.n, out, NULL, EVP_sha256(), NULL) != 1)
		memset(out, 0, 32);
}

bool
tls_ctx_trusts(const struct tls_ctx *ctx, const struct tls_rules *rules)
{
	unsigned char ca[32];

	if (!ctx->shareable || !wants_chain(rules) || rules->crl.n > 0)
		return false;
	digest(rules->ca, ca);
	return memcmp(ca, ctx->ca, sizeof(ca)) == 0;
}

static int
set_trust(struct tls_ctx *ctx, const struct tls_ctx *other,
    const struct tls_rules *rules, struct err *e)
{
	X509_STORE *store = SSL_CTX_get_cert_store(
	    other != NULL ? other->ssl_ctx : ctx->ssl_ctx);

	if (!wants_chain(rules))
		return 0;
	ctx->shareable = rules->crl.n == 0;
	digest(rules->ca, ctx->ca);
	if (other != NULL) {
		SSL_CTX_set1_cert_store(ctx->ssl_ctx, store);
		return 0;
	}
	if (rules->ca.n > TLS_CA_MAX_OCTETS)
		return err_set(e, ERR_CONFIG, 0, "too many certificates");
	if (tls_identity_trust(store, rules->ca) == 0)
		return err_set(e, ERR_CONFIG, 0,
		    "no trusted certificate could be read; set tls-ca-file");
	/* whatever the user put into tls-ca-file is trusted, be it a root,
	 * an intermediate or the server's own certificate */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

static int
set_revocation(SSL_CTX *ctx, const struct tls_rules *rules, struct err *e)
{
	if (rules->crl.n == 0)
		return 0;
	/* Not of the store: whoever signs an OCSP response has no CRL. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx),
	    X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return tls_identity_revoked(SSL_CTX_get_cert_store(ctx), rules, e);
}

static int
check_rules(const struct tls_rules *rules, struct err *e)
{
	bool pins =
	    rules->verify == TLS_VERIFY_PIN || rules->verify == TLS_VERIFY_BOTH;

	if (pins && rules->pins.n < TLS_PIN_OCTETS)
		return err_set(e, ERR_CONFIG, 0, "tls-verify needs a tls-pin");
	if (!wants_chain(rules) && rules->crl.n > 0)
		return err_set(e, ERR_CONFIG, 0,
		    "tls-crl-file is of use with tls-verify = chain and both "
		    "alone");
	if (!wants_chain(rules) && rules->ocsp_required)
		return err_set(e, ERR_CONFIG, 0,
		    "tls-ocsp = require is of use with tls-verify = chain and "
		    "both alone");
	return 0;
}

/* ---- ciphers ---- */

/* "!RC4" and "-RC4" take away what may be unknown. */
static bool
may_be_unknown(struct span word)
{
	return word.n == 0 || word.p[0] == '!' || word.p[0] == '-' ||
	    word.p[0] == '@' || word.p[0] == '+';
}

static int
check_word(SSL_CTX *ctx, struct span word, struct err *e)
{
	char *text, shown[64];
	bool good;

	if (may_be_unknown(word))
		return 0;
	text = mem_spandup(word);
	good = SSL_CTX_set_cipher_list(ctx, text) == 1;
	free(text);
	ERR_clear_error();
	if (good)
		return 0;
	return err_set(e, ERR_CONFIG, 0,
	    "tls-ciphers: \"%s\" is no cipher of TLS 1.2, nor a group of them "
	    "(\"openssl ciphers -v\" lists them)",
	    text_printable(shown, sizeof(shown), word));
}

/* OpenSSL passes over words that it does not know. */
static int
check_words(SSL_CTX *ctx, struct span list, struct err *e)
{
	while (list.n > 0) {
		size_t n = 0;

		while (n < list.n && list.p[n] != ':' && list.p[n] != ',' &&
		    list.p[n] != ' ')
			n++;
		if (check_word(ctx, span_take(&list, n), e) != 0)
			return -1;
		span_take(&list, 1);
	}
	return 0;
}

static int
set_ciphers(SSL_CTX *ctx, struct span list, struct err *e)
{
	char *text;
	bool good;

	if (list.n == 0)
		return 0;
	if (check_words(ctx, list, e) != 0)
		return -1;
	text = mem_printf("%.*s:%s", (int)list.n, list.p, CIPHERS_NEVER);
	good = SSL_CTX_set_cipher_list(ctx, text) == 1;
	free(text);
	ERR_clear_error();
	if (good)
		return 0;
	return err_set(e, ERR_CONFIG, 0, "tls-ciphers leaves no cipher");
}

int
tls_ctx_check_ciphers(struct span list, struct err *e)
{
	SSL_CTX *ctx;
	int r;

	tls_prepare();
	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL)
		return tls_error_queue(e, "OpenSSL cannot start");
	r = set_ciphers(ctx, list, e);
	SSL_CTX_free(ctx);
	return r;
}

/* ---- life ---- */

static void
set_options(SSL_CTX *ctx, bool only_tls_1_3)
{
	SSL_CTX_set_min_proto_version(
	    ctx, only_tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD_OCTETS);
	SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	tls_verify_begin(ctx);
}

static int
set_rules(struct tls_ctx *ctx, const struct tls_ctx *other,
    const struct tls_rules *rules, struct err *e)
{
	ctx->verify = rules->verify;
	ctx->only_tls_1_3 = rules->only_tls_1_3;
	ctx->ocsp_required = rules->ocsp_required;
	ctx->n_pins = rules->pins.n / TLS_PIN_OCTETS;
	ctx->pins = mem_spandup(rules->pins);
	set_options(ctx->ssl_ctx, rules->only_tls_1_3);
	if (wants_chain(rules))
		tls_ocsp_begin(ctx->ssl_ctx);
	if (check_rules(rules, e) != 0 ||
	    set_trust(ctx, other, rules, e) != 0 ||
	    set_revocation(ctx->ssl_ctx, rules, e) != 0 ||
	    set_ciphers(ctx->ssl_ctx, rules->ciphers, e) != 0 ||
	    tls_identity_own(ctx->ssl_ctx, rules, e) != 0)
		return -1;
	if (rules->verify == TLS_VERIFY_DANE &&
	    SSL_CTX_dane_enable(ctx->ssl_ctx) <= 0)
		return tls_error_queue(e, "DANE");
	return 0;
}

struct tls_ctx *
tls_ctx_new_beside(
    const struct tls_ctx *other, const struct tls_rules *rules, struct err *e)
{
	struct tls_ctx *ctx = mem_new(sizeof(*ctx));

	tls_prepare();
	ERR_clear_error();
	ctx->refs = 1;
	ctx->cache = tls_cache_new();
	ctx->ssl_ctx = SSL_CTX_new(TLS_client_method());
	if (ctx->ssl_ctx == NULL) {
		tls_error_queue(e, "OpenSSL cannot start");
		tls_ctx_free(&ctx);
		return NULL;
	}
	if (set_rules(ctx, other, rules, e) != 0)
		tls_ctx_free(&ctx);
	return ctx;
}

struct tls_ctx *
tls_ctx_new(const struct tls_rules *rules, struct err *e)
{
	return tls_ctx_new_beside(NULL, rules, e);
}

struct tls_ctx *
tls_ctx_new_pem(struct span pem, struct err *e)
{
	const struct tls_rules rules = { .ca = pem };

	return tls_ctx_new(&rules, e);
}

void
tls_ctx_drop(struct tls_ctx *ctx)
{
	if (--ctx->refs > 0)
		return;
	SSL_CTX_free(ctx->ssl_ctx);
	tls_cache_free(&ctx->cache);
	free(ctx->pins);
	free(ctx);
}

void
tls_ctx_free(struct tls_ctx **ctx)
{
	if (*ctx != NULL)
		tls_ctx_drop(*ctx);
	*ctx = NULL;
}

bool
tls_ctx_wants_dane(const struct tls_ctx *ctx)
{
	return ctx->verify == TLS_VERIFY_DANE;
}
