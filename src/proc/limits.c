/* SPDX-License-Identifier: ISC */
#include "proc/limits.h"

#include <sys/resource.h>

void
limits_raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}
