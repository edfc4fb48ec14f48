/* SPDX-License-Identifier: ISC */
#include "proc/wire.h"

#include <stdlib.h>
#include <string.h>

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

void
wire_pack_account(
    struct buf *b, const struct conf_account *a, const struct secret *secret)
{
	pack_str(b, a->name);
	pack_u8(b, (uint8_t)a->protocol);
	pack_str(b, a->host);
	pack_u32(b, a->port);
	pack_u8(b, (uint8_t)a->tls);
	pack_str(b, a->tls_name);
	pack_u8(b, (uint8_t)a->auth);
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
	pack_span(b, secret_span(secret));
}

struct conf_account *
wire_unpack_account(struct unpack *u, struct secret **secret)
{
	struct conf_account *a = mem_new(sizeof(*a));

	a->name = unpack_str(u);
	a->protocol = (enum conf_protocol)unpack_u8(u);
	a->host = unpack_str(u);
	a->port = unpack_u32(u);
	a->tls = (enum conf_tls)unpack_u8(u);
	a->tls_name = unpack_optional(u);
	a->auth = (enum conf_auth)unpack_u8(u);
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
	*secret = secret_new(unpack_span(u));
	if (unpack_ok(u) && *secret != NULL && a->protocol <= CONF_POP3 &&
	    a->tls <= CONF_TLS_NONE && a->auth <= CONF_AUTH_LOGIN &&
	    a->after <= CONF_DELETE)
		return a;
	wire_free_account(&a);
	secret_free(secret);
	return NULL;
}

void
wire_free_account(struct conf_account **a)
{
	struct conf_account *it = *a;

	*a = NULL;
	if (it == NULL)
		return;
	for (size_t i = 0; i < it->mailboxes.n; i++)
		free(it->mailboxes.v[i]);
	free(it->mailboxes.v);
	free(it->name);
	free(it->host);
	free(it->tls_name);
	free(it->user);
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
	pack_str(b, e->text);
}

void
wire_unpack_err(struct unpack *u, struct err *e)
{
	uint8_t kind = unpack_u8(u);
	int sys = (int)unpack_u32(u);
	char *text = unpack_str(u);

	if (kind >= ERR_KINDS)
		u->bad = true;
	err_clear(e);
	if (!u->bad && kind != ERR_NONE)
		err_set(e, (enum err_kind)kind, sys, "%s", text);
	free(text);
}

void
wire_pack_result(struct buf *b, const struct fetch_result *r)
{
	wire_pack_err(b, &r->err);
	wire_pack_progress(b, &r->progress);
	pack_u64(b, r->removed);
}

void
wire_unpack_result(struct unpack *u, struct fetch_result *r)
{
	*r = (struct fetch_result){ 0 };
	wire_unpack_err(u, &r->err);
	wire_unpack_progress(u, &r->progress);
	r->removed = unpack_u64(u);
}
