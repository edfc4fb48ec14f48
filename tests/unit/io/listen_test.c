/* SPDX-License-Identifier: ISC */
#include "io/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/log.h"

static char dir[64], path[400];
static struct loop *loop;
static struct listener *listener;

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/mailhaul-listen-XXXXXX");
	loop = loop_new();
	return mkdtemp(dir) == NULL || chmod(dir, 0755) < 0 ? -1 : 0;
}

static int
drop(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int
tear_down(void **state)
{
	(void)state;
	listener_free(&listener);
	loop_free(&loop);
	return nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *
in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
must_listen(const char *at, int type)
{
	struct err e = { 0 };
	int fd = listen_unix(at, 0600, -1, type, &e);

	if (fd < 0)
		print_message("%s\n", e.text);
	assert_true(fd >= 0);
	return fd;
}

static int
must_connect(const char *at, int type)
{
	int fd = listen_connect_unix(at, type, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void
expect_no_listening(const char *at, int why, const char *text)
{
	struct err e = { 0 };
	int fd = listen_unix(at, 0600, -1, SOCK_SEQPACKET, &e);

	assert_int_equal(fd, -1);
	assert_int_equal(e.sys, why);
	assert_non_null(strstr(e.text, at));
	if (strstr(e.text, text) == NULL)
		print_message("%s\n", e.text);
	assert_non_null(strstr(e.text, text));
	assert_int_equal(listen_unix(at, 0600, -1, SOCK_SEQPACKET, NULL), -1);
}

/* ---- a local socket ---- */

static void
has_the_mode_and_group_it_is_given(void **state)
{
	struct stat st;
	mode_t before = umask(077);
	int fd = listen_unix(
	    in_dir("s"), 0660, (int)getegid(), SOCK_SEQPACKET, NULL);

	(void)state;
	umask(before);
	assert_true(fd >= 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, getegid());
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	close(fd);
	if (geteuid() != 0)
		return;
	fd = listen_unix(in_dir("t"), 0640, 4321, SOCK_STREAM, NULL);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_gid, 4321);
	close(fd);
}

/* The group of somebody else: then nothing is left there. */
static void
leaves_nothing_when_the_group_is_refused(void **state)
{
	struct err e = { 0 };
	int status;
	pid_t pid;

	(void)state;
	in_dir("s");
	assert_int_equal(chmod(dir, 0777), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setgroups(0, NULL) < 0 || setgid(65534) < 0 ||
			setuid(65534) < 0))
			_exit(1);
		if (listen_unix(path, 0660, 0, SOCK_STREAM, &e) != -1)
			_exit(2);
		_exit(
		    strstr(e.text, "cannot set the group of") == NULL ? 3 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void
replaces_a_socket_that_nobody_listens_at(void **state)
{
	int i, fd, client;

	(void)state;
	in_dir("s");
	for (i = 0; i < 3; i++) {
		fd = must_listen(path, i == 1 ? SOCK_STREAM : SOCK_SEQPACKET);
		client =
		    must_connect(path, i == 1 ? SOCK_STREAM : SOCK_SEQPACKET);
		close(client);
		close(fd);
	}
}

static void
leaves_a_living_socket_alone(void **state)
{
	int fd = must_listen(in_dir("s"), SOCK_STREAM), i, client[100];

	(void)state;
	expect_no_listening(path, EADDRINUSE, "another process does");
	close(fd);
	fd = must_listen(path, SOCK_SEQPACKET);
	expect_no_listening(path, EADDRINUSE, "another process does");
	/* also one that does not get round to its peers */
	for (i = 0; i < 100; i++)
		client[i] = listen_connect_unix(path, SOCK_SEQPACKET, NULL);
	assert_int_equal(client[99], -1);
	expect_no_listening(path, EADDRINUSE, "another process does");
	for (i = 0; i < 100; i++) {
		if (client[i] >= 0)
			close(client[i]);
	}
	close(fd);
}

static void
removes_nothing_that_is_no_socket(void **state)
{
	char target[sizeof(dir) + 10];
	int fd = open(in_dir("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	close(fd);
	expect_no_listening(path, EEXIST, "is no socket");
	assert_int_equal(access(path, F_OK), 0);

	/* a link does not count as what it points to */
	snprintf(target, sizeof(target), "%s/stale", dir);
	close(must_listen(target, SOCK_SEQPACKET));
	assert_int_equal(symlink("stale", in_dir("link")), 0);
	expect_no_listening(path, EEXIST, "is no socket");
	assert_int_equal(access(target, F_OK), 0);

	expect_no_listening(dir, EEXIST, "is no socket");
	assert_int_equal(rmdir(in_dir("none")), -1);
	expect_no_listening(in_dir("none/s"), ENOENT, "No such file");
	expect_no_listening(in_dir(""), EISDIR, "Is a directory");
}

static void
says_that_nobody_listens(void **state)
{
	struct err e = { 0 };

	(void)state;
	in_dir("s");
	assert_int_equal(listen_connect_unix(path, SOCK_STREAM, &e), -1);
	assert_int_equal(e.sys, ENOENT);
	close(must_listen(path, SOCK_STREAM));
	assert_int_equal(listen_connect_unix(path, SOCK_STREAM, &e), -1);
	assert_int_equal(e.sys, ECONNREFUSED);
	assert_non_null(strstr(e.text, "cannot connect to /tmp/mailhaul-"));
}

static void
reaches_a_long_path(void **state)
{
	char deep[300];
	int fd, client, i;

	(void)state;
	snprintf(deep, sizeof(deep), "%s/%0120d", dir, 1);
	assert_int_equal(mkdir(deep, 0700), 0);
	snprintf(deep, sizeof(deep), "%s/%0120d/control", dir, 1);
	for (i = 0; i < 2; i++) { /* the second time it is stale */
		fd = must_listen(deep, SOCK_SEQPACKET);
		client = must_connect(deep, SOCK_SEQPACKET);
		expect_no_listening(deep, EADDRINUSE, "another process does");
		close(client);
		close(fd);
	}
	/* but a name has its limits */
	snprintf(deep, sizeof(deep), "%s/%0122d", dir, 1);
	expect_no_listening(deep, ENAMETOOLONG, "name too long");
}

static void
works_in_the_current_directory(void **state)
{
	int home = open(".", O_PATH | O_CLOEXEC), fd, client;

	(void)state;
	assert_int_equal(chdir(dir), 0);
	fd = must_listen("s", SOCK_STREAM);
	client = must_connect("s", SOCK_STREAM);
	close(client);
	close(fd);
	assert_int_equal(access(in_dir("s"), F_OK), 0);
	assert_int_equal(fchdir(home), 0);
	close(home);
}

/* ---- loopback ---- */

static unsigned int
port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t n = sizeof(at);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	return ntohs(at.sin_port);
}

static void
listens_on_loopback_only(void **state)
{
	static const char *const others[] = { "0.0.0.0", "::", "10.0.0.1",
		"128.0.0.1", "126.255.255.255", "::ffff:127.0.0.1", "fe80::1",
		"localhost", "*", "", "127.1" };
	struct err e = { 0 };
	int fd = listen_ip("127.0.0.1", 0, &e), again;
	size_t i;

	(void)state;
	assert_true(fd >= 0);
	assert_true(port_of(fd) > 0);
	again = listen_ip("127.0.0.1", port_of(fd), &e);
	assert_int_equal(again, -1);
	assert_int_equal(e.sys, EADDRINUSE);
	assert_non_null(strstr(e.text, "Address already in use"));
	close(fd);
	fd = listen_ip("127.200.3.4", 0, &e);
	assert_true(fd >= 0);
	close(fd);
	fd = listen_ip("::1", 0, &e);
	assert_true(fd >= 0 || e.sys == EADDRNOTAVAIL || e.sys == EAFNOSUPPORT);
	if (fd >= 0)
		close(fd);
	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_int_equal(listen_ip(others[i], 0, &e), -1);
		assert_non_null(strstr(e.text, "no address of this machine"));
	}
	assert_int_equal(listen_ip("127.0.0.1", 65536, &e), -1);
	assert_string_equal(e.text, "there is no port 65536");
}

/* ---- those who connect ---- */

static struct listen_peer last;
static gid_t last_groups[200];
static int last_fd;
static unsigned int peers, enough;

static void
on_peer(void *arg, int fd, const struct listen_peer *peer)
{
	assert_ptr_equal(arg, &peers);
	last = *peer;
	assert_true(peer->n_groups <= 200);
	if (peer->n_groups > 0)
		memcpy(
		    last_groups, peer->groups, peer->n_groups * sizeof(gid_t));
	last.groups = last_groups;
	last_fd = fd;
	if (++peers == enough)
		loop_stop(loop);
	else
		close(fd);
}

static void
listen_for(int fd, unsigned int n)
{
	peers = 0;
	enough = n;
	listener = listener_new(loop, fd, on_peer, &peers);
}

static void
knows_who_connected(void **state)
{
	int client;
	char c;

	(void)state;
	listen_for(must_listen(in_dir("s"), SOCK_SEQPACKET), 1);
	client = must_connect(path, SOCK_SEQPACKET);
	loop_run(loop);
	assert_true(last.known);
	assert_int_equal(last.uid, geteuid());
	assert_int_equal(last.gid, getegid());
	assert_int_equal(last.pid, getpid());
	assert_true(listen_peer_in_group(&last, getegid()));
	assert_false(listen_peer_in_group(&last, 54545));
	assert_int_equal(fcntl(last_fd, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(last_fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(write(client, "xy", 2), 2);
	assert_int_equal(read(last_fd, &c, 1), 1);
	assert_int_equal(c, 'x');
	close(client);
	close(last_fd);
}

/* Somebody in 100 groups, more than are asked for at first. */
static void
connect_as_somebody(void)
{
	gid_t groups[100];
	int i, fd;
	char c;

	for (i = 0; i < 100; i++)
		groups[i] = (gid_t)(50000 + i);
	if (setgroups(100, groups) < 0 || setgid(40001) < 0 ||
	    setuid(40000) < 0)
		_exit(1);
	fd = listen_connect_unix(path, SOCK_STREAM, NULL);
	if (fd < 0)
		_exit(2);
	fcntl(fd, F_SETFL, 0);
	_exit(read(fd, &c, 1) == 0 ? 0 : 3); /* until we close it */
}

static void
knows_the_groups_of_who_connected(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	listen_for(listen_unix(in_dir("s"), 0666, -1, SOCK_STREAM, NULL), 1);
	if (geteuid() != 0) { /* only our own then */
		int client = must_connect(path, SOCK_STREAM);

		loop_run(loop);
		assert_int_equal(last.n_groups, getgroups(0, NULL));
		close(client);
		close(last_fd);
		return;
	}
	pid = fork();
	if (pid == 0)
		connect_as_somebody();
	loop_run(loop);
	close(last_fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(last.uid, 40000);
	assert_int_equal(last.pid, pid);
	assert_int_equal(last.n_groups, 100);
	assert_true(listen_peer_in_group(&last, 40001));
	assert_true(listen_peer_in_group(&last, 50099));
	assert_false(listen_peer_in_group(&last, 0));
}

static void
knows_nobody_by_ip(void **state)
{
	int fd = listen_ip("127.0.0.1", 0, NULL);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port_of(fd)) };

	(void)state;
	listen_for(fd, 1);
	assert_int_equal(
	    connect(client, (const struct sockaddr *)&at, sizeof(at)), 0);
	loop_run(loop);
	assert_false(last.known);
	assert_false(listen_peer_in_group(&last, 0));
	close(client);
	close(last_fd);
}

static void
takes_all_who_wait(void **state)
{
	int clients[40], i;

	(void)state;
	listen_for(must_listen(in_dir("s"), SOCK_STREAM), 40);
	for (i = 0; i < 40; i++)
		clients[i] = must_connect(path, SOCK_STREAM);
	loop_run(loop);
	assert_int_equal(peers, 40);
	for (i = 0; i < 40; i++)
		close(clients[i]);
	close(last_fd);
}

static unsigned int warnings;

static void
on_line(enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_WARNING &&
	    strstr(line, "cannot take a connection") != NULL)
		warnings++;
}

static void
raise_limit(void *arg)
{
	setrlimit(RLIMIT_NOFILE, arg);
}

static void
waits_when_no_descriptor_is_left(void **state)
{
	struct loop_timer *t;
	struct rlimit before, none;
	clock_t start;
	int client;

	(void)state;
	listen_for(must_listen(in_dir("s"), SOCK_STREAM), 1);
	client = must_connect(path, SOCK_STREAM);
	t = loop_timer_new(loop, raise_limit, &before);
	loop_timer_arm(t, 450);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	warnings = 0;
	log_set_sink(on_line);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	start = clock();
	loop_run(loop);
	log_set_sink(NULL);
	assert_int_equal(peers, 1);
	assert_int_equal(warnings, 1);
	/* it did not spin meanwhile */
	assert_true(clock() - start < CLOCKS_PER_SEC / 10);
	loop_timer_free(&t);
	close(client);
	close(last_fd);
}

static void
free_it(void *arg, int fd, const struct listen_peer *peer)
{
	(void)peer;
	++*(unsigned int *)arg;
	close(fd);
	listener_free(&listener);
}

static void
may_be_freed_inside_the_call(void **state)
{
	int clients[2];

	(void)state;
	peers = 0;
	listener = listener_new(
	    loop, must_listen(in_dir("s"), SOCK_STREAM), free_it, &peers);
	clients[0] = must_connect(path, SOCK_STREAM);
	clients[1] = must_connect(path, SOCK_STREAM);
	loop_run(loop); /* ends, for nothing is left to watch */
	assert_int_equal(peers, 1);
	assert_int_equal(listen_connect_unix(path, SOCK_STREAM, NULL), -1);
	close(clients[0]);
	close(clients[1]);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(has_the_mode_and_group_it_is_given),
		TEST(leaves_nothing_when_the_group_is_refused),
		TEST(replaces_a_socket_that_nobody_listens_at),
		TEST(leaves_a_living_socket_alone),
		TEST(removes_nothing_that_is_no_socket),
		TEST(says_that_nobody_listens),
		TEST(reaches_a_long_path),
		TEST(works_in_the_current_directory),
		TEST(listens_on_loopback_only),
		TEST(knows_who_connected),
		TEST(knows_the_groups_of_who_connected),
		TEST(knows_nobody_by_ip),
		TEST(takes_all_who_wait),
		TEST(waits_when_no_descriptor_is_left),
		TEST(may_be_freed_inside_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
