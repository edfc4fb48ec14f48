/* SPDX-License-Identifier: ISC */
/*
 * What a hostile engine writes for its parent's log. Whatever it is, the log
 * gets at most one line of each, of text, and as JSON an object that any
 * reader takes.
 */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/log_json.h"
#include "sys/log_relay.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int n_lines;

static void
count(enum log_level level, const char *line)
{
	assert(level <= LOG_LEVEL_TRACE);
	assert(!text_breaks_line(span_of(line)) && text_is_utf8(span_of(line)));
	n_lines++;
}

/* As sys/log.c does it: printable first. */
static void
check_json(const struct log_relayed *r)
{
	char subject[LOG_LINE_MAX], message[LOG_LINE_MAX];
	struct log_line line = r->line;
	struct buf b;
	struct span all;
	json_t *v;

	line.subject =
	    text_printable(subject, sizeof(subject), span_of(line.subject));
	line.message =
	    text_printable(message, sizeof(message), span_of(line.message));
	buf_init(&b, LOG_JSON_MAX);
	log_json_write(&b, &line, 0, 0);
	all = buf_span(&b);
	v = json_loadb(all.p, all.n, JSON_REJECT_DUPLICATES, NULL);
	assert(v != NULL && !text_breaks_line(all));
	json_decref(v);
	buf_deinit(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = span_make((const char *)data, size);
	struct log_relayed *r = malloc(sizeof(*r));

	assert(r != NULL);
	log_set_sink(count);
	n_lines = 0;
	log_relay("engine", line);
	assert(n_lines == (size > 0));
	if (log_relay_read(line, r))
		check_json(r);
	free(r);
	return 0;
}
