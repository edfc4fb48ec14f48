/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TRUST_H
#define MAILHAUL_PROC_TRUST_H

/*
 * What an account asks of TLS, from its options to the rules that an engine
 * gets: files are read here, but those of a user's own account, which he has
 * read himself.
 */

#include "conf/conf.h"
#include "io/tls_rules.h"
#include "util/buf.h"
#include "util/err.h"

struct trust {                        /* borrows from the account */
	const char *ca_file, *ca_dir; /* none: the system's */
	const char *crl_file, *cert_file, *key_file;
	const char *ca_pem, *crl_pem, *cert_pem; /* what is in them */
	const struct secret *key_pem;
	bool foreign;           /* it is not for us to open them */
	struct tls_rules rules; /* what needs no file */
	struct buf pins;        /* of rules */
};

void trust_of_server(struct trust *t, const struct conf_account *a);
void trust_of_delivery(struct trust *t, const struct conf_account *a);
void trust_deinit(struct trust *t);

/* Two that are alike ask the same of the same files. */
void trust_print(const struct trust *t, struct buf *out);

/* All of it, as tls_rules_pack() has it, which is a secret. -1 and *e, with
 * option and file, when one cannot be read. */
int trust_pack(const struct trust *t, struct buf *out, struct err *e);

#define TRUST_MAX ((size_t)16 * 1024 * 1024) /* octets of all */

/* What can be said without a server, and without reading much: whether
 * tls-ciphers names ciphers, and tls-key is that of tls-cert. A user's own
 * certificate is left to the engine. */
int trust_check(const struct conf_account *a, struct err *e);

/* The content of what an option other than tls-ca-file names. With secret
 * others must not be able to read it. out is initialised here, and wiped by
 * the caller. */
enum trust_option { TRUST_CRL, TRUST_CERT, TRUST_KEY };

int trust_read(
    enum trust_option option, const char *path, struct buf *out, struct err *e);

#endif
