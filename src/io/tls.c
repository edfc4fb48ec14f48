/* SPDX-License-Identifier: ISC */
#include "io/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/tls_own.h"
#include "io/tls_verify.h"
#include "util/mem.h"

/* What one call of ours takes from the socket at most. */
#define ALLOWANCE_OCTETS ((size_t)65536)
#define NAME_MAX_OCTETS 253
#define KEY_MAX (3 * (NAME_MAX_OCTETS + 1)) /* host:port, name and ALPN */

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

	if (t->is_address) {
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

/* RFC 7671 5.1: of a certificate that a record of usage 3 names, nothing but
 * its key counts. */
static int
set_dane(struct tls *t, struct err *e)
{
	if (t->ctx->verify != TLS_VERIFY_DANE || t->is_address)
		return 0;
	if (SSL_dane_enable(t->ssl, t->name) <= 0)
		return tls_error_queue(e, "DANE");
	SSL_dane_set_flags(t->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	return 0;
}

/* ALPN keeps another protocol's server from being taken for ours (ALPACA);
 * a server that does not know it ignores it. */
static int
set_alpn(struct tls *t, const char *alpn, struct err *e)
{
	unsigned char list[TLS_ALPN_MAX + 1];
	size_t n = alpn == NULL ? 0 : strlen(alpn);

	if (n == 0)
		return 0;
	if (n > TLS_ALPN_MAX)
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

	t->ctx = ctx;
	ctx->refs++;
	ERR_clear_error();
	/* "example.org." is the same host, but no certificate says so */
	if (n > 1 && name[n - 1] == '.')
		n--;
	t->name = mem_spandup(span_make(name, n));
	t->is_address = is_address(t->name);
	t->ssl = SSL_new(ctx->ssl_ctx);
	if (t->ssl == NULL) {
		tls_error_queue(e, "OpenSSL cannot start");
		tls_free(&t);
		return NULL;
	}
	SSL_set_app_data(t->ssl, t);
	if (set_io(t, fd, e) != 0 || set_name(t, e) != 0 ||
	    set_dane(t, e) != 0 || set_alpn(t, alpn, e) != 0)
		tls_free(&t);
	return t;
}

void
tls_free(struct tls **t)
{
	if (*t == NULL)
		return;
	SSL_free((*t)->ssl);
	tls_verify_forget(*t);
	tls_ctx_drop((*t)->ctx);
	free((*t)->name);
	free(*t);
	*t = NULL;
}

/* ---- the session before ---- */

/* Made when it is needed: each idle session would have one. */
static const char *
key_of(const struct tls *t, char dst[KEY_MAX])
{
	snprintf(dst, KEY_MAX, "%s %s %s", t->server, t->name, t->alpn);
	return dst;
}

/* What is not verified yet is not kept: with TLS 1.2 it comes too early. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	const struct tls *t = SSL_get_app_data(ssl);

	char key[KEY_MAX];

	if (t->up && !t->broken && t->server != NULL)
		tls_cache_keep(
		    t->ctx->cache, key_of(t, key), session, &t->known);
	return 0; /* which is not ours */
}

void
tls_resume(struct tls *t, const char *server)
{
	SSL_SESSION *session;
	char key[KEY_MAX];

	if (t->ctx->verify == TLS_VERIFY_DANE)
		return;
	t->server = server;
	SSL_CTX_sess_set_new_cb(t->ctx->ssl_ctx, on_session);
	session = tls_cache_take(t->ctx->cache, key_of(t, key), &t->known);
	t->resumes = session != NULL && SSL_set_session(t->ssl, session) == 1;
	SSL_SESSION_free(session);
}

bool
tls_resumption_failed(const struct tls *t)
{
	return t->resumes && t->broken && !t->up && !t->refused;
}

static void
keep_session(const struct tls *t)
{
	char key[KEY_MAX];

	if (t->server != NULL && SSL_version(t->ssl) < TLS1_3_VERSION)
		tls_cache_keep(t->ctx->cache, key_of(t, key),
		    SSL_get_session(t->ssl), &t->known);
}

static void
bar_session(const struct tls *t)
{
	char key[KEY_MAX];

	tls_cache_bar(t->ctx->cache, key_of(t, key));
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
		tls_error_session(e, doing, t->ctx->only_tls_1_3);
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
	if (a == TLS_FAILED && tls_resumption_failed(t))
		bar_session(t);
	if (a != TLS_OK)
		return a;
	if (tls_verify_end(t, e) != 0)
		return refuse(t);
	t->up = true;
	keep_session(t);
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

bool
tls_info(const struct tls *t, struct tls_info *out)
{
	if (!t->up)
		return false;
	tls_info_fill(out, t->ssl);
	out->verified = t->ctx->verify;
	out->ocsp = t->known.ocsp;
	return true;
}

bool
tls_refused(const struct tls *t, struct tls_info_certificate *out)
{
	if (!t->refused || t->refusal.leaf == NULL)
		return false;
	*out = (struct tls_info_certificate){ 0 };
	tls_info_describe(out, t->refusal.leaf);
	return true;
}
