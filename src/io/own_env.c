/* SPDX-License-Identifier: ISC */
#include "io/own_env.h"

#include <stdbool.h>
#include <string.h>

static const char *const names[] = { "LANG", "LC_ALL", "TZ", "RES_OPTIONS",
	"LOCALDOMAIN", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS",
	"LD_PRELOAD", "LD_LIBRARY_PATH", "OPENSSL_CONF", NULL };

static bool
is_among(const char *assignment, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++) {
		size_t n = strlen(*list);

		if (strncmp(assignment, *list, n) == 0 && assignment[n] == '=')
			return true;
	}
	return false;
}

void
own_env_pick(const char *picked[OWN_ENV_MAX], const char *const *more)
{
	extern char **environ;
	size_t n = 0;

	for (char **e = environ; *e != NULL && n + 1 < OWN_ENV_MAX; e++)
		if (strncmp(*e, "MAILHAUL_", 9) == 0 || is_among(*e, names) ||
		    is_among(*e, more))
			picked[n++] = *e;
	picked[n] = NULL;
}
