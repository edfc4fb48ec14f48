/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_IO_DNS_MESSAGE_H
#define MAILHAUL_TESTS_UNIT_IO_DNS_MESSAGE_H

/* Answers of a name server, put together by hand, right or wrong. */

#include <stdlib.h>
#include <string.h>

#include "io/query_parse.h"

#define FLAGS_GOOD 0x8180 /* an answer, recursion wanted and available */
#define FLAG_AD 0x0020
#define FLAG_TC 0x0200

#define TYPE_CNAME 5
#define TYPE_MX 15
#define TYPE_SRV 33
#define TYPE_TLSA 52

static inline void
dns_put(struct buf *b, const void *p, size_t n)
{
	if (buf_add(b, span_make(p, n)) != 0)
		abort();
}

static inline void
dns_put16(struct buf *b, unsigned int v)
{
	const unsigned char octets[] = { (unsigned char)(v >> 8),
		(unsigned char)v };

	dns_put(b, octets, 2);
}

/* Labels of a dotted name; "" is the root. */
static inline void
dns_put_name(struct buf *b, const char *name)
{
	while (*name != '\0') {
		size_t n = strcspn(name, ".");

		(void)buf_addc(b, (char)n);
		dns_put(b, name, n);
		name += n + (name[n] == '.');
	}
	(void)buf_addc(b, '\0');
}

/* Header and question of an answer to q with so many records. */
static inline void
dns_begin(struct buf *b, const struct query_question *q, unsigned int flags,
    unsigned int n)
{
	buf_init(b, QUERY_MESSAGE_MAX);
	dns_put16(b, q->id);
	dns_put16(b, flags);
	dns_put16(b, 1);
	dns_put16(b, n);
	dns_put16(b, 0);
	dns_put16(b, 0);
	dns_put(b, q->wire, q->n);
}

/* owner NULL: a pointer to the question's name. */
static inline void
dns_put_rr(
    struct buf *b, const char *owner, unsigned int type, const struct buf *data)
{
	if (owner == NULL)
		dns_put16(b, 0xc00c);
	else
		dns_put_name(b, owner);
	dns_put16(b, type);
	dns_put16(b, 1);
	dns_put16(b, 0);
	dns_put16(b, 60);
	dns_put16(b, (unsigned int)data->n);
	dns_put(b, buf_span(data).p, data->n);
}

static inline void
dns_put_srv(struct buf *b, const char *owner, unsigned int priority,
    unsigned int weight, unsigned int port, const char *target)
{
	struct buf d;

	buf_init(&d, 512);
	dns_put16(&d, priority);
	dns_put16(&d, weight);
	dns_put16(&d, port);
	dns_put_name(&d, target);
	dns_put_rr(b, owner, TYPE_SRV, &d);
	buf_deinit(&d);
}

static inline void
dns_put_cname(struct buf *b, const char *owner, const char *target)
{
	struct buf d;

	buf_init(&d, 512);
	dns_put_name(&d, target);
	dns_put_rr(b, owner, TYPE_CNAME, &d);
	buf_deinit(&d);
}

#endif
