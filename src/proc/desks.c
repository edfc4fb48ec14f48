/* SPDX-License-Identifier: ISC */
#include "proc/desks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "io/digest.h"
#include "io/lull.h"
#include "proc/certificate.h"
#include "proc/wire.h"
#include "proc/wire_fact.h"
#include "sched/account.h"
#include "sched/checkup.h"
#include "sched/keeper.h"
#include "sched/spread.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

#define NUMBER_MAX 10000000
#define FORGET_MS 60000 /* nobody came to take it back */
#define TELL_MS 100     /* what changes often is told so often */
#define QUIET_MS 3000   /* connections have given their buffers back */
#define BUSY_MS 60000

enum work { WORK_FETCH, WORK_KEEP, WORK_SURVEY };

struct desk {
	struct desks *desks; /* not ours */
	const struct fetch_env *env;
	struct conf_account *conf;
	struct secret *secret;
	struct account *account; /* for one fetch, or */
	struct keeper *keeper;   /* for as long as we are, or */
	struct checkup *checkup; /* to see what its server says */
	uint32_t number;
	struct tunnel_way tunnel;   /* to its server, if it has one */
	struct tunnel_way kerberos; /* to who logs in for it, likewise */
	bool changed;               /* its status is to be told */
	enum status_state told;
	struct digest shown;    /* of the certificate that was told last */
	struct digest print;    /* of all that it was given */
	uint64_t detached;      /* ms: since then it has no deliverer */
	TAILQ_ENTRY(desk) link; /* of the detached */
};

struct desks {
	struct desks_params params;
	struct desk **v; /* by number; NULL: none */
	size_t n;
	TAILQ_HEAD(, desk) detached; /* of no number */
	struct loop_timer *tell, *forget;
	struct lull *lull;
	uint64_t began; /* ms; and so many keepers since then: */
	size_t begun;
};

static void
say(struct desks *s, enum wire_type type, struct buf *b)
{
	ipc_send(s->params.supervisor, (uint8_t)type, buf_span(b));
	buf_deinit(b);
}

static void
say_number(struct desks *s, enum wire_type type, uint32_t number)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	say(s, type, &b);
}

static void
say_result(struct desks *s, uint32_t number, const struct fetch_result *result)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	wire_pack_result(&b, result);
	say(s, WIRE_RESULT, &b);
}

/* The accounts are freed before what they borrow. */
static void
free_desk(struct desk *it)
{
	account_free(&it->account);
	keeper_free(&it->keeper);
	checkup_free(&it->checkup);
	wire_free_account(&it->conf);
	secret_free(&it->secret);
	free(it);
}

static void
leave(struct desk *it)
{
	it->desks->v[it->number] = NULL;
	free_desk(it);
}

/* ---- the server's certificate ---- */

static bool
same_print(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void
on_secured(void *arg, const struct conn *conn)
{
	struct desk *it = arg;
	const char *name = it->conf->tls_name;
	struct tls_info info;
	struct certificate c;
	struct digest print;
	struct buf b;

	/* one that is detached has no number to speak of */
	if (it->detached == 0 && conn_tls_info(conn, &info) &&
	    certificate_of(&c, &info, name == NULL ? it->conf->host : name) &&
	    !same_print(certificate_print(&c, &print), &it->shown)) {
		it->shown = print;
		buf_init(&b, IPC_PAYLOAD_MAX);
		pack_u32(&b, it->number);
		certificate_pack(&b, &c);
		say(it->desks, WIRE_CERTIFICATE, &b);
	}
}

/* ---- one fetch ---- */

static void
on_account(void *arg, const struct fetch_result *result)
{
	struct desk *it = arg;
	struct fetch_result told = *result;
	struct desks *s = it->desks;
	uint32_t number = it->number;

	leave(it);
	say_result(s, number, &told);
}

/* ---- one that stays ---- */

static void
log_state(const struct desk *it, const struct status *status)
{
	if (status->state == STATUS_WATCHING)
		log_debug(it->conf->name, "watching (%s)",
		    status_how_name(status->how));
	else
		log_debug(
		    it->conf->name, "%s", status_state_name(status->state));
}

static void
tell_status(struct desk *it)
{
	struct status status;
	struct buf b;

	it->changed = false;
	keeper_status(it->keeper, &status);
	if (status.state != it->told)
		log_state(it, &status);
	it->told = status.state;
	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, it->number);
	wire_pack_status(&b, &status);
	say(it->desks, WIRE_STATUS, &b);
}

static void
on_tell(void *arg)
{
	struct desks *s = arg;

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] != NULL && s->v[i]->changed)
			tell_status(s->v[i]);
}

static void
on_changed(void *arg)
{
	struct desk *it = arg;

	lull_stir(it->desks->lull);
	it->changed = true;
	if (!loop_timer_armed(it->desks->tell))
		loop_timer_arm(it->desks->tell, TELL_MS);
}

/* Who waits for it shall not see an older status behind it. */
static void
on_polled(void *arg, const struct fetch_result *result)
{
	struct desk *it = arg;

	tell_status(it);
	say_result(it->desks, it->number, result);
}

static void
on_want(void *arg)
{
	struct desk *it = arg;

	say_number(it->desks, WIRE_WANT, it->number);
}

static void
on_left(void *arg)
{
	struct desk *it = arg;
	struct desks *s = it->desks;
	uint32_t number = it->number;

	tell_status(it); /* what it has delivered last */
	leave(it);
	say_number(s, WIRE_GONE, number);
}

static const struct keeper_events events = { on_changed, on_polled, on_want,
	on_left };

/* Those of one start begin one after another. */
static uint64_t
start_ms(struct desks *s)
{
	uint64_t now = clock_ms();

	if (now - s->began > 60000)
		s->begun = 0;
	if (s->begun == 0)
		s->began = now;
	s->begun++;
	return spread_start_ms(
	    s->begun - 1, s->begun, clock_jitter(UINT32_MAX));
}

static void
keep(struct desk *it, const struct params *who)
{
	struct desks *s = it->desks;

	it->keeper = keeper_new(&(struct keeper_params){ .env = it->env,
				    .hosts = s->params.hosts,
				    .who = *who,
				    .start_ms = start_ms(s) },
	    &events, it);
	on_changed(it);
}

/* ---- one survey ---- */

static void
on_fact(void *arg, const struct fact *fact)
{
	struct desk *it = arg;
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, it->number);
	wire_pack_fact(&b, fact);
	say(it->desks, WIRE_FACT, &b);
}

static void
on_surveyed(void *arg, const struct err *e)
{
	struct fetch_result result = { .err = *e, .progress.doing = "done" };

	on_account(arg, &result);
}

/* ---- coming ---- */

static bool
have_room(struct desks *s, uint32_t number)
{
	if (number >= NUMBER_MAX)
		return false;
	if (number >= s->n) {
		s->v = mem_grow(s->v, number + 1, sizeof(*s->v));
		while (s->n <= number)
			s->v[s->n++] = NULL;
	}
	return s->v[number] == NULL;
}

static void
say_stopped(struct desks *s, uint32_t number, const struct err *e)
{
	struct status status = { .state = STATUS_STOPPED,
		.err = *e,
		.failing_since = clock_wall_s() };
	struct buf b;

	status.failures[e->kind] = 1;
	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	wire_pack_status(&b, &status);
	say(s, WIRE_STATUS, &b);
}

/* Its certificates cannot be read: that was a fetch, or there is no work. */
static void
refuse(struct desk *it, const struct err *e, bool stays)
{
	struct fetch_result result = { .err = *e, .progress.doing = "failed" };
	struct desks *s = it->desks;
	uint32_t number = it->number;

	leave(it);
	if (!stays) {
		say_result(s, number, &result);
		return;
	}
	say_stopped(s, number, &result.err);
	say_number(s, WIRE_GONE, number);
}

static void
start(struct desk *it, enum work work, uint32_t ca, uint32_t delivery_ca)
{
	struct desks *s = it->desks;
	const struct err *e = NULL;
	struct params who = { .conf = it->conf,
		.tls = cas_get(s->params.cas, ca, &e),
		.delivery_tls = cas_get(s->params.cas, delivery_ca, &e),
		.secured = on_secured,
		.secured_arg = it,
		.secret = it->secret,
		.tunnel = &it->tunnel.tunnel,
		.kerberos = &it->kerberos.tunnel,
		.number = it->number };

	if (e != NULL) {
		refuse(it, e, work == WORK_KEEP);
		return;
	}
	switch (work) {
	case WORK_KEEP:
		keep(it, &who);
		break;
	case WORK_FETCH:
		it->account = account_new(
		    &(struct account_params){
			.env = it->env, .hosts = s->params.hosts, .who = who },
		    on_account, it);
		break;
	case WORK_SURVEY:
		it->checkup =
		    checkup_new(&(struct checkup_params){ .env = it->env,
			.hosts = s->params.hosts,
			.who = who,
			.fact = on_fact,
			.end = on_surveyed,
			.arg = it });
		break;
	}
}

/* ---- without a deliverer ---- */

/* Its sessions may stay, if the account is given again as it was. */
static void
detach(struct desk *it)
{
	struct desks *s = it->desks;

	if (it->keeper == NULL) {
		leave(it);
		return;
	}
	s->v[it->number] = NULL;
	keeper_detach(it->keeper);
	it->changed = false;
	it->detached = clock_ms();
	TAILQ_INSERT_TAIL(&s->detached, it, link);
	if (!loop_timer_armed(s->forget))
		loop_timer_arm(s->forget, FORGET_MS);
}

void
desks_drop_env(struct desks *s, const struct fetch_env *env)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i] == NULL || s->v[i]->env != env)
			continue;
		detach(s->v[i]);
		say_number(s, WIRE_GONE, (uint32_t)i);
	}
}

/* Of the detached, those that have been so for so long. */
static void
forget(struct desks *s, uint64_t ms)
{
	struct desk *it;

	while ((it = TAILQ_FIRST(&s->detached)) != NULL &&
	    clock_ms() - it->detached >= ms) {
		TAILQ_REMOVE(&s->detached, it, link);
		free_desk(it);
	}
}

static void
on_forget(void *arg)
{
	struct desks *s = arg;

	forget(s, FORGET_MS);
	if (!TAILQ_EMPTY(&s->detached))
		loop_timer_arm(s->forget, FORGET_MS);
}

static struct desk *
same_as(const struct desks *s, const struct fetch_env *env,
    const struct digest *print)
{
	struct desk *it;

	TAILQ_FOREACH (it, &s->detached, link)
		if (it->env == env && same_print(&it->print, print))
			return it;
	return NULL;
}

static void
attach(struct desk *it, uint32_t number)
{
	TAILQ_REMOVE(&it->desks->detached, it, link);
	it->detached = 0;
	it->number = it->tunnel.number = it->kerberos.number = number;
	it->desks->v[number] = it;
	keeper_attach(it->keeper, number);
}

static struct digest
print_of(struct span octets)
{
	struct digest_state *d = digest_new();
	struct digest out;

	digest_begin(d);
	digest_add(d, octets);
	digest_end(d, &out);
	digest_free(&d);
	return out;
}

/* ---- coming ---- */

static bool
add_new(struct desks *s, uint32_t number, enum work work,
    const struct fetch_env *env, const struct digest *print, struct unpack *u)
{
	struct desk *it = mem_new(sizeof(*it));
	uint32_t ca = unpack_u32(u);
	uint32_t delivery_ca = unpack_u32(u);

	it->desks = s;
	it->env = env;
	it->number = number;
	tunnel_way_init(
	    &it->tunnel, s->params.tunnels, TUNNEL_TO_SERVER, number);
	tunnel_way_init(
	    &it->kerberos, s->params.tunnels, TUNNEL_TO_KERBEROS, number);
	it->print = *print;
	it->conf = wire_unpack_account(u, &it->secret);
	if (it->conf == NULL || !cas_has(s->params.cas, ca) ||
	    !cas_has(s->params.cas, delivery_ca)) {
		free_desk(it);
		return false;
	}
	s->v[number] = it;
	start(it, work, ca, delivery_ca);
	return true;
}

bool
desks_add(struct desks *s, uint32_t number, bool stays,
    const struct fetch_env *env, struct unpack *u)
{
	struct digest print = print_of(u->rest);
	struct desk *it = stays ? same_as(s, env, &print) : NULL;

	if (!have_room(s, number))
		return false;
	if (it == NULL)
		return add_new(
		    s, number, stays ? WORK_KEEP : WORK_FETCH, env, &print, u);
	attach(it, number);
	return true;
}

bool
desks_survey(struct desks *s, uint32_t number, const struct fetch_env *env,
    struct unpack *u)
{
	const struct digest none = { 0 };

	return have_room(s, number) &&
	    add_new(s, number, WORK_SURVEY, env, &none, u);
}

/* ---- what is said of one ---- */

static struct desk *
of(const struct desks *s, uint32_t number)
{
	return number < s->n ? s->v[number] : NULL;
}

void
desks_secret(struct desks *s, uint32_t number, struct span secret)
{
	struct desk *it = of(s, number);
	struct secret *old, *new = secret_new(secret);

	if (it == NULL || it->keeper == NULL || new == NULL) {
		secret_free(&new);
		return;
	}
	old = it->secret;
	it->secret = new;
	keeper_secret(it->keeper, new);
	secret_free(&old);
}

void
desks_drop(struct desks *s, uint32_t number)
{
	struct desk *it = of(s, number);

	if (it == NULL)
		say_number(s, WIRE_GONE, number);
	else if (it->keeper != NULL)
		keeper_leave(it->keeper);
	else if (it->checkup != NULL)
		checkup_stop(it->checkup);
	else
		account_stop(it->account);
}

void
desks_poll(struct desks *s, uint32_t number)
{
	struct desk *it = of(s, number);

	if (it != NULL && it->keeper != NULL)
		keeper_poll(it->keeper);
}

void
desks_pause(struct desks *s, uint32_t number, bool paused)
{
	struct desk *it = of(s, number);

	if (it == NULL || it->keeper == NULL)
		return;
	if (paused)
		keeper_pause(it->keeper);
	else
		keeper_resume(it->keeper);
}

/* ---- and of all ---- */

void
desks_probe(struct desks *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] != NULL && s->v[i]->keeper != NULL)
			keeper_probe(s->v[i]->keeper);
}

void
desks_stop(struct desks *s)
{
	forget(s, 0);
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] != NULL)
			desks_drop(s, (uint32_t)i);
}

void
desks_progress(struct desks *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct fetch_progress progress;
		struct buf b;

		if (s->v[i] == NULL || s->v[i]->account == NULL)
			continue;
		account_progress(s->v[i]->account, &progress);
		buf_init(&b, IPC_PAYLOAD_MAX);
		pack_u32(&b, s->v[i]->number);
		wire_pack_progress(&b, &progress);
		say(s, WIRE_PROGRESS, &b);
	}
}

/* A session that connects or begins to fetch does not say so. */
void
desks_look(struct desks *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] != NULL && s->v[i]->keeper != NULL &&
		    keeper_state(s->v[i]->keeper) != s->v[i]->told)
			on_changed(s->v[i]);
}

void
desks_each(struct desks *s, desks_fn fn, void *arg)
{
	for (size_t i = 0; i < s->n; i++) {
		struct status status;

		if (s->v[i] == NULL || s->v[i]->keeper == NULL)
			continue;
		keeper_status(s->v[i]->keeper, &status);
		fn(arg, s->v[i]->conf->name, &status);
	}
}

/* ---- life ---- */

/* What thousands of sessions needed while they were busy, and no longer. */
static void
on_lull(void *arg)
{
	(void)arg;
	mem_trim();
}

struct desks *
desks_new(const struct desks_params *params)
{
	struct desks *s = mem_new(sizeof(*s));

	s->params = *params;
	TAILQ_INIT(&s->detached);
	s->tell = loop_timer_new(params->loop, on_tell, s);
	s->forget = loop_timer_new(params->loop, on_forget, s);
	s->lull = lull_new(params->loop, QUIET_MS, BUSY_MS, on_lull, s);
	return s;
}

void
desks_free(struct desks **p)
{
	struct desks *s = *p;

	*p = NULL;
	if (s == NULL)
		return;
	forget(s, 0);
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] != NULL)
			free_desk(s->v[i]);
	free(s->v);
	loop_timer_free(&s->tell);
	loop_timer_free(&s->forget);
	lull_free(&s->lull);
	free(s);
}
