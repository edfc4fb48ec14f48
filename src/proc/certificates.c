/* SPDX-License-Identifier: ISC */
#include "proc/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/log.h"
#include "util/mem.h"

#define NAME "certificates.json"
#define FRESH ".certificates.new"
#define FILE_MAX ((size_t)32 * 1024 * 1024)
#define DAY_S 86400
#define WRITE_MS 1000   /* those of one start are written together */
#define FORGET_DAYS 400 /* an account that is no more */

struct certificates {
	const char *dir; /* not ours */
	json_t *accounts;
	struct loop_timer *write;
	bool changed;
};

/* ---- the file ---- */

static void
complain(const struct certificates *c, const struct err *e)
{
	log_notice("mailhaul",
	    "what certificates servers showed is not known to the next run: "
	    "%s/%s: %s",
	    c->dir, NAME, e->text);
}

static int
read_file(int dir, struct buf *out, struct err *e)
{
	int fd = openat(dir, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = 1;

	if (fd < 0 && errno == ENOENT)
		return 0;
	while (fd >= 0 && n > 0) {
		size_t room;
		char *p = buf_room(out, 65536, &room);

		n = room == 0 ? 0 : read(fd, p, room);
		if (n > 0)
			buf_wrote(out, (size_t)n);
	}
	if (fd < 0 || n < 0)
		err_set(e, ERR_TEMP, errno, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return fd < 0 || n < 0 ? -1 : 0;
}

/* Another version's would be an object without ours. */
static json_t *
parse(struct span text)
{
	json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	json_t *accounts = json_object_get(root, "accounts");

	if (!json_is_object(accounts)) {
		json_decref(root);
		return NULL;
	}
	json_incref(accounts);
	json_decref(root);
	return accounts;
}

static void
read_all(struct certificates *c)
{
	struct err e = { .text = "it makes no sense, and is begun anew" };
	struct buf text;
	int dir = file_open_dir(c->dir, &e);

	buf_init(&text, FILE_MAX);
	if (dir >= 0 && read_file(dir, &text, &e) == 0 && text.n > 0)
		c->accounts = parse(buf_span(&text));
	if (c->accounts == NULL && (dir < 0 || text.n > 0))
		complain(c, &e);
	if (dir >= 0)
		close(dir);
	buf_deinit(&text);
	if (c->accounts == NULL)
		c->accounts = json_object();
}

static int
write_in(int dir, struct span text, struct err *e)
{
	int fd = openat(dir, FRESH,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return err_set(e, ERR_TEMP, errno, "%s", strerror(errno));
	r = file_write_all(fd, text, FRESH, e);
	if (r == 0)
		r = file_sync(fd, FRESH, e);
	close(fd);
	if (r == 0 && renameat(dir, FRESH, dir, NAME) != 0)
		r = err_set(e, ERR_TEMP, errno, "%s", strerror(errno));
	return r;
}

static char *
dump(const struct certificates *c)
{
	json_t *root = json_pack("{s:O}", "accounts", c->accounts);
	char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(root);
	return text;
}

static void
write_all(struct certificates *c)
{
	char *text = dump(c);
	struct err e = { .text = "no memory" };
	int dir = file_open_dir(c->dir, &e);

	c->changed = false;
	if (dir < 0 || text == NULL || write_in(dir, span_of(text), &e) != 0)
		complain(c, &e);
	if (dir >= 0)
		close(dir);
	free(text);
}

static void
on_write(void *arg)
{
	write_all(arg);
}

/* ---- what there is to say ---- */

static const char *
text_in(json_t *known, const char *name)
{
	const char *text = json_string_value(json_object_get(known, name));

	return text == NULL ? "" : text;
}

static bool
is_new_day(json_t *known, const char *name, int64_t today)
{
	return json_integer_value(json_object_get(known, name)) != today;
}

static bool
say_issuer(json_t *known, const char *account, const struct certificate *seen)
{
	const char *before = text_in(known, "authority");

	if (*before == '\0' || strcmp(before, seen->authority) == 0 ||
	    strcmp(text_in(known, "host"), seen->host) != 0)
		return false;
	log_warning(account,
	    "the issuer of %s's certificate changed from %s to %s", seen->host,
	    before, seen->authority);
	return true;
}

static bool
say_end(const char *account, uint64_t warn_s, const struct certificate *seen,
    int64_t now)
{
	int64_t left = seen->not_after - now;
	long long days = left / DAY_S;
	time_t end = (time_t)seen->not_after;
	struct tm tm;

	if (warn_s == 0 || (left > 0 && (uint64_t)left >= warn_s) ||
	    gmtime_r(&end, &tm) == NULL)
		return false;
	log_warning(account,
	    "the certificate of %s expires in %lld day%s (%04d-%02d-%02d)",
	    seen->host, days, days == 1 ? "" : "s", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday);
	return true;
}

static void
say_ocsp(const char *account, const struct certificate *seen)
{
	if (seen->ocsp_is_useless)
		log_notice(account,
		    "the OCSP response that %s sends with its certificate "
		    "proves nothing: it is expired, or not about it",
		    seen->host);
}

/* ---- what is kept ---- */

/* The caller's reference. */
static json_t *
entry_of(const struct certificates *c, const char *account)
{
	json_t *known = json_object_get(c->accounts, account);

	if (json_is_object(known))
		return json_incref(known);
	known = json_object();
	json_object_set(c->accounts, account, known);
	return known;
}

static void
note(json_t *known, const struct certificate *seen, int64_t today)
{
	json_object_set_new(known, "host", json_string(seen->host));
	json_object_set_new(known, "authority", json_string(seen->authority));
	json_object_set_new(known, "pin", json_string(seen->pin));
	json_object_set_new(known, "not_after", json_integer(seen->not_after));
	json_object_set_new(known, "seen", json_integer(today));
}

static void
forget_old(const struct certificates *c, int64_t today)
{
	const char *account;
	json_t *known;
	void *next;

	json_object_foreach_safe(c->accounts, next, account, known)
	{
		int64_t seen =
		    json_integer_value(json_object_get(known, "seen"));

		if (seen < today - FORGET_DAYS)
			json_object_del(c->accounts, account);
	}
}

void
certificates_seen(struct certificates *c, const char *account, uint64_t warn_s,
    const struct certificate *seen, int64_t now)
{
	int64_t today = now / DAY_S;
	json_t *known = entry_of(c, account);
	bool first = is_new_day(known, "seen", today);

	if (is_new_day(known, "changed", today) &&
	    say_issuer(known, account, seen))
		json_object_set_new(known, "changed", json_integer(today));
	if (first)
		say_ocsp(account, seen);
	if (is_new_day(known, "warned", today) &&
	    say_end(account, warn_s, seen, now))
		json_object_set_new(known, "warned", json_integer(today));
	note(known, seen, today);
	if (first)
		forget_old(c, today);
	json_decref(known);
	c->changed = true;
	if (!loop_timer_armed(c->write))
		loop_timer_arm(c->write, WRITE_MS);
}

/* ---- life ---- */

struct certificates *
certificates_new(struct loop *loop, const char *state_dir)
{
	struct certificates *c = mem_new(sizeof(*c));

	c->dir = state_dir;
	c->write = loop_timer_new(loop, on_write, c);
	read_all(c);
	return c;
}

void
certificates_free(struct certificates **p)
{
	struct certificates *c = *p;

	*p = NULL;
	if (c == NULL)
		return;
	if (c->changed)
		write_all(c);
	loop_timer_free(&c->write);
	json_decref(c->accounts);
	free(c);
}
