/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_REQUESTS_H
#define MAILHAUL_PROC_REQUESTS_H

/*
 * What the peers of the control socket ask for, done with the rolls, and
 * answered: at once, or when the results are there.
 */

#include "proc/control.h"
#include "proc/rolls.h"

struct requests;

struct requests_hooks {
	/* All but the owner's knowledge is filled in. */
	void (*describe)(void *arg, struct control_daemon *out);
	/* Answered by requests_reloaded(), from the loop or at once. */
	void (*reload)(void *arg);
};

/* rolls is not ours. */
struct requests *requests_new(struct loop *loop, struct rolls *rolls,
    const struct requests_hooks *hooks, void *arg);
void requests_free(struct requests **r);

/* Takes fd; see control_add(). */
void requests_add(struct requests *r, int fd, bool allowed);

/* What the rolls tells. */
void requests_progress(struct requests *r, const struct rolls_entry *entry,
    const struct fetch_progress *progress);
void requests_result(struct requests *r, const struct rolls_entry *entry,
    const struct fetch_result *result);

/* A line to all who asked for a reload; then the end of it. */
void requests_reload_says(struct requests *r, bool bad, const char *line);
void requests_reloaded(struct requests *r, int status);

#endif
