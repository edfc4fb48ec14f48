/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_WALLS_H
#define MAILHAUL_PROC_WALLS_H

/*
 * The walls around a deliverer that runs no programs: it can use the
 * directories that mail goes to, and that of its ledger; see io/sandbox.h for
 * what else it cannot do.
 *
 *	walls_add() of each place, walls_put_up() before the first thread
 *
 * A wall stands around a directory, not around its name. One that was put in
 * its place since (another was mounted there, or made after the first was
 * removed) is behind it: walls_outdated() tells, and only a new process helps.
 */

#include <stdbool.h>

struct walls; /* of one process */

struct walls *walls_new(void);
void walls_free(struct walls **w); /* they stay; NULL is fine */

/* make: missing directories are made, as they would be for the first message;
 * behind the walls they could not. Of two words on one path the last counts. */
void walls_add(struct walls *w, const char *path, bool make);

/* What the kernel does not have is logged. local_sockets: it may make some. */
void walls_put_up(struct walls *w, bool local_sockets);

/* The path that leads to another directory than at walls_put_up(), or NULL;
 * not before it. */
const char *walls_outdated(const struct walls *w);

#endif
