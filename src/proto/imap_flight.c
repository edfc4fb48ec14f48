/* SPDX-License-Identifier: ISC */
#include "proto/imap_flight.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define FIRST_COMMANDS 4

void
imap_flight_init(struct imap_flight *f)
{
	*f = (struct imap_flight){ 0 };
}

void
imap_flight_deinit(struct imap_flight *f)
{
	free(f->cmd);
	imap_flight_init(f);
}

void
imap_flight_rest(struct imap_flight *f)
{
	if (f->n == 0) {
		imap_flight_deinit(f);
	} else if (f->cap > FIRST_COMMANDS && f->n <= FIRST_COMMANDS) {
		f->cap = FIRST_COMMANDS;
		f->cmd = mem_grow(f->cmd, f->cap, sizeof(*f->cmd));
	}
}

void
imap_flight_add(struct imap_flight *f, enum imap_verb verb, uint32_t tag)
{
	if (f->n == f->cap) {
		f->cap = f->cap == 0 ? FIRST_COMMANDS : 2 * f->cap;
		f->cmd = mem_grow(f->cmd, f->cap, sizeof(*f->cmd));
	}
	f->cmd[f->n++] = (struct imap_cmd){ .tag = tag, .verb = verb };
}

bool
imap_flight_take(struct imap_flight *f, uint32_t tag, struct imap_cmd *cmd)
{
	size_t i = 0;

	while (i < f->n && f->cmd[i].tag != tag)
		i++;
	if (i == f->n)
		return false;
	*cmd = f->cmd[i];
	f->n--;
	memmove(f->cmd + i, f->cmd + i + 1, (f->n - i) * sizeof(*f->cmd));
	return true;
}

struct imap_cmd *
imap_flight_oldest(const struct imap_flight *f, enum imap_verb verb)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->cmd[i].verb == verb)
			return &f->cmd[i];
	return NULL;
}

size_t
imap_flight_requests(const struct imap_flight *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->cmd[i].verb >= IMAP_VERB_LIST;
	return n;
}

const struct imap_cmd *
imap_flight_first_request(const struct imap_flight *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->cmd[i].verb >= IMAP_VERB_LIST)
			return &f->cmd[i];
	return NULL;
}
