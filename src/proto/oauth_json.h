/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_OAUTH_JSON_H
#define MAILHAUL_PROTO_OAUTH_JSON_H

/*
 * An object of JSON that holds secrets and was sent by somebody else: bounded
 * in size and depth, and all memory that it took is wiped.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

struct oauth_json;

#define OAUTH_JSON_MAX ((size_t)256 * 1024)
#define OAUTH_JSON_DEPTH 16

/* NULL when that is no object, or one that goes beyond. */
struct oauth_json *oauth_json_new(struct span text);
void oauth_json_free(struct oauth_json **j);

/* A member that is a string, else NULL; lives as long as the object. */
const char *oauth_json_text(const struct oauth_json *j, const char *name);

bool oauth_json_has(const struct oauth_json *j, const char *name);

/* A number, or a string of digits as some providers send it. Above max it is
 * max. False: it is missing, negative or something else. */
bool oauth_json_number(
    const struct oauth_json *j, const char *name, uint64_t max, uint64_t *out);

#endif
