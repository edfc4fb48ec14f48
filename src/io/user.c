/* SPDX-License-Identifier: ISC */
#include "io/user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- the list of users ---- */

static int
no_entry(struct err *e, const char *what, const char *name, int why)
{
	/* getpwnam(3) has this list for "not found" */
	if (why == 0 || why == ENOENT || why == ESRCH || why == EBADF ||
	    why == EPERM)
		return err_set(
		    e, ERR_CONFIG, 0, "there is no %s \"%s\"", what, name);
	return err_set(e, ERR_TEMP, why, "cannot look up the %s \"%s\": %s",
	    what, name, strerror(why));
}

static bool
copy(char *dst, size_t size, const char *value, const char *instead)
{
	if (value == NULL || value[0] == '\0')
		value = instead;
	return (size_t)snprintf(dst, size, "%s", value) < size;
}

static int
take(const struct passwd *pw, struct user *out, struct err *e)
{
	int n = USER_GROUPS_MAX;

	*out = (struct user){ .uid = pw->pw_uid, .gid = pw->pw_gid };
	if (!copy(out->name, sizeof(out->name), pw->pw_name, "") ||
	    !copy(out->home, sizeof(out->home), pw->pw_dir, "/") ||
	    !copy(out->shell, sizeof(out->shell), pw->pw_shell, "/bin/sh"))
		return err_set(e, ERR_CONFIG, 0,
		    "the name, home directory or shell of the user \"%s\" is "
		    "too long",
		    pw->pw_name);
	if (getgrouplist(out->name, out->gid, out->groups, &n) < 0)
		return err_set(e, ERR_CONFIG, 0,
		    "the user \"%s\" is in more than %d groups", out->name,
		    USER_GROUPS_MAX);
	out->n_groups = (size_t)n;
	return 0;
}

int
user_find(const char *name, struct user *out, struct err *e)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL)
		return no_entry(e, "user", name, errno);
	return take(pw, out, e);
}

int
user_find_uid(uid_t uid, struct user *out, struct err *e)
{
	const struct passwd *pw;
	char number[24];

	errno = 0;
	pw = getpwuid(uid);
	if (pw != NULL)
		return take(pw, out, e);
	snprintf(number, sizeof(number), "%lu", (unsigned long)uid);
	return no_entry(e, "user", number, errno);
}

int
user_find_group(const char *name, gid_t *out, struct err *e)
{
	const struct group *gr;

	errno = 0;
	gr = getgrnam(name);
	if (gr == NULL)
		return no_entry(e, "group", name, errno);
	*out = gr->gr_gid;
	return 0;
}

bool
user_in_group(const struct user *u, gid_t gid)
{
	size_t i;

	for (i = 0; i < u->n_groups; i++) {
		if (u->groups[i] == gid)
			return true;
	}
	return u->gid == gid;
}

/* ---- the change ---- */

static int
cannot(struct err *e, const struct user *u, const char *what, int why)
{
	return err_set(e, ERR_CONFIG, why,
	    "cannot become the user \"%s\": %s%s%s", u->name, what,
	    why == 0 ? "" : ": ", why == 0 ? "" : strerror(why));
}

static bool
is_user(const struct user *u)
{
	uid_t r, e, s;

	return getresuid(&r, &e, &s) == 0 && r == u->uid && e == u->uid &&
	    s == u->uid;
}

static bool
is_group(const struct user *u)
{
	gid_t r, e, s;

	return getresgid(&r, &e, &s) == 0 && r == u->gid && e == u->gid &&
	    s == u->gid;
}

/* The kernel has sorted them. */
static bool
has_groups(const struct user *u)
{
	gid_t now[USER_GROUPS_MAX];
	int n = getgroups(USER_GROUPS_MAX, now), i;

	if (n < 0 || (size_t)n != u->n_groups)
		return false;
	for (i = 0; i < n; i++) {
		if (!user_in_group(u, now[i]))
			return false;
	}
	return true;
}

/* The kernel's own call: libcap is one more library for this alone. */
static int
capabilities(long call, struct __user_cap_data_struct set[2])
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	return (int)syscall(call, &head, set);
}

/* Usually setresuid(2) has done it; not so where securebits say otherwise. The
 * ambient set follows. */
static int
drop_capabilities(const struct user *u, struct err *e)
{
	struct __user_cap_data_struct set[2] = { { 0 } };

	if (u->uid == 0) /* its programs would have them again anyway */
		return 0;
	if (capabilities(SYS_capset, set) < 0)
		return cannot(e, u, "capset", errno);
	if (capabilities(SYS_capget, set) < 0 ||
	    (set[0].effective | set[0].permitted | set[0].inheritable |
		set[1].effective | set[1].permitted | set[1].inheritable) != 0)
		return cannot(e, u, "some capability is left", 0);
	return 0;
}

static int
change(const struct user *u, struct err *e)
{
	if (setgroups(u->n_groups, u->groups) < 0)
		return cannot(e, u, "setgroups", errno);
	if (setresgid(u->gid, u->gid, u->gid) < 0)
		return cannot(e, u, "setresgid", errno);
	if (setresuid(u->uid, u->uid, u->uid) < 0)
		return cannot(e, u, "setresuid", errno);
	if (!has_groups(u))
		return cannot(e, u, "the groups are not his", 0);
	return 0;
}

/* Root may become what it likes anyway. */
static bool
can_return(const struct user *u)
{
	return u->uid != 0 &&
	    (setuid(0) == 0 || (u->gid != 0 && setgid(0) == 0));
}

int
user_become(const struct user *u, struct err *e)
{
	bool already = geteuid() != 0 && is_user(u) && is_group(u);

	if (!already && change(u, e) < 0)
		return -1;
	if (drop_capabilities(u, e) < 0)
		return -1;
	if (!is_user(u) || !is_group(u))
		return cannot(e, u, "the user or group is not his", 0);
	if (can_return(u))
		return cannot(e, u, "there is a way back to root", 0);
	return 0;
}
