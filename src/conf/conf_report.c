/* SPDX-License-Identifier: ISC */
#include "conf/conf_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/text.h"

#define TEXT_MAX 1024
#define COMPLAINTS_MAX 200

void
conf_report_init(struct conf_report *r)
{
	*r = (struct conf_report){ 0 };
}

void
conf_report_deinit(struct conf_report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		free(r->v[i].text);
	free(r->v);
	conf_report_init(r);
}

static char *
with_place(struct conf_place at, const char *text)
{
	char shown[TEXT_MAX];

	text_printable(shown, sizeof(shown), span_of(text));
	if (at.line == 0)
		return mem_printf("%s: %s", at.path, shown);
	return mem_printf("%s:%u: %s", at.path, at.line, shown);
}

static void
add(struct conf_report *r, size_t file, unsigned int line, char *text)
{
	r->v = mem_grow(r->v, r->n + 1, sizeof(*r->v));
	r->v[r->n] = (struct conf_complaint){
		.file = file, .order = r->n, .line = line, .text = text
	};
	r->n++;
}

void
conf_complain(struct conf_report *r, struct conf_place at, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	if (r->n == COMPLAINTS_MAX) {
		r->full = true;
		return;
	}
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	add(r, at.file, at.line, with_place(at, text));
}

static int
by_place(const void *a, const void *b)
{
	const struct conf_complaint *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

char **
conf_report_take(struct conf_report *r, size_t *n)
{
	char **texts;
	size_t i;

	if (r->n > 1)
		qsort(r->v, r->n, sizeof(*r->v), by_place);
	if (r->full)
		add(r, 0, 0, mem_strdup("and more errors, not shown"));
	texts = mem_array(r->n + 1, sizeof(*texts));
	for (i = 0; i < r->n; i++)
		texts[i] = r->v[i].text;
	*n = r->n;
	free(r->v);
	conf_report_init(r);
	return texts;
}

const char *
conf_nearest_word(const char *name, const char *const *words)
{
	/* a third of the letters may be wrong, and at least one */
	unsigned int best = (unsigned int)strlen(name) / 3 + 2;
	const char *nearest = NULL;

	for (; *words != NULL; words++) {
		unsigned int d = text_distance(name, *words, best);

		if (d < best) {
			best = d;
			nearest = *words;
		}
	}
	return nearest;
}
