/* SPDX-License-Identifier: ISC */
#include "sched/hosts.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/queue.h>

#include "util/mem.h"

struct host {
	TAILQ_ENTRY(host) link;
	char *name;
	unsigned int taken, asking;
};

struct hosts_place {
	TAILQ_ENTRY(hosts_place) link; /* among the asking */
	struct hosts *hosts;           /* not ours */
	struct host *host;             /* not ours */
	loop_fn fn;
	void *arg;
	bool taken;
};

struct hosts {
	TAILQ_HEAD(, host) all;
	TAILQ_HEAD(, hosts_place) asking; /* in order */
	struct loop_timer *grant;
	unsigned int max;
};

static struct hosts_place *
first_that_may(struct hosts *h)
{
	struct hosts_place *p;

	TAILQ_FOREACH (p, &h->asking, link)
		if (p->host->taken < h->max)
			return p;
	return NULL;
}

static void
on_grant(void *arg)
{
	struct hosts *h = arg;
	struct hosts_place *p;

	while ((p = first_that_may(h)) != NULL) {
		TAILQ_REMOVE(&h->asking, p, link);
		p->host->asking--;
		p->host->taken++;
		p->taken = true;
		p->fn(p->arg);
	}
}

struct hosts *
hosts_new(struct loop *loop, unsigned int max_per_host)
{
	struct hosts *h = mem_new(sizeof(*h));

	TAILQ_INIT(&h->all);
	TAILQ_INIT(&h->asking);
	h->max = max_per_host;
	h->grant = loop_timer_new(loop, on_grant, h);
	return h;
}

void
hosts_free(struct hosts **h)
{
	if (*h == NULL)
		return;
	loop_timer_free(&(*h)->grant);
	free(*h);
	*h = NULL;
}

static struct host *
host_of(struct hosts *h, const char *name)
{
	struct host *it;

	TAILQ_FOREACH (it, &h->all, link)
		if (strcasecmp(it->name, name) == 0)
			return it;
	it = mem_new(sizeof(*it));
	it->name = mem_strdup(name);
	TAILQ_INSERT_TAIL(&h->all, it, link);
	return it;
}

struct hosts_place *
hosts_ask(struct hosts *h, const char *host, loop_fn fn, void *arg)
{
	struct hosts_place *p = mem_new(sizeof(*p));

	p->hosts = h;
	p->host = host_of(h, host);
	p->host->asking++;
	p->fn = fn;
	p->arg = arg;
	TAILQ_INSERT_TAIL(&h->asking, p, link);
	loop_timer_arm(h->grant, 0);
	return p;
}

static void
forget_unused(struct hosts *h, struct host *host)
{
	if (host->taken > 0 || host->asking > 0)
		return;
	TAILQ_REMOVE(&h->all, host, link);
	free(host->name);
	free(host);
}

void
hosts_leave(struct hosts_place **p)
{
	struct hosts_place *it = *p;

	*p = NULL;
	if (it == NULL)
		return;
	if (it->taken) {
		it->host->taken--;
	} else {
		it->host->asking--;
		TAILQ_REMOVE(&it->hosts->asking, it, link);
	}
	loop_timer_arm(it->hosts->grant, 0);
	forget_unused(it->hosts, it->host);
	free(it);
}
