/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_STATUS_SHOW_H
#define MAILHAUL_PROC_STATUS_SHOW_H

/* What "mailhaul status" prints: a table for people, JSON for programs. */

#include <stdio.h>

#include "proc/control_wire.h"

struct status_show {
	struct control_daemon daemon;
	struct control_account *accounts;
	size_t n;
};

/* Both copy what they are given. */
void status_show_daemon(
    struct status_show *s, const struct control_daemon *daemon);
void status_show_add(
    struct status_show *s, const struct control_account *account);
void status_show_free(struct status_show *s); /* empty again */

/* Something is wrong with it that will not pass by itself at once. */
bool status_show_fails(const struct control_account *account);

/* width: columns of the terminal; 0: as wide as need be. */
void status_show_table(
    const struct status_show *s, FILE *out, size_t width, int64_t now);
void status_show_json(const struct status_show *s, FILE *out);

#endif
