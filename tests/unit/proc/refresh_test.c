/* SPDX-License-Identifier: ISC */
#include "proc/refresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/https.h"
#include "proc/tokens.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "unit/io/peer.h"
#include "util/mem.h"

/* Against a provider that says what the test wants; this program is the
 * process for HTTPS, too. */

static struct loop *loop;
static char dir[64], ca_file[128], url[128], client_id[] = "client";
static char heard[4096];
static const char *says;
static struct identity ca, server;
static struct conf_oauth2 provider;
static struct conf_account account;
static struct refresh_params params;
static struct refresh *waiting;

/* What fn was told. */
static struct secret *got;
static uint64_t again;
static struct err error;
static unsigned int told;

static struct tokens disk;

/* ---- the provider ---- */

static void
script(struct peer *p)
{
	size_t n = 0, head = 0;
	const char *length;

	if (!peer_tls(p))
		return;
	memset(heard, 0, sizeof(heard));
	while (strstr(heard, "\r\n\r\n") == NULL && n + 1 < sizeof(heard))
		if (peer_read(p, heard + n++, 1) != 1)
			return;
	head = n;
	length = strstr(heard, "Content-Length: ");
	while (length != NULL && n + 1 < sizeof(heard) &&
	    n - head < strtoul(length + 16, NULL, 10))
		if (peer_read(p, heard + n++, 1) != 1)
			return;
	peer_say(p, says);
}

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define BAD "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
#define BUSY "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n"

/* ---- the tokens ---- */

/* Seconds from now; 0: not known. */
static void
put(const char *access, const char *refresh, int64_t obtained, int64_t expires)
{
	int64_t now = clock_wall_s();
	struct tokens t = { .client = mem_strdup(client_id),
		.token_url = mem_strdup(url),
		.obtained = now + obtained,
		.expires = expires == 0 ? 0 : now + expires };

	t.access = secret_new(span_of(access));
	if (refresh != NULL)
		t.refresh = secret_new(span_of(refresh));
	assert_int_equal(tokens_write(dir, "work", &t, &error), 0);
	tokens_deinit(&t);
}

static void
assert_disk(const char *access, const char *refresh)
{
	tokens_deinit(&disk);
	assert_int_equal(tokens_read(dir, "work", &disk, &error), 1);
	assert_true(span_eq(secret_span(disk.access), span_of(access)));
	assert_true(span_eq(secret_span(disk.refresh), span_of(refresh)));
}

/* ---- asking ---- */

static void
on_token(
    void *arg, struct secret *access, uint64_t again_s, const struct err *e)
{
	assert_ptr_equal(arg, &told);
	assert_true((access == NULL) == (e != NULL));
	waiting = NULL;
	told++;
	secret_free(&got);
	got = access;
	again = again_s;
	err_clear(&error);
	if (e != NULL)
		error = *e;
	loop_stop(loop);
}

static void
get(void)
{
	told = 0;
	waiting = refresh_get(loop, &params, on_token, &told);
	assert_int_equal(told, 0);
	loop_run(loop);
	assert_int_equal(told, 1);
}

static void
assert_got(const char *access)
{
	if (got == NULL)
		fail_msg("%s", error.text);
	assert_true(span_eq(secret_span(got), span_of(access)));
}

/* Set up before the tokens: they name its port. */
static struct peer idp;

static void
open_idp(void)
{
	idp = (struct peer){ .id = &server, .script = script };
	peer_begin(&idp);
	snprintf(url, sizeof(url), "https://localhost:%u/token", idp.port);
}

/* Nobody must be asked: this port is closed. */
static void
no_idp(void)
{
	unsigned int port;

	close(peer_listen(&port));
	snprintf(url, sizeof(url), "https://localhost:%u/token", port);
}

static void
get_from(const char *answer)
{
	says = answer;
	get();
	assert_true(peer_end(&idp));
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/mailhaul-refresh-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	log_set_level(LOG_LEVEL_ERROR);
	loop = loop_new();
	provider = (struct conf_oauth2){ .name = client_id,
		.client_id = client_id,
		.token_url = url,
		.ca_file = ca_file };
	account = (struct conf_account){ .name = mem_strdup("work"),
		.secret.oauth2 = &provider };
	params =
	    (struct refresh_params){ .account = &account, .state_dir = dir };
	heard[0] = '\0';
	return 0;
}

static int
discard(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static int
tear_down(void **state)
{
	(void)state;
	refresh_cancel(&waiting);
	loop_free(&loop);
	secret_free(&got);
	tokens_deinit(&disk);
	free(account.name);
	return nftw(dir, discard, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- what is on disk ---- */

static void
uses_the_one_on_disk_while_it_lasts(void **state)
{
	(void)state;
	no_idp();
	put("one", "r1", -60, 3000);
	get();
	assert_got("one");
	assert_true(again >= 3000 - 300 - 60 - 2 && again <= 3000 - 300);
}

static void
uses_one_of_unknown_life_until_it_is_refused(void **state)
{
	(void)state;
	no_idp();
	put("one", "r1", -99999, 0);
	get();
	assert_got("one");
	assert_int_equal(again, 0);
}

static void
says_who_has_not_logged_in(void **state)
{
	(void)state;
	no_idp();
	get();
	assert_int_equal(error.kind, ERR_AUTH);
	assert_non_null(strstr(error.text, "mailhaul login work"));
}

static void
uses_none_of_another_client(void **state)
{
	static char other[] = "another";

	(void)state;
	no_idp();
	put("one", "r1", 0, 3000);
	provider.client_id = other;
	get();
	assert_int_equal(error.kind, ERR_AUTH);
	assert_non_null(strstr(error.text, "mailhaul login work"));
}

/* ---- asking the provider ---- */

static void
refreshes_and_saves(void **state)
{
	(void)state;
	open_idp();
	put("one", "r/1", -3600, -1);
	get_from(OK "{\"access_token\": \"two\", \"refresh_token\": \"r2\", "
		    "\"expires_in\": 3600}");
	assert_got("two");
	assert_true(again > 3000 && again <= 3300);
	assert_disk("two", "r2");
	assert_true(disk.expires > clock_wall_s() + 3500);
	assert_non_null(strstr(heard, "grant_type=refresh_token"));
	assert_non_null(strstr(heard, "refresh_token=r%2F1"));
	assert_non_null(strstr(heard, "client_id=client"));
	assert_null(strstr(heard, "client_secret"));
}

/* In the last minutes; of one that lives for minutes only, in the second half
 * of its life. */
static void
refreshes_before_it_expires(void **state)
{
	static const struct {
		int64_t obtained, expires;
	} lives[] = { { -3360, 240 }, { -70, 50 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		open_idp();
		put("one", "r1", lives[i].obtained, lives[i].expires);
		get_from(OK "{\"access_token\": \"two\", \"expires_in\": 4}");
		assert_got("two");
		assert_int_equal(again, 30);
		assert_disk("two", "r1"); /* the one before is still good */
	}
}

static void
does_not_refresh_in_the_first_half(void **state)
{
	(void)state;
	no_idp();
	put("one", "r1", -50, 70);
	get();
	assert_got("one");
}

static void
does_not_trust_a_clock_that_was_set_back(void **state)
{
	(void)state;
	open_idp();
	put("one", "r1", 86400, 90000);
	get_from(OK "{\"access_token\": \"two\"}");
	assert_got("two");
	assert_int_equal(again, 0);
}

static void
gets_another_for_one_that_was_refused(void **state)
{
	struct secret *refused = secret_new(SPAN("one"));

	(void)state;
	open_idp();
	put("one", "r1", 0, 3600);
	params.refused = refused;
	get_from(OK "{\"access_token\": \"two\", \"expires_in\": 3600}");
	assert_got("two");
	no_idp();
	put("other", "r1", 0, 3600); /* somebody has got it already */
	get();
	assert_got("other");
	secret_free(&refused);
}

static void
tells_its_secret(void **state)
{
	struct secret *own = secret_new(SPAN("s&s"));
	char path[128];
	int fd;

	(void)state;
	open_idp();
	put("one", "r1", -3600, -1);
	provider.client_secret = own;
	get_from(OK "{\"access_token\": \"two\"}");
	assert_got("two");
	assert_non_null(strstr(heard, "client_secret=s%26s"));
	provider.client_secret = NULL;
	secret_free(&own);
	snprintf(path, sizeof(path), "%s/secret", dir);
	provider.client_secret_file = path;
	put("one", "r1", -3600, -1);
	get();
	assert_int_equal(error.kind, ERR_CONFIG);
	assert_non_null(strstr(error.text, "client-secret-file"));
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "filed\n", 6), 6);
	close(fd);
	open_idp();
	put("one", "r1", -3600, -1);
	get_from(OK "{\"access_token\": \"two\"}");
	assert_non_null(strstr(heard, "client_secret=filed"));
}

static void
needs_a_token_to_refresh_with(void **state)
{
	(void)state;
	no_idp();
	put("one", NULL, -3600, -1);
	get();
	assert_int_equal(error.kind, ERR_AUTH);
	assert_non_null(strstr(error.text, "mailhaul login work"));
}

/* ---- what goes wrong ---- */

static void
does_not_ask_again_soon_for_what_was_withdrawn(void **state)
{
	(void)state;
	open_idp();
	put("one", "r1", -3600, -1);
	get_from(BAD "{\"error\": \"invalid_grant\"}");
	assert_int_equal(error.kind, ERR_AUTH);
	assert_non_null(strstr(error.text, "invalid_grant"));
	assert_non_null(strstr(error.text, "mailhaul login"));
	assert_disk("one", "r1");
	assert_int_equal(disk.breaker.refused, 1);
	get(); /* its port is closed by now */
	assert_int_equal(error.kind, ERR_AUTH);
	assert_non_null(strstr(error.text, "invalid_grant"));
	assert_non_null(strstr(error.text, "not asked again for"));
	params.anew = true;
	get();
	assert_int_equal(error.kind, ERR_NET);
}

static void
asks_again_after_a_login(void **state)
{
	(void)state;
	open_idp();
	put("one", "r1", -3600, -1);
	get_from(BAD "{\"error\": \"invalid_grant\"}");
	assert_null(got);
	put("two", "r2", -10, 3600);
	get();
	assert_got("two");
}

static void
asks_again_with_another_secret(void **state)
{
	struct secret *own = secret_new(SPAN("right"));

	(void)state;
	open_idp();
	put("one", "r1", -3600, -1);
	get_from(BAD "{\"error\": \"invalid_client\"}");
	assert_int_equal(error.kind, ERR_CONFIG);
	get();
	assert_non_null(strstr(error.text, "not asked again for"));
	provider.client_secret = own;
	get();
	assert_int_equal(error.kind, ERR_NET);
	secret_free(&own);
}

static void
uses_the_old_one_while_the_provider_is_in_trouble(void **state)
{
	(void)state;
	open_idp();
	put("one", "r1", -3400, 200);
	get_from(BUSY "no");
	assert_got("one");
	assert_int_equal(again, 30);
	get(); /* nobody listens */
	assert_got("one");
}

static void
says_what_is_wrong_when_there_is_no_old_one(void **state)
{
	static const struct {
		const char *says;
		enum err_kind kind;
	} all[] = { { BUSY "no", ERR_TEMP }, { OK "<html>", ERR_PROTO },
		{ OK "{\"a\": 1}", ERR_PROTO }, { "* OK\r\n", ERR_PROTO },
		{ "", ERR_NET } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		open_idp();
		put("one", "r1", -3600, -1);
		get_from(all[i].says);
		assert_int_equal(error.kind, all[i].kind);
		assert_ptr_equal(
		    strstr(error.text, "oauth2 client: "), error.text);
		assert_disk("one", "r1");
		assert_int_equal(disk.breaker.refused, 0);
	}
}

/* A rotated token would be lost. */
static void
does_not_ask_for_what_it_cannot_save(void **state)
{
	char path[128];

	(void)state;
	no_idp();
	put("one", "r1", -3600, -1);
	snprintf(path, sizeof(path), "%s/tokens/work.new", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	get();
	assert_int_equal(error.kind, ERR_DELIVER);
}

/* ---- more than one of us ---- */

static int held = -1;

static void
let_go(void *arg)
{
	(void)arg;
	put("of another", "r2", 0, 3600);
	close(held);
}

static void
waits_for_who_is_at_it(void **state)
{
	struct loop_timer *timer = loop_timer_new(loop, let_go, NULL);

	(void)state;
	no_idp();
	put("one", "r1", -3600, -1);
	held = tokens_lock(dir, "work", &error);
	assert_true(held >= 0);
	loop_timer_arm(timer, 20);
	get();
	assert_got("of another");
	loop_timer_free(&timer);
}

static void
lets_others_go_on_when_it_is_not_wanted(void **state)
{
	int fd;

	(void)state;
	no_idp();
	put("one", "r1", -3600, -1);
	waiting = refresh_get(loop, &params, on_token, &told);
	refresh_cancel(&waiting);
	assert_null(waiting);
	fd = tokens_lock(dir, "work", &error);
	assert_true(fd >= 0);
	close(fd);
}

static void
on_asked(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* It may be the only one that is still good. */
static void
saves_the_answer_when_it_is_not_wanted(void **state)
{
	struct loop_timer *timer = loop_timer_new(loop, on_asked, NULL);
	struct conf_account gone = account;
	int fd;

	(void)state;
	open_idp();
	put("one", "r1", -3600, -1);
	says = OK "{\"access_token\": \"two\", \"refresh_token\": \"r2\"}";
	params.account = &gone;
	told = 0;
	waiting = refresh_get(loop, &params, on_token, &told);
	while ((fd = tokens_lock(dir, "work", &error)) >= 0) {
		close(fd);
		loop_timer_arm(timer, 1);
		loop_run(loop);
	}
	refresh_cancel(&waiting);
	memset(&gone, 0, sizeof(gone));
	refresh_settle(loop);
	loop_timer_free(&timer);
	assert_true(peer_end(&idp));
	assert_int_equal(told, 0);
	assert_disk("two", "r2");
}

/* ---- */

static int
make_authority(void **state)
{
	struct buf pem;
	int fd;

	(void)state;
	ca = identity_ca("a test authority");
	server = identity_server(&ca, "DNS:localhost");
	buf_init(&pem, 65536);
	identity_pem(&ca, &pem);
	snprintf(ca_file, sizeof(ca_file), "/tmp/refresh_ca.XXXXXX");
	fd = mkstemp(ca_file);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf_span(&pem).p, pem.n), (ssize_t)pem.n);
	close(fd);
	buf_deinit(&pem);
	return 0;
}

static int
forget_authority(void **state)
{
	(void)state;
	unlink(ca_file);
	identity_free(&server);
	identity_free(&ca);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(uses_the_one_on_disk_while_it_lasts),
		TEST(uses_one_of_unknown_life_until_it_is_refused),
		TEST(says_who_has_not_logged_in),
		TEST(uses_none_of_another_client),
		TEST(refreshes_and_saves),
		TEST(refreshes_before_it_expires),
		TEST(does_not_refresh_in_the_first_half),
		TEST(does_not_trust_a_clock_that_was_set_back),
		TEST(gets_another_for_one_that_was_refused),
		TEST(tells_its_secret),
		TEST(needs_a_token_to_refresh_with),
		TEST(does_not_ask_again_soon_for_what_was_withdrawn),
		TEST(asks_again_after_a_login),
		TEST(asks_again_with_another_secret),
		TEST(uses_the_old_one_while_the_provider_is_in_trouble),
		TEST(says_what_is_wrong_when_there_is_no_old_one),
		TEST(does_not_ask_for_what_it_cannot_save),
		TEST(waits_for_who_is_at_it),
		TEST(lets_others_go_on_when_it_is_not_wanted),
		TEST(saves_the_answer_when_it_is_not_wanted),
	};

	if (argc > 0 && strcmp(argv[0], HTTPS_ROLE) == 0)
		return https_main();
	return cmocka_run_group_tests(tests, make_authority, forget_authority);
}
