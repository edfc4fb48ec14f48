/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_CERTIFICATES_H
#define MAILHAUL_PROC_CERTIFICATES_H

/*
 * What certificate each account's server showed last: "certificates.json" in
 * the state directory (0600). It is there to warn, once a day and account at
 * most, of one that ends soon, and when another authority has issued it. What
 * cannot be read or written is a notice, and costs warnings alone.
 */

#include <stdint.h>

#include "io/loop.h"
#include "proc/certificate.h"

struct certificates;

/* state_dir is not ours, and outlives it. */
struct certificates *certificates_new(struct loop *loop, const char *state_dir);
void certificates_free(struct certificates **c); /* writes what is new */

/* Logs what there is to say of it now (Unix seconds). warn_s: so long before
 * its end; 0: never. */
void certificates_seen(struct certificates *c, const char *account,
    uint64_t warn_s, const struct certificate *seen, int64_t now);

#endif
