/* SPDX-License-Identifier: ISC */
#include "proc/doors.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/listen.h"
#include "util/mem.h"

/* /run/mailhaul, where no service manager has made it. Others may pass
 * through: the socket has rights of its own. */
static void
make_parent(const char *path)
{
	char *parent = mem_strdup(path);
	char *slash = strrchr(parent, '/');

	if (slash != NULL && slash != parent) {
		*slash = '\0';
		(void)mkdir(parent, 0755);
	}
	free(parent);
}

static int
find_group(const struct conf *conf, int *group, struct err *e)
{
	const struct group *g;

	*group = -1;
	if (conf->control_group == NULL)
		return 0;
	g = getgrnam(conf->control_group);
	if (g == NULL)
		return err_set(e, ERR_CONFIG, 0,
		    "control-group: there is no group \"%s\"",
		    conf->control_group);
	*group = (int)g->gr_gid;
	return 0;
}

int
doors_control(const struct conf *conf, int *group, struct err *e)
{
	if (find_group(conf, group, e) != 0)
		return -1;
	make_parent(conf->control);
	return listen_unix(
	    conf->control, *group < 0 ? 0600 : 0660, *group, SOCK_SEQPACKET, e);
}

int
doors_metrics(const struct conf *conf, int *fd, struct err *e)
{
	const struct conf_server *m = &conf->metrics;

	*fd = -1;
	if (m->socket == NULL && m->host == NULL)
		return 0;
	*fd = m->socket != NULL
	    ? listen_unix(m->socket, 0666, -1, SOCK_STREAM, e)
	    : listen_ip(m->host, m->port, e);
	return *fd >= 0 ? 0 : err_prefix(e, "metrics");
}

void
doors_remove(const struct conf *conf, bool metrics)
{
	(void)unlink(conf->control);
	if (metrics && conf->metrics.socket != NULL)
		(void)unlink(conf->metrics.socket);
}
