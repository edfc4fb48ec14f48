/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_PROVIDERS_H
#define MAILHAUL_PROC_PROVIDERS_H

/* The mail providers that most people have, by heart: what "mailhaul setup"
 * knows without asking anybody. */

#include <stdbool.h>

#define PROVIDER_NOTES 3

struct provider {
	const char *name;        /* as people know it */
	const char *domains;     /* of addresses; separated by blanks */
	const char *mx;          /* ends of names of servers for other domains
	                           that it has mail of; the same; or NULL */
	const char *imap, *pop3; /* hosts; NULL: it has none */
	unsigned int imap_port;  /* 0: the usual one */
	bool starttls;
	bool local_part;    /* the user is what is before the "@" */
	const char *oauth2; /* a preset that it takes; or NULL */
	bool only_oauth2;   /* it takes no password */
	const char *notes[PROVIDER_NOTES]; /* what is to be done there */
};

/* By the domain of an address; or NULL. */
const struct provider *providers_find(const char *domain);

/* By the server for mail to a domain; or NULL. */
const struct provider *providers_find_mx(const char *host);

/* All of them; ends in one without a name. */
const struct provider *providers_all(void);

#endif
