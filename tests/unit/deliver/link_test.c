/* SPDX-License-Identifier: ISC */
#include "deliver/link.h"

#include "office.h"

#include "deliver/wire.h"
#include "util/mem.h"

struct exchange {
	struct office o;
	struct link_env env;
	struct link *link;
	struct ipc *engine;
	unsigned int gone, ended; /* seen here, and there */
	unsigned int boxes, files, done, lists, sets, verified;
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

	STAILQ_FOREACH (j, done, next) {
		x->env.room.files -= j->kind == JOB_COMMIT;
		if (x->link != NULL && link_is_its(x->link, j))
			link_answer(x->link, j);
	}
	if (x->link != NULL)
		link_answered(x->link);
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
on_answer(struct exchange *x, const struct ipc_packet *p)
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
	} else {
		assert_int_equal(p->type, WIRE_SET);
		x->sets++;
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
begin(struct exchange *x)
{
	struct wire_box box = { 1, 1, 7, SPAN("INBOX") };
	struct wire_open want = { 1, 6 };
	struct err e;
	struct buf b;
	int fds[2];

	assert_int_equal(ipc_pair(fds, &e), 0);
	x->boxes = x->files = x->done = x->ended = x->gone = 0;
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
end(struct exchange *x)
{
	ipc_free(&x->engine);
	link_free(&x->link);
}

static int
setup(void **state)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct job_account *a = calloc(1, sizeof(*a));
	struct err e = { 0 };
	struct ledger *l;

	assert_non_null(x);
	assert_non_null(a);
	errors = 0;
	log_set_sink(count_errors);
	office_make_dir(&x->o);
	office_make_loop(&x->o);
	a->number = 1;
	a->name = mem_strdup("a");
	a->maildir = mem_strdup(office_path(&x->o, "M"));
	x->env.accounts = calloc(1, sizeof(a));
	x->env.accounts[0] = a;
	x->env.n_accounts = 1;
	x->env.loop = x->o.loop;
	x->env.room.max_files = 64;
	l = ledger_open(office_path(&x->o, "ledger"), &e);
	maildir_names_init(&x->env.room.names, ledger_token(l));
	x->env.worker =
	    worker_new(x->o.loop, l, &x->env.room.names, NULL, on_done, x, &e);
	assert_non_null(x->env.worker);
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct exchange *x = *state;

	end(x);
	worker_free(&x->env.worker);
	assert_int_equal(office_count(&x->o, "M/tmp", NULL), 0);
	office_free_loop(&x->o);
	office_remove_dir(&x->o);
	free(x->env.accounts[0]->name);
	free(x->env.accounts[0]->maildir);
	free(x->env.accounts[0]);
	free(x->env.accounts);
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
		char octets[40];
	} bad[] = {
		{ 0, 0, "" },
		{ 99, 4, "abcd" },
		{ WIRE_DONE, 4, "abcd" },
		/* twice the same, no account, NUL in the name, cut */
		{ WIRE_BOX, 16, "\1\0\0\0\1\0\0\0\7\0\0\0\0\0\0\0" },
		{ WIRE_BOX, 16, "\2\0\0\0\3\0\0\0\7\0\0\0\0\0\0\0" },
		{ WIRE_BOX, 17, "\2\0\0\0\1\0\0\0\7\0\0\0\1\0\0\0\0" },
		{ WIRE_BOX, 15, "\2\0\0\0\1\0\0\0\7\0\0\0\0\0\0" },
		{ WIRE_BOX, 16, "\2\0\0\0\1\0\0\0\7\0\0\0\xff\0\0\0" },
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
		{ WIRE_COMMIT, 37, "\xff\xff\xff\xff\0\0\0\0\1\0\0\0" },
		{ WIRE_COMMIT, 37, "\xff\0\0\0\0\0\0\0\1\0\0\0" },
		{ WIRE_COMMIT, 37, "\0\0\0\0\0\0\0\0\0\0\0\0" },
		{ WIRE_COMMIT, 37, "\0\0\0\0\0\0\0\0\1\0\0\0\4" },
		{ WIRE_COMMIT, 36, "\0\0\0\0\0\0\0\0\1\0\0\0" },
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
