/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_HTTP_H
#define MAILHAUL_IO_HTTP_H

/*
 * A small HTTP server at a socket that listens already: GET and HEAD, one
 * request per connection, answered at once from memory. It opens nothing and
 * works behind the walls of the engine. Whoever connects is trusted with
 * nothing: 8 KiB of head, no body, HTTP_SECONDS for all of it, and
 * HTTP_PEERS_MAX at a time; more wait until one of them is done.
 */

#include <stdbool.h>

#include "io/loop.h"
#include "util/buf.h"

#define HTTP_PEERS_MAX 16
#define HTTP_SECONDS 5
#define HTTP_HEAD_MAX 8192
#define HTTP_BODY_MAX 0x4000000 /* what fn may say */

struct http;

struct http_request {       /* as the peer sent it */
	const char *path;   /* "?..." cut off */
	const char *query;  /* what stood behind "?", or NULL; encoded still */
	struct span accept; /* the Accept header; may be empty */
};

/* Fills body, and *type as "text/plain"; false: there is no such path. Must
 * not call http_free(). */
typedef bool (*http_fn)(void *arg, const struct http_request *request,
    struct buf *body, const char **type);

struct http *http_new(struct loop *loop, int fd, http_fn fn, void *arg);
void http_free(struct http **http); /* closes fd, ends the connections */

#endif
