/* SPDX-License-Identifier: ISC */
#include "proc/exporter.h"

#include <stdlib.h>
#include <string.h>

#include "io/http.h"
#include "sched/metrics.h"
#include "sys/clock.h"
#include "util/mem.h"

struct exporter {
	struct http *http;
	struct desks *desks; /* not ours */
	exporter_fn fn;
	void *arg;
	int64_t started;
	uint64_t restarts;
};

struct list {
	struct metrics_account *v;
	size_t n, cap;
};

static void
add(void *arg, const char *name, const struct status *status)
{
	struct list *l = arg;

	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : 2 * l->cap;
		l->v = mem_grow(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] =
	    (struct metrics_account){ .account = name, .status = *status };
}

static bool
write_all(struct exporter *x, struct buf *body, bool open)
{
	struct list accounts = { 0 };
	struct metrics m = { .version = MAILHAUL_VERSION,
		.now = clock_wall_s(),
		.started = x->started,
		.restarts = x->restarts };
	int r;

	desks_each(x->desks, add, &accounts);
	x->fn(x->arg, &m.commit);
	m.accounts = accounts.v;
	m.n = accounts.n;
	r = metrics_write(body, &m, open);
	free(accounts.v);
	return r == 0;
}

static bool
on_request(void *arg, const struct http_request *request, struct buf *body,
    const char **type)
{
	bool open = metrics_wants_open(request->accept);

	if (strcmp(request->path, "/metrics") != 0 &&
	    strcmp(request->path, "/") != 0)
		return false;
	*type = metrics_type(open);
	return write_all(arg, body, open);
}

struct exporter *
exporter_new(struct loop *loop, int fd, struct unpack *u, struct desks *desks,
    exporter_fn fn, void *arg)
{
	struct exporter *x = mem_new(sizeof(*x));

	x->desks = desks;
	x->fn = fn;
	x->arg = arg;
	x->started = (int64_t)unpack_u64(u);
	x->restarts = unpack_u32(u);
	x->http = http_new(loop, fd, on_request, x);
	return x;
}

void
exporter_free(struct exporter **x)
{
	if (*x == NULL)
		return;
	http_free(&(*x)->http);
	free(*x);
	*x = NULL;
}

void
exporter_restarts(struct exporter *x, uint32_t n)
{
	if (x != NULL)
		x->restarts = n;
}
