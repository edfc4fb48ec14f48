/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_AUTOCONFIG_H
#define MAILHAUL_PROTO_AUTOCONFIG_H

/*
 * The file config-v1.1.xml with which a provider tells mail programs about its
 * servers (Thunderbird's autoconfig), by expat. Whoever is in control of the
 * domain wrote it: all that it says is checked for form and cut short here,
 * and none of it is quoted. A document type, and with it any entity, is
 * refused: no such file needs one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/err.h"
#include "util/span.h"

enum autoconfig_protocol { AUTOCONFIG_IMAP, AUTOCONFIG_POP3 };

enum autoconfig_tls { AUTOCONFIG_IMPLICIT, AUTOCONFIG_STARTTLS };

#define AUTOCONFIG_SERVERS_MAX 16
#define AUTOCONFIG_HOST_MAX 254
#define AUTOCONFIG_USER_MAX 321 /* RFC 5321 4.5.3.1: 64, "@", 255; and a NUL */

struct autoconfig_server {
	enum autoconfig_protocol protocol;
	enum autoconfig_tls tls;
	unsigned int port;
	char host[AUTOCONFIG_HOST_MAX]; /* letters, digits, ".", "-", "_" */
	char user[AUTOCONFIG_USER_MAX]; /* printable UTF-8; never empty */
	bool password, oauth2;          /* how one may log in */
};

struct autoconfig {
	struct autoconfig_server servers[AUTOCONFIG_SERVERS_MAX];
	size_t n;   /* in the order of the file */
	bool clear; /* there were some without TLS, which are left out */
};

/* Of the servers for incoming mail. The placeholders in it are filled in with
 * address (LOCAL@DOMAIN). 0, or -1 with ERR_PROTO: that is no such file. */
int autoconfig_read(struct span xml, const char *address,
    struct autoconfig *out, struct err *e);

/* That to use: of this protocol, TLS from the first octet rather than
 * STARTTLS, else the first. Or NULL. */
const struct autoconfig_server *autoconfig_best(
    const struct autoconfig *a, enum autoconfig_protocol protocol);

#endif
