/* SPDX-License-Identifier: ISC */
#include "io/query_parse.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "dns_message.h"

#define NAME "_imaps._tcp.example.org"

static struct query_record records[QUERY_RECORDS_MAX];
static size_t n;
static bool ad;
static struct err e;

static struct query_question
question(enum query_type type, const char *name)
{
	struct query_question q = { .id = 0x1234, .type = type };

	assert_int_equal(query_question_init(&q, name, &e), 0);
	return q;
}

static enum query_verdict
read_it(const struct buf *b, const struct query_question *q)
{
	return query_read(buf_span(b), q, records, &n, &ad, &e);
}

/* Reads, and frees. */
static enum query_verdict
finish(struct buf *b, const struct query_question *q)
{
	enum query_verdict v = read_it(b, q);

	buf_deinit(b);
	return v;
}

/* ---- questions ---- */

static void
asks_as_the_rfc_says(void **state)
{
	static const char want[] = "\x12\x34\x01\x20\0\1\0\0\0\0\0\1"
				   "\6_imaps\4_tcp\7example\3org\0\0\x21\0\1"
				   "\0\0\x29\4\xd0\0\0\0\0\0\0";
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;

	(void)state;
	buf_init(&b, 512);
	query_put(&b, &q, true);
	assert_int_equal(b.n, sizeof(want) - 1);
	assert_memory_equal(buf_span(&b).p, want, b.n);
	buf_clear(&b);
	query_put(&b, &q, false);
	assert_int_equal(b.n, sizeof(want) - 1 - 11);
	assert_int_equal(buf_span(&b).p[11], 0);
	buf_deinit(&b);
}

static void
refuses_what_is_no_name(void **state)
{
	char longer[300];
	const char *const bad[] = { "", "a..b", longer,
		"0123456789012345678901234567890123456789012345678901234567890"
		"123456.example" };

	(void)state;
	memset(longer, 'a', sizeof(longer));
	for (size_t i = 3; i < sizeof(longer); i += 4)
		longer[i] = '.';
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct query_question q = { .type = QUERY_MX };

		assert_int_equal(query_question_init(&q, bad[i], &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
	}
}

/* ---- answers ---- */

static void
puts_servers_in_the_order_to_try(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD, 3);
	dns_put_srv(&b, NULL, 10, 1, 993, "light.example.org");
	dns_put_srv(&b, NAME, 20, 9, 994, "last.example.org");
	dns_put_srv(&b, "_IMAPS._tcp.Example.org", 10, 5, 993, "a.example.org");
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 3);
	assert_false(ad);
	assert_string_equal(records[0].target, "a.example.org");
	assert_string_equal(records[1].target, "light.example.org");
	assert_string_equal(records[2].target, "last.example.org");
	assert_int_equal(records[2].port, 994);
	assert_int_equal(records[2].priority, 20);
	assert_int_equal(records[0].weight, 5);
}

static void
knows_the_target_that_says_there_is_none(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD | FLAG_AD, 1);
	dns_put_srv(&b, NULL, 0, 0, 0, "");
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 1);
	assert_string_equal(records[0].target, "");
	assert_true(ad);
}

static void
leaves_out_targets_that_are_no_hosts(void **state)
{
	static const char *const bad[] = { "a b.org", "a\"b.org", "a\nb.org",
		"\xc3\xa4.org", "a/b", "{}.org", "a\\.org", "a:b.org" };
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD, sizeof(bad) / sizeof(*bad) + 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		dns_put_srv(&b, NULL, 0, 0, 993, bad[i]);
	dns_put_srv(&b, NULL, 0, 0, 993, "good.example");
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 1);
	assert_string_equal(records[0].target, "good.example");
}

static void
reads_tlsa(void **state)
{
	struct query_question q = question(QUERY_TLSA, "_993._tcp.x.example");
	char octets[3 + QUERY_TLSA_MAX + 1] = "\3\1\1abcdefghij";
	struct buf b, d;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD, 4);
	buf_init(&d, sizeof(octets));
	dns_put(&d, octets, 13);
	dns_put_rr(&b, NULL, TYPE_TLSA, &d);
	buf_clear(&d);
	dns_put(&d, octets, 3); /* nothing to compare with */
	dns_put_rr(&b, NULL, TYPE_TLSA, &d);
	buf_clear(&d);
	dns_put(&d, octets, sizeof(octets)); /* longer than we take */
	dns_put_rr(&b, NULL, TYPE_TLSA, &d);
	buf_clear(&d);
	dns_put(&d, octets, 3 + QUERY_TLSA_MAX);
	dns_put_rr(&b, NULL, TYPE_TLSA, &d);
	buf_deinit(&d);
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 2);
	assert_int_equal(records[0].usage, 3);
	assert_int_equal(records[0].selector, 1);
	assert_int_equal(records[0].matching, 1);
	assert_int_equal(records[0].n, 10);
	assert_memory_equal(records[0].data, "abcdefghij", 10);
	assert_int_equal(records[1].n, QUERY_TLSA_MAX);
}

static void
reads_mx(void **state)
{
	struct query_question q = question(QUERY_MX, "example.org");
	struct buf b, d;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD, 2);
	buf_init(&d, 64);
	dns_put16(&d, 20);
	dns_put_name(&d, "two.example.org");
	dns_put_rr(&b, NULL, TYPE_MX, &d);
	buf_clear(&d);
	dns_put16(&d, 10);
	dns_put_name(&d, "one.example.org");
	dns_put_rr(&b, NULL, TYPE_MX, &d);
	buf_deinit(&d);
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 2);
	assert_string_equal(records[0].target, "one.example.org");
}

static void
follows_aliases(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD, 5);
	dns_put_cname(&b, "two.example", "three.example");
	dns_put_srv(&b, NAME, 0, 0, 1, "not-this.example");
	dns_put_srv(&b, "three.example", 0, 0, 993, "this.example");
	dns_put_cname(&b, NAME, "two.example");
	dns_put_srv(&b, "two.example", 0, 0, 2, "nor-this.example");
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 1);
	assert_string_equal(records[0].target, "this.example");
}

static void
ends_with_aliases_that_go_in_a_circle(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD, 2);
	dns_put_cname(&b, NAME, "two.example");
	dns_put_cname(&b, "two.example", NAME);
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 0);
}

static void
takes_a_missing_name_for_no_records(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD | FLAG_AD | 3, 1);
	dns_put_srv(&b, NULL, 0, 0, 993, "lies.example");
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 0);
	assert_true(ad);
}

static void
says_what_a_server_says(void **state)
{
	static const struct {
		unsigned int flags;
		enum query_verdict v;
	} all[] = { { FLAGS_GOOD | 1, QUERY_NO_EDNS },
		{ FLAGS_GOOD | 2, QUERY_FAILED },
		{ FLAGS_GOOD | 4, QUERY_NO_EDNS },
		{ FLAGS_GOOD | 5, QUERY_FAILED },
		{ FLAGS_GOOD | 11, QUERY_FAILED },
		{ FLAGS_GOOD | FLAG_TC, QUERY_CUT },
		{ FLAGS_GOOD & 0x7fff, QUERY_OTHER },
		{ FLAGS_GOOD | 0x0800, QUERY_OTHER } };
	struct query_question q = question(QUERY_SRV, NAME);

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct buf b;

		dns_begin(&b, &q, all[i].flags, 0);
		assert_int_equal(finish(&b, &q), all[i].v);
		assert_int_equal(n, 0);
	}
}

static void
knows_one_that_is_older_than_edns(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME);

	(void)state;
	assert_int_equal(query_read(SPAN("\x12\x34\x81\x81\0\0\0\0\0\0\0\0"),
			     &q, records, &n, &ad, &e),
	    QUERY_NO_EDNS);
	assert_int_equal(query_read(SPAN("\x12\x35\x81\x81\0\0\0\0\0\0\0\0"),
			     &q, records, &n, &ad, &e),
	    QUERY_OTHER);
}

static void
does_not_hear_other_answers(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME), other;
	struct buf b;

	(void)state;
	other = q;
	other.id++;
	dns_begin(&b, &other, FLAGS_GOOD, 0);
	assert_int_equal(finish(&b, &q), QUERY_OTHER);
	other = question(QUERY_SRV, "_imaps._tcp.example.com");
	dns_begin(&b, &other, FLAGS_GOOD, 0);
	assert_int_equal(finish(&b, &q), QUERY_OTHER);
	other = question(QUERY_TLSA, NAME);
	dns_begin(&b, &other, FLAGS_GOOD, 0);
	assert_int_equal(finish(&b, &q), QUERY_OTHER);
	other = question(QUERY_SRV, "_IMAPS._TCP.example.ORG");
	dns_begin(&b, &other, FLAGS_GOOD, 0);
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
}

/* ---- what makes no sense ---- */

static void
survives_each_cut(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD, 2);
	dns_put_cname(&b, NULL, "x.example");
	dns_put_srv(&b, "x.example", 0, 0, 993, "y.example");
	for (size_t cut = 0; cut <= b.n; cut++) {
		/* a copy, so that a sanitizer sees each octet too many */
		char *copy = malloc(cut + 1);
		enum query_verdict v;

		assert_non_null(copy);
		memcpy(copy, buf_span(&b).p, cut);
		v = query_read(span_make(copy, cut), &q, records, &n, &ad, &e);
		assert_int_equal(
		    v, cut < 12 + q.n ? QUERY_OTHER : QUERY_ANSWERED);
		assert_int_equal(n, cut == b.n);
		free(copy);
	}
	buf_deinit(&b);
}

static void
ends_with_names_that_point_in_a_circle(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;
	unsigned int at;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD, 3);
	at = (unsigned int)b.n;
	dns_put16(&b, 0xc000 | at); /* to itself */
	dns_put(&b, "\0\x21\0\1\0\0\0\0\0\0", 10);
	assert_int_equal(read_it(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 0);
	buf_deinit(&b);

	dns_begin(&b, &q, FLAGS_GOOD, 1);
	dns_put_srv(&b, NULL, 0, 0, 993, "x");
	/* the target points to itself, and behind the end */
	b.mem[b.off + b.n - 3] = (char)0xc0;
	b.mem[b.off + b.n - 2] = (char)(b.n - 3);
	assert_int_equal(read_it(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 0);
	b.mem[b.off + b.n - 2] = (char)0xff;
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, 0);
}

static void
takes_so_many_records_and_no_more(void **state)
{
	struct query_question q = question(QUERY_SRV, NAME);
	struct buf b;

	(void)state;
	dns_begin(&b, &q, FLAGS_GOOD, 1000);
	for (unsigned int i = 0; i < 1000; i++)
		dns_put_srv(&b, NULL, i, 0, 993, "x.example");
	assert_int_equal(finish(&b, &q), QUERY_ANSWERED);
	assert_int_equal(n, QUERY_RECORDS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_as_the_rfc_says),
		cmocka_unit_test(refuses_what_is_no_name),
		cmocka_unit_test(puts_servers_in_the_order_to_try),
		cmocka_unit_test(knows_the_target_that_says_there_is_none),
		cmocka_unit_test(leaves_out_targets_that_are_no_hosts),
		cmocka_unit_test(reads_tlsa),
		cmocka_unit_test(reads_mx),
		cmocka_unit_test(follows_aliases),
		cmocka_unit_test(ends_with_aliases_that_go_in_a_circle),
		cmocka_unit_test(takes_a_missing_name_for_no_records),
		cmocka_unit_test(says_what_a_server_says),
		cmocka_unit_test(knows_one_that_is_older_than_edns),
		cmocka_unit_test(does_not_hear_other_answers),
		cmocka_unit_test(survives_each_cut),
		cmocka_unit_test(ends_with_names_that_point_in_a_circle),
		cmocka_unit_test(takes_so_many_records_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
