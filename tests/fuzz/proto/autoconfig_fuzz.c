/* SPDX-License-Identifier: ISC */
/*
 * What whoever has a domain may put there as config-v1.1.xml. Whatever it is,
 * the servers that come out have good names, ports and users.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/autoconfig.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct autoconfig_server *s)
{
	size_t n = strnlen(s->host, sizeof(s->host));

	assert(n > 0 && n < sizeof(s->host));
	assert(strpbrk(s->host, " \t\r\n\"'\\{}/:") == NULL);
	assert(s->port > 0 && s->port < 65536);
	n = strnlen(s->user, sizeof(s->user));
	assert(n > 0 && n < sizeof(s->user));
	assert(!text_breaks_line(span_of(s->user)));
	assert(text_is_utf8(span_of(s->user)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct autoconfig got;
	struct err e;

	if (autoconfig_read(span_make((const char *)data, size),
		"alice@example.org", &got, &e) != 0) {
		assert(e.kind == ERR_PROTO);
		return 0;
	}
	assert(got.n <= AUTOCONFIG_SERVERS_MAX);
	for (size_t i = 0; i < got.n; i++)
		check(&got.servers[i]);
	assert((autoconfig_best(&got, AUTOCONFIG_IMAP) == NULL &&
		   autoconfig_best(&got, AUTOCONFIG_POP3) == NULL) ==
	    (got.n == 0));
	return 0;
}
