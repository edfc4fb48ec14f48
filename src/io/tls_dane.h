/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_DANE_H
#define MAILHAUL_IO_TLS_DANE_H

/*
 * What the DNS says of a server's certificate (RFC 6698, 7671, 7673), for
 * sessions of a context with TLS_VERIFY_DANE. Records are given one by one
 * before the handshake, and one of them must match. That of usage 3 (DANE-EE)
 * replaces name and dates as well as the chain; that of usage 2 (DANE-TA) is
 * the root of a chain for the name. Those of usage 0 and 1 are not for us, as
 * for SMTP (RFC 7672 3.1.3). Whether the answer was signed is for the caller
 * to know.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

struct tls;

/* False: the record cannot be used (its usage, an unknown selector or digest,
 * data that is none) and counts as if it were not there. Without any that
 * can, the handshake fails. */
bool tls_dane(struct tls *t, uint8_t usage, uint8_t selector, uint8_t matching,
    struct span data);

#endif
