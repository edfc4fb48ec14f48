/* SPDX-License-Identifier: ISC */
#include "io/tls_resume.h"

#include <openssl/err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "sys/clock.h"
#include "util/mem.h"

#define SESSION_MAX 16384 /* octets; a ticket may hold a certificate of ours */

struct entry {
	TAILQ_ENTRY(entry) link;
	char *key;
	unsigned char *der; /* a secret */
	size_t n;           /* 0: the key is barred */
	int64_t since;
	struct tls_known known;
};

TAILQ_HEAD(entries, entry);

struct tls_cache {
	struct entries v; /* the newest first */
	size_t n, octets;
};

struct tls_cache *
tls_cache_new(void)
{
	struct tls_cache *c = mem_new(sizeof(*c));

	TAILQ_INIT(&c->v);
	return c;
}

static void
drop(struct tls_cache *c, struct entry *it)
{
	TAILQ_REMOVE(&c->v, it, link);
	c->n--;
	c->octets -= it->n;
	if (it->n > 0)
		mem_wipe(it->der, it->n);
	free(it->der);
	free(it->key);
	free(it);
}

void
tls_cache_free(struct tls_cache **p)
{
	struct tls_cache *c = *p;

	*p = NULL;
	if (c == NULL)
		return;
	while (!TAILQ_EMPTY(&c->v))
		drop(c, TAILQ_FIRST(&c->v));
	free(c);
}

size_t
tls_cache_count(const struct tls_cache *c)
{
	return c->n;
}

/* ---- keeping ---- */

static void
make_room(struct tls_cache *c, const char *key, size_t octets)
{
	struct entry *it, *next;
	size_t same = 0;

	for (it = TAILQ_FIRST(&c->v); it != NULL; it = next) {
		next = TAILQ_NEXT(it, link);
		if (strcmp(it->key, key) == 0 && ++same >= TLS_CACHE_PER_KEY)
			drop(c, it);
	}
	while (c->n >= TLS_CACHE_SESSIONS ||
	    (c->n > 0 && c->octets + octets > TLS_CACHE_OCTETS))
		drop(c, TAILQ_LAST(&c->v, entries));
}

/* Its own lifetime, as the server said, may be shorter. */
static int64_t
until(const SSL_SESSION *session, const struct tls_known *known)
{
	int64_t end = (int64_t)SSL_SESSION_get_time(session) +
	    (int64_t)SSL_SESSION_get_timeout(session);

	return end < known->until ? end : known->until;
}

/* Those that have run out are dropped on the way. */
static struct entry *
find(struct tls_cache *c, const char *key)
{
	int64_t now = clock_wall_s();
	struct entry *it, *next;

	for (it = TAILQ_FIRST(&c->v); it != NULL; it = next) {
		next = TAILQ_NEXT(it, link);
		if (it->known.until <= now)
			drop(c, it);
		else if (strcmp(it->key, key) == 0)
			return it;
	}
	return NULL;
}

static bool
is_barred(struct tls_cache *c, const char *key)
{
	const struct entry *it = find(c, key);

	return it != NULL && it->n == 0;
}

static bool
has_enough(const struct tls_cache *c, const char *key)
{
	int64_t now = clock_wall_s();
	const struct entry *it;
	size_t n = 0;

	TAILQ_FOREACH (it, &c->v, link)
		if (strcmp(it->key, key) == 0 && it->since <= now &&
		    now - it->since < TLS_CACHE_FRESH_S)
			n++;
	return n >= TLS_CACHE_PER_KEY;
}

/* With n octets to be filled in. */
static struct entry *
add(struct tls_cache *c, const char *key, size_t n)
{
	struct entry *it = mem_new(sizeof(*it));

	make_room(c, key, n);
	it->key = mem_strdup(key);
	it->n = n;
	it->since = clock_wall_s();
	TAILQ_INSERT_HEAD(&c->v, it, link);
	c->n++;
	c->octets += n;
	return it;
}

void
tls_cache_keep(struct tls_cache *c, const char *key, SSL_SESSION *session,
    const struct tls_known *known)
{
	bool wanted =
	    SSL_SESSION_is_resumable(session) == 1 && !has_enough(c, key);
	int n = wanted ? i2d_SSL_SESSION(session, NULL) : 0;
	unsigned char *end;
	struct entry *it;

	if (n <= 0 || n > SESSION_MAX || is_barred(c, key))
		return;
	it = add(c, key, (size_t)n);
	it->der = end = mem_new(it->n);
	i2d_SSL_SESSION(session, &end);
	it->known = *known;
	it->known.until = until(session, known);
}

void
tls_cache_bar(struct tls_cache *c, const char *key)
{
	struct entry *it;

	while ((it = find(c, key)) != NULL)
		drop(c, it);
	add(c, key, 0)->known.until = clock_wall_s() + TLS_CACHE_DAY_S;
}

/* ---- using ---- */

SSL_SESSION *
tls_cache_take(struct tls_cache *c, const char *key, struct tls_known *known)
{
	struct entry *it = find(c, key);
	const unsigned char *der;
	SSL_SESSION *session;

	if (it == NULL || it->n == 0)
		return NULL;
	der = it->der;
	session = d2i_SSL_SESSION(NULL, &der, (long)it->n);
	*known = it->known;
	drop(c, it);
	ERR_clear_error();
	return session;
}
