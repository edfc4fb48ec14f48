/* SPDX-License-Identifier: ISC */
#include "fetch/delivered.h"

#include <inttypes.h>
#include <stdio.h>

#include "sys/log.h"

#define TO_MAX 320

/* A relay's server is known here, unless it is behind a socket. */
static void
write_to(char to[TO_MAX], const struct fetch_params *params, const char *told)
{
	const struct relay_params *r = &params->relay;
	const char *by = r->lmtp.smtp ? "smtp" : "lmtp";

	if (!params->relays)
		snprintf(to, TO_MAX, "%s", told);
	else if (told[0] != '\0')
		snprintf(to, TO_MAX, "%s %s", by, told);
	else
		snprintf(
		    to, TO_MAX, "%s %s:%u", by, r->conn.host, r->conn.port);
}

void
delivered_log(const struct fetch_params *params, const struct client_box *box,
    const char *mailbox, const char *what, uint32_t number)
{
	const struct client_delivery *d = client_delivery(box);
	bool pop3 = mailbox[0] == '\0';
	char to[TO_MAX], uid[16], size[24], ms[16];
	const struct log_field fields[] = { { "account", params->subject },
		{ "mailbox", mailbox }, { pop3 ? "number" : "uid", uid },
		{ "size", size }, { "to", to }, { "ms", ms } };

	if (!log_wants(LOG_LEVEL_INFO))
		return;
	write_to(to, params, d->to);
	snprintf(uid, sizeof(uid), "%" PRIu32, number);
	snprintf(size, sizeof(size), "%" PRIu64, d->octets);
	snprintf(ms, sizeof(ms), "%u", d->ms);
	log_record(LOG_LEVEL_INFO, params->subject, fields,
	    sizeof(fields) / sizeof(*fields),
	    "%s%sdelivered %s%s %s (%s octets) to %s in %s ms", mailbox,
	    pop3 ? "" : ": ", what, pop3 ? "message" : "uid", uid, size, to,
	    ms);
}
