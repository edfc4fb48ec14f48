/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_IO_PEER_H
#define MAILHAUL_TESTS_UNIT_IO_PEER_H

/*
 * The other side of a connection: a thread with a blocking socket on
 * loopback that plays one script per connection, plain or TLS, with
 * certificates made in memory. A script that is disappointed sets failed,
 * which peer_end() returns to the test.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/buf.h"

/* ---- certificates ---- */

struct identity {
	X509 *cert;
	EVP_PKEY *key;
};

struct identity_params {
	const struct identity *issuer; /* NULL: by itself */
	const char *cn;
	const char *sans; /* as in openssl.cnf; NULL: none */
	const char *eku;  /* the same; NULL: none */
	bool ca;
	int from_days, to_days;       /* from now */
	const unsigned char *raw_dns; /* one more name, with any octets */
	int raw_dns_n;
};

static inline void
identity_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	if (ext == NULL)
		abort();
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

static inline void
identity_raw_dns(X509 *cert, const unsigned char *p, int n)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *dns = ASN1_IA5STRING_new();

	ASN1_STRING_set(dns, p, n);
	GENERAL_NAME_set0_value(name, GEN_DNS, dns);
	sk_GENERAL_NAME_push(names, name);
	X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0);
	GENERAL_NAMES_free(names);
}

static inline struct identity
identity_new(const struct identity_params *p)
{
	struct identity id = { X509_new(), EVP_EC_gen("P-256") };
	const struct identity *by = p->issuer != NULL ? p->issuer : &id;
	X509_NAME *name = X509_get_subject_name(id.cert);

	X509_set_version(id.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), 1 + rand());
	X509_gmtime_adj(X509_getm_notBefore(id.cert), p->from_days * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), p->to_days * 86400L);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_UTF8, (const unsigned char *)p->cn, -1, -1, 0);
	X509_set_issuer_name(id.cert, X509_get_subject_name(by->cert));
	X509_set_pubkey(id.cert, id.key);
	identity_extension(id.cert, by->cert, NID_basic_constraints,
	    p->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (p->sans != NULL)
		identity_extension(
		    id.cert, by->cert, NID_subject_alt_name, p->sans);
	if (p->eku != NULL)
		identity_extension(
		    id.cert, by->cert, NID_ext_key_usage, p->eku);
	if (p->raw_dns != NULL)
		identity_raw_dns(id.cert, p->raw_dns, p->raw_dns_n);
	if (X509_sign(id.cert, by->key, EVP_sha256()) == 0)
		abort();
	return id;
}

static inline void
identity_free(struct identity *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
	*id = (struct identity){ NULL, NULL };
}

static inline struct identity
identity_ca(const char *cn)
{
	return identity_new(&(struct identity_params){
	    .cn = cn, .ca = true, .from_days = -1, .to_days = 3650 });
}

static inline struct identity
identity_server(const struct identity *ca, const char *sans)
{
	return identity_new(&(struct identity_params){ .issuer = ca,
	    .cn = "a test server",
	    .sans = sans,
	    .from_days = -1,
	    .to_days = 365 });
}

/* Adds the certificate as PEM text. */
static inline void
identity_pem(const struct identity *id, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	PEM_write_bio_X509(bio, id->cert);
	n = BIO_get_mem_data(bio, &p);
	buf_add(out, span_make(p, (size_t)n));
	BIO_free(bio);
}

/* Adds the private key as PEM text. */
static inline void
identity_key_pem(const struct identity *id, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	PEM_write_bio_PrivateKey(bio, id->key, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(bio, &p);
	buf_add(out, span_make(p, (size_t)n));
	BIO_free(bio);
}

/* Adds the issuer's list of revoked certificates (revoked NULL: of none), good
 * for so many days, as PEM text. */
static inline void
identity_crl(const struct identity *issuer, const struct identity *revoked,
    int days, struct buf *out)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert));
	X509_gmtime_adj(t, -20 * 86400L);
	X509_CRL_set1_lastUpdate(crl, t);
	if (revoked != NULL) {
		X509_REVOKED *r = X509_REVOKED_new();

		X509_REVOKED_set_serialNumber(
		    r, X509_get_serialNumber(revoked->cert));
		X509_REVOKED_set_revocationDate(r, t);
		X509_CRL_add0_revoked(crl, r);
	}
	X509_gmtime_adj(t, days * 86400L);
	X509_CRL_set1_nextUpdate(crl, t);
	if (X509_CRL_sign(crl, issuer->key, EVP_sha256()) == 0)
		abort();
	PEM_write_bio_X509_CRL(bio, crl);
	n = BIO_get_mem_data(bio, &p);
	buf_add(out, span_make(p, (size_t)n));
	BIO_free(bio);
	ASN1_TIME_free(t);
	X509_CRL_free(crl);
}

/* ---- the server ---- */

struct peer;
typedef void (*peer_fn)(struct peer *p);

struct peer {
	const struct identity *id;    /* not ours; NULL: no TLS */
	int max_version;              /* of TLS; 0: any */
	const struct identity *above; /* sent behind id; NULL: nothing */
	struct span staple;           /* its OCSP response; empty: none */
	SSL_CTX *shared;  /* what peer_new_ctx() gave, instead of id: so that
	                    sessions can be resumed */
	bool asks;        /* for a certificate of the client */
	const char *alpn; /* what it chooses, "\4imap"; NULL: none */
	peer_fn script;
	void *arg;
	int receive_octets; /* SO_RCVBUF; 0: as the kernel likes */
	int listener, fd;
	unsigned int port;
	pthread_t thread;
	SSL_CTX *ctx;
	SSL *ssl;
	bool failed;
};

#define PEER_PATIENCE_MS 20000

static inline void
peer_fail(struct peer *p, const char *what)
{
	fprintf(stderr, "peer: %s\n", what);
	p->failed = true;
}

static inline bool
peer_wait(struct peer *p, int fd, short events)
{
	struct pollfd f = { .fd = fd, .events = events };

	if (poll(&f, 1, PEER_PATIENCE_MS) == 1)
		return true;
	peer_fail(p, "waited in vain");
	return false;
}

/* The number of octets, 0 at the end, -1 after an error. */
static inline ssize_t
peer_read(struct peer *p, char *dst, size_t n)
{
	if (p->ssl == NULL)
		return peer_wait(p, p->fd, POLLIN) ? recv(p->fd, dst, n, 0)
						   : -1;
	if (SSL_pending(p->ssl) == 0 && !peer_wait(p, p->fd, POLLIN))
		return -1;
	return SSL_read(p->ssl, dst, (int)n);
}

static inline void
peer_say_n(struct peer *p, const char *s, size_t n)
{
	while (n > 0 && !p->failed) {
		ssize_t r = p->ssl != NULL
		    ? SSL_write(p->ssl, s, (int)(n < 1 << 20 ? n : 1 << 20))
		    : send(p->fd, s, n, MSG_NOSIGNAL);

		if (r <= 0) {
			peer_fail(p, "cannot write");
			return;
		}
		s += r;
		n -= (size_t)r;
	}
}

static inline void
peer_say(struct peer *p, const char *s)
{
	peer_say_n(p, s, strlen(s));
}

/* While corked, what is said waits to go out in one piece (200 ms at most). */
static inline void
peer_cork(struct peer *p, int on)
{
	setsockopt(p->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* Exactly these octets must come next. */
static inline void
peer_hear(struct peer *p, const char *want)
{
	for (; *want != '\0' && !p->failed; want++) {
		char c;

		if (peer_read(p, &c, 1) != 1 || c != *want)
			peer_fail(p, want);
	}
}

/* An end of file, or an error, must come. */
static inline void
peer_hear_end(struct peer *p)
{
	char c[4096];
	ssize_t r;

	while ((r = peer_read(p, c, sizeof(c))) > 0)
		;
	ERR_clear_error();
}

static inline int
peer_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *n,
    const unsigned char *in, unsigned int in_n, void *arg)
{
	const struct peer *p = arg;

	(void)ssl;
	(void)in;
	(void)in_n;
	if (p->alpn == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	*out = (const unsigned char *)p->alpn + 1;
	*n = (unsigned char)p->alpn[0];
	return SSL_TLSEXT_ERR_OK;
}

static inline int
peer_take_any(int good, X509_STORE_CTX *store)
{
	(void)good;
	(void)store;
	return 1;
}

static inline int
peer_staple(SSL *ssl, void *arg)
{
	const struct span *staple = arg;

	if (staple->n == 0)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(
	    ssl, OPENSSL_memdup(staple->p, staple->n), (long)staple->n);
	return SSL_TLSEXT_ERR_OK;
}

/* What several peers can share; the caller frees it. */
static inline SSL_CTX *
peer_new_ctx(const struct identity *id)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(ctx, id->cert);
	SSL_CTX_use_PrivateKey(ctx, id->key);
	return ctx;
}

static inline void
peer_make_ctx(struct peer *p)
{
	if (p->shared != NULL) {
		p->ctx = p->shared;
		SSL_CTX_up_ref(p->ctx);
		return;
	}
	p->ctx = peer_new_ctx(p->id);
	if (p->max_version != 0) {
		SSL_CTX_set_security_level(p->ctx, 0);
		SSL_CTX_set_min_proto_version(p->ctx, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(p->ctx, p->max_version);
	}
	if (p->above != NULL)
		SSL_CTX_add1_chain_cert(p->ctx, p->above->cert);
	if (p->asks)
		SSL_CTX_set_verify(p->ctx, SSL_VERIFY_PEER, peer_take_any);
	SSL_CTX_set_tlsext_status_cb(p->ctx, peer_staple);
	SSL_CTX_set_tlsext_status_arg(p->ctx, &p->staple);
	SSL_CTX_set_alpn_select_cb(p->ctx, peer_choose_alpn, p);
}

/* True when the client agreed. */
static inline bool
peer_tls(struct peer *p)
{
	bool good;

	p->ssl = SSL_new(p->ctx);
	SSL_set_fd(p->ssl, p->fd);
	good = SSL_accept(p->ssl) == 1;
	ERR_clear_error();
	return good;
}

/* The connection ends with RST, not FIN. */
static inline void
peer_reset(struct peer *p)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(p->fd);
	p->fd = -1;
}

static inline void *
peer_main(void *arg)
{
	struct peer *p = arg;

	if (!peer_wait(p, p->listener, POLLIN))
		return NULL;
	p->fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	p->script(p);
	SSL_free(p->ssl);
	if (p->fd >= 0)
		close(p->fd);
	ERR_clear_error();
	return NULL;
}

/* A listening socket on a free port of 127.0.0.1. */
static inline int
peer_listen(unsigned int *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);

	if (bind(fd, (struct sockaddr *)&sa, len) != 0 || listen(fd, 8) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
		abort();
	*port = ntohs(sa.sin_port);
	return fd;
}

/* The caller has set id, script and what else it needs. */
static inline void
peer_begin(struct peer *p)
{
	signal(SIGPIPE, SIG_IGN); /* OpenSSL's own socket BIO raises it */
	p->listener = peer_listen(&p->port);
	p->fd = -1;
	if (p->receive_octets > 0)
		setsockopt(p->listener, SOL_SOCKET, SO_RCVBUF,
		    &p->receive_octets, sizeof(int));
	if (p->id != NULL || p->shared != NULL)
		peer_make_ctx(p);
	if (pthread_create(&p->thread, NULL, peer_main, p) != 0)
		abort();
}

/* True when the script saw all it wanted. */
static inline bool
peer_end(struct peer *p)
{
	pthread_join(p->thread, NULL);
	close(p->listener);
	SSL_CTX_free(p->ctx);
	return !p->failed;
}

#endif
