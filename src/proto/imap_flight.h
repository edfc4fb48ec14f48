/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_FLIGHT_H
#define MAILHAUL_PROTO_IMAP_FLIGHT_H

/* Commands in flight: sent (or waiting to be), and not yet answered by the
 * tagged reply that ends them. In the order they were made. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum imap_verb {
	IMAP_VERB_CAPABILITY,
	IMAP_VERB_STARTTLS,
	IMAP_VERB_LOGIN, /* AUTHENTICATE or LOGIN */
	IMAP_VERB_ID,
	IMAP_VERB_LOGOUT,
	IMAP_VERB_LIST, /* from here on: requests */
	IMAP_VERB_LIST_STATUS,
	IMAP_VERB_DELIMITER, /* LIST "" "" */
	IMAP_VERB_STATUS,
	IMAP_VERB_SELECT,
	IMAP_VERB_SEARCH,
	IMAP_VERB_FETCH,
	IMAP_VERB_SIZES,
	IMAP_VERB_HEADERS, /* some of their fields */
	IMAP_VERB_WHOLE_HEADERS,
	IMAP_VERB_STORE,
	IMAP_VERB_EXPUNGE,
	IMAP_VERB_NOTIFY,
	IMAP_VERB_NOOP,
	IMAP_VERB_IDLE
};

struct imap_cmd {
	uint32_t tag;
	enum imap_verb verb;
	bool spoilt;                           /* SEARCH: a number was lost */
	uint32_t exists, uidvalidity, uidnext; /* SELECT: what was heard */
	bool read_only;
};

struct imap_flight {
	struct imap_cmd *cmd;
	size_t n, cap;
};

void imap_flight_init(struct imap_flight *f);
void imap_flight_deinit(struct imap_flight *f);

/* Gives back the memory that those in flight do not need. */
void imap_flight_rest(struct imap_flight *f);

void imap_flight_add(struct imap_flight *f, enum imap_verb verb, uint32_t tag);

/* Takes the command of that tag out; false when there is none. */
bool imap_flight_take(
    struct imap_flight *f, uint32_t tag, struct imap_cmd *cmd);

/* The oldest of its kind, or NULL. Valid until the next change. */
struct imap_cmd *imap_flight_oldest(
    const struct imap_flight *f, enum imap_verb verb);

size_t imap_flight_requests(const struct imap_flight *f);

/* The oldest request, or NULL. */
const struct imap_cmd *imap_flight_first_request(const struct imap_flight *f);

#endif
