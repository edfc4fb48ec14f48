/* SPDX-License-Identifier: ISC */
#include "deliver/maildir_names.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"

/* maildir(5): what must not be in a host name is written in octal. */
static void
write_host(char *dst, size_t size, const char *host)
{
	size_t n = 0;

	for (; *host != '\0' && n + 5 <= size; host++) {
		const char *octal = NULL;

		if (*host == '/')
			octal = "\\057";
		if (*host == ':')
			octal = "\\072";
		if (octal == NULL) {
			dst[n++] = *host;
			continue;
		}
		memcpy(dst + n, octal, 4);
		n += 4;
	}
	dst[n] = '\0';
}

void
maildir_names_init(struct maildir_names *names, const char *token)
{
	char host[256];

	*names = (struct maildir_names){ 0 };
	if (gethostname(host, sizeof(host)) < 0 || host[0] == '\0')
		memcpy(host, "localhost", sizeof("localhost"));
	host[sizeof(host) - 1] = '\0';
	write_host(names->host, sizeof(names->host), host);
	assert(strlen(token) < sizeof(names->token));
	memcpy(names->token, token, strlen(token) + 1);
	/* the number of a process may come again */
	snprintf(names->life, sizeof(names->life), "%08" PRIx32,
	    clock_jitter(UINT32_MAX));
}

void
maildir_names_next(struct maildir_names *names, char dst[MAILDIR_NAME_MAX])
{
	int64_t s;
	uint32_t us;
	int n;

	clock_wall(&s, &us);
	n = snprintf(dst, MAILDIR_NAME_MAX,
	    "%" PRId64 ".M%06" PRIu32 "P%ldQ%" PRIu32 "R%s%s.%s", s, us,
	    (long)getpid(), ++names->count, names->token, names->life,
	    names->host);
	/* room for ",S=" and twenty digits is left, and for the flags */
	assert(n > 0 && n < MAILDIR_NAME_MAX - 32);
}

/* ---- published names ---- */

#define INFO ":2," /* maildir(5): flags follow, in the order of ASCII */

static const char letters[] = "DFRS";

void
maildir_final(char dst[MAILDIR_NAME_MAX], const char *name, uint64_t octets,
    unsigned int flags)
{
	char info[sizeof(INFO) + sizeof(letters)] = INFO;
	size_t at = strlen(INFO);
	int n;

	for (size_t i = 0; letters[i] != '\0'; i++) {
		if ((flags & 1u << i) != 0)
			info[at++] = letters[i];
	}
	if (at == strlen(INFO))
		info[0] = '\0';
	n = snprintf(
	    dst, MAILDIR_NAME_MAX, "%s,S=%" PRIu64 "%s", name, octets, info);
	assert(n > 0 && n < MAILDIR_NAME_MAX);
}

bool
maildir_final_is_cur(const char *final)
{
	return strstr(final, INFO) != NULL;
}

/* Some flags, each once and in order. */
static bool
are_flags(const char *s)
{
	const char *from = letters, *at = s;

	for (; *at != '\0'; at++) {
		const char *found = strchr(from, *at);

		if (found == NULL)
			return false;
		from = found + 1;
	}
	return at > s;
}

bool
maildir_unfinal(char dst[MAILDIR_NAME_MAX], const char *final)
{
	const char *info = strstr(final, INFO), *comma;
	size_t n = info == NULL ? strlen(final) : (size_t)(info - final);

	if (info != NULL && !are_flags(info + strlen(INFO)))
		return false;
	comma = memrchr(final, ',', n);
	if (comma == NULL || strncmp(comma, ",S=", 3) != 0 ||
	    strchr(final, '/') != NULL)
		return false;
	n = (size_t)(comma - final);
	if (n == 0 || n >= MAILDIR_NAME_MAX)
		return false;
	memcpy(dst, final, n);
	dst[n] = '\0';
	return true;
}

bool
maildir_names_left(const struct maildir_names *names, const char *name)
{
	const size_t life = sizeof(names->life) - 1;
	const char *at = strstr(name, names->token);

	if (at == NULL || at == name || at[-1] != 'R')
		return false;
	at += strlen(names->token);
	return strlen(at) > life && at[life] == '.' &&
	    memcmp(at, names->life, life) != 0;
}
