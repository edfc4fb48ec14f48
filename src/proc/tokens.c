/* SPDX-License-Identifier: ISC */
#include "proc/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/oauth_json.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/text.h"

#define DIRECTORY "tokens"
#define TIME_MAX ((uint64_t)1 << 40)

/* What all of it needs: the directory, and the names. */
struct place {
	int dir;
	uid_t owner; /* of all that is in it */
	gid_t group;
	char *file, *fresh, *lock; /* in the directory */
	char *path;                /* of the file, for errors */
};

/* ---- where ---- */

/* Any octet may stand in the name of an account; not all may begin the name of
 * a file, or separate directories. */
static char *
name_of(const char *account, const char *end)
{
	struct buf b;
	char *name;

	buf_init(&b, 8192);
	for (const char *p = account; *p != '\0'; p++) {
		if (text_is_plain(*p) && *p != '/' &&
		    (*p != '.' || p > account))
			buf_addc(&b, *p);
		else
			buf_printf(&b, "%%%02X", (unsigned char)*p);
	}
	buf_printf(&b, "%s", end);
	name = mem_spandup(buf_span(&b));
	buf_deinit(&b);
	return name;
}

static int
failed(struct err *e, const char *path)
{
	return err_set(e, ERR_DELIVER, errno, "%s: %s", path, strerror(errno));
}

/* Root may log in for a daemon that is not root: what it makes is for whom the
 * state directory is. */
static int
find_owner(struct place *p, int top, const char *state_dir, struct err *e)
{
	struct stat st;

	if (fstat(top, &st) < 0)
		return failed(e, state_dir);
	p->owner = geteuid() == 0 ? st.st_uid : geteuid();
	p->group = geteuid() == 0 ? st.st_gid : getegid();
	return 0;
}

static int
hand_over(const struct place *p, int fd)
{
	return geteuid() == 0 ? fchown(fd, p->owner, p->group) : 0;
}

static int
check_dir(const struct place *p, const char *state_dir, struct err *e)
{
	struct stat st;

	if (fstat(p->dir, &st) < 0)
		return failed(e, state_dir);
	if (st.st_uid != p->owner && st.st_uid == geteuid() &&
	    hand_over(p, p->dir) < 0)
		return failed(e, state_dir);
	if (st.st_uid != p->owner && st.st_uid != geteuid())
		return err_set(e, ERR_CONFIG, 0,
		    "%s/" DIRECTORY " belongs to the user %lu, and not to us",
		    state_dir, (unsigned long)st.st_uid);
	if ((st.st_mode & 077) != 0 && fchmod(p->dir, 0700) < 0)
		return failed(e, state_dir);
	return 0;
}

static void
close_place(struct place *p)
{
	if (p->dir >= 0)
		close(p->dir);
	free(p->file);
	free(p->fresh);
	free(p->lock);
	free(p->path);
}

/* 1; 0: there is no such directory, and none was to be made; -1. Then
 * close_place(). */
static int
open_place(struct place *p, const char *state_dir, const char *account,
    bool make, struct err *e)
{
	int top;
	int r;

	*p = (struct place){ .dir = -1 };
	p->file = name_of(account, ".json");
	p->fresh = name_of(account, ".new");
	p->lock = name_of(account, ".lock");
	p->path = mem_printf("%s/" DIRECTORY "/%s", state_dir, p->file);
	top = make ? file_make_dir(state_dir, e) : file_open_dir(state_dir, e);
	if (top < 0)
		return !make && e->sys == ENOENT ? 0 : -1;
	r = find_owner(p, top, state_dir, e);
	if (r == 0) {
		p->dir = file_sub_dir(top, DIRECTORY, make, state_dir, e);
		r = p->dir < 0 ? -1 : check_dir(p, state_dir, e);
	}
	close(top);
	if (r < 0)
		return p->dir < 0 && !make && e->sys == ENOENT ? 0 : -1;
	return 1;
}

/* ---- reading ---- */

static int
garbled(const char *path, const char *account, struct err *e)
{
	return err_set(e, ERR_CONFIG, 0,
	    "%s holds no tokens that make sense: run \"mailhaul login %s\" "
	    "again",
	    path, account);
}

/* NULL: none, or longer than a secret can be. */
static struct secret *
secret_in(const struct oauth_json *j, const char *name)
{
	const char *text = oauth_json_text(j, name);

	return text == NULL || text[0] == '\0' ? NULL
					       : secret_new(span_of(text));
}

static uint64_t
number_in(const struct oauth_json *j, const char *name, uint64_t max)
{
	uint64_t n = 0;

	(void)oauth_json_number(j, name, max, &n);
	return n;
}

static void
take(const struct oauth_json *j, struct tokens *t)
{
	t->access = secret_in(j, "access_token");
	t->refresh = secret_in(j, "refresh_token");
	t->expires = (int64_t)number_in(j, "expires", TIME_MAX);
	t->obtained = (int64_t)number_in(j, "obtained", TIME_MAX);
	t->client = mem_strdup(oauth_json_text(j, "client_id"));
	t->token_url = mem_strdup(oauth_json_text(j, "token_url"));
	t->why = mem_strdup(oauth_json_text(j, "why"));
	t->breaker.refused = (uint32_t)number_in(j, "refused", UINT32_MAX);
	t->breaker.last = (int64_t)number_in(j, "refused_at", TIME_MAX);
	t->breaker.mark = (uint16_t)number_in(j, "mark", UINT16_MAX);
}

static int
parse(struct span text, const char *path, const char *account,
    struct tokens *out, struct err *e)
{
	struct oauth_json *j = oauth_json_new(text);

	if (j == NULL)
		return garbled(path, account, e);
	take(j, out);
	oauth_json_free(&j);
	if ((out->access == NULL && out->refresh == NULL) ||
	    out->client == NULL || out->token_url == NULL) {
		tokens_deinit(out);
		return garbled(path, account, e);
	}
	return 1;
}

static int
read_fd(int fd, const struct place *p, struct buf *b, struct err *e)
{
	struct stat st;
	ssize_t n = 1;
	size_t room;

	if (fstat(fd, &st) < 0)
		return failed(e, p->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CONFIG, 0, "%s is no file", p->path);
	if (st.st_uid != p->owner && st.st_uid != geteuid())
		return err_set(e, ERR_CONFIG, 0,
		    "%s belongs to the user %lu, and not to us", p->path,
		    (unsigned long)st.st_uid);
	if (file_others_may_read(st.st_mode))
		return err_set(e, ERR_CONFIG, 0,
		    "%s can be read by others: chmod 600 it", p->path);
	while (n > 0) {
		char *to = buf_room(b, 4096, &room);

		n = room == 0 ? 0 : read(fd, to, room);
		if (n > 0)
			buf_wrote(b, (size_t)n);
	}
	return n < 0 ? failed(e, p->path) : 0;
}

/* As tokens_read(). */
static int
read_place(const struct place *p, const char *account, struct tokens *out,
    struct err *e)
{
	/* not blocking: it may be a FIFO */
	int fd = openat(p->dir, p->file,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct buf b;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : failed(e, p->path);
	buf_init(&b, OAUTH_JSON_MAX);
	r = read_fd(fd, p, &b, e);
	close(fd);
	if (r == 0)
		r = parse(buf_span(&b), p->path, account, out, e);
	buf_wipe(&b);
	return r;
}

int
tokens_read(const char *state_dir, const char *account, struct tokens *out,
    struct err *e)
{
	struct place p;
	int r;

	*out = (struct tokens){ 0 };
	r = open_place(&p, state_dir, account, false, e);
	if (r > 0)
		r = read_place(&p, account, out, e);
	close_place(&p);
	return r;
}

/* ---- writing ---- */

/* RFC 8259 7 */
static void
put_text(struct buf *b, const char *name, struct span s)
{
	if (s.n == 0)
		return;
	buf_printf(b, " \"%s\": \"", name);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == '"' || c == '\\')
			buf_printf(b, "\\u%04x", c);
		else
			buf_addc(b, (char)c);
	}
	buf_printf(b, "\",\n");
}

static void
put_secret(struct buf *b, const char *name, const struct secret *s)
{
	if (s != NULL)
		put_text(b, name, secret_span(s));
}

static void
put_number(struct buf *b, const char *name, int64_t n)
{
	buf_printf(b, " \"%s\": %" PRId64 ",\n", name, n < 0 ? 0 : n);
}

/* What does not fit leaves the end away, and that is seen. */
static bool
put(struct buf *b, const struct tokens *t)
{
	put_secret(b, "access_token", t->access);
	put_secret(b, "refresh_token", t->refresh);
	put_text(b, "client_id", span_of(t->client));
	put_text(b, "token_url", span_of(t->token_url));
	put_text(b, "why", span_of(t->why));
	put_number(b, "refused", t->breaker.refused);
	put_number(b, "refused_at", t->breaker.last);
	put_number(b, "mark", t->breaker.mark);
	put_number(
	    b, "obtained", t->obtained != 0 ? t->obtained : clock_wall_s());
	return buf_printf(b, " \"expires\": %" PRId64 "\n}\n",
		   t->expires < 0 ? 0 : t->expires) == 0;
}

static int
write_fd(int fd, const struct place *p, struct span text, struct err *e)
{
	if (hand_over(p, fd) < 0 || fchmod(fd, 0600) < 0)
		return failed(e, p->path);
	if (file_write_all(fd, text, p->path, e) != 0)
		return -1;
	return file_sync(fd, p->path, e);
}

static int
write_place(const struct place *p, struct span text, struct err *e)
{
	int fd;
	int r;

	/* of one of us that was killed */
	(void)unlinkat(p->dir, p->fresh, 0);
	fd = openat(p->dir, p->fresh,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failed(e, p->path);
	r = write_fd(fd, p, text, e);
	if (close(fd) < 0 && r == 0)
		r = failed(e, p->path);
	if (r == 0 && renameat(p->dir, p->fresh, p->dir, p->file) < 0)
		r = failed(e, p->path);
	if (r != 0)
		(void)unlinkat(p->dir, p->fresh, 0);
	return r != 0 ? r : file_sync(p->dir, p->path, e);
}

int
tokens_write(const char *state_dir, const char *account, const struct tokens *t,
    struct err *e)
{
	struct place p;
	struct buf b;
	int r = open_place(&p, state_dir, account, true, e);

	buf_init(&b, OAUTH_JSON_MAX);
	buf_printf(&b, "{\n");
	if (r > 0 && (!put(&b, t) || !text_is_utf8(buf_span(&b))))
		r = err_set(e, ERR_PROTO, 0,
		    "%s: tokens that are too long, or no text", p.path);
	if (r > 0)
		r = write_place(&p, buf_span(&b), e);
	buf_wipe(&b);
	close_place(&p);
	return r;
}

void
tokens_deinit(struct tokens *t)
{
	secret_free(&t->access);
	secret_free(&t->refresh);
	free(t->client);
	free(t->token_url);
	free(t->why);
	*t = (struct tokens){ 0 };
}

/* ---- the lock ---- */

/* One that lies there already is not handed over: it may be anything. */
static int
open_lock(const struct place *p)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	int fd = openat(p->dir, p->lock, flags | O_CREAT | O_EXCL, 0600);

	if (fd < 0 && errno == EEXIST)
		return openat(p->dir, p->lock, flags | O_NONBLOCK);
	if (fd >= 0 && hand_over(p, fd) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
lock_place(const struct place *p, struct err *e)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_lock(p);

	if (fd < 0)
		return failed(e, p->path);
	if (fcntl(fd, F_OFD_SETLK, &all) == 0)
		return fd;
	if (errno == EAGAIN || errno == EACCES)
		err_set(e, ERR_LOCKED, EAGAIN,
		    "%s: another mailhaul is getting tokens", p->path);
	else
		failed(e, p->path);
	close(fd);
	return -1;
}

int
tokens_lock(const char *state_dir, const char *account, struct err *e)
{
	struct place p;
	int r = open_place(&p, state_dir, account, true, e);

	if (r > 0)
		r = lock_place(&p, e);
	close_place(&p);
	return r;
}
