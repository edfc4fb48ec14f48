/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_CERTIFICATE_H
#define MAILHAUL_PROC_CERTIFICATE_H

/* What an engine tells of the certificate that a server showed, so that the
 * supervisor can warn of it. Whatever is unpacked is printable and short. */

#include <stdbool.h>
#include <stdint.h>

#include "io/digest.h"
#include "io/tls_info.h"
#include "util/buf.h"
#include "util/pack.h"

struct certificate {
	char host[256];
	char authority[128]; /* who issued it: an organisation, if it says so */
	char pin[52];
	int64_t not_after;    /* Unix seconds */
	bool ocsp_is_useless; /* a response came that proves nothing */
};

/* False: there is nothing to warn of, since no chain counts. */
bool certificate_of(
    struct certificate *c, const struct tls_info *info, const char *host);

/* Another when there is something to tell: each day, since some day it
 * expires. out is returned. */
struct digest *certificate_print(
    const struct certificate *c, struct digest *out);

void certificate_pack(struct buf *b, const struct certificate *c);
bool certificate_unpack(struct unpack *u, struct certificate *c);

#endif
