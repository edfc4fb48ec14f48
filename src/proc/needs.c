/* SPDX-License-Identifier: ISC */
#include "proc/needs.h"

#include <stdlib.h>
#include <string.h>

#include "io/ipc.h"
#include "util/mem.h"
#include "util/pack.h"

#define NUMBER_OCTETS 8 /* at most, of what is packed beside a string */

/* ---- places ---- */

/* Takes path. */
static void
add_place(struct needs *needs, char *path, bool make)
{
	for (size_t i = 0; i < needs->n; i++) {
		if (strcmp(needs->places[i].path, path) != 0)
			continue;
		needs->places[i].make |= make;
		free(path);
		return;
	}
	needs->places =
	    mem_grow(needs->places, needs->n + 1, sizeof(*needs->places));
	needs->places[needs->n++] = (struct needs_place){ path, make };
}

/* An mbox is locked by a file beside it. */
static char *
folder_of(const char *path)
{
	size_t n = (size_t)(strrchr(path, '/') - path);

	return mem_spandup(span_make(path, n == 0 ? 1 : n));
}

void
needs_add(struct needs *needs, const struct conf_account *a)
{
	switch (a->way) {
	case CONF_MAILDIR:
		add_place(needs, mem_strdup(a->maildir), true);
		break;
	case CONF_MBOX:
		add_place(needs, folder_of(a->mbox), false);
		break;
	case CONF_MDA:
		needs->programs = true;
		needs->privileges |= a->mda_new_privileges;
		break;
	case CONF_LMTP:
	case CONF_SMTP:
		needs->sockets |= a->relay.socket != NULL;
		break;
	}
}

void
needs_deinit(struct needs *needs)
{
	for (size_t i = 0; i < needs->n; i++)
		free(needs->places[i].path);
	free(needs->places);
	*needs = (struct needs){ 0 };
}

bool
needs_pack_places(const struct needs *needs, size_t *at, struct buf *b)
{
	size_t began = *at;

	for (; *at < needs->n; (*at)++) {
		const struct needs_place *p = &needs->places[*at];

		/* paths are far shorter: wire_pack_target() had to fit, too */
		if (b->n + strlen(p->path) + NUMBER_OCTETS > IPC_PAYLOAD_MAX)
			break;
		pack_u8(b, p->make);
		pack_str(b, p->path);
	}
	return *at > began;
}
