/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_HTTPS_H
#define MAILHAUL_IO_HTTPS_H

/*
 * One HTTPS request, by libcurl in a process of its own that lives as long as
 * the request: it is this program started anew, knows nothing but the request
 * (handed in by a pipe, never by argv or the environment) and puts walls
 * around itself: no program, no file but those for names and certificates.
 * libcurl is loaded in that process alone, so no other carries it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "io/loop.h"
#include "io/user.h"
#include "util/err.h"
#include "util/span.h"

struct https;

#define HTTPS_URL_MAX 8192
#define HTTPS_FORM_MAX ((size_t)256 * 1024)
#define HTTPS_BODY_MAX ((size_t)256 * 1024) /* of an answer; more: ERR_PROTO */

struct https_params {
	const char *url;  /* https:// and nothing else; not redirected */
	struct span form; /* POST as application/x-www-form-urlencoded; it is a
	                     secret. Empty: GET */
	const char *ca_file; /* NULL: the system's */
	const char *proxy;   /* as of libcurl: "socks5h://..."; NULL: none */
	unsigned int timeout_ms;
	const struct user *user; /* whom the process becomes; NULL: as we are */
	bool follow; /* GET: up to 5 redirections to other https:// URLs */
};

struct https_answer {        /* borrowed for the call */
	unsigned int status; /* 200, 400, ... */
	struct span type;    /* Content-Type; may be empty */
	struct span body;    /* a secret */
};

/* Once, from the loop; when it returns, the request is freed. e is NULL or says
 * why there is no answer: ERR_NET, ERR_TLS, ERR_PROTO, ERR_CONFIG. Any status
 * of HTTP is an answer. */
typedef void (*https_fn)(
    void *arg, const struct https_answer *answer, const struct err *e);

struct https *https_start(
    struct loop *loop, const struct https_params *p, https_fn fn, void *arg);
void https_free(struct https **h); /* ends the process; fn is not called */

/* The process's own main, when argv[0] is HTTPS_ROLE. */
#define HTTPS_ROLE "mailhaul: https"
int https_main(void);

#endif
