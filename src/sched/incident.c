/* SPDX-License-Identifier: ISC */
#include "sched/incident.h"

#include <stdio.h>

#include "sched/reaction.h"

_Static_assert(ERR_KINDS <= 32, "a bit for each kind");

/* A time ahead of now is of a clock that was set back since. */
static void
believe(struct incident *i, int64_t now)
{
	if (i->since > now)
		i->since = now;
	if (i->said > now)
		i->said = now;
}

static void
begin(struct incident *i, int64_t now)
{
	i->open = true;
	i->urgent = false;
	i->kinds = 0;
	i->since = now;
}

static void
remember(struct incident *i, const struct err *e)
{
	i->kind = e->kind;
	i->urgent |= reaction_of(e->kind)->urgent;
	snprintf(i->text, sizeof(i->text), "%s", e->text);
}

enum incident_line
incident_failure(struct incident *i, const struct err *e, int64_t now)
{
	uint32_t bit = UINT32_C(1) << e->kind;

	if (e->kind == ERR_NONE || e->kind == ERR_CANCEL)
		return INCIDENT_QUIET;
	if (!i->open)
		begin(i, now);
	remember(i, e);
	if ((i->kinds & bit) != 0)
		return incident_tick(i, now);
	i->kinds |= bit;
	i->said = now;
	return INCIDENT_BEGIN;
}

enum incident_line
incident_success(struct incident *i, int64_t now, uint64_t *lasted_s)
{
	if (!i->open)
		return INCIDENT_QUIET;
	believe(i, now);
	i->open = false;
	*lasted_s = (uint64_t)(now - i->since);
	return INCIDENT_END;
}

enum incident_line
incident_tick(struct incident *i, int64_t now)
{
	if (!i->open)
		return INCIDENT_QUIET;
	believe(i, now);
	if (now - i->said < INCIDENT_AGAIN_S)
		return INCIDENT_QUIET;
	i->said = now;
	return INCIDENT_AGAIN;
}

bool
incident_due(const struct incident *i, int64_t now, uint32_t after_s)
{
	if (!i->open)
		return i->told;
	return !i->told && (i->urgent || now - i->since >= (int64_t)after_s);
}

void
incident_told(struct incident *i)
{
	i->told = i->open;
}
