/* SPDX-License-Identifier: ISC */
#include "conf/conf_same.h"

#include <string.h>

static bool
same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool
same_list(const struct conf_list *a, const struct conf_list *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	}
	return true;
}

static bool
same_literal(const struct secret *a, const struct secret *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return span_eq(secret_span(a), secret_span(b));
}

static bool
same_oauth2(const struct conf_oauth2 *a, const struct conf_oauth2 *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return same_text(a->name, b->name) &&
	    same_text(a->client_id, b->client_id) &&
	    same_literal(a->client_secret, b->client_secret) &&
	    same_text(a->client_secret_file, b->client_secret_file) &&
	    same_text(a->scopes, b->scopes) &&
	    same_text(a->device_url, b->device_url) &&
	    same_text(a->auth_url, b->auth_url) &&
	    same_text(a->token_url, b->token_url) &&
	    same_text(a->ca_file, b->ca_file);
}

static bool
same_secret(const struct conf_secret *a, const struct conf_secret *b)
{
	return same_text(a->file, b->file) &&
	    same_list(&a->command, &b->command) &&
	    same_text(a->credential, b->credential) &&
	    same_literal(a->literal, b->literal) &&
	    same_text(a->netrc, b->netrc) &&
	    same_list(&a->token_command, &b->token_command) &&
	    same_oauth2(a->oauth2, b->oauth2);
}

static bool
same_verification(const struct conf_account *a, const struct conf_account *b)
{
	return same_text(a->tls_ca_file, b->tls_ca_file) &&
	    same_text(a->tls_ca_pem, b->tls_ca_pem) &&
	    same_text(a->tls_name, b->tls_name) &&
	    same_text(a->tls_ca_dir, b->tls_ca_dir) &&
	    a->tls_verify == b->tls_verify &&
	    same_list(&a->tls_pins, &b->tls_pins) && a->tls_min == b->tls_min &&
	    same_text(a->tls_ciphers, b->tls_ciphers) &&
	    same_text(a->tls_crl_file, b->tls_crl_file) &&
	    same_text(a->tls_crl_pem, b->tls_crl_pem) &&
	    a->tls_ocsp == b->tls_ocsp && a->tls_warn_s == b->tls_warn_s;
}

static bool
same_own_certificate(const struct conf_account *a, const struct conf_account *b)
{
	return same_text(a->tls_cert, b->tls_cert) &&
	    same_text(a->tls_key, b->tls_key) &&
	    same_text(a->tls_cert_pem, b->tls_cert_pem) &&
	    same_literal(a->tls_key_pem, b->tls_key_pem);
}

static bool
same_way_there(const struct conf_account *a, const struct conf_account *b)
{
	return a->proxy.kind == b->proxy.kind &&
	    same_text(a->proxy.host, b->proxy.host) &&
	    a->proxy.port == b->proxy.port &&
	    same_text(a->proxy.user, b->proxy.user) &&
	    same_literal(a->proxy.password, b->proxy.password) &&
	    same_list(&a->tunnel, &b->tunnel) &&
	    same_text(a->bind_address, b->bind_address) &&
	    a->address_family == b->address_family;
}

static bool
same_relay(const struct conf_server *a, const struct conf_server *b)
{
	return same_text(a->socket, b->socket) && same_text(a->host, b->host) &&
	    a->port == b->port;
}

static bool
same_login(const struct conf_account *a, const struct conf_account *b)
{
	return same_text(a->name, b->name) && same_text(a->owner, b->owner) &&
	    a->protocol == b->protocol && same_text(a->host, b->host) &&
	    a->port == b->port && a->tls == b->tls && a->auth == b->auth &&
	    same_text(a->user, b->user) && same_secret(&a->secret, &b->secret);
}

static bool
same_choice(const struct conf_account *a, const struct conf_account *b)
{
	return same_list(&a->mailboxes, &b->mailboxes) &&
	    a->watch == b->watch && a->after == b->after &&
	    a->expunge_others == b->expunge_others &&
	    a->max_size == b->max_size && a->oversize == b->oversize &&
	    a->interval_s == b->interval_s && a->poll_s == b->poll_s &&
	    a->idle_renew_s == b->idle_renew_s &&
	    a->max_connections == b->max_connections &&
	    a->notify == b->notify && a->list_status == b->list_status;
}

static bool
same_way(const struct conf_account *a, const struct conf_account *b)
{
	return a->way == b->way && same_text(a->maildir, b->maildir) &&
	    same_text(a->mbox, b->mbox) && same_list(&a->mda, &b->mda) &&
	    same_relay(&a->relay, &b->relay) &&
	    a->maildir_folders == b->maildir_folders &&
	    a->keep_flags == b->keep_flags &&
	    a->mda_from_line == b->mda_from_line &&
	    a->mda_new_privileges == b->mda_new_privileges &&
	    a->mda_timeout_s == b->mda_timeout_s &&
	    a->mda_parallel == b->mda_parallel &&
	    memcmp(a->mda_exit, b->mda_exit, sizeof(a->mda_exit)) == 0 &&
	    same_text(a->run_as, b->run_as);
}

static bool
same_envelope(const struct conf_account *a, const struct conf_account *b)
{
	return same_list(&a->recipients, &b->recipients) &&
	    same_text(a->recipient_header, b->recipient_header) &&
	    same_text(a->recipient_prefix, b->recipient_prefix) &&
	    a->trace_received == b->trace_received &&
	    a->trace_source == b->trace_source &&
	    a->trace_delivered_to == b->trace_delivered_to;
}

static bool
same_relay_options(const struct conf_account *a, const struct conf_account *b)
{
	return a->delivery_tls == b->delivery_tls &&
	    same_text(a->delivery_tls_ca_file, b->delivery_tls_ca_file) &&
	    same_text(a->delivery_tls_ca_pem, b->delivery_tls_ca_pem) &&
	    same_text(a->delivery_tls_name, b->delivery_tls_name) &&
	    same_text(a->helo_name, b->helo_name) &&
	    a->delivery_timeout_s == b->delivery_timeout_s &&
	    a->delivery_parallel == b->delivery_parallel;
}

static bool
same_patience(const struct conf_account *a, const struct conf_account *b)
{
	return a->connect_timeout_s == b->connect_timeout_s &&
	    a->tls_timeout_s == b->tls_timeout_s &&
	    a->command_timeout_s == b->command_timeout_s &&
	    a->total_timeout_s == b->total_timeout_s &&
	    a->retries == b->retries && a->pipelining == b->pipelining &&
	    a->capa == b->capa && a->id == b->id;
}

/* conf_same_test.c notices a field that is forgotten here. */
bool
conf_account_same(const struct conf_account *a, const struct conf_account *b)
{
	return same_login(a, b) && same_verification(a, b) &&
	    same_own_certificate(a, b) && same_way_there(a, b) &&
	    same_choice(a, b) && same_way(a, b) && same_envelope(a, b) &&
	    same_relay_options(a, b) && same_patience(a, b);
}
