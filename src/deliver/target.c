/* SPDX-License-Identifier: ISC */
#include "deliver/target.h"

#include <stdlib.h>

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
