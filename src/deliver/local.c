/* SPDX-License-Identifier: ISC */
#include "deliver/local.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
fail(const char *path, int why, struct err *e)
{
	if (why == EAGAIN) /* its queue of connections is full */
		return err_set(e, ERR_DELIVER, why,
		    "unix:%s: the server is too busy", path);
	return err_set(e, ERR_DELIVER, why, "unix:%s: %s", path, strerror(why));
}

int
local_dial(const char *path, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, why;

	if (strlen(path) >= sizeof(sa.sun_path))
		return fail(path, ENAMETOOLONG, e);
	memcpy(sa.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(path, errno, e);
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	why = errno;
	close(fd);
	return fail(path, why, e);
}
