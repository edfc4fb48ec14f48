/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_DELIVER_OFFICE_H
#define MAILHAUL_TESTS_DELIVER_OFFICE_H

/*
 * For tests: a temporary directory, a deliverer and an engine's client on one
 * loop, waiting with a limit, and a look into Maildirs.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/client.h"
#include "deliver/mda.h"
#include "deliver/server.h"
#include "io/ipc.h"
#include "io/loop.h"
#include "sys/log.h"

#define OFFICE_LIMIT_MS 20000

struct office {
	char dir[64];
	struct loop *loop;
	struct loop_timer *limit;
	struct server *server;
	struct client *client;
	const struct draft_style *style; /* of boxes opened from now on */
	bool late;
};

/* The octets as they are, but for their line ends. */
static const struct draft_style office_plain = { 0 };

/* ---- directories ---- */

static inline int
office_remove(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
office_make_dir(struct office *o)
{
	snprintf(o->dir, sizeof(o->dir), "/tmp/mailhaul-test.XXXXXX");
	assert_non_null(mkdtemp(o->dir));
}

static inline void
office_remove_dir(struct office *o)
{
	nftw(o->dir, office_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Valid until the fourth call after it. */
static inline const char *
office_path(const struct office *o, const char *below)
{
	static char path[4][512];
	static unsigned int next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", o->dir, below);
	return p;
}

/* The entries of a directory but for "." and ".."; name is the last. */
static inline unsigned int
office_count(const struct office *o, const char *below, char name[256])
{
	DIR *d = opendir(office_path(o, below));
	const struct dirent *e;
	unsigned int n = 0;

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		if (name != NULL)
			snprintf(name, 256, "%s", e->d_name);
	}
	closedir(d);
	return n;
}

/* The octets of a file; the caller frees. */
static inline char *
office_read(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	char *octets = malloc(1 << 20);

	assert_non_null(f);
	assert_non_null(octets);
	*n = fread(octets, 1, 1 << 20, f);
	fclose(f);
	return octets;
}

/* How many files of below/ hold text. */
static inline unsigned int
office_holding(const struct office *o, const char *below, const char *text)
{
	DIR *d = opendir(office_path(o, below));
	const struct dirent *e;
	unsigned int found = 0;

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		char path[1024];
		size_t n;
		char *octets;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", office_path(o, below),
		    e->d_name);
		octets = office_read(path, &n);
		if (memmem(octets, n, text, strlen(text)) != NULL)
			found++;
		free(octets);
	}
	closedir(d);
	return found;
}

/* ---- the loop ---- */

static inline void
office_on_limit(void *arg)
{
	struct office *o = arg;

	o->late = true;
	loop_stop(o->loop);
}

static inline void
office_make_loop(struct office *o)
{
	o->loop = loop_new();
	o->limit = loop_timer_new(o->loop, office_on_limit, o);
}

static inline void
office_free_loop(struct office *o)
{
	loop_timer_free(&o->limit);
	loop_free(&o->loop);
}

/* Until *counter is at least n. Callbacks that count call loop_stop(). */
static inline void
office_wait(struct office *o, const unsigned int *counter, unsigned int n)
{
	o->late = false;
	loop_timer_arm(o->limit, OFFICE_LIMIT_MS);
	while (*counter < n && !o->late)
		loop_run(o->loop);
	loop_timer_stop(o->limit);
	assert_false(o->late);
}

/* Lets the loop turn for so long. */
static inline void
office_turn(struct office *o, unsigned int ms)
{
	loop_timer_arm(o->limit, ms);
	loop_run(o->loop);
}

/* Until below/ has n entries. */
static inline void
office_wait_count(struct office *o, const char *below, unsigned int n)
{
	unsigned int tries = OFFICE_LIMIT_MS / 5;

	while (office_count(o, below, NULL) != n && tries-- > 0)
		office_turn(o, 5);
	assert_int_equal(office_count(o, below, NULL), n);
}

/* ---- deliverer and client ---- */

static inline void
office_drop_line(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

/* Where mail goes that way; below is the path, the script a program's: NULL
 * where there is none. The caller frees. An exit of 0 is yes, 100 is held,
 * anything else later. */
static inline struct target *
office_target(const struct office *o, enum target_way way, const char *name,
    const char *below, const char *script)
{
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, NULL, NULL };
	struct target t = { .way = way, .timeout_ms = 10000, .parallel = 2 };
	struct target *copy;

	memset(t.exits, MDA_LATER, sizeof(t.exits));
	t.exits[0] = MDA_ACCEPTED;
	t.exits[100] = MDA_HOLD;
	t.name = strdup(name);
	t.path = below != NULL ? strdup(office_path(o, below)) : NULL;
	argv[2] = script != NULL ? strdup(script) : NULL;
	t.argv = script != NULL ? argv : NULL;
	copy = target_copy(&t);
	free(t.name);
	free(t.path);
	free(argv[2]);
	return copy;
}

static inline void
office_account(struct office *o, uint32_t number, enum target_way way,
    const char *name, const char *below, const char *script)
{
	struct target *t = office_target(o, way, name, below, script);

	server_account(o->server, number, t);
	target_free(&t);
}

static inline void
office_open_server(struct office *o)
{
	struct err e;

	o->server = server_new(o->loop, office_path(o, "ledger"), NULL, &e);
	assert_non_null(o->server);
	office_account(o, 1, TARGET_MAILDIR, "work", "Maildir", NULL);
	office_account(o, 2, TARGET_MAILDIR, "old", "Old", NULL);
}

/* A line to the server; the engine's end. */
static inline int
office_line(struct office *o)
{
	struct err e;
	int fds[2];

	assert_int_equal(ipc_pair(fds, &e), 0);
	server_attach(o->server, fds[0]);
	return fds[1];
}

static inline void
office_open(struct office *o)
{
	office_make_loop(o);
	office_open_server(o);
	o->client = client_new(o->loop, office_line(o));
}

static inline void
office_close(struct office *o)
{
	client_free(&o->client);
	server_free(&o->server);
	office_free_loop(o);
}

static inline int
office_setup(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	log_set_sink(office_drop_line);
	office_make_dir(o);
	office_open(o);
	*state = o;
	return 0;
}

static inline int
office_teardown(void **state)
{
	struct office *o = *state;

	office_close(o);
	office_remove_dir(o);
	free(o);
	return 0;
}

/* ---- a session that delivers ---- */

struct session {
	struct office *o;
	struct client_box *box;
	enum client_box_state state;
	struct set handled, owed, fresh, settled, barred, due, full;
	uint32_t repeated, n_barred;
	unsigned int opened, listed, verified, answered, delivered, readied;
	unsigned int known; /* of those delivered */
	bool same;
	struct err e;        /* the last */
	uint32_t next, last; /* numbers yet to be delivered */
	const char *text;    /* of each, with the number behind it */
	struct letter_params params;
};

static inline void
session_on_letter(void *arg, uint32_t number, bool known, const struct err *e)
{
	struct session *s = arg;

	(void)number;
	s->answered++;
	s->known += known;
	if (e == NULL)
		s->delivered++;
	else
		s->e = *e;
	loop_stop(s->o->loop);
}

static inline void
session_write(struct letter *l, const char *text, uint32_t number)
{
	char octets[8192];
	struct err e;
	int n = snprintf(octets, sizeof(octets), "%s#%u#\r\n", text, number);

	letter_write(l, span_make(octets, (size_t)n), &e);
}

static inline void
session_pump(struct session *s)
{
	struct letter *l;

	while (
	    s->next <= s->last && (l = letter_open(s->box, 0, NULL)) != NULL) {
		session_write(l, s->text, s->next);
		s->params.number = s->next++;
		letter_commit(&l, &s->params, session_on_letter);
	}
}

static inline void
session_on_ready(void *arg)
{
	struct session *s = arg;

	s->readied++;
	session_pump(s);
	loop_stop(s->o->loop);
}

static inline void
session_note(struct session *s, struct client_box_info *info)
{
	s->state = info->state;
	s->repeated = info->repeated;
	s->n_barred = info->n_barred;
	set_move(&s->handled, &info->handled);
	set_move(&s->owed, &info->owed);
	set_move(&s->fresh, &info->fresh);
	set_move(&s->settled, &info->settled);
	set_move(&s->barred, &info->barred);
	set_move(&s->due, &info->due);
	set_move(&s->full, &info->full);
	err_clear(&s->e);
	if (info->e != NULL)
		s->e = *info->e;
	loop_stop(s->o->loop);
}

static inline void
session_on_box(void *arg, struct client_box_info *info)
{
	struct session *s = arg;

	s->opened++;
	session_note(s, info);
}

static inline void
session_on_list(void *arg, struct client_box_info *info)
{
	struct session *s = arg;

	s->listed++;
	session_note(s, info);
}

static inline void
session_on_verified(void *arg, uint32_t number, bool same, const struct err *e)
{
	struct session *s = arg;

	(void)number;
	s->verified++;
	s->same = same;
	if (e != NULL)
		s->e = *e;
	loop_stop(s->o->loop);
}

static inline struct client_box *
office_box(struct office *o, uint32_t account, const char *mailbox,
    uint32_t uidvalidity, client_box_fn fn, client_ready_fn ready, void *arg)
{
	const struct client_box_params params = { .account = account,
		.mailbox = mailbox,
		.uidvalidity = uidvalidity,
		.style = o->style != NULL ? o->style : &office_plain };

	return client_box_open(o->client, &params, fn, ready, arg);
}

/* Opens a box and waits for what the ledger knows. */
static inline void
session_begin(struct session *s, struct office *o, uint32_t account,
    const char *mailbox, uint32_t uidvalidity)
{
	*s = (struct session){ .o = o, .next = 1 };
	set_init(&s->handled);
	set_init(&s->owed);
	set_init(&s->fresh);
	set_init(&s->settled);
	set_init(&s->barred);
	set_init(&s->due);
	set_init(&s->full);
	s->text = "Subject: x\r\n\r\n";
	s->box = office_box(o, account, mailbox, uidvalidity, session_on_box,
	    session_on_ready, s);
	office_wait(o, &s->opened, 1);
}

/* Delivers first to last and waits for all answers. */
static inline void
session_deliver(struct session *s, uint32_t first, uint32_t last)
{
	unsigned int due = s->answered + last - first + 1;

	s->next = first;
	s->last = last;
	session_pump(s);
	office_wait(s->o, &s->answered, due);
}

static inline void
session_end(struct session *s)
{
	client_box_close(&s->box);
	set_deinit(&s->handled);
	set_deinit(&s->owed);
	set_deinit(&s->fresh);
	set_deinit(&s->settled);
	set_deinit(&s->barred);
	set_deinit(&s->due);
	set_deinit(&s->full);
}

#endif
