/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_CERT_H
#define MAILHAUL_IO_TLS_CERT_H

/*
 * What a certificate says of itself, for the files of io/tls alone: made
 * printable, cut short, and without opening a file. Each fills dst.
 */

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/tls_rules.h"

/* Its common name, else its organisation, else "?". */
void tls_cert_name(char *dst, size_t size, const X509_NAME *dn);

/* Its organisation, else its common name, else "?": what stays the same when
 * an authority replaces an intermediate certificate. */
void tls_cert_authority(char *dst, size_t size, const X509_NAME *dn);

/* "a.example, b.example, ..." of at most max alternative names; false when
 * there is none that a server can be known by. */
bool tls_cert_sans(char *dst, size_t size, X509 *cert, int max);

#define TLS_CERT_DAY_SIZE 40
void tls_cert_day(char *dst, size_t size, const ASN1_TIME *t);
int64_t tls_cert_time(const ASN1_TIME *t); /* Unix seconds; 0: nonsense */

/* SHA-256 of the SubjectPublicKeyInfo (as RFC 7469 2.4 has it); -1: none. */
int tls_cert_pin(const X509 *cert, unsigned char pin[TLS_PIN_OCTETS]);

/* "sha256:" and base64; "?" when there is none. */
#define TLS_PIN_TEXT_SIZE 52
void tls_cert_pin_text(char dst[TLS_PIN_TEXT_SIZE], const X509 *cert);

#endif
