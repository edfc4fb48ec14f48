/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_FINGERPRINT_H
#define MAILHAUL_DELIVER_FINGERPRINT_H

/*
 * The identity of a message in 128 bits: its Message-ID, Date and From, and
 * its size in octets as the server gave them. The octets of the message go in
 * as they come, at any split; only its header is looked at. The header fields
 * alone, in any order, with the same size give the same value.
 * How fields are found, and what of their values counts: deliver/header.h.
 */

#include <stdint.h>

#include "deliver/header.h"
#include "io/digest.h"
#include "util/span.h"

#define FINGERPRINT_VALUE_MAX HEADER_VALUE_MAX
#define FINGERPRINT_HEADER_MAX HEADER_OCTETS_MAX

struct fingerprint;

struct fingerprint *fingerprint_new(void);
void fingerprint_free(struct fingerprint **f); /* NULL is fine */

void fingerprint_add(struct fingerprint *f, struct span octets);
void fingerprint_end(const struct fingerprint *f, struct digest_state *with,
    uint64_t size, struct digest *out);

#endif
