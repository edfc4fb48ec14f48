/* SPDX-License-Identifier: ISC */

/*
 * netrc_find() on any text. What must hold: a password or an error, never
 * both; the password is fit for the wire; an error is one printable line.
 */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "conf/netrc.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_error(const struct err *e)
{
	char shown[ERR_TEXT_MAX * 4];

	assert(e->kind == ERR_CONFIG && e->text[0] != '\0');
	text_printable(shown, sizeof(shown), span_of(e->text));
	assert(strcmp(shown, e->text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct secret *s, *again;
	struct err e = { 0 };

	if (size == 0)
		return -1;
	s = netrc_find(text, "h", "u", &e);
	if (s == NULL) {
		check_error(&e);
	} else {
		assert(secret_span(s).n > 0);
		assert(!text_breaks_line(secret_span(s)));
		again = netrc_find(text, "h", "u", &e);
		assert(secret_same(s, again));
		secret_free(&again);
	}
	secret_free(&s);
	return 0;
}
