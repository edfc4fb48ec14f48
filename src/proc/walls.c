/* SPDX-License-Identifier: ISC */
#include "proc/walls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/sandbox.h"
#include "sys/crash.h"
#include "sys/file.h"
#include "sys/log.h"
#include "util/mem.h"

struct wall_place {
	char *path;
	bool make;
	bool there; /* it is the directory of this number: */
	dev_t dev;
	ino_t ino;
};

struct walls {
	struct wall_place *v;
	size_t n;
	bool up;
};

/* Only to be read: chance for the database, and who has a dotlock. Of other
 * processes Landlock shows what anybody may see. */
static const char *const to_read[] = { "/dev/urandom", "/proc" };

#define N_READ (sizeof(to_read) / sizeof(*to_read))

struct walls *
walls_new(void)
{
	return mem_new(sizeof(struct walls));
}

void
walls_free(struct walls **p)
{
	struct walls *w = *p;

	if (w == NULL)
		return;
	*p = NULL;
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i].path);
	free(w->v);
	free(w);
}

void
walls_add(struct walls *w, const char *path, bool make)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcmp(w->v[i].path, path) == 0) {
			w->v[i].make = make;
			return;
		}
	}
	w->v = mem_grow(w->v, w->n + 1, sizeof(*w->v));
	w->v[w->n++] =
	    (struct wall_place){ .path = mem_strdup(path), .make = make };
}

/* What cannot be made is told when mail comes, which is the time to act. */
static void
settle(struct wall_place *p)
{
	struct stat st;
	struct err e;
	int fd = p->make ? file_make_dir(p->path, &e) : -1;

	if (fd >= 0)
		close(fd);
	p->there = stat(p->path, &st) == 0;
	if (p->there) {
		p->dev = st.st_dev;
		p->ino = st.st_ino;
	}
}

static size_t
list_fixed(struct sandbox_place *list)
{
	size_t n = 0;

	for (size_t i = 0; i < N_READ; i++)
		if (access(to_read[i], R_OK) == 0)
			list[n++] = (struct sandbox_place){ to_read[i], false };
	for (size_t i = 0; i < CRASH_FILES; i++)
		if (crash_file(i) != NULL)
			list[n++] =
			    (struct sandbox_place){ crash_file(i), true };
	return n;
}

void
walls_put_up(struct walls *w, bool local_sockets)
{
	struct sandbox_place *list =
	    mem_array(w->n + N_READ + CRASH_FILES, sizeof(*list));
	size_t n = list_fixed(list);
	struct err e;

	for (size_t i = 0; i < w->n; i++) {
		settle(&w->v[i]);
		if (w->v[i].there)
			list[n++] =
			    (struct sandbox_place){ w->v[i].path, true };
	}
	if (sandbox_deliverer(list, n, local_sockets, &e) != 0)
		log_notice("deliverer", "%s", e.text);
	free(list);
	w->up = true;
}

const char *
walls_outdated(const struct walls *w)
{
	struct stat st;

	for (size_t i = 0; w->up && i < w->n; i++) {
		const struct wall_place *p = &w->v[i];
		bool there = stat(p->path, &st) == 0;

		if (there &&
		    !(p->there && st.st_dev == p->dev && st.st_ino == p->ino))
			return p->path;
	}
	return NULL;
}
