/* SPDX-License-Identifier: ISC */
#include "proc/cas.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "util/mem.h"

#define CA_MAX (16 * 1024 * 1024) /* as of who packs it */
#define NUMBER_MAX 1000000

struct ca {
	struct tls_ctx *ctx; /* NULL: they could not be read, and */
	struct err e;        /* why */
};

struct cas {
	struct ca **v; /* by number; NULL: none */
	size_t n;
};

struct cas *
cas_new(void)
{
	return mem_new(sizeof(struct cas));
}

void
cas_free(struct cas **p)
{
	struct cas *c = *p;

	*p = NULL;
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i] != NULL)
			tls_ctx_free(&c->v[i]->ctx);
		free(c->v[i]);
	}
	free(c->v);
	free(c);
}

/* One that trusts the same. */
static const struct tls_ctx *
find_like(const struct cas *c, const struct tls_rules *rules)
{
	for (size_t i = c->n; i-- > 0;)
		if (c->v[i] != NULL && c->v[i]->ctx != NULL &&
		    tls_ctx_trusts(c->v[i]->ctx, rules))
			return c->v[i]->ctx;
	return NULL;
}

static struct tls_ctx *
make_ctx(const struct cas *c, struct span packed, struct err *e)
{
	struct unpack u = unpack_of(packed);
	struct tls_rules rules;

	if (tls_rules_unpack(&u, &rules))
		return tls_ctx_new_beside(find_like(c, &rules), &rules, e);
	err_set(e, ERR_TEMP, 0, "the rules of TLS make no sense");
	return NULL;
}

/* Of what is mapped nothing is written to other memory but by OpenSSL. */
static struct tls_ctx *
read_ca(const struct cas *c, int fd, struct err *e)
{
	struct tls_ctx *ctx;
	struct stat st;
	void *map = MAP_FAILED;

	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= CA_MAX)
		map = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		err_set(e, ERR_TEMP, 0, "the certificates cannot be read");
		return NULL;
	}
	ctx = make_ctx(c, span_make(map, (size_t)st.st_size), e);
	munmap(map, (size_t)st.st_size);
	return ctx;
}

bool
cas_add(struct cas *c, uint32_t number, int fd)
{
	if (number == 0 || number >= NUMBER_MAX || cas_has(c, number))
		return false;
	if (number >= c->n) {
		c->v = mem_grow(c->v, number + 1, sizeof(*c->v));
		while (c->n <= number)
			c->v[c->n++] = NULL;
	}
	c->v[number] = mem_new(sizeof(**c->v));
	c->v[number]->ctx = read_ca(c, fd, &c->v[number]->e);
	return true;
}

bool
cas_has(const struct cas *c, uint32_t number)
{
	return number == 0 || (number < c->n && c->v[number] != NULL);
}

struct tls_ctx *
cas_get(const struct cas *c, uint32_t number, const struct err **e)
{
	if (number == 0)
		return NULL;
	if (c->v[number]->ctx == NULL)
		*e = &c->v[number]->e;
	return c->v[number]->ctx;
}
