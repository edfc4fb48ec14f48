/* SPDX-License-Identifier: ISC */
#include "conf/conf_account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "conf/conf_list.h"
#include "util/mem.h"

static void
begins_with_the_defaults(void **state)
{
	struct conf_account a;

	(void)state;
	memset(&a, 0xff, sizeof(a));
	conf_account_init(&a);
	assert_null(a.host);
	assert_int_equal(a.port, 0);
	assert_int_equal(a.mailboxes.n, 0);
	assert_int_equal(a.retries, 3);
	assert_true(a.capa);
	assert_int_equal(a.mda_timeout_s, 300);
	assert_int_equal(a.mda_parallel, 1);
	assert_int_equal(a.delivery_parallel, 1);
	assert_true(a.trace_received && a.trace_delivered_to);
	assert_true(a.trace_source);
	assert_int_equal(a.delivery_tls, CONF_TLS_AUTO);
	assert_int_equal(a.delivery_timeout_s, 300);
	conf_account_deinit(&a);
}

static void
knows_which_exit_status_means_later(void **state)
{
	struct conf_account a;
	int i;

	(void)state;
	conf_account_init(&a);
	for (i = 0; i < 256; i++) {
		enum conf_exit want = CONF_EXIT_HOLD;

		if (i == 0)
			want = CONF_EXIT_ACCEPT;
		if (i == 71 || i == 73 || i == 74 || i == 75)
			want = CONF_EXIT_LATER;
		assert_int_equal(a.mda_exit[i], want);
	}
	conf_account_deinit(&a);
}

static void
names_the_program_that_is_run_to_get_in(void **state)
{
	struct conf_account a;

	(void)state;
	conf_account_init(&a);
	conf_list_add(&a.mda, "procmail");
	assert_null(conf_account_command(&a));
	conf_list_add(&a.tunnel, "ssh");
	assert_string_equal(conf_account_command(&a), "tunnel");
	conf_list_add(&a.secret.token_command, "t");
	assert_string_equal(conf_account_command(&a), "token-command");
	conf_list_free(&a.secret.token_command);
	conf_list_add(&a.secret.command, "pass");
	assert_string_equal(conf_account_command(&a), "password-command");
	conf_account_deinit(&a);
}

static struct conf_oauth2 *
some_oauth2(void)
{
	struct conf_oauth2 *o = mem_new(sizeof(*o));

	o->name = mem_strdup("n");
	o->client_id = mem_strdup("i");
	o->client_secret = secret_new(SPAN("s"));
	o->client_secret_file = mem_strdup("/s");
	o->scopes = mem_strdup("s");
	o->device_url = mem_strdup("https://d");
	o->auth_url = mem_strdup("https://a");
	o->token_url = mem_strdup("https://t");
	o->ca_file = mem_strdup("/ca");
	return o;
}

static void
gives_back_all_it_holds(void **state)
{
	struct conf_account a;

	(void)state;
	conf_account_init(&a);
	a.name = mem_strdup("n");
	a.where = mem_strdup("f:1");
	a.host = mem_strdup("h");
	a.user = mem_strdup("u");
	a.maildir = mem_strdup("/m");
	a.mbox = mem_strdup("/b");
	a.relay.socket = mem_strdup("/s");
	a.relay.host = mem_strdup("h");
	a.recipient_header = mem_strdup("To");
	a.recipient_prefix = mem_strdup("p");
	a.delivery_tls_ca_file = mem_strdup("/ca");
	a.delivery_tls_name = mem_strdup("t");
	a.helo_name = mem_strdup("h");
	conf_list_add(&a.mda, "procmail");
	conf_list_add(&a.recipients, "bob");
	a.tls_name = mem_strdup("t");
	a.tls_ca_file = mem_strdup("/ca");
	a.secret.file = mem_strdup("/p");
	a.secret.credential = mem_strdup("c");
	a.secret.literal = secret_new(SPAN("x"));
	a.secret.netrc = mem_strdup("/n");
	conf_list_add(&a.secret.token_command, "t");
	a.secret.oauth2 = some_oauth2();
	a.tls_ca_pem = mem_strdup("pem");
	a.tls_ca_dir = mem_strdup("/d");
	conf_list_add(&a.tls_pins, "00");
	a.tls_ciphers = mem_strdup("HIGH");
	a.tls_crl_file = mem_strdup("/crl");
	a.tls_cert = mem_strdup("/c");
	a.tls_key = mem_strdup("/k");
	a.tls_crl_pem = mem_strdup("crl");
	a.tls_cert_pem = mem_strdup("cert");
	a.tls_key_pem = secret_new(SPAN("key"));
	a.proxy.host = mem_strdup("p");
	a.proxy.user = mem_strdup("u");
	a.proxy.password = secret_new(SPAN("x"));
	conf_list_add(&a.tunnel, "ssh");
	a.bind_address = mem_strdup("::1");
	conf_list_add(&a.secret.command, "pass");
	conf_list_add(&a.mailboxes, "INBOX");
	conf_account_deinit(&a); /* the leak checker sees what is left */
	assert_null(a.name);
	assert_null(a.secret.literal);
	conf_account_deinit(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_the_defaults),
		cmocka_unit_test(knows_which_exit_status_means_later),
		cmocka_unit_test(names_the_program_that_is_run_to_get_in),
		cmocka_unit_test(gives_back_all_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
