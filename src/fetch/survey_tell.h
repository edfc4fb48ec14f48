/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_SURVEY_TELL_H
#define MAILHAUL_FETCH_SURVEY_TELL_H

/* The facts of a survey that are the same for both protocols, and how any is
 * told. */

#include "fetch/quirks.h"
#include "fetch/survey.h"
#include "session/imap_session.h"

/* Printable, cut, and without the secret: a server may repeat it wherever it
 * likes. dst is returned. */
const char *survey_shown(
    const struct survey_params *p, char *dst, size_t size, struct span text);

/* Texts of any octets: see survey_shown(). An empty a tells
 * nothing. */
void survey_tell(const struct survey_params *p, enum fact_kind kind,
    struct span a, struct span b);

/* Where the connection ends and what its TLS is, as far as it came. */
void survey_tell_way(const struct survey_params *p, const struct conn *c);

/* NULL: it was not chosen yet. */
void survey_tell_login(
    const struct survey_params *p, const struct sasl_choice *choice);

void survey_tell_quirks(
    const struct survey_params *p, const struct quirks_signs *signs);

#endif
