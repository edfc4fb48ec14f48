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

static const struct conf_account one = {
	"name", "f:1", "owner", CONF_IMAP, "host", 1, CONF_TLS_IMPLICIT,
	"/ca", "pem", "tls", CONF_AUTH_PLAIN, "user",
	{ "/file", { words_a, 2 }, "credential", NULL },
	{ words_a, 2 }, CONF_WATCH_IDLE, CONF_KEEP, false, CONF_MAILDIR,
	"/maildir", "/mbox", { words_a, 2 }, { "/socket", "relay", 1 },
	false, false, false, false, 1, 1, { 1 }, { words_a, 2 },
	"header", "prefix", false, false, false, 1, CONF_SKIP,
	CONF_TLS_STARTTLS, "/dca", "dpem", "dtls", "helo", 1, 1, "alice", 1, 1, 1, 1,
	false, false, 1, 1, 1, 1, 1, false, false, false
};

static const struct conf_account other = {
	"name2", "f:2", "owner2", CONF_POP3, "host2", 2, CONF_TLS_NONE,
	"/ca2", "pem2", "tls2", CONF_AUTH_LOGIN, "user2",
	{ "/file2", { words_b, 2 }, "credential2", NULL },
	{ words_b, 2 }, CONF_WATCH_POLL, CONF_DELETE, true, CONF_MBOX,
	"/maildir2", "/mbox2", { words_b, 2 }, { "/socket2", "relay2", 2 },
	true, true, true, true, 2, 2, { 2 }, { words_b, 2 },
	"header2", "prefix2", true, true, true, 2, CONF_STUB,
	CONF_TLS_NONE, "/dca2", "dpem2", "dtls2", "helo2", 2, 2, "bob", 2, 2, 2, 2,
	true, true, 2, 2, 2, 2, 2, true, true, true
};

#define FIELD(f) { #f, offsetof(struct conf_account, f), \
	sizeof(((struct conf_account *)NULL)->f) }

static const struct field {
	const char *name;
	size_t at, size;
} fields[] = {
	FIELD(name), FIELD(owner), FIELD(protocol), FIELD(host), FIELD(port),
	FIELD(tls), FIELD(tls_ca_file), FIELD(tls_ca_pem), FIELD(tls_name), FIELD(auth),
	FIELD(user), FIELD(secret.file), FIELD(secret.command),
	FIELD(secret.credential), FIELD(secret.literal), FIELD(mailboxes),
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

/* clang-format on */

/* Both accounts, with their secrets, which no initializer can make. */
static void
make(struct conf_account *a, struct conf_account *b)
{
	memcpy(a, &one, sizeof(*a)); /* with what is between the fields */
	memcpy(b, &other, sizeof(*b));
	a->secret.literal = secret_new(SPAN("x"));
	b->secret.literal = secret_new(SPAN("y"));
}

static void
unmake(struct conf_account *a, struct conf_account *b)
{
	secret_free(&a->secret.literal);
	secret_free(&b->secret.literal);
}

static void
take(struct conf_account *to, const struct conf_account *from,
    const struct field *f)
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
		cmocka_unit_test(takes_equal_texts_for_equal),
		cmocka_unit_test(ignores_where_it_stands),
		cmocka_unit_test(tells_nothing_from_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
