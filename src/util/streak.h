/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_STREAK_H
#define MAILHAUL_UTIL_STREAK_H

/*
 * Counts how often in a row the same was said. One message may be refused;
 * when all are, and in the same words, something else is wrong than they.
 */

#define STREAK_LONG 20 /* from then on it is no accident */
#define STREAK_OCTETS 48

struct streak { /* zeroed is fine */
	unsigned int n;
	char what[STREAK_OCTETS];
};

/* Now it has been said n times in a row. Words are compared up to the first
 * ':' or '<', behind which they speak of the single case. */
unsigned int streak_add(struct streak *s, const char *what);
void streak_end(struct streak *s);

#endif
