/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_IPC_H
#define MAILHAUL_IO_IPC_H

/*
 * Packets with descriptors between our processes, over SOCK_SEQPACKET. A
 * packet is a type octet and a payload; the kernel keeps the boundaries. What
 * cannot be sent at once waits in order. The receiver trusts nothing in it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "util/err.h"
#include "util/span.h"

struct ipc;

#define IPC_PAYLOAD_MAX 32768
#define IPC_FDS_MAX 64

struct ipc_packet {
	uint8_t type;
	struct span payload;  /* borrowed for the call */
	int fds[IPC_FDS_MAX]; /* what the callee keeps it sets to -1; the rest
	                         is closed after the call */
	size_t n_fds;
};

/* packet NULL: the peer is gone (or broke the framing); nothing follows.
 * ipc_free() inside the call is fine. */
typedef void (*ipc_fn)(void *arg, struct ipc_packet *packet);

/* A connected pair, close-on-exec and non-blocking. 0 or -1. */
int ipc_pair(int fds[2], struct err *e);

struct ipc *ipc_new(struct loop *loop, int fd, ipc_fn fn, void *arg);
void ipc_free(struct ipc **ipc); /* closes fd; unsent packets are lost */

/* Sends or queues a packet. The payload is copied if need be. Descriptors
 * are duplicated by the kernel; with close_fds ours are closed once sent.
 * The payload must not be longer than IPC_PAYLOAD_MAX (our bug). */
void ipc_send(struct ipc *ipc, uint8_t type, struct span payload);
void ipc_send_fds(struct ipc *ipc, uint8_t type, struct span payload,
    const int *fds, size_t n, bool close_fds);

size_t ipc_unsent(const struct ipc *ipc); /* packets waiting */

/* Stops and resumes reading, to hold the peer back. */
void ipc_pause(struct ipc *ipc, bool paused);

#endif
