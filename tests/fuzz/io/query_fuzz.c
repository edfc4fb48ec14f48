/* SPDX-License-Identifier: ISC */
/*
 * What a hostile name server answers: the first octet chooses what was asked,
 * the rest is the answer, whose number and question are made to fit.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/query_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_record(enum query_type type, const struct query_record *r)
{
	size_t n = strnlen(r->target, sizeof(r->target));

	assert(n < sizeof(r->target));
	assert(strpbrk(r->target, " \n\"\\{}/:;") == NULL);
	assert(type != QUERY_TLSA || (r->n > 0 && r->n <= sizeof(r->data)));
	assert(type != QUERY_MX || r->port == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct query_record records[QUERY_RECORDS_MAX];
	struct query_question q = { .id = 0x4d48 };
	struct err e;
	size_t n;
	bool ad;
	char *m;

	if (size == 0 || size > QUERY_MESSAGE_MAX)
		return 0;
	q.type = (enum query_type)(data[0] % 3);
	if (query_question_init(&q, "_imaps._tcp.example", &e) != 0)
		abort();
	size--;
	m = malloc(size + 1);
	assert(m != NULL);
	memcpy(m, data + 1, size);
	if (size >= 12 + q.n) {
		memcpy(m, "MH", 2);
		memcpy(m + 12, q.wire, q.n);
	}
	if (query_read(span_make(m, size), &q, records, &n, &ad, &e) !=
	    QUERY_ANSWERED)
		assert(n == 0);
	assert(n <= QUERY_RECORDS_MAX);
	for (size_t i = 0; i < n; i++)
		check_record(q.type, &records[i]);
	free(m);
	return 0;
}
