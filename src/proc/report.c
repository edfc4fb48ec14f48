/* SPDX-License-Identifier: ISC */
#include "proc/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "util/mem.h"
#include "util/text.h"

#define WIDTH 100
#define SHOWN_MAX 20 /* moving lines: more would scroll */

struct row {
	const char *name; /* not ours */
	char doing[32];
	struct fetch_progress progress;
	uint64_t removed, troubles;
	bool ended, failed; /* failed: by more than troubles */
	uint64_t end_ms;
};

struct report {
	enum report_style style;
	struct row *rows;
	size_t n, drawn;
	int name_width;
	uint64_t start_ms;
};

enum report_style
report_style_for(bool quiet, unsigned int verbose)
{
	if (quiet)
		return REPORT_SILENT;
	if (isatty(STDERR_FILENO) && verbose == 0)
		return REPORT_MOVING;
	if (verbose > 0 || isatty(STDOUT_FILENO))
		return REPORT_SUMMARY;
	return REPORT_SILENT;
}

struct report *
report_new(enum report_style style, size_t accounts)
{
	struct report *r = mem_new(sizeof(*r));

	r->style = style;
	r->n = accounts;
	r->rows = mem_array(accounts + 1, sizeof(*r->rows));
	r->start_ms = clock_ms();
	return r;
}

void
report_free(struct report **r)
{
	if (*r == NULL)
		return;
	free((*r)->rows);
	free(*r);
	*r = NULL;
}

void
report_name(struct report *r, size_t account, const char *name)
{
	int width = (int)strlen(name);

	r->rows[account].name = name;
	snprintf(
	    r->rows[account].doing, sizeof(r->rows[account].doing), "waiting");
	if (width > r->name_width)
		r->name_width = width < 30 ? width : 30;
}

void
report_progress(
    struct report *r, size_t account, const struct fetch_progress *progress)
{
	struct row *row = &r->rows[account];

	row->progress = *progress;
	text_printable(
	    row->doing, sizeof(row->doing), span_of(progress->doing));
}

void
report_result(
    struct report *r, size_t account, const struct fetch_result *result)
{
	struct row *row = &r->rows[account];

	report_progress(r, account, &result->progress);
	row->removed = result->removed;
	row->troubles = result->troubles;
	row->ended = true;
	row->failed = result->err.kind != ERR_NONE &&
	    (result->err.kind != ERR_MESSAGE || result->troubles == 0);
	row->end_ms = clock_ms();
}

/* ---- the moving lines ---- */

static uint64_t
per_second(uint64_t n, uint64_t ms)
{
	return ms == 0 ? 0 : n * 1000 / ms;
}

/* Seconds that the rest will take at the pace so far; 0: no telling. */
static uint64_t
time_left(const struct fetch_progress *p, uint64_t ms)
{
	if (p->messages == 0 || p->total <= p->messages)
		return 0;
	if (p->total_octets > p->octets && p->octets > 0)
		return (p->total_octets - p->octets) * ms / p->octets / 1000;
	return (p->total - p->messages) * ms / p->messages / 1000;
}

static void
draw_row(const struct report *r, const struct row *row)
{
	const struct fetch_progress *p = &row->progress;
	uint64_t ms = (row->ended ? row->end_ms : clock_ms()) - r->start_ms;
	uint64_t left = row->ended ? 0 : time_left(p, ms);
	char octets[32];
	char rate[32];
	char eta[32];
	char line[WIDTH * 3];

	text_octets(octets, sizeof(octets), p->octets);
	text_octets(rate, sizeof(rate), per_second(p->octets, ms));
	text_span_of_time(eta, sizeof(eta), left);
	snprintf(line, sizeof(line),
	    "%-*.*s  %-10s %7" PRIu64 "/%-7" PRIu64 " %9s %9s/s%s%s",
	    r->name_width, r->name_width, row->name,
	    row->failed ? "failed" : row->doing, p->messages, p->total, octets,
	    rate, left > 0 ? "  left: " : "", left > 0 ? eta : "");
	fprintf(stderr, "\r\033[K%.*s\n", WIDTH, line);
}

void
report_clear(struct report *r)
{
	if (r->drawn > 0)
		fprintf(stderr, "\033[%zuA\r\033[J", r->drawn);
	r->drawn = 0;
}

void
report_draw(struct report *r)
{
	if (r->style != REPORT_MOVING)
		return;
	report_clear(r);
	for (size_t i = 0; i < r->n && r->drawn < SHOWN_MAX; i++) {
		if (r->n > SHOWN_MAX && r->rows[i].ended)
			continue;
		draw_row(r, &r->rows[i]);
		r->drawn++;
	}
	fflush(stderr);
}

/* ---- the summary ---- */

static void
say_row(const struct report *r, const struct row *row)
{
	const struct fetch_progress *p = &row->progress;
	uint64_t ms = row->end_ms - r->start_ms;
	char octets[32];

	text_octets(octets, sizeof(octets), p->octets);
	printf("%s: ", row->name);
	if (p->messages == 0 && row->troubles > 0)
		printf("no mail delivered");
	else if (p->messages == 0)
		printf("no new mail");
	else
		printf("%" PRIu64 " message%s (%s) in %" PRIu64 ".%" PRIu64
		       " s",
		    p->messages, p->messages == 1 ? "" : "s", octets, ms / 1000,
		    ms % 1000 / 100);
	if (row->removed > 0)
		printf(", %" PRIu64 " removed on the server", row->removed);
	if (row->troubles > 0)
		printf(", %" PRIu64 " did not get through (mailhaul held %s)",
		    row->troubles, row->name);
	printf("%s\n", row->failed ? ", then failed" : "");
}

void
report_end(struct report *r)
{
	report_clear(r);
	if (r->style == REPORT_SILENT)
		return;
	for (size_t i = 0; i < r->n; i++)
		if (!r->rows[i].failed || r->rows[i].progress.messages > 0 ||
		    r->rows[i].troubles > 0)
			say_row(r, &r->rows[i]);
	fflush(stdout);
}
