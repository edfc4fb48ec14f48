/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_READER_H
#define MAILHAUL_PROC_READER_H

/*
 * Asks a process that has become a user for what is in his files, so that
 * root opens none of them. What comes back is his word: of any size up to a
 * limit, and not checked. Who takes longer than READER_MS is ended.
 */

#include "io/loop.h"
#include "io/user.h"
#include "util/err.h"
#include "util/secret.h"
#include "util/span.h"

struct reader;

#define READER_MS 30000
#define READER_MAX ((size_t)2 * 1024 * 1024) /* octets of an answer */
#define READER_CA_MAX ((size_t)256 * 1024)   /* of one tls-ca-file or such */

enum reader_what {
	/* Path is his home: as conf_own_pack(), then the number of what his
	 * accounts name for TLS; each: enum reader_pem, path (may be empty),
	 * directory (the same), whether it could be read, PEM or an error */
	READER_CONFIGURATION = 1,
	READER_SECRET, /* whether it could be read, the secret or an error */
	READER_NETRC   /* the same, from a netrc: see reader_ask_netrc() */
};

enum reader_pem {
	READER_CA, /* the directory is tls-ca-dir */
	READER_CRL,
	READER_CERT,
	READER_KEY
};

/* Once, from the loop; the reader is freed when it returns. answer is borrowed
 * for the call. e is NULL, or why there is none. */
typedef void (*reader_fn)(void *arg, struct span answer, const struct err *e);

/* user is copied. */
struct reader *reader_ask(struct loop *loop, const struct user *user,
    enum reader_what what, const char *path, reader_fn fn, void *arg);
/* For the password of that host and login; path is of the netrc. */
struct reader *reader_ask_netrc(struct loop *loop, const struct user *user,
    const char *path, const char *host, const char *login, reader_fn fn,
    void *arg);
void reader_free(struct reader **r); /* fn is not called; NULL is fine */

/* What an answer to READER_SECRET or READER_NETRC says; the caller's own. NULL and e. */
struct secret *reader_secret_of(struct span answer, struct err *e);

#endif
