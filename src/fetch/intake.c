/* SPDX-License-Identifier: ISC */
#include "fetch/intake.h"

#include <errno.h>

enum intake_answer
intake_begin(struct intake *in, bool wanted)
{
	in->refused = false;
	in->skipping = !wanted;
	in->waiting = wanted;
	return intake_resume(in);
}

enum intake_answer
intake_resume(struct intake *in)
{
	if (!in->waiting)
		return INTAKE_GO;
	if (client_full(in->box))
		return INTAKE_WAIT;
	in->letter = letter_open(in->box, in->uid, in->uidl);
	in->waiting = in->letter == NULL;
	return in->waiting ? INTAKE_WAIT : INTAKE_GO;
}

enum intake_answer
intake_data(struct intake *in, struct span octets, struct err *e)
{
	if (in->skipping)
		return INTAKE_GO;
	in->progress->octets += octets.n;
	if (letter_write(in->letter, octets, e) == 0)
		return INTAKE_GO;
	intake_drop(in);
	if (e->sys == EFBIG) { /* a limit on one file: others may fit */
		e->kind = ERR_MESSAGE;
		in->refused = true;
	}
	return INTAKE_FAILED;
}

bool
intake_end(struct intake *in, const struct letter_params *params, letter_fn fn)
{
	if (in->skipping)
		return false;
	if (in->relays != NULL)
		relays_take(in->relays, &in->letter, params, fn);
	else
		letter_commit(&in->letter, params, fn);
	in->skipping = true; /* until the next one begins */
	return true;
}

void
intake_drop(struct intake *in)
{
	letter_discard(&in->letter);
	in->skipping = true;
	in->waiting = false;
}

uint32_t
intake_at(const struct intake *in)
{
	return in->skipping ? 0 : in->number;
}

uint64_t
intake_octets(const struct intake *in)
{
	return in->letter == NULL ? 0 : letter_octets(in->letter);
}
