/* SPDX-License-Identifier: ISC */
#include "proc/users_join.h"

#include <stdlib.h>

#include "io/loop.h"
#include "proc/users.h"
#include "util/mem.h"

struct join {
	struct loop *loop;
	struct conf *conf; /* not ours */
	users_say_fn say;
	const void *arg;
};

static void
on_found(void *arg, struct users_found *found)
{
	struct join *j = arg;
	struct conf *c = j->conf;

	for (size_t i = 0; i < found->errors.n; i++)
		j->say(j->arg, found->errors.v[i]);
	c->accounts =
	    mem_grow(c->accounts, c->n + found->n + 1, sizeof(*c->accounts));
	for (size_t i = 0; i < found->n; i++)
		c->accounts[c->n++] = found->accounts[i];
	free(found->accounts);
	found->accounts = NULL;
	found->n = 0;
	if (found->left == 0)
		loop_stop(j->loop);
}

void
users_join(struct conf *conf, users_say_fn say, const void *arg)
{
	struct join j = { .conf = conf, .say = say, .arg = arg };

	if (conf->users.n == 0)
		return;
	j.loop = loop_new();
	(void)users_load(j.loop, conf, on_found, &j);
	loop_run(j.loop);
	loop_free(&j.loop);
}
