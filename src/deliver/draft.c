/* SPDX-License-Identifier: ISC */
#include "deliver/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/eol.h"
#include "deliver/fingerprint.h"
#include "util/mem.h"

#define DESK_OCTETS 65536

struct desk {
	struct draft *owner; /* of the octets, or NULL */
	size_t n;
	struct digest_state *digest;
	char octets[DESK_OCTETS];
};

struct draft {
	struct desk *desk; /* not ours */
	int fd;            /* -1: closed */
	struct eol eol;
	struct fingerprint *fingerprint;
	uint64_t given, written;
	struct err e; /* the first failure */
};

struct desk *
desk_new(void)
{
	struct desk *d = mem_new(sizeof(*d));

	d->digest = digest_new();
	return d;
}

void
desk_free(struct desk **d)
{
	if (*d == NULL)
		return;
	digest_free(&(*d)->digest);
	free(*d);
	*d = NULL;
}

struct draft *
draft_new(struct desk *desk, int fd)
{
	struct draft *d = mem_new(sizeof(*d));

	d->desk = desk;
	d->fd = fd;
	eol_init(&d->eol);
	d->fingerprint = fingerprint_new();
	return d;
}

void
draft_free(struct draft **p)
{
	struct draft *d = *p;

	if (d == NULL)
		return;
	*p = NULL;
	if (d->desk->owner == d)
		d->desk->owner = NULL;
	if (d->fd >= 0)
		close(d->fd);
	fingerprint_free(&d->fingerprint);
	free(d);
}

static void
failed(struct draft *d)
{
	if (d->e.kind == ERR_NONE)
		err_set(&d->e, ERR_DELIVER, errno, "cannot write: %s",
		    strerror(errno));
}

/* Writes what its owner left on the desk. */
static void
clear_desk(struct desk *desk)
{
	struct draft *d = desk->owner;
	size_t done = 0;

	desk->owner = NULL;
	if (d == NULL || d->e.kind != ERR_NONE)
		return;
	while (done < desk->n) {
		ssize_t n = write(d->fd, desk->octets + done, desk->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			failed(d);
			return;
		}
		done += (size_t)n;
	}
	d->written += done;
}

static void
sit_down(struct draft *d)
{
	if (d->desk->owner == d)
		return;
	clear_desk(d->desk);
	d->desk->owner = d;
	d->desk->n = 0;
}

int
draft_write(struct draft *d, struct span octets, struct err *e)
{
	struct desk *desk = d->desk;

	d->given += octets.n;
	fingerprint_add(d->fingerprint, octets);
	while (octets.n > 0 && d->e.kind == ERR_NONE) {
		sit_down(d);
		desk->n += eol_convert(&d->eol, &octets, desk->octets + desk->n,
		    sizeof(desk->octets) - desk->n);
		if (desk->n == sizeof(desk->octets))
			clear_desk(desk);
	}
	if (d->e.kind == ERR_NONE)
		return 0;
	*e = d->e;
	return -1;
}

uint64_t
draft_octets(const struct draft *d)
{
	return d->given;
}

int
draft_finish(struct draft *d, uint64_t *octets, struct digest *fingerprint,
    struct err *e)
{
	sit_down(d);
	/* there is room: a full desk is cleared at once */
	d->desk->n += eol_end(&d->eol, d->desk->octets + d->desk->n);
	clear_desk(d->desk);
	/* some file systems report a full disk only here */
	if (close(d->fd) < 0 && errno != EINTR)
		failed(d);
	d->fd = -1;
	*octets = d->written;
	fingerprint_end(d->fingerprint, d->desk->digest, d->given, fingerprint);
	if (d->e.kind == ERR_NONE)
		return 0;
	*e = d->e;
	return -1;
}
