/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_FETCH_SCRIPTED_H
#define MAILHAUL_TESTS_UNIT_FETCH_SCRIPTED_H

/*
 * A server on loopback that follows a script: a list of rules; a line from
 * the client is answered by the first rule that fits and is not used up.
 */

#include <stdbool.h>
#include <stddef.h>

#include "io/loop.h"

struct scripted;

struct rig_rule {
	const char *hear; /* stands in the line; NULL: on connecting */
	const char *say;  /* "%T" is the tag; NULL: hang up */
	bool hang_up;     /* after saying it */
	bool for_ever;    /* is never used up */
	unsigned int ms;  /* it is said so much later; one at a time */
};

/* heard takes all lines of all clients, LF between. */
struct scripted *scripted_new(struct loop *loop, char *heard, size_t size);
void scripted_free(struct scripted **s);
unsigned int scripted_port(const struct scripted *s);

/* From now on clients are let in. The script ends in { 0 }; at is called when
 * a client has said mark, which is not answered. It may stop and free what it
 * likes. NULL: nothing is. */
void scripted_open(struct scripted *s, const struct rig_rule *script,
    const char *mark, loop_fn at, void *arg);
void scripted_close(struct scripted *s); /* all clients are gone */

/* More than one client at a time; else a new one ends the one before. */
void scripted_let_many(struct scripted *s);
/* After every line, and whenever a client came or went. */
void scripted_watch(struct scripted *s, loop_fn fn, void *arg);
/* To those who have selected this mailbox; NULL: to all. How many. */
size_t scripted_say(struct scripted *s, const char *mailbox, const char *text);
/* The same without a word, and they are gone. */
size_t scripted_hang_up(struct scripted *s, const char *mailbox);
size_t scripted_clients(const struct scripted *s);
/* How often a mailbox was selected by one who was not alone in it. */
unsigned int scripted_shared(const struct scripted *s);

#endif
