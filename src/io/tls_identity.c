/* SPDX-License-Identifier: ISC */
#include "io/tls_identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>

#include "util/text.h"

#define PATH_SHOWN 120

static BIO *
open_text(struct span pem)
{
	ERR_clear_error();
	return BIO_new_mem_buf(pem.p, (int)pem.n);
}

/* That was all, and not: something is wrong with what comes next. */
static bool
at_end(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

/* "tls-key /etc/x.pem: what is wrong". */
static int
complain(struct err *e, const char *option, struct span file, const char *what)
{
	char shown[PATH_SHOWN];

	ERR_clear_error();
	text_printable(shown, sizeof(shown), file);
	return err_set(e, ERR_CONFIG, 0, "%s%s%s: %s", option,
	    file.n > 0 ? " " : "", shown, what);
}

/* ---- whom we trust ---- */

size_t
tls_identity_trust(X509_STORE *store, struct span pem)
{
	BIO *bio = open_text(pem);
	size_t n = 0;

	while (bio != NULL && BIO_pending(bio) > 0) {
		X509 *cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);

		if (cert == NULL && at_end())
			break;
		if (cert != NULL && X509_STORE_add_cert(store, cert) == 1)
			n++;
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error();
	return n;
}

/* ---- what was revoked ---- */

/* What cannot be read might have said that this very server is not to be
 * trusted. */
int
tls_identity_revoked(
    X509_STORE *store, const struct tls_rules *rules, struct err *e)
{
	BIO *bio = open_text(rules->crl);
	X509_CRL *crl;
	size_t n = 0;
	bool whole;

	while ((crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_crl(store, crl) == 1;
		X509_CRL_free(crl);
	}
	whole = at_end();
	BIO_free(bio);
	if (n > 0 && whole) {
		ERR_clear_error();
		return 0;
	}
	return complain(e, "tls-crl-file", rules->crl_file,
	    whole ? "there is no CRL in it (PEM is needed)"
		  : "one of the CRLs in it cannot be read");
}

/* ---- who we are ---- */

static int
add_chain(SSL_CTX *ctx, BIO *bio)
{
	X509 *cert;
	int r = 0;

	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (SSL_CTX_add1_chain_cert(ctx, cert) != 1)
			r = -1;
		X509_free(cert);
	}
	return at_end() ? r : -1;
}

static int
use_certificate(SSL_CTX *ctx, const struct tls_rules *rules, struct err *e)
{
	BIO *bio = open_text(rules->cert);
	X509 *cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	const char *wrong = NULL;

	if (cert == NULL)
		wrong = at_end() ? "there is no certificate in it (PEM is "
				   "needed)"
				 : "the certificate in it cannot be read";
	else if (SSL_CTX_use_certificate(ctx, cert) != 1)
		wrong = "OpenSSL refuses the certificate (is its key too "
			"short?)";
	else if (add_chain(ctx, bio) != 0)
		wrong = "a certificate behind the first cannot be read";
	X509_free(cert);
	BIO_free(bio);
	if (wrong != NULL)
		return complain(e, "tls-cert", rules->cert_file, wrong);
	ERR_clear_error();
	return 0;
}

/* Nobody is there to be asked. */
static int
note_passphrase(char *dst, int size, int writing, void *arg)
{
	bool *asked = arg;

	(void)dst;
	(void)size;
	(void)writing;
	*asked = true;
	return -1;
}

static int
use_key(SSL_CTX *ctx, const struct tls_rules *rules, struct err *e)
{
	bool encrypted = false;
	BIO *bio = open_text(rules->key);
	EVP_PKEY *key =
	    PEM_read_bio_PrivateKey(bio, NULL, note_passphrase, &encrypted);
	const char *wrong = NULL;

	if (encrypted)
		wrong = "the key is encrypted: store it without a passphrase, "
			"for its owner alone (openssl pkey -in KEY -out NEW)";
	else if (key == NULL)
		wrong = "there is no private key in it (PEM is needed)";
	else if (SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		wrong = "the key does not belong to the first certificate in "
			"tls-cert";
	EVP_PKEY_free(key);
	BIO_free(bio);
	if (wrong != NULL)
		return complain(e, "tls-key", rules->key_file, wrong);
	ERR_clear_error();
	return 0;
}

int
tls_identity_own(SSL_CTX *ctx, const struct tls_rules *rules, struct err *e)
{
	if (rules->cert.n == 0 && rules->key.n == 0)
		return 0;
	if (use_certificate(ctx, rules, e) != 0)
		return -1;
	return use_key(ctx, rules, e);
}
