/* SPDX-License-Identifier: ISC */
#include "io/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/digest.h"
#include "io/http.h"
#include "io/ipc.h"
#include "io/listen.h"
#include "io/loop.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif

/* Everything behind a wall happens in a child: this says how it ended. */
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

/* The child's asserts: the line that failed is on standard error. */
#define EXPECT(what)                                                           \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%d: not so: %s: %s\n", __LINE__,      \
			    #what, strerror(errno));                           \
			_exit(99);                                             \
		}                                                              \
	} while (0)

#define EXPECT_REFUSED(what)                                                   \
	EXPECT((what) < 0 && (errno == EPERM || errno == EACCES))

static char dir[64], path[128];

/* Of the kernel's Landlock, or -1; asked before any wall stands. */
static long landlock_version;

/* With Landlock all is well; without it the error says so. */
static void
expect_wall(int r, int version, const struct err *e)
{
	if (landlock_version >= version) {
		if (r != 0)
			fprintf(stderr, "%s\n", e->text);
		EXPECT(r == 0);
	} else {
		EXPECT(r == -1 && e->kind == ERR_CONFIG);
		EXPECT(strstr(e->text, "Landlock") != NULL);
	}
}

/* ---- secrets ---- */

static void
wall_secrets(void)
{
	int before = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	struct rlimit core;
	struct err e = { 0 };

	EXPECT(sandbox_secrets(&e) == 0);
	EXPECT(getrlimit(RLIMIT_CORE, &core) == 0);
	EXPECT(core.rlim_cur == 0 && core.rlim_max == 0);
	EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	EXPECT(sandbox_secrets(NULL) == 0);
	/* the user's password-command may be sudo */
	EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == before);
}

static void
wall_core(void)
{
	struct rlimit core;

	EXPECT(sandbox_core(NULL) == 0);
	EXPECT(getrlimit(RLIMIT_CORE, &core) == 0);
	EXPECT(core.rlim_cur == 0 && core.rlim_max == 0);
	EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
}

static void
leaves_no_core(void **state)
{
	(void)state;
	assert_int_equal(in_child(wall_core), 0);
}

static void
leaves_no_core_and_nothing_to_attach_to(void **state)
{
	(void)state;
	assert_int_equal(in_child(wall_secrets), 0);
}

static void
wall_privileges(void)
{
	struct err e = { 0 };

	EXPECT(sandbox_privileges(&e) == 0);
	EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	EXPECT(sandbox_privileges(NULL) == 0);
}

static void
leaves_no_way_to_more_rights(void **state)
{
	(void)state;
	assert_int_equal(in_child(wall_privileges), 0);
}

/* ---- the engine ---- */

static void
wall_engine(void)
{
	struct err e = { 0 };
	int r = sandbox_engine(&e);

	expect_wall(r, 1, &e);
}

static void
try_paths(void)
{
	struct stat st;
	char to[10];
	int root = open("/", O_RDONLY | O_DIRECTORY);

	wall_engine();
	EXPECT_REFUSED(open("/etc/passwd", O_RDONLY));
	EXPECT_REFUSED(openat(root, "etc/passwd", O_RDONLY));
	EXPECT_REFUSED(syscall(SYS_openat2, root, "etc", NULL, 0));
	EXPECT_REFUSED(stat("/etc/passwd", &st));
	EXPECT_REFUSED(access("/etc/passwd", R_OK));
	EXPECT_REFUSED(readlink("/proc/self/exe", to, sizeof(to)));
	EXPECT_REFUSED(mkdir("/tmp/mailhaul-sandbox-made", 0700));
	EXPECT_REFUSED(unlink("/tmp/mailhaul-sandbox-none"));
	EXPECT_REFUSED(chdir("/"));
}

static void
engine_uses_no_path(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_paths), 0);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	EXPECT(packet != NULL && packet->n_fds == 1);
	EXPECT(write(packet->fds[0], "mail", 4) == 4);
	loop_stop(arg);
}

/* What the engine lives on: a loop, packets with descriptors, memory. */
static void
work_as_engine(void)
{
	char name[] = "/tmp/mailhaul-sandbox-XXXXXX";
	struct loop *loop = loop_new();
	struct digest_state *digest = digest_new();
	struct digest d;
	struct loop_timer *t = loop_timer_new(loop, stop, loop);
	struct ipc *left, *right;
	struct stat st;
	struct err e;
	int file = mkstemp(name), fds[2];
	void *big;

	unlink(name);
	EXPECT(ipc_pair(fds, &e) == 0);
	left = ipc_new(loop, fds[0], on_packet, loop);
	right = ipc_new(loop, fds[1], on_packet, loop);
	wall_engine();

	loop_timer_arm(t, 10);
	loop_run(loop);
	ipc_send_fds(left, 1, SPAN("x"), &file, 1, false);
	loop_run(loop);
	EXPECT(fstat(file, &st) == 0 && st.st_size == 4);
	digest_begin(digest);
	digest_add(digest, SPAN("abc"));
	digest_end(digest, &d);
	EXPECT(d.b[0] == 0xba);
	big = malloc(64 << 20);
	EXPECT(big != NULL);
	memset(big, 1, 1 << 20);
	free(big);

	digest_free(&digest);
	ipc_free(&left);
	ipc_free(&right);
	loop_timer_free(&t);
	loop_free(&loop);
}

static void
engine_can_do_its_work(void **state)
{
	(void)state;
	assert_int_equal(in_child(work_as_engine), 0);
}

static void
use_network(void)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int one = 1, fd;
	size_t i;

	wall_engine();
	for (i = 0; i < 2; i++) {
		fd = socket(
		    families[i], SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		/* a machine may lack IPv6 */
		EXPECT(fd >= 0 || errno == EAFNOSUPPORT);
		if (fd < 0)
			continue;
		EXPECT(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one,
			   sizeof(one)) == 0);
		EXPECT(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
		EXPECT_REFUSED(fcntl(fd, F_SETOWN, getppid()));
		EXPECT_REFUSED(listen(fd, 1));
		close(fd);
	}
	EXPECT_REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
}

static void
engine_reaches_the_network_and_is_not_reached(void **state)
{
	(void)state;
	assert_int_equal(in_child(use_network), 0);
}

static int metrics;

static bool
say_metrics(void *arg, const struct http_request *request, struct buf *body,
    const char **type)
{
	(void)type;
	if (strcmp(request->path, "/end") == 0)
		loop_stop(arg);
	return buf_printf(body, "mailhaul_up 1\n") == 0;
}

static void
serve_metrics(void)
{
	struct loop *loop = loop_new();
	struct http *http;

	wall_engine();
	http = http_new(loop, metrics, say_metrics, loop);
	loop_run(loop);
	http_free(&http);
	loop_free(&loop);
}

/* What comes back from the engine's socket. */
static void
ask_metrics(const char *request, char *answer, size_t size)
{
	struct sockaddr_in at;
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t r;
	size_t got = 0;

	assert_int_equal(getsockname(metrics, (struct sockaddr *)&at, &n), 0);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(
	    write(fd, request, strlen(request)), (ssize_t)strlen(request));
	while ((r = read(fd, answer + got, size - 1 - got)) > 0)
		got += (size_t)r;
	answer[got] = '\0';
	close(fd);
}

static void
engine_answers_at_a_socket_it_was_given(void **state)
{
	char answer[2000];
	int status;
	pid_t pid;

	(void)state;
	metrics = listen_ip("127.0.0.1", 0, NULL);
	assert_true(metrics >= 0);
	pid = fork();
	if (pid == 0) {
		serve_metrics();
		_exit(0);
	}
	ask_metrics(
	    "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof(answer));
	assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(answer, "\r\n\r\nmailhaul_up 1\n"));
	ask_metrics(
	    "GET /end HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof(answer));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(metrics);
}

/* A socket that another program of this user listens at. */
static int
listen_at(struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at->sun_family = AF_UNIX;
	snprintf(at->sun_path, sizeof(at->sun_path), "%s/agent", dir);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static struct sockaddr_un agent;

static void
cross_to_the_agent(void)
{
	const struct sockaddr *at = (const struct sockaddr *)&agent;
	int fds[2];

	EXPECT(ipc_pair(fds, NULL) == 0);
	wall_engine();
	EXPECT_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	EXPECT_REFUSED(socket(AF_UNIX, SOCK_DGRAM, 0));
	EXPECT_REFUSED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	/* the links it has cannot be turned either */
	EXPECT(connect(fds[0], at, sizeof(agent)) < 0);
	EXPECT(sendto(fds[0], "x", 1, 0, at, sizeof(agent)) < 0 ||
	    recv(fds[1], &fds[0], 1, 0) == 1);
}

static void
engine_reaches_no_local_socket(void **state)
{
	int fd = listen_at(&agent);

	(void)state;
	assert_int_equal(in_child(cross_to_the_agent), 0);
	close(fd);
}

static void
make_code(void)
{
	void *p;

	wall_engine();
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(p != MAP_FAILED);
	EXPECT_REFUSED(mprotect(p, 4096, PROT_READ | PROT_EXEC));
	EXPECT(mprotect(p, 4096, PROT_READ) == 0);
	EXPECT(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

static void
engine_makes_no_new_code(void **state)
{
	(void)state;
	assert_int_equal(in_child(make_code), 0);
}

static void
execute(void)
{
	char *const none[] = { NULL };

	wall_engine();
	execve("/bin/true", none, none);
}

static void
be_forked(void)
{
	wall_engine();
	/* AddressSanitizer forks to look for leaks: there it only fails */
	EXPECT_REFUSED(fork());
}

static void
signal_parent(void)
{
	pid_t parent = getppid();

	wall_engine();
	kill(parent, 0);
}

static void
capture_packets(void)
{
	wall_engine();
	socket(AF_PACKET, SOCK_RAW, 0);
}

static void
attach(void)
{
	wall_engine();
	syscall(SYS_ptrace, 0, 0, 0, 0);
}

static void
dies_of_it(void (*fn)(void))
{
	int status = in_child(fn);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void
engine_dies_of_what_only_an_intruder_tries(void **state)
{
	(void)state;
	dies_of_it(execute);
	dies_of_it(signal_parent);
	dies_of_it(capture_packets);
	dies_of_it(attach);
	if (UNDER_ASAN)
		assert_int_equal(in_child(be_forked), 0);
	else
		dies_of_it(be_forked);
}

static void
give_up(void)
{
	wall_engine();
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void
engine_may_abort(void **state)
{
	int status = in_child(give_up);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* Not _exit(): what libraries do at the end is allowed, or fails gently. */
static void
exit_in_order(void)
{
	wall_engine();
	exit(7);
}

static void
engine_exits_in_order(void **state)
{
	int status = in_child(exit_in_order);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

/* ---- the deliverer ---- */

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/mailhaul-sandbox-XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
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
	return nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *
in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
wall_deliverer(bool local_sockets)
{
	const struct sandbox_place places[] = { { dir, true },
		{ "/dev/null", false }, { "/dev/zero", true },
		{ "/usr", false } };
	struct err e = { 0 };
	int r = sandbox_deliverer(places, 4, local_sockets, &e);

	expect_wall(r, 2, &e);
}

static void
deliver(void)
{
	int top = open(dir, O_RDONLY | O_DIRECTORY), fd;

	wall_deliverer(false);
	EXPECT(mkdir(in_dir("tmp"), 0700) == 0);
	EXPECT(mkdir(in_dir("new"), 0700) == 0);
	fd = openat(top, "tmp/x", O_WRONLY | O_CREAT | O_EXCL, 0600);
	EXPECT(fd >= 0 && write(fd, "mail", 4) == 4 && fsync(fd) == 0);
	EXPECT(ftruncate(fd, 2) == 0);
	EXPECT(renameat(top, "tmp/x", top, "new/x") == 0);
	EXPECT(unlinkat(top, "new/x", 0) == 0);
	EXPECT(open("/dev/null", O_RDONLY) >= 0);
	EXPECT(open("/dev/zero", O_RDWR) >= 0);
	EXPECT(kill(getppid(), 0) == 0); /* who has this lock? */
}

static void
deliverer_works_below_its_directories(void **state)
{
	(void)state;
	assert_int_equal(in_child(deliver), 0);
}

static void
leave_directories(void)
{
	int root = open("/", O_RDONLY | O_DIRECTORY);

	wall_deliverer(true);
	EXPECT_REFUSED(open("/etc/passwd", O_RDONLY));
	EXPECT_REFUSED(openat(root, "etc/passwd", O_RDONLY));
	EXPECT_REFUSED(
	    open("/tmp/mailhaul-sandbox-made", O_WRONLY | O_CREAT, 0600));
	EXPECT_REFUSED(open("/dev/full", O_RDONLY));
	EXPECT_REFUSED(open("/dev/null", O_WRONLY));
	EXPECT(open("/usr/bin", O_RDONLY) >= 0);
	EXPECT_REFUSED(mkdir("/usr/mailhaul-sandbox-made", 0700));
	EXPECT_REFUSED(unlink("/usr/bin/env"));
	EXPECT_REFUSED(symlink("/etc/passwd", in_dir("link")));
	EXPECT_REFUSED(mkfifo(in_dir("fifo"), 0600));
}

static void
deliverer_is_kept_out_of_the_rest(void **state)
{
	(void)state;
	if (landlock_version < 2)
		skip();
	assert_int_equal(in_child(leave_directories), 0);
}

static void
try_network(void)
{
	char *const none[] = { NULL };

	wall_deliverer(true);
	EXPECT_REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	EXPECT_REFUSED(socket(AF_INET6, SOCK_DGRAM, 0));
	EXPECT_REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	EXPECT_REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
	EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	EXPECT_REFUSED(syscall(SYS_ptrace, 0, 0, 0, 0));
	EXPECT_REFUSED(unshare(CLONE_NEWUSER));
	EXPECT_REFUSED(syscall(SYS_io_uring_setup, 1, none));
}

static void
deliverer_has_no_network(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_network), 0);
}

static void
try_local_sockets(void)
{
	wall_deliverer(false);
	EXPECT_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	EXPECT_REFUSED(socket(AF_UNIX, SOCK_DGRAM, 0));
	EXPECT_REFUSED(socket(AF_INET, SOCK_STREAM, 0));
}

static void
deliverer_reaches_no_local_socket_if_it_need_not(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_local_sockets), 0);
}

/* The filter itself: Landlock has no say in who may be run that way. */
static void
try_others(void)
{
	char env[] = "/usr/bin/env", *argv[] = { env, NULL };
	int program = open(env, O_PATH | O_CLOEXEC);

	wall_deliverer(true);
	EXPECT_REFUSED(execve(env, argv, argv + 1));
	EXPECT_REFUSED(fexecve(program, argv, argv + 1));
	EXPECT_REFUSED(kill(getppid(), SIGCONT));
	EXPECT_REFUSED(syscall(SYS_tkill, getppid(), SIGCONT));
	EXPECT_REFUSED(syscall(SYS_tgkill, getppid(), getppid(), SIGCONT));
	signal(SIGUSR1, SIG_IGN);
	EXPECT(kill(getpid(), SIGUSR1) == 0 && raise(SIGUSR1) == 0);
}

static void
deliverer_runs_nothing_and_signals_nobody(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_others), 0);
}

static void
miss_a_directory(void)
{
	const struct sandbox_place places[] = { { "/no/such/place", true },
		{ dir, true } };
	struct err e = { 0 };

	EXPECT(sandbox_deliverer(places, 2, true, &e) == -1);
	EXPECT(e.kind == ERR_CONFIG);
	EXPECT(strstr(e.text, "/no/such/place") != NULL);
	/* the walls stand all the same */
	EXPECT_REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	EXPECT_REFUSED(open("/etc/passwd", O_RDONLY));
	EXPECT(open(dir, O_RDONLY) >= 0);
}

static void
names_a_directory_that_is_missing(void **state)
{
	(void)state;
	if (landlock_version < 2)
		skip();
	assert_int_equal(in_child(miss_a_directory), 0);
}

/* ---- a login by Kerberos ---- */

static void *
say_yes(void *arg)
{
	*(bool *)arg = socket(AF_INET, SOCK_STREAM, 0) >= 0;
	return NULL;
}

static void
get_tickets(void)
{
	char env[] = "/usr/bin/env", *argv[] = { env, NULL };
	bool reached = false;
	pthread_t thread;
	struct err e = { 0 };

	EXPECT(sandbox_kerberos(&e) == 0);
	EXPECT(open("/etc/passwd", O_RDONLY) >= 0);
	EXPECT(open(in_dir("cache"), O_WRONLY | O_CREAT, 0600) >= 0);
	EXPECT(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
	EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	EXPECT(pthread_create(&thread, NULL, say_yes, &reached) == 0);
	EXPECT(pthread_join(thread, NULL) == 0 && reached);
	EXPECT_REFUSED(execve(env, argv, argv + 1));
	EXPECT_REFUSED(fork());
	EXPECT_REFUSED(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
	EXPECT_REFUSED(kill(getppid(), SIGCONT));
	EXPECT_REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
}

static void
kerberos_runs_nothing_and_signals_nobody(void **state)
{
	(void)state;
	assert_int_equal(in_child(get_tickets), 0);
}

/* ---- a request by HTTPS ---- */

static void
wall_https(void)
{
	const struct sandbox_place places[] = { { dir, false },
		{ "/usr", false } };
	struct err e = { 0 };

	expect_wall(sandbox_https(places, 2, &e), 1, &e);
}

static void
request(void)
{
	bool reached = false;
	pthread_t thread;

	wall_https();
	EXPECT(socket(AF_INET6, SOCK_DGRAM, 0) >= 0 || errno == EAFNOSUPPORT);
	EXPECT(open("/usr/bin/env", O_RDONLY) >= 0);
	EXPECT(pthread_create(&thread, NULL, say_yes, &reached) == 0);
	EXPECT(pthread_join(thread, NULL) == 0 && reached);
}

static void
https_resolves_in_a_thread(void **state)
{
	(void)state;
	assert_int_equal(in_child(request), 0);
}

static void
try_more(void)
{
	char env[] = "/usr/bin/env", *argv[] = { env, NULL };

	wall_https();
	EXPECT_REFUSED(execve(env, argv, argv + 1));
	EXPECT_REFUSED(fork());
	EXPECT_REFUSED(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
	EXPECT_REFUSED(kill(getppid(), SIGCONT));
	EXPECT_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	EXPECT_REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
	if (landlock_version < 1)
		return;
	EXPECT_REFUSED(open("/etc/passwd", O_RDONLY));
	EXPECT_REFUSED(open(in_dir("x"), O_WRONLY | O_CREAT, 0600));
}

static void
https_can_do_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_more), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leaves_no_core),
		TEST(leaves_no_core_and_nothing_to_attach_to),
		TEST(leaves_no_way_to_more_rights),
		TEST(engine_uses_no_path),
		TEST(engine_can_do_its_work),
		TEST(engine_reaches_the_network_and_is_not_reached),
		TEST(engine_answers_at_a_socket_it_was_given),
		TEST(engine_reaches_no_local_socket),
		TEST(engine_makes_no_new_code),
		TEST(engine_dies_of_what_only_an_intruder_tries),
		TEST(engine_may_abort),
		TEST(engine_exits_in_order),
		TEST(deliverer_works_below_its_directories),
		TEST(deliverer_is_kept_out_of_the_rest),
		TEST(deliverer_has_no_network),
		TEST(deliverer_reaches_no_local_socket_if_it_need_not),
		TEST(deliverer_runs_nothing_and_signals_nobody),
		TEST(names_a_directory_that_is_missing),
		TEST(kerberos_runs_nothing_and_signals_nobody),
		TEST(https_resolves_in_a_thread),
		TEST(https_can_do_nothing_else),
	};

	landlock_version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
