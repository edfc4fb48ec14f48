/* SPDX-License-Identifier: ISC */
#include "util/streak.h"

#include <string.h>

unsigned int
streak_add(struct streak *s, const char *what)
{
	char begin[STREAK_OCTETS] = "";
	size_t n = strcspn(what, ":<");

	if (n >= sizeof(begin))
		n = sizeof(begin) - 1;
	memcpy(begin, what, n);
	if (strcmp(begin, s->what) != 0)
		s->n = 0;
	memcpy(s->what, begin, sizeof(begin));
	return ++s->n;
}

void
streak_end(struct streak *s)
{
	s->n = 0;
}
