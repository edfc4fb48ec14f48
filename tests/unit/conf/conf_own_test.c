/* SPDX-License-Identifier: ISC */
#include "conf/conf_own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/conf/tmp.h"

#include "conf/conf_same.h"
#include "util/mem.h"

#define HOME "/home/alice"

/* Where "~" is, here and there. */
static int
enter(void **state)
{
	setenv("HOME", HOME, 1);
	if (tmp_enter(state) != 0)
		return -1;
	return mkdir("d", 0700);
}

static void
put(const char *name, const char *text)
{
	char *path = mem_printf("d/%s", name);

	tmp_write(path, 0600, text);
	free(path);
}

/* What the other side makes of it; text: its errors, a line for each. */
static struct conf *
unpack(struct span packed, const char *home, char *text, size_t size)
{
	struct unpack u = unpack_of(packed);
	char **errors;
	size_t n;
	struct conf *c = conf_own_unpack(&u, home, &errors, &n);

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(text);

		snprintf(text + used, size - used, "%s\n", errors[i]);
	}
	assert_true((c == NULL) == (n > 0));
	conf_errors_free(&errors, &n);
	return c;
}

static struct conf *
carry(const char *home, char *text, size_t size)
{
	struct buf b;
	struct conf *here, *there;

	buf_init(&b, CONF_OWN_MAX);
	here = conf_own_pack("d", &b);
	there = unpack(buf_span(&b), home, text, size);
	assert_true((here == NULL) == (there == NULL));
	conf_free(&here);
	buf_deinit(&b);
	return there;
}

static const char everything[] =
    "log-level = debug\n"
    "defaults { after = delete interval = 5m }\n"
    "account a { host = h user = u password = geheim maildir = \"~/M\"\n"
    "  tls-ca-file = \"~/ca\" mailboxes = {\"INBOX\", \"Lists/*\"} }\n"
    "account b { host = h user = u password-file = \"~/p\" protocol = pop3\n"
    "  mda = {\"cat\", \"%{user}\"} }\n"
    "account c { host = h user = u password-command = {\"pass\", \"x\"}\n"
    "  lmtp = \"localhost:24\" recipient = {\"a@b\", \"c@d\"} }\n";

static void
arrives_as_it_was(void **state)
{
	char text[2000], **errors;
	struct conf *direct, *c;
	size_t n;

	(void)state;
	put("a.conf", everything);
	put("b.conf", "account d { host = h user = u mbox = \"~/m\" }");
	put("c.conf",
	    "oauth2 google { client-id = i client-secret = s }\n"
	    "account e { host = h user = u oauth2 = google mbox = \"~/m\"\n"
	    "  proxy = \"socks5://a:b@p\" }\n");
	direct = conf_load_dir("d", &errors, &n);
	conf_errors_free(&errors, &n);
	c = carry(HOME, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(c->n, 5);
	assert_int_equal(direct->n, 5);
	assert_non_null(c->accounts[4].secret.oauth2);
	for (size_t i = 0; i < 5; i++) {
		assert_true(
		    conf_account_same(&c->accounts[i], &direct->accounts[i]));
		assert_string_equal(
		    c->accounts[i].where, direct->accounts[i].where);
	}
	assert_string_equal(c->accounts[3].where, "d/b.conf:1");
	assert_true(c->log_level == LOG_LEVEL_DEBUG);
	conf_free(&c);
	conf_free(&direct);
}

static void
finds_the_home_of_the_user(void **state)
{
	char text[2000];
	struct conf *c;

	(void)state;
	put("a.conf", everything);
	c = carry("/home/bob", text, sizeof(text));
	assert_string_equal(c->accounts[0].maildir, "/home/bob/M");
	assert_string_equal(c->accounts[0].tls_ca_file, "/home/bob/ca");
	assert_string_equal(c->accounts[1].secret.file, "/home/bob/p");
	conf_free(&c);
}

static void
has_no_account_where_there_is_no_file(void **state)
{
	char text[2000];
	struct conf *c = carry(HOME, text, sizeof(text));

	(void)state;
	assert_string_equal(text, "");
	assert_int_equal(c->n, 0);
	conf_free(&c);
}

static void
tells_errors_of_both_sides(void **state)
{
	char text[2000];

	(void)state;
	put("a.conf",
	    "account a { host = h user = u maildir = \"~/M\"\n"
	    "hots = x }\n"
	    "account b { host = \"h h\" user = u maildir = \"~/M\" }");
	assert_null(carry(HOME, text, sizeof(text)));
	assert_non_null(strstr(text, "d/a.conf:2: "));
	assert_non_null(strstr(text, "hots"));
	assert_non_null(strstr(text, "d/a.conf:3: account b: host"));
	put("a.conf",
	    "users = {\"bob\"}\n"
	    "account a { host = h user = u maildir = \"~/M\"\n"
	    "run-as = bob }\n");
	assert_null(carry(HOME, text, sizeof(text)));
	assert_non_null(strstr(text, "d/a.conf:1: users is the admin"));
	assert_non_null(strstr(text, "d/a.conf:3: account a: run-as"));
	put("a.conf", "account a {");
	assert_null(carry(HOME, text, sizeof(text)));
	assert_non_null(strstr(text, "d/a.conf"));
}

static void
says_that_it_is_too_long(void **state)
{
	char text[2000], *value = mem_new(200001);

	(void)state;
	memset(value, 'x', 200000);
	for (int i = 0; i < 8; i++) {
		char *name = mem_printf("%d.conf", i);
		char *all =
		    mem_printf("account a%d { host = h user = u maildir "
			       "= \"~/M\" mda = {\"%s\"} }",
			i, value);

		put(name, all);
		free(all);
		free(name);
	}
	assert_null(carry(HOME, text, sizeof(text)));
	assert_string_equal(
	    text, "d: its files are longer than 1048576 octets\n");
	free(value);
}

static struct buf
packed(void)
{
	struct buf b;
	struct conf *c;

	put("a.conf", everything);
	buf_init(&b, CONF_OWN_MAX);
	c = conf_own_pack("d", &b);
	assert_non_null(c);
	conf_free(&c);
	return b;
}

static void
takes_no_half_of_it(void **state)
{
	struct buf b = packed();
	struct span all = buf_span(&b);
	char text[2000];

	(void)state;
	for (size_t n = 0; n < all.n; n++)
		assert_null(
		    unpack(span_make(all.p, n), HOME, text, sizeof(text)));
	buf_deinit(&b);
}

/* Whatever becomes of it: a configuration that is good, or errors in words. */
static void
survives_a_hostile_reader(void **state)
{
	struct buf b = packed();
	struct span all = buf_span(&b);
	char *copy = mem_new(all.n), text[4000];
	uint32_t chance = 1;
	struct conf *c;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		memcpy(copy, all.p, all.n);
		for (int k = 0; k <= i % 3; k++) {
			chance = chance * 1103515245 + 12345;
			copy[(chance >> 8) % all.n] = (char)(chance >> 3);
		}
		c = unpack(span_make(copy, all.n), HOME, text, sizeof(text));
		for (const char *p = text; *p != '\0'; p++)
			assert_true(*p == '\n' || (unsigned char)*p >= ' ');
		conf_free(&c);
	}
	free(copy);
	buf_deinit(&b);
}

/* Of a value that the grammar of a file does not let through. */
static void
checks_the_values_again(void **state)
{
	struct buf b = packed();
	struct span all = buf_span(&b);
	char text[2000], *copy = mem_new(all.n), *at;

	(void)state;
	memcpy(copy, all.p, all.n);
	at = memmem(copy, all.n, "geheim", 6);
	assert_non_null(at);
	at[2] = '\r';
	at[3] = '\n';
	assert_null(unpack(span_make(copy, all.n), HOME, text, sizeof(text)));
	assert_non_null(strstr(text, "account a: password"));
	assert_null(strstr(text, "im\""));
	free(copy);
	buf_deinit(&b);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, enter, tmp_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arrives_as_it_was),
		TEST(finds_the_home_of_the_user),
		TEST(has_no_account_where_there_is_no_file),
		TEST(tells_errors_of_both_sides),
		TEST(says_that_it_is_too_long),
		TEST(takes_no_half_of_it),
		TEST(survives_a_hostile_reader),
		TEST(checks_the_values_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
