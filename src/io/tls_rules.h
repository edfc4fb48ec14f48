/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_RULES_H
#define MAILHAUL_IO_TLS_RULES_H

/*
 * What is asked of a TLS session: whom it trusts and what it shows. As plain
 * data, since one process reads the files and another speaks TLS.
 */

enum tls_verify {
	TLS_VERIFY_CHAIN,
	/* A pin instead of chain and name: whoever has that key is the server,
	 * and what the certificate says (names, dates) is not looked at. */
	TLS_VERIFY_PIN,
	TLS_VERIFY_BOTH,
	TLS_VERIFY_DANE, /* TLSA records instead of the chain (RFC 7671) */
	TLS_VERIFIES
};

#endif
