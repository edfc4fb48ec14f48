/* SPDX-License-Identifier: ISC */
#include "conf/conf_account.h"

#include <stdlib.h>

#include "conf/conf_list.h"

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
		.pipelining = true,
		.capa = true,
		.id = true,
	};
}

void
conf_account_deinit(struct conf_account *a)
{
	free(a->name);
	free(a->where);
	free(a->host);
	free(a->tls_ca_file);
	free(a->tls_name);
	free(a->user);
	free(a->secret.file);
	conf_list_free(&a->secret.command);
	free(a->secret.credential);
	secret_free(&a->secret.literal);
	conf_list_free(&a->mailboxes);
	free(a->maildir);
	*a = (struct conf_account){ 0 };
}
