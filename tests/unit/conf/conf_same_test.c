/* SPDX-License-Identifier: ISC */

/*
 * Two accounts that differ in every field. They are written field by field in
 * order, so a new field does not compile here (-Wmissing-field-initializers)
 * until it has its two values, and then fails until it has a row in the table
 * of fields, and then until conf_account_same() compares it.
 */

#include "conf/conf_same.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* clang-format off */
static char *words_a[] = { "a", "b", NULL };
static char *words_b[] = { "a", "c", NULL };

static struct conf_oauth2 oauth2_a = {
	"name", "id", NULL, "/secret", "scopes", "device", "auth",
	"token", "/ca"
};

static const struct conf_account one = {
	"name", "f:1", "owner", CONF_IMAP, "host", 1, CONF_TLS_IMPLICIT,
	"/ca", "pem", "tls", "/dir", CONF_VERIFY_CHAIN,
	{ words_a, 2 }, CONF_TLS_1_2, "ciphers", "/crl",
	CONF_OCSP_STAPLED, "/cert", "/key", "crl", "cert", NULL, 1,
	{ CONF_SOCKS5, "proxy", 1, "puser", NULL },
	{ words_a, 2 }, "bind", CONF_IPV4,
	CONF_AUTH_PLAIN, "user",
	{ "/file", { words_a, 2 }, "credential", NULL, "/netrc",
	    { words_a, 2 }, &oauth2_a },
	{ words_a, 2 }, CONF_WATCH_IDLE, CONF_KEEP, false, CONF_MAILDIR,
	"/maildir", "/mbox", { words_a, 2 }, { "/socket", "relay", 1 },
	false, false, false, false, 1, 1, { 1 }, { words_a, 2 },
	"header", "prefix", false, false, false, 1, CONF_SKIP,
	CONF_TLS_STARTTLS, "/dca", "dpem", "dtls", "helo", 1, 1,
	"alice", 1, 1, 1, 1, false, false, 1, 1, 1, 1, 1, false, false, false
};

static struct conf_oauth2 oauth2_b = {
	"name2", "id2", NULL, "/secret2", "scopes2", "device2", "auth2",
	"token2", "/ca2"
};

static const struct conf_account other = {
	"name2", "f:2", "owner2", CONF_POP3, "host2", 2, CONF_TLS_NONE,
	"/ca2", "pem2", "tls2", "/dir2", CONF_VERIFY_DANE,
	{ words_b, 2 }, CONF_TLS_1_3, "ciphers2", "/crl2",
	CONF_OCSP_REQUIRE, "/cert2", "/key2", "crl2", "cert2", NULL, 2,
	{ CONF_HTTP_PROXY, "proxy2", 2, "puser2", NULL },
	{ words_b, 2 }, "bind2", CONF_IPV6,
	CONF_AUTH_LOGIN, "user2",
	{ "/file2", { words_b, 2 }, "credential2", NULL, "/netrc2",
	    { words_b, 2 }, &oauth2_b },
	{ words_b, 2 }, CONF_WATCH_POLL, CONF_DELETE, true, CONF_MBOX,
	"/maildir2", "/mbox2", { words_b, 2 }, { "/socket2", "relay2", 2 },
	true, true, true, true, 2, 2, { 2 }, { words_b, 2 },
	"header2", "prefix2", true, true, true, 2, CONF_STUB,
	CONF_TLS_NONE, "/dca2", "dpem2", "dtls2", "helo2", 2, 2,
	"bob", 2, 2, 2, 2, true, true, 2, 2, 2, 2, 2, true, true, true
};

#define FIELD(f) { #f, offsetof(struct conf_account, f), \
	sizeof(((struct conf_account *)NULL)->f) }

static const struct field {
	const char *name;
	size_t at, size;
} fields[] = {
	FIELD(name), FIELD(owner), FIELD(protocol), FIELD(host), FIELD(port),
	FIELD(tls), FIELD(tls_ca_file), FIELD(tls_ca_pem), FIELD(tls_name),
	FIELD(tls_ca_dir), FIELD(tls_verify), FIELD(tls_pins), FIELD(tls_min),
	FIELD(tls_ciphers), FIELD(tls_crl_file), FIELD(tls_ocsp),
	FIELD(tls_cert), FIELD(tls_key), FIELD(tls_crl_pem),
	FIELD(tls_cert_pem), FIELD(tls_key_pem), FIELD(tls_warn_s),
	FIELD(proxy.kind), FIELD(proxy.host), FIELD(proxy.port),
	FIELD(proxy.user), FIELD(proxy.password), FIELD(tunnel),
	FIELD(bind_address), FIELD(address_family), FIELD(auth),
	FIELD(user), FIELD(secret.file), FIELD(secret.command),
	FIELD(secret.credential), FIELD(secret.literal), FIELD(secret.netrc),
	FIELD(secret.token_command), FIELD(secret.oauth2), FIELD(mailboxes),
	FIELD(watch), FIELD(after), FIELD(expunge_others), FIELD(way),
	FIELD(maildir), FIELD(mbox), FIELD(mda), FIELD(relay.socket),
	FIELD(relay.host), FIELD(relay.port), FIELD(maildir_folders),
	FIELD(keep_flags), FIELD(mda_from_line), FIELD(mda_new_privileges),
	FIELD(mda_timeout_s), FIELD(mda_parallel), FIELD(mda_exit),
	FIELD(recipients), FIELD(recipient_header), FIELD(recipient_prefix),
	FIELD(trace_received), FIELD(trace_source), FIELD(trace_delivered_to),
	FIELD(max_size), FIELD(oversize), FIELD(delivery_tls),
	FIELD(delivery_tls_ca_file), FIELD(delivery_tls_ca_pem), FIELD(delivery_tls_name),
	FIELD(helo_name), FIELD(delivery_timeout_s), FIELD(delivery_parallel),
	FIELD(run_as), FIELD(interval_s), FIELD(poll_s), FIELD(idle_renew_s),
	FIELD(max_connections), FIELD(notify), FIELD(list_status),
	FIELD(connect_timeout_s), FIELD(tls_timeout_s),
	FIELD(command_timeout_s), FIELD(total_timeout_s), FIELD(retries),
	FIELD(pipelining), FIELD(capa), FIELD(id),
};

#define PART(f) { #f, offsetof(struct conf_oauth2, f), \
	sizeof(((struct conf_oauth2 *)NULL)->f) }

static const struct field parts[] = {
	PART(name), PART(client_id), PART(client_secret),
	PART(client_secret_file), PART(scopes), PART(device_url),
	PART(auth_url), PART(token_url), PART(ca_file),
};

/* clang-format on */

static void
give_secrets(struct conf_account *a, const char *text)
{
	a->secret.literal = secret_new(span_of(text));
	a->tls_key_pem = secret_new(span_of(text));
	a->proxy.password = secret_new(span_of(text));
	a->secret.oauth2->client_secret = secret_new(span_of(text));
}

static void
take_secrets(struct conf_account *a)
{
	secret_free(&a->secret.literal);
	secret_free(&a->tls_key_pem);
	secret_free(&a->proxy.password);
	if (a->secret.oauth2 != NULL)
		secret_free(&a->secret.oauth2->client_secret);
}

/* Both accounts, with their secrets, which no initializer can make. */
static void
make(struct conf_account *a, struct conf_account *b)
{
	memcpy(a, &one, sizeof(*a)); /* with what is between the fields */
	memcpy(b, &other, sizeof(*b));
	give_secrets(a, "x");
	give_secrets(b, "y");
}

static void
unmake(struct conf_account *a, struct conf_account *b)
{
	take_secrets(a);
	take_secrets(b);
}

static void
take(void *to, const void *from, const struct field *f)
{
	memcpy((char *)to + f->at, (const char *)from + f->at, f->size);
}

static void
sees_a_change_of_any_field(void **state)
{
	struct conf_account a, b, mixed;
	size_t i;

	(void)state;
	make(&a, &b);
	for (i = 0; i < COUNT(fields); i++) {
		memcpy(&mixed, &a, sizeof(mixed));
		take(&mixed, &b, &fields[i]);
		if (conf_account_same(&a, &mixed))
			print_error("%s is not compared\n", fields[i].name);
		assert_false(conf_account_same(&a, &mixed));
		assert_false(conf_account_same(&mixed, &a));
	}
	unmake(&a, &b);
}

static void
tests_every_field_there_is(void **state)
{
	struct conf_account a, b, mixed;
	size_t i;

	(void)state;
	make(&a, &b);
	memcpy(&mixed, &a, sizeof(mixed));
	mixed.where = b.where;
	for (i = 0; i < COUNT(fields); i++)
		take(&mixed, &b, &fields[i]);
	assert_memory_equal(&mixed, &b, sizeof(b));
	unmake(&a, &b);
}

static void
sees_a_change_of_any_part_of_oauth2(void **state)
{
	struct conf_oauth2 mixed;
	struct conf_account a, b, c;
	size_t i;

	(void)state;
	make(&a, &b);
	memcpy(&c, &a, sizeof(c));
	for (i = 0; i < COUNT(parts); i++) {
		memcpy(&mixed, a.secret.oauth2, sizeof(mixed));
		c.secret.oauth2 = &mixed;
		assert_true(conf_account_same(&a, &c));
		take(&mixed, b.secret.oauth2, &parts[i]);
		if (conf_account_same(&a, &c))
			print_error("%s is not compared\n", parts[i].name);
		assert_false(conf_account_same(&a, &c));
	}
	for (i = 0; i < COUNT(parts); i++)
		take(&mixed, b.secret.oauth2, &parts[i]);
	assert_memory_equal(&mixed, b.secret.oauth2, sizeof(mixed));
	c.secret.oauth2 = NULL;
	assert_false(conf_account_same(&a, &c));
	unmake(&a, &b);
}

static void
takes_equal_texts_for_equal(void **state)
{
	char host[] = "host", *words[] = { host + 4, NULL };
	struct conf_account a = { .host = "host", .mailboxes = { words, 1 } };
	struct conf_account b = { .host = host, .mailboxes = { words, 1 } };

	(void)state;
	a.secret.literal = secret_new(SPAN("x"));
	b.secret.literal = secret_new(SPAN("x"));
	assert_true(conf_account_same(&a, &b));
	unmake(&a, &b);
}

static void
ignores_where_it_stands(void **state)
{
	struct conf_account a = { .where = "f:1" }, b = { .where = "f:2" };

	(void)state;
	assert_true(conf_account_same(&a, &b));
}

static void
tells_nothing_from_something(void **state)
{
	struct conf_account a = { 0 }, b = { 0 };

	(void)state;
	b.secret.literal = secret_new(SPAN(""));
	assert_false(conf_account_same(&a, &b));
	assert_false(conf_account_same(&b, &a));
	secret_free(&b.secret.literal);
	b.host = "";
	assert_false(conf_account_same(&a, &b));
	b.host = NULL;
	b.mailboxes = (struct conf_list){ words_a, 2 };
	assert_false(conf_account_same(&a, &b));
	a.mailboxes = (struct conf_list){ words_a, 1 };
	assert_false(conf_account_same(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_a_change_of_any_field),
		cmocka_unit_test(tests_every_field_there_is),
		cmocka_unit_test(sees_a_change_of_any_part_of_oauth2),
		cmocka_unit_test(takes_equal_texts_for_equal),
		cmocka_unit_test(ignores_where_it_stands),
		cmocka_unit_test(tells_nothing_from_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
