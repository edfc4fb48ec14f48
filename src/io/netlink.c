/* SPDX-License-Identifier: ISC */
#include "io/netlink.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/mem.h"

#define BURST_MS 200
#define ROUND_READS 64  /* per readiness, then others have their turn */
#define FACTS_MAX 16384 /* a change beyond is a change each time */
#define NEWS_MAX 32768  /* the kernel's own limit of a message */

#define GROUPS                                                                 \
	(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |               \
	    RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)

/* A link runs, or has an address. Compared octet by octet. */
struct fact {
	uint32_t link;
	uint32_t family; /* AF_UNSPEC: it runs */
	uint8_t address[16];
};

struct netlink {
	int fd;
	struct loop_fd *watch;
	struct loop_timer *burst;
	loop_fn fn;
	void *arg;
	bool changed; /* in the packets of this round */
	struct fact *facts;
	size_t n_facts;
	_Alignas(struct nlmsghdr) char news[NEWS_MAX];
};

/* ---- what is so ---- */

static size_t
find(const struct netlink *nl, const struct fact *f)
{
	size_t i;

	for (i = 0; i < nl->n_facts; i++) {
		if (memcmp(&nl->facts[i], f, sizeof(*f)) == 0)
			break;
	}
	return i;
}

static void
note(struct netlink *nl, const struct fact *f, bool is_so)
{
	size_t i = find(nl, f);

	if (is_so == (i < nl->n_facts))
		return;
	nl->changed = true;
	if (!is_so) {
		nl->facts[i] = nl->facts[--nl->n_facts];
	} else if (nl->n_facts < FACTS_MAX) {
		nl->facts =
		    mem_grow(nl->facts, nl->n_facts + 1, sizeof(*nl->facts));
		nl->facts[nl->n_facts++] = *f;
	}
}

static void
note_address(struct netlink *nl, uint32_t link, int family, const void *octets,
    bool is_so)
{
	struct fact f = { .link = link, .family = (uint32_t)family };

	memcpy(f.address, octets, family == AF_INET ? 4 : 16);
	note(nl, &f, is_so);
}

static void
note_link(struct netlink *nl, uint32_t link, bool runs)
{
	struct fact f = { .link = link };

	note(nl, &f, runs);
}

static void
note_entry(struct netlink *nl, const struct ifaddrs *a)
{
	uint32_t link = if_nametoindex(a->ifa_name);
	const struct sockaddr *sa = a->ifa_addr;

	if ((a->ifa_flags & IFF_RUNNING) != 0)
		note_link(nl, link, true);
	if (sa != NULL && sa->sa_family == AF_INET)
		note_address(nl, link, AF_INET,
		    &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
		    true);
	if (sa != NULL && sa->sa_family == AF_INET6)
		note_address(nl, link, AF_INET6,
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
		    true);
}

/* All anew. Where the kernel does not tell, the first news of each count. */
static void
look_around(struct netlink *nl)
{
	struct ifaddrs *list = NULL;
	const struct ifaddrs *a;

	nl->n_facts = 0;
	if (getifaddrs(&list) < 0)
		return;
	for (a = list; a != NULL; a = a->ifa_next)
		note_entry(nl, a);
	freeifaddrs(list);
}

/* ---- the news; the kernel's macros know no const ---- */

static void
hear_link(struct netlink *nl, struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return;
	note_link(nl, (uint32_t)m->ifi_index,
	    h->nlmsg_type == RTM_NEWLINK && (m->ifi_flags & IFF_RUNNING) != 0);
}

static void
hear_address(struct netlink *nl, struct nlmsghdr *h)
{
	struct ifaddrmsg *m = NLMSG_DATA(h);
	struct rtattr *a, *peer = NULL, *local = NULL;
	size_t n, want;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    (m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
		return;
	/* usable only when nobody else turns out to have it */
	if (h->nlmsg_type == RTM_NEWADDR &&
	    (m->ifa_flags & (IFA_F_TENTATIVE | IFA_F_OPTIMISTIC)) ==
		IFA_F_TENTATIVE)
		return;
	n = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
	for (a = IFA_RTA(m); RTA_OK(a, n); a = RTA_NEXT(a, n)) {
		if (a->rta_type == IFA_LOCAL)
			local = a;
		else if (a->rta_type == IFA_ADDRESS)
			peer = a;
	}
	want = m->ifa_family == AF_INET ? 4 : 16;
	if (local == NULL) /* IPv6 has it on links of two only */
		local = peer;
	if (local != NULL && RTA_PAYLOAD(local) >= want)
		note_address(nl, m->ifa_index, m->ifa_family, RTA_DATA(local),
		    h->nlmsg_type == RTM_NEWADDR);
}

/* Those that learn of far networks, from thousands a minute. */
static bool
is_learnt(unsigned char protocol)
{
	static const unsigned char daemons[] = { RTPROT_GATED, RTPROT_MRT,
		RTPROT_ZEBRA, RTPROT_BIRD, RTPROT_MROUTED, RTPROT_BABEL,
		RTPROT_BGP, RTPROT_ISIS, RTPROT_OSPF, RTPROT_RIP,
		RTPROT_EIGRP };

	return memchr(daemons, protocol, sizeof(daemons)) != NULL;
}

static void
hear_route(struct netlink *nl, struct nlmsghdr *h)
{
	const struct rtmsg *m = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    (m->rtm_flags & RTM_F_CLONED) != 0 ||
	    m->rtm_table == RT_TABLE_LOCAL || m->rtm_type != RTN_UNICAST)
		return;
	if (is_learnt(m->rtm_protocol) && m->rtm_dst_len > 0)
		return;
	nl->changed = true;
}

static void
hear(struct netlink *nl, struct nlmsghdr *h)
{
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		hear_link(nl, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		hear_address(nl, h);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		hear_route(nl, h);
		break;
	default:
		break;
	}
}

/* False when there is no more for now. */
static bool
read_news(struct netlink *nl)
{
	struct sockaddr_nl from = { 0 };
	socklen_t size = sizeof(from);
	ssize_t r = recvfrom(nl->fd, nl->news, sizeof(nl->news), MSG_TRUNC,
	    (struct sockaddr *)&from, &size);
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)nl->news;
	size_t n;

	if (r < 0 && errno == ENOBUFS) { /* some were lost */
		look_around(nl);
		nl->changed = true;
		return true;
	}
	if (r < 0)
		return errno == EINTR;
	if (from.nl_pid != 0) /* not the kernel */
		return true;
	if ((size_t)r > sizeof(nl->news)) {
		nl->changed = true;
		return true;
	}
	for (n = (size_t)r; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n))
		hear(nl, h);
	return true;
}

static void
on_readable(void *arg, bool readable, bool writable)
{
	struct netlink *nl = arg;
	unsigned int i;

	(void)readable;
	(void)writable;
	nl->changed = false;
	for (i = 0; i < ROUND_READS && read_news(nl); i++)
		;
	if (nl->changed && !loop_timer_armed(nl->burst))
		loop_timer_arm(nl->burst, BURST_MS);
}

static void
on_burst_over(void *arg)
{
	struct netlink *nl = arg;

	nl->fn(nl->arg); /* may free nl */
}

/* ---- its life ---- */

static int
open_socket(struct err *e)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK,
		.nl_groups = GROUPS };
	int fd, why;

	fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	why = errno;
	if (fd >= 0)
		close(fd);
	return err_set(e, ERR_CONFIG, why,
	    "cannot hear of changes of the network: %s", strerror(why));
}

struct netlink *
netlink_new(struct loop *loop, loop_fn fn, void *arg, struct err *e)
{
	struct netlink *nl;
	int fd = open_socket(e);

	if (fd < 0)
		return NULL;
	nl = mem_new(sizeof(*nl));
	nl->fd = fd;
	nl->fn = fn;
	nl->arg = arg;
	look_around(nl);
	nl->burst = loop_timer_new(loop, on_burst_over, nl);
	nl->watch = loop_fd_new(loop, fd, on_readable, nl);
	loop_fd_want(nl->watch, true, false);
	return nl;
}

void
netlink_free(struct netlink **p)
{
	struct netlink *nl = *p;

	*p = NULL;
	if (nl == NULL)
		return;
	loop_fd_free(&nl->watch);
	loop_timer_free(&nl->burst);
	close(nl->fd);
	free(nl->facts);
	free(nl);
}
