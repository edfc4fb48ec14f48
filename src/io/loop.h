/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_LOOP_H
#define MAILHAUL_IO_LOOP_H

/*
 * The single door to libevent: timers, signals, descriptors, and work put
 * off to the next round. Callbacks come from loop_run() only, never from
 * inside the call that asked for them. Every watch belongs to an object and
 * is freed with it; freeing a watch inside its own callback is fine.
 */

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_fd;
struct loop_signal;

typedef void (*loop_fn)(void *arg);
typedef void (*loop_fd_fn)(void *arg, bool readable, bool writable);
typedef void (*loop_signal_fn)(void *arg, int signo);

struct loop *loop_new(void);
void loop_free(struct loop **loop);
void loop_run(struct loop *loop); /* until loop_stop() or nothing is left */
void loop_stop(struct loop *loop);

/* The struct event_base, for io/dns.c and io/http.c alone. */
void *loop_base(struct loop *loop);

/* A timer that is not armed yet. Arming again moves it; 0 ms is the next
 * round of the loop. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *arg);
void loop_timer_free(struct loop_timer **t);
void loop_timer_arm(struct loop_timer *t, uint64_t ms);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_armed(const struct loop_timer *t);

/* Watches fd, which stays the caller's. Nothing is watched until
 * loop_fd_want(). */
struct loop_fd *loop_fd_new(
    struct loop *loop, int fd, loop_fd_fn fn, void *arg);
void loop_fd_free(struct loop_fd **w);
void loop_fd_want(struct loop_fd *w, bool readable, bool writable);

struct loop_signal *loop_signal_new(
    struct loop *loop, int signo, loop_signal_fn fn, void *arg);
void loop_signal_free(struct loop_signal **s);

#endif
