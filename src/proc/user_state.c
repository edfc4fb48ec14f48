/* SPDX-License-Identifier: ISC */
#include "proc/user_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"
#include "util/mem.h"

#define USERS "users"

static int
cannot(struct err *e, const char *path, const char *what)
{
	return err_set(
	    e, ERR_DELIVER, errno, "%s: %s: %s", path, what, strerror(errno));
}

/* Whoever may write there could put another directory in its place. */
static int
check_ours(const struct stat *st, const char *path, struct err *e)
{
	if (st->st_uid != geteuid())
		return err_set(e, ERR_DELIVER, 0,
		    "%s: belongs to the user %lu, and not to us", path,
		    (unsigned long)st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, ERR_DELIVER, 0,
		    "%s: others may write there (chmod go-w)", path);
	return 0;
}

/* Others get through, to what is theirs; they cannot list it. */
static int
let_pass(int fd, const char *path, struct err *e)
{
	const mode_t pass = S_IXGRP | S_IXOTH;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return cannot(e, path, "stat");
	if (check_ours(&st, path, e) != 0)
		return -1;
	if ((st.st_mode & pass) != pass &&
	    fchmod(fd, (st.st_mode & 07777) | pass) < 0)
		return cannot(e, path, "chmod");
	return 0;
}

/* A directory that we made, and did not get to hand over, is ours still. */
static int
hand_over(int fd, const struct user *user, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return cannot(e, path, "stat");
	if (st.st_uid != user->uid && st.st_uid != geteuid())
		return err_set(e, ERR_DELIVER, 0,
		    "%s: belongs to the user %lu, and not to %s", path,
		    (unsigned long)st.st_uid, user->name);
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return cannot(e, path, "chmod");
	if ((st.st_uid != user->uid || st.st_gid != user->gid) &&
	    fchown(fd, user->uid, user->gid) < 0)
		return cannot(e, path, "chown");
	return file_sync(fd, path, e);
}

/* The directory of all users, to get to each. */
static int
open_users(const char *state_dir, const char *path, struct err *e)
{
	int top = file_make_dir(state_dir, e), fd = -1;

	if (top < 0)
		return -1;
	if (let_pass(top, state_dir, e) == 0)
		fd = file_sub_dir(top, USERS, true, state_dir, e);
	close(top);
	if (fd >= 0 && let_pass(fd, path, e) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
make(int users, const char *path, const struct user *user, struct err *e)
{
	char *own = mem_printf("%s/%s", path, user->name);
	int fd = file_sub_dir(users, user->name, true, path, e);
	int r = fd < 0 ? -1 : hand_over(fd, user, own, e);

	if (fd >= 0)
		close(fd);
	free(own);
	return r;
}

static int
lock(const char *path, const struct user *user, struct err *e)
{
	char *file = mem_printf("%s/.%s.lock", path, user->name);
	bool busy;
	int fd = file_lock(file, &busy, e);

	if (fd < 0 && busy)
		e->kind = ERR_LOCKED;
	free(file);
	return fd;
}

int
user_state_open(const char *state_dir, const struct user *user, char **ledger,
    struct err *e)
{
	char *path = mem_printf("%s/" USERS, state_dir);
	int users = open_users(state_dir, path, e), fd = -1;

	*ledger = NULL;
	/* a name with a dot in front could be that of a lock */
	if (users >= 0 && user->name[0] == '.')
		err_set(e, ERR_CONFIG, 0,
		    "a user named \"%s\" cannot have mail delivered here",
		    user->name);
	else if (users >= 0 && make(users, path, user, e) == 0)
		fd = lock(path, user, e);
	if (fd >= 0)
		*ledger = mem_printf("%s/%s/ledger.sqlite", path, user->name);
	if (users >= 0)
		close(users);
	free(path);
	return fd;
}
