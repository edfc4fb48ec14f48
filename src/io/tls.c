/* SPDX-License-Identifier: ISC */
#include "io/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/tls_bio.h"
#include "io/tls_error.h"
#include "util/mem.h"

/* Several records of 16 KiB by one system call. */
#define READ_AHEAD_OCTETS ((size_t)65536)
/* What one call of ours takes from the socket at most. */
#define ALLOWANCE_OCTETS READ_AHEAD_OCTETS
#define ALPN_MAX_OCTETS 32
#define NAME_MAX_OCTETS 253

struct tls_ctx {
	SSL_CTX *ssl_ctx;
};

struct tls {
	SSL *ssl;
	struct tls_bio io;
	char *name;
	char alpn[ALPN_MAX_OCTETS + 1];
	bool up, broken; /* broken: only tls_free() is left */
	bool refused;    /* the certificate was; refusal says why */
	struct tls_refusal refusal;
	X509 *leaf, *bad; /* what refusal points to */
	char description[96];
};

/* ---- trusted certificates ---- */

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

/* Adds each certificate that can be read. How many there were. */
static size_t
add_certificates(X509_STORE *store, BIO *bio)
{
	size_t n = 0;

	while (BIO_pending(bio) > 0) {
		X509 *cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);

		if (cert == NULL &&
		    ERR_GET_REASON(ERR_peek_last_error()) ==
			PEM_R_NO_START_LINE)
			break;
		if (cert != NULL && X509_STORE_add_cert(store, cert) == 1)
			n++;
		X509_free(cert);
	}
	ERR_clear_error();
	return n;
}

static int
set_trust(SSL_CTX *ctx, struct span pem, struct err *e)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	size_t n = 0;
	BIO *bio;

	if (pem.n > TLS_CA_MAX_OCTETS)
		return err_set(e, ERR_CONFIG, 0, "too many certificates");
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio != NULL)
		n = add_certificates(store, bio);
	BIO_free(bio);
	if (n == 0)
		return err_set(e, ERR_CONFIG, 0,
		    "no trusted certificate could be read; set tls-ca-file");
	/* whatever the user put into tls-ca-file is trusted, be it a root,
	 * an intermediate or the server's own certificate */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

static int
refuse_certificate(int good, X509_STORE_CTX *store)
{
	const SSL *ssl;
	struct tls *t;

	if (good)
		return 1;
	ssl = X509_STORE_CTX_get_ex_data(
	    store, SSL_get_ex_data_X509_STORE_CTX_idx());
	t = SSL_get_app_data(ssl);
	if (t->refused)
		return 0;
	t->refused = true;
	t->leaf = X509_STORE_CTX_get0_cert(store);
	t->bad = X509_STORE_CTX_get_current_cert(store);
	if (t->leaf != NULL)
		X509_up_ref(t->leaf);
	if (t->bad != NULL)
		X509_up_ref(t->bad);
	t->refusal = (struct tls_refusal){
		.leaf = t->leaf,
		.bad = t->bad,
		.code = X509_STORE_CTX_get_error(store),
		.depth = X509_STORE_CTX_get_error_depth(store),
		.name = t->name,
	};
	return 0;
}

/* ---- contexts ---- */

static void
set_rules(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD_OCTETS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, refuse_certificate);
}

struct tls_ctx *
tls_ctx_new_pem(struct span pem, struct err *e)
{
	struct tls_ctx *ctx = mem_new(sizeof(*ctx));

	tls_prepare();
	ERR_clear_error();
	ctx->ssl_ctx = SSL_CTX_new(TLS_client_method());
	if (ctx->ssl_ctx == NULL) {
		tls_error_queue(e, "OpenSSL cannot start");
		tls_ctx_free(&ctx);
		return NULL;
	}
	set_rules(ctx->ssl_ctx);
	if (set_trust(ctx->ssl_ctx, pem, e) != 0)
		tls_ctx_free(&ctx);
	return ctx;
}

struct tls_ctx *
tls_ctx_new(const char *ca_file, struct err *e)
{
	struct tls_ctx *ctx = NULL;
	struct buf pem;

	if (tls_read_ca(ca_file, &pem, e) == 0)
		ctx = tls_ctx_new_pem(buf_span(&pem), e);
	buf_deinit(&pem);
	return ctx;
}

void
tls_ctx_free(struct tls_ctx **ctx)
{
	if (*ctx == NULL)
		return;
	SSL_CTX_free((*ctx)->ssl_ctx);
	free(*ctx);
	*ctx = NULL;
}

/* ---- sessions ---- */

static bool
is_address(const char *name)
{
	unsigned char ip[16];

	return inet_pton(AF_INET, name, ip) == 1 ||
	    inet_pton(AF_INET6, name, ip) == 1;
}

/* The name is checked by OpenSSL against the alternative names alone: never
 * the common name (RFC 9525 2), never a part of a label. */
static int
set_name(struct tls *t, struct err *e)
{
	X509_VERIFY_PARAM *vp = SSL_get0_param(t->ssl);
	size_t n = strlen(t->name);
	bool good;

	if (is_address(t->name)) {
		good = X509_VERIFY_PARAM_set1_ip_asc(vp, t->name) == 1;
	} else {
		/* a leading dot would stand for any host below it */
		good = n > 0 && n <= NAME_MAX_OCTETS && t->name[0] != '.' &&
		    X509_VERIFY_PARAM_set1_host(vp, t->name, n) == 1 &&
		    SSL_set_tlsext_host_name(t->ssl, t->name) == 1;
	}
	if (!good)
		return err_set(e, ERR_CONFIG, 0,
		    "not a name that a certificate can have: \"%s\"", t->name);
	X509_VERIFY_PARAM_set_hostflags(vp,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return 0;
}

/* ALPN keeps another protocol's server from being taken for ours (ALPACA);
 * a server that does not know it ignores it. */
static int
set_alpn(struct tls *t, const char *alpn, struct err *e)
{
	unsigned char list[ALPN_MAX_OCTETS + 1];
	size_t n = alpn == NULL ? 0 : strlen(alpn);

	if (n == 0)
		return 0;
	if (n > ALPN_MAX_OCTETS)
		return err_set(e, ERR_CONFIG, 0, "ALPN name is too long");
	list[0] = (unsigned char)n;
	memcpy(list + 1, alpn, n);
	memcpy(t->alpn, alpn, n + 1);
	if (SSL_set_alpn_protos(t->ssl, list, (unsigned int)n + 1) != 0)
		return err_set(e, ERR_TLS, 0, "ALPN cannot be set");
	return 0;
}

static int
set_io(struct tls *t, int fd, struct err *e)
{
	BIO *bio;

	t->io.fd = fd;
	bio = tls_bio_new(&t->io);
	if (bio == NULL)
		return tls_error_queue(e, "OpenSSL cannot start");
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_connect_state(t->ssl);
	return 0;
}

struct tls *
tls_new(struct tls_ctx *ctx, int fd, const char *name, const char *alpn,
    struct err *e)
{
	struct tls *t = mem_new(sizeof(*t));
	size_t n = strlen(name);

	ERR_clear_error();
	/* "example.org." is the same host, but no certificate says so */
	if (n > 1 && name[n - 1] == '.')
		n--;
	t->name = mem_spandup(span_make(name, n));
	t->ssl = SSL_new(ctx->ssl_ctx);
	if (t->ssl == NULL) {
		tls_error_queue(e, "OpenSSL cannot start");
		tls_free(&t);
		return NULL;
	}
	SSL_set_app_data(t->ssl, t);
	if (set_io(t, fd, e) != 0 || set_name(t, e) != 0 ||
	    set_alpn(t, alpn, e) != 0)
		tls_free(&t);
	return t;
}

void
tls_free(struct tls **t)
{
	if (*t == NULL)
		return;
	SSL_free((*t)->ssl);
	X509_free((*t)->leaf);
	X509_free((*t)->bad);
	free((*t)->name);
	free(*t);
	*t = NULL;
}

/* ---- octets ---- */

static void
begin(struct tls *t)
{
	ERR_clear_error();
	t->io.allowance = ALLOWANCE_OCTETS;
	t->io.error = 0;
}

/* The socket's part in a failure, if it had one. */
static bool
socket_failed(const struct tls *t, struct err *e, const char *doing)
{
	if (t->io.error != 0)
		err_set(e, ERR_NET, t->io.error, "%s: %s", doing,
		    strerror(t->io.error));
	else if (t->io.eof)
		err_set(e, ERR_NET, 0, "%s: connection closed without %s",
		    doing, t->up ? "close_notify" : "a word");
	return t->io.error != 0 || t->io.eof;
}

static enum tls_answer
answer(struct tls *t, int r, struct err *e, const char *doing)
{
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_NONE:
		return TLS_OK;
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	default:
		break;
	}
	t->broken = true;
	if (!socket_failed(t, e, doing))
		tls_error_queue(e, doing);
	ERR_clear_error();
	return TLS_FAILED;
}

static enum tls_answer
refuse(struct tls *t)
{
	t->broken = true;
	ERR_clear_error();
	return TLS_FAILED;
}

/* What must hold after a handshake, checked once more in our own words. */
static int
check_session(struct tls *t, struct err *e)
{
	X509 *cert = SSL_get0_peer_certificate(t->ssl);
	const unsigned char *alpn;
	unsigned int n;

	if (cert == NULL || SSL_get_verify_result(t->ssl) != X509_V_OK ||
	    SSL_version(t->ssl) < TLS1_2_VERSION)
		return err_set(e, ERR_TLS, 0,
		    "the TLS session with %.100s is not verified", t->name);
	SSL_get0_alpn_selected(t->ssl, &alpn, &n);
	if (n > 0 && (n != strlen(t->alpn) || memcmp(alpn, t->alpn, n) != 0))
		return err_set(e, ERR_TLS, 0,
		    "the server chose a protocol by ALPN that was not "
		    "offered");
	return 0;
}

enum tls_answer
tls_handshake(struct tls *t, struct err *e)
{
	enum tls_answer a;

	if (t->up)
		return TLS_OK;
	begin(t);
	a = answer(t, SSL_do_handshake(t->ssl), e, "TLS handshake");
	if (a == TLS_FAILED && t->refused)
		tls_error_certificate(e, &t->refusal);
	else if (a == TLS_FAILED && tls_peer_is_plain(t))
		tls_error_not_tls(e, span_make(t->io.first, t->io.n_first));
	if (a != TLS_OK)
		return a;
	if (check_session(t, e) != 0)
		return refuse(t);
	t->up = true;
	snprintf(t->description, sizeof(t->description), "%s %s",
	    SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
	return TLS_OK;
}

enum tls_answer
tls_read(struct tls *t, char *p, size_t n, size_t *got, struct err *e)
{
	int r;

	*got = 0;
	begin(t);
	r = SSL_read_ex(t->ssl, p, n, got);
	return answer(t, r, e, "TLS");
}

enum tls_answer
tls_write(struct tls *t, struct span s, size_t *sent, struct err *e)
{
	int r;

	*sent = 0;
	begin(t);
	r = SSL_write_ex(t->ssl, s.p, s.n, sent);
	return answer(t, r, e, "TLS");
}

size_t
tls_buffered(const struct tls *t)
{
	int n = SSL_pending(t->ssl);

	if (n > 0)
		return (size_t)n;
	return SSL_has_pending(t->ssl) == 1 ? 1 : 0;
}

void
tls_rest(struct tls *t)
{
	if (t->up && !t->broken)
		SSL_free_buffers(t->ssl); /* refuses when they are in use */
}

void
tls_shutdown(struct tls *t)
{
	if (!t->up || t->broken)
		return;
	begin(t);
	SSL_shutdown(t->ssl);
	ERR_clear_error();
}

/* RFC 8446 5.1: the first record is a handshake (22) or an alert (21). */
bool
tls_peer_is_plain(const struct tls *t)
{
	return !t->up && t->io.n_first > 0 && t->io.first[0] != 22 &&
	    t->io.first[0] != 21;
}

int
tls_binding(struct tls *t, unsigned char out[TLS_BINDING_OCTETS])
{
	static const char label[] = "EXPORTER-Channel-Binding";

	if (!t->up || t->broken ||
	    (SSL_version(t->ssl) < TLS1_3_VERSION &&
		SSL_get_extms_support(t->ssl) != 1))
		return -1;
	return SSL_export_keying_material(t->ssl, out, TLS_BINDING_OCTETS,
		   label, sizeof(label) - 1, NULL, 0, 0) == 1
	    ? 0
	    : -1;
}

const char *
tls_description(const struct tls *t)
{
	return t->description;
}

struct tls_info *
tls_info(const struct tls *t)
{
	struct tls_info *info;

	if (!t->up)
		return NULL;
	info = tls_info_new(t->ssl);
	info->verified = TLS_VERIFY_CHAIN;
	info->ocsp = TLS_OCSP_NONE;
	return info;
}
