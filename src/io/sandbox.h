/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_SANDBOX_H
#define MAILHAUL_IO_SANDBOX_H

/*
 * Walls around a process, put up after it has opened what it needs. Each
 * returns 0, or -1 with *e saying which wall the kernel does not have; the
 * others then stand all the same.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/err.h"

/* No core dumps, of us and of whom we start: for before there are secrets. */
int sandbox_core(struct err *e);

/* The same, and not readable by ptrace of the same user. Every process with
 * secrets calls this first. */
int sandbox_secrets(struct err *e);

/* no_new_privs: no program that is started gets more rights than we have.
 * Part of the walls below; not for who starts the user's own commands, which
 * may be sudo(8) or setgid. */
int sandbox_privileges(struct err *e);

/* Engine: seccomp allow-list without open, exec, fork or kill; Landlock with
 * no path at all. Sockets of IP, epoll, memory, clocks and writes remain. */
int sandbox_engine(struct err *e);

struct sandbox_place {
	const char *path; /* of a directory and all below it, or of a file */
	bool write;       /* not only to be read */
};

/* Deliverer: no network, no program, no signal to others; with Landlock only
 * these places can be used. local_sockets: it may make some, and reach
 * whoever listens at one. */
int sandbox_deliverer(const struct sandbox_place *places, size_t n,
    bool local_sockets, struct err *e);

/* A login by Kerberos: files as of the user, keys in the kernel, IP, and local
 * sockets of those who keep tickets; no program, no other process. */
int sandbox_kerberos(struct err *e);

/* A request by HTTPS, in a process of its own: threads, IP, and to read these
 * places; no program, no other process, no local socket, no file written. */
int sandbox_https(const struct sandbox_place *places, size_t n, struct err *e);

#endif
