/* SPDX-License-Identifier: ISC */
#include "conf/conf_watch.h"

#include "conf/conf_list.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define MINUTE_S UINT64_C(60)

/* POP3 has one mailbox and tells nothing by itself. */
static void
refuse_imap(struct conf_reader *r, const struct conf_section *own,
    const struct conf_account *a)
{
	static const struct {
		const char *name, *text;
	} t[] = {
		{ "mailboxes", "is for IMAP: POP3 has one mailbox, remove it" },
		{ "idle-renew", "is for IMAP: remove it" },
		{ "max-connections",
		    "is for IMAP: POP3 has one connection, remove it" },
		{ "notify", "is for IMAP: remove it" },
		{ "list-status", "is for IMAP: remove it" },
	};

	const struct conf_setting *s;
	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		s = conf_section_get(own, t[i].name);
		if (s != NULL)
			conf_refuse(r, s, t[i].text);
	}
	s = conf_section_get(own, "watch");
	if (s != NULL && a->watch == CONF_WATCH_IDLE)
		conf_refuse(r, s, "= idle is for IMAP: remove it");
}

static void
finish_pop3(struct conf_account *a)
{
	conf_list_free(&a->mailboxes);
	a->watch = CONF_WATCH_POLL;
	a->max_connections = 1;
	a->notify = a->list_status = false;
}

/* Where a server tells of new mail, looking is but a safeguard. */
static void
set_intervals(struct conf_account *a)
{
	a->poll_s = a->interval_s;
	if (a->interval_s != 0)
		return;
	if (a->protocol == CONF_POP3) {
		a->interval_s = a->poll_s = 10 * MINUTE_S;
		return;
	}
	a->poll_s = 5 * MINUTE_S;
	a->interval_s = a->watch == CONF_WATCH_IDLE ? 15 * MINUTE_S : a->poll_s;
}

void
conf_watch_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	if (a->protocol == CONF_POP3) {
		refuse_imap(r, own, a);
		finish_pop3(a);
	} else if (a->mailboxes.n == 0) {
		conf_list_add(&a->mailboxes, "INBOX");
	}
	set_intervals(a);
}
