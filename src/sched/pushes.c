/* SPDX-License-Identifier: ISC */
#include "sched/pushes.h"

void
pushes_heard(struct pushes *p)
{
	p->missed = 0;
}

bool
pushes_missed(struct pushes *p)
{
	if (p->demoted || ++p->missed < PUSHES_MISSED_MAX)
		return false;
	p->demoted = true;
	return true;
}
