/* SPDX-License-Identifier: ISC */
#include "proc/wire.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_account.h"
#include "conf/conf_list.h"
#include "util/mem.h"

#define LIST_MAX 100000

/* ---- accounts ---- */

static void
pack_list(struct buf *b, const struct conf_list *list)
{
	pack_u32(b, (uint32_t)list->n);
	for (size_t i = 0; i < list->n; i++)
		pack_str(b, list->v[i]);
}

static void
unpack_list(struct unpack *u, struct conf_list *list)
{
	uint32_t n = unpack_u32(u);

	if (n > LIST_MAX)
		u->bad = true;
	if (u->bad)
		n = 0;
	list->v = mem_array(n + 1, sizeof(*list->v));
	for (uint32_t i = 0; i < n && !u->bad; i++)
		list->v[list->n++] = unpack_str(u);
}

/* An absent string and an empty one are the same here. */
static char *
unpack_optional(struct unpack *u)
{
	char *s = unpack_str(u);

	if (s != NULL && *s == '\0') {
		free(s);
		s = NULL;
	}
	return s;
}

/* ---- to the engine: the server ---- */

static void
pack_optional_secret(struct buf *b, const struct secret *s)
{
	pack_span(b, s == NULL ? SPAN("") : secret_span(s));
}

/* Programs are the supervisor's: of a tunnel only that there is one. */
static void
pack_way_there(struct buf *b, const struct conf_account *a)
{
	pack_u8(b, (uint8_t)a->proxy.kind);
	pack_str(b, a->proxy.host);
	pack_u32(b, a->proxy.port);
	pack_str(b, a->proxy.user);
	pack_optional_secret(b, a->proxy.password);
	pack_u8(b, a->tunnel.n > 0);
	pack_str(b, a->bind_address);
	pack_u8(b, (uint8_t)a->address_family);
}

static struct secret *
unpack_optional_secret(struct unpack *u)
{
	struct span s = unpack_span(u);

	return s.n == 0 ? NULL : secret_new(s);
}

static void
unpack_way_there(struct unpack *u, struct conf_account *a)
{
	a->proxy.kind = (enum conf_proxy_kind)unpack_u8(u);
	a->proxy.host = unpack_optional(u);
	a->proxy.port = unpack_u32(u);
	a->proxy.user = unpack_optional(u);
	a->proxy.password = unpack_optional_secret(u);
	if (unpack_u8(u) != 0)
		conf_list_add(&a->tunnel, "");
	a->bind_address = unpack_optional(u);
	a->address_family = (enum conf_family)unpack_u8(u);
	if (a->proxy.kind > CONF_HTTP_PROXY || a->address_family > CONF_IPV6 ||
	    (a->proxy.kind != CONF_NO_PROXY && a->proxy.host == NULL))
		u->bad = true;
}

/* How there are tokens, and certificates of ours, is the supervisor's affair:
 * that there are says how to log in. */
#define GETS_TOKEN 1
#define HAS_CERTIFICATE 2

static void
pack_login(struct buf *b, const struct conf_account *a)
{
	unsigned int has = 0;

	if (a->secret.oauth2 != NULL || a->secret.token_command.n > 0)
		has |= GETS_TOKEN;
	if (a->tls_cert != NULL)
		has |= HAS_CERTIFICATE;
	pack_u8(b, (uint8_t)a->auth);
	pack_u8(b, (uint8_t)has);
}

static void
unpack_login(struct unpack *u, struct conf_account *a)
{
	unsigned int has;

	a->auth = (enum conf_auth)unpack_u8(u);
	has = unpack_u8(u);
	if ((has & GETS_TOKEN) != 0)
		conf_list_add(&a->secret.token_command, "");
	if ((has & HAS_CERTIFICATE) != 0)
		a->tls_cert = mem_strdup("");
	if (a->auth >= CONF_AUTHS || has > (GETS_TOKEN | HAS_CERTIFICATE))
		u->bad = true;
}

static void
pack_source(struct buf *b, const struct conf_account *a)
{
	pack_str(b, a->name);
	pack_u8(b, (uint8_t)a->protocol);
	pack_str(b, a->host);
	pack_u32(b, a->port);
	pack_u8(b, (uint8_t)a->tls);
	pack_str(b, a->tls_name);
	pack_login(b, a);
	pack_way_there(b, a);
	pack_str(b, a->user);
	pack_list(b, &a->mailboxes);
	pack_u8(b, (uint8_t)a->after);
	pack_u8(b, a->expunge_others);
	pack_u32(b, a->connect_timeout_s);
	pack_u32(b, a->tls_timeout_s);
	pack_u32(b, a->command_timeout_s);
	pack_u64(b, a->total_timeout_s);
	pack_u32(b, a->retries);
	pack_u8(b, a->pipelining);
	pack_u8(b, a->capa);
	pack_u8(b, a->id);
	pack_u8(b, (uint8_t)a->watch);
	pack_u64(b, a->interval_s);
	pack_u64(b, a->poll_s);
	pack_u32(b, a->idle_renew_s);
	pack_u32(b, a->max_connections);
	pack_u8(b, a->notify);
	pack_u8(b, a->list_status);
}

static void
unpack_source(struct unpack *u, struct conf_account *a)
{
	a->name = unpack_str(u);
	a->protocol = (enum conf_protocol)unpack_u8(u);
	a->host = unpack_str(u);
	a->port = unpack_u32(u);
	a->tls = (enum conf_tls)unpack_u8(u);
	a->tls_name = unpack_optional(u);
	unpack_login(u, a);
	unpack_way_there(u, a);
	a->user = unpack_str(u);
	unpack_list(u, &a->mailboxes);
	a->after = (enum conf_after)unpack_u8(u);
	a->expunge_others = unpack_u8(u) != 0;
	a->connect_timeout_s = unpack_u32(u);
	a->tls_timeout_s = unpack_u32(u);
	a->command_timeout_s = unpack_u32(u);
	a->total_timeout_s = unpack_u64(u);
	a->retries = unpack_u32(u);
	a->pipelining = unpack_u8(u) != 0;
	a->capa = unpack_u8(u) != 0;
	a->id = unpack_u8(u) != 0;
	a->watch = (enum conf_watch)unpack_u8(u);
	a->interval_s = unpack_u64(u);
	a->poll_s = unpack_u64(u);
	a->idle_renew_s = unpack_u32(u);
	a->max_connections = unpack_u32(u);
	a->notify = unpack_u8(u) != 0;
	a->list_status = unpack_u8(u) != 0;
	if (a->protocol > CONF_POP3 || a->tls > CONF_TLS_NONE ||
	    a->after > CONF_DELETE || a->watch > CONF_WATCH_POLL)
		u->bad = true;
}

/* ---- to the engine: the delivery ---- */

static void
pack_delivery(struct buf *b, const struct conf_account *a)
{
	pack_u8(b, (uint8_t)a->way);
	pack_u8(b, a->maildir_folders);
	pack_u8(b, a->keep_flags);
	pack_u8(b, a->mda_from_line);
	pack_list(b, &a->recipients);
	pack_str(b, a->recipient_header);
	pack_str(b, a->recipient_prefix);
	pack_u8(b, a->trace_received);
	pack_u8(b, a->trace_delivered_to);
	pack_u8(b, a->trace_source);
	pack_u64(b, a->max_size);
	pack_u8(b, (uint8_t)a->oversize);
}

static void
unpack_delivery(struct unpack *u, struct conf_account *a)
{
	a->way = (enum conf_way)unpack_u8(u);
	a->maildir_folders = unpack_u8(u) != 0;
	a->keep_flags = unpack_u8(u) != 0;
	a->mda_from_line = unpack_u8(u) != 0;
	unpack_list(u, &a->recipients);
	a->recipient_header = unpack_optional(u);
	a->recipient_prefix = unpack_optional(u);
	a->trace_received = unpack_u8(u) != 0;
	a->trace_delivered_to = unpack_u8(u) != 0;
	a->trace_source = unpack_u8(u) != 0;
	a->max_size = unpack_u64(u);
	a->oversize = (enum conf_oversize)unpack_u8(u);
	if (a->way > CONF_MBOX || a->oversize > CONF_STUB)
		u->bad = true;
}

static void
pack_relay(struct buf *b, const struct conf_account *a)
{
	pack_u8(b, a->relay.socket != NULL);
	pack_str(b, a->relay.host);
	pack_u32(b, a->relay.port);
	pack_u8(b, (uint8_t)a->delivery_tls);
	pack_str(b, a->delivery_tls_name);
	pack_u32(b, a->delivery_timeout_s);
	pack_u32(b, a->delivery_parallel);
	pack_str(b, a->helo_name);
}

static bool
is_relay(const struct conf_account *a)
{
	return a->way == CONF_LMTP || a->way == CONF_SMTP;
}

static void
unpack_relay(struct unpack *u, struct conf_account *a)
{
	if (unpack_u8(u) != 0)
		a->relay.socket = mem_strdup("");
	a->relay.host = unpack_optional(u);
	a->relay.port = unpack_u32(u);
	a->delivery_tls = (enum conf_tls)unpack_u8(u);
	a->delivery_tls_name = unpack_optional(u);
	a->delivery_timeout_s = unpack_u32(u);
	a->delivery_parallel = unpack_u32(u);
	a->helo_name = unpack_optional(u);
	if (a->delivery_tls > CONF_TLS_NONE ||
	    (is_relay(a) &&
		((a->relay.socket == NULL) == (a->relay.host == NULL) ||
		    a->delivery_parallel == 0)))
		u->bad = true;
}

void
wire_pack_account(
    struct buf *b, const struct conf_account *a, const struct secret *secret)
{
	pack_source(b, a);
	pack_delivery(b, a);
	pack_relay(b, a);
	pack_span(b, secret_span(secret));
}

struct conf_account *
wire_unpack_account(struct unpack *u, struct secret **secret)
{
	struct conf_account *a = mem_new(sizeof(*a));

	unpack_source(u, a);
	unpack_delivery(u, a);
	unpack_relay(u, a);
	*secret = secret_new(unpack_span(u));
	if (unpack_ok(u) && *secret != NULL)
		return a;
	wire_free_account(&a);
	secret_free(secret);
	return NULL;
}

/* ---- to the deliverer ---- */

static struct span
exits_of(const struct conf_account *a)
{
	return span_make((const char *)a->mda_exit, sizeof(a->mda_exit));
}

void
wire_pack_target(struct buf *b, uint32_t number, const struct conf_account *a)
{
	struct conf_list first = a->recipients;

	if (first.n > 1)
		first.n = 1;
	pack_u32(b, number);
	pack_str(b, a->name);
	pack_str(b, a->user);
	pack_u8(b, (uint8_t)a->way);
	pack_str(b, a->maildir);
	pack_u8(b, a->maildir_folders);
	pack_u8(b, a->keep_flags);
	pack_str(b, a->mbox);
	pack_list(b, &a->mda);
	pack_u32(b, a->mda_timeout_s);
	pack_u32(b, a->mda_parallel);
	pack_u8(b, a->mda_from_line);
	pack_u8(b, a->mda_new_privileges);
	pack_span(b, exits_of(a));
	pack_str(b, a->relay.socket);
	pack_list(b, &first);
}

static void
unpack_exits(struct unpack *u, struct conf_account *a)
{
	struct span exits = unpack_span(u);
	size_t i;

	if (exits.n != sizeof(a->mda_exit)) {
		u->bad = true;
		return;
	}
	memcpy(a->mda_exit, exits.p, exits.n);
	for (i = 0; i < exits.n; i++)
		if (a->mda_exit[i] > CONF_EXIT_HOLD)
			u->bad = true;
}

static bool
has_its_target(const struct conf_account *a)
{
	switch (a->way) {
	case CONF_MAILDIR:
		return a->maildir != NULL;
	case CONF_MDA:
		return a->mda.n > 0 && a->mda_parallel > 0;
	case CONF_LMTP:
	case CONF_SMTP:
		return true;
	case CONF_MBOX:
		return a->mbox != NULL;
	}
	return false;
}

struct conf_account *
wire_unpack_target(struct unpack *u, uint32_t *number)
{
	struct conf_account *a = mem_new(sizeof(*a));

	*number = unpack_u32(u);
	a->name = unpack_str(u);
	a->user = unpack_str(u);
	a->way = (enum conf_way)unpack_u8(u);
	a->maildir = unpack_optional(u);
	a->maildir_folders = unpack_u8(u) != 0;
	a->keep_flags = unpack_u8(u) != 0;
	a->mbox = unpack_optional(u);
	unpack_list(u, &a->mda);
	a->mda_timeout_s = unpack_u32(u);
	a->mda_parallel = unpack_u32(u);
	a->mda_from_line = unpack_u8(u) != 0;
	a->mda_new_privileges = unpack_u8(u) != 0;
	unpack_exits(u, a);
	a->relay.socket = unpack_optional(u);
	unpack_list(u, &a->recipients);
	if (!unpack_ok(u) || !has_its_target(a))
		wire_free_account(&a);
	return a;
}

void
wire_free_account(struct conf_account **a)
{
	struct conf_account *it = *a;

	*a = NULL;
	if (it == NULL)
		return;
	conf_account_deinit(it);
	free(it);
}

/* ---- progress and results ---- */

void
wire_pack_progress(struct buf *b, const struct fetch_progress *p)
{
	pack_str(b, p->doing);
	pack_u64(b, p->messages);
	pack_u64(b, p->total);
	pack_u64(b, p->octets);
	pack_u64(b, p->total_octets);
}

void
wire_unpack_progress(struct unpack *u, struct fetch_progress *p)
{
	p->doing = unpack_str(u);
	p->messages = unpack_u64(u);
	p->total = unpack_u64(u);
	p->octets = unpack_u64(u);
	p->total_octets = unpack_u64(u);
}

void
wire_pack_err(struct buf *b, const struct err *e)
{
	pack_u8(b, (uint8_t)e->kind);
	pack_u32(b, (uint32_t)e->sys);
	pack_u32(b, e->after_s);
	pack_str(b, e->text);
}

void
wire_unpack_err(struct unpack *u, struct err *e)
{
	uint8_t kind = unpack_u8(u);
	int sys = (int)unpack_u32(u);
	unsigned int after_s = unpack_u32(u);
	char *text = unpack_str(u);

	if (kind >= ERR_KINDS)
		u->bad = true;
	err_clear(e);
	if (!u->bad && kind != ERR_NONE)
		err_set(e, (enum err_kind)kind, sys, "%s", text);
	e->after_s = after_s;
	free(text);
}

void
wire_pack_status(struct buf *b, const struct status *s)
{
	pack_u8(b, (uint8_t)s->state);
	pack_u8(b, (uint8_t)s->how);
	pack_u32(b, s->sessions);
	pack_u32(b, s->watched);
	pack_u32(b, s->polled);
	pack_u64(b, (uint64_t)s->last_success);
	pack_u64(b, (uint64_t)s->next);
	pack_u64(b, s->delivered);
	pack_u64(b, s->octets);
	pack_u64(b, s->today);
	pack_u64(b, s->held);
	for (size_t i = 0; i < ERR_KINDS; i++)
		pack_u64(b, s->failures[i]);
	pack_u32(b, s->refused);
	pack_u64(b, (uint64_t)s->failing_since);
	wire_pack_err(b, &s->err);
}

void
wire_unpack_status(struct unpack *u, struct status *s)
{
	*s = (struct status){ 0 };
	s->state = (enum status_state)unpack_u8(u);
	s->how = (enum status_how)unpack_u8(u);
	s->sessions = unpack_u32(u);
	s->watched = unpack_u32(u);
	s->polled = unpack_u32(u);
	s->last_success = (int64_t)unpack_u64(u);
	s->next = (int64_t)unpack_u64(u);
	s->delivered = unpack_u64(u);
	s->octets = unpack_u64(u);
	s->today = unpack_u64(u);
	s->held = unpack_u64(u);
	for (size_t i = 0; i < ERR_KINDS; i++)
		s->failures[i] = unpack_u64(u);
	s->refused = unpack_u32(u);
	s->failing_since = (int64_t)unpack_u64(u);
	wire_unpack_err(u, &s->err);
	if (s->state >= STATUS_STATES || s->how > STATUS_NOTIFY)
		u->bad = true;
}

void
wire_pack_result(struct buf *b, const struct fetch_result *r)
{
	wire_pack_err(b, &r->err);
	wire_pack_progress(b, &r->progress);
	pack_u64(b, r->removed);
	pack_u64(b, r->troubles);
}

void
wire_unpack_result(struct unpack *u, struct fetch_result *r)
{
	*r = (struct fetch_result){ 0 };
	wire_unpack_err(u, &r->err);
	wire_unpack_progress(u, &r->progress);
	r->removed = unpack_u64(u);
	r->troubles = unpack_u64(u);
}
