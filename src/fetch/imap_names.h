/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_IMAP_NAMES_H
#define MAILHAUL_FETCH_IMAP_NAMES_H

/*
 * The mailboxes of an IMAP fetch: those that the option mailboxes names or
 * chooses from the server's list, each once, and what was last told of each,
 * by which it is seen that one has new mail.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/imap_session.h"

#define IMAP_NAMES_MAX 10000 /* that patterns may choose */

struct imap_name {
	char *text;
	char delimiter; /* between its levels; 0: none, or not known */
	bool dirty;     /* it is to be looked at */
	bool told;      /* its news came while it was selected: see them */
	bool counted;   /* its news came by IMAP_COUNTED */
	bool failed;    /* it could not be looked at the last time */
	bool away;      /* another session sees to it */
	/* As of the last look or STATUS; 0: not told */
	uint32_t uidvalidity, uidnext, exists;
};

struct imap_names { /* zeroed is fine */
	struct imap_name *v;
	size_t n, cap;
	char delimiter; /* of names that LIST did not tell of */
};

void imap_names_deinit(struct imap_names *s);

/* Unless it is there; INBOX is the same in any case (RFC 3501 5.1). It is
 * dirty. */
void imap_names_add(struct imap_names *s, const char *name, char delimiter);
/* NULL when there is none. */
struct imap_name *imap_names_find(struct imap_names *s, const char *name);

/* Do the patterns need the server's list? */
bool imap_names_need_list(const char *const *patterns, size_t n);
/* IMAP_LISTED: adds it when it is chosen. */
void imap_names_listed(struct imap_names *s, const char *const *patterns,
    size_t n, const struct imap_info *info);
/* A plain name is looked at although LIST is silent about it: the server then
 * says what is wrong. */
void imap_names_plain(
    struct imap_names *s, const char *const *patterns, size_t n);

/* The first that is dirty and not away; last comes last. Or NULL. */
struct imap_name *imap_names_dirty(
    struct imap_names *s, const struct imap_name *last);
/* The one to stay in: INBOX, or else the first that can be; or NULL. */
struct imap_name *imap_names_home(struct imap_names *s);
void imap_names_soil(struct imap_names *s); /* all are dirty */
/* How many are not away. */
size_t imap_names_count(const struct imap_names *s);

/* IMAP_COUNTED: keeps what was told; the mailbox is dirty when that is not
 * what was told before. */
void imap_names_counted(struct imap_names *s, const struct imap_info *info);

#endif
