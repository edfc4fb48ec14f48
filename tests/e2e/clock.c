/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into mailhaul by the tests (clock.py): time runs faster, jumps
 * ahead, or stands still, for all processes alike and while they run.
 * MAILHAUL_TIME is a file with a struct hand, which the test changes.
 *
 * CLOCK_MONOTONIC and its kin run as the hand says; CLOCK_BOOTTIME is further
 * ahead by the time that the machine was suspended; CLOCK_REALTIME follows
 * them if it is told to. Waits with a timeout end by these clocks: they are
 * cut into slices, after each of which the hand is looked at. There is no
 * timerfd.
 *
 * The file is mapped before main(): a process that may open nothing any more
 * still sees what the test does.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL
#define SLICE_NS (10 * 1000000LL)

struct hand {
	_Atomic uint32_t changes; /* odd: it is being changed */
	uint32_t wall_follows;
	double speed;
	int64_t since_ns;     /* a time of the real CLOCK_MONOTONIC, */
	int64_t was_ns;       /* and what ours was at that time */
	int64_t wall_was_ns;  /* how far the wall clock was ahead */
	int64_t suspended_ns; /* how far CLOCK_BOOTTIME is ahead */
};

static const struct hand *shared;

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void
map(void)
{
	const char *path = getenv("MAILHAUL_TIME");
	int fd;
	void *p;

	if (path == NULL)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	p = mmap(NULL, sizeof(*shared), PROT_READ, MAP_SHARED, fd, 0);
	if (fd < 0 || p == MAP_FAILED) {
		perror(path);
		abort(); /* a test would go by another clock than it thinks */
	}
	close(fd);
	shared = p;
}

static struct hand
look(void)
{
	struct hand h;
	uint32_t before;

	do {
		before = atomic_load(&shared->changes);
		h.wall_follows = shared->wall_follows;
		h.speed = shared->speed;
		h.since_ns = shared->since_ns;
		h.was_ns = shared->was_ns;
		h.wall_was_ns = shared->wall_was_ns;
		h.suspended_ns = shared->suspended_ns;
		atomic_thread_fence(memory_order_acquire);
	} while ((before & 1) != 0 || before != atomic_load(&shared->changes));
	return h;
}

static int64_t
ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * NS + t->tv_nsec;
}

static struct timespec
spec_of(int64_t ns)
{
	return (struct timespec){ ns / NS, ns % NS };
}

static int64_t
real_now(clockid_t id)
{
	struct timespec t;

	REAL(clock_gettime)(id, &t);
	return ns_of(&t);
}

static int64_t
passed_since(const struct hand *h, int64_t real)
{
	return (int64_t)((double)(real - h->since_ns) * h->speed);
}

/* Our time of a clock, from the real one. */
static int64_t
ours(clockid_t id, int64_t real)
{
	struct hand h = look();
	int64_t mono = real_now(CLOCK_MONOTONIC);
	int64_t now = h.was_ns + passed_since(&h, mono);

	switch (id) {
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
		return now;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return now + h.suspended_ns;
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		real += h.wall_was_ns;
		if (h.wall_follows)
			real += passed_since(&h, mono) - (mono - h.since_ns);
		return real;
	default:
		return real;
	}
}

int
clock_gettime(clockid_t id, struct timespec *t)
{
	int result = REAL(clock_gettime)(id, t);

	if (shared != NULL && result == 0)
		*t = spec_of(ours(id, ns_of(t)));
	return result;
}

time_t
time(time_t *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (t != NULL)
		*t = now.tv_sec;
	return now.tv_sec;
}

int
gettimeofday(struct timeval *t, void *zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*t = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}

/* ---- waits, in slices ---- */

struct wait {
	clockid_t id;
	int64_t end; /* by our clock; INT64_MAX: never */
};

static struct wait
wait_for(int64_t ns)
{
	struct wait w = { CLOCK_MONOTONIC, INT64_MAX };

	if (ns >= 0)
		w.end = ours(w.id, real_now(w.id)) + ns;
	return w;
}

/* So long, in real time, may be waited before the next look; 0: it is over. */
static int64_t
slice(const struct wait *w)
{
	int64_t left = w->end - ours(w->id, real_now(w->id));
	double speed = look().speed;

	if (left <= 0)
		return 0;
	if ((double)left < SLICE_NS * speed)
		return (int64_t)((double)left / speed) + 1;
	return SLICE_NS;
}

static int
up_to_ms(int64_t ns)
{
	return (int)((ns + 999999) / 1000000);
}

/* call waits at most ms and returns 0 when nothing came. */
#define SLICED(w, ms, call)                                                    \
	for (;;) {                                                             \
		int ms = up_to_ms(slice(&w));                                  \
		int n_ = (call);                                               \
		if (n_ != 0 || ms == 0)                                        \
			return n_;                                             \
	}

int
epoll_pwait(int fd, struct epoll_event *e, int n, int ms, const sigset_t *set)
{
	struct wait w;

	if (shared == NULL || ms <= 0)
		return REAL(epoll_pwait)(fd, e, n, ms, set);
	w = wait_for(ms * 1000000LL);
	SLICED(w, part, REAL(epoll_pwait)(fd, e, n, part, set))
}

int
epoll_wait(int fd, struct epoll_event *e, int n, int ms)
{
	return epoll_pwait(fd, e, n, ms, NULL);
}

int
epoll_pwait2(int fd, struct epoll_event *e, int n, const struct timespec *t,
    const sigset_t *set)
{
	struct wait w;

	if (shared == NULL || t == NULL || ns_of(t) == 0)
		return REAL(epoll_pwait2)(fd, e, n, t, set);
	w = wait_for(ns_of(t));
	SLICED(w, part, REAL(epoll_pwait)(fd, e, n, part, set))
}

int
ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *set)
{
	struct timespec at;
	struct wait w;

	if (shared == NULL || t == NULL || ns_of(t) == 0)
		return REAL(ppoll)(p, n, t, set);
	w = wait_for(ns_of(t));
	SLICED(w, part,
	    (at = spec_of(part * 1000000LL), REAL(ppoll)(p, n, &at, set)))
}

int
poll(struct pollfd *p, nfds_t n, int ms)
{
	struct wait w;

	if (shared == NULL || ms <= 0)
		return REAL(poll)(p, n, ms);
	w = wait_for(ms * 1000000LL);
	SLICED(w, part, REAL(poll)(p, n, part))
}

/* What poll() is called when the compiler knows how large the array is. */
int
__poll_chk(struct pollfd *p, nfds_t n, int ms, size_t size)
{
	if (size / sizeof(*p) < n)
		abort();
	return poll(p, n, ms);
}

/* By which clock a condition waits is not told; the times are far apart. */
int
pthread_cond_timedwait(
    pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	struct wait w = { CLOCK_MONOTONIC, ns_of(until) };

	if (shared == NULL)
		return REAL(pthread_cond_timedwait)(cond, mutex, until);
	if (w.end - ours(w.id, real_now(w.id)) > 5 * 365 * 86400 * NS)
		w.id = CLOCK_REALTIME;
	for (;;) {
		int64_t part = slice(&w);
		struct timespec t = spec_of(real_now(w.id) + part);
		int n = REAL(pthread_cond_timedwait)(cond, mutex, &t);

		if (n != ETIMEDOUT || part == 0)
			return n;
	}
}

int
clock_nanosleep(
    clockid_t id, int flags, const struct timespec *t, struct timespec *rest)
{
	struct wait w = { id, ns_of(t) };

	if (shared == NULL)
		return REAL(clock_nanosleep)(id, flags, t, rest);
	if ((flags & TIMER_ABSTIME) == 0)
		w.end += ours(id, real_now(id));
	for (;;) {
		int64_t part = slice(&w);
		struct timespec at = spec_of(part);
		int n = part == 0
		    ? 0
		    : REAL(clock_nanosleep)(CLOCK_MONOTONIC, 0, &at, NULL);

		if (n == EINTR && rest != NULL && (flags & TIMER_ABSTIME) == 0)
			*rest = spec_of(w.end - ours(id, real_now(id)));
		if (n != 0 || part == 0)
			return n;
	}
}

int
nanosleep(const struct timespec *t, struct timespec *rest)
{
	int n = clock_nanosleep(CLOCK_MONOTONIC, 0, t, rest);

	if (n != 0)
		errno = n;
	return n == 0 ? 0 : -1;
}

int
usleep(useconds_t us)
{
	struct timespec t = spec_of(us * 1000LL);

	return nanosleep(&t, NULL);
}

unsigned int
sleep(unsigned int s)
{
	struct timespec t = { s, 0 };
	struct timespec rest = { 0, 0 };

	return nanosleep(&t, &rest) == 0 ? 0 : (unsigned int)rest.tv_sec + 1;
}

/* Nobody could look at the hand while such a timer waits: who asks for it
 * (libevent) has to do with a timeout. */
int
timerfd_create(int id, int flags)
{
	if (shared == NULL)
		return REAL(timerfd_create)(id, flags);
	errno = ENOSYS;
	return -1;
}
