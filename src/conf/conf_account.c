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
conf_account_deinit(struct conf_account *a)
{
	free(a->name);
	free(a->where);
	free(a->owner);
	free(a->host);
	free(a->tls_ca_file);
	free(a->tls_ca_pem);
	free(a->tls_name);
	free(a->user);
	free(a->secret.file);
	conf_list_free(&a->secret.command);
	free(a->secret.credential);
	secret_free(&a->secret.literal);
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
