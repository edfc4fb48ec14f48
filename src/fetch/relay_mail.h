/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_RELAY_MAIL_H
#define MAILHAUL_FETCH_RELAY_MAIL_H

/*
 * One letter on its way through a relay: for whom it is still to be, and what
 * was answered for each of them. Pure but for its descriptor, which is the
 * letter's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "deliver/client.h"
#include "session/lmtp_session.h"

#define RELAY_RECIPIENTS_MAX 100

struct relay_answer {
	bool given;
	enum lmtp_verdict verdict;
};

struct relay_mail {
	TAILQ_ENTRY(relay_mail) next;
	struct letter *letter; /* NULL: it is ended */
	letter_fn fn;
	uint32_t number;
	/* from letter_asked_fn: */
	int fd; /* not ours */
	uint64_t octets, at;
	bool eight_bit, bare;
	char *sender;
	char *to[RELAY_RECIPIENTS_MAX]; /* that have it not yet */
	size_t n_to;
	struct relay_answer answers[RELAY_RECIPIENTS_MAX];
	struct err refusal; /* of the first that was not an acceptance */
	bool heard;         /* something was answered */
	bool ended;         /* the server may have taken it */
};

struct relay_mail *relay_mail_new(
    struct letter *l, uint32_t number, letter_fn fn);
void relay_mail_free(struct relay_mail **m);

/* recipients are used when the content names none. */
void relay_mail_fill(struct relay_mail *m, const struct letter_content *content,
    const char *const *recipients, size_t n);

void relay_mail_begin(struct relay_mail *m); /* forgets earlier answers */
void relay_mail_answer(struct relay_mail *m, const struct lmtp_info *info);

/* All have it. */
bool relay_mail_done(const struct relay_mail *m);
/* Somebody may have it another time; else those left refuse for good. */
bool relay_mail_is_for_later(const struct relay_mail *m);
/* Who has it now: borrowed; returns how many. */
size_t relay_mail_reached(
    const struct relay_mail *m, struct span reached[RELAY_RECIPIENTS_MAX]);

#endif
