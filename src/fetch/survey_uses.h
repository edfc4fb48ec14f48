/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_SURVEY_USES_H
#define MAILHAUL_FETCH_SURVEY_USES_H

/* Which of the abilities of a server are used for an account, in words. */

#include "fetch/survey.h"

void survey_uses_imap(const struct survey_params *p, const struct imap *m);
void survey_uses_pop3(const struct survey_params *p, const struct pop3 *m);

#endif
