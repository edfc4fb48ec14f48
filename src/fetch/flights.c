/* SPDX-License-Identifier: ISC */
#include "fetch/flights.h"

void
flights_deinit(struct flights *f)
{
	for (size_t i = 0; i < FLIGHTS; i++)
		set_deinit(&f->all[i].uids);
}

bool
flights_any(const struct flights *f)
{
	for (size_t i = 0; i < FLIGHTS; i++)
		if (f->all[i].ticket != 0)
			return true;
	return false;
}

struct flight *
flights_of_ticket(struct flights *f, uint32_t ticket)
{
	for (size_t i = 0; i < FLIGHTS; i++)
		if (f->all[i].ticket == ticket)
			return &f->all[i];
	return NULL;
}

struct flight *
flights_free(struct flights *f)
{
	return flights_of_ticket(f, 0);
}

struct flight *
flights_of_uid(struct flights *f, uint32_t uid)
{
	for (size_t i = 0; i < FLIGHTS; i++)
		if (f->all[i].ticket != 0 && set_has(&f->all[i].uids, uid))
			return &f->all[i];
	return NULL;
}
