/* SPDX-License-Identifier: ISC */
#include "deliver/link.h"

#include "office.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "deliver/wire_account.h"
#include "deliver/wire_mail.h"
#include "util/mem.h"

/* The accounts, by number. */
enum { MAILDIR = 1, MDA, RELAY, LOCAL_RELAY };

struct exchange {
	struct office o;
	struct link_env env;
	struct link *link;
	struct ipc *engine;
	unsigned int gone, ended; /* seen here, and there */
	unsigned int boxes, files, done, lists, sets, verified;
	unsigned int asked, names, named, dialled, recalled;
	struct ledger_account record; /* the last */
	size_t longest;               /* of the NAMED */
	bool known, barred;
	uint32_t reached;
	int dialled_fd;
	struct set held; /* what was told of the last box */
	uint32_t tokens[256];
	struct err e; /* of the last answer */
};

static unsigned int errors;

static void
count_errors(enum log_level level, const char *line)
{
	(void)line;
	errors += level == LOG_LEVEL_ERROR;
}

static void
on_done(void *arg, struct job_list *done)
{
	struct exchange *x = arg;
	struct job *j;

	while ((j = STAILQ_FIRST(done)) != NULL) {
		STAILQ_REMOVE_HEAD(done, next);
		if (outlet_goes_on(x->env.outlet, j))
			continue;
		if (j->letter)
			opener_done(&x->env.room, j);
		if (x->link != NULL && link_is_its(x->link, j))
			link_answer(x->link, j);
		job_free(&j);
	}
	if (x->link != NULL)
		link_answered(x->link);
}

static void
on_outlet(void *arg, struct job *j)
{
	struct job_list one = STAILQ_HEAD_INITIALIZER(one);

	STAILQ_INSERT_TAIL(&one, j, next);
	on_done(arg, &one);
}

static void
on_gone(void *arg)
{
	struct exchange *x = arg;

	x->gone++;
	link_free(&x->link);
	loop_stop(x->o.loop);
}

static void
on_set(struct exchange *x, struct span p)
{
	struct set set;
	uint32_t box;
	uint8_t which;

	set_init(&set);
	assert_true(wire_take_set(p, &box, &which, &set));
	if (which == WIRE_BARRED)
		set_add_set(&x->held, &set);
	set_deinit(&set);
	x->sets++;
}

static void
on_asked(struct exchange *x, struct span p)
{
	struct wire_asked a;

	assert_true(wire_take_asked(p, &a));
	x->asked++;
	x->known = a.known;
	x->barred = a.barred;
	x->reached = (uint32_t)a.reached.n;
	x->e = a.e;
}

static void
on_named(struct exchange *x, struct span p)
{
	struct unpack u = unpack_of(p);
	struct wire_name n;

	assert_int_equal(unpack_u32(&u), 1);
	x->names++;
	x->longest = p.n > x->longest ? p.n : x->longest;
	while (unpack_more(&u)) {
		assert_true(wire_take_name(&u, &n));
		x->named++;
	}
}

static void
on_dialled(struct exchange *x, struct ipc_packet *p)
{
	struct wire_dialled d;

	assert_true(wire_take_dialled(p->payload, &d));
	x->dialled++;
	x->e = d.e;
	if (p->n_fds == 0)
		return;
	x->dialled_fd = p->fds[0];
	p->fds[0] = -1;
}

static void
on_recalled(struct exchange *x, struct span p)
{
	struct wire_recalled r;

	assert_true(wire_take_recalled(p, &r));
	assert_true(r.known);
	x->recalled++;
	x->record = r.record;
}

static void
on_answer(struct exchange *x, struct ipc_packet *p)
{
	struct wire_answer a;
	struct wire_verified v;
	struct wire_done d;
	struct unpack u = unpack_of(p->payload);
	uint32_t box;
	size_t n;

	err_clear(&x->e);
	if (p->type == WIRE_BOX_IS || p->type == WIRE_LIST_IS) {
		assert_true(wire_take_answer(p->payload, &a));
		x->e = a.e;
		*(p->type == WIRE_BOX_IS ? &x->boxes : &x->lists) += 1;
	} else if (p->type == WIRE_FILES) {
		assert_true(wire_take_tokens(
		    p->payload, &box, x->tokens + x->files, &n));
		assert_int_equal(n, p->n_fds);
		x->files += (unsigned int)n;
	} else if (p->type == WIRE_DONE) {
		while (unpack_more(&u)) {
			assert_true(wire_take_done(&u, &d));
			x->e = d.e;
			x->done++;
		}
	} else if (p->type == WIRE_VERIFIED) {
		assert_true(wire_take_verified(p->payload, &v));
		x->verified++;
	} else if (p->type == WIRE_ASKED) {
		on_asked(x, p->payload);
	} else if (p->type == WIRE_NAMED) {
		on_named(x, p->payload);
	} else if (p->type == WIRE_DIALLED) {
		on_dialled(x, p);
	} else if (p->type == WIRE_RECALLED) {
		on_recalled(x, p->payload);
	} else {
		assert_int_equal(p->type, WIRE_SET);
		on_set(x, p->payload);
	}
}

static void
on_packet(void *arg, struct ipc_packet *p)
{
	struct exchange *x = arg;

	if (p == NULL)
		x->ended++;
	else
		on_answer(x, p);
	loop_stop(x->o.loop);
}

/* A link, and by hand as far as a box and six files that are open. */
static void
begin_with(struct exchange *x, uint32_t account, uint32_t uidvalidity)
{
	struct wire_box box = { 1, account, uidvalidity, 0, SPAN("INBOX") };
	struct wire_open want = { 1, 6 };
	struct err e;
	struct buf b;
	int fds[2];

	if (uidvalidity == 0)
		box.mailbox = SPAN("");
	assert_int_equal(ipc_pair(fds, &e), 0);
	x->boxes = x->files = x->done = x->ended = x->gone = 0;
	x->asked = x->names = x->named = x->dialled = x->lists = 0;
	x->recalled = 0;
	set_clear(&x->held);
	x->link = link_new(&x->env, fds[0], on_gone, x);
	x->engine = ipc_new(x->o.loop, fds[1], on_packet, x);
	buf_init(&b, WIRE_MAX);
	wire_put_box(&b, &box);
	ipc_send(x->engine, WIRE_BOX, buf_span(&b));
	office_wait(&x->o, &x->boxes, 1);
	buf_clear(&b);
	wire_put_open(&b, &want);
	ipc_send(x->engine, WIRE_OPEN, buf_span(&b));
	office_wait(&x->o, &x->files, 6);
	buf_deinit(&b);
}

static void
begin(struct exchange *x)
{
	begin_with(x, MAILDIR, 7);
}

static void
end(struct exchange *x)
{
	ipc_free(&x->engine);
	link_free(&x->link);
}

static void
add_account(struct exchange *x, uint32_t number, struct target *t)
{
	roster_add(&x->env.accounts, number, t);
}

static void
add_accounts(struct exchange *x)
{
	struct target *local =
	    office_target(&x->o, TARGET_RELAY, "local", NULL, NULL);

	roster_init(&x->env.accounts);
	local->socket = mem_strdup(office_path(&x->o, "socket"));
	add_account(
	    x, MAILDIR, office_target(&x->o, TARGET_MAILDIR, "a", "M", NULL));
	add_account(
	    x, MDA, office_target(&x->o, TARGET_MDA, "mda", NULL, "cat >&2"));
	add_account(
	    x, RELAY, office_target(&x->o, TARGET_RELAY, "r", NULL, NULL));
	add_account(x, LOCAL_RELAY, local);
}

static int
setup(void **state)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct err e = { 0 };
	struct ledger *l;

	assert_non_null(x);
	errors = 0;
	log_set_sink(count_errors);
	office_make_dir(&x->o);
	office_make_loop(&x->o);
	add_accounts(x);
	set_init(&x->held);
	x->env.loop = x->o.loop;
	x->env.room.max_files = 64;
	x->env.room.spool = spool_new(x->o.dir);
	l = ledger_open(office_path(&x->o, "ledger"), &e);
	maildir_names_init(&x->env.room.names, ledger_token(l));
	x->env.worker =
	    worker_new(x->o.loop, l, &x->env.room.names, NULL, on_done, x, &e);
	assert_non_null(x->env.worker);
	x->env.outlet = outlet_new(x->o.loop, x->env.worker, on_outlet, x);
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct exchange *x = *state;

	end(x);
	for (size_t i = 0; i < x->env.accounts.n; i++)
		outlet_forget(x->env.accounts.v[i]);
	worker_free(&x->env.worker);
	outlet_free(&x->env.outlet);
	spool_free(&x->env.room.spool);
	assert_int_equal(office_count(&x->o, "M/tmp", NULL), 0);
	office_free_loop(&x->o);
	office_remove_dir(&x->o);
	roster_deinit(&x->env.accounts);
	set_deinit(&x->held);
	free(x);
	return 0;
}

static void
send_commit(struct exchange *x, uint32_t token, uint64_t octets)
{
	struct wire_commit c = {
		.token = token, .number = token + 1, .octets = octets
	};
	struct buf b;

	buf_init(&b, WIRE_MAX);
	assert_true(wire_put_commit(&b, &c));
	ipc_send(x->engine, WIRE_COMMIT, buf_span(&b));
	buf_deinit(&b);
}

static void
answers_commits(void **state)
{
	struct exchange *x = *state;
	unsigned int i;

	begin(x);
	for (i = 0; i < 5; i++)
		send_commit(x, x->tokens[i], 0);
	office_wait(&x->o, &x->done, 5);
	assert_int_equal(x->e.kind, ERR_NONE);
	assert_int_equal(office_count(&x->o, "M/new", NULL), 5);
	send_commit(x, x->tokens[5], 1); /* it has none */
	office_wait(&x->o, &x->done, 6);
	assert_int_equal(x->e.kind, ERR_DELIVER);
	assert_int_equal(x->env.room.files, 0);
}

static void
drops_what_is_open_when_the_engine_goes(void **state)
{
	struct exchange *x = *state;

	begin(x);
	assert_int_equal(office_count(&x->o, "M/tmp", NULL), 6);
	send_commit(x, x->tokens[0], 0);
	ipc_free(&x->engine);
	office_wait(&x->o, &x->gone, 1);
	office_wait_count(&x->o, "M/tmp", 0);
	assert_int_equal(errors, 0);
	office_wait_count(&x->o, "M/new", 1);
}

/* The engine closes a box while its files are on their way. */
static void
lets_letters_outlive_their_box(void **state)
{
	struct exchange *x = *state;

	begin(x);
	ipc_send(x->engine, WIRE_BOX_CLOSE, SPAN("\1\0\0\0"));
	send_commit(x, x->tokens[0], 0);
	office_wait(&x->o, &x->done, 1);
	assert_int_equal(x->e.kind, ERR_NONE);
	ipc_send(x->engine, WIRE_DISCARD, SPAN("\0\0\0\0\1\0\0\0"));
	office_wait_count(&x->o, "M/tmp", 4);
}

static void
hears_nothing_more_when_deaf(void **state)
{
	struct exchange *x = *state;

	begin(x);
	send_commit(x, x->tokens[0], 0);
	office_wait(&x->o, &x->done, 1);
	link_deafen(x->link);
	assert_int_equal(office_count(&x->o, "M/tmp", NULL), 0);
	send_commit(x, x->tokens[1], 0);
	office_turn(&x->o, 30);
	assert_int_equal(x->done, 1);
	assert_int_equal(x->ended, 0);
	assert_int_equal(office_count(&x->o, "M/new", NULL), 1);
}

static void
takes_one_listing_at_a_time(void **state)
{
	struct exchange *x = *state;

	begin(x);
	ipc_send(x->engine, WIRE_LIST_BEGIN, SPAN("\1\0\0\0"));
	ipc_send(x->engine, WIRE_LIST_ADD,
	    SPAN("\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0u"));
	ipc_send(x->engine, WIRE_LIST_END, SPAN("\1\0\0\0"));
	office_wait(&x->o, &x->lists, 1);
	assert_int_equal(x->e.kind, ERR_NONE);
	assert_int_equal(x->sets, 1);
	ipc_send(x->engine, WIRE_LIST_BEGIN, SPAN("\1\0\0\0"));
	ipc_send(x->engine, WIRE_LIST_BEGIN, SPAN("\1\0\0\0"));
	office_wait(&x->o, &x->ended, 1);
}

/* Each of these ends the link, with one line in the log. */
static void
cuts_off_who_breaks_the_protocol(void **state)
{
	static const struct {
		uint8_t type;
		size_t n;
		char octets[72];
	} bad[] = {
		{ 0, 0, "" },
		{ 99, 4, "abcd" },
		{ WIRE_DONE, 4, "abcd" },
		/* twice the same, no account, NUL in the name, cut */
		{ WIRE_BOX, 17, "\1\0\0\0\1\0\0\0\7\0\0\0\0\0\0\0\0" },
		{ WIRE_BOX, 17, "\2\0\0\0\x09\0\0\0\7\0\0\0\0\0\0\0\0" },
		{ WIRE_BOX, 18, "\2\0\0\0\1\0\0\0\7\0\0\0\0\1\0\0\0\0" },
		{ WIRE_BOX, 16, "\2\0\0\0\1\0\0\0\7\0\0\0\0\0\0\0" },
		{ WIRE_BOX, 17, "\2\0\0\0\1\0\0\0\7\0\0\0\0\xff\0\0\0" },
		{ WIRE_BOX_CLOSE, 4, "\2\0\0\0" },
		{ WIRE_BOX_CLOSE, 0, "" },
		{ WIRE_SETTLE, 13, "\2\0\0\0\0\1\0\0\0\1\0\0\0" },
		{ WIRE_SETTLE, 13, "\1\0\0\0\0\2\0\0\0\1\0\0\0" },
		{ WIRE_GONE, 13, "\1\0\0\0\0\0\0\0\0\1\0\0\0" },
		{ WIRE_GONE, 12, "\1\0\0\0\0\1\0\0\0\1\0\0" },
		{ WIRE_GONE, 21, "\1\0\0\0\0\1\0\0\0\5\0\0\0\5\0\0\0\6\0\0\0" },
		{ WIRE_LIST_ADD, 4, "\1\0\0\0" },
		{ WIRE_LIST_END, 4, "\1\0\0\0" },
		{ WIRE_LIST_BEGIN, 4, "\2\0\0\0" },
		{ WIRE_VERIFY, 8, "\1\0\0\0\1\0\0\0" },
		{ WIRE_OPEN, 8, "\2\0\0\0\1\0\0\0" },
		{ WIRE_OPEN, 8, "\1\0\0\0\0\0\0\0" },
		{ WIRE_OPEN, 8, "\1\0\0\0\0\0\1\0" },
		{ WIRE_COMMIT, 66, "\xff\xff\xff\xff\0\0\0\0\1\0\0\0" },
		{ WIRE_COMMIT, 66, "\xff\0\0\0\0\0\0\0\1\0\0\0" },
		{ WIRE_COMMIT, 66, "\0\0\0\0\0\0\0\0\0\0\0\0" },
		{ WIRE_COMMIT, 66, "\0\0\0\0\0\0\0\0\1\0\0\0\x10" },
		/* a Maildir flag that does not exist; relayed */
		{ WIRE_COMMIT, 66, "\0\0\0\0\0\0\0\0\1\0\0\0\0\x10" },
		{ WIRE_COMMIT, 66, "\0\0\0\0\0\0\0\0\1\0\0\0\4" },
		{ WIRE_COMMIT, 65, "\0\0\0\0\0\0\0\0\1\0\0\0" },
		{ WIRE_DISCARD, 8, "\0\0\0\0\xff\0\0\0" },
		{ WIRE_DISCARD, 4, "\0\0\0\0" },
	};
	struct exchange *x = *state;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(x);
		errors = 0;
		ipc_send(
		    x->engine, bad[i].type, span_make(bad[i].octets, bad[i].n));
		office_wait(&x->o, &x->ended, 1);
		assert_int_equal(x->gone, 1);
		assert_int_equal(errors, 1);
		assert_int_equal(office_count(&x->o, "M/tmp", NULL), 0);
		end(x);
	}
}

/* ---- letters that go elsewhere ---- */

static void
say(struct exchange *x, enum wire_type type, struct buf *b)
{
	ipc_send(x->engine, (uint8_t)type, buf_span(b));
	buf_deinit(b);
}

static void
expect_cut(struct exchange *x)
{
	office_wait(&x->o, &x->ended, 1);
	assert_int_equal(x->gone, 1);
	assert_int_equal(errors, 1);
	errors = 0;
	end(x);
}

static void
ask(struct exchange *x, uint32_t token, uint32_t number)
{
	struct wire_ask a = { .token = token, .cookie = 8, .number = number };
	struct buf b;

	buf_init(&b, WIRE_MAX);
	wire_put_ask(&b, &a);
	say(x, WIRE_ASK, &b);
}

static void
send_note(struct exchange *x, uint32_t box, uint32_t token, uint32_t number)
{
	struct wire_note n = { .box = box,
		.token = token,
		.cookie = token == WIRE_NO_TOKEN ? WIRE_NO_COOKIE : 9,
		.number = number,
		.state = LEDGER_HELD,
		.reason = SPAN("550 no such user"),
		.reached = { { SPAN("a@b"), SPAN("c@d") }, 2 } };
	struct buf b;

	buf_init(&b, WIRE_MAX);
	wire_put_note(&b, &n);
	say(x, WIRE_NOTE, &b);
}

static void
send_relayed(struct exchange *x, uint32_t token, uint32_t number, bool relayed)
{
	struct wire_commit c = {
		.token = token, .number = number, .relayed = relayed
	};
	struct buf b;

	buf_init(&b, WIRE_MAX);
	assert_true(wire_put_commit(&b, &c));
	say(x, WIRE_COMMIT, &b);
}

/* A letter stays open when it is asked for; then it is recorded, or noted. */
static void
records_what_the_engine_handed_on(void **state)
{
	struct exchange *x = *state;

	begin_with(x, RELAY, 7);
	ask(x, x->tokens[0], 1);
	ask(x, x->tokens[0], 1);
	office_wait(&x->o, &x->asked, 2);
	assert_int_equal(x->e.kind, ERR_NONE);
	assert_false(x->known);
	assert_false(x->barred);
	send_relayed(x, x->tokens[0], 1, true);
	office_wait(&x->o, &x->done, 1);
	assert_int_equal(x->e.kind, ERR_NONE);
	assert_int_equal(x->env.room.files, 5);
	ask(x, x->tokens[1], 1);
	office_wait(&x->o, &x->asked, 3);
	assert_true(x->known);
}

static void
notes_a_letter_that_was_refused(void **state)
{
	struct exchange *x = *state;

	begin_with(x, RELAY, 7);
	send_note(x, 1, x->tokens[0], 5);
	office_wait(&x->o, &x->done, 1);
	assert_int_equal(x->e.kind, ERR_MESSAGE);
	assert_string_equal(x->e.text, "held: 550 no such user");
	assert_int_equal(x->env.room.files, 5);
	ask(x, x->tokens[1], 5);
	office_wait(&x->o, &x->asked, 1);
	assert_true(x->barred);
	assert_int_equal(x->reached, 2);
	end(x);
	begin_with(x, RELAY, 7);
	assert_true(set_has(&x->held, 5));
	assert_int_equal(set_count(&x->held), 1);
}

/* Without an answer; and it is of no box that is not open. */
static void
notes_a_message_that_was_not_fetched(void **state)
{
	struct exchange *x = *state;

	begin(x);
	send_note(x, 1, WIRE_NO_TOKEN, 6);
	ipc_send(x->engine, WIRE_VERIFY,
	    span_make("\1\0\0\0\1\0\0\0"
		      "0123456789abcdef",
		24));
	office_wait(&x->o, &x->verified, 1);
	assert_int_equal(x->done, 0);
	assert_int_equal(x->env.room.files, 6);
	end(x);
	begin(x);
	assert_true(set_has(&x->held, 6));
}

static void
hands_letters_to_a_program(void **state)
{
	struct exchange *x = *state;

	begin_with(x, MDA, 7);
	send_relayed(x, x->tokens[0], 1, false);
	office_wait(&x->o, &x->done, 1);
	assert_int_equal(x->e.kind, ERR_NONE);
	assert_int_equal(x->env.room.files, 5);
	send_relayed(x, x->tokens[1], 1, false);
	office_wait(&x->o, &x->done, 2);
	assert_int_equal(x->e.kind, ERR_NONE);
}

/* Each of these ends the link, too. */
static void
cuts_off_who_commits_by_another_way(void **state)
{
	static const struct {
		uint32_t account;
		bool relayed;
	} bad[] = { { MAILDIR, true }, { MDA, true }, { RELAY, false } };
	struct exchange *x = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin_with(x, bad[i].account, 7);
		send_relayed(x, x->tokens[0], 1, bad[i].relayed);
		expect_cut(x);
		assert_int_equal(x->env.room.files, 0);
	}
}

static void
cuts_off_who_asks_or_notes_what_is_not_open(void **state)
{
	struct exchange *x = *state;

	begin_with(x, RELAY, 7);
	ask(x, 60, 1);
	expect_cut(x);
	begin_with(x, RELAY, 7);
	ask(x, UINT32_MAX, 1);
	expect_cut(x);
	begin_with(x, RELAY, 7);
	ask(x, x->tokens[0], 0);
	expect_cut(x);
	begin_with(x, RELAY, 7);
	send_note(x, 1, 60, 1);
	expect_cut(x);
	begin_with(x, RELAY, 7);
	send_note(x, 2, x->tokens[0], 1); /* no such box */
	expect_cut(x);
	begin_with(x, RELAY, 7);
	send_note(x, 2, WIRE_NO_TOKEN, 1);
	expect_cut(x);
	/* twice the same letter */
	begin_with(x, RELAY, 7);
	send_note(x, 1, x->tokens[0], 1);
	send_note(x, 1, x->tokens[0], 1);
	expect_cut(x);
	begin_with(x, RELAY, 7);
	send_relayed(x, x->tokens[0], 1, true);
	ask(x, x->tokens[0], 1);
	expect_cut(x);
}

static void
cuts_off_who_notes_in_a_box_that_is_not_open_yet(void **state)
{
	struct wire_box box = { 2, MAILDIR, 8, 0, SPAN("INBOX") }; /* changed */
	struct exchange *x = *state;
	struct buf b;

	begin(x);
	buf_init(&b, WIRE_MAX);
	wire_put_box(&b, &box);
	say(x, WIRE_BOX, &b);
	office_wait(&x->o, &x->boxes, 2);
	send_note(x, 2, WIRE_NO_TOKEN, 1);
	expect_cut(x);
}

/* The number comes again while the first box is still being looked for. */
static void
cuts_off_who_uses_the_number_of_a_box_again(void **state)
{
	struct wire_box box = { 2, MDA, 7, 0, SPAN("INBOX") };
	struct exchange *x = *state;
	struct buf b;

	begin(x);
	for (int i = 0; i < 2; i++) {
		buf_init(&b, WIRE_MAX);
		wire_put_box(&b, &box);
		say(x, WIRE_BOX, &b);
		if (i == 0)
			ipc_send(x->engine, WIRE_BOX_CLOSE, SPAN("\2\0\0\0"));
		box.account = MAILDIR;
	}
	expect_cut(x);
}

/* ---- names ---- */

static void
send_names(struct exchange *x, uint32_t first, uint32_t last)
{
	struct set set;
	struct buf b;

	set_init(&set);
	set_add(&set, first, last);
	buf_init(&b, WIRE_MAX);
	wire_put_set(&b, 1, 0, &set, 0);
	say(x, WIRE_NAMES, &b);
	set_deinit(&set);
}

static void
send_listing(struct exchange *x, uint32_t n)
{
	char uidl[128];
	struct buf b;

	memset(uidl, 'u', sizeof(uidl));
	ipc_send(x->engine, WIRE_LIST_BEGIN, SPAN("\1\0\0\0"));
	for (uint32_t i = 1; i <= n; i++) {
		struct wire_line line = { i, 1, { uidl, 70 } };

		snprintf(uidl, sizeof(uidl), "%070u", i);
		buf_init(&b, WIRE_MAX);
		wire_put_number(&b, 1);
		assert_true(wire_put_line(&b, &line));
		say(x, WIRE_LIST_ADD, &b);
	}
	ipc_send(x->engine, WIRE_LIST_END, SPAN("\1\0\0\0"));
	office_wait(&x->o, &x->lists, 1);
	assert_int_equal(x->e.kind, ERR_NONE);
}

/* In as many packets as it takes. */
static void
tells_all_names_that_it_is_asked_for(void **state)
{
	struct exchange *x = *state;

	begin_with(x, MAILDIR, 0);
	send_listing(x, WIRE_NAMES_MAX - 4);
	send_names(x, 1, WIRE_NAMES_MAX); /* some of them are not listed */
	office_wait(&x->o, &x->named, WIRE_NAMES_MAX);
	assert_int_equal(x->named, WIRE_NAMES_MAX);
	assert_int_equal(x->names, 3);
	assert_true(x->longest <= WIRE_MAX);
}

static void
cuts_off_who_wants_too_many_names(void **state)
{
	struct exchange *x = *state;

	begin_with(x, MAILDIR, 0);
	send_names(x, 1, WIRE_NAMES_MAX + 1);
	expect_cut(x);
	begin_with(x, MAILDIR, 0);
	send_names(x, 1, UINT32_MAX);
	expect_cut(x);
	begin_with(x, MAILDIR, 0);
	ipc_send(x->engine, WIRE_NAMES, SPAN("\2\0\0\0\0"));
	expect_cut(x);
}

/* ---- local servers ---- */

static void
dial(struct exchange *x, uint32_t account)
{
	struct buf b;

	buf_init(&b, WIRE_MAX);
	wire_put_number(&b, account);
	say(x, WIRE_DIAL, &b);
}

static void
dials_the_server_of_an_account(void **state)
{
	struct exchange *x = *state;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), heard;

	begin(x);
	dial(x, LOCAL_RELAY);
	office_wait(&x->o, &x->dialled, 1);
	assert_int_equal(x->e.kind, ERR_DELIVER);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s",
	    office_path(&x->o, "socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 1), 0);
	x->dialled_fd = -1;
	dial(x, LOCAL_RELAY);
	office_wait(&x->o, &x->dialled, 2);
	assert_int_equal(x->e.kind, ERR_NONE);
	heard = accept(fd, NULL, NULL);
	assert_true(heard >= 0);
	assert_int_equal(write(x->dialled_fd, "x", 1), 1);
	close(heard);
	close(x->dialled_fd);
	close(fd);
}

static void
cuts_off_who_dials_where_there_is_no_socket(void **state)
{
	static const uint32_t bad[] = { MAILDIR, MDA, RELAY, 99 };
	struct exchange *x = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(x);
		dial(x, bad[i]);
		expect_cut(x);
	}
	begin(x);
	ipc_send(x->engine, WIRE_DIAL, SPAN("\4\0\0"));
	expect_cut(x);
}

/* ---- accounts ---- */

static void
recall(struct exchange *x, uint32_t account)
{
	struct buf b;

	buf_init(&b, WIRE_MAX);
	wire_put_number(&b, account);
	say(x, WIRE_RECALL, &b);
}

static void
remember(struct exchange *x, uint32_t account, uint32_t refused)
{
	struct wire_remember w = { account, refused, 99, 5 };
	struct buf b;

	buf_init(&b, WIRE_MAX);
	wire_put_remember(&b, &w);
	say(x, WIRE_REMEMBER, &b);
}

static void
remembers_accounts_for_the_next_engine(void **state)
{
	struct exchange *x = *state;

	begin(x);
	recall(x, MDA);
	remember(x, MDA, 3);
	recall(x, MAILDIR);
	office_wait(&x->o, &x->recalled, 2);
	assert_int_equal(x->record.refused, 0);
	end(x);
	begin(x);
	recall(x, MDA);
	office_wait(&x->o, &x->recalled, 1);
	assert_int_equal(x->record.refused, 3);
	assert_int_equal(x->record.refused_at, 99);
	assert_int_equal(x->record.mark, 5);
}

static void
cuts_off_who_remembers_what_there_is_not(void **state)
{
	struct exchange *x = *state;

	begin(x);
	recall(x, 99);
	expect_cut(x);
	begin(x);
	remember(x, 99, 1);
	expect_cut(x);
	begin(x);
	ipc_send(x->engine, WIRE_RECALL, SPAN("\1\0\0"));
	expect_cut(x);
	begin(x);
	ipc_send(x->engine, WIRE_REMEMBER, SPAN("\1\0\0\0"));
	expect_cut(x);
}

static void
cuts_off_who_sends_descriptors(void **state)
{
	struct exchange *x = *state;
	int fd = 0;

	begin(x);
	ipc_send_fds(
	    x->engine, WIRE_BOX_CLOSE, SPAN("\1\0\0\0"), &fd, 1, false);
	office_wait(&x->o, &x->ended, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_commits),
		TEST(drops_what_is_open_when_the_engine_goes),
		TEST(lets_letters_outlive_their_box),
		TEST(hears_nothing_more_when_deaf),
		TEST(takes_one_listing_at_a_time),
		TEST(cuts_off_who_breaks_the_protocol),
		TEST(cuts_off_who_sends_descriptors),
		TEST(records_what_the_engine_handed_on),
		TEST(notes_a_letter_that_was_refused),
		TEST(notes_a_message_that_was_not_fetched),
		TEST(hands_letters_to_a_program),
		TEST(cuts_off_who_commits_by_another_way),
		TEST(cuts_off_who_asks_or_notes_what_is_not_open),
		TEST(cuts_off_who_notes_in_a_box_that_is_not_open_yet),
		TEST(cuts_off_who_uses_the_number_of_a_box_again),
		TEST(tells_all_names_that_it_is_asked_for),
		TEST(cuts_off_who_wants_too_many_names),
		TEST(dials_the_server_of_an_account),
		TEST(cuts_off_who_dials_where_there_is_no_socket),
		TEST(remembers_accounts_for_the_next_engine),
		TEST(cuts_off_who_remembers_what_there_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
