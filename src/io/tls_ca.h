/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_CA_H
#define MAILHAUL_IO_TLS_CA_H

/*
 * Where trusted certificates come from: the file and the directory that the
 * user named (either or both), else $SSL_CERT_FILE and $SSL_CERT_DIR, else
 * this system's bundle, else what OpenSSL was built with.
 */

#include "util/buf.h"
#include "util/err.h"

#define TLS_CA_MAX_OCTETS ((size_t)4 * 1024 * 1024)

/* The PEM text into *out, which is initialised here; the caller frees it
 * with buf_deinit(), also after -1. ERR_CONFIG when nothing is found, with
 * what to set. */
int tls_read_ca(
    const char *ca_file, const char *ca_dir, struct buf *out, struct err *e);

#endif
