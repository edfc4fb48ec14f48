/* SPDX-License-Identifier: ISC */
#include "sys/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "util/text.h"

#define WORDS_MAX 2048
#define WAIT_S 1

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

bool
notify_wanted(void)
{
	return variable("NOTIFY_SOCKET") != NULL;
}

/* "/path", or "@name" of the abstract kind; 0 for anything else, "vsock:"
 * of virtual machines among it. */
static socklen_t
find_manager(const char *name, struct sockaddr_un *at)
{
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n >= sizeof(at->sun_path))
		return 0;
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(at->sun_path, name, n);
	if (name[0] == '@')
		at->sun_path[0] = '\0';
	else
		n++; /* with its NUL; the abstract name has none */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static int
send_to(const char *name, const char *words)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	struct sockaddr_un at;
	socklen_t n = find_manager(name, &at);
	int fd, r = -1, why;

	errno = EINVAL;
	if (n == 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
	    sendto(fd, words, strlen(words), MSG_NOSIGNAL,
		(const struct sockaddr *)&at, n) >= 0)
		r = 0;
	why = errno;
	close(fd);
	errno = why;
	return r;
}

void
notify_say(const char *fmt, ...)
{
	const char *name = variable("NOTIFY_SOCKET");
	char words[WORDS_MAX];
	va_list ap;

	if (name == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	if (send_to(name, words) < 0)
		log_debug(
		    "notify", "cannot tell %s: %s", name, strerror(errno));
}

void
notify_reloading(void)
{
	notify_say(
	    "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_us());
}

static bool
number(const char *name, uint64_t *out)
{
	struct span s = span_of(variable(name));

	return text_number(&s, UINT64_MAX, out) && s.n == 0;
}

uint64_t
notify_watchdog_ms(void)
{
	uint64_t us, pid;

	if (!number("WATCHDOG_USEC", &us) || us == 0)
		return 0;
	if (variable("WATCHDOG_PID") != NULL &&
	    (!number("WATCHDOG_PID", &pid) || pid != (uint64_t)getpid()))
		return 0;
	return us < 1000 ? 1 : us / 1000;
}
