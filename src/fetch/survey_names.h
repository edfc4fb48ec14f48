/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_SURVEY_NAMES_H
#define MAILHAUL_FETCH_SURVEY_NAMES_H

/*
 * The mailboxes that a survey is told of: the first so many are kept, with
 * what the server says of each; of the rest it is only known how many there
 * are, and how many the option mailboxes chooses.
 */

#include "fetch/survey.h"
#include "session/imap_session.h"

struct survey_name {
	char *text;
	unsigned int marks; /* enum fact_mark */
	uint32_t messages, uidnext, uidvalidity;
	char *trouble;   /* why it cannot be asked about; or NULL */
	uint32_t ticket; /* of its STATUS; 0: not asked yet */
};

struct survey_names { /* zeroed is fine */
	struct survey_name *v;
	size_t n, cap;
	size_t at;     /* behind the one that was looked for last */
	size_t next;   /* to be asked about: first those that are chosen, */
	bool chosen;   /* and these have had their turn */
	uint64_t rest; /* mailboxes that are not kept */
	uint64_t rest_chosen;
};

void survey_names_deinit(struct survey_names *s);

/* IMAP_LISTED: which of the patterns chooses it? */
void survey_names_listed(struct survey_names *s, const char *const *patterns,
    size_t n, const struct imap_info *info);
/* LIST is over: names of the option that it did not tell of. */
void survey_names_missing(
    struct survey_names *s, const char *const *patterns, size_t n);
/* IMAP_COUNTED. */
void survey_names_counted(struct survey_names *s, const struct imap_info *info);
/* The next to ask a STATUS of, or NULL; each once, unless it is counted. With
 * missing alone those that LIST did not tell of. */
struct survey_name *survey_names_next(struct survey_names *s, bool missing);
/* That STATUS was refused: of which, or NULL. */
const struct survey_name *survey_names_refused(
    struct survey_names *s, uint32_t ticket, const struct err *e);
/* How many the option chooses. */
uint64_t survey_names_chosen(const struct survey_names *s);

void survey_names_tell(
    const struct survey_names *s, const struct survey_params *p);

#endif
