/* SPDX-License-Identifier: ISC */
#include "deliver/target.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

static char **
copy_argv(char *const *argv)
{
	char **copy;
	size_t n = 0;

	if (argv == NULL)
		return NULL;
	while (argv[n] != NULL)
		n++;
	copy = mem_array(n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(argv[i]);
	return copy;
}

struct target *
target_copy(const struct target *t)
{
	struct target *copy = mem_new(sizeof(*copy));

	*copy = *t;
	copy->name = mem_strdup(t->name);
	copy->user = mem_strdup(t->user);
	copy->path = mem_strdup(t->path);
	copy->argv = copy_argv(t->argv);
	copy->socket = mem_strdup(t->socket);
	return copy;
}

void
target_free(struct target **p)
{
	struct target *t = *p;

	if (t == NULL)
		return;
	*p = NULL;
	for (char **a = t->argv; a != NULL && *a != NULL; a++)
		free(*a);
	free(t->argv);
	free(t->name);
	free(t->user);
	free(t->path);
	free(t->socket);
	free(t);
}

/* The home directory is a tilde. */
static char *
text_of_path(const char *before, const char *path)
{
	const char *home = getenv("HOME");
	size_t n = home != NULL ? strlen(home) : 0;

	if (n > 1 && strncmp(path, home, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0'))
		return mem_printf("%s~%s", before, path + n);
	return mem_printf("%s%s", before, path);
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

char *
target_text(const struct target *t, const char *path)
{
	switch (t->way) {
	case TARGET_MAILDIR:
		return text_of_path("", path != NULL ? path : t->path);
	case TARGET_MBOX:
		return text_of_path("mbox ", t->path);
	case TARGET_MDA:
		return mem_printf(
		    "mda %s", t->argv == NULL ? "" : last_part(t->argv[0]));
	case TARGET_RELAY:
		break;
	}
	if (t->socket != NULL)
		return text_of_path("unix:", t->socket);
	return mem_strdup("");
}
