/* SPDX-License-Identifier: ISC */
#include "proc/limits.h"

#include <sys/resource.h>

unsigned long
limits_raise_files(void)
{
	struct rlimit r;
	rlim_t before;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 0;
	before = r.rlim_cur;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
	return before;
}
