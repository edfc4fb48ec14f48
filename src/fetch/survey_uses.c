/* SPDX-License-Identifier: ISC */
#include "fetch/survey_uses.h"

#include <stdio.h>
#include <string.h>

#include "fetch/survey_tell.h"
#include "util/text.h"

#define WORDS 200

static void
tell(const struct survey_params *p, const char *topic, const char *what)
{
	survey_tell(p, FACT_USE, span_of(topic), span_of(what));
}

/* ---- IMAP ---- */

static void
put_poll(char *dst, size_t size, const char *why, uint64_t s)
{
	char every[32];

	snprintf(dst, size, "%s, so it is looked every %s", why,
	    text_span_of_time(every, sizeof(every), s));
}

static void
tell_watch(const struct survey_params *p, const struct imap *m)
{
	const struct fetch_stay *stay = &p->fetch->stay;
	bool notify = stay->notify && imap_can(m, "NOTIFY");
	bool idle = stay->idle && imap_can(m, "IDLE");
	char words[WORDS];

	if (!stay->on)
		put_poll(words, sizeof(words), "watch = poll", stay->poll_s);
	else if (notify)
		snprintf(words, sizeof(words), "told at once, by NOTIFY%s",
		    idle ? " and IDLE" : "");
	else if (idle)
		snprintf(words, sizeof(words), "told at once, by IDLE");
	else
		put_poll(words, sizeof(words), "the server offers no IDLE",
		    stay->poll_s);
	tell(p, "new mail", words);
}

static void
tell_removal(const struct survey_params *p, const struct imap *m)
{
	const char *how =
	    "no UIDPLUS: nothing is expunged while deleted mail of others "
	    "stands there";

	if (!p->fetch->remove)
		return;
	if (imap_can(m, "UIDPLUS"))
		how = "our own messages alone, by UIDPLUS";
	else if (p->fetch->expunge_others)
		how = "no UIDPLUS: EXPUNGE takes along what others marked as "
		      "deleted (expunge-others)";
	tell(p, "removal", how);
}

static void
tell_unused(const struct survey_params *p, const struct imap *m)
{
	static const char *const all[] = { "COMPRESS=DEFLATE", "CONDSTORE",
		"QRESYNC", "MOVE", "NAMESPACE", "SPECIAL-USE", "ENABLE",
		"OBJECTID" };
	char words[WORDS];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (imap_can(m, all[i]))
			n += (size_t)snprintf(words + n, sizeof(words) - n,
			    "%s%s", n == 0 ? "" : ", ", all[i]);
	if (n > 0)
		tell(p, "offered, not used", words);
}

void
survey_uses_imap(const struct survey_params *p, const struct imap *m)
{
	bool at_once = p->fetch->stay.list_status && imap_can(m, "LIST-STATUS");

	tell_watch(p, m);
	tell(p, "mailboxes that are not watched",
	    at_once ? "all in one question, by LIST-STATUS"
		    : "one by one, by STATUS");
	tell_removal(p, m);
	tell_unused(p, m);
}

/* ---- POP3 ---- */

static void
tell_known(const struct survey_params *p, const struct pop3 *m)
{
	bool listed = pop3_capabilities(m).n > 0;

	if (pop3_can(m, "UIDL"))
		tell(p, "known mail", "told from new by UIDL");
	else if (listed && !p->fetch->remove)
		tell(p, "known mail",
		    "the server does not offer UIDL: what stays there can "
		    "hardly be told from new mail (after = delete can)");
}

static void
tell_expiry(const struct survey_params *p, const struct pop3 *m)
{
	unsigned int days;
	char words[WORDS];

	if (!pop3_expires(m, &days))
		return;
	if (days == 0)
		snprintf(words, sizeof(words),
		    "the server removes mail once it was fetched");
	else
		snprintf(words, sizeof(words),
		    "the server removes mail after %u days", days);
	tell(p, "removal", words);
}

void
survey_uses_pop3(const struct survey_params *p, const struct pop3 *m)
{
	uint64_t s = p->fetch->stay.safety_s;
	unsigned int delay = pop3_login_delay_s(m);
	char words[WORDS], every[32];

	text_span_of_time(every, sizeof(every), delay > s ? delay : s);
	snprintf(words, sizeof(words), "looked for every %s%s", every,
	    delay > s ? ", as the server wants it (LOGIN-DELAY)" : "");
	tell(p, "new mail", words);
	tell_known(p, m);
	tell_expiry(p, m);
	if (p->fetch->pop3.pipelining && pop3_can(m, "PIPELINING"))
		tell(p, "speed", "commands are sent ahead, by PIPELINING");
}
