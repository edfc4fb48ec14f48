/* SPDX-License-Identifier: ISC */
#include "deliver/server.h"

#include "office.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "deliver/wire.h"

/* ---- the main road ---- */

static void
delivers_a_message_with_lf_and_its_size(void **state)
{
	struct office *o = *state;
	struct session s;
	char name[256], path[1024], *octets;
	struct stat st;
	size_t n;

	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(s.e.kind, ERR_NONE);
	assert_int_equal(s.state, CLIENT_BOX_NEW);
	s.text = "A: b\r\n\r\nbare \r and \n\r\r\nend ";
	session_deliver(&s, 5, 5);
	assert_int_equal(s.delivered, 1);
	assert_int_equal(client_pending(s.box), 0);
	assert_int_equal(office_count(o, "Maildir/new", name), 1);
	assert_non_null(strstr(name, ",S=28"));
	snprintf(path, sizeof(path), "%s/Maildir/new/%s", o->dir, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	octets = office_read(path, &n);
	assert_int_equal(n, 28);
	assert_memory_equal(octets, "A: b\n\nbare \r and \n\r\nend #5#\n", 28);
	free(octets);
	session_end(&s);
	office_wait_count(o, "Maildir/tmp", 0);
}

static void
delivers_thousands_into_two_maildirs_each_once(void **state)
{
	struct office *o = *state;
	struct session a, b;
	unsigned int i;

	session_begin(&a, o, 1, "INBOX", 7);
	session_begin(&b, o, 2, "INBOX", 7);
	a.next = b.next = 1;
	a.last = 2000;
	b.last = 1500;
	session_pump(&a);
	session_pump(&b);
	office_wait(o, &a.answered, 2000);
	office_wait(o, &b.answered, 1500);
	assert_int_equal(a.delivered, 2000);
	assert_int_equal(b.delivered, 1500);
	assert_int_equal(office_count(o, "Maildir/new", NULL), 2000);
	assert_int_equal(office_count(o, "Old/new", NULL), 1500);
	for (i = 1; i <= 2000; i += 499) {
		char text[32];

		snprintf(text, sizeof(text), "#%u#", i);
		assert_int_equal(office_holding(o, "Maildir/new", text), 1);
	}
	session_end(&a);
	session_end(&b);
	office_wait_count(o, "Maildir/tmp", 0);
	office_wait_count(o, "Old/tmp", 0);
}

static void
remembers_after_a_restart(void **state)
{
	struct office *o = *state;
	struct session s;

	session_begin(&s, o, 1, "INBOX", 7);
	s.params.owes = true;
	session_deliver(&s, 1, 3);
	session_end(&s);
	office_close(o);
	office_open(o);
	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(s.state, CLIENT_BOX_KNOWN);
	assert_int_equal(set_count(&s.handled), 3);
	assert_int_equal(set_count(&s.owed), 3);
	client_gone(s.box, &s.owed);
	session_end(&s);
	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(set_count(&s.handled), 3);
	assert_int_equal(set_count(&s.owed), 0);
	session_end(&s);
}

static void
answers_a_known_message_without_a_second_copy(void **state)
{
	struct office *o = *state;
	struct session s;

	session_begin(&s, o, 1, "INBOX", 7);
	session_deliver(&s, 1, 3);
	session_deliver(&s, 2, 4);
	assert_int_equal(s.delivered, 6);
	assert_int_equal(office_count(o, "Maildir/new", NULL), 4);
	session_end(&s);
	office_wait_count(o, "Maildir/tmp", 0);
}

static void
says_that_uidvalidity_changed(void **state)
{
	struct office *o = *state;
	struct session s;
	struct letter *l;
	struct err e;

	session_begin(&s, o, 1, "INBOX", 7);
	session_deliver(&s, 1, 1);
	session_end(&s);
	session_begin(&s, o, 1, "INBOX", 8);
	assert_int_equal(s.e.kind, ERR_NONE);
	assert_int_equal(s.state, CLIENT_BOX_CHANGED);
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	assert_int_equal(letter_write(l, SPAN("x"), &e), -1);
	letter_discard(&l);
	session_end(&s);
}

static void
settles_and_verifies(void **state)
{
	struct office *o = *state;
	struct session s;
	struct set absent;

	session_begin(&s, o, 1, "INBOX", 7);
	s.text = "Message-ID: <1@x>\r\nDate: now\r\n\r\n";
	session_deliver(&s, 9, 9);
	client_verify(s.box, 9,
	    SPAN("date:  now\r\nMESSAGE-ID:\r\n <1@x>\r\n\r\n"), 37,
	    session_on_verified);
	office_wait(o, &s.verified, 1);
	assert_true(s.same);
	client_verify(s.box, 9, SPAN("Message-ID: <1@x>\r\nDate: now\r\n"), 39,
	    session_on_verified);
	client_verify(s.box, 8, SPAN(""), 37, session_on_verified);
	office_wait(o, &s.verified, 2);
	assert_false(s.same);
	office_wait(o, &s.verified, 3);
	assert_false(s.same);
	set_init(&absent);
	set_add(&absent, 1, 4);
	client_settle(s.box, &absent);
	set_deinit(&absent);
	session_end(&s);
	session_begin(&s, o, 1, "INBOX", 7);
	assert_true(set_has(&s.settled, 4));
	assert_false(set_has(&s.settled, 5));
	assert_false(set_has(&s.handled, 4));
	assert_true(set_has(&s.handled, 9));
	session_end(&s);
}

static void
list(struct session *s, unsigned int first, unsigned int last)
{
	unsigned int i;

	client_list_begin(s->box);
	for (i = first; i <= last; i++) {
		char uidl[32];
		int n = snprintf(uidl, sizeof(uidl), "uidl-%u", i);

		client_list_add(
		    s->box, i - first + 1, span_make(uidl, (size_t)n), 100);
	}
	s->listed = 0;
	client_list_end(s->box, session_on_list);
	office_wait(s->o, &s->listed, 1);
	assert_int_equal(s->e.kind, ERR_NONE);
}

static void
knows_pop3_messages_by_uidl(void **state)
{
	struct office *o = *state;
	struct session s;

	session_begin(&s, o, 2, "", 0);
	list(&s, 1, 5000);
	assert_int_equal(set_count(&s.fresh), 5000);
	session_deliver(&s, 1, 10);
	list(&s, 3, 5000); /* 1 and 2 went away: everything has moved up */
	assert_int_equal(set_first(&s.fresh), 9);
	assert_int_equal(set_count(&s.fresh), 4990);
	session_end(&s);
}

static void
knows_a_message_by_its_content(void **state)
{
	static const struct draft_style whole = { .by_content = true };
	struct office *o = *state;
	struct session s;

	o->style = &whole;
	session_begin(&s, o, 2, "", 0);
	s.params.by_content = true;
	s.params.owes = true;
	session_deliver(&s, 1, 2);
	assert_int_equal(s.delivered, 2);
	session_end(&s);
	session_begin(&s, o, 2, "", 0);
	s.params.by_content = true;
	session_deliver(&s, 1, 3);
	assert_int_equal(s.delivered, 3);
	assert_int_equal(office_count(o, "Old/new", NULL), 3);
	session_end(&s);
}

/* ---- what may be wrong with a Maildir ---- */

static void
refuses_a_link_at_new(void **state)
{
	struct office *o = *state;
	struct session s;

	assert_int_equal(mkdir(office_path(o, "Maildir"), 0700), 0);
	assert_int_equal(mkdir(office_path(o, "else"), 0700), 0);
	assert_int_equal(
	    symlink(office_path(o, "else"), office_path(o, "Maildir/new")), 0);
	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(s.e.kind, ERR_DELIVER);
	assert_non_null(strstr(s.e.text, "Maildir"));
	session_end(&s);
	/* another account is not concerned, and this one when it is mended */
	session_begin(&s, o, 2, "INBOX", 7);
	session_deliver(&s, 1, 1);
	assert_int_equal(s.delivered, 1);
	session_end(&s);
	assert_int_equal(unlink(office_path(o, "Maildir/new")), 0);
	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(s.e.kind, ERR_NONE);
	session_end(&s);
	assert_int_equal(office_count(o, "else", NULL), 0);
}

static void
keeps_to_its_directories_when_a_link_is_swapped_in(void **state)
{
	struct office *o = *state;
	struct session s;

	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(mkdir(office_path(o, "else"), 0700), 0);
	assert_int_equal(rename(office_path(o, "Maildir/new"),
			     office_path(o, "Maildir/was")),
	    0);
	assert_int_equal(
	    symlink(office_path(o, "else"), office_path(o, "Maildir/new")), 0);
	session_deliver(&s, 1, 1);
	assert_int_equal(office_count(o, "else", NULL), 0);
	assert_int_equal(office_count(o, "Maildir/was", NULL), 1);
	session_end(&s);
}

static void
takes_back_what_cannot_be_renamed(void **state)
{
	struct office *o = *state;
	struct session s;

	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(rmdir(office_path(o, "Maildir/new")), 0);
	session_deliver(&s, 1, 4);
	assert_int_equal(s.delivered, 0);
	assert_int_equal(s.e.kind, ERR_DELIVER);
	assert_non_null(strstr(s.e.text, "Maildir/new"));
	session_end(&s);
	office_wait_count(o, "Maildir/tmp", 0);
	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(s.e.kind, ERR_NONE);
	assert_true(set_empty(&s.handled));
	session_deliver(&s, 1, 4);
	assert_int_equal(s.delivered, 4);
	assert_int_equal(office_count(o, "Maildir/new", NULL), 4);
	session_end(&s);
}

static void
says_that_no_file_can_be_made(void **state)
{
	struct office *o = *state;
	struct session s;

	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(rmdir(office_path(o, "Maildir/tmp")), 0);
	session_deliver(&s, 1, 1);
	assert_int_equal(s.delivered, 0);
	assert_int_equal(s.e.kind, ERR_DELIVER);
	assert_non_null(strstr(s.e.text, "Maildir/tmp"));
	session_end(&s);
	session_begin(&s, o, 1, "INBOX", 7);
	session_deliver(&s, 1, 1);
	assert_int_equal(s.delivered, 1);
	session_end(&s);
}

static void
removes_its_own_leftovers_and_no_others(void **state)
{
	struct office *o = *state;
	struct session s;
	char name[256], from[1024];

	session_begin(&s, o, 1, "INBOX", 7);
	session_deliver(&s, 1, 1);
	session_end(&s);
	office_wait_count(o, "Maildir/tmp", 0);
	office_close(o);
	/* a name of ours, and one of somebody else */
	assert_int_equal(office_count(o, "Maildir/new", name), 1);
	snprintf(from, sizeof(from), "%s/Maildir/new/%s", o->dir, name);
	*strchr(name, ',') = '\0';
	assert_int_equal(
	    rename(from, office_path(o, "Maildir/tmp/1.foreign.host")), 0);
	snprintf(from, sizeof(from), "%s/Maildir/tmp/%s", o->dir, name);
	assert_int_equal(
	    link(office_path(o, "Maildir/tmp/1.foreign.host"), from), 0);
	office_open(o);
	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(office_count(o, "Maildir/tmp", name), 1);
	assert_string_equal(name, "1.foreign.host");
	session_end(&s);
}

static void
refuses_what_no_file_can_hold(void **state)
{
	struct office *o = *state;
	struct rlimit before, little;
	struct session s;
	struct letter *l = NULL;
	struct err e = { 0 };
	char octets[4096];
	int i, r = 0;

	memset(octets, 'x', sizeof(octets));
	session_begin(&s, o, 1, "INBOX", 7);
	session_deliver(&s, 1, 1);
	office_turn(o, 300); /* the ledger has nothing left to write */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	while ((l = letter_open(s.box, 0, NULL)) == NULL)
		office_turn(o, 1);
	for (i = 0; i < 100 && r == 0; i++)
		r = letter_write(l, span_make(octets, sizeof(octets)), &e);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(r, -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_non_null(strstr(e.text, "File too large"));
	s.params.number = 2;
	letter_commit(&l, &s.params, session_on_letter);
	assert_null(l);
	assert_int_equal(client_pending(s.box), 1);
	office_wait(o, &s.answered, 2);
	assert_int_equal(s.delivered, 1);
	assert_int_equal(s.e.kind, ERR_MESSAGE); /* others may fit */
	assert_int_equal(s.e.sys, EFBIG);
	session_end(&s);
	office_wait_count(o, "Maildir/tmp", 0);
	assert_int_equal(office_count(o, "Maildir/new", NULL), 1);
}

/* ---- other ways ---- */

#define PROGRAM 3
#define SERVER 4

/* A program that runs in our directory. */
static void
add_program(struct office *o, const char *script)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "cd %s && %s", o->dir, script);
	office_account(o, PROGRAM, TARGET_MDA, "mda", NULL, whole);
}

static void
expect_file(const struct office *o, const char *below, const char *text)
{
	size_t n;
	char *octets = office_read(office_path(o, below), &n);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(octets, text, n);
	free(octets);
}

static void
make_file(const struct office *o, const char *below)
{
	close(open(office_path(o, below), O_WRONLY | O_CREAT, 0600));
}

static void
wait_for_file(struct office *o, const char *below)
{
	unsigned int tries = OFFICE_LIMIT_MS / 5;

	while (access(office_path(o, below), F_OK) < 0 && tries-- > 0)
		office_turn(o, 5);
	assert_int_equal(access(office_path(o, below), F_OK), 0);
}

static void
delivers_to_a_program_and_remembers(void **state)
{
	struct office *o = *state;
	struct session s;

	add_program(o, "cat >> got");
	session_begin(&s, o, PROGRAM, "INBOX", 7);
	session_deliver(&s, 1, 1);
	session_deliver(&s, 2, 2);
	assert_int_equal(s.delivered, 2);
	expect_file(o, "got",
	    "Subject: x\n\n#1#\n"
	    "Subject: x\n\n#2#\n");
	session_deliver(&s, 2, 2);
	assert_int_equal(s.known, 1);
	session_end(&s);
	office_close(o);
	office_open(o);
	add_program(o, "cat >> got");
	session_begin(&s, o, PROGRAM, "INBOX", 7);
	assert_int_equal(set_count(&s.handled), 2);
	session_end(&s);
	/* nothing is left beside the ledger but what it got */
	assert_int_equal(access(office_path(o, "spool"), F_OK), -1);
}

static void
bars_what_a_program_refuses_and_lets_the_rest_flow(void **state)
{
	struct office *o = *state;
	struct session s;

	add_program(o, "test $MAILHAUL_UID != 2 || exit 100");
	session_begin(&s, o, PROGRAM, "INBOX", 7);
	session_deliver(&s, 1, 3);
	assert_int_equal(s.delivered, 2);
	assert_int_equal(s.e.kind, ERR_MESSAGE);
	session_end(&s);
	session_begin(&s, o, PROGRAM, "INBOX", 7);
	assert_int_equal(set_count(&s.handled), 2);
	assert_int_equal(set_count(&s.barred), 1);
	assert_true(set_has(&s.barred, 2));
	session_end(&s);
}

struct courier {
	struct session *s;
	struct letter *l;
	unsigned int asked;
	bool known;
	char octets[64];
	ssize_t n;
};

static void
on_asked(void *arg, struct letter *l, const struct letter_content *content,
    bool known, const struct err *e)
{
	struct courier *c = arg;

	(void)l;
	(void)e;
	c->asked++;
	c->known = known;
	if (content != NULL)
		c->n = pread(content->fd, c->octets, sizeof(c->octets), 0);
	loop_stop(c->s->o->loop);
}

static void
ask(struct courier *c, struct session *s, uint32_t number)
{
	*c = (struct courier){ .s = s };
	s->params.number = number;
	while ((c->l = letter_open(s->box, number, NULL)) == NULL)
		office_turn(s->o, 2);
	session_write(c->l, "A: b\r\n\r\n", number);
	letter_ask(c->l, &s->params, on_asked, c);
	office_wait(s->o, &c->asked, 1);
}

static void
records_what_the_engine_hands_on(void **state)
{
	static const struct draft_style crlf = { .crlf = true };
	const struct client_note note = {
		.number = 2, .held = true, .reason = "550 no"
	};
	struct office *o = *state;
	struct courier c;
	struct session s;

	office_account(o, SERVER, TARGET_RELAY, "lmtp", NULL, NULL);
	o->style = &crlf;
	session_begin(&s, o, SERVER, "INBOX", 7);
	ask(&c, &s, 1);
	assert_int_equal(c.n, 13);
	assert_memory_equal(c.octets, "A: b\r\n\r\n#1#\r\n", 13);
	letter_sent(&c.l, session_on_letter, NULL, NULL);
	office_wait(o, &s.delivered, 1);
	ask(&c, &s, 1);
	assert_true(c.known);
	letter_give_up(&c.l, NULL, session_on_letter);
	office_wait(o, &s.known, 1);
	ask(&c, &s, 2);
	assert_false(c.known);
	letter_refused(&c.l, &note, NULL, 0, session_on_letter, NULL, NULL);
	office_wait(o, &s.answered, 3);
	assert_int_equal(s.e.kind, ERR_MESSAGE);
	assert_int_equal(s.delivered, 2);
	session_end(&s);
	session_begin(&s, o, SERVER, "INBOX", 7);
	assert_true(set_has(&s.handled, 1));
	assert_int_equal(set_count(&s.handled), 1);
	assert_true(set_has(&s.barred, 2));
	session_end(&s);
	assert_int_equal(office_count(o, "Maildir", NULL), 0);
}

/* In the next session the numbers mean other messages. */
static void
records_what_was_handed_over_in_an_earlier_listing(void **state)
{
	struct office *o = *state;
	struct session s;

	add_program(
	    o, "touch began; until test -e go; do sleep 0.02; done; cat > got");
	session_begin(&s, o, PROGRAM, "", 0);
	list(&s, 1, 3);
	s.next = s.last = 3; /* uidl-3 */
	session_pump(&s);
	wait_for_file(o, "began");
	client_box_close(&s.box);
	s.opened = 0;
	s.box =
	    office_box(o, PROGRAM, "", 0, session_on_box, session_on_ready, &s);
	office_turn(o, 100);
	assert_int_equal(s.opened, 0);
	make_file(o, "go");
	office_wait(o, &s.opened, 1);
	list(&s, 2, 4); /* now the third is uidl-4 */
	assert_true(set_has(&s.fresh, 1));
	assert_false(set_has(&s.fresh, 2));
	assert_true(set_has(&s.fresh, 3));
	session_end(&s);
}

/* ---- engines that go away, and hostile ones ---- */

struct engine {
	struct office *o;
	struct ipc *ipc;
	unsigned int files, boxes, done, ended;
	uint32_t tokens[WIRE_FILES_MAX];
};

static void
on_engine(void *arg, struct ipc_packet *p)
{
	struct engine *g = arg;
	uint32_t box;
	size_t n;

	loop_stop(g->o->loop);
	if (p == NULL)
		g->ended++;
	else if (p->type == WIRE_BOX_IS)
		g->boxes++;
	else if (p->type == WIRE_DONE)
		g->done++;
	else if (p->type == WIRE_FILES) {
		assert_true(wire_take_tokens(p->payload, &box, g->tokens, &n));
		assert_int_equal(n, p->n_fds);
		g->files += (unsigned int)n;
	}
}

static void
say(struct engine *g, uint8_t type, const struct buf *b)
{
	ipc_send(g->ipc, type, buf_span(b));
}

/* By hand, as far as files that are open. */
static void
engine_begin(struct engine *g, struct office *o)
{
	struct wire_box box = { 1, 1, 7, 0, SPAN("INBOX") };
	struct wire_open want = { 1, 6 };
	struct buf b;

	*g = (struct engine){ .o = o };
	g->ipc = ipc_new(o->loop, office_line(o), on_engine, g);
	buf_init(&b, WIRE_MAX);
	wire_put_box(&b, &box);
	say(g, WIRE_BOX, &b);
	office_wait(o, &g->boxes, 1);
	buf_clear(&b);
	wire_put_open(&b, &want);
	say(g, WIRE_OPEN, &b);
	office_wait(o, &g->files, 6);
	buf_deinit(&b);
}

static void
removes_open_letters_of_a_killed_engine(void **state)
{
	struct office *o = *state;
	struct engine g;

	engine_begin(&g, o);
	assert_int_equal(office_count(o, "Maildir/tmp", NULL), 6);
	ipc_free(&g.ipc);
	office_wait_count(o, "Maildir/tmp", 0);
}

static void
removes_open_letters_when_another_engine_comes(void **state)
{
	struct office *o = *state;
	struct engine g, h;

	engine_begin(&g, o);
	engine_begin(&h, o);
	office_wait(o, &g.ended, 1);
	assert_int_equal(office_count(o, "Maildir/tmp", NULL), 6);
	ipc_free(&g.ipc);
	ipc_free(&h.ipc);
	office_wait_count(o, "Maildir/tmp", 0);
}

static void
commits_for_an_engine_that_died_after_asking(void **state)
{
	struct office *o = *state;
	struct wire_commit c = { .number = 3, .cookie = 9 };
	struct engine g;
	struct buf b;

	engine_begin(&g, o);
	buf_init(&b, WIRE_MAX);
	c.token = g.tokens[0];
	assert_true(wire_put_commit(&b, &c));
	say(&g, WIRE_COMMIT, &b);
	ipc_free(&g.ipc);
	buf_deinit(&b);
	office_wait_count(o, "Maildir/new", 1);
	office_wait_count(o, "Maildir/tmp", 0);
}

static void
refuses_a_file_of_another_size_than_said(void **state)
{
	struct office *o = *state;
	struct wire_commit c = { .number = 3, .octets = 1 };
	struct engine g;
	struct buf b;

	engine_begin(&g, o);
	buf_init(&b, WIRE_MAX);
	c.token = g.tokens[0];
	assert_true(wire_put_commit(&b, &c));
	say(&g, WIRE_COMMIT, &b);
	office_wait(o, &g.done, 1);
	assert_int_equal(office_count(o, "Maildir/new", NULL), 0);
	assert_int_equal(office_count(o, "Maildir/tmp", NULL), 5);
	ipc_free(&g.ipc);
	buf_deinit(&b);
}

static void
on_stopped(void *arg)
{
	struct session *s = arg;

	s->readied = 1000;
	loop_stop(s->o->loop);
}

static void
stops_with_tmp_clean_and_every_commit_answered(void **state)
{
	struct office *o = *state;
	struct session s;

	session_begin(&s, o, 1, "INBOX", 7);
	session_deliver(&s, 1, 20);
	s.next = 21;
	s.last = 200;
	session_pump(&s);
	office_turn(o, 2);
	s.last = s.next; /* nothing new */
	s.next++;
	server_stop(o->server, on_stopped, &s);
	office_wait(o, &s.readied, 1000);
	assert_int_equal(office_count(o, "Maildir/tmp", NULL), 0);
	assert_true(office_count(o, "Maildir/new", NULL) >= 20);
	office_turn(o, 20);
	assert_int_equal(office_count(o, "Maildir/new", NULL), s.delivered);
	session_end(&s);
}

static void
records_what_a_program_accepts_while_it_stops(void **state)
{
	struct office *o = *state;
	struct session s;

	add_program(o, "touch began; sleep 0.3; cat > got");
	session_begin(&s, o, PROGRAM, "INBOX", 7);
	s.next = s.last = 1;
	session_pump(&s);
	wait_for_file(o, "began");
	server_stop(o->server, on_stopped, &s);
	office_wait(o, &s.readied, 1000);
	expect_file(o, "got", "Subject: x\n\n#1#\n");
	session_end(&s);
	office_close(o);
	office_open(o);
	add_program(o, "true");
	session_begin(&s, o, PROGRAM, "INBOX", 7);
	assert_int_equal(set_count(&s.handled), 1);
	session_end(&s);
}

/* Nobody waits for it. */
static void
kills_its_programs_when_it_is_freed(void **state)
{
	struct office *o = *state;
	struct session s;

	add_program(o, "touch began; sleep 600");
	session_begin(&s, o, PROGRAM, "INBOX", 7);
	s.next = 1;
	s.last = 3;
	session_pump(&s);
	wait_for_file(o, "began");
	session_end(&s);
	office_close(o);
	office_open(o);
}

/* ---- accounts that go ---- */

static void
ends_the_work_for_an_account_that_is_forgotten(void **state)
{
	struct office *o = *state;
	struct session s, t;

	add_program(
	    o, "touch began; until test -e go; do sleep 0.02; done; cat > got");
	session_begin(&s, o, PROGRAM, "INBOX", 7);
	s.next = s.last = 1;
	session_pump(&s);
	wait_for_file(o, "began");
	server_forget(o->server, PROGRAM);
	session_begin(&t, o, PROGRAM, "INBOX", 7); /* it had not heard */
	assert_non_null(strstr(t.e.text, "not delivered to any more"));
	session_end(&t);
	make_file(o, "go");
	office_wait(o, &s.answered, 1);
	assert_int_equal(s.delivered, 1);
	expect_file(o, "got", "Subject: x\n\n#1#\n");
	session_deliver(&s, 2, 2); /* the box is open yet */
	assert_int_equal(s.delivered, 2);
	session_end(&s);
	add_program(o, "cat > got");
	session_begin(&s, o, PROGRAM, "INBOX", 7);
	assert_int_equal(set_count(&s.handled), 2);
	session_end(&s);
}

/* ---- many accounts ---- */

#define ACCOUNTS 100

static unsigned int
count_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
closes_the_maildirs_of_accounts_that_are_idle(void **state)
{
	struct office *o = *state;
	unsigned int before = count_files(), tries = OFFICE_LIMIT_MS / 20;
	struct session s[ACCOUNTS];
	char name[16];

	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		snprintf(name, sizeof(name), "m%u", i);
		office_account(o, 100 + i, TARGET_MAILDIR, name, name, NULL);
		session_begin(&s[i], o, 100 + i, "INBOX", 7);
		session_deliver(&s[i], 1, 1);
	}
	assert_true(count_files() >= before + 4 * ACCOUNTS);
	for (uint32_t i = 0; i < ACCOUNTS; i++)
		session_end(&s[i]);
	while (count_files() > before + 4 * 64 && tries-- > 0)
		office_turn(o, 20);
	assert_true(count_files() <= before + 4 * 64);
	session_begin(&s[0], o, 100, "INBOX", 7); /* and opens them again */
	session_deliver(&s[0], 2, 2);
	assert_int_equal(s[0].delivered, 1);
	session_end(&s[0]);
}

/* ---- many engines ---- */

#define ROUNDS 100
#define ROUND_LETTERS 5

/* An engine that goes with letters open, commits asked for, and a program
 * running. */
static void
one_engine(struct office *o, unsigned int round)
{
	struct session s, t;
	struct letter *l;

	session_begin(&s, o, 1, "INBOX", 7);
	session_begin(&t, o, PROGRAM, "INBOX", 7);
	s.next = round * ROUND_LETTERS + 1;
	s.last = s.next + ROUND_LETTERS - 1;
	t.next = t.last = round + 1;
	session_pump(&s);
	session_pump(&t);
	while (t.next <= t.last)
		office_turn(o, 1);
	while ((l = letter_open(s.box, 0, NULL)) == NULL)
		office_turn(o, 1);
	session_write(l, "half", 0);
	if (round % 2 == 0) {
		client_free(&o->client); /* boxes, letters and all */
		o->client = client_new(o->loop, office_line(o));
	} else {
		struct client *before = o->client;

		o->client = client_new(o->loop, office_line(o));
		client_free(&before);
	}
	s.box = t.box = NULL;
	session_end(&s);
	session_end(&t);
}

/* Those that the ledger does not know: an engine that comes to the mailbox
 * again fetches them. */
static void
deliver_the_rest(struct office *o, uint32_t account, uint32_t last)
{
	struct session s;
	uint32_t n;

	session_begin(&s, o, account, "INBOX", 7);
	for (n = 1; n <= last; n++)
		if (!set_has(&s.handled, n))
			session_deliver(&s, n, n);
	if (s.e.kind != ERR_NONE)
		fail_msg("%s", s.e.text);
	session_end(&s);
	session_begin(&s, o, account, "INBOX", 7);
	assert_int_equal(set_count(&s.handled), last);
	session_end(&s);
}

static void
loses_and_repeats_nothing_over_many_engines(void **state)
{
	struct office *o = *state;
	unsigned int before = 0, lines = 0;
	char *octets;
	size_t n;

	add_program(o, "cat >> got");
	for (unsigned int i = 0; i < ROUNDS; i++) {
		one_engine(o, i);
		if (i != 9)
			continue;
		deliver_the_rest(o, PROGRAM, i + 1);
		office_wait_count(o, "Maildir/tmp", 0);
		before = count_files();
	}
	deliver_the_rest(o, PROGRAM, ROUNDS);
	office_wait_count(o, "Maildir/tmp", 0);
	/* some spool files are kept for the next */
	assert_true(count_files() < before + ROUNDS / 2);
	deliver_the_rest(o, 1, ROUNDS * ROUND_LETTERS);
	assert_int_equal(
	    office_count(o, "Maildir/new", NULL), ROUNDS * ROUND_LETTERS);
	octets = office_read(office_path(o, "got"), &n);
	for (size_t i = 0; i < n; i++)
		lines += octets[i] == '\n';
	free(octets);
	assert_int_equal(lines, 3 * ROUNDS); /* a header, nothing, a body */
}

/* ---- an engine of many deliverers ---- */

/* As a supervisor does it: the deliverer dies, all hear of that, another one
 * comes, with a client of its own. */
static void
goes_on_with_another_deliverer(void **state)
{
	struct office *o = *state;
	struct session s;
	struct letter *l;
	unsigned int before = 0, due;

	for (unsigned int i = 0; i < ROUNDS / 4; i++) {
		session_begin(&s, o, 1, "INBOX", 7);
		s.next = i * ROUND_LETTERS + 1;
		s.last = s.next + ROUND_LETTERS - 1;
		session_pump(&s);
		while ((l = letter_open(s.box, 0, NULL)) == NULL)
			office_turn(o, 1);
		session_write(l, "half", 0);
		due = s.next - i * ROUND_LETTERS - 1;
		server_free(&o->server);
		office_wait(o, &s.answered, due); /* one way or the other */
		client_free(&o->client); /* with an open box and a letter */
		s.box = NULL;
		session_end(&s);
		office_open_server(o);
		o->client = client_new(o->loop, office_line(o));
		if (i == 4)
			before = count_files();
	}
	assert_int_equal(count_files(), before);
	deliver_the_rest(o, 1, ROUNDS / 4 * ROUND_LETTERS);
	assert_int_equal(
	    office_count(o, "Maildir/new", NULL), ROUNDS / 4 * ROUND_LETTERS);
	assert_int_equal(office_count(o, "Maildir/tmp", NULL), 0);
}

/* ---- crashes ---- */

#define RING_LETTERS 12

static int
bare_setup(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	log_set_sink(office_drop_line);
	office_make_dir(o);
	*state = o;
	return 0;
}

static int
bare_teardown(void **state)
{
	struct office *o = *state;

	office_remove_dir(o);
	free(o);
	return 0;
}

/* In a child: delivers what the ledger does not know yet, and prints the
 * number of each that was answered. */
struct teller {
	struct session s;
	int pipe;
};

static void
tell_letter(void *arg, uint32_t number, bool known, const struct err *e)
{
	struct teller *t = arg;
	uint8_t octet = (uint8_t)number;

	(void)known;
	if (e == NULL && write(t->pipe, &octet, 1) != 1)
		_exit(3);
	t->s.answered++;
	loop_stop(t->s.o->loop);
}

static void
tell_ready(void *arg)
{
	struct teller *t = arg;
	struct letter *l;

	for (; t->s.next <= t->s.last; t->s.next++) {
		if (set_has(&t->s.handled, t->s.next))
			continue;
		l = letter_open(t->s.box, 0, NULL);
		if (l == NULL)
			return;
		session_write(l, t->s.text, t->s.next);
		t->s.params.number = t->s.next;
		letter_commit(&l, &t->s.params, tell_letter);
	}
}

static void
deliver_all(struct office *o, int pipe)
{
	struct teller t = { .pipe = pipe };

	office_open(o);
	session_begin(&t.s, o, 1, "INBOX", 7);
	assert_int_equal(t.s.e.kind, ERR_NONE);
	client_box_close(&t.s.box);
	t.s.box = office_box(o, 1, "INBOX", 7, session_on_box, tell_ready, &t);
	office_wait(o, &t.s.opened, 2);
	t.s.last = RING_LETTERS;
	tell_ready(&t);
	office_wait(o, &t.s.answered,
	    RING_LETTERS - (unsigned int)set_count(&t.s.handled));
	session_end(&t.s);
	office_wait_count(o, "Maildir/tmp", 0);
	office_close(o);
}

/* True when the child was killed at point n; what was answered is in
 * answered. only: count the points of this name alone, or NULL. */
static bool
crash_at(
    struct office *o, const char *only, unsigned int n, struct set *answered)
{
	char number[16];
	uint8_t octet;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		snprintf(number, sizeof(number), "%u", n);
		setenv("MAILHAUL_DIE_AT", number, 1);
		setenv("MAILHAUL_DIE_IN", only != NULL ? only : "", 1);
		close(fds[0]);
		deliver_all(o, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	while (read(fds[0], &octet, 1) == 1)
		set_add(answered, octet, octet);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		assert_int_equal(WTERMSIG(status), SIGKILL);
	else
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

static void
expect_each_once(const struct office *o, const struct set *numbers)
{
	unsigned int i;

	for (i = 1; i <= RING_LETTERS; i++) {
		char text[16];

		snprintf(text, sizeof(text), "#%u#", i);
		if (set_has(numbers, i))
			assert_int_equal(
			    office_holding(o, "Maildir/new", text), 1);
	}
}

/* Killed at every point in turn: what was answered is there, and after
 * another run everything is, once. */
static void
loses_and_repeats_nothing_wherever_it_dies(void **state)
{
	struct office *o = *state;
	unsigned int n = 1, points = 0;
	bool died = true;

	while (died) {
		struct set answered, all, none;

		set_init(&answered);
		set_init(&all);
		set_init(&none);
		set_add(&all, 1, RING_LETTERS);
		died = crash_at(o, NULL, n, &answered);
		points += died;
		/* once more while clearing up after the first */
		if (died && n % 3 == 0)
			crash_at(o, "deliver:rolled", 1 + n % 2, &answered);
		/* before anything is cleared up: not in new/ twice */
		assert_true(
		    office_count(o, "Maildir/new", NULL) <= RING_LETTERS);
		expect_each_once(o, &answered);
		assert_false(crash_at(o, "none", 1, &answered));
		expect_each_once(o, &all);
		assert_int_equal(
		    office_count(o, "Maildir/new", NULL), RING_LETTERS);
		assert_int_equal(office_count(o, "Maildir/tmp", NULL), 0);
		set_deinit(&answered);
		set_deinit(&all);
		set_deinit(&none);
		office_remove_dir(o);
		assert_int_equal(mkdir(o->dir, 0700), 0);
		n++;
	}
	assert_true(points > 20);
}

static void
waits_for_a_maildir_that_is_not_there_after_a_crash(void **state)
{
	struct office *o = *state;
	struct set answered;
	struct session s;

	set_init(&answered);
	assert_true(crash_at(o, "deliver:prepared", 1, &answered));
	assert_true(set_empty(&answered));
	set_deinit(&answered);
	/* as if its disk were not mounted */
	assert_int_equal(
	    rename(office_path(o, "Maildir"), office_path(o, "away")), 0);
	office_open(o);
	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(s.e.kind, ERR_DELIVER);
	assert_non_null(strstr(s.e.text, "Maildir"));
	session_end(&s);
	assert_int_equal(access(office_path(o, "Maildir"), F_OK), -1);
	session_begin(&s, o, 2, "INBOX", 7);
	assert_int_equal(s.e.kind, ERR_NONE);
	session_end(&s);
	assert_int_equal(
	    rename(office_path(o, "away"), office_path(o, "Maildir")), 0);
	session_begin(&s, o, 1, "INBOX", 7);
	assert_int_equal(s.e.kind, ERR_NONE);
	assert_int_equal(office_count(o, "Maildir/new", NULL),
	    (unsigned int)set_count(&s.handled));
	assert_true(set_count(&s.handled) > 0);
	session_end(&s);
	office_close(o);
}

static void
needs_a_ledger(void **state)
{
	struct office *o = *state;
	struct loop *loop = loop_new();
	struct err e = { 0 };

	assert_null(server_new(loop, office_path(o, "no/such"), NULL, &e));
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_true(e.text[0] != '\0');
	loop_free(&loop);
}

#define OFFICE(f)                                                              \
	cmocka_unit_test_setup_teardown(f, office_setup, office_teardown)
#define BARE(f) cmocka_unit_test_setup_teardown(f, bare_setup, bare_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(loses_and_repeats_nothing_wherever_it_dies),
		BARE(waits_for_a_maildir_that_is_not_there_after_a_crash),
		BARE(needs_a_ledger),
		OFFICE(delivers_a_message_with_lf_and_its_size),
		OFFICE(delivers_thousands_into_two_maildirs_each_once),
		OFFICE(remembers_after_a_restart),
		OFFICE(answers_a_known_message_without_a_second_copy),
		OFFICE(says_that_uidvalidity_changed),
		OFFICE(settles_and_verifies),
		OFFICE(knows_pop3_messages_by_uidl),
		OFFICE(knows_a_message_by_its_content),
		OFFICE(refuses_a_link_at_new),
		OFFICE(keeps_to_its_directories_when_a_link_is_swapped_in),
		OFFICE(takes_back_what_cannot_be_renamed),
		OFFICE(says_that_no_file_can_be_made),
		OFFICE(removes_its_own_leftovers_and_no_others),
		OFFICE(refuses_what_no_file_can_hold),
		OFFICE(delivers_to_a_program_and_remembers),
		OFFICE(bars_what_a_program_refuses_and_lets_the_rest_flow),
		OFFICE(records_what_the_engine_hands_on),
		OFFICE(records_what_was_handed_over_in_an_earlier_listing),
		OFFICE(removes_open_letters_of_a_killed_engine),
		OFFICE(removes_open_letters_when_another_engine_comes),
		OFFICE(commits_for_an_engine_that_died_after_asking),
		OFFICE(refuses_a_file_of_another_size_than_said),
		OFFICE(stops_with_tmp_clean_and_every_commit_answered),
		OFFICE(records_what_a_program_accepts_while_it_stops),
		OFFICE(kills_its_programs_when_it_is_freed),
		OFFICE(ends_the_work_for_an_account_that_is_forgotten),
		OFFICE(closes_the_maildirs_of_accounts_that_are_idle),
		OFFICE(loses_and_repeats_nothing_over_many_engines),
		OFFICE(goes_on_with_another_deliverer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
