/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_CLIENT_NOTE_H
#define MAILHAUL_DELIVER_CLIENT_NOTE_H

/* A message that does not get through, as the engine tells of it. */

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

struct client_note {
	uint32_t number;
	bool held; /* else: later, with a growing delay */

	enum client_why {
		CLIENT_WHY_REFUSED, /* where it was to be delivered */
		CLIENT_WHY_NO_DATA, /* the server does not produce it */
		CLIENT_WHY_LARGE    /* larger than the user wants */
	} why;

	unsigned int hold_after; /* later becomes held at so many tries; 0 */
	uint64_t size;           /* octets; 0: not known */
	const char *reason;      /* one line, for people */
	struct span header;      /* octets of its header, if there are any:
	                            they tell people which message it is */
};

struct wire_note;

/* As it is sent of a box by that number: without a letter, and without what
 * its header says. The reason is borrowed, and cut if need be. */
void client_note_put(
    struct wire_note *out, uint32_t box, const struct client_note *note);

#endif
