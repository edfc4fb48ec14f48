/* SPDX-License-Identifier: ISC */
#include "io/query_parse.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RECORDS_SEEN_MAX 256 /* names may be long in coming: they have limits */
#define ALIASES_MAX 8

/* Of the header, RFC 1035 4.1.1 and RFC 4035 3.2.3. */
#define FLAG_QR 0x8000
#define FLAG_TC 0x0200
#define FLAG_RD 0x0100
#define FLAG_AD 0x0020
#define MASK_OPCODE 0x7800
#define MASK_RCODE 0x000f

static const uint16_t types[] = {
	[QUERY_SRV] = ns_t_srv,
	[QUERY_TLSA] = 52,
	[QUERY_MX] = ns_t_mx,
};

/* ---- questions ---- */

static void
put16(struct buf *out, unsigned int v)
{
	const char octets[] = { (char)(v >> 8), (char)(v & 0xff) };

	(void)buf_add(out, span_make(octets, sizeof(octets)));
}

int
query_question_init(struct query_question *q, const char *name, struct err *e)
{
	unsigned char wire[NS_MAXCDNAME];
	int n = dn_comp(name, wire, sizeof(wire), NULL, NULL);
	struct buf b;

	if (n <= 0 || name[0] == '\0')
		return err_set(
		    e, ERR_CONFIG, 0, "\"%s\" is no name of the DNS", name);
	buf_init(&b, sizeof(q->wire));
	(void)buf_add(&b, span_make((const char *)wire, (size_t)n));
	put16(&b, types[q->type]);
	put16(&b, ns_c_in);
	q->n = b.n;
	memcpy(q->wire, buf_span(&b).p, b.n);
	buf_deinit(&b);
	return 0;
}

/* RFC 6891 6.1.2: the root, OPT, how much may come, no flags, no options. */
static void
put_opt(struct buf *out)
{
	(void)buf_addc(out, 0);
	put16(out, ns_t_opt);
	put16(out, QUERY_UDP_MAX);
	put16(out, 0);
	put16(out, 0);
	put16(out, 0);
}

/* AD in a question: "tell me whether you have checked it" (RFC 6840 5.7). */
void
query_put(struct buf *out, const struct query_question *q, bool edns)
{
	put16(out, q->id);
	put16(out, FLAG_RD | FLAG_AD);
	put16(out, 1);
	put16(out, 0);
	put16(out, 0);
	put16(out, edns);
	(void)buf_add(out, span_make(q->wire, q->n));
	if (edns)
		put_opt(out);
}

/* ---- records ---- */

static unsigned int
get16(const unsigned char *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

struct walk {
	const unsigned char *start, *p, *end;
	unsigned int left;
};

struct rr {
	char owner[NS_MAXDNAME];
	unsigned int type;
	const unsigned char *data;
	size_t n;
};

static size_t
rest(const struct walk *w)
{
	return (size_t)(w->end - w->p);
}

/* False at the end, and where it makes no sense any more. */
static bool
next_rr(struct walk *w, struct rr *rr)
{
	unsigned int class;
	int n;

	if (w->left == 0)
		return false;
	w->left--;
	n = dn_expand(
	    w->start, w->end, w->p, rr->owner, (int)sizeof(rr->owner));
	if (n < 0 || rest(w) < (size_t)n + NS_RRFIXEDSZ)
		return false;
	w->p += n;
	rr->type = get16(w->p);
	class = get16(w->p + 2);
	rr->n = get16(w->p + 8);
	w->p += NS_RRFIXEDSZ;
	if (rest(w) < rr->n)
		return false;
	rr->data = w->p;
	w->p += rr->n;
	if (class != ns_c_in)
		rr->type = ns_t_invalid;
	return true;
}

/* dn_expand(3) leaves out the dot at the end: two names are the same if their
 * texts are. */
static bool
is_of(const struct rr *rr, const char *owner, unsigned int type)
{
	return rr->type == type && strcasecmp(rr->owner, owner) == 0;
}

/* A host name in a record's data, or false: what else can be in there, none
 * can be connected to. */
static bool
take_host(const struct walk *w, const struct rr *rr, size_t at, char *dst)
{
	char name[NS_MAXDNAME];
	size_t len;
	int n;

	if (at >= rr->n)
		return false;
	n = dn_expand(w->start, w->end, rr->data + at, name, (int)sizeof(name));
	if (n < 0 || (size_t)n > rr->n - at)
		return false;
	len = strlen(name);
	if (len >= QUERY_NAME_MAX ||
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != len)
		return false;
	memcpy(dst, name, len + 1);
	if (strcmp(dst, ".") == 0)
		dst[0] = '\0';
	return true;
}

static bool
take_srv(const struct walk *w, const struct rr *rr, struct query_record *to)
{
	if (rr->n < 6 || !take_host(w, rr, 6, to->target))
		return false;
	to->priority = (uint16_t)get16(rr->data);
	to->weight = (uint16_t)get16(rr->data + 2);
	to->port = (uint16_t)get16(rr->data + 4);
	return true;
}

static bool
take_mx(const struct walk *w, const struct rr *rr, struct query_record *to)
{
	if (rr->n < 2 || !take_host(w, rr, 2, to->target))
		return false;
	to->priority = (uint16_t)get16(rr->data);
	return true;
}

/* RFC 6698 2.1 */
static bool
take_tlsa(const struct rr *rr, struct query_record *to)
{
	if (rr->n <= 3 || rr->n - 3 > sizeof(to->data))
		return false;
	to->usage = rr->data[0];
	to->selector = rr->data[1];
	to->matching = rr->data[2];
	to->n = rr->n - 3;
	memcpy(to->data, rr->data + 3, to->n);
	return true;
}

static bool
take(const struct walk *w, enum query_type type, const struct rr *rr,
    struct query_record *to)
{
	memset(to, 0, sizeof(*to));
	switch (type) {
	case QUERY_SRV:
		return take_srv(w, rr, to);
	case QUERY_TLSA:
		return take_tlsa(rr, to);
	case QUERY_MX:
		return take_mx(w, rr, to);
	}
	return false;
}

/* Lower priorities first (RFC 2782), of these the heaviest. */
static int
compare(const void *pa, const void *pb)
{
	const struct query_record *a = pa, *b = pb;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return (a->weight < b->weight) - (a->weight > b->weight);
}

/* ---- answers ---- */

/* name becomes what it is an alias of. */
static bool
follow(struct walk w, char name[NS_MAXDNAME])
{
	struct rr rr;

	while (next_rr(&w, &rr)) {
		char target[NS_MAXDNAME];

		if (!is_of(&rr, name, ns_t_cname))
			continue;
		if (dn_expand(w.start, w.end, rr.data, target,
			(int)sizeof(target)) < 0)
			return false;
		memcpy(name, target, sizeof(target));
		return true;
	}
	return false;
}

static size_t
collect(struct walk w, const struct query_question *q, const char *owner,
    struct query_record *records)
{
	struct rr rr;
	size_t n = 0;

	while (n < QUERY_RECORDS_MAX && next_rr(&w, &rr))
		if (is_of(&rr, owner, types[q->type]) &&
		    take(&w, q->type, &rr, &records[n]))
			n++;
	if (n > 1 && q->type != QUERY_TLSA)
		qsort(records, n, sizeof(*records), compare);
	return n;
}

/* w stands before the answers. */
static size_t
find(
    struct walk w, const struct query_question *q, struct query_record *records)
{
	const unsigned char *wire = (const unsigned char *)q->wire;
	char name[NS_MAXDNAME];

	if (dn_expand(wire, wire + q->n, wire, name, (int)sizeof(name)) < 0)
		return 0;
	for (unsigned int i = 0; i < ALIASES_MAX && follow(w, name); i++)
		;
	return collect(w, q, name, records);
}

static enum query_verdict
refuse(unsigned int rcode, bool has_edns, struct err *e)
{
	static const char *const words[] = {
		[ns_r_formerr] = "it does not understand the question",
		[ns_r_servfail] =
		    "it failed, as a server of the domain may have",
		[ns_r_notimpl] = "it does not know such questions",
		[ns_r_refused] = "it refuses to answer",
	};
	bool known =
	    rcode < sizeof(words) / sizeof(*words) && words[rcode] != NULL;

	err_set(e, ERR_NET, 0, "%s", known ? words[rcode] : "a strange answer");
	/* RFC 6891 7 */
	return !has_edns && (rcode == ns_r_formerr || rcode == ns_r_notimpl)
	    ? QUERY_NO_EDNS
	    : QUERY_FAILED;
}

/* Whoever does not know the question cannot know the answer. */
static bool
answers(const unsigned char *m, size_t n, const struct query_question *q)
{
	size_t name = q->n - 4;

	return n >= NS_HFIXEDSZ + q->n && get16(m) == q->id &&
	    (get16(m + 2) & (FLAG_QR | MASK_OPCODE)) == FLAG_QR &&
	    get16(m + 4) == 1 &&
	    span_ieq(span_make((const char *)m + NS_HFIXEDSZ, name),
		span_make(q->wire, name)) &&
	    memcmp(m + NS_HFIXEDSZ + name, q->wire + name, 4) == 0;
}

/* A server that does not understand may leave out the question. */
static bool
is_formerr(const unsigned char *m, size_t n, const struct query_question *q)
{
	return n >= NS_HFIXEDSZ && get16(m) == q->id &&
	    (get16(m + 2) & FLAG_QR) != 0 && get16(m + 4) == 0 &&
	    (get16(m + 2) & MASK_RCODE) == ns_r_formerr;
}

enum query_verdict
query_read(struct span message, const struct query_question *q,
    struct query_record *records, size_t *n, bool *ad, struct err *e)
{
	const unsigned char *m = (const unsigned char *)message.p;
	struct walk w = { .start = m, .end = m + message.n };
	unsigned int flags, rcode;

	*n = 0;
	*ad = false;
	if (is_formerr(m, message.n, q))
		return refuse(ns_r_formerr, false, e);
	if (!answers(m, message.n, q))
		return QUERY_OTHER;
	flags = get16(m + 2);
	rcode = flags & MASK_RCODE;
	if ((flags & FLAG_TC) != 0)
		return QUERY_CUT;
	if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
		return refuse(rcode, get16(m + 10) > 0, e);
	*ad = (flags & FLAG_AD) != 0;
	w.p = m + NS_HFIXEDSZ + q->n;
	w.left = get16(m + 6);
	if (w.left > RECORDS_SEEN_MAX)
		w.left = RECORDS_SEEN_MAX;
	if (rcode == ns_r_noerror)
		*n = find(w, q, records);
	return QUERY_ANSWERED;
}
