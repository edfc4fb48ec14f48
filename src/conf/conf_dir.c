/* SPDX-License-Identifier: ISC */
#include "conf/conf_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_list.h"
#include "util/mem.h"

/* Not by glob(3): dir itself may hold what it takes for a pattern. */
static int
is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 &&
	    strcmp(d->d_name + n - 5, ".conf") == 0;
}

/* alphasort() would ask the locale. */
static int
by_octets(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int
conf_dir_paths(struct conf_list *to, const char *dir)
{
	struct dirent **found;
	int i, n = scandir(dir, &found, is_conf, by_octets);

	if (n < 0)
		return errno == ENOENT ? 0 : -1;
	for (i = 0; i < n; i++) {
		char *path = mem_printf("%s/%s", dir, found[i]->d_name);

		conf_list_add(to, path);
		free(path);
		free(found[i]);
	}
	free(found);
	return 0;
}
