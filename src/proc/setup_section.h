/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SETUP_SECTION_H
#define MAILHAUL_PROC_SETUP_SECTION_H

/*
 * What "mailhaul setup" found out about an address, and the section of a
 * configuration it makes of that. Whatever a value holds, it stays a value,
 * and whatever a comment holds, it stays one.
 */

#include <stdbool.h>

#include "conf/conf.h"
#include "proc/providers.h"
#include "util/buf.h"
#include "util/pack.h"

#define SETUP_WHERE_MAX 400

struct setup_found {
	enum conf_protocol protocol;
	enum conf_tls tls; /* never CONF_TLS_NONE */
	unsigned int port; /* never 0 */
	char host[256];
	char user[400];
	bool password, oauth2;       /* what it is known to take */
	bool foreign;                /* only an unsigned answer says that the
	                                address has to do with this host */
	char where[SETUP_WHERE_MAX]; /* who says so */
	const struct provider *provider; /* or NULL */
};

/* Of a provider. False if it has neither IMAP nor POP3. IMAP if it has both,
 * unless pop3. */
bool setup_found_provider(struct setup_found *f, const struct provider *p,
    const char *address, bool pop3);

/* NULL, or what is wrong with it: every value passes the checks of conf/. */
const char *setup_found_check(const struct setup_found *f);

/* Between our processes. False: it makes no sense, or does not pass. */
void setup_found_pack(struct buf *b, const struct setup_found *f);
bool setup_found_unpack(struct unpack *u, struct setup_found *f);

#define SETUP_SECTION_MAX 16384

/* Adds the text. found has passed setup_found_check(). */
void setup_section_put(
    struct buf *out, const struct setup_found *f, const char *address);

#endif
