/* SPDX-License-Identifier: ISC */
#include "deliver/opener.h"

#include "office.h"

#include "deliver/wire.h"

#define ROOM 10

struct counter {
	struct office o;
	struct opener_room room;
	struct opener *opener;
	struct opener_for a, b;
	struct maildir *maildir;
	struct place place; /* never looked into */
	struct job_account account;
	struct ipc *ours, *theirs;
	unsigned int files, refused, from_a, from_b;
	uint32_t tokens[64];
};

static void
on_packet(void *arg, struct ipc_packet *p)
{
	struct counter *c = arg;
	struct wire_no_files none;
	uint32_t box, tokens[WIRE_FILES_MAX];
	size_t n;

	loop_stop(c->o.loop);
	if (p != NULL && p->type == WIRE_NO_FILES) {
		assert_true(wire_take_no_files(p->payload, &none));
		assert_int_equal(none.e.kind, ERR_DELIVER);
		c->refused += none.count;
		return;
	}
	assert_non_null(p);
	assert_int_equal(p->type, WIRE_FILES);
	assert_true(wire_take_tokens(p->payload, &box, tokens, &n));
	assert_int_equal(n, p->n_fds);
	memcpy(c->tokens + c->files, tokens, n * sizeof(tokens[0]));
	c->files += (unsigned int)n;
	*(box == 1 ? &c->from_a : &c->from_b) += (unsigned int)n;
}

static int
setup(void **state)
{
	struct counter *c = calloc(1, sizeof(*c));
	struct err e = { 0 };
	int fds[2];

	assert_non_null(c);
	office_make_dir(&c->o);
	office_make_loop(&c->o);
	assert_int_equal(ipc_pair(fds, &e), 0);
	c->ours = ipc_new(c->o.loop, fds[0], on_packet, c);
	c->theirs = ipc_new(c->o.loop, fds[1], on_packet, c);
	c->maildir = maildir_open(office_path(&c->o, "M"), true, false, &e);
	c->room.max_files = ROOM;
	maildir_names_init(&c->room.names, "0123456789abcdef");
	c->opener = opener_new(&c->room, 5);
	c->room.spool = spool_new(c->o.dir);
	c->a = (struct opener_for){ .box = 1,
		.account = &c->account,
		.ledger_box = 11,
		.place = &c->place,
		.maildir = c->maildir };
	c->b = (struct opener_for){ .box = 2,
		.account = &c->account,
		.place = &c->place,
		.maildir = c->maildir };
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	struct counter *c = *state;

	opener_free(&c->opener);
	assert_int_equal(c->room.files, 0);
	assert_int_equal(office_count(&c->o, "M/tmp", NULL), 0);
	maildir_unref(&c->maildir);
	spool_free(&c->room.spool);
	ipc_free(&c->ours);
	ipc_free(&c->theirs);
	office_free_loop(&c->o);
	office_remove_dir(&c->o);
	free(c);
	return 0;
}

static void
release(struct counter *c, uint32_t token)
{
	struct job *j = opener_take(c->opener, token);

	assert_non_null(j);
	job_free(&j);
	c->room.files--;
}

static void
opens_and_hands_over_by_token(void **state)
{
	struct counter *c = *state;
	struct job *j;

	assert_true(opener_want(c->opener, &c->a, 3));
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->files, 3);
	assert_int_equal(office_count(&c->o, "M/tmp", NULL), 3);
	j = opener_take(c->opener, c->tokens[1]);
	assert_int_equal(j->kind, JOB_COMMIT);
	assert_int_equal(j->link, 5);
	assert_int_equal(j->commit.entry.box, 11);
	assert_true(j->commit.fd >= 0);
	assert_null(opener_take(c->opener, c->tokens[1]));
	assert_null(opener_take(c->opener, ROOM));
	assert_null(opener_take(c->opener, UINT32_MAX));
	assert_int_equal(c->room.files, 3);
	job_free(&j);
	c->room.files--;
}

static void
serves_those_who_wait_in_turn(void **state)
{
	struct counter *c = *state;
	unsigned int i;

	assert_true(opener_want(c->opener, &c->a, 15));
	assert_true(opener_want(c->opener, &c->b, 5));
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->files, ROOM);
	assert_int_equal(c->from_a, ROOM);
	for (i = 0; i < 6; i++)
		release(c, c->tokens[i]);
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->files, ROOM + 6);
	assert_int_equal(c->from_b, 5);
	assert_int_equal(c->from_a, ROOM + 1);
	opener_forget(c->opener, &c->a);
	release(c, c->tokens[7]);
	opener_serve(c->opener, c->ours);
	assert_int_equal(c->room.files, ROOM - 1);
}

static void
refuses_to_owe_too_many(void **state)
{
	struct counter *c = *state;

	assert_true(opener_want(c->opener, &c->a, WIRE_OPEN_MAX - 1));
	assert_false(opener_want(c->opener, &c->a, 2));
	assert_true(opener_want(c->opener, &c->a, 1));
	opener_forget(c->opener, &c->a);
	opener_forget(c->opener, &c->a);
}

/* It counts as any other, and its job has room for what is said of it. */
static void
opens_files_without_a_name_where_there_is_no_place(void **state)
{
	struct counter *c = *state;
	struct stat st;
	struct job *j;

	c->a = (struct opener_for){ .box = 1,
		.account = &c->account,
		.mailbox = "Lists/x",
		.ledger_box = 11 };
	assert_true(opener_want(c->opener, &c->a, 2));
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->files, 2);
	assert_int_equal(c->room.files, 2);
	j = opener_take(c->opener, c->tokens[1]);
	assert_null(opener_find(c->opener, c->tokens[1]));
	assert_true(j->letter);
	assert_ptr_equal(j->account, &c->account);
	assert_null(j->commit.place);
	assert_null(j->commit.maildir);
	assert_int_equal(j->commit.entry.box, 11);
	assert_string_equal(j->mail->mailbox, "Lists/x");
	assert_int_equal(fstat(j->commit.fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	job_free(&j);
	c->room.files--;
	/* and none where no file can be made */
	spool_free(&c->room.spool);
	c->room.spool = spool_new("/proc");
	assert_true(opener_want(c->opener, &c->a, 2));
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->refused, 2);
}

static ino_t
file_of(const struct counter *c, uint32_t token)
{
	const struct job *j = opener_find(c->opener, token);
	struct stat st;

	assert_non_null(j);
	assert_int_equal(fstat(j->commit.fd, &st), 0);
	return st.st_ino;
}

/* An engine that was cut off may write to what it has. */
static void
gives_nobody_a_file_that_another_engine_may_hold(void **state)
{
	struct counter *c = *state;
	ino_t first, second;
	struct job *j;
	int held;

	c->a = (struct opener_for){
		.box = 1, .account = &c->account, .mailbox = "Lists/x"
	};
	assert_true(opener_want(c->opener, &c->a, 2));
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->files, 2);
	first = file_of(c, c->tokens[0]);
	second = file_of(c, c->tokens[1]);
	j = opener_take(c->opener, c->tokens[0]);
	opener_done(&c->room, j); /* in order: it is used again */
	job_free(&j);
	assert_true(opener_want(c->opener, &c->a, 1));
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->files, 3);
	assert_int_equal(file_of(c, c->tokens[2]), first);
	held = dup(opener_find(c->opener, c->tokens[1])->commit.fd);
	opener_drop_all(c->opener);
	assert_int_equal(c->room.files, 0);
	c->files = 0;
	assert_true(opener_want(c->opener, &c->a, 2));
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->files, 2);
	assert_true(file_of(c, c->tokens[0]) != second);
	assert_true(file_of(c, c->tokens[1]) != second);
	close(held);
}

static void
finds_no_letter_that_is_not_open(void **state)
{
	struct counter *c = *state;

	assert_null(opener_find(c->opener, 0));
	assert_null(opener_find(c->opener, ROOM));
	assert_null(opener_find(c->opener, UINT32_MAX));
	assert_true(opener_want(c->opener, &c->a, 1));
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->files, 1);
	assert_non_null(opener_find(c->opener, c->tokens[0]));
	assert_non_null(opener_find(c->opener, c->tokens[0])); /* stays */
	release(c, c->tokens[0]);
	assert_null(opener_find(c->opener, c->tokens[0]));
}

static void
says_why_there_are_none(void **state)
{
	struct counter *c = *state;

	assert_int_equal(rmdir(office_path(&c->o, "M/tmp")), 0);
	assert_true(opener_want(c->opener, &c->a, 3));
	opener_serve(c->opener, c->ours);
	office_wait(&c->o, &c->refused, 3);
	assert_int_equal(c->a.wanted, 0);
	assert_int_equal(c->room.files, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_and_hands_over_by_token),
		TEST(serves_those_who_wait_in_turn),
		TEST(refuses_to_owe_too_many),
		TEST(opens_files_without_a_name_where_there_is_no_place),
		TEST(gives_nobody_a_file_that_another_engine_may_hold),
		TEST(finds_no_letter_that_is_not_open),
		TEST(says_why_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
