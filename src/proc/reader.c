/* SPDX-License-Identifier: ISC */
#include "proc/reader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proc/member.h"
#include "proc/spawn.h"
#include "proc/wire.h"
#include "util/mem.h"
#include "util/text.h"

struct reader {
	struct user user;
	enum reader_what what;
	char *path;
	char *host, *login; /* of a netrc; or NULL */
	struct member *member;
	struct loop_timer *limit;
	struct buf answer;
	int silence; /* for its standard error: the log is ours */
	bool whole, much, late;
	reader_fn fn;
	void *arg;
};

static void
on_started(void *arg)
{
	struct reader *r = arg;
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, (uint8_t)r->what);
	pack_str(&b, r->path);
	pack_str(&b, r->host);
	pack_str(&b, r->login);
	ipc_send(member_link(r->member), WIRE_READ, buf_span(&b));
	buf_deinit(&b);
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct reader *r = arg;

	if (packet->type == WIRE_PIECE && !r->whole) {
		if (buf_add(&r->answer, packet->payload) == 0)
			return;
		r->much = true;
	}
	r->whole = packet->type == WIRE_WHOLE;
	(void)member_dismiss(r->member);
	if (!r->whole)
		member_kill(r->member);
}

static void
tell(struct reader *r, const struct err *e)
{
	struct err why;

	if (r->late)
		err_set(&why, ERR_TEMP, 0,
		    "the files of the user %s cannot be read in %d s",
		    r->user.name, READER_MS / 1000);
	else if (r->much)
		err_set(&why, ERR_CONFIG, 0,
		    "the files of the user %s are too long", r->user.name);
	else if (r->whole)
		why = (struct err){ .kind = ERR_NONE };
	else if (e->kind != ERR_NONE)
		why = *e;
	else
		err_set(&why, ERR_TEMP, 0,
		    "the files of the user %s could not be read", r->user.name);
	r->fn(r->arg, r->whole ? buf_span(&r->answer) : SPAN(""),
	    r->whole ? NULL : &why);
}

/* Nothing of it is left when the answer is given. */
static void
on_ended(void *arg, const struct err *e)
{
	struct reader *r = arg;
	struct err copy = *e;

	member_free(&r->member);
	tell(r, &copy);
	reader_free(&r);
}

static void
on_limit(void *arg)
{
	struct reader *r = arg;

	r->late = true;
	r->whole = false;
	member_kill(r->member);
}

static const struct member_events events = { NULL, on_started, on_packet,
	on_ended };

struct reader *
reader_ask(struct loop *loop, const struct user *user, enum reader_what what,
    const char *path, reader_fn fn, void *arg)
{
	struct reader *r = mem_new(sizeof(*r));
	struct member_params params = { .role = SPAWN_READER,
		.user = &r->user,
		.moral = "nothing of his was read" };

	r->user = *user;
	r->silence = params.stderr_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	r->what = what;
	r->path = mem_strdup(path);
	r->fn = fn;
	r->arg = arg;
	buf_init(&r->answer, READER_MAX);
	r->limit = loop_timer_new(loop, on_limit, r);
	loop_timer_arm(r->limit, READER_MS);
	r->member = member_new(loop, &params, &events, r);
	return r;
}

struct reader *
reader_ask_netrc(struct loop *loop, const struct user *user, const char *path,
    const char *host, const char *login, reader_fn fn, void *arg)
{
	struct reader *r = reader_ask(loop, user, READER_NETRC, path, fn, arg);

	r->host = mem_strdup(host); /* it has not been started yet */
	r->login = mem_strdup(login);
	return r;
}

void
reader_free(struct reader **p)
{
	struct reader *r = *p;

	if (r == NULL)
		return;
	*p = NULL;
	if (r->member != NULL)
		member_kill(r->member);
	member_free(&r->member);
	if (r->silence >= 0)
		close(r->silence);
	loop_timer_free(&r->limit);
	buf_wipe(&r->answer);
	free(r->path);
	free(r->host);
	free(r->login);
	free(r);
}

struct secret *
reader_secret_of(struct span answer, struct err *e)
{
	struct unpack u = unpack_of(answer);
	bool good = unpack_u8(&u) != 0;
	struct span it = unpack_span(&u);
	struct secret *secret = NULL;
	char shown[200];

	if (!unpack_ok(&u))
		err_set(e, ERR_CONFIG, 0, "the secret makes no sense");
	else if (!good)
		err_set(e, ERR_CONFIG, 0, "%s",
		    text_printable(shown, sizeof(shown), it));
	else if (it.n == 0 || text_breaks_line(it) ||
	    (secret = secret_new(it)) == NULL)
		err_set(e, ERR_CONFIG, 0, "the secret cannot be used");
	return secret;
}
