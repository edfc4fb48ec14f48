/* SPDX-License-Identifier: ISC */
#include "proc/login_paste.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/mem.h"

#define PIECE 4096
#define END_OF_FILE 4 /* what the terminal would have seen to */
#define DELETE 127

struct login_paste {
	struct loop_fd *watch;
	struct loop_timer *timer; /* for what cannot be watched: a file */
	struct buf line;
	bool too_long;
	bool terminal;
	struct termios before;
	login_paste_fn fn;
	void *arg;
	bool busy, gone; /* inside fn; and freed there */
};

/* ---- the terminal ---- */

static void
open_terminal(struct login_paste *p)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &p->before) != 0)
		return;
	t = p->before;
	t.c_lflag &= ~(tcflag_t)ICANON;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	p->terminal = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

/* ---- what comes ---- */

static void
destroy(struct login_paste *p)
{
	buf_wipe(&p->line);
	free(p);
}

/* False: p was freed meanwhile. */
static bool
tell(struct login_paste *p, enum login_paste_event event, struct span line)
{
	p->busy = true;
	p->fn(p->arg, event, line);
	p->busy = false;
	if (!p->gone)
		return true;
	destroy(p);
	return false;
}

static void
forget_line(struct login_paste *p)
{
	buf_wipe(&p->line);
	buf_init(&p->line, LOGIN_PASTE_MAX);
	p->too_long = false;
}

static bool
end_line(struct login_paste *p)
{
	struct span line = span_trim(buf_span(&p->line));
	bool here = true;

	if (p->too_long)
		here = tell(p, LOGIN_PASTE_TOO_LONG, SPAN(""));
	else if (line.n > 0)
		here = tell(p, LOGIN_PASTE_LINE, line);
	if (here)
		forget_line(p);
	return here;
}

static void
delete_one(struct login_paste *p)
{
	struct span line = buf_span(&p->line);
	struct buf shorter;

	if (line.n == 0)
		return;
	buf_init(&shorter, LOGIN_PASTE_MAX);
	buf_add(&shorter, span_make(line.p, line.n - 1));
	buf_wipe(&p->line);
	p->line = shorter;
}

static bool
end(struct login_paste *p)
{
	loop_fd_free(&p->watch);
	loop_timer_free(&p->timer);
	if (!end_line(p)) /* the last line needs no newline */
		return false;
	(void)tell(p, LOGIN_PASTE_END, SPAN(""));
	return false;
}

/* False: nothing more is to be taken. */
static bool
take(struct login_paste *p, char c)
{
	if (c == '\n' || c == '\r')
		return end_line(p);
	if (p->terminal && c == END_OF_FILE)
		return end(p);
	if (p->terminal && (c == DELETE || c == '\b'))
		delete_one(p);
	else if (buf_addc(&p->line, c) != 0)
		p->too_long = true;
	return true;
}

static void
read_some(struct login_paste *p)
{
	char piece[PIECE];
	ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));
	bool on = true;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		n = 0;
	else if (n <= 0)
		on = end(p);
	for (ssize_t i = 0; on && i < n; i++)
		on = take(p, piece[i]);
	mem_wipe(piece, sizeof(piece));
	if (on && p->timer != NULL)
		loop_timer_arm(p->timer, 0);
}

static void
on_input(void *arg, bool readable, bool writable)
{
	(void)writable;
	if (readable)
		read_some(arg);
}

static void
on_timer(void *arg)
{
	read_some(arg);
}

/* ---- life ---- */

/* epoll(7) refuses what never waits: files, and devices as /dev/null. */
static bool
can_be_watched(void)
{
	struct stat st;

	return isatty(STDIN_FILENO) ||
	    (fstat(STDIN_FILENO, &st) == 0 &&
		(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)));
}

struct login_paste *
login_paste_new(struct loop *loop, login_paste_fn fn, void *arg)
{
	struct login_paste *p = mem_new(sizeof(*p));

	p->fn = fn;
	p->arg = arg;
	buf_init(&p->line, LOGIN_PASTE_MAX);
	if (isatty(STDIN_FILENO))
		open_terminal(p);
	if (can_be_watched()) {
		p->watch = loop_fd_new(loop, STDIN_FILENO, on_input, p);
		loop_fd_want(p->watch, true, false);
	} else {
		p->timer = loop_timer_new(loop, on_timer, p);
		loop_timer_arm(p->timer, 0);
	}
	return p;
}

void
login_paste_free(struct login_paste **pp)
{
	struct login_paste *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	if (p->terminal)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &p->before);
	loop_fd_free(&p->watch);
	loop_timer_free(&p->timer);
	p->gone = true;
	if (!p->busy)
		destroy(p);
}
