/* SPDX-License-Identifier: ISC */
#include "io/dns.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "io/query.h"
#include "sys/log.h"
#include "util/mem.h"

#define NAME_MAX_OCTETS 253 /* RFC 1035 2.3.4, without the root */
#define LABEL_MAX_OCTETS 63

struct dns {
	struct loop *loop; /* not ours */
	struct evdns_base *base;
	struct query_servers *servers;
	LIST_HEAD(dns_queries, dns_query) queries;
	bool dying; /* freed when the last cancelled query has come back */
};

struct dns_query {
	LIST_ENTRY(dns_query) link;
	struct dns *dns; /* not ours */
	struct evdns_getaddrinfo_request *request;
	struct loop_timer *deliver;
	dns_fn fn; /* NULL: cancelled */
	void *arg;
	bool delivering;
	char *host;
	unsigned int port;
	enum dns_family family;
	struct dns_address addrs[DNS_ADDRESSES_MAX];
	size_t n;
	struct err e;
};

/* ---- life ---- */

static void
log_evdns(int is_warning, const char *msg)
{
	(void)is_warning;
	log_debug("dns", "%s", msg);
}

/* A missing file is fine: names that need no server still work, and evdns
 * asks 127.0.0.1 for the rest. */
static void
read_files(struct evdns_base *base, const char *resolv_conf, const char *hosts)
{
	static const char *const options[][2] = {
		{ "timeout:", "5" },
		{ "attempts:", "3" },
		/* how long A waits for AAAA, and AAAA for A */
		{ "getaddrinfo-allow-skew:", "1" },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		evdns_base_set_option(base, options[i][0], options[i][1]);
	if (evdns_base_resolv_conf_parse(base,
		DNS_OPTIONS_ALL & ~DNS_OPTION_HOSTSFILE, resolv_conf) != 0)
		log_debug("dns", "%s is missing or incomplete", resolv_conf);
	if (evdns_base_load_hosts(base, hosts) != 0)
		log_debug("dns", "%s is missing", hosts);
}

struct dns *
dns_new_from(struct loop *loop, const char *resolv_conf, const char *hosts,
    struct err *e)
{
	struct dns *dns = mem_new(sizeof(*dns));

	evdns_set_log_fn(log_evdns);
	dns->loop = loop;
	LIST_INIT(&dns->queries);
	dns->base =
	    evdns_base_new(loop_base(loop), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (dns->base == NULL) {
		err_set(e, ERR_NET, 0, "the resolver could not be started");
		free(dns);
		return NULL;
	}
	read_files(dns->base, resolv_conf, hosts);
	dns->servers = query_servers_new(resolv_conf);
	return dns;
}

struct dns *
dns_new(struct loop *loop, struct err *e)
{
	return dns_new_from(loop, "/etc/resolv.conf", "/etc/hosts", e);
}

static void
destroy(struct dns *dns)
{
	evdns_base_free(dns->base, 0);
	query_servers_free(&dns->servers);
	free(dns);
}

const struct query_servers *
dns_servers(const struct dns *dns)
{
	return dns->servers;
}

static void
forget(struct dns_query *q)
{
	LIST_REMOVE(q, link);
	loop_timer_free(&q->deliver);
	free(q->host);
	free(q);
}

void
dns_free(struct dns **dns)
{
	struct dns *d = *dns;
	struct dns_query *q, *next;

	*dns = NULL;
	if (d == NULL)
		return;
	for (q = LIST_FIRST(&d->queries); q != NULL; q = next) {
		struct dns_query *cancelled = q;

		next = LIST_NEXT(q, link);
		dns_cancel(&cancelled);
	}
	if (LIST_EMPTY(&d->queries))
		destroy(d);
	else
		d->dying = true;
}

/* ---- families ---- */

static int
family_number(enum dns_family family)
{
	switch (family) {
	case DNS_ANY:
		break;
	case DNS_IPV4:
		return AF_INET;
	case DNS_IPV6:
		return AF_INET6;
	}
	return AF_UNSPEC;
}

static const char *
family_name(enum dns_family family)
{
	return family == DNS_IPV4 ? "IPv4" : "IPv6";
}

static bool
is_wanted(const struct dns_query *q, int family)
{
	return q->family == DNS_ANY || family_number(q->family) == family;
}

/* ---- names that need no server ---- */

static void
put_address(struct dns_query *q, const struct sockaddr *sa, size_t len)
{
	struct dns_address *a = &q->addrs[q->n];

	if (!is_wanted(q, sa->sa_family))
		return;
	for (size_t i = 0; i < q->n; i++)
		if (q->addrs[i].len == len &&
		    memcmp(&q->addrs[i].sa, sa, len) == 0)
			return;
	memset(a, 0, sizeof(*a));
	memcpy(&a->sa, sa, len);
	a->len = (socklen_t)len;
	q->n++;
}

static bool
put_numeric(struct dns_query *q, const char *host)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)q->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)q->port) };

	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		put_address(q, (struct sockaddr *)&v4, sizeof(v4));
	else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
		put_address(q, (struct sockaddr *)&v6, sizeof(v6));
	else
		return false;
	if (q->n == 0)
		err_set(&q->e, ERR_NET, 0,
		    "%s is no %s address: address-family or bind-address "
		    "excludes it",
		    host, family_name(q->family));
	return true;
}

static bool
put_localhost(struct dns_query *q, const char *host)
{
	if (strcasecmp(host, "localhost") != 0 &&
	    strcasecmp(host, "localhost.") != 0)
		return false;
	(void)put_numeric(q, "::1");
	(void)put_numeric(q, "127.0.0.1");
	err_clear(&q->e); /* one of them is of each family */
	return true;
}

/* Letters, digits, "-" and "_" in labels: all else would only be asked for
 * in vain, or is an address that is not one. */
static bool
is_name(const char *host)
{
	size_t label = 0;
	size_t n = strlen(host);

	if (n == 0 || n > NAME_MAX_OCTETS)
		return false;
	for (const char *p = host; *p != '\0'; p++) {
		bool word = (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		    *p == '-' || *p == '_';

		if (!word && (*p != '.' || label == 0))
			return false;
		label = word ? label + 1 : 0;
		if (label > LABEL_MAX_OCTETS)
			return false;
	}
	return true;
}

/* ---- answers ---- */

/* What a server may say but nobody can be reached at. */
static bool
is_usable(const struct sockaddr *sa)
{
	const struct sockaddr_in *v4 =
	    (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *v6 =
	    (const struct sockaddr_in6 *)(const void *)sa;

	if (sa->sa_family == AF_INET) {
		uint32_t ip = ntohl(v4->sin_addr.s_addr);

		return ip >> 24 != 0 && ip >> 28 != 14 && ip != UINT32_MAX;
	}
	return sa->sa_family == AF_INET6 &&
	    !IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) &&
	    !IN6_IS_ADDR_MULTICAST(&v6->sin6_addr) &&
	    !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
}

static const struct evutil_addrinfo *
next_of(const struct evutil_addrinfo *ai, int family)
{
	while (
	    ai != NULL && (ai->ai_family != family || !is_usable(ai->ai_addr)))
		ai = ai->ai_next;
	return ai;
}

static void
set_none_of_family(struct dns_query *q)
{
	err_set(&q->e, ERR_NET, 0,
	    "%s has no %s address (or the name server failed), and "
	    "address-family or bind-address excludes others",
	    q->host, family_name(q->family));
}

/* RFC 8305 4: families take turns, IPv6 first. */
static void
put_answers(struct dns_query *q, const struct evutil_addrinfo *res)
{
	const struct evutil_addrinfo *v6 = next_of(res, AF_INET6);
	const struct evutil_addrinfo *v4 = next_of(res, AF_INET);

	while (q->n < DNS_ADDRESSES_MAX && (v6 != NULL || v4 != NULL)) {
		if (v6 != NULL) {
			put_address(q, v6->ai_addr, v6->ai_addrlen);
			v6 = next_of(v6->ai_next, AF_INET6);
		}
		if (v4 != NULL && q->n < DNS_ADDRESSES_MAX) {
			put_address(q, v4->ai_addr, v4->ai_addrlen);
			v4 = next_of(v4->ai_next, AF_INET);
		}
	}
	if (q->n > 0)
		return;
	if (q->family == DNS_ANY)
		err_set(&q->e, ERR_NET, 0, "no usable address for %s", q->host);
	else
		set_none_of_family(q);
}

/* evdns does not tell a name without addresses from a server that failed, or
 * whose answer was truncated (evdns knows no TCP). */
static void
set_error(struct dns_query *q, int result)
{
	if (result == EVUTIL_EAI_NONAME)
		err_set(&q->e, ERR_NET, 0, "no such host: %s", q->host);
	else if (result != EVUTIL_EAI_NODATA && result != EVUTIL_EAI_FAIL)
		err_set(&q->e, ERR_NET, 0,
		    "temporary failure in name resolution of %s", q->host);
	else if (q->family != DNS_ANY)
		set_none_of_family(q);
	else
		err_set(&q->e, ERR_NET, 0,
		    "no address for %s: there is none, or the name server "
		    "failed",
		    q->host);
}

static void
finish(struct dns_query *q)
{
	struct dns *dns = q->dns;

	forget(q);
	if (dns->dying && LIST_EMPTY(&dns->queries))
		destroy(dns);
}

static void
on_deliver(void *arg)
{
	struct dns_query *q = arg;

	q->delivering = true;
	if (q->fn != NULL && q->e.kind != ERR_NONE)
		q->fn(q->arg, NULL, 0, &q->e);
	else if (q->fn != NULL)
		q->fn(q->arg, q->addrs, q->n, NULL);
	finish(q);
}

static void
on_result(int result, struct evutil_addrinfo *res, void *arg)
{
	struct dns_query *q = arg;

	q->request = NULL;
	if (q->fn != NULL && result == 0)
		put_answers(q, res);
	else if (q->fn != NULL)
		set_error(q, result);
	if (res != NULL)
		evutil_freeaddrinfo(res);
	/* not from inside evdns: this may be the end of it */
	loop_timer_arm(q->deliver, 0);
}

/* ---- questions ---- */

static void
ask(struct dns_query *q)
{
	struct evutil_addrinfo hints = {
		.ai_family = family_number(q->family),
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP,
		.ai_flags = EVUTIL_AI_NUMERICSERV, /* no /etc/services */
	};
	char port[12];

	snprintf(port, sizeof(port), "%u", q->port);
	/* on_result() may already have been called when this returns NULL */
	q->request = evdns_getaddrinfo(
	    q->dns->base, q->host, port, &hints, on_result, q);
}

struct dns_query *
dns_lookup(struct dns *dns, const char *host, unsigned int port,
    enum dns_family family, dns_fn fn, void *arg)
{
	struct dns_query *q = mem_new(sizeof(*q));

	q->dns = dns;
	q->fn = fn;
	q->arg = arg;
	q->host = mem_strdup(host);
	q->port = port;
	q->family = family;
	q->deliver = loop_timer_new(dns->loop, on_deliver, q);
	LIST_INSERT_HEAD(&dns->queries, q, link);
	if (put_numeric(q, host) || put_localhost(q, host)) {
		loop_timer_arm(q->deliver, 0);
	} else if (!is_name(host)) {
		err_set(&q->e, ERR_NET, 0, "not a host name or address: \"%s\"",
		    host);
		loop_timer_arm(q->deliver, 0);
	} else {
		ask(q);
	}
	return q;
}

void
dns_cancel(struct dns_query **query)
{
	struct dns_query *q = *query;

	*query = NULL;
	if (q == NULL || q->delivering || q->fn == NULL)
		return;
	if (q->request == NULL) {
		forget(q);
		return;
	}
	/* evdns answers a cancelled request later, from the loop */
	q->fn = NULL;
	evdns_getaddrinfo_cancel(q->request);
}

char *
dns_address_text(const struct dns_address *a, char *dst, size_t size)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->sa;
	char ip[INET6_ADDRSTRLEN] = "?";

	if (a->sa.ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
		snprintf(dst, size, "[%s]:%u", ip, ntohs(v6->sin6_port));
	} else {
		inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
		snprintf(dst, size, "%s:%u", ip, ntohs(v4->sin_port));
	}
	return dst;
}
