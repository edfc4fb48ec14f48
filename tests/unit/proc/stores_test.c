/* SPDX-License-Identifier: ISC */
#include "proc/stores.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PEM "-----BEGIN CERTIFICATE-----\n"
#define FRESH_MS 1000 /* so long a file is not read again */

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static uint32_t
find(struct stores *s, const char *file)
{
	uint32_t number;
	struct err e;

	struct trust t = { .ca_file = file };

	if (stores_find(s, &t, &number, &e) != 0)
		fail_msg("%s", e.text);
	return number;
}

static void
keeps_a_file_once_and_gives_its_octets(void **state)
{
	char path[] = "/tmp/stores.XXXXXX";
	struct stores *s = stores_new();
	char octets[256] = "";
	struct tls_rules rules;
	struct unpack u;
	ssize_t n;

	(void)state;
	close(mkstemp(path));
	write_file(path, PEM "A");
	assert_int_equal(stores_count(s), 0);
	assert_int_equal(find(s, path), 1);
	assert_int_equal(find(s, path), 1);
	assert_int_equal(stores_count(s), 1);
	n = pread(stores_fd(s, 1), octets, sizeof(octets), 0);
	assert_true(n > 0);
	u = unpack_of(span_make(octets, (size_t)n));
	assert_true(tls_rules_unpack(&u, &rules));
	assert_true(span_eq(rules.ca, SPAN(PEM "A\n")));
	stores_free(&s);
	unlink(path);
}

static void
reads_anew_when_it_is_told_to(void **state)
{
	char path[] = "/tmp/stores.XXXXXX";
	struct stores *s = stores_new();

	(void)state;
	close(mkstemp(path));
	write_file(path, PEM "A");
	assert_int_equal(find(s, path), 1);
	write_file(path, PEM "B");
	stores_reread(s);
	assert_int_equal(find(s, path), 2);
	stores_reread(s);
	write_file(path, PEM "A");
	assert_int_equal(find(s, path), 1);
	write_file(path, PEM "C");
	assert_int_equal(find(s, path), 1); /* for the many at a time */
	stores_free(&s);
	unlink(path);
}

static void
takes_a_file_that_changed_for_another(void **state)
{
	char path[] = "/tmp/stores.XXXXXX";
	struct stores *s = stores_new();

	(void)state;
	close(mkstemp(path));
	write_file(path, PEM "A");
	assert_int_equal(find(s, path), 1);
	write_file(path, PEM "B");
	(void)poll(NULL, 0, FRESH_MS + 100);
	assert_int_equal(find(s, path), 2);
	write_file(path, PEM "A");
	(void)poll(NULL, 0, FRESH_MS + 100);
	assert_int_equal(find(s, path), 1);
	assert_int_equal(stores_count(s), 2);
	stores_free(&s);
	unlink(path);
}

/* An engine that was taken over hands nothing to the next one. */
static void
seals_what_it_keeps(void **state)
{
	char path[] = "/tmp/stores.XXXXXX";
	struct stores *s = stores_new();
	int fd;

	(void)state;
	close(mkstemp(path));
	write_file(path, PEM "A");
	fd = stores_fd(s, find(s, path));
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_ptr_equal(
	    mmap(NULL, 1, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	stores_free(&s);
	unlink(path);
}

static void
tells_what_cannot_be_read(void **state)
{
	struct stores *s = stores_new();
	uint32_t number;
	struct err e;

	(void)state;
	assert_int_equal(
	    stores_find(
		s, &(struct trust){ .ca_file = "/no/such/file" }, &number, &e),
	    -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_int_equal(stores_count(s), 0);
	stores_free(&s);
}

/* ---- what an account asks ---- */

struct files {
	char dir[32], ca[64], crl[64], cert[64], key[64];
	struct conf_account a;
};

static void
begin(struct files *f)
{
	*f = (struct files){ .dir = "/tmp/stores.XXXXXX" };
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->ca, sizeof(f->ca), "%s/ca.pem", f->dir);
	snprintf(f->crl, sizeof(f->crl), "%s/crl.pem", f->dir);
	snprintf(f->cert, sizeof(f->cert), "%s/cert.pem", f->dir);
	snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
	write_file(f->ca, PEM "A");
	write_file(f->crl, "crl");
	write_file(f->cert, "cert");
	write_file(f->key, "key");
	chmod(f->key, 0600);
	f->a.tls_ca_file = f->ca;
	f->a.tls_crl_file = f->crl;
	f->a.tls_cert = f->cert;
	f->a.tls_key = f->key;
}

static void
end(struct files *f)
{
	unlink(f->ca);
	unlink(f->crl);
	unlink(f->cert);
	unlink(f->key);
	rmdir(f->dir);
}

static int
pack(const struct conf_account *a, struct buf *out, struct tls_rules *rules,
    struct err *e)
{
	struct trust t;
	struct unpack u;
	int r;

	trust_of_server(&t, a);
	buf_clear(out);
	r = trust_pack(&t, out, e);
	trust_deinit(&t);
	if (r != 0)
		return r;
	u = unpack_of(buf_span(out));
	assert_true(tls_rules_unpack(&u, rules));
	return 0;
}

static void
packs_all_that_an_account_asks(void **state)
{
	char pin[] =
	    "00ff0a000000000000000000000000000000000000000000000000000000007f";
	char *pins[] = { pin, pin, NULL };
	struct tls_rules r;
	struct files f;
	struct buf out;
	struct err e;

	(void)state;
	begin(&f);
	buf_init(&out, TRUST_MAX);
	f.a.tls_verify = CONF_VERIFY_BOTH;
	f.a.tls_pins = (struct conf_list){ pins, 2 };
	f.a.tls_min = CONF_TLS_1_3;
	f.a.tls_ocsp = CONF_OCSP_REQUIRE;
	f.a.tls_ciphers = (char[]){ "HIGH" };
	assert_int_equal(pack(&f.a, &out, &r, &e), 0);
	assert_int_equal(r.verify, TLS_VERIFY_BOTH);
	assert_true(r.only_tls_1_3 && r.ocsp_required);
	assert_int_equal(r.pins.n, 64);
	assert_memory_equal(r.pins.p, "\x00\xff\x0a\x00", 4);
	assert_int_equal(r.pins.p[63], 0x7f);
	assert_true(span_eq(r.ciphers, SPAN("HIGH")));
	assert_true(span_eq(r.ca, SPAN(PEM "A\n")));
	assert_true(span_eq(r.crl, SPAN("crl")));
	assert_true(span_eq(r.cert, SPAN("cert")));
	assert_true(span_eq(r.key, SPAN("key")));
	assert_true(span_eq(r.key_file, span_of(f.key)));
	f.a.tls_verify = CONF_VERIFY_PIN; /* trusts nobody else */
	assert_int_equal(pack(&f.a, &out, &r, &e), 0);
	assert_int_equal(r.ca.n, 0);
	buf_wipe(&out);
	end(&f);
}

static void
fails(const struct conf_account *a, const char *words)
{
	struct tls_rules r;
	struct buf out;
	struct err e;

	buf_init(&out, TRUST_MAX);
	assert_int_equal(pack(a, &out, &r, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, e.text);
	buf_wipe(&out);
}

static void
says_which_file_cannot_be_used(void **state)
{
	struct files f;

	(void)state;
	begin(&f);
	chmod(f.key, 0640);
	fails(&f.a, "key.pem can be read by others: chmod 600 it");
	unlink(f.key);
	fails(&f.a, "tls-key /tmp/stores.");
	fails(&f.a, "key.pem: No such file");
	unlink(f.cert);
	fails(&f.a, "cert.pem: No such file");
	write_file(f.crl, "");
	fails(&f.a, "crl.pem is empty");
	end(&f);
}

/* Root would open whatever he likes. */
static void
opens_no_file_of_another_user(void **state)
{
	struct tls_rules r;
	struct files f;
	struct buf out;
	struct err e;

	(void)state;
	begin(&f);
	f.a.owner = (char[]){ "alice" };
	fails(&f.a, "was not read by its owner");
	f.a.tls_ca_pem = (char[]){ "his ca" };
	fails(&f.a, "crl.pem was not read by its owner");
	f.a.tls_crl_pem = (char[]){ "his crl" };
	f.a.tls_cert_pem = (char[]){ "his cert" };
	fails(&f.a, "key.pem was not read by its owner");
	f.a.tls_key_pem = secret_new(SPAN("his key"));
	buf_init(&out, TRUST_MAX);
	assert_int_equal(pack(&f.a, &out, &r, &e), 0);
	assert_true(span_eq(r.ca, SPAN("his ca")));
	assert_true(span_eq(r.crl, SPAN("his crl")));
	assert_true(span_eq(r.cert, SPAN("his cert")));
	assert_true(span_eq(r.key, SPAN("his key")));
	buf_wipe(&out);
	secret_free(&f.a.tls_key_pem);
	end(&f);
}

static void
shares_one_among_accounts_that_ask_the_same(void **state)
{
	struct stores *s = stores_new();
	struct trust one, other;
	uint32_t a, b, c;
	struct files f;
	struct err e;

	(void)state;
	begin(&f);
	trust_of_server(&one, &f.a);
	f.a.tls_min = CONF_TLS_1_3;
	trust_of_server(&other, &f.a);
	assert_int_equal(stores_find(s, &one, &a, &e), 0);
	assert_int_equal(stores_find(s, &other, &b, &e), 0);
	assert_int_equal(stores_find(s, &one, &c, &e), 0);
	assert_int_equal(a, 1);
	assert_int_equal(b, 2);
	assert_int_equal(c, 1);
	trust_deinit(&one);
	trust_deinit(&other);
	stores_free(&s);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_a_file_once_and_gives_its_octets),
		cmocka_unit_test(reads_anew_when_it_is_told_to),
		cmocka_unit_test(takes_a_file_that_changed_for_another),
		cmocka_unit_test(seals_what_it_keeps),
		cmocka_unit_test(tells_what_cannot_be_read),
		cmocka_unit_test(packs_all_that_an_account_asks),
		cmocka_unit_test(says_which_file_cannot_be_used),
		cmocka_unit_test(opens_no_file_of_another_user),
		cmocka_unit_test(shares_one_among_accounts_that_ask_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
