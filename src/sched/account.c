/* SPDX-License-Identifier: ISC */
#include "sched/account.h"

#include <stdlib.h>

#include "sched/backoff.h"
#include "sched/reaction.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

struct account {
	struct account_params params; /* of what account_new() was given */
	struct fetch_params fetch_params;
	struct hosts_place *place;
	struct loop_timer *timer; /* to the next try, or to the end */
	struct fetch *fetch;
	struct fetch_result sum; /* of the tries that ended */
	unsigned int tries;      /* in a row that brought nothing */
	bool stopped, ended;
	account_fn fn;
	void *arg;
};

/* clang-format off */
static const enum imap_tls imap_tls[] = {
	[CONF_TLS_IMPLICIT] = IMAP_TLS_DONE,
	[CONF_TLS_STARTTLS] = IMAP_TLS_UPGRADE,
	[CONF_TLS_NONE]     = IMAP_TLS_NONE,
};
static const enum pop3_tls pop3_tls[] = {
	[CONF_TLS_IMPLICIT] = POP3_TLS_DONE,
	[CONF_TLS_STARTTLS] = POP3_TLS_UPGRADE,
	[CONF_TLS_NONE]     = POP3_TLS_NONE,
};
static const enum imap_auth imap_auth[] = {
	[CONF_AUTH_AUTO]  = IMAP_AUTH_AUTO,
	[CONF_AUTH_PLAIN] = IMAP_AUTH_PLAIN,
	[CONF_AUTH_LOGIN] = IMAP_AUTH_LOGIN,
};
static const enum pop3_auth pop3_auth[] = {
	[CONF_AUTH_AUTO]  = POP3_AUTH_AUTO,
	[CONF_AUTH_PLAIN] = POP3_AUTH_PLAIN,
	[CONF_AUTH_LOGIN] = POP3_AUTH_LOGIN,
};
static const enum lmtp_tls lmtp_tls[] = {
	[CONF_TLS_IMPLICIT] = LMTP_TLS_DONE,
	[CONF_TLS_STARTTLS] = LMTP_TLS_UPGRADE,
	[CONF_TLS_NONE]     = LMTP_TLS_NONE,
};

/* clang-format on */

static void
fill_connection(struct conn_params *out, const struct account_params *p)
{
	const struct conf_account *c = p->conf;

	out->host = c->host;
	out->port = c->port;
	out->tls = c->tls == CONF_TLS_IMPLICIT;
	out->ctx = p->tls;
	out->tls_name = c->tls_name;
	out->alpn = c->protocol == CONF_POP3 ? "pop3" : "imap";
	out->connect_timeout_ms = c->connect_timeout_s * 1000;
	out->tls_timeout_ms = c->tls_timeout_s * 1000;
}

static bool
is_relayed(const struct conf_account *c)
{
	return c->way == CONF_LMTP || c->way == CONF_SMTP;
}

/* What Received says: "IMAPS" is IMAP over TLS (RFC 3848 has that form). */
static const char *
protocol_word(const struct conf_account *c)
{
	bool tls = c->tls != CONF_TLS_NONE;

	if (c->protocol == CONF_POP3)
		return tls ? "POP3S" : "POP3";
	return tls ? "IMAPS" : "IMAP";
}

/* A server puts Delivered-To there itself, and chooses its own line ends. The
 * recipients of a relay are its own affair, but for that of the header. */
static void
fill_style(struct draft_style *s, const struct conf_account *c)
{
	bool relayed = is_relayed(c);

	*s = (struct draft_style){ .crlf = relayed,
		.mbox = c->way == CONF_MBOX,
		.from_line = c->way == CONF_MBOX ||
		    (c->way == CONF_MDA && c->mda_from_line),
		.envelope = relayed || c->way == CONF_MDA,
		.received = c->trace_received,
		.delivered_to = c->trace_delivered_to && !relayed,
		.source = c->trace_source,
		.host = c->host,
		.protocol = protocol_word(c),
		.account = c->name,
		.user = c->user,
		.recipient_header = c->recipient_header,
		.recipient_prefix = c->recipient_prefix };
	if (!relayed && c->recipients.n > 0)
		s->recipient = c->recipients.v[0];
}

static void
fill_relay(struct relay_params *r, const struct account_params *p)
{
	const struct conf_account *c = p->conf;

	*r = (struct relay_params){ .subject = c->name,
		.account = p->number,
		.local = c->relay.socket != NULL,
		.recipients = (const char *const *)c->recipients.v,
		.n_recipients = c->recipients.n,
		.parallel = c->delivery_parallel,
		.lmtp = { .smtp = c->way == CONF_SMTP,
		    .tls = lmtp_tls[c->delivery_tls],
		    .helo = c->helo_name,
		    .timeout_s = c->delivery_timeout_s } };
	r->conn = (struct conn_params){
		.host = r->local ? "unix" : c->relay.host,
		.port = c->relay.port,
		.tls = c->delivery_tls == CONF_TLS_IMPLICIT,
		.ctx = p->delivery_tls,
		.tls_name = c->delivery_tls_name,
		.connect_timeout_ms = c->connect_timeout_s * 1000,
		.tls_timeout_ms = c->tls_timeout_s * 1000,
	};
}

static void
fill_delivery(struct fetch_params *f, const struct account_params *p)
{
	const struct conf_account *c = p->conf;

	fill_style(&f->style, c);
	f->relays = is_relayed(c);
	if (f->relays)
		fill_relay(&f->relay, p);
	f->folders = c->maildir_folders;
	f->keep_flags = c->keep_flags;
	f->max_size = c->max_size;
	f->stubs = c->oversize == CONF_STUB;
}

static void
fill_params(struct account *a)
{
	const struct conf_account *c = a->params.conf;
	struct fetch_params *f = &a->fetch_params;

	fill_connection(&f->conn, &a->params);
	f->subject = c->name;
	f->account = a->params.number;
	f->is_pop3 = c->protocol == CONF_POP3;
	f->imap = (struct imap_params){ .tls = imap_tls[c->tls],
		.auth = imap_auth[c->auth],
		.user = c->user,
		.secret = a->params.secret,
		.id = c->id,
		.timeout_s = c->command_timeout_s };
	f->pop3 = (struct pop3_params){ .tls = pop3_tls[c->tls],
		.auth = pop3_auth[c->auth],
		.user = c->user,
		.secret = a->params.secret,
		.capa = c->capa,
		.pipelining = c->pipelining,
		.timeout_s = c->command_timeout_s };
	f->mailboxes = (const char *const *)c->mailboxes.v;
	f->n_mailboxes = c->mailboxes.n;
	f->remove = c->after == CONF_DELETE;
	f->expunge_others = c->expunge_others;
	f->total_timeout_s = c->total_timeout_s;
	fill_delivery(f, &a->params);
}

/* ---- try after try ---- */

static void
add_up(struct fetch_progress *sum, const struct fetch_progress *one)
{
	sum->doing = one->doing;
	sum->messages += one->messages;
	sum->total += one->total;
	sum->octets += one->octets;
	sum->total_octets += one->total_octets;
}

static void
end(struct account *a)
{
	a->ended = true;
	hosts_leave(&a->place);
	loop_timer_arm(a->timer, 0);
}

/* A session that got somewhere and was lost is worth another at once; one
 * that could not even log in is for the next run. */
static bool
worth_another(struct account *a, const struct fetch_result *result)
{
	if (a->stopped || result->late)
		return false;
	if (result->progress.messages > 0)
		a->tries = 0;
	if (result->err.kind == ERR_NONE)
		return result->more && result->progress.messages > 0;
	return result->logged_in && reaction_of(result->err.kind)->retry &&
	    a->tries < a->params.conf->retries;
}

static void
on_fetch(void *arg, const struct fetch_result *result)
{
	struct account *a = arg;
	bool again = worth_another(a, result);
	uint32_t ms = 0;

	add_up(&a->sum.progress, &result->progress);
	a->sum.removed += result->removed;
	a->sum.troubles += result->troubles;
	a->sum.logged_in |= result->logged_in;
	a->sum.err = result->err;
	a->fetch_params.suspect = result->suspect;
	fetch_free(&a->fetch);
	if (!again) {
		end(a);
		return;
	}
	hosts_leave(&a->place);
	/* what was to come and did not is counted by the next try */
	a->sum.progress.total = a->sum.progress.messages;
	a->sum.progress.total_octets = a->sum.progress.octets;
	a->sum.progress.doing = "waiting to try again";
	if (result->err.kind != ERR_NONE) {
		ms = backoff_ms(++a->tries, clock_jitter(UINT32_MAX));
		log_warning(a->params.conf->name, "%s; trying again in %.1f s",
		    result->err.text, ms / 1000.0);
	}
	loop_timer_arm(a->timer, ms);
}

static void
on_place(void *arg)
{
	struct account *a = arg;

	a->fetch = fetch_new(a->params.env, &a->fetch_params, on_fetch, a);
}

static void
on_timer(void *arg)
{
	struct account *a = arg;

	if (a->ended)
		a->fn(a->arg, &a->sum);
	else
		a->place = hosts_ask(
		    a->params.hosts, a->params.conf->host, on_place, a);
}

/* ---- life ---- */

struct account *
account_new(const struct account_params *params, account_fn fn, void *arg)
{
	struct account *a = mem_new(sizeof(*a));

	a->params = *params;
	a->fn = fn;
	a->arg = arg;
	a->sum.progress.doing = "waiting";
	fill_params(a);
	a->timer = loop_timer_new(params->env->loop, on_timer, a);
	loop_timer_arm(a->timer, 0);
	return a;
}

void
account_free(struct account **a)
{
	struct account *it = *a;

	*a = NULL;
	if (it == NULL)
		return;
	fetch_free(&it->fetch);
	hosts_leave(&it->place);
	loop_timer_free(&it->timer);
	free(it);
}

void
account_stop(struct account *a)
{
	if (a->stopped || a->ended)
		return;
	a->stopped = true;
	if (a->fetch != NULL) {
		fetch_stop(a->fetch);
		return;
	}
	err_set(&a->sum.err, ERR_CANCEL, 0, "interrupted");
	end(a);
}

void
account_progress(const struct account *a, struct fetch_progress *out)
{
	*out = a->sum.progress;
	if (a->fetch != NULL)
		add_up(out, fetch_progress(a->fetch));
}
