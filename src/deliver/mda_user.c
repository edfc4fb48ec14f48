/* SPDX-License-Identifier: ISC */
#include "deliver/mda_user.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/mem.h"

static char *
first_of(const char *value, const char *instead)
{
	return mem_strdup(value != NULL && value[0] != '\0' ? value : instead);
}

struct mda_user *
mda_user_new(void)
{
	struct mda_user *u = mem_new(sizeof(*u));
	const struct passwd *pw = getpwuid(geteuid());
	char number[24];

	snprintf(number, sizeof(number), "%lu", (unsigned long)geteuid());
	u->home = first_of(pw != NULL ? pw->pw_dir : getenv("HOME"), "/");
	u->name = first_of(pw != NULL ? pw->pw_name : NULL, number);
	u->shell = first_of(pw != NULL ? pw->pw_shell : NULL, "/bin/sh");
	return u;
}

void
mda_user_free(struct mda_user **p)
{
	struct mda_user *u = *p;

	if (u == NULL)
		return;
	*p = NULL;
	free(u->home);
	free(u->name);
	free(u->shell);
	free(u);
}
