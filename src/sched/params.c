/* SPDX-License-Identifier: ISC */
#include "sched/params.h"

#include <assert.h>

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
static const enum sasl_auth auths[CONF_AUTHS] = {
	[CONF_AUTH_AUTO]               = SASL_AUTO,
	[CONF_AUTH_PLAIN]              = SASL_PLAIN,
	[CONF_AUTH_LOGIN]              = SASL_LOGIN,
	[CONF_AUTH_CRAM_MD5]           = SASL_CRAM_MD5,
	[CONF_AUTH_SCRAM_SHA_1]        = SASL_SCRAM_SHA_1,
	[CONF_AUTH_SCRAM_SHA_1_PLUS]   = SASL_SCRAM_SHA_1_PLUS,
	[CONF_AUTH_SCRAM_SHA_256]      = SASL_SCRAM_SHA_256,
	[CONF_AUTH_SCRAM_SHA_256_PLUS] = SASL_SCRAM_SHA_256_PLUS,
	[CONF_AUTH_EXTERNAL]           = SASL_EXTERNAL,
	[CONF_AUTH_XOAUTH2]            = SASL_XOAUTH2,
	[CONF_AUTH_OAUTHBEARER]        = SASL_OAUTHBEARER,
	[CONF_AUTH_GSSAPI]             = SASL_GSSAPI,
	[CONF_AUTH_APOP]               = SASL_APOP,
};
static const enum lmtp_tls lmtp_tls[] = {
	[CONF_TLS_IMPLICIT] = LMTP_TLS_DONE,
	[CONF_TLS_STARTTLS] = LMTP_TLS_UPGRADE,
	[CONF_TLS_NONE]     = LMTP_TLS_NONE,
};
static const enum dns_family families[] = {
	[CONF_ANY_FAMILY] = DNS_ANY,
	[CONF_IPV4]       = DNS_IPV4,
	[CONF_IPV6]       = DNS_IPV6,
};
static const enum proxy_kind proxies[] = {
	[CONF_NO_PROXY]   = PROXY_NONE,
	[CONF_SOCKS5]     = PROXY_SOCKS5,
	[CONF_HTTP_PROXY] = PROXY_HTTP,
};

/* clang-format on */

/* Who wants a tunnel must not be dialled past it. */
static void
fill_way_there(struct conn_params *out, const struct params *p)
{
	const struct conf_account *c = p->conf;

	assert(c->tunnel.n == 0 || p->tunnel != NULL);
	out->tunnel = c->tunnel.n > 0 ? p->tunnel : NULL;
	out->bind_address = c->bind_address;
	out->family = families[c->address_family];
	out->proxy = (struct proxy_params){ .kind = proxies[c->proxy.kind],
		.host = c->proxy.host,
		.port = c->proxy.port,
		.user = c->proxy.user,
		.password = c->proxy.password };
}

static void
fill_connection(struct conn_params *out, const struct params *p)
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
	fill_way_there(out, p);
	out->secured = p->secured;
	out->secured_arg = p->secured_arg;
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
fill_relay(struct relay_params *r, const struct params *p)
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
fill_delivery(struct fetch_params *f, const struct params *p)
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
fill_stay(struct fetch_stay *s, const struct conf_account *c)
{
	s->on = c->watch == CONF_WATCH_IDLE;
	s->idle = true;
	s->notify = c->notify;
	s->list_status = c->list_status;
	s->renew_s = c->idle_renew_s;
	s->safety_s = c->interval_s;
	s->poll_s = c->poll_s;
}

static bool
has_token(const struct conf_account *c)
{
	return c->secret.oauth2 != NULL || c->secret.token_command.n > 0;
}

static void
fill_imap(struct imap_params *out, const struct params *p)
{
	const struct conf_account *c = p->conf;

	*out = (struct imap_params){ .tls = imap_tls[c->tls],
		.auth = auths[c->auth],
		.user = c->user,
		.secret = p->secret,
		.secret_is_token = has_token(c),
		.has_certificate = c->tls_cert != NULL,
		.host = c->host,
		.port = c->port,
		.kerberos = c->auth == CONF_AUTH_GSSAPI ? p->kerberos : NULL,
		.tunnelled = c->tunnel.n > 0,
		.id = c->id,
		.timeout_s = c->command_timeout_s };
}

static void
fill_pop3(struct pop3_params *out, const struct params *p)
{
	const struct conf_account *c = p->conf;

	*out = (struct pop3_params){ .tls = pop3_tls[c->tls],
		.auth = auths[c->auth],
		.user = c->user,
		.secret = p->secret,
		.secret_is_token = has_token(c),
		.has_certificate = c->tls_cert != NULL,
		.host = c->host,
		.port = c->port,
		.kerberos = c->auth == CONF_AUTH_GSSAPI ? p->kerberos : NULL,
		.capa = c->capa,
		.pipelining = c->pipelining,
		.timeout_s = c->command_timeout_s };
}

void
params_secret(struct fetch_params *f, const struct secret *secret)
{
	f->imap.secret = secret;
	f->pop3.secret = secret;
}

void
params_fill(struct fetch_params *f, const struct params *p)
{
	const struct conf_account *c = p->conf;

	*f = (struct fetch_params){ 0 };
	fill_connection(&f->conn, p);
	f->subject = c->name;
	f->account = p->number;
	f->is_pop3 = c->protocol == CONF_POP3;
	fill_imap(&f->imap, p);
	fill_pop3(&f->pop3, p);
	f->mailboxes = (const char *const *)c->mailboxes.v;
	f->n_mailboxes = c->mailboxes.n;
	f->remove = c->after == CONF_DELETE;
	f->expunge_others = c->expunge_others;
	f->total_timeout_s = c->total_timeout_s;
	fill_delivery(f, p);
	if (p->stays)
		fill_stay(&f->stay, c);
}
