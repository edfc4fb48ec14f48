/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_REPORT_H
#define MAILHAUL_PROC_REPORT_H

/*
 * What a person sees of a fetch: a line per account that moves while there
 * is a terminal, and a summary. Log lines go above the moving ones.
 */

#include <stdbool.h>
#include <stddef.h>

#include "fetch/fetch.h"
#include "sys/log.h"

struct report;

enum report_style {
	REPORT_SILENT,  /* errors only, through the log */
	REPORT_SUMMARY, /* a line per account at the end */
	REPORT_MOVING   /* a terminal: moving lines, then the summary */
};

/* By what it was asked for with, and whether there are terminals. */
enum report_style report_style_for(bool quiet, unsigned int verbose);

struct report *report_new(enum report_style style, size_t accounts);
void report_free(struct report **r);

void report_name(struct report *r, size_t account, const char *name);
/* Copies all of it. */
void report_progress(
    struct report *r, size_t account, const struct fetch_progress *progress);
void report_result(
    struct report *r, size_t account, const struct fetch_result *result);

/* Draws the moving lines anew; nothing when they do not move. */
void report_draw(struct report *r);
/* Takes the moving lines off, so that other text can be written. */
void report_clear(struct report *r);

/* After the last result: the summary on standard output. */
void report_end(struct report *r);

#endif
