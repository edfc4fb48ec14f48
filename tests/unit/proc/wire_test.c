/* SPDX-License-Identifier: ISC */
#include "proc/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

static struct buf packet;
static struct secret *secret;

static char name[] = "work";
static char host[] = "imap.example.org";
static char tls_name[] = "mail.example.org";
static char user[] = "alice@example.org";
static char first[] = "INBOX";
static char second[] = "Lists/*";
static char *mailboxes[] = { first, second, NULL };

/* Every field has a value of its own. */
static const struct conf_account account = { .name = name,
	.protocol = CONF_POP3,
	.host = host,
	.port = 65535,
	.tls = CONF_TLS_NONE,
	.tls_name = tls_name,
	.auth = CONF_AUTH_LOGIN,
	.user = user,
	.mailboxes = { mailboxes, 2 },
	.after = CONF_DELETE,
	.expunge_others = true,
	.connect_timeout_s = 11,
	.tls_timeout_s = 12,
	.command_timeout_s = 13,
	.total_timeout_s = 1ULL << 40,
	.retries = 14,
	.pipelining = true,
	.capa = false,
	.id = true };

static int
set_up(void **state)
{
	(void)state;
	buf_init(&packet, 1 << 20);
	secret = secret_new(SPAN("a\0b\n"));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_deinit(&packet);
	secret_free(&secret);
	return 0;
}

static struct conf_account *
unpack(struct span octets, struct secret **out)
{
	struct unpack u = unpack_of(octets);

	return wire_unpack_account(&u, out);
}

/* What is read past the end is then seen by the sanitizer. */
static struct conf_account *
unpack_copy(struct span octets, struct secret **out)
{
	char *copy = mem_new(octets.n + (octets.n == 0));
	struct conf_account *a;

	if (octets.n > 0)
		memcpy(copy, octets.p, octets.n);
	a = unpack(span_make(copy, octets.n), out);
	free(copy);
	return a;
}

/* ---- accounts ---- */

static void
assert_same_texts(const struct conf_account *a)
{
	assert_string_equal(a->name, name);
	assert_string_equal(a->host, host);
	assert_string_equal(a->tls_name, tls_name);
	assert_string_equal(a->user, user);
	assert_int_equal(a->mailboxes.n, 2);
	assert_string_equal(a->mailboxes.v[0], first);
	assert_string_equal(a->mailboxes.v[1], second);
	assert_null(a->mailboxes.v[2]);
}

static void
brings_an_account_over_whole(void **state)
{
	struct conf_account *a;
	struct secret *s;

	(void)state;
	wire_pack_account(&packet, &account, secret);
	a = unpack_copy(buf_span(&packet), &s);
	assert_non_null(a);
	assert_same_texts(a);
	assert_int_equal(a->protocol, CONF_POP3);
	assert_int_equal(a->port, 65535);
	assert_int_equal(a->tls, CONF_TLS_NONE);
	assert_int_equal(a->auth, CONF_AUTH_LOGIN);
	assert_int_equal(a->after, CONF_DELETE);
	assert_true(a->expunge_others);
	assert_int_equal(a->connect_timeout_s, 11);
	assert_int_equal(a->tls_timeout_s, 12);
	assert_int_equal(a->command_timeout_s, 13);
	assert_true(a->total_timeout_s == 1ULL << 40);
	assert_int_equal(a->retries, 14);
	assert_true(a->pipelining);
	assert_false(a->capa);
	assert_true(a->id);
	assert_true(span_eq(secret_span(s), SPAN("a\0b\n")));
	wire_free_account(&a);
	assert_null(a);
	secret_free(&s);
}

static void
brings_over_what_an_account_has_not(void **state)
{
	struct conf_account bare = { .name = name, .host = host, .user = user };
	struct conf_account *a;
	struct secret *s;

	(void)state;
	wire_pack_account(&packet, &bare, secret);
	a = unpack_copy(buf_span(&packet), &s);
	assert_non_null(a);
	assert_null(a->tls_name);
	assert_int_equal(a->mailboxes.n, 0);
	assert_null(a->mailboxes.v[0]);
	assert_int_equal(a->protocol, CONF_IMAP);
	assert_int_equal(a->after, CONF_KEEP);
	wire_free_account(&a);
	secret_free(&s);
}

static void
refuses_an_account_cut_off_at_any_octet(void **state)
{
	(void)state;
	wire_pack_account(&packet, &account, secret);
	for (size_t n = 0; n < packet.n; n++) {
		struct span part = buf_span(&packet);
		struct secret *s;

		assert_null(unpack_copy(span_take(&part, n), &s));
		assert_null(s);
	}
}

static void
refuses_octets_behind_an_account(void **state)
{
	struct secret *s;

	(void)state;
	wire_pack_account(&packet, &account, secret);
	pack_u8(&packet, 0);
	assert_null(unpack_copy(buf_span(&packet), &s));
	assert_null(s);
}

static void
survives_any_octet_that_is_changed(void **state)
{
	(void)state;
	wire_pack_account(&packet, &account, secret);
	for (size_t n = 0; n < packet.n; n++) {
		char *octet = packet.mem + packet.off + n;
		char was = *octet;
		struct conf_account *a;
		struct secret *s;

		*octet = (char)~was;
		a = unpack_copy(buf_span(&packet), &s);
		assert_true((a == NULL) == (s == NULL));
		wire_free_account(&a);
		secret_free(&s);
		*octet = was;
	}
}

static void
assert_refused(const struct conf_account *nonsense)
{
	struct secret *s;

	buf_clear(&packet);
	wire_pack_account(&packet, nonsense, secret);
	assert_null(unpack_copy(buf_span(&packet), &s));
	assert_null(s);
}

static void
refuses_choices_that_do_not_exist(void **state)
{
	struct conf_account a;

	(void)state;
	a = account;
	a.protocol = (enum conf_protocol)(CONF_POP3 + 1);
	assert_refused(&a);
	a = account;
	a.tls = (enum conf_tls)(CONF_TLS_NONE + 1);
	assert_refused(&a);
	a = account;
	a.auth = (enum conf_auth)(CONF_AUTH_LOGIN + 1);
	assert_refused(&a);
	a = account;
	a.after = (enum conf_after)(CONF_DELETE + 1);
	assert_refused(&a);
}

static void
frees_no_account_without_a_fuss(void **state)
{
	struct conf_account *none = NULL;

	(void)state;
	wire_free_account(&none);
	assert_null(none);
}

/* ---- errors, progress and results ---- */

static void
brings_every_kind_of_error_over(void **state)
{
	(void)state;
	for (int kind = ERR_NONE + 1; kind < ERR_KINDS; kind++) {
		struct unpack u;
		struct err in, out;

		buf_clear(&packet);
		err_set(&in, (enum err_kind)kind, ENOSPC, "100%% full %%s");
		wire_pack_err(&packet, &in);
		u = unpack_of(buf_span(&packet));
		wire_unpack_err(&u, &out);
		assert_true(unpack_ok(&u));
		assert_int_equal(out.kind, kind);
		assert_int_equal(out.sys, ENOSPC);
		assert_string_equal(out.text, "100% full %s");
	}
}

static void
brings_no_error_over_as_none(void **state)
{
	struct err none = { 0 };
	struct unpack u;
	struct err out;

	(void)state;
	err_set(&out, ERR_NET, 1, "old");
	wire_pack_err(&packet, &none);
	u = unpack_of(buf_span(&packet));
	wire_unpack_err(&u, &out);
	assert_true(unpack_ok(&u));
	assert_int_equal(out.kind, ERR_NONE);
	assert_string_equal(out.text, "");
}

static void
refuses_an_error_of_no_kind(void **state)
{
	struct unpack u;
	struct err out;

	(void)state;
	pack_u8(&packet, ERR_KINDS);
	pack_u32(&packet, 0);
	pack_str(&packet, "what?");
	u = unpack_of(buf_span(&packet));
	wire_unpack_err(&u, &out);
	assert_false(unpack_ok(&u));
	assert_int_equal(out.kind, ERR_NONE);
}

static void
makes_an_error_printable(void **state)
{
	struct unpack u;
	struct err out;

	(void)state;
	pack_u8(&packet, ERR_NET);
	pack_u32(&packet, 0);
	pack_str(&packet, "\033[2Jgone\n");
	u = unpack_of(buf_span(&packet));
	wire_unpack_err(&u, &out);
	assert_null(strchr(out.text, '\033'));
	assert_null(strchr(out.text, '\n'));
}

static const struct fetch_progress progress = { "fetching", 1, 2, 3ULL << 40,
	4ULL << 40 };

static void
assert_same_progress(const struct fetch_progress *p)
{
	assert_string_equal(p->doing, "fetching");
	assert_int_equal(p->messages, 1);
	assert_int_equal(p->total, 2);
	assert_true(p->octets == 3ULL << 40);
	assert_true(p->total_octets == 4ULL << 40);
}

static void
brings_progress_over(void **state)
{
	struct fetch_progress out;
	struct unpack u;

	(void)state;
	wire_pack_progress(&packet, &progress);
	u = unpack_of(buf_span(&packet));
	wire_unpack_progress(&u, &out);
	assert_true(unpack_ok(&u));
	assert_same_progress(&out);
	free((char *)(uintptr_t)out.doing);
}

static void
brings_a_result_over(void **state)
{
	struct fetch_result in = { .progress = progress, .removed = 5 };
	struct fetch_result out;
	struct unpack u;

	(void)state;
	err_set(&in.err, ERR_LOCKED, 0, "in use");
	wire_pack_result(&packet, &in);
	u = unpack_of(buf_span(&packet));
	wire_unpack_result(&u, &out);
	assert_true(unpack_ok(&u));
	assert_same_progress(&out.progress);
	assert_int_equal(out.removed, 5);
	assert_int_equal(out.err.kind, ERR_LOCKED);
	assert_string_equal(out.err.text, "in use");
	free((char *)(uintptr_t)out.progress.doing);
}

static void
notices_a_result_cut_off_at_any_octet(void **state)
{
	struct fetch_result in = { .progress = progress, .removed = 5 };

	(void)state;
	err_set(&in.err, ERR_LOCKED, 0, "in use");
	wire_pack_result(&packet, &in);
	for (size_t n = 0; n < packet.n; n++) {
		struct span part = buf_span(&packet);
		struct unpack u = unpack_of(span_take(&part, n));
		struct fetch_result out;

		wire_unpack_result(&u, &out);
		assert_false(unpack_ok(&u));
		free((char *)(uintptr_t)out.progress.doing);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(brings_an_account_over_whole),
		TEST(brings_over_what_an_account_has_not),
		TEST(refuses_an_account_cut_off_at_any_octet),
		TEST(refuses_octets_behind_an_account),
		TEST(survives_any_octet_that_is_changed),
		TEST(refuses_choices_that_do_not_exist),
		TEST(frees_no_account_without_a_fuss),
		TEST(brings_every_kind_of_error_over),
		TEST(brings_no_error_over_as_none),
		TEST(refuses_an_error_of_no_kind),
		TEST(makes_an_error_printable),
		TEST(brings_progress_over),
		TEST(brings_a_result_over),
		TEST(notices_a_result_cut_off_at_any_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
