/* SPDX-License-Identifier: ISC */
#include "fetch/relay_mail.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

struct relay_mail *
relay_mail_new(struct letter *l, uint32_t number, letter_fn fn)
{
	struct relay_mail *m = mem_new(sizeof(*m));

	m->letter = l;
	m->number = number;
	m->fn = fn;
	return m;
}

void
relay_mail_free(struct relay_mail **p)
{
	struct relay_mail *m = *p;

	*p = NULL;
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n_to; i++)
		free(m->to[i]);
	free(m->sender);
	free(m);
}

static bool
has_it(const struct letter_content *content, struct span recipient)
{
	for (size_t i = 0; i < content->n_reached; i++)
		if (span_eq(content->reached[i], recipient))
			return true;
	return false;
}

static void
add_recipient(struct relay_mail *m, const struct letter_content *content,
    struct span recipient)
{
	bool more = m->n_to < RELAY_RECIPIENTS_MAX;

	for (size_t i = 0; i < m->n_to; i++)
		if (span_eq(span_of(m->to[i]), recipient))
			return; /* whoever is named twice gets it once */
	if (more && !has_it(content, recipient))
		m->to[m->n_to++] = mem_spandup(recipient);
}

void
relay_mail_fill(struct relay_mail *m, const struct letter_content *content,
    const char *const *recipients, size_t n)
{
	m->fd = content->fd;
	m->octets = content->octets;
	m->eight_bit = content->eight_bit;
	m->bare = content->bare;
	m->sender = mem_spandup(content->sender);
	if (content->recipient.n > 0) {
		add_recipient(m, content, content->recipient);
		return;
	}
	for (size_t i = 0; i < n; i++)
		add_recipient(m, content, span_of(recipients[i]));
}

void
relay_mail_begin(struct relay_mail *m)
{
	m->at = 0;
	m->heard = m->ended = false;
	memset(m->answers, 0, sizeof(m->answers));
	err_clear(&m->refusal);
}

void
relay_mail_answer(struct relay_mail *m, const struct lmtp_info *info)
{
	struct relay_answer *a = &m->answers[info->recipient];

	m->heard = true;
	a->given = true;
	a->verdict = info->verdict;
	if (info->verdict != LMTP_ACCEPTED && m->refusal.kind == ERR_NONE)
		m->refusal = info->err;
}

bool
relay_mail_done(const struct relay_mail *m)
{
	for (size_t i = 0; i < m->n_to; i++)
		if (!m->answers[i].given ||
		    m->answers[i].verdict != LMTP_ACCEPTED)
			return false;
	return true;
}

bool
relay_mail_is_for_later(const struct relay_mail *m)
{
	for (size_t i = 0; i < m->n_to; i++)
		if (!m->answers[i].given || m->answers[i].verdict == LMTP_LATER)
			return true;
	return false;
}

size_t
relay_mail_reached(
    const struct relay_mail *m, struct span reached[RELAY_RECIPIENTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_to; i++)
		if (m->answers[i].given &&
		    m->answers[i].verdict == LMTP_ACCEPTED)
			reached[n++] = span_of(m->to[i]);
	return n;
}
