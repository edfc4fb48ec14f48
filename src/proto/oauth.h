/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_OAUTH_H
#define MAILHAUL_PROTO_OAUTH_H

/*
 * The words of OAuth 2.0 (RFC 6749), without I/O: forms to be sent and the
 * answers to them. Authorization code with PKCE (RFC 7636), device grant (RFC
 * 8628), refresh. What is secret is struct secret or in a buf that the caller
 * wipes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/err.h"
#include "util/secret.h"
#include "util/span.h"

struct oauth_client { /* not ours */
	const char *id;
	const struct secret *secret; /* NULL: a public client */
	const char *scopes;          /* separated by SP; NULL: none */
};

#define OAUTH_FORM_MAX 131072

/* ---- what is asked (application/x-www-form-urlencoded, added to *out) ---- */

void oauth_put_device(struct buf *out, const struct oauth_client *c);
void oauth_put_device_poll(struct buf *out, const struct oauth_client *c,
    const struct secret *device_code);
void oauth_put_code(struct buf *out, const struct oauth_client *c,
    const struct secret *code, const char *redirect, const char *verifier);
void oauth_put_refresh(struct buf *out, const struct oauth_client *c,
    const struct secret *refresh_token);

/* The URL for a browser. challenge is the S256 of the verifier, in base64url;
 * hint (the account's user) may be NULL. */
void oauth_put_url(struct buf *out, const char *auth_url,
    const struct oauth_client *c, const char *redirect, const char *state,
    const char *challenge, const char *hint);

/* ---- what is answered ---- */

enum oauth_verdict {
	OAUTH_OK,
	OAUTH_PENDING,   /* device: the user has not said yes yet */
	OAUTH_SLOW_DOWN, /* the same, and ask 5 s less often from now on */
	OAUTH_FAILED     /* *e */
};

struct oauth_device { /* free with oauth_device_deinit() */
	struct secret *device_code;
	char *user_code, *url, *url_complete; /* the last may be NULL */
	unsigned int expires_s, interval_s;
};

struct oauth_tokens { /* free with oauth_tokens_deinit() */
	struct secret *access;
	struct secret *refresh; /* NULL: the one before is still good */
	uint64_t expires_s;     /* from now; 0: not said */
	char *scope;            /* NULL: what was asked for */
};

/*
 * status is that of HTTP, body the JSON. Errors are in words for the user:
 * ERR_AUTH when the grant is gone ("invalid_grant: the provider has withdrawn
 * it: run mailhaul login again") or the client is refused, ERR_TEMP for 5xx
 * and temporarily_unavailable, ERR_THROTTLE for 429 and slow_down, ERR_CONFIG
 * for what the configuration has wrong (invalid_client, invalid_scope),
 * ERR_PROTO for what is no OAuth.
 */
enum oauth_verdict oauth_read_device(unsigned int status, struct span body,
    struct oauth_device *out, struct err *e);
enum oauth_verdict oauth_read_tokens(unsigned int status, struct span body,
    struct oauth_tokens *out, struct err *e);

/* A provider may repeat what it was sent: of the error that was read from its
 * answer, what does is left out. sent may be NULL. */
void oauth_hush(struct err *e, const struct secret *sent);

/* The code in the URL that the browser was sent to, or in its query alone. NULL
 * and *e when it has none, state differs, or an error stands there. */
struct secret *oauth_read_redirect(
    struct span url, const char *state, struct err *e);

void oauth_device_deinit(struct oauth_device *d);
void oauth_tokens_deinit(struct oauth_tokens *t);

#endif
