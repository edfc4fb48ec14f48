/* SPDX-License-Identifier: ISC */
/*
 * A hostile provider, or what somebody pasted. The first octet says which of
 * them is read, the second the status of HTTP; the rest is what was said.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/oauth.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned int statuses[] = { 200, 400, 401, 428, 429, 500, 302, 0 };

/* What goes on the wire, to a terminal or into a form later. */
static void
check_visible(struct span s)
{
	assert(s.n > 0);
	for (size_t i = 0; i < s.n; i++)
		assert(s.p[i] >= ' ' && s.p[i] <= '~');
}

static void
check_error(const struct err *e)
{
	assert(e->kind != ERR_NONE && e->text[0] != '\0');
	for (const char *c = e->text; *c != '\0'; c++)
		assert((unsigned char)*c >= ' ' && *c != '\177');
}

static void
read_device(unsigned int status, struct span body)
{
	struct oauth_device d;
	struct err e = { 0 };

	if (oauth_read_device(status, body, &d, &e) == OAUTH_OK) {
		assert(status == 200);
		check_visible(secret_span(d.device_code));
		check_visible(span_of(d.user_code));
		check_visible(span_of(d.url));
		assert(d.interval_s <= 300 && d.expires_s <= 86400);
	} else {
		check_error(&e);
		assert(d.device_code == NULL && d.url == NULL);
	}
	oauth_device_deinit(&d);
}

static void
read_tokens(unsigned int status, struct span body)
{
	struct oauth_tokens t;
	struct err e = { 0 };
	enum oauth_verdict v = oauth_read_tokens(status, body, &t, &e);

	if (v == OAUTH_OK) {
		assert(status == 200);
		check_visible(secret_span(t.access));
		if (t.refresh != NULL)
			check_visible(secret_span(t.refresh));
	} else {
		check_error(&e);
		assert(t.access == NULL && t.refresh == NULL);
	}
	oauth_tokens_deinit(&t);
}

static void
read_redirect(struct span url)
{
	struct err e = { 0 };
	struct secret *code = oauth_read_redirect(url, "xyz", &e);

	if (code != NULL) {
		check_visible(secret_span(code));
		assert(span_has(url, SPAN("code=")));
		assert(span_has(url, SPAN("state=")));
	} else {
		check_error(&e);
	}
	secret_free(&code);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy; /* so that ASan sees its end */
	struct span s;
	unsigned int status;

	if (size < 2)
		return 0;
	copy = mem_grow(NULL, size - 2 + (size == 2), 1);
	memcpy(copy, data + 2, size - 2);
	s = span_make(copy, size - 2);
	status = statuses[data[1] % (sizeof(statuses) / sizeof(*statuses))];
	if (data[0] % 3 == 0)
		read_device(status, s);
	else if (data[0] % 3 == 1)
		read_tokens(status, s);
	else
		read_redirect(s);
	free(copy);
	return 0;
}
