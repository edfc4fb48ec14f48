/* SPDX-License-Identifier: ISC */
#include "sched/reaction.h"

#include <sysexits.h>

/* clang-format off */
static const struct reaction reactions[ERR_KINDS] = {
	/*                  retry  exit status */
	[ERR_NONE]     = { false, EX_OK },
	[ERR_NET]      = { true,  EX_UNAVAILABLE },
	[ERR_TLS]      = { false, EX_NOPERM },
	[ERR_PROTO]    = { true,  EX_PROTOCOL },
	[ERR_AUTH]     = { false, EX_NOPERM },
	[ERR_THROTTLE] = { false, EX_TEMPFAIL },
	[ERR_TEMP]     = { true,  EX_TEMPFAIL },
	[ERR_LOCKED]   = { true,  EX_TEMPFAIL },
	[ERR_MESSAGE]  = { false, EX_TEMPFAIL },
	[ERR_MAILBOX]  = { false, EX_TEMPFAIL },
	[ERR_DELIVER]  = { false, EX_TEMPFAIL },
	[ERR_CONFIG]   = { false, EX_CONFIG },
	[ERR_CANCEL]   = { false, EX_TEMPFAIL },
};

/* clang-format on */

const struct reaction *
reaction_of(enum err_kind kind)
{
	return &reactions[kind];
}

int
reaction_worse(int a, int b)
{
	return a > b ? a : b;
}
