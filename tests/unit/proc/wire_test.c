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

static char relay_host[] = "lmtp.example.org";
static char relay_name[] = "lmtp.example.com";
static char helo[] = "here.example.org";
static char bob[] = "bob@example.org";
static char carol[] = "carol@example.org";
static char *recipients[] = { bob, carol, NULL };
static char header[] = "Delivered-To";
static char prefix[] = "p-";
static char program[] = "/usr/bin/procmail";
static char argument[] = "-d";
static char *mda[] = { program, argument, NULL };
static char maildir[] = "/home/alice/Maildir";
static char mbox[] = "/var/mail/alice";
static char socket_path[] = "/run/lmtp";

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
	.id = true,
	.way = CONF_LMTP,
	.maildir = maildir,
	.mbox = mbox,
	.mda = { mda, 2 },
	.relay = { NULL, relay_host, 2400 },
	.maildir_folders = true,
	.keep_flags = false,
	.mda_from_line = true,
	.mda_new_privileges = true,
	.mda_timeout_s = 15,
	.mda_parallel = 16,
	.delivery_parallel = 5,
	.mda_exit = { [0] = CONF_EXIT_HOLD, [255] = CONF_EXIT_LATER },
	.recipients = { recipients, 2 },
	.recipient_header = header,
	.recipient_prefix = prefix,
	.trace_received = true,
	.trace_delivered_to = false,
	.trace_source = true,
	.max_size = 1ULL << 39,
	.oversize = CONF_STUB,
	.delivery_tls = CONF_TLS_STARTTLS,
	.delivery_tls_name = relay_name,
	.delivery_timeout_s = 17,
	.helo_name = helo };

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
brings_the_delivery_over_but_no_program_or_path(void **state)
{
	struct conf_account *a;
	struct secret *s;

	(void)state;
	wire_pack_account(&packet, &account, secret);
	a = unpack_copy(buf_span(&packet), &s);
	assert_int_equal(a->way, CONF_LMTP);
	assert_null(a->relay.socket);
	assert_string_equal(a->relay.host, relay_host);
	assert_int_equal(a->relay.port, 2400);
	assert_true(a->maildir_folders && a->mda_from_line);
	assert_false(a->keep_flags);
	assert_int_equal(a->recipients.n, 2);
	assert_string_equal(a->recipients.v[1], carol);
	assert_string_equal(a->recipient_header, header);
	assert_string_equal(a->recipient_prefix, prefix);
	assert_true(a->trace_received && a->trace_source);
	assert_false(a->trace_delivered_to);
	assert_true(a->max_size == 1ULL << 39);
	assert_int_equal(a->oversize, CONF_STUB);
	assert_int_equal(a->delivery_tls, CONF_TLS_STARTTLS);
	assert_string_equal(a->delivery_tls_name, relay_name);
	assert_int_equal(a->delivery_parallel, 5);
	assert_int_equal(a->delivery_timeout_s, 17);
	assert_string_equal(a->helo_name, helo);
	assert_null(a->maildir);
	assert_null(a->mbox);
	assert_int_equal(a->mda.n, 0);
	wire_free_account(&a);
	secret_free(&s);
}

static void
tells_the_engine_of_a_socket_but_not_where_it_is(void **state)
{
	struct conf_account by_socket = account;
	struct conf_account *a;
	struct secret *s;

	(void)state;
	by_socket.relay = (struct conf_server){ .socket = socket_path };
	wire_pack_account(&packet, &by_socket, secret);
	a = unpack_copy(buf_span(&packet), &s);
	assert_string_equal(a->relay.socket, "");
	assert_null(a->relay.host);
	wire_free_account(&a);
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
expect_login(const struct conf_account *from, bool token, bool certificate)
{
	struct conf_account *a;
	struct secret *s;

	buf_clear(&packet);
	wire_pack_account(&packet, from, secret);
	a = unpack_copy(buf_span(&packet), &s);
	assert_non_null(a);
	assert_int_equal(a->secret.token_command.n > 0, token);
	assert_null(a->secret.oauth2);
	assert_int_equal(a->tls_cert != NULL, certificate);
	wire_free_account(&a);
	secret_free(&s);
}

/* ... and not which. */
static void
says_whether_there_are_a_token_and_a_certificate(void **state)
{
	struct conf_oauth2 oauth2 = { .name = name };
	struct conf_account a = account;

	(void)state;
	expect_login(&a, false, false);
	a.tls_cert = maildir;
	expect_login(&a, false, true);
	a.secret.oauth2 = &oauth2;
	expect_login(&a, true, true);
	a.secret.oauth2 = NULL;
	a.secret.token_command = (struct conf_list){ mda, 2 };
	a.tls_cert = NULL;
	expect_login(&a, true, false);
	assert_false(span_has(buf_span(&packet), span_of(program)));
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
	a.auth = CONF_AUTHS;
	assert_refused(&a);
	a = account;
	a.after = (enum conf_after)(CONF_DELETE + 1);
	assert_refused(&a);
	a = account;
	a.way = (enum conf_way)(CONF_MBOX + 1);
	assert_refused(&a);
	a = account;
	a.oversize = (enum conf_oversize)(CONF_STUB + 1);
	assert_refused(&a);
	a = account;
	a.delivery_tls = (enum conf_tls)(CONF_TLS_NONE + 1);
	assert_refused(&a);
}

static void
refuses_a_server_that_is_none_or_two(void **state)
{
	struct conf_account a = account;

	(void)state;
	a.relay.host = NULL;
	assert_refused(&a);
	a = account;
	a.relay.socket = socket_path;
	assert_refused(&a);
	a = account;
	a.delivery_parallel = 0; /* no connection to it */
	assert_refused(&a);
}

/* ---- targets ---- */

static struct conf_account *
unpack_target(struct span octets)
{
	char *copy = mem_new(octets.n + (octets.n == 0));
	struct conf_account *a;
	struct unpack u;
	uint32_t number;

	if (octets.n > 0)
		memcpy(copy, octets.p, octets.n);
	u = unpack_of(span_make(copy, octets.n));
	a = wire_unpack_target(&u, &number);
	if (a != NULL)
		assert_int_equal(number, 7);
	free(copy);
	return a;
}

static void
pack_target_of(enum conf_way way)
{
	struct conf_account a = account;

	a.way = way;
	a.relay.socket = way == CONF_LMTP ? socket_path : NULL;
	buf_clear(&packet);
	wire_pack_target(&packet, 7, &a);
}

static void
brings_a_target_over_whole(void **state)
{
	struct conf_account *a;

	(void)state;
	pack_target_of(CONF_MDA);
	a = unpack_target(buf_span(&packet));
	assert_non_null(a);
	assert_string_equal(a->name, name);
	assert_string_equal(a->user, user);
	assert_int_equal(a->way, CONF_MDA);
	assert_string_equal(a->maildir, maildir);
	assert_string_equal(a->mbox, mbox);
	assert_int_equal(a->mda.n, 2);
	assert_string_equal(a->mda.v[0], program);
	assert_string_equal(a->mda.v[1], argument);
	assert_null(a->mda.v[2]);
	assert_int_equal(a->mda_timeout_s, 15);
	assert_int_equal(a->mda_parallel, 16);
	assert_true(a->mda_from_line && a->mda_new_privileges);
	assert_memory_equal(a->mda_exit, account.mda_exit, 256);
	assert_true(a->maildir_folders);
	assert_false(a->keep_flags);
	assert_int_equal(a->recipients.n, 1);
	assert_string_equal(a->recipients.v[0], bob);
	assert_null(a->relay.socket);
	wire_free_account(&a);
	pack_target_of(CONF_LMTP);
	a = unpack_target(buf_span(&packet));
	assert_string_equal(a->relay.socket, socket_path);
	wire_free_account(&a);
}

static void
refuses_a_target_cut_off_or_with_more_behind(void **state)
{
	(void)state;
	pack_target_of(CONF_MDA);
	for (size_t n = 0; n < packet.n; n++) {
		struct span part = buf_span(&packet);

		assert_null(unpack_target(span_take(&part, n)));
	}
	pack_u8(&packet, 0);
	assert_null(unpack_target(buf_span(&packet)));
}

static void
refuses_a_target_that_leads_nowhere(void **state)
{
	struct conf_account bare = { .name = name, .user = user };

	static const enum conf_way ways[] = { CONF_MAILDIR, CONF_MDA, CONF_MBOX,
		(enum conf_way)(CONF_MBOX + 1) };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		bare.way = ways[i];
		buf_clear(&packet);
		wire_pack_target(&packet, 7, &bare);
		assert_null(unpack_target(buf_span(&packet)));
	}
	bare.mda = account.mda;
	bare.way = CONF_MDA; /* which none could run */
	buf_clear(&packet);
	wire_pack_target(&packet, 7, &bare);
	assert_null(unpack_target(buf_span(&packet)));
}

static void
refuses_an_exit_status_of_no_meaning(void **state)
{
	struct conf_account a = account;

	(void)state;
	a.mda_exit[9] = CONF_EXIT_HOLD + 1;
	wire_pack_target(&packet, 7, &a);
	assert_null(unpack_target(buf_span(&packet)));
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
		TEST(brings_the_delivery_over_but_no_program_or_path),
		TEST(tells_the_engine_of_a_socket_but_not_where_it_is),
		TEST(brings_over_what_an_account_has_not),
		TEST(refuses_an_account_cut_off_at_any_octet),
		TEST(refuses_octets_behind_an_account),
		TEST(survives_any_octet_that_is_changed),
		TEST(says_whether_there_are_a_token_and_a_certificate),
		TEST(refuses_choices_that_do_not_exist),
		TEST(refuses_a_server_that_is_none_or_two),
		TEST(brings_a_target_over_whole),
		TEST(refuses_a_target_cut_off_or_with_more_behind),
		TEST(refuses_a_target_that_leads_nowhere),
		TEST(refuses_an_exit_status_of_no_meaning),
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
