/* SPDX-License-Identifier: ISC */
#include "io/dane.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "io/query.h"
#include "io/tls_dane.h"
#include "util/mem.h"

struct dane {
	dane_fn fn;
	void *arg;
	char *name; /* _993._tcp.HOST */
	struct query *query;
	struct loop_timer *timer; /* host is an address: tells it */
	bool known;
	struct query_record *records;
	size_t n;
};

static bool
is_address(const char *host)
{
	struct in6_addr a; /* the larger one */

	return inet_pton(AF_INET, host, &a) == 1 ||
	    inet_pton(AF_INET6, host, &a) == 1;
}

/* NULL: it can be used. That there is nothing must not be forged, either. */
static const struct err *
judge(const struct dane *d, const struct query_answer *answer, struct err *e)
{
	if (!answer->secure)
		err_set(e, ERR_TLS, 0,
		    "tls-verify = dane: the answer about %s is not validated: "
		    "use a validating resolver on this machine (127.0.0.1)",
		    d->name);
	else if (answer->n == 0)
		err_set(e, ERR_TLS, 0,
		    "tls-verify = dane: %s has no TLSA record", d->name);
	else
		return NULL;
	return e;
}

static void
on_answer(void *arg, const struct query_answer *answer, const struct err *e)
{
	struct dane *d = arg;
	struct err why;

	d->query = NULL;
	if (e == NULL)
		e = judge(d, answer, &why);
	if (e == NULL) {
		d->known = true;
		d->n = answer->n;
		d->records = mem_array(d->n, sizeof(*d->records));
		memcpy(d->records, answer->records, d->n * sizeof(*d->records));
	}
	d->fn(d->arg, e);
}

static void
on_timer(void *arg)
{
	struct dane *d = arg;
	struct err e;

	err_set(&e, ERR_CONFIG, 0,
	    "tls-verify = dane: give the server by its name as host: there "
	    "are no TLSA records of addresses");
	d->fn(d->arg, &e);
}

struct dane *
dane_new(struct loop *loop, const struct dns *dns, const char *host,
    unsigned int port, dane_fn fn, void *arg)
{
	struct dane *d = mem_new(sizeof(*d));

	d->fn = fn;
	d->arg = arg;
	d->name = mem_printf("_%u._tcp.%s", port, host);
	d->timer = loop_timer_new(loop, on_timer, d);
	if (is_address(host))
		loop_timer_arm(d->timer, 0);
	else
		d->query = query_start(
		    loop, dns_servers(dns), QUERY_TLSA, d->name, on_answer, d);
	return d;
}

void
dane_free(struct dane **dane)
{
	struct dane *d = *dane;

	*dane = NULL;
	if (d == NULL)
		return;
	query_free(&d->query);
	loop_timer_free(&d->timer);
	free(d->records);
	free(d->name);
	free(d);
}

bool
dane_is_known(const struct dane *d)
{
	return d->known;
}

int
dane_apply(const struct dane *d, struct tls *t, struct err *e)
{
	bool usable = false;

	for (size_t i = 0; i < d->n; i++) {
		const struct query_record *r = &d->records[i];

		usable |= tls_dane(t, r->usage, r->selector, r->matching,
		    span_make((const char *)r->data, r->n));
	}
	if (!usable)
		return err_set(e, ERR_TLS, 0,
		    "tls-verify = dane: no TLSA record of %s can be used",
		    d->name);
	return 0;
}
