/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_recipients.h"

#include <assert.h>
#include <stdlib.h>

#include "util/mem.h"

void
lmtp_recipients_init(
    struct lmtp_recipients *r, const struct span *addresses, size_t n)
{
	*r = (struct lmtp_recipients){ .n = n, .from = n };
	r->list = mem_array(n, sizeof(*r->list));
	for (size_t i = 0; i < n; i++)
		r->list[i].address = mem_spandup(addresses[i]);
}

void
lmtp_recipients_deinit(struct lmtp_recipients *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->list[i].address);
	free(r->list);
	*r = (struct lmtp_recipients){ 0 };
}

size_t
lmtp_recipients_find(
    const struct lmtp_recipients *r, size_t i, enum lmtp_standing standing)
{
	while (i < r->n && r->list[i].standing != standing)
		i++;
	return i;
}

void
lmtp_recipients_welcome(struct lmtp_recipients *r, size_t i)
{
	assert(r->list[i].standing == LMTP_UNASKED);
	r->list[i].standing = LMTP_WELCOME;
	r->welcome++;
}

void
lmtp_recipients_answer(struct lmtp_recipients *r, size_t i,
    enum lmtp_verdict verdict, const char *text)
{
	struct lmtp_recipient *it = &r->list[i];

	assert(it->standing < LMTP_ANSWERED);
	r->welcome -= it->standing == LMTP_WELCOME;
	it->standing = LMTP_ANSWERED;
	it->verdict = verdict;
	err_set(&it->err, verdict == LMTP_ACCEPTED ? ERR_NONE : ERR_MESSAGE, 0,
	    "%.100s: %s", it->address, text);
	r->due++;
	if (i < r->from)
		r->from = i;
}

void
lmtp_recipients_answer_all(struct lmtp_recipients *r,
    enum lmtp_standing standing, enum lmtp_verdict verdict, const char *text)
{
	size_t i = lmtp_recipients_find(r, 0, standing);

	for (; i < r->n; i = lmtp_recipients_find(r, i, standing))
		lmtp_recipients_answer(r, i, verdict, text);
}

bool
lmtp_recipients_tell(struct lmtp_recipients *r, struct lmtp_info *info)
{
	struct lmtp_recipient *it;

	if (r->due == 0)
		return false;
	r->from = lmtp_recipients_find(r, r->from, LMTP_ANSWERED);
	it = &r->list[r->from];
	it->standing = LMTP_TOLD;
	info->recipient = r->from;
	info->verdict = it->verdict;
	info->err = it->err;
	if (--r->due == 0)
		r->from = r->n;
	return true;
}
