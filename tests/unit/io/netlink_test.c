/* SPDX-License-Identifier: ISC */
#include "io/netlink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Long enough for all news of a change, and their burst. */
#define QUIET_MS 350

/* Every test has a network of its own, in a child. */
static bool have_network;

static struct loop *loop;
static struct netlink *netlink;
static struct loop_timer *timer;
static unsigned int told;

/* The child's asserts: the line that failed is on standard error. */
#define EXPECT(what)                                                           \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%d: not so: %s: %s\n", __LINE__,      \
			    #what, strerror(errno));                           \
			_exit(99);                                             \
		}                                                              \
	} while (0)

static int
in_child(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
leave_network(void)
{
	return unshare(CLONE_NEWNET) == 0 ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static void
try_to_leave(void)
{
	EXPECT(leave_network());
}

/* ---- changing the network ---- */

static void
set_flags(short on, short off)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_name = "lo" };

	EXPECT(fd >= 0);
	EXPECT(ioctl(fd, SIOCGIFFLAGS, &r) == 0);
	r.ifr_flags = (short)((r.ifr_flags | on) & ~off);
	EXPECT(ioctl(fd, SIOCSIFFLAGS, &r) == 0);
	close(fd);
}

/* A request of one head and a few attributes of 4 octets. */
struct request {
	struct nlmsghdr head;
	char body[256];
};

static void
add_head(struct request *r, unsigned short type, unsigned short flags,
    const void *head, size_t n)
{
	memset(r, 0, sizeof(*r));
	r->head.nlmsg_type = type;
	r->head.nlmsg_flags =
	    (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags);
	r->head.nlmsg_len = (unsigned int)NLMSG_LENGTH(n);
	memcpy(NLMSG_DATA(&r->head), head, n);
}

static void
add_attribute(struct request *r, unsigned short type, const void *p, size_t n)
{
	struct rtattr a = { .rta_type = type,
		.rta_len = (unsigned short)RTA_LENGTH(n) };
	char *end = (char *)r + NLMSG_ALIGN(r->head.nlmsg_len);

	memcpy(end, &a, sizeof(a));
	memcpy(end + RTA_LENGTH(0), p, n);
	r->head.nlmsg_len += (unsigned int)RTA_SPACE(n);
}

static void
ask(const struct request *r)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[512];
	} answer = { 0 };

	EXPECT(fd >= 0);
	EXPECT(send(fd, r, r->head.nlmsg_len, 0) > 0);
	EXPECT(recv(fd, &answer, sizeof(answer), 0) > 0);
	EXPECT(answer.head.nlmsg_type == NLMSG_ERROR);
	errno = -answer.error.error;
	EXPECT(answer.error.error == 0);
	close(fd);
}

static void
change_address(unsigned short type, const char *text, unsigned int lifetime)
{
	struct ifaddrmsg m = { .ifa_family = AF_INET,
		.ifa_prefixlen = 32,
		.ifa_index = if_nametoindex("lo") };
	struct ifa_cacheinfo life = { .ifa_prefered = lifetime,
		.ifa_valid = lifetime };
	struct request r;
	struct in_addr a;

	EXPECT(inet_pton(AF_INET, text, &a) == 1);
	add_head(&r, type,
	    type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0, &m,
	    sizeof(m));
	add_attribute(&r, IFA_LOCAL, &a, sizeof(a));
	if (type == RTM_NEWADDR)
		add_attribute(&r, IFA_CACHEINFO, &life, sizeof(life));
	ask(&r);
}

static void
change_route(unsigned short type, const char *to, unsigned char bits,
    unsigned char protocol, unsigned char kind)
{
	struct rtmsg m = { .rtm_family = AF_INET,
		.rtm_dst_len = bits,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = protocol,
		.rtm_scope = RT_SCOPE_LINK,
		.rtm_type = kind };
	unsigned int lo = if_nametoindex("lo");
	struct request r;
	struct in_addr a;

	EXPECT(inet_pton(AF_INET, to, &a) == 1);
	add_head(
	    &r, type, type == RTM_NEWROUTE ? NLM_F_CREATE : 0, &m, sizeof(m));
	if (bits > 0)
		add_attribute(&r, RTA_DST, &a, sizeof(a));
	if (kind == RTN_UNICAST)
		add_attribute(&r, RTA_OIF, &lo, sizeof(lo));
	ask(&r);
}

/* ---- hearing of it ---- */

static void
on_change(void *arg)
{
	EXPECT(arg == &told);
	told++;
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

/* How often it is told of what was done since. */
static unsigned int
listen_a_while(void)
{
	told = 0;
	loop_timer_arm(timer, QUIET_MS);
	loop_run(loop);
	return told;
}

static void
begin(void)
{
	struct err e;

	EXPECT(leave_network());
	loop = loop_new();
	timer = loop_timer_new(loop, stop, loop);
	netlink = netlink_new(loop, on_change, &told, &e);
	EXPECT(netlink != NULL);
}

static void
begin_with_lo(void)
{
	begin();
	set_flags(IFF_UP, 0);
	EXPECT(listen_a_while() == 1);
}

static void
finish(void)
{
	netlink_free(&netlink);
	EXPECT(netlink == NULL);
	netlink_free(&netlink);
	loop_timer_free(&timer);
	loop_free(&loop);
}

static void
links(void)
{
	begin();
	EXPECT(listen_a_while() == 0);
	set_flags(IFF_UP, 0);
	EXPECT(listen_a_while() == 1);
	/* it says so, but nothing is different for us */
	set_flags(IFF_PROMISC, 0);
	set_flags(0, IFF_PROMISC);
	EXPECT(listen_a_while() == 0);
	set_flags(0, IFF_UP);
	EXPECT(listen_a_while() == 1);
	finish();
}

static void
addresses(void)
{
	begin_with_lo();
	change_address(RTM_NEWADDR, "192.0.2.1", 3600);
	EXPECT(listen_a_while() == 1);
	/* a lease is renewed */
	change_address(RTM_NEWADDR, "192.0.2.1", 7200);
	EXPECT(listen_a_while() == 0);
	change_address(RTM_NEWADDR, "192.0.2.2", 7200);
	EXPECT(listen_a_while() == 1);
	change_address(RTM_DELADDR, "192.0.2.1", 0);
	EXPECT(listen_a_while() == 1);
	change_address(RTM_NEWADDR, "192.0.2.1", 3600);
	EXPECT(listen_a_while() == 1);
	finish();
}

/* What was there before is no news. */
static void
old_addresses(void)
{
	EXPECT(leave_network());
	set_flags(IFF_UP, 0);
	change_address(RTM_NEWADDR, "192.0.2.1", 3600);
	loop = loop_new();
	timer = loop_timer_new(loop, stop, loop);
	netlink = netlink_new(loop, on_change, &told, NULL);
	EXPECT(netlink != NULL);
	set_flags(IFF_PROMISC, 0);
	change_address(RTM_NEWADDR, "192.0.2.1", 7200);
	EXPECT(listen_a_while() == 0);
	change_address(RTM_DELADDR, "192.0.2.1", 0);
	EXPECT(listen_a_while() == 1);
	finish();
}

static void
routes(void)
{
	begin_with_lo();
	change_route(
	    RTM_NEWROUTE, "198.51.100.0", 24, RTPROT_STATIC, RTN_UNICAST);
	EXPECT(listen_a_while() == 1);
	change_route(
	    RTM_DELROUTE, "198.51.100.0", 24, RTPROT_STATIC, RTN_UNICAST);
	EXPECT(listen_a_while() == 1);
	/* a firewall's list, and a router's table */
	change_route(
	    RTM_NEWROUTE, "203.0.113.0", 24, RTPROT_STATIC, RTN_BLACKHOLE);
	change_route(RTM_NEWROUTE, "198.51.100.0", 24, RTPROT_BGP, RTN_UNICAST);
	EXPECT(listen_a_while() == 0);
	change_route(RTM_NEWROUTE, "0.0.0.0", 0, RTPROT_BGP, RTN_UNICAST);
	EXPECT(listen_a_while() == 1);
	finish();
}

static struct loop_timer *more;
static unsigned int added;

static void
add_more(void *arg)
{
	char text[32];

	(void)arg;
	snprintf(text, sizeof(text), "192.0.2.%u", ++added);
	change_address(RTM_NEWADDR, text, 3600);
	if (added < 10)
		loop_timer_arm(more, 10);
}

static void
bursts(void)
{
	begin_with_lo();
	more = loop_timer_new(loop, add_more, NULL);
	loop_timer_arm(more, 0);
	EXPECT(listen_a_while() == 1);
	EXPECT(added == 10);
	loop_timer_free(&more);
	finish();
}

/* More than the kernel keeps, and none of it counts by itself. */
static void
overflows(void)
{
	unsigned int i;

	begin_with_lo();
	for (i = 0; i < 2000; i++)
		set_flags(
		    i % 2 == 0 ? IFF_PROMISC : 0, i % 2 == 0 ? 0 : IFF_PROMISC);
	EXPECT(listen_a_while() == 1);
	/* and it hears well again */
	set_flags(IFF_PROMISC, 0);
	EXPECT(listen_a_while() == 0);
	change_address(RTM_NEWADDR, "192.0.2.1", 3600);
	EXPECT(listen_a_while() == 1);
	finish();
}

static void
free_it(void *arg)
{
	++*(unsigned int *)arg;
	netlink_free(&netlink);
}

static void
frees(void)
{
	EXPECT(leave_network());
	loop = loop_new();
	netlink = netlink_new(loop, free_it, &told, NULL);
	EXPECT(netlink != NULL);
	set_flags(IFF_UP, 0);
	loop_run(loop); /* ends, for nothing is left to watch */
	EXPECT(told == 1);
	loop_free(&loop);
}

/* ---- the tests ---- */

/* Where no other network can be had, at least this one is listened to. */
static void
play(void (*fn)(void))
{
	struct loop_timer *t;

	if (have_network) {
		assert_int_equal(in_child(fn), 0);
		return;
	}
	loop = loop_new();
	t = loop_timer_new(loop, stop, loop);
	netlink = netlink_new(loop, on_change, &told, NULL);
	assert_non_null(netlink);
	loop_timer_arm(t, 10);
	loop_run(loop);
	netlink_free(&netlink);
	loop_timer_free(&t);
	loop_free(&loop);
}

static void
tells_when_a_link_begins_or_ceases_to_run(void **state)
{
	(void)state;
	play(links);
}

static void
tells_of_addresses_that_come_and_go(void **state)
{
	(void)state;
	play(addresses);
}

static void
knows_what_was_there_before(void **state)
{
	(void)state;
	play(old_addresses);
}

static void
tells_of_routes_that_matter(void **state)
{
	(void)state;
	play(routes);
}

static void
tells_once_of_many_changes(void **state)
{
	(void)state;
	play(bursts);
}

static void
takes_lost_news_for_a_change(void **state)
{
	(void)state;
	play(overflows);
}

static void
may_be_freed_inside_the_call(void **state)
{
	(void)state;
	play(frees);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_when_a_link_begins_or_ceases_to_run),
		cmocka_unit_test(tells_of_addresses_that_come_and_go),
		cmocka_unit_test(knows_what_was_there_before),
		cmocka_unit_test(tells_of_routes_that_matter),
		cmocka_unit_test(tells_once_of_many_changes),
		cmocka_unit_test(takes_lost_news_for_a_change),
		cmocka_unit_test(may_be_freed_inside_the_call),
	};

	have_network = in_child(try_to_leave) == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
