/* SPDX-License-Identifier: ISC */
#include "proc/team.h"

#include <stdlib.h>

#include "io/ipc.h"
#include "proc/member.h"
#include "proc/posts.h"
#include "proc/seats.h"
#include "proc/wire.h"
#include "sys/clock.h"
#include "util/mem.h"

#define PACK_MAX (1 << 24) /* octets; more than any configuration */
#define LINK_MS 1000       /* until descriptors are there again */

struct team {
	struct loop *loop; /* not ours */
	struct team_params params;
	const struct team_events *events; /* not ours */
	void *arg;
	struct team_engine *engine;
	struct posts posts;
	struct seats seats;
	struct tunnels *tunnels;
	struct loop_timer *later; /* what cannot be done inside a call */
	unsigned int restarts;    /* of deliverers that are no more */
	bool stopping;
};

/* ---- an account on its way to the engine ---- */

static void
hand_over(struct team *t, struct seat *s)
{
	const struct post *p = s->post;

	team_engine_account(
	    t->engine, s->number, s->stays, p->number, buf_span(&s->account));
	if (s->newer != NULL)
		team_engine_secret(t->engine, s->number, s->newer);
	if (s->pause != 0)
		team_engine_say(t->engine, s->pause, s->number);
	if (s->poll)
		team_engine_say(t->engine, WIRE_POLL, s->number);
	seat_works(s);
}

static void
tell_target(const struct post *p, struct seat *s)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	seat_pack_target(s, &b);
	team_deliverer_target(p->deliverer, buf_span(&b));
	buf_deinit(&b);
	s->told = true;
}

/* As far as it gets now. The deliverer must know the target before the engine
 * asks for it: that comes by another way, and could overtake ours. */
static void
advance(struct team *t, struct seat *s)
{
	const struct post *p = s->post;

	if (s->state != SEAT_WAITING || p->outgrown ||
	    !team_deliverer_ready(p->deliverer))
		return;
	if (!s->told)
		tell_target(p, s);
	if (s->known && p->linked && team_engine_there(t->engine))
		hand_over(t, s);
}

static void
advance_all(struct team *t, const struct post *p)
{
	for (uint32_t i = 0; i < t->seats.n; i++)
		if (t->seats.v[i]->post == p)
			advance(t, t->seats.v[i]);
}

/* ---- deliverers ---- */

static void
link_post(struct team *t, struct post *p)
{
	struct err e;

	if (post_link(p, t->engine, &e) == 0) {
		advance_all(t, p);
		return;
	}
	log_warning("supervisor", "%s", e.text);
	loop_timer_arm(t->later, LINK_MS);
}

/* Of what the engine had, and a process took along. */
static void
tell_lost(struct team *t, const struct seat *s, bool dropped)
{
	if (s->stays && (dropped || t->stopping))
		t->events->gone(t->arg, s->name);
	else if (t->params.restarts)
		t->events->lost(t->arg, s->name);
}

/* The engine still has those accounts, but has heard that they are over. */
static void
forget_seats(struct team *t, const struct post *p)
{
	for (uint32_t i = 0; i < t->seats.n; i++) {
		struct seat *s = t->seats.v[i];
		bool dropped = s->state == SEAT_LEAVING;

		if (s->post == p && seat_forget(s))
			tell_lost(t, s, dropped);
	}
}

static void
free_post(struct team *t, struct post *p)
{
	t->restarts += team_deliverer_restarts(p->deliverer);
	posts_remove(&t->posts, p);
}

static void
on_deliverer_ready(void *arg)
{
	struct post *p = arg;

	link_post(p->owner, p);
}

static void
on_deliverer_known(void *arg, uint32_t number)
{
	struct post *p = arg;
	struct team *t = p->owner;
	struct seat *s = seats_at(&t->seats, number);

	if (s == NULL || s->post != p || !s->told)
		return;
	s->known = true;
	advance(t, s);
}

static void
on_deliverer_ended(void *arg, const struct err *e)
{
	struct post *p = arg;
	struct team *t = p->owner;

	post_unlink(p, t->engine);
	if (e->kind != ERR_NONE) {
		team_engine_lost(t->engine);
		t->events->ended(t->arg, TEAM_DELIVERER,
		    team_deliverer_user(p->deliverer), e);
	}
	forget_seats(t, p);
	if (p->retired)
		free_post(t, p);
}

static const struct team_deliverer_events of_deliverer = { on_deliverer_ready,
	on_deliverer_known, on_deliverer_ended };

/* A daemon's deliverer without an account ends. */
static void
retire(struct team *t, struct post *p)
{
	if (p == NULL || p->retired || !t->params.restarts || t->stopping ||
	    seats_wanted(&t->seats, p))
		return;
	p->retired = true;
	post_unlink(p, t->engine);
	if (team_deliverer_dismiss(p->deliverer))
		return;
	forget_seats(t, p);
	free_post(t, p);
}

static struct post *
new_post(struct team *t, const char *user, struct err *e)
{
	const struct team_deliverer_params params = { .user = user,
		.state_dir = t->params.state_dir,
		.lock_fd = t->params.lock_fd,
		.stderr_fd = t->params.stderr_fd,
		.max_files = t->params.max_files,
		.restarts = t->params.restarts,
		.log_level = t->params.log_level,
		.log_format = t->params.log_format };

	return posts_add(&t->posts, t->loop, t, &params, &of_deliverer, e);
}

/* With all that the account needs. NULL: there is no such user. */
static struct post *
need_post(struct team *t, const struct conf_account *a, struct err *e)
{
	struct post *p = posts_find(&t->posts, a->run_as);

	if (p == NULL)
		p = new_post(t, a->run_as, e);
	if (p == NULL)
		return NULL;
	if (!team_deliverer_expect(p->deliverer, a)) {
		p->outgrown = true;
		loop_timer_arm(t->later, 0);
	}
	if (p->retired) {
		p->retired = false;
		team_deliverer_replace(p->deliverer);
	}
	return p;
}

void
team_expect(struct team *t, const struct conf_account *account)
{
	struct err e;

	(void)need_post(t, account, &e);
}

/* ---- accounts are given ---- */

static int
pack_target(struct buf *b, const struct conf_account *a, struct err *e)
{
	wire_pack_target(b, 0, a);
	if (b->n > IPC_PAYLOAD_MAX)
		return err_set(e, ERR_CONFIG, 0,
		    "the paths and the arguments of mda are longer than %d "
		    "octets",
		    IPC_PAYLOAD_MAX);
	return 0;
}

int
team_account(struct team *t, uint32_t number,
    const struct conf_account *account, const struct secret *secret, bool stays,
    struct err *e)
{
	struct buf packed, target;
	struct stores_pair trust;
	struct post *p = NULL;
	struct seat *s;

	buf_init(&packed, PACK_MAX);
	buf_init(&target, PACK_MAX);
	if (team_engine_trust(t->engine, account, &trust, e) == 0 &&
	    team_engine_pack(t->engine, account, secret, &packed, e) == 0 &&
	    pack_target(&target, account, e) == 0)
		p = need_post(t, account, e);
	if (p == NULL) {
		buf_wipe(&packed);
		buf_deinit(&target);
		return -1;
	}
	s = seats_take(&t->seats, p, number, &target, &packed);
	s->stays = stays;
	s->trust = trust;
	for (int kind = 0; kind < TUNNEL_KINDS; kind++)
		s->tunnel[kind] =
		    tunnel_recipe_new(account, (enum tunnel_kind)kind);
	if (t->stopping) {
		seat_end(s);
		loop_timer_arm(t->later, 0);
	}
	advance(t, s);
	return 0;
}

void
team_reread(struct team *t)
{
	team_engine_reread(t->engine);
}

int
team_trusts(struct team *t, uint32_t number, const struct conf_account *account,
    bool *same, struct err *e)
{
	const struct seat *s = seats_find(&t->seats, number);
	struct stores_pair now;

	*same = true;
	if (s == NULL)
		return 0;
	if (team_engine_trust(t->engine, account, &now, e) != 0)
		return -1;
	*same =
	    now.server == s->trust.server && now.delivery == s->trust.delivery;
	return 0;
}

void
team_secret(struct team *t, uint32_t number, const struct secret *secret)
{
	struct seat *s = seats_find(&t->seats, number);

	if (s == NULL)
		return;
	if (s->state == SEAT_WORKING)
		team_engine_secret(t->engine, s->number, secret);
	if (s->state == SEAT_WAITING) {
		secret_free(&s->newer);
		s->newer = secret_new(secret_span(secret));
	}
}

/* What the engine never had is told of from the loop. */
void
team_drop(struct team *t, uint32_t number)
{
	struct seat *s = seats_find(&t->seats, number);

	if (s == NULL)
		return;
	if (s->state == SEAT_WORKING) {
		team_engine_say(t->engine, WIRE_DROP, s->number);
		s->state = SEAT_LEAVING;
	} else if (s->state == SEAT_WAITING) {
		seat_end(s);
		loop_timer_arm(t->later, 0);
	}
}

void
team_poll(struct team *t, uint32_t number)
{
	struct seat *s = seats_find(&t->seats, number);

	if (s == NULL)
		return;
	if (s->state == SEAT_WORKING)
		team_engine_say(t->engine, WIRE_POLL, s->number);
	else if (s->state == SEAT_WAITING)
		s->poll = true;
}

void
team_pause(struct team *t, uint32_t number, bool paused)
{
	struct seat *s = seats_find(&t->seats, number);
	const uint8_t word = paused ? WIRE_PAUSE : WIRE_RESUME;

	if (s == NULL)
		return;
	if (s->state == SEAT_WORKING)
		team_engine_say(t->engine, word, s->number);
	else if (s->state == SEAT_WAITING)
		s->pause = word;
}

/* ---- what the engine says ---- */

/* It does not come back: its deliverer need not know where its mail went.
 * Who was taken from us is given again, and is spared that. */
static void
leave_for_good(struct seat *s)
{
	const struct post *p = s->post;

	if (s->told && team_deliverer_ready(p->deliverer)) {
		team_deliverer_forget(p->deliverer, s->number);
		s->told = s->known = false;
	}
	seat_leave(s);
}

/* The one that the engine may speak of, or NULL. */
static struct seat *
seat_of(const struct team *t, uint32_t number)
{
	struct seat *s = seats_at(&t->seats, number);

	if (s != NULL && (s->state == SEAT_WORKING || s->state == SEAT_LEAVING))
		return s;
	return NULL;
}

/* The last that is heard of what had to be given up. */
static bool
was_orphan(const struct team *t, uint32_t number, bool stays)
{
	struct seat *s = seats_at(&t->seats, number);

	if (s == NULL || s->state != SEAT_ORPHAN || s->stays != stays)
		return false;
	seat_leave(s);
	return true;
}

static void
on_progress(void *arg, uint32_t number, const struct fetch_progress *progress)
{
	struct team *t = arg;
	const struct seat *s = seat_of(t, number);

	if (s != NULL)
		t->events->progress(t->arg, s->name, progress);
}

static void
on_result(void *arg, uint32_t number, const struct fetch_result *result)
{
	struct team *t = arg;
	struct seat *s = seat_of(t, number);
	struct post *p;

	if (was_orphan(t, number, false) || s == NULL)
		return;
	p = s->post;
	if (!s->stays)
		seat_leave(s);
	t->events->result(t->arg, s->name, result);
	retire(t, p);
}

static void
on_status(void *arg, uint32_t number, const struct status *status)
{
	struct team *t = arg;
	const struct seat *s = seat_of(t, number);

	if (s != NULL)
		t->events->status(t->arg, s->name, status);
}

static void
on_certificate(void *arg, uint32_t number, const struct certificate *c)
{
	struct team *t = arg;
	const struct seat *s = seat_of(t, number);

	if (s != NULL)
		t->events->certificate(t->arg, s->name, c);
}

static void
on_want(void *arg, uint32_t number)
{
	struct team *t = arg;
	const struct seat *s = seat_of(t, number);

	if (s != NULL)
		t->events->want(t->arg, s->name);
}

static void
on_gone(void *arg, uint32_t number)
{
	struct team *t = arg;
	struct seat *s = seat_of(t, number);
	struct post *p;

	if (was_orphan(t, number, true) || s == NULL)
		return;
	p = s->post;
	leave_for_good(s);
	t->events->gone(t->arg, s->name);
	retire(t, p);
}

static void
on_tunnel(void *arg, uint32_t number, uint32_t ticket, enum tunnel_kind kind)
{
	struct team *t = arg;
	const struct seat *s = seat_of(t, number);
	struct err e;
	int fd = -1;

	if (s == NULL || s->tunnel[kind] == NULL)
		tunnels_none(kind, &e);
	else
		fd = tunnels_open(t->tunnels, ticket, s->tunnel[kind], &e);
	if (fd < 0)
		team_engine_tunnel_down(t->engine, ticket, &e);
	else
		team_engine_tunnel_up(t->engine, ticket, fd);
}

static void
on_tunnel_close(void *arg, uint32_t ticket)
{
	struct team *t = arg;

	tunnels_close(t->tunnels, ticket);
}

static void
on_tunnel_ended(void *arg, uint32_t ticket, const struct err *e)
{
	struct team *t = arg;

	team_engine_tunnel_down(t->engine, ticket, e);
}

static void
on_pong(void *arg)
{
	struct team *t = arg;

	t->events->pong(t->arg);
}

static void
link_all(struct team *t)
{
	for (uint32_t i = 0; i < t->posts.n; i++)
		if (t->posts.v[i] != NULL)
			link_post(t, t->posts.v[i]);
}

static void
on_engine_started(void *arg)
{
	link_all(arg);
}

/* What it had stays known to the deliverers, and may come again. */
static void
on_engine_ended(void *arg, const struct err *e)
{
	struct team *t = arg;

	for (uint32_t i = 0; i < t->posts.n; i++)
		if (t->posts.v[i] != NULL)
			t->posts.v[i]->linked = false;
	tunnels_close_all(t->tunnels);
	t->events->ended(t->arg, TEAM_ENGINE, NULL, e);
	for (uint32_t i = 0; i < t->seats.n; i++) {
		struct seat *s = t->seats.v[i];
		enum seat_state was = s->state;

		if (was != SEAT_WORKING && was != SEAT_LEAVING &&
		    was != SEAT_ORPHAN)
			continue;
		seat_leave(s);
		if (was != SEAT_ORPHAN)
			tell_lost(t, s, was == SEAT_LEAVING);
	}
}

static const struct team_engine_events of_engine = { on_engine_started,
	on_progress, on_result, on_status, on_want, on_gone, on_pong, on_tunnel,
	on_tunnel_close, on_engine_ended, NULL, on_certificate };

/* ---- what cannot be done inside a call ---- */

static void
tell_end(struct team *t, struct seat *s)
{
	struct fetch_result result = { .progress.doing = "stopped" };

	err_set(&result.err, ERR_CANCEL, 0, "interrupted");
	leave_for_good(s);
	if (s->stays)
		t->events->gone(t->arg, s->name);
	else
		t->events->result(t->arg, s->name, &result);
}

static void
replace(struct team *t, struct post *p)
{
	p->outgrown = false;
	team_deliverer_replace(p->deliverer);
	post_unlink(p, t->engine);
	forget_seats(t, p);
}

static void
on_later(void *arg)
{
	struct team *t = arg;

	for (uint32_t i = 0; i < t->seats.n; i++) {
		struct seat *s = t->seats.v[i];
		struct post *p = s->post;

		if (s->state != SEAT_ENDING)
			continue;
		tell_end(t, s);
		retire(t, p);
	}
	for (uint32_t i = 0; i < t->posts.n; i++)
		if (t->posts.v[i] != NULL && t->posts.v[i]->outgrown)
			replace(t, t->posts.v[i]);
	link_all(t); /* who could not be before */
}

void
team_probe(struct team *t)
{
	team_engine_probe(t->engine);
}

void
team_ping(struct team *t)
{
	team_engine_ping(t->engine);
}

void
team_kill_engine(struct team *t)
{
	team_engine_kill(t->engine);
}

void
team_log_level(struct team *t, enum log_level level)
{
	t->params.log_level = level;
	team_engine_log_level(t->engine, level);
	for (uint32_t i = 0; i < t->posts.n; i++)
		if (t->posts.v[i] != NULL)
			team_deliverer_log_level(
			    t->posts.v[i]->deliverer, level);
}

void
team_metrics(struct team *t, int fd)
{
	team_engine_metrics(t->engine, fd);
}

unsigned int
team_restarts(const struct team *t, enum team_role role)
{
	unsigned int n = t->restarts;

	if (role == TEAM_ENGINE)
		return team_engine_restarts(t->engine);
	for (uint32_t i = 0; i < t->posts.n; i++)
		if (t->posts.v[i] != NULL)
			n += team_deliverer_restarts(t->posts.v[i]->deliverer);
	return n;
}

/* ---- life ---- */

/* The engine waits for what it gave to a deliverer. */
void
team_stop(struct team *t)
{
	t->stopping = true;
	team_engine_stop(t->engine);
	for (uint32_t i = 0; i < t->posts.n; i++)
		if (t->posts.v[i] != NULL)
			team_deliverer_halt(t->posts.v[i]->deliverer);
	for (uint32_t i = 0; i < t->seats.n; i++)
		if (t->seats.v[i]->state == SEAT_WAITING)
			seat_end(t->seats.v[i]);
	loop_timer_arm(t->later, 0);
}

static int
start_engine(struct team *t, struct err *e)
{
	const struct team_engine_params params = { .user =
						       t->params.engine_user,
		.stderr_fd = t->params.stderr_fd,
		.max_connections_per_host = t->params.max_connections_per_host,
		.progress = t->params.progress,
		.restarts = t->params.restarts,
		.log_level = t->params.log_level,
		.log_format = t->params.log_format };

	t->engine = team_engine_new(t->loop, &params, &of_engine, t, e);
	return t->engine == NULL ? -1 : 0;
}

struct team *
team_new(struct loop *loop, const struct team_params *params,
    const struct team_events *events, void *arg, struct err *e)
{
	struct team *t = mem_new(sizeof(*t));

	t->loop = loop;
	t->params = *params;
	t->events = events;
	t->arg = arg;
	t->later = loop_timer_new(loop, on_later, t);
	t->tunnels = tunnels_new(loop, params->max_files, on_tunnel_ended, t);
	if (start_engine(t, e) != 0)
		team_free(&t);
	return t;
}

/* The engine first, so that nothing new comes to the deliverers; these all
 * flush at a time. It has nothing to save, and leaves them half of the time
 * at least. */
void
team_free(struct team **p)
{
	struct team *t = *p;
	uint64_t ms, deadline;

	if (t == NULL)
		return;
	*p = NULL;
	ms = t->params.end_ms;
	if (ms == 0)
		ms = MEMBER_END_MS;
	deadline = clock_ms() + ms;
	team_engine_free(&t->engine, deadline - ms / 2);
	tunnels_free(&t->tunnels);
	posts_deinit(&t->posts, deadline);
	seats_deinit(&t->seats);
	loop_timer_free(&t->later);
	free(t);
}
