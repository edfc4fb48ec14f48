/* SPDX-License-Identifier: ISC */
#include "proc/state_lock.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/file.h"
#include "util/mem.h"

#define WAIT_MS 5000
#define STEP_MS 50

int
state_lock(const char *state_dir, struct err *e)
{
	bool busy = false;
	char *path;
	int dir = file_make_dir(state_dir, e);
	int fd;

	if (dir < 0)
		return -1;
	close(dir);
	path = mem_printf("%s/lock", state_dir);
	fd = file_lock(path, &busy, e);
	for (int ms = 0; fd < 0 && busy && ms < WAIT_MS; ms += STEP_MS) {
		(void)poll(NULL, 0, STEP_MS);
		fd = file_lock(path, &busy, e);
	}
	free(path);
	if (fd < 0 && busy)
		return err_set(e, ERR_LOCKED, 0,
		    "another mailhaul works on %s (a daemon, or a fetch)",
		    state_dir);
	return fd;
}
