/* SPDX-License-Identifier: ISC */
#include "proc/stores.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/file.h"
#include "util/mem.h"

#define FRESH_MS 1000 /* for the many accounts that are given at a time */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct store {
	struct buf print; /* of what was asked */
	uint64_t read;    /* when that was last its content */
	bool stale;       /* it is not known any more whether it still is */
	size_t size;
	int fd;
};

struct stores {
	struct store *v;
	uint32_t n;
};

/* The engine can do nothing to it that the next one would see. */
static int
keep(struct span packed, struct err *e)
{
	int fd = memfd_create("tls", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_set(
		    e, ERR_TEMP, errno, "memfd: %s", strerror(errno));
	if (file_write_all(fd, packed, "memfd", e) == 0) {
		if (fcntl(fd, F_ADD_SEALS, SEALS) == 0)
			return fd;
		err_set(e, ERR_TEMP, errno, "memfd: %s", strerror(errno));
	}
	close(fd);
	return -1;
}

static int
add(struct stores *s, struct span print, struct span packed, struct err *e)
{
	int fd = keep(packed, e);
	struct store *it;

	if (fd < 0)
		return -1;
	s->v = mem_grow(s->v, s->n + 1, sizeof(*s->v));
	it = &s->v[s->n++];
	*it = (struct store){ .read = clock_ms(), .size = packed.n, .fd = fd };
	buf_init(&it->print, print.n);
	(void)buf_add(&it->print, print);
	return 0;
}

static bool
find_fresh(const struct stores *s, struct span print, uint32_t *number)
{
	uint64_t now = clock_ms();

	for (*number = s->n; *number > 0; (*number)--) {
		const struct store *it = &s->v[*number - 1];

		if (!it->stale && now - it->read < FRESH_MS &&
		    span_eq(buf_span(&it->print), print))
			return true;
	}
	return false;
}

static bool
holds(const struct store *it, struct span packed)
{
	void *map;
	bool same;

	if (it->size != packed.n)
		return false;
	map = mmap(NULL, it->size, PROT_READ, MAP_SHARED, it->fd, 0);
	if (map == MAP_FAILED)
		return false;
	same = memcmp(map, packed.p, packed.n) == 0;
	munmap(map, it->size);
	return same;
}

static bool
find_same(
    struct stores *s, struct span print, struct span packed, uint32_t *number)
{
	for (*number = s->n; *number > 0; (*number)--) {
		struct store *it = &s->v[*number - 1];

		if (span_eq(buf_span(&it->print), print) && holds(it, packed)) {
			it->read = clock_ms();
			it->stale = false;
			return true;
		}
	}
	return false;
}

static int
find(struct stores *s, const struct trust *trust, struct span print,
    uint32_t *number, struct err *e)
{
	struct buf packed;
	int r;

	/* what somebody else has read is there at once, and may differ */
	if (!trust->foreign && find_fresh(s, print, number))
		return 0;
	buf_init(&packed, TRUST_MAX);
	r = trust_pack(trust, &packed, e);
	if (r == 0 && !find_same(s, print, buf_span(&packed), number)) {
		r = add(s, print, buf_span(&packed), e);
		*number = s->n;
	}
	buf_wipe(&packed);
	return r;
}

int
stores_find(struct stores *s, const struct trust *trust, uint32_t *number,
    struct err *e)
{
	struct buf print;
	int r;

	buf_init(&print, TRUST_MAX);
	trust_print(trust, &print);
	r = find(s, trust, buf_span(&print), number, e);
	buf_deinit(&print);
	return r;
}

void
stores_reread(struct stores *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		s->v[i].stale = true;
}

uint32_t
stores_count(const struct stores *s)
{
	return s->n;
}

int
stores_fd(const struct stores *s, uint32_t number)
{
	return s->v[number - 1].fd;
}

struct stores *
stores_new(void)
{
	return mem_new(sizeof(struct stores));
}

void
stores_free(struct stores **p)
{
	struct stores *s = *p;

	if (s == NULL)
		return;
	*p = NULL;
	for (uint32_t i = 0; i < s->n; i++) {
		close(s->v[i].fd);
		buf_deinit(&s->v[i].print);
	}
	free(s->v);
	free(s);
}
