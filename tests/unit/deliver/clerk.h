/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_DELIVER_CLERK_H
#define MAILHAUL_TESTS_DELIVER_CLERK_H

/*
 * For tests of the engine's side: a deliverer that answers by itself what
 * opens boxes and files, and the rest only when it is told to. Its files are
 * in memory.
 */

#include "office.h"

#include <sys/mman.h>

#include "deliver/ahead.h"
#include "deliver/wire_account.h"
#include "deliver/wire_mail.h"

#define CLERK_COMMITS 4096
#define CLERK_MAIL 16

struct clerk {
	struct office o; /* loop and client */
	struct ipc *ipc;
	struct buf out;
	unsigned int boxes, closed, opens, asked, files, discarded, gone;
	unsigned int most; /* files given out for one OPEN; 0: all */
	bool refuses;      /* to open files, or a box */
	bool silent;       /* answers nothing by itself */
	struct wire_commit commits[CLERK_COMMITS]; /* but for their texts */
	unsigned int n_commits, n_done;
	char sender[256], recipient[256], about[256]; /* of the last */
	struct wire_ask asks[CLERK_MAIL];
	struct wire_note notes[CLERK_MAIL]; /* but for their texts */
	char reason[256], reached[256];     /* of the last */
	unsigned int n_asks, n_notes, named, dialled, recalled, remembered;
	struct wire_remember remember; /* the last */
	uint32_t account;              /* of the last dial */
	uint32_t next_token, last_box;
	uint8_t last_type;
	size_t last_n;
	unsigned int packets;
};

static inline void
clerk_send(struct clerk *k, enum wire_type type)
{
	ipc_send(k->ipc, (uint8_t)type, buf_span(&k->out));
	buf_clear(&k->out);
}

static inline void
clerk_on_box(struct clerk *k, struct span p)
{
	struct wire_box box;
	struct wire_answer a = { .to = SPAN("~/Maildir") };

	assert_true(wire_take_box(p, &box));
	k->boxes++;
	k->last_box = a.box = box.box;
	if (k->refuses)
		err_set(&a.e, ERR_DELIVER, 0, "no such box");
	if (k->silent)
		return;
	wire_put_answer(&k->out, &a);
	clerk_send(k, WIRE_BOX_IS);
}

static inline void
clerk_give_files(struct clerk *k, uint32_t box, unsigned int n)
{
	while (n > 0) {
		uint32_t tokens[WIRE_FILES_MAX];
		int fds[WIRE_FILES_MAX];
		unsigned int i;

		for (i = 0; i < n && i < WIRE_FILES_MAX; i++) {
			tokens[i] = k->next_token++;
			fds[i] = memfd_create("letter", MFD_CLOEXEC);
			assert_true(fds[i] >= 0);
		}
		wire_put_tokens(&k->out, box, tokens, i);
		ipc_send_fds(
		    k->ipc, WIRE_FILES, buf_span(&k->out), fds, i, true);
		buf_clear(&k->out);
		k->files += i;
		n -= i;
	}
}

static inline void
clerk_on_open(struct clerk *k, struct span p)
{
	struct wire_open open;
	struct wire_no_files none = { 0 };

	assert_true(wire_take_open(p, &open));
	k->opens++;
	k->asked += open.count;
	if (k->silent)
		return;
	if (!k->refuses) {
		clerk_give_files(k, open.box,
		    k->most > 0 && k->most < open.count ? k->most : open.count);
		return;
	}
	none.box = open.box;
	none.count = open.count;
	err_set(&none.e, ERR_DELIVER, 0, "no room in the inn");
	wire_put_no_files(&k->out, &none);
	clerk_send(k, WIRE_NO_FILES);
}

static inline void
clerk_keep(char text[256], struct span s)
{
	snprintf(text, 256, "%.*s", (int)s.n, s.p);
}

static inline void
clerk_on_commit(struct clerk *k, struct span p)
{
	struct unpack u = unpack_of(p);
	struct wire_commit c;

	while (unpack_more(&u)) {
		assert_true(wire_take_commit(&u, &c));
		clerk_keep(k->sender, c.sender);
		clerk_keep(k->recipient, c.recipient);
		clerk_keep(k->about, c.about);
		k->commits[k->n_commits++] = c;
	}
}

static inline void
clerk_on_note(struct clerk *k, struct span p)
{
	struct wire_note *n = &k->notes[k->n_notes];

	assert_true(wire_take_note(p, n));
	clerk_keep(k->reason, n->reason);
	clerk_keep(k->about, n->about);
	clerk_keep(k->reached, n->reached.n > 0 ? n->reached.v[0] : SPAN(""));
	k->n_notes++;
}

/* What the engine says of messages. */
static inline void
clerk_on_mail(struct clerk *k, struct ipc_packet *p)
{
	if (p->type == WIRE_COMMIT)
		clerk_on_commit(k, p->payload);
	if (p->type == WIRE_NOTE)
		clerk_on_note(k, p->payload);
	if (p->type == WIRE_ASK) {
		assert_true(wire_take_ask(p->payload, &k->asks[k->n_asks]));
		k->n_asks++;
	}
	if (p->type == WIRE_NAMES)
		k->named++;
	if (p->type == WIRE_RECALL) {
		assert_true(wire_take_number(p->payload, &k->account));
		k->recalled++;
	}
	if (p->type == WIRE_REMEMBER) {
		assert_true(wire_take_remember(p->payload, &k->remember));
		k->remembered++;
	}
	if (p->type == WIRE_DIAL) {
		assert_true(wire_take_number(p->payload, &k->account));
		k->dialled++;
	}
}

static inline void
clerk_on_packet(void *arg, struct ipc_packet *p)
{
	struct clerk *k = arg;
	uint32_t box, tokens[WIRE_FILES_MAX];
	size_t n;

	loop_stop(k->o.loop);
	if (p == NULL) {
		k->gone++;
		return;
	}
	k->packets++;
	k->last_type = p->type;
	k->last_n = p->payload.n;
	if (p->type == WIRE_BOX)
		clerk_on_box(k, p->payload);
	if (p->type == WIRE_BOX_CLOSE)
		k->closed++;
	if (p->type == WIRE_OPEN)
		clerk_on_open(k, p->payload);
	clerk_on_mail(k, p);
	if (p->type == WIRE_DISCARD) {
		assert_true(wire_take_tokens(p->payload, &box, tokens, &n));
		k->discarded += (unsigned int)n;
	}
}

/* Answers the next n commits: delivered, or failed with text. */
static inline void
clerk_answer(struct clerk *k, unsigned int n, const char *text)
{
	struct wire_done d = { 0 };

	if (text != NULL)
		err_set(&d.e, ERR_DELIVER, 0, "%s", text);
	while (n-- > 0) {
		assert_true(k->n_done < k->n_commits);
		d.cookie = k->commits[k->n_done++].cookie;
		if (wire_put_done(&k->out, &d))
			continue;
		clerk_send(k, WIRE_DONE);
		assert_true(wire_put_done(&k->out, &d));
	}
	clerk_send(k, WIRE_DONE);
}

/* Answers a question about a letter. */
static inline void
clerk_tell(struct clerk *k, const struct wire_asked *a)
{
	wire_put_asked(&k->out, a);
	clerk_send(k, WIRE_ASKED);
}

/* Answers a note, or anything else with that cookie. */
static inline void
clerk_tell_done(struct clerk *k, uint32_t cookie, const char *text)
{
	struct wire_done d = { .cookie = cookie };

	if (text != NULL)
		err_set(&d.e, ERR_MESSAGE, 0, "%s", text);
	assert_true(wire_put_done(&k->out, &d));
	clerk_send(k, WIRE_DONE);
}

static inline int
clerk_setup(void **state)
{
	struct clerk *k = calloc(1, sizeof(*k));
	struct err e;
	int fds[2];

	assert_non_null(k);
	log_set_sink(office_drop_line);
	office_make_loop(&k->o);
	buf_init(&k->out, WIRE_MAX);
	assert_int_equal(ipc_pair(fds, &e), 0);
	k->ipc = ipc_new(k->o.loop, fds[0], clerk_on_packet, k);
	k->o.client = client_new(k->o.loop, fds[1]);
	*state = k;
	return 0;
}

static inline int
clerk_teardown(void **state)
{
	struct clerk *k = *state;

	client_free(&k->o.client);
	ipc_free(&k->ipc);
	buf_deinit(&k->out);
	office_free_loop(&k->o);
	free(k);
	return 0;
}

/* Open, with AHEAD_MIN letters to be had; the first was not enough. What was
 * counted so far is forgotten, but for those. */
static inline void
clerk_begin(struct clerk *k, struct session *s)
{
	struct letter *l;

	session_begin(s, &k->o, 1, "INBOX", 1);
	assert_int_equal(s->e.kind, ERR_NONE);
	assert_null(letter_open(s->box, 0, NULL));
	office_wait(&k->o, &s->readied, 1);
	l = letter_open(s->box, 0, NULL);
	assert_non_null(l);
	letter_discard(&l);
	assert_null(letter_open(s->box, 0, NULL));
	office_wait(&k->o, &s->readied, 2);
	office_wait(&k->o, &k->discarded, 1);
	k->discarded = k->packets = 0;
	k->opens = s->readied = 1;
	k->files = k->asked = AHEAD_MIN;
}

/* Writes and commits letters first to last, as far as there are any; how
 * many octets each, in pieces. Returns the first number not committed. */
static inline uint32_t
clerk_commit(struct clerk *k, struct session *s, uint32_t first, uint32_t last,
    size_t octets)
{
	static char piece[16384];
	struct err e;

	memset(piece, 'x', sizeof(piece));
	for (; first <= last; first++) {
		struct letter *l = letter_open(s->box, 0, NULL);
		size_t left = octets;

		for (; l == NULL && !client_full(s->box);
		     l = letter_open(s->box, 0, NULL)) {
			office_turn(&k->o, 1);
		}
		if (l == NULL)
			break;
		while (left > 0) {
			size_t n = left < sizeof(piece) ? left : sizeof(piece);

			assert_int_equal(
			    letter_write(l, span_make(piece, n), &e), 0);
			left -= n;
		}
		s->params.number = first;
		letter_commit(&l, &s->params, session_on_letter);
	}
	return first;
}

#endif
