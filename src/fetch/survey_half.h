/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_SURVEY_HALF_H
#define MAILHAUL_FETCH_SURVEY_HALF_H

/*
 * What a survey and its protocol's half share. The half tells facts and ends
 * by one call of done.
 */

#include "fetch/survey.h"

struct survey_half {
	const struct survey_params *params; /* not ours */
	void (*done)(void *arg, const struct err *e);
	void *arg; /* of done */
};

struct survey_driver {
	void *(*start)(const struct survey_half *half);
	/* Tells what it knows and has not told; done is not called. */
	void (*stop)(void *run);
	void (*free)(void *run);
};

extern const struct survey_driver survey_imap;
extern const struct survey_driver survey_pop3;

#endif
