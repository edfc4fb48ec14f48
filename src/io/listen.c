/* SPDX-License-Identifier: ISC */
#include "io/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/log.h"
#include "util/mem.h"

#define BACKLOG 64
#define ROUND_PEERS 16 /* per readiness, then others have their turn */
#define PAUSE_MS 100
#define GROUPS_MAX 65536 /* the kernel's own limit */

/* ---- local addresses ---- */

/* Where a local socket stands: an address has room for 107 octets only. A
 * longer path is reached through its directory's descriptor. */
struct place {
	const char *path; /* as the user knows it */
	const char *name; /* the last part of it */
	int dir;
	struct sockaddr_un at;
};

static int
cannot(struct err *e, const char *what, const char *path)
{
	int why = errno;

	return err_set(
	    e, ERR_CONFIG, why, "cannot %s %s: %s", what, path, strerror(why));
}

static int
open_directory(const struct place *p)
{
	size_t n = (size_t)(p->name - p->path);
	char *dir =
	    n == 0 ? mem_strdup(".") : mem_spandup(span_make(p->path, n));
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	free(dir);
	return fd;
}

static bool
fill_address(struct place *p)
{
	size_t size = sizeof(p->at.sun_path);

	p->at.sun_family = AF_UNIX;
	if (strlen(p->path) < size) {
		memcpy(p->at.sun_path, p->path, strlen(p->path) + 1);
		return true;
	}
	return (size_t)snprintf(p->at.sun_path, size, "/proc/self/fd/%d/%s",
		   p->dir, p->name) < size;
}

/* what is for the error. p is to be closed, also after an error. */
static int
find_place(struct place *p, const char *path, const char *what, struct err *e)
{
	const char *slash = strrchr(path, '/');

	*p = (struct place){ .path = path,
		.name = slash == NULL ? path : slash + 1 };
	p->dir = open_directory(p);
	if (p->dir < 0)
		return cannot(e, what, path);
	if (p->name[0] != '\0' && fill_address(p))
		return 0;
	errno = p->name[0] == '\0' ? EISDIR : ENAMETOOLONG;
	return cannot(e, what, path);
}

static void
close_place(struct place *p)
{
	if (p->dir >= 0)
		close(p->dir);
}

static const struct sockaddr *
address(const struct place *p)
{
	return (const struct sockaddr *)&p->at;
}

static int
connect_place(const struct place *p, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int why;

	if (fd < 0 || connect(fd, address(p), sizeof(p->at)) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

int
listen_connect_unix(const char *path, int type, struct err *e)
{
	struct place p;
	int fd = -1;

	if (find_place(&p, path, "connect to", e) == 0) {
		fd = connect_place(&p, type);
		if (fd < 0)
			cannot(e, "connect to", path);
	}
	close_place(&p);
	return fd;
}

/* ---- a local socket ---- */

static int
drop_stale(const struct place *p, int type, struct err *e)
{
	struct stat st;
	int fd;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : cannot(e, "look at", p->path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFIG, EEXIST,
		    "cannot listen at %s: it exists and is no socket", p->path);
	fd = connect_place(p, type);
	if (fd < 0 && errno == ECONNREFUSED)
		return unlinkat(p->dir, p->name, 0) == 0
		    ? 0
		    : cannot(e, "remove the old", p->path);
	/* busy, or of another type: somebody is there */
	if (fd < 0 && errno != EAGAIN && errno != EPROTOTYPE)
		return cannot(e, "try the old", p->path);
	if (fd >= 0)
		close(fd);
	return err_set(e, ERR_TEMP, EADDRINUSE,
	    "cannot listen at %s: another process does", p->path);
}

/* The mode of the descriptor becomes that of the file: nobody but us could
 * connect before all of it is set. */
static int
bind_closed(int fd, const struct place *p, int type, struct err *e)
{
	if (fchmod(fd, 0600) < 0)
		return cannot(e, "listen at", p->path);
	if (bind(fd, address(p), sizeof(p->at)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return cannot(e, "listen at", p->path);
	if (drop_stale(p, type, e) < 0)
		return -1;
	return bind(fd, address(p), sizeof(p->at)) == 0
	    ? 0
	    : cannot(e, "listen at", p->path);
}

static int
open_to(const struct place *p, unsigned int mode, int gid, struct err *e)
{
	if (gid >= 0 &&
	    fchownat(p->dir, p->name, (uid_t)-1, (gid_t)gid,
		AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(e, "set the group of", p->path);
	if (fchmodat(p->dir, p->name, mode, 0) < 0)
		return cannot(e, "set the mode of", p->path);
	return 0;
}

static int
listen_place(
    const struct place *p, unsigned int mode, int gid, int type, struct err *e)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return cannot(e, "listen at", p->path);
	if (bind_closed(fd, p, type, e) < 0) {
		close(fd);
		return -1;
	}
	if (open_to(p, mode, gid, e) == 0) {
		if (listen(fd, BACKLOG) == 0)
			return fd;
		cannot(e, "listen at", p->path);
	}
	unlinkat(p->dir, p->name, 0);
	close(fd);
	return -1;
}

int
listen_unix(
    const char *path, unsigned int mode, int gid, int type, struct err *e)
{
	struct place p;
	int fd = -1;

	if (find_place(&p, path, "listen at", e) == 0)
		fd = listen_place(&p, mode, gid, type, e);
	close_place(&p);
	return fd;
}

/* ---- loopback ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* The length of the address, or 0. */
static socklen_t
parse_loopback(const char *host, unsigned int port, union address *at)
{
	*at = (union address){ 0 };
	if (inet_pton(AF_INET, host, &at->v4.sin_addr) == 1) {
		at->v4.sin_family = AF_INET;
		at->v4.sin_port = htons((uint16_t)port);
		return ntohl(at->v4.sin_addr.s_addr) >> 24 == 127
		    ? sizeof(at->v4)
		    : 0;
	}
	if (inet_pton(AF_INET6, host, &at->v6.sin6_addr) != 1)
		return 0;
	at->v6.sin6_family = AF_INET6;
	at->v6.sin6_port = htons((uint16_t)port);
	return IN6_IS_ADDR_LOOPBACK(&at->v6.sin6_addr) ? sizeof(at->v6) : 0;
}

int
listen_ip(const char *host, unsigned int port, struct err *e)
{
	union address at;
	socklen_t n = parse_loopback(host, port, &at);
	int one = 1, fd, why;

	if (n == 0)
		return err_set(e, ERR_CONFIG, 0,
		    "cannot listen at %s: no address of this machine alone "
		    "(127.0.0.1 or ::1)",
		    host);
	if (port > UINT16_MAX)
		return err_set(e, ERR_CONFIG, 0, "there is no port %u", port);
	fd = socket(
	    at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    bind(fd, &at.any, n) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	why = errno;
	if (fd >= 0)
		close(fd);
	return err_set(e, ERR_CONFIG, why, "cannot listen at %s port %u: %s",
	    host, port, strerror(why));
}

/* ---- those who connect ---- */

struct listener {
	int fd;
	struct loop_fd *watch;
	struct loop_timer *pause;
	listener_fn fn;
	void *arg;
	bool short_of; /* descriptors; it was said */
	bool busy;     /* inside fn */
	bool freed;    /* inside fn, by fn */
};

bool
listen_peer_in_group(const struct listen_peer *peer, gid_t gid)
{
	size_t i;

	if (!peer->known)
		return false;
	for (i = 0; i < peer->n_groups; i++) {
		if (peer->groups[i] == gid)
			return true;
	}
	return peer->gid == gid;
}

/* The groups are to be freed. */
static gid_t *
groups_of(int fd, size_t *count)
{
	socklen_t n = 64 * sizeof(gid_t);
	gid_t *groups = mem_array(64, sizeof(gid_t));
	int r = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n);

	if (r < 0 && errno == ERANGE && n <= GROUPS_MAX * sizeof(gid_t)) {
		groups = mem_grow(groups, n / sizeof(gid_t), sizeof(gid_t));
		r = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n);
	}
	*count = r < 0 ? 0 : n / sizeof(gid_t);
	return groups;
}

static void
hand_on(struct listener *l, int fd)
{
	struct listen_peer peer = { 0 };
	struct ucred who;
	socklen_t n = sizeof(who);
	gid_t *groups = groups_of(fd, &peer.n_groups);

	/* for IP it has no process */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	    who.uid != (uid_t)-1) {
		peer.known = true;
		peer.uid = who.uid;
		peer.gid = who.gid;
		peer.pid = who.pid;
		peer.groups = groups;
	}
	l->busy = true;
	l->fn(l->arg, fd, &peer);
	l->busy = false;
	free(groups);
}

static bool
is_shortage(int why)
{
	return why == EMFILE || why == ENFILE || why == ENOBUFS ||
	    why == ENOMEM;
}

/* It stays readable all the while: without a pause the loop would spin. */
static void
wait_for_descriptors(struct listener *l, int why)
{
	if (!l->short_of)
		log_warning("listen", "cannot take a connection now: %s",
		    strerror(why));
	l->short_of = true;
	loop_fd_want(l->watch, false, false);
	loop_timer_arm(l->pause, PAUSE_MS);
}

static void
on_pause_over(void *arg)
{
	struct listener *l = arg;

	loop_fd_want(l->watch, true, false);
}

static void
destroy(struct listener *l)
{
	loop_fd_free(&l->watch);
	loop_timer_free(&l->pause);
	close(l->fd);
	free(l);
}

static void
on_readable(void *arg, bool readable, bool writable)
{
	struct listener *l = arg;
	unsigned int i;

	(void)readable;
	(void)writable;
	for (i = 0; i < ROUND_PEERS && !l->freed; i++) {
		int fd =
		    accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && is_shortage(errno))
			wait_for_descriptors(l, errno);
		if (fd < 0) /* or the peer is gone again: the next will tell */
			return;
		l->short_of = false;
		hand_on(l, fd);
	}
	if (l->freed)
		destroy(l);
}

struct listener *
listener_new(struct loop *loop, int fd, listener_fn fn, void *arg)
{
	struct listener *l = mem_new(sizeof(*l));

	l->fd = fd;
	l->fn = fn;
	l->arg = arg;
	l->pause = loop_timer_new(loop, on_pause_over, l);
	l->watch = loop_fd_new(loop, fd, on_readable, l);
	loop_fd_want(l->watch, true, false);
	return l;
}

void
listener_free(struct listener **p)
{
	struct listener *l = *p;

	*p = NULL;
	if (l == NULL)
		return;
	if (l->busy)
		l->freed = true;
	else
		destroy(l);
}
