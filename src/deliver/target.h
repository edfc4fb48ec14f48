/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_TARGET_H
#define MAILHAUL_DELIVER_TARGET_H

/* Where the mail of an account goes, as the deliverer needs to know it. */

#include <stdbool.h>
#include <stdint.h>

enum target_way {
	TARGET_MAILDIR, /* path */
	TARGET_MBOX,    /* path */
	TARGET_MDA,     /* argv */
	TARGET_RELAY    /* by the engine: LMTP or SMTP */
};

struct target {
	enum target_way way;
	char *name;   /* of the account */
	char *user;   /* at the mail server */
	char *path;   /* absolute */
	bool folders; /* MAILDIR: one for each mailbox */
	char **argv;  /* MDA: with placeholders; ends in NULL */
	unsigned int timeout_ms, parallel; /* MDA */
	uint8_t exits[256];      /* MDA: enum mda_verdict by exit status */
	unsigned long max_files; /* MDA: its limit of open files; 0: ours */
	char *socket; /* RELAY: the path of a local server, or NULL */
};

/* A copy; the caller frees it with target_free(). */
struct target *target_copy(const struct target *t);
void target_free(struct target **t); /* NULL is fine */

/* Where to, for people: "~/Maildir", "mbox ~/mail", "mda procmail", "unix:/run/lmtp"; empty when only the engine knows. path: of the Maildir, when it
 * is another than t's; or NULL. The caller frees. */
char *target_text(const struct target *t, const char *path);

#endif
