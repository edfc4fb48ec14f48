/* SPDX-License-Identifier: ISC */
#include "proc/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/log.h"
#include "util/mem.h"

#define NAMES_MAX 200

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_server(const struct conf_server *a, const struct conf_server *b)
{
	return same_text(a->socket, b->socket) && same_text(a->host, b->host) &&
	    a->port == b->port;
}

static void
name_it(char *dst, size_t size, bool same, const char *name)
{
	size_t n = strlen(dst);

	if (!same)
		snprintf(dst + n, size - n, "%s%s", n == 0 ? "" : ", ", name);
}

char *
reload_fixed(
    const struct conf *old, const struct conf *new, char *dst, size_t size)
{
	dst[0] = '\0';
	name_it(
	    dst, size, same_text(old->state_dir, new->state_dir), "state-dir");
	name_it(dst, size, same_text(old->control, new->control), "control");
	name_it(dst, size, same_text(old->control_group, new->control_group),
	    "control-group");
	name_it(
	    dst, size, same_text(old->engine_user, new->engine_user), "user");
	name_it(
	    dst, size, same_server(&old->metrics, &new->metrics), "metrics");
	name_it(dst, size,
	    old->max_connections_per_host == new->max_connections_per_host,
	    "max-connections-per-host");
	return dst;
}

void
reload_warn(const struct conf *conf)
{
	for (size_t i = 0; i < conf->warnings.n; i++)
		log_warning("mailhaul", "%s", conf->warnings.v[i]);
}

static void
refuse(char **errors, size_t n, reload_say_fn say, void *arg)
{
	static const char kept[] = "the running configuration is kept";

	for (size_t i = 0; i < n; i++) {
		log_error("mailhaul", "%s", errors[i]);
		say(arg, true, errors[i]);
	}
	log_error("mailhaul", kept);
	say(arg, true, kept);
}

static void
say_fixed(const struct conf *first, const struct conf *new, reload_say_fn say,
    void *arg)
{
	char names[NAMES_MAX];
	char *line;

	reload_fixed(first, new, names, sizeof(names));
	if (names[0] == '\0')
		return;
	line = mem_printf("needs a restart to take effect: %s", names);
	log_warning("mailhaul", "%s", line);
	say(arg, true, line);
	free(line);
}

struct conf *
reload_read(const struct conf *first, reload_say_fn say, void *arg)
{
	char **errors;
	size_t n;
	struct conf *new = conf_load(first->path, &errors, &n);

	if (new == NULL) {
		refuse(errors, n, say, arg);
	} else {
		reload_warn(new);
		say_fixed(first, new, say, arg);
	}
	conf_errors_free(&errors, &n);
	return new;
}
