/* SPDX-License-Identifier: ISC */
#include "sys/limit.h"

#include <sys/resource.h>

unsigned int
limit_files(unsigned int max)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0 ||
	    r.rlim_cur / 4 < LIMIT_FILES_MIN)
		return LIMIT_FILES_MIN;
	return r.rlim_cur / 4 > max ? max : (unsigned int)(r.rlim_cur / 4);
}
