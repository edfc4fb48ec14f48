/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_owed.h"

#define HEADER_MAX (64 * 1024)

void
pop3_owed_init(struct pop3_owed *o)
{
	*o = (struct pop3_owed){ .works = false };
	buf_init(&o->header, HEADER_MAX);
}

void
pop3_owed_deinit(struct pop3_owed *o)
{
	set_deinit(&o->todo);
	buf_deinit(&o->header);
}

bool
pop3_owed_idle(const struct pop3_owed *o)
{
	return o->asked == 0 && o->waiting == 0 && set_empty(&o->todo);
}

static void
give_up(struct pop3_owed *o, struct set *fresh)
{
	set_add_set(fresh, &o->todo);
	set_clear(&o->todo);
}

void
pop3_owed_take(struct pop3_owed *o, struct set *owed,
    const struct pop3 *machine, struct set *fresh)
{
	set_move(&o->todo, owed);
	if (pop3_capabilities(machine).n > 0 && !pop3_can(machine, "TOP"))
		give_up(o, fresh);
}

void
pop3_owed_ask(struct pop3_owed *o, struct pop3 *machine)
{
	uint32_t n = set_first(&o->todo);

	set_remove(&o->todo, n, n);
	o->asked++;
	pop3_top(machine, n);
}

void
pop3_owed_begin(struct pop3_owed *o)
{
	o->works = true;
	o->cut = false;
	buf_clear(&o->header);
}

void
pop3_owed_data(struct pop3_owed *o, struct span octets)
{
	o->cut = o->cut || buf_add(&o->header, octets) < 0;
}

void
pop3_owed_end(struct pop3_owed *o, struct client_box *ledger, uint32_t number,
    uint64_t size, client_verify_fn fn, struct set *fresh)
{
	if (o->cut || size == 0) {
		set_add(fresh, number, number);
		return;
	}
	o->waiting++;
	client_verify(ledger, number, buf_span(&o->header), size, fn);
}

void
pop3_owed_done(
    struct pop3_owed *o, const struct pop3_info *info, struct set *fresh)
{
	o->asked--;
	if (info->ok)
		return;
	set_add(fresh, info->number, info->number);
	if (!o->works)
		give_up(o, fresh);
}

void
pop3_owed_heard(struct pop3_owed *o)
{
	o->waiting--;
}
