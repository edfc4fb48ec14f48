/* SPDX-License-Identifier: ISC */
#include "proc/log_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/log.h"
#include "util/buf.h"
#include "util/mem.h"

#define KEPT_MAX 16384 /* octets of the line that is not yet complete */

struct log_pipe {
	int fds[2];
	struct loop_fd *watch;
	struct buf text;
};

static void
relay_lines(struct log_pipe *p)
{
	struct span all = buf_span(&p->text);
	struct span rest = all;

	while (span_find(rest, '\n') < rest.n)
		log_relay("mailhaul", span_until(&rest, '\n'));
	buf_drop(&p->text, all.n - rest.n);
}

/* False when there is nothing more for now. */
static bool
read_some(struct log_pipe *p)
{
	size_t room;
	char *to = buf_room(&p->text, KEPT_MAX, &room);
	ssize_t n;

	if (room == 0) { /* one endless line */
		log_relay("mailhaul", buf_span(&p->text));
		buf_clear(&p->text);
		return true;
	}
	n = read(p->fds[0], to, room);
	if (n <= 0)
		return false;
	buf_wrote(&p->text, (size_t)n);
	relay_lines(p);
	return true;
}

static void
on_readable(void *arg, bool readable, bool writable)
{
	(void)readable;
	(void)writable;
	(void)read_some(arg);
}

void
log_pipe_drain(struct log_pipe *p)
{
	while (read_some(p))
		;
}

struct log_pipe *
log_pipe_new(struct loop *loop, struct err *e)
{
	struct log_pipe *p;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
		err_set(e, ERR_TEMP, errno, "pipe: %s", strerror(errno));
		return NULL;
	}
	/* they may wait for us, rather than lose a line */
	(void)fcntl(fds[1], F_SETFL, 0);
	p = mem_new(sizeof(*p));
	p->fds[0] = fds[0];
	p->fds[1] = fds[1];
	buf_init(&p->text, KEPT_MAX);
	p->watch = loop_fd_new(loop, fds[0], on_readable, p);
	loop_fd_want(p->watch, true, false);
	return p;
}

void
log_pipe_free(struct log_pipe **pp)
{
	struct log_pipe *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	loop_fd_free(&p->watch);
	close(p->fds[0]);
	close(p->fds[1]);
	buf_deinit(&p->text);
	free(p);
}

int
log_pipe_fd(const struct log_pipe *p)
{
	return p->fds[1];
}
