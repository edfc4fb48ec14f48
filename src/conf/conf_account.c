/* SPDX-License-Identifier: ISC */
#include "conf/conf_account.h"

#include <stdlib.h>

#include "conf/conf_list.h"

/* What procmail, maildrop, dovecot-lda and the system itself end with when
 * another try may help: EX_OSERR, EX_CANTCREAT, EX_IOERR, EX_TEMPFAIL. */
static void
init_exit(uint8_t exit[256])
{
	size_t i;

	for (i = 0; i < 256; i++)
		exit[i] = CONF_EXIT_HOLD;
	exit[0] = CONF_EXIT_ACCEPT;
	exit[71] = exit[73] = exit[74] = exit[75] = CONF_EXIT_LATER;
}

void
conf_account_init(struct conf_account *a)
{
	*a = (struct conf_account){
		.protocol = CONF_IMAP,
		.tls = CONF_TLS_IMPLICIT,
		.auth = CONF_AUTH_AUTO,
		.tls_warn_s = 14 * 86400,
		.watch = CONF_WATCH_IDLE,
		.after = CONF_KEEP,
		.connect_timeout_s = 30,
		.tls_timeout_s = 30,
		.command_timeout_s = 300,
		.retries = 3,
		.idle_renew_s = 540,
		.max_connections = 5,
		.notify = true,
		.list_status = true,
		.pipelining = true,
		.capa = true,
		.id = true,
		.mda_timeout_s = 300,
		.mda_parallel = 1,
		.delivery_parallel = 1,
		.trace_received = true,
		.trace_delivered_to = true,
		.trace_source = true,
		.delivery_tls = CONF_TLS_AUTO,
		.delivery_timeout_s = 300,
	};
	init_exit(a->mda_exit);
}

void
conf_oauth2_free(struct conf_oauth2 **p)
{
	struct conf_oauth2 *o = *p;

	*p = NULL;
	if (o == NULL)
		return;
	free(o->name);
	free(o->client_id);
	secret_free(&o->client_secret);
	free(o->client_secret_file);
	free(o->scopes);
	free(o->device_url);
	free(o->auth_url);
	free(o->token_url);
	free(o->ca_file);
	free(o);
}

void
conf_secret_deinit(struct conf_secret *s)
{
	free(s->file);
	conf_list_free(&s->command);
	free(s->credential);
	secret_free(&s->literal);
	free(s->netrc);
	conf_list_free(&s->token_command);
	conf_oauth2_free(&s->oauth2);
	*s = (struct conf_secret){ 0 };
}

static void
deinit_tls(struct conf_account *a)
{
	free(a->tls_ca_file);
	free(a->tls_ca_pem);
	free(a->tls_name);
	free(a->tls_ca_dir);
	conf_list_free(&a->tls_pins);
	free(a->tls_ciphers);
	free(a->tls_crl_file);
	free(a->tls_cert);
	free(a->tls_key);
	free(a->tls_crl_pem);
	free(a->tls_cert_pem);
	secret_free(&a->tls_key_pem);
}

static void
deinit_way_there(struct conf_account *a)
{
	free(a->proxy.host);
	free(a->proxy.user);
	secret_free(&a->proxy.password);
	conf_list_free(&a->tunnel);
	free(a->bind_address);
}

const char *
conf_account_command(const struct conf_account *a)
{
	if (a->secret.command.n > 0)
		return "password-command";
	if (a->secret.token_command.n > 0)
		return "token-command";
	return a->tunnel.n > 0 ? "tunnel" : NULL;
}

void
conf_account_deinit(struct conf_account *a)
{
	free(a->name);
	free(a->where);
	free(a->owner);
	free(a->host);
	deinit_tls(a);
	deinit_way_there(a);
	free(a->user);
	conf_secret_deinit(&a->secret);
	conf_list_free(&a->mailboxes);
	free(a->maildir);
	free(a->mbox);
	conf_list_free(&a->mda);
	free(a->relay.socket);
	free(a->relay.host);
	conf_list_free(&a->recipients);
	free(a->recipient_header);
	free(a->recipient_prefix);
	free(a->delivery_tls_ca_file);
	free(a->delivery_tls_ca_pem);
	free(a->delivery_tls_name);
	free(a->helo_name);
	free(a->run_as);
	*a = (struct conf_account){ 0 };
}
