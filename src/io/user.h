/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_USER_H
#define MAILHAUL_IO_USER_H

/*
 * Becoming another user for good. All that asks the system's list of users
 * (which may come from a network) is done when the user is looked up;
 * user_become() then makes system calls only, and may stand between fork()
 * and exec.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/err.h"

#define USER_GROUPS_MAX 1024 /* Active Directory ends at 1,015 */

struct user {
	uid_t uid;
	gid_t gid;
	char name[257];
	char home[1024];
	char shell[256];
	size_t n_groups;
	gid_t groups[USER_GROUPS_MAX]; /* all of the user's, gid among them */
};

/* 0, or -1 with ERR_CONFIG when there is no such user, ERR_TEMP when the list
 * cannot be read now. */
int user_find(const char *name, struct user *out, struct err *e);
int user_find_uid(uid_t uid, struct user *out, struct err *e);
int user_find_group(const char *name, gid_t *out, struct err *e);

bool user_in_group(const struct user *u, gid_t gid);

/*
 * The process is u from now on: user, group, supplementary groups, without
 * any capability (but root keeps its own), and without a way back, all of
 * which is verified. On an error the process may be something in between: it
 * must end. Who is u already needs no privilege; his supplementary groups
 * then stay as they are. Before any thread is started.
 */
int user_become(const struct user *u, struct err *e);

#endif
