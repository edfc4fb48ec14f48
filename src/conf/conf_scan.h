/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_SCAN_H
#define MAILHAUL_CONF_CONF_SCAN_H

/*
 * Washes the text of a file before libconfuse sees it. libconfuse counts a
 * line too many for each comment, reads on to the next quote when one is
 * forgotten, fills in ${VARIABLES}, and drops silently what it does not know
 * (a "*" outside quotes, all behind a NUL). So comments go out here, quotes
 * end on their line, a dollar is a dollar, and the rest is an error with the
 * right line. The grammar is libconfuse's: nothing here knows an option.
 */

#include "conf/conf_report.h"
#include "util/buf.h"
#include "util/span.h"

struct conf_scan {
	struct buf text;             /* as many lines as the input */
	unsigned int *section_lines; /* where each section begins, in order */
	size_t n_sections;
};

/* The text may be used even after complaints: it has no broken quote, escape
 * or comment left. It may hold a password: conf_scan_deinit() wipes it. */
void conf_scan_init(struct conf_scan *s);
void conf_scan(struct conf_scan *s, struct span in, struct conf_place file,
    struct conf_report *r);
void conf_scan_deinit(struct conf_scan *s);

#endif
