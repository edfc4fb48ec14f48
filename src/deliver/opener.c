/* SPDX-License-Identifier: ISC */
#include "deliver/opener.h"

#include <stdlib.h>
#include <unistd.h>

#include "deliver/wire.h"
#include "sys/crash.h"
#include "util/mem.h"

struct opener {
	struct opener_room *room; /* not ours */
	uint64_t link;
	TAILQ_HEAD(, opener_for) waiting;
	struct job **letters; /* by token: open, to be commits; or NULL */
	uint32_t *free_tokens;
	size_t n_free;
	struct buf out; /* a packet being made */
};

struct opener *
opener_new(struct opener_room *room, uint64_t link)
{
	struct opener *o = mem_new(sizeof(*o));

	o->room = room;
	o->link = link;
	TAILQ_INIT(&o->waiting);
	buf_init(&o->out, WIRE_MAX);
	o->letters = mem_array(room->max_files, sizeof(struct job *));
	o->free_tokens = mem_array(room->max_files, sizeof(uint32_t));
	for (uint32_t i = room->max_files; i-- > 0;)
		o->free_tokens[o->n_free++] = i;
	return o;
}

void
opener_free(struct opener **p)
{
	struct opener *o = *p;

	if (o == NULL)
		return;
	*p = NULL;
	opener_drop_all(o);
	buf_deinit(&o->out);
	free(o->letters);
	free(o->free_tokens);
	free(o);
}

bool
opener_want(struct opener *o, struct opener_for *f, unsigned int n)
{
	if (n > WIRE_OPEN_MAX - f->wanted)
		return false;
	if (f->wanted == 0 && n > 0)
		TAILQ_INSERT_TAIL(&o->waiting, f, next);
	f->wanted += n;
	return true;
}

void
opener_forget(struct opener *o, struct opener_for *f)
{
	if (f->wanted > 0)
		TAILQ_REMOVE(&o->waiting, f, next);
	f->wanted = 0;
}

static bool
has_room(const struct opener *o)
{
	return o->n_free > 0 && o->room->files < o->room->max_files;
}

static int
open_file(struct opener *o, const struct opener_for *f, struct commit *c,
    struct err *e)
{
	if (f->place == NULL) {
		c->fd = spool_take(o->room->spool, e);
		return c->fd;
	}
	maildir_names_next(&o->room->names, c->name);
	c->fd = maildir_create(f->maildir, c->name, e);
	if (c->fd < 0)
		return -1;
	c->place = f->place;
	c->maildir = maildir_ref(f->maildir);
	return c->fd;
}

static struct job *
open_letter(struct opener *o, const struct opener_for *f, struct err *e)
{
	struct job *j = job_of(f->account, JOB_COMMIT);

	if (open_file(o, f, &j->commit, e) < 0) {
		job_free(&j);
		return NULL;
	}
	j->letter = true;
	j->commit.entry.box = f->ledger_box;
	j->link = o->link;
	if (f->place == NULL)
		j->mail = letter_text_new(f->mailbox);
	o->room->files++;
	return j;
}

/* As many as go into one packet. */
static int
open_some(
    struct opener *o, struct opener_for *f, struct ipc *ipc, struct err *e)
{
	uint32_t tokens[WIRE_FILES_MAX];
	int fds[WIRE_FILES_MAX];
	struct job *j = NULL;
	size_t n = 0;

	while (f->wanted > 0 && n < WIRE_FILES_MAX && has_room(o)) {
		j = open_letter(o, f, e);
		if (j == NULL)
			break;
		tokens[n] = o->free_tokens[--o->n_free];
		fds[n] = j->commit.fd;
		o->letters[tokens[n++]] = j;
		f->wanted--;
	}
	crash_point("deliver:opened");
	if (n > 0) {
		buf_clear(&o->out);
		wire_put_tokens(&o->out, f->box, tokens, n);
		ipc_send_fds(ipc, WIRE_FILES, buf_span(&o->out), fds, n, false);
	}
	return j == NULL ? -1 : 0;
}

static void
refuse(struct opener *o, struct opener_for *f, struct ipc *ipc,
    const struct err *e)
{
	struct wire_no_files n = { f->box, f->wanted, *e };

	buf_clear(&o->out);
	wire_put_no_files(&o->out, &n);
	ipc_send(ipc, WIRE_NO_FILES, buf_span(&o->out));
	f->wanted = 0;
}

void
opener_serve(struct opener *o, struct ipc *ipc)
{
	struct opener_for *f;
	struct err e;

	while (has_room(o) && (f = TAILQ_FIRST(&o->waiting)) != NULL) {
		TAILQ_REMOVE(&o->waiting, f, next);
		if (open_some(o, f, ipc, &e) < 0)
			refuse(o, f, ipc, &e);
		if (f->wanted > 0)
			TAILQ_INSERT_TAIL(&o->waiting, f, next);
	}
}

struct job *
opener_find(const struct opener *o, uint32_t token)
{
	return token < o->room->max_files ? o->letters[token] : NULL;
}

struct job *
opener_take(struct opener *o, uint32_t token)
{
	struct job *j = opener_find(o, token);

	if (j == NULL)
		return NULL;
	o->letters[token] = NULL;
	o->free_tokens[o->n_free++] = token;
	return j;
}

void
opener_done(struct opener_room *room, struct job *j)
{
	room->files--;
	if (j->commit.place != NULL || j->commit.fd < 0)
		return;
	spool_give(room->spool, j->commit.fd);
	j->commit.fd = -1;
}

/* A spool file is closed, not kept. */
void
opener_lost(struct opener_room *room, struct job *j)
{
	if (j->commit.place == NULL && j->commit.fd >= 0) {
		close(j->commit.fd);
		j->commit.fd = -1;
	}
	opener_done(room, j);
}

void
opener_drop_all(struct opener *o)
{
	for (uint32_t i = 0; i < o->room->max_files; i++) {
		struct job *j = opener_take(o, i);

		if (j == NULL)
			continue;
		opener_lost(o->room, j);
		job_free(&j);
	}
}
