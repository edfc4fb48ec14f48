/* SPDX-License-Identifier: ISC */
#include "proc/stores.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/tls_ca.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "util/mem.h"

#define FRESH_MS 1000 /* for the many accounts that are given at a time */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct store {
	char *file;    /* NULL: the system's */
	uint64_t read; /* when that was last its content */
	size_t size;
	int fd;
};

struct stores {
	struct store *v;
	uint32_t n;
};

static bool
same_file(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The engine can do nothing to it that the next one would see. */
static int
keep(struct span pem, struct err *e)
{
	int fd = memfd_create("certificates", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_set(
		    e, ERR_TEMP, errno, "memfd: %s", strerror(errno));
	if (file_write_all(fd, pem, "memfd", e) == 0) {
		if (fcntl(fd, F_ADD_SEALS, SEALS) == 0)
			return fd;
		err_set(e, ERR_TEMP, errno, "memfd: %s", strerror(errno));
	}
	close(fd);
	return -1;
}

static int
add(struct stores *s, const char *file, struct span pem, struct err *e)
{
	int fd = keep(pem, e);

	if (fd < 0)
		return -1;
	s->v = mem_grow(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = (struct store){
		.file = mem_strdup(file),
		.read = clock_ms(),
		.size = pem.n,
		.fd = fd,
	};
	return 0;
}

static bool
find_fresh(const struct stores *s, const char *file, uint32_t *number)
{
	uint64_t now = clock_ms();

	for (*number = s->n; *number > 0; (*number)--) {
		const struct store *it = &s->v[*number - 1];

		if (same_file(it->file, file) && now - it->read < FRESH_MS)
			return true;
	}
	return false;
}

static bool
holds(const struct store *it, struct span pem)
{
	void *map;
	bool same;

	if (it->size != pem.n)
		return false;
	map = mmap(NULL, it->size, PROT_READ, MAP_SHARED, it->fd, 0);
	if (map == MAP_FAILED)
		return false;
	same = memcmp(map, pem.p, pem.n) == 0;
	munmap(map, it->size);
	return same;
}

static bool
find_same(struct stores *s, const char *file, struct span pem, uint32_t *number)
{
	for (*number = s->n; *number > 0; (*number)--) {
		struct store *it = &s->v[*number - 1];

		if (same_file(it->file, file) && holds(it, pem)) {
			it->read = clock_ms();
			return true;
		}
	}
	return false;
}

int
stores_find(struct stores *s, const char *file, uint32_t *number, struct err *e)
{
	struct buf pem;
	int r;

	if (find_fresh(s, file, number))
		return 0;
	r = tls_read_ca(file, &pem, e);
	if (r == 0 && !find_same(s, file, buf_span(&pem), number)) {
		r = add(s, file, buf_span(&pem), e);
		*number = s->n;
	}
	buf_deinit(&pem);
	return r;
}

/* Beside no file: "" is no path. */
int
stores_find_text(
    struct stores *s, const char *pem, uint32_t *number, struct err *e)
{
	if (find_same(s, "", span_of(pem), number))
		return 0;
	if (add(s, "", span_of(pem), e) != 0)
		return -1;
	*number = s->n;
	return 0;
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
		free(s->v[i].file);
	}
	free(s->v);
	free(s);
}
