/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_LISTEN_H
#define MAILHAUL_IO_LISTEN_H

/*
 * Sockets that others connect to on this machine: local ones, whose peer the
 * kernel knows, and of IP on loopback only. All are non-blocking and
 * close-on-exec.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "io/loop.h"
#include "util/err.h"

/*
 * A socket of type SOCK_STREAM or SOCK_SEQPACKET at path, with mode and group
 * (gid -1: as it comes). One that nobody listens at any more is replaced;
 * never one that lives, and never a file that is no socket. Two that start at
 * the same moment are kept apart by a lock of the caller's. path may be long.
 * The descriptor, or -1. The caller removes path in the end.
 */
int listen_unix(
    const char *path, unsigned int mode, int gid, int type, struct err *e);

/* host is an address in digits, of 127.0.0.0/8 or ::1: all others are
 * refused. port 0: any. The descriptor, or -1. */
int listen_ip(const char *host, unsigned int port, struct err *e);

/* Connects to what listen_unix() made. The descriptor, or -1 with e->sys
 * ENOENT or ECONNREFUSED when nobody listens. */
int listen_connect_unix(const char *path, int type, struct err *e);

/* Who connected to a local socket, as the kernel says. */
struct listen_peer {
	bool known; /* else none of the rest (a peer by IP) */
	uid_t uid;
	gid_t gid;
	pid_t pid;
	const gid_t *groups; /* supplementary; borrowed for the call */
	size_t n_groups;
};

bool listen_peer_in_group(const struct listen_peer *peer, gid_t gid);

struct listener;

/* fd is the callee's, who closes it. listener_free() inside the call is
 * fine. */
typedef void (*listener_fn)(void *arg, int fd, const struct listen_peer *peer);

/* Takes fd. When no descriptor is left, it tries again after 100 ms. */
struct listener *listener_new(
    struct loop *loop, int fd, listener_fn fn, void *arg);
void listener_free(struct listener **l);

#endif
