/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_OAUTH_FORM_H
#define MAILHAUL_PROTO_OAUTH_FORM_H

/* application/x-www-form-urlencoded, as queries and forms have it (RFC 6749
 * appendix B). */

#include <stdbool.h>

#include "util/buf.h"
#include "util/span.h"

/* Adds "name=value" to *out, with "&" before it unless *out is empty or ends in
 * "?" or "&". What has no room is left out as a whole. */
void oauth_form_put(struct buf *out, const char *name, struct span value);

/* How often name stands in a query. If once, its value is added to *out; -1
 * when that is badly encoded or has no room. */
int oauth_form_find(struct span query, const char *name, struct buf *out);

#endif
