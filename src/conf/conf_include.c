/* SPDX-License-Identifier: ISC */
#include "conf/conf_include.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_list.h"
#include "sys/file.h"
#include "util/mem.h"

/* The caller frees. */
static char *
beside(const char *path, const char *file)
{
	const char *slash = strrchr(file, '/');

	if (path[0] == '/' || slash == NULL)
		return mem_strdup(path);
	return mem_printf("%.*s/%s", (int)(slash - file), file, path);
}

static void
add_matches(struct conf_list *to, const char *pattern, struct conf_place at,
    struct conf_report *r)
{
	glob_t g = { 0 };
	size_t i;
	int why = glob(pattern, GLOB_ERR, NULL, &g);

	if (why != 0 && why != GLOB_NOMATCH) /* an empty conf.d is fine */
		conf_complain(r, at,
		    "%s: cannot be searched: is the directory there and "
		    "readable?",
		    pattern);
	for (i = 0; why == 0 && i < g.gl_pathc; i++)
		conf_list_add(to, g.gl_pathv[i]);
	globfree(&g);
}

void
conf_include_paths(struct conf_list *to, const char *wanted,
    struct conf_place at, struct conf_report *r)
{
	struct err e;
	char *path, *expanded = file_expand(wanted, &e);

	if (expanded == NULL) {
		conf_complain(r, at, "%s: %s", wanted, e.text);
		return;
	}
	path = beside(expanded, at.path);
	if (strpbrk(path, "*?[") == NULL)
		conf_list_add(to, path);
	else
		add_matches(to, path, at, r);
	free(path);
	free(expanded);
}
