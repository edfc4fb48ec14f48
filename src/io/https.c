/* SPDX-License-Identifier: ISC */
#include "io/https.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/child.h"
#include "io/https_wire.h"
#include "io/own_env.h"
#include "sys/file.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/text.h"

/* The process knows the deadline, too, and has better words for it. */
#define GRACE_MS 3000
#define ERR_OCTETS 400

struct https {
	struct child *child;
	struct loop_timer *timer; /* it could not begin: why */
	struct err why;
	https_fn fn;
	void *arg;
	bool busy; /* inside fn */
};

static void
destroy(struct https *h)
{
	child_free(&h->child);
	loop_timer_free(&h->timer);
	free(h);
}

static void
tell(struct https *h, const struct https_answer *answer, const struct err *e)
{
	h->busy = true;
	h->fn(h->arg, answer, e);
	destroy(h);
}

static void
on_timer(void *arg)
{
	struct https *h = arg;

	tell(h, NULL, &h->why);
}

/* It said nothing that makes sense. What it wrote on its standard error is for
 * whoever looks for the fault. */
static void
blame(const struct child_result *result, struct err *e)
{
	char verdict[80];
	char said[120];

	text_printable(said, sizeof(said), span_trim(result->err));
	if (result->timed_out)
		err_set(e, ERR_NET, 0, "no answer by HTTPS within %u s",
		    (result->timeout_ms - GRACE_MS + 999) / 1000);
	else
		err_set(e, ERR_TEMP, 0, "the process for HTTPS %s%s%s",
		    child_verdict(result, verdict, sizeof(verdict)),
		    said[0] == '\0' ? "" : ": ", said);
}

static void
on_child(void *arg, const struct child_result *result, const struct err *e)
{
	struct https *h = arg;
	struct https_answer answer;
	struct err why;
	int r = -1;

	h->child = NULL;
	if (e != NULL) {
		tell(h, NULL, e);
		return;
	}
	if (!result->timed_out && !result->overflow && result->status == 0)
		r = https_unpack_reply(result->out, &answer, &why);
	if (r < 0)
		blame(result, &why);
	tell(h, r > 0 ? &answer : NULL, r > 0 ? NULL : &why);
}

/* A file in memory: a pipe might not take it all, and nobody else has its
 * name. */
static int
hand_in(struct span request, struct err *e)
{
	int fd = memfd_create("request", MFD_CLOEXEC);

	if (fd >= 0 &&
	    file_write_all(fd, request, "a request by HTTPS", NULL) == 0 &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	err_set(e, ERR_TEMP, errno, "a request by HTTPS: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
begin(struct https *h, struct loop *loop, const struct https_params *p)
{
	static const char *const more[] = { "SSL_CERT_FILE", "SSL_CERT_DIR",
		NULL };
	const char *argv[] = { HTTPS_ROLE, NULL, NULL };
	const char *env[OWN_ENV_MAX];
	struct child_params params = { .argv = argv,
		.program = "/proc/self/exe",
		.env = env,
		.user = p->user,
		.cwd = p->user == NULL ? NULL : "/",
		.out_max = HTTPS_REPLY_MAX,
		.err_max = ERR_OCTETS,
		.timeout_ms = p->timeout_ms + GRACE_MS };
	struct buf request;
	int fd = -1;

	own_env_pick(env, more);
	if (p->user != NULL)
		argv[1] = p->user->name;
	if (https_pack_request(&request, p, &h->why) == 0)
		fd = hand_in(buf_span(&request), &h->why);
	buf_wipe(&request);
	if (fd < 0)
		return -1;
	params.stdin_fd = fd;
	h->child = child_start(loop, &params, on_child, h);
	close(fd);
	return 0;
}

struct https *
https_start(
    struct loop *loop, const struct https_params *p, https_fn fn, void *arg)
{
	struct https *h = mem_new(sizeof(*h));

	h->fn = fn;
	h->arg = arg;
	h->timer = loop_timer_new(loop, on_timer, h);
	if (begin(h, loop, p) != 0)
		loop_timer_arm(h->timer, 0);
	return h;
}

void
https_free(struct https **p)
{
	struct https *h = *p;

	*p = NULL;
	if (h != NULL && !h->busy) /* else tell() does it */
		destroy(h);
}
