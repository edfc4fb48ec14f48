/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_MAILDIR_NAMES_H
#define MAILHAUL_DELIVER_MAILDIR_NAMES_H

/*
 * The names of our files in a Maildir (maildir(5)): unique, known as ours by
 * the token of the ledger, and as this process's own by a random number, since
 * process numbers come again.
 */

#include <stdbool.h>
#include <stdint.h>

#define MAILDIR_NAME_MAX 200 /* octets of a file name, with its NUL */

struct maildir_names { /* one per process */
	char host[64];
	char token[17];
	char life[9]; /* of this process */
	uint32_t count;
};

/* token: 16 hex digits that mark our tmp files, from the ledger. */
void maildir_names_init(struct maildir_names *names, const char *token);
void maildir_names_next(
    struct maildir_names *names, char dst[MAILDIR_NAME_MAX]);

/* Whether it is the name of a file of ours that an earlier process made. */
bool maildir_names_left(const struct maildir_names *names, const char *name);

enum maildir_flag { /* any of them together */
	MAILDIR_DRAFT = 1,
	MAILDIR_FLAGGED = 2,
	MAILDIR_REPLIED = 4,
	MAILDIR_SEEN = 8
};

#define MAILDIR_FLAGS 15u /* all of them */

/* The published name of a message of so many octets, and back: one without
 * flags is for new/, one with flags, which end the name, for cur/. */
void maildir_final(char dst[MAILDIR_NAME_MAX], const char *name,
    uint64_t octets, unsigned int flags);
bool maildir_unfinal(char dst[MAILDIR_NAME_MAX], const char *final);
bool maildir_final_is_cur(const char *final);

#endif
