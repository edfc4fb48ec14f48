/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_names.h"

#include <stdlib.h>

#include "util/mem.h"

#define RANGES_MAX 1000
#define NONE SIZE_MAX

void
pop3_names_init(struct pop3_names *p, bool wanted)
{
	*p = (struct pop3_names){ .wanted = wanted };
}

void
pop3_names_deinit(struct pop3_names *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->name[i].uidl);
	p->n = 0;
	set_deinit(&p->todo);
}

void
pop3_names_add(struct pop3_names *p, const struct set *numbers)
{
	if (p->wanted)
		set_add_set(&p->todo, numbers);
}

/* Messages go in their order: before all whose names are here, that is. */
static bool
is_urgent(const struct pop3_names *p, uint32_t number)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->name[i].number < number)
			return false;
	return p->asked == 0 && p->n < POP3_NAMES_AHEAD * 2;
}

void
pop3_names_ask(
    struct pop3_names *p, struct client_box *ledger, client_name_fn fn)
{
	size_t have = p->asked + p->n;
	struct set some = { 0 };

	if (set_empty(&p->todo))
		return;
	if (have <= POP3_NAMES_AHEAD / 2)
		set_take(&some, &p->todo, POP3_NAMES_AHEAD - have, RANGES_MAX);
	else if (is_urgent(p, set_first(&p->todo)))
		set_take(&some, &p->todo, 1, 1);
	else
		return;
	p->asked += set_count(&some);
	client_names(ledger, &some, fn);
	set_deinit(&some);
}

void
pop3_names_put(struct pop3_names *p, uint32_t number, const char *uidl)
{
	if (p->asked == 0 || p->n == POP3_NAMES_AHEAD * 2)
		return; /* nobody asked */
	p->asked--;
	p->name[p->n].number = number;
	p->name[p->n++].uidl = mem_strdup(uidl);
}

static size_t
find(const struct pop3_names *p, uint32_t number)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->name[i].number == number)
			return i;
	return NONE;
}

bool
pop3_names_has(const struct pop3_names *p, uint32_t number)
{
	return !p->wanted || find(p, number) != NONE;
}

const char *
pop3_names_of(const struct pop3_names *p, uint32_t number)
{
	size_t i = find(p, number);

	return i == NONE ? NULL : p->name[i].uidl;
}

void
pop3_names_drop(struct pop3_names *p, uint32_t number)
{
	size_t i = find(p, number);

	if (i == NONE)
		return;
	free(p->name[i].uidl);
	p->name[i] = p->name[--p->n];
}
