/* SPDX-License-Identifier: ISC */
#include "io/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#if UNDER_ASAN
/* The search for leaks at the end attaches to us like a debugger: behind the
 * walls it cannot, and would call that a failure. */
static bool walled;

int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return walled;
}
#endif

static void
note_wall(void)
{
#if UNDER_ASAN
	walled = true;
#endif
}

static int
no_wall(struct err *e, const char *what, int why)
{
	return err_set(
	    e, ERR_CONFIG, why, "no sandbox by %s: %s", what, strerror(why));
}

/* Both walls were tried; the words of both reach the log. */
static int
both(int first, int second, struct err *e, const struct err *of_second)
{
	if (second < 0 && first < 0)
		return err_prefix(e, "%s", of_second->text);
	if (second < 0 && e != NULL)
		*e = *of_second;
	return first < 0 || second < 0 ? -1 : 0;
}

/* ---- secrets ---- */

int
sandbox_core(struct err *e)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return no_wall(e, "RLIMIT_CORE", errno);
	return 0;
}

int
sandbox_secrets(struct err *e)
{
	note_wall();
	if (sandbox_core(e) != 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return no_wall(e, "PR_SET_DUMPABLE", errno);
	return 0;
}

int
sandbox_privileges(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return no_wall(e, "no_new_privs", errno);
	return 0;
}

/* ---- Landlock ---- */

/* Newer than some headers. */
#define RIGHT_REFER (UINT64_C(1) << 13) /* rename to another directory */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15)

/* To read, and to read and change; never to run, or to make what is neither
 * a directory nor a regular file. */
#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_RIGHTS                                                           \
	(READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE |                         \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |   \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |        \
	    RIGHT_REFER | RIGHT_TRUNCATE)

/* What can be done with a file that is no directory. */
#define FILE_RIGHTS                                                            \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |          \
	    LANDLOCK_ACCESS_FS_READ_FILE | RIGHT_TRUNCATE | RIGHT_IOCTL_DEV)

/* The version of the kernel's Landlock, or -1. */
static int
landlock_version(int at_least, struct err *e)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	if (v < 0)
		return no_wall(e, "Landlock", errno);
	if (v < at_least)
		return err_set(e, ERR_CONFIG, 0,
		    "no sandbox by Landlock: the kernel's version %ld of it is "
		    "too old",
		    v);
	return (int)v;
}

static uint64_t
rights_of(int version)
{
	uint64_t rights = RIGHT_REFER - 1; /* the first thirteen */

	if (version >= 2)
		rights |= RIGHT_REFER;
	if (version >= 3)
		rights |= RIGHT_TRUNCATE;
	if (version >= 5)
		rights |= RIGHT_IOCTL_DEV;
	return rights;
}

/* rights: what the kernel knows of. */
static int
allow(int ruleset, uint64_t rights, const struct sandbox_place *place,
    struct err *e)
{
	struct landlock_path_beneath_attr below = { .allowed_access = rights &
		    (place->write ? WRITE_RIGHTS : READ_RIGHTS) };
	struct stat st;
	int r = -1;

	below.parent_fd = open(place->path, O_PATH | O_CLOEXEC);
	if (below.parent_fd >= 0 && fstat(below.parent_fd, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			below.allowed_access &= FILE_RIGHTS;
		r = (int)syscall(SYS_landlock_add_rule, ruleset,
		    LANDLOCK_RULE_PATH_BENEATH, &below, 0);
	}
	if (r < 0)
		err_set(e, ERR_CONFIG, errno, "Landlock cannot allow %s: %s",
		    place->path, strerror(errno));
	if (below.parent_fd >= 0)
		close(below.parent_fd);
	return r;
}

/* Only these places remain, of those that exist. */
static int
landlock(
    const struct sandbox_place *places, size_t n, int at_least, struct err *e)
{
	struct landlock_ruleset_attr attr = { 0 };
	int version = landlock_version(at_least, e), ruleset, r = 0;
	size_t i;

	if (version < 0)
		return -1;
	attr.handled_access_fs = rights_of(version);
	ruleset =
	    (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return no_wall(e, "Landlock", errno);
	for (i = 0; i < n; i++) {
		if (allow(ruleset, attr.handled_access_fs, &places[i], e) < 0)
			r = -1;
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = no_wall(e, "Landlock", errno);
	close(ruleset);
	return r;
}

/* ---- seccomp ---- */

/* One filter while it is built: the first thing that goes wrong is kept. */
struct filter {
	scmp_filter_ctx ctx;
	int why; /* negative errno, as the library has it */
};

/* clang-format off */
static const int engine_calls[] = {
	/* descriptors it has; fcntl() has conditions */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write),
	SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev),
	SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
	/* waiting */
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime), SCMP_SYS(eventfd2), SCMP_SYS(pipe2),
	/* the network; socket() itself has conditions */
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
	SCMP_SYS(shutdown),
	/* at a socket that was made for it: listen() is not here */
	SCMP_SYS(accept4),
	/* memory; mmap() and mprotect() have conditions */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(sched_yield), SCMP_SYS(membarrier),
	/* clocks and chance */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	/* signals and the end */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* harmless questions */
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(getrusage), SCMP_SYS(getrlimit),
	SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(sched_getaffinity),
};

/* No library of ours tries these: only an intruder does. */
static const int deadly_calls[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
};

/* Deadly too, but that AddressSanitizer makes some at the end. */
static const int forking_calls[] = {
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3),
};

/* kill() has conditions */
static const int denied_to_deliverer[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(tkill),
	SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_send_signal), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
	SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick),
	SCMP_SYS(mount_setattr), SCMP_SYS(unshare), SCMP_SYS(setns),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd), SCMP_SYS(init_module), SCMP_SYS(finit_module),
	SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime),
	/* its operations would pass by the rules for socket() */
	SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
};

/* There may be tickets in the kernel's keyrings, which is for Kerberos alone. */
static const int keyring_calls[] = {
	SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
};

/* clang-format on */

static void
rule(struct filter *f, uint32_t action, int call)
{
	if (f->why == 0)
		f->why = seccomp_rule_add(f->ctx, action, call, 0);
}

static void
rules(struct filter *f, uint32_t action, const int *calls, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		rule(f, action, calls[i]);
}

/* Where an argument of the call compares to datum so. The comparison has 64
 * bits, also where the kernel looks at 32: what is allowed, is allowed by
 * equality, so that strange upper bits get nobody anywhere. */
static void
rule_if(struct filter *f, uint32_t action, int call, unsigned int argument,
    enum scmp_compare op, scmp_datum_t datum)
{
	/* SCMP_CMP_MASKED_EQ: datum is the mask, and these bits must be 0 */
	struct scmp_arg_cmp condition = { argument, op, datum, 0 };

	if (f->why == 0)
		f->why =
		    seccomp_rule_add_array(f->ctx, action, call, 1, &condition);
}

static void
allow_each(struct filter *f, int call, unsigned int argument, const int *values,
    size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		rule_if(f, SCMP_ACT_ALLOW, call, argument, SCMP_CMP_EQ,
		    (scmp_datum_t)values[i]);
}

/* Mail is fetched by IP. A local socket would reach whatever else runs for
 * this user (an agent, D-Bus, systemd), and Landlock does not look at
 * connect(): only what is connected already can be used. Local and routing
 * sockets are tried by the C library and only fail, as do the dead families
 * below; raw packets and what the kernel has besides are deadly. */
static void
socket_rules(struct filter *f)
{
	static const int families[] = { AF_INET, AF_INET6 };

	allow_each(f, SCMP_SYS(socket), 0, families, COUNT(families));
	rule_if(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 0, SCMP_CMP_GT,
	    AF_NETLINK);
}

/* Others of its commands send signals to any process of the same user. */
static void
fcntl_rules(struct filter *f)
{
	static const int commands[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL,
		F_DUPFD, F_DUPFD_CLOEXEC };

	allow_each(f, SCMP_SYS(fcntl), 1, commands, COUNT(commands));
}

static void
memory_rules(struct filter *f)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2),
		SCMP_SYS(mprotect) };
	size_t i;

	for (i = 0; i < COUNT(calls); i++)
		rule_if(f, SCMP_ACT_ALLOW, calls[i], 2, SCMP_CMP_MASKED_EQ,
		    PROT_EXEC);
}

/* abort() signals ourselves; nobody else is to be signalled. */
static void
signal_rules(struct filter *f)
{
	scmp_datum_t self = (scmp_datum_t)getpid();

	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0, SCMP_CMP_EQ, self);
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(kill), 0, SCMP_CMP_EQ, self);
	rule_if(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(kill), 0, SCMP_CMP_NE, self);
}

static void
engine_rules(struct filter *f)
{
	rules(f, SCMP_ACT_ALLOW, engine_calls, COUNT(engine_calls));
	rules(f, SCMP_ACT_KILL_PROCESS, deadly_calls, COUNT(deadly_calls));
	if (!UNDER_ASAN)
		rules(f, SCMP_ACT_KILL_PROCESS, forking_calls,
		    COUNT(forking_calls));
	socket_rules(f);
	fcntl_rules(f);
	memory_rules(f);
	signal_rules(f);
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_CMP_EQ, FIONREAD);
	rule_if(
	    f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 0, SCMP_CMP_EQ, PR_SET_NAME);
	/* fstat() of some C libraries; of a path it tells size and dates at
	 * most */
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 3, SCMP_CMP_EQ,
	    AT_EMPTY_PATH);
}

/* Whether a process lives may be asked (signal 0): a dotlock names one. */
static void
refuse_signals(struct filter *f, uint32_t refuse)
{
	scmp_datum_t self = (scmp_datum_t)getpid();
	const struct scmp_arg_cmp other[] = { { 0, SCMP_CMP_NE, self, 0 },
		{ 1, SCMP_CMP_NE, 0, 0 } };

	if (f->why == 0)
		f->why = seccomp_rule_add_array(
		    f->ctx, refuse, SCMP_SYS(kill), COUNT(other), other);
	rule_if(f, refuse, SCMP_SYS(tgkill), 0, SCMP_CMP_NE, self);
}

static void
deliverer_rules(struct filter *f)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);

	rules(f, refuse, denied_to_deliverer, COUNT(denied_to_deliverer));
	rules(f, refuse, keyring_calls, COUNT(keyring_calls));
	rule_if(f, refuse, SCMP_SYS(socket), 0, SCMP_CMP_NE, AF_UNIX);
	refuse_signals(f, refuse);
}

/* A bus, or an agent, would do for it what it may not. */
static void
lonely_deliverer_rules(struct filter *f)
{
	deliverer_rules(f);
	rule_if(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 0, SCMP_CMP_EQ,
	    AF_UNIX);
}

/* A client of the network: threads, but no process; the newer call cannot be
 * looked into, and libraries fall back. */
static void
kerberos_rules(struct filter *f)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);

	rules(f, refuse, denied_to_deliverer, COUNT(denied_to_deliverer));
	rule(f, refuse, SCMP_SYS(fork));
	rule(f, refuse, SCMP_SYS(vfork));
	rule(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
	rule_if(
	    f, refuse, SCMP_SYS(clone), 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD);
	rule_if(f, refuse, SCMP_SYS(socket), 0, SCMP_CMP_GT, AF_NETLINK);
	rule(f, refuse, SCMP_SYS(listen));
	refuse_signals(f, refuse);
}

/* libcurl resolves names in a thread, and the C library loads what it needs for
 * that. */
static void
https_rules(struct filter *f)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
	static const int dead[] = { AF_UNIX, AF_NETLINK };

	kerberos_rules(f);
	rules(f, refuse, keyring_calls, COUNT(keyring_calls));
	for (size_t i = 0; i < COUNT(dead); i++)
		rule_if(f, refuse, SCMP_SYS(socket), 0, SCMP_CMP_EQ,
		    (scmp_datum_t)dead[i]);
}

static int
filter_calls(
    uint32_t otherwise, void (*add_rules)(struct filter *f), struct err *e)
{
	struct filter f = { .ctx = seccomp_init(otherwise) };

	if (f.ctx == NULL)
		return no_wall(e, "seccomp", ENOMEM);
	add_rules(&f);
	if (f.why == 0)
		f.why = seccomp_load(f.ctx);
	seccomp_release(f.ctx);
	return f.why == 0 ? 0 : no_wall(e, "seccomp", -f.why);
}

/* ---- the processes ---- */

/* Landlock first: the filter does not let its calls pass. */
int
sandbox_engine(struct err *e)
{
	struct err of_filter;
	int paths, calls;

	note_wall();
	if (sandbox_privileges(e) < 0)
		return -1;
	paths = landlock(NULL, 0, 1, e);
	calls = filter_calls(SCMP_ACT_ERRNO(EPERM), engine_rules, &of_filter);
	return both(paths, calls, e, &of_filter);
}

int
sandbox_deliverer(const struct sandbox_place *places, size_t n,
    bool local_sockets, struct err *e)
{
	struct err of_filter;
	int paths, calls;

	note_wall();
	if (sandbox_privileges(e) < 0)
		return -1;
	/* the first version could not rename from tmp to new */
	paths = landlock(places, n, 2, e);
	calls = filter_calls(SCMP_ACT_ALLOW,
	    local_sockets ? deliverer_rules : lonely_deliverer_rules,
	    &of_filter);
	return both(paths, calls, e, &of_filter);
}

int
sandbox_https(const struct sandbox_place *places, size_t n, struct err *e)
{
	struct err of_filter;
	int paths, calls;

	note_wall();
	if (sandbox_privileges(e) < 0)
		return -1;
	paths = landlock(places, n, 1, e);
	calls = filter_calls(SCMP_ACT_ALLOW, https_rules, &of_filter);
	return both(paths, calls, e, &of_filter);
}

int
sandbox_kerberos(struct err *e)
{
	note_wall();
	if (sandbox_privileges(e) < 0)
		return -1;
	return filter_calls(SCMP_ACT_ALLOW, kerberos_rules, e);
}
