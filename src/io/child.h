/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_CHILD_H
#define MAILHAUL_IO_CHILD_H

/*
 * A short-lived child: argv without a shell, its own process group, clean
 * signals, descriptors 0 to 2 only, a deadline (SIGTERM, then SIGKILL to the
 * group two seconds later), bounded capture of what it prints. The end is
 * its exit, not the end of file of its pipes: a grandchild that keeps them
 * open delays nobody.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "io/loop.h"
#include "io/user.h"
#include "util/err.h"
#include "util/span.h"

struct child;

struct child_params {
	const char *const *argv; /* NULL-terminated; argv[0] by PATH */
	const char *program; /* the file that is run instead; NULL: argv[0] */
	const char *const *env; /* NULL-terminated; NULL: a small default:
	                            PATH, HOME, USER, LOGNAME, LANG and what
	                            password helpers need (GNUPGHOME,
	                            GPG_TTY, SSH_AUTH_SOCK, XDG_RUNTIME_DIR,
	                            DBUS_SESSION_BUS_ADDRESS,
	                            PASSWORD_STORE_DIR) */
	/* Whom it becomes for good before it begins; NULL: as we are. His
	 * HOME, USER, LOGNAME and SHELL then take the place of those in env,
	 * and of what the default passes on, PATH and LANG remain. If it
	 * cannot become him, the program is not run. */
	const struct user *user;
	const char *cwd;         /* its working directory; NULL: ours */
	int stdin_fd;            /* -1: /dev/null; stays the caller's */
	int stdout_fd;           /* above 2: where it prints, instead of into
	                            the result; stays the caller's */
	size_t out_max, err_max; /* of stdout from the front, of stderr the
	                            last octets; more is read and dropped */
	unsigned int timeout_ms; /* 0: no deadline */
	/* Whoever is left of its group when it has ended is killed. */
	bool whole_group;
	/* Its soft limit of open descriptors, set an instant after the start.
	 * Left as it is: for 0, for more than the hard limit, and for a
	 * set-user-ID program, which is not ours to limit. */
	unsigned long max_files;
};

struct child_result {
	bool timed_out, overflow; /* overflow: stdout had more than out_max */
	int status;               /* as of waitpid() */
	struct span out, err;     /* borrowed for the call */
	unsigned int timeout_ms;  /* of child_params, for child_verdict() */
};

/* Once, from the loop. When this returns, the child is freed (child_free()
 * inside the call is fine). e is NULL, but when it could not be started at
 * all; result then holds nothing. */
typedef void (*child_fn)(
    void *arg, const struct child_result *result, const struct err *e);

struct child *child_start(
    struct loop *loop, const struct child_params *p, child_fn fn, void *arg);
void child_stop(struct child *c);  /* its deadline is now */
void child_free(struct child **c); /* kills the group; fn is not called */

/* "exited with status 3", "was killed by SIGKILL", "took longer than 30 s" */
char *child_verdict(const struct child_result *r, char *dst, size_t size);

#endif
