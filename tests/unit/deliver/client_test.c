/* SPDX-License-Identifier: ISC */
#include "deliver/client.h"

#include "clerk.h"

static void
tells_what_the_ledger_knows(void **state)
{
	struct clerk *k = *state;
	struct session s;

	session_begin(&s, &k->o, 1, "INBOX", 1);
	assert_int_equal(s.opened, 1);
	assert_int_equal(s.e.kind, ERR_NONE);
	assert_int_equal(s.state, CLIENT_BOX_NEW);
	assert_int_equal(k->opens, 0); /* no file before there is mail */
	session_end(&s);
	office_wait(&k->o, &k->closed, 1);
}

static void
is_full_when_too_many_letters_wait(void **state)
{
	struct clerk *k = *state;
	struct session s;
	uint32_t next;

	clerk_begin(k, &s);
	next = clerk_commit(k, &s, 1, 4000, 10);
	assert_int_equal(next, 513);
	assert_true(client_full(s.box));
	assert_null(letter_open(s.box, 0, NULL));
	office_wait(&k->o, &k->n_commits, 512);
	s.readied = 0;
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &s.readied, 1);
	assert_false(client_full(s.box));
	session_end(&s);
}

static void
is_full_when_too_many_octets_wait(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct letter *l;
	struct err e;
	uint32_t next;
	char piece[10];

	memset(piece, 'x', sizeof(piece));
	clerk_begin(k, &s);
	next = clerk_commit(k, &s, 1, 40, 1 << 20);
	assert_int_equal(next, 17);
	assert_true(client_full(s.box));
	office_wait(&k->o, &k->n_commits, 16);
	s.readied = 0;
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &s.readied, 1);
	/* in the middle of a letter, too, and it is told when that goes */
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	while (!client_full(s.box))
		assert_int_equal(
		    letter_write(l, span_make(piece, sizeof(piece)), &e), 0);
	s.readied = 0;
	letter_discard(&l);
	office_wait(&k->o, &s.readied, 1);
	/* or when others are done */
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	while (!client_full(s.box))
		assert_int_equal(
		    letter_write(l, span_make(piece, sizeof(piece)), &e), 0);
	s.readied = 0;
	clerk_answer(k, 15, NULL);
	office_wait(&k->o, &s.readied, 1);
	assert_false(client_full(s.box));
	letter_discard(&l);
	session_end(&s);
}

/* However large: nothing else waits for the disk. */
static void
always_takes_one_letter(void **state)
{
	struct clerk *k = *state;
	struct session s;

	clerk_begin(k, &s);
	assert_int_equal(clerk_commit(k, &s, 1, 1, 20 << 20), 2);
	assert_true(client_full(s.box));
	office_wait(&k->o, &k->n_commits, 1);
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &s.answered, 1);
	assert_false(client_full(s.box));
	session_end(&s);
}

static void
answers_everything_when_the_deliverer_goes(void **state)
{
	struct clerk *k = *state;
	struct session s, t;
	struct letter *l;
	struct err e = { 0 };

	clerk_begin(k, &s);
	clerk_commit(k, &s, 1, 3, 10);
	office_wait(&k->o, &k->n_commits, 3);
	client_list_begin(s.box);
	client_list_end(s.box, session_on_list);
	client_verify(s.box, 1, SPAN(""), 1, session_on_verified);
	client_verify(s.box, 2, SPAN(""), 1, session_on_verified);
	while ((l = letter_open(s.box, 0, NULL)) != NULL)
		letter_discard(&l);
	ipc_free(&k->ipc);
	s.readied = 0;
	office_wait(&k->o, &s.answered, 3);
	office_wait(&k->o, &s.listed, 1);
	office_wait(&k->o, &s.verified, 2);
	office_wait(&k->o, &s.readied, 1);
	assert_int_equal(s.delivered, 0);
	assert_int_equal(s.e.kind, ERR_DELIVER);
	/* and whatever comes after */
	l = letter_open(s.box, 0, NULL);
	assert_int_equal(letter_write(l, SPAN("x"), &e), -1);
	assert_non_null(strstr(e.text, "deliverer"));
	letter_discard(&l);
	session_begin(&t, &k->o, 1, "INBOX", 1);
	assert_int_equal(t.e.kind, ERR_DELIVER);
	session_end(&t);
	session_end(&s);
}

static void
tells_nobody_of_a_closed_box(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct letter *l;

	clerk_begin(k, &s);
	clerk_commit(k, &s, 1, 2, 10);
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	session_end(&s); /* discards l */
	assert_null(s.box);
	office_wait(&k->o, &k->closed, 1);
	assert_int_equal(k->n_commits, 2);
	office_turn(&k->o, 10); /* some may have been under way */
	assert_int_equal(k->discarded, k->files - 2);
	clerk_answer(k, 2, NULL);
	office_turn(&k->o, 20);
	assert_int_equal(s.answered, 0);
	assert_int_equal(k->gone, 0);
}

static void
gives_back_files_that_come_for_a_closed_box(void **state)
{
	struct clerk *k = *state;
	struct session s;

	session_begin(&s, &k->o, 1, "INBOX", 1);
	k->silent = true;
	assert_null(letter_open(s.box, 0, NULL));
	office_wait(&k->o, &k->opens, 1);
	session_end(&s);
	clerk_give_files(k, k->last_box, 4);
	office_wait(&k->o, &k->discarded, 4);
	assert_int_equal(k->gone, 0);
}

static void
carries_sets_and_listings_of_any_size(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct set many;
	uint32_t i;

	session_begin(&s, &k->o, 1, "", 0);
	set_init(&many);
	for (i = 1; i < 20000; i += 2)
		set_add(&many, i, i);
	i = k->packets;
	client_gone(s.box, &many);
	client_settle(s.box, &many);
	client_missing(s.box, &many);
	office_wait(&k->o, &k->packets, i + 9);
	assert_int_equal(k->last_type, WIRE_MISSING);
	set_deinit(&many);
	client_list_begin(s.box);
	for (i = 1; i <= 5000; i++)
		client_list_add(s.box, i, SPAN("0123456789abcdef"), i);
	client_list_end(s.box, session_on_list);
	while (k->last_type != WIRE_LIST_END)
		office_turn(&k->o, 5);
	session_end(&s);
}

static void
close_at_once(void *arg, struct client_box_info *info)
{
	struct session *s = arg;

	(void)info;
	s->opened++;
	client_box_close(&s->box);
	loop_stop(s->o->loop);
}

static void
never_ready(void *arg)
{
	(void)arg;
	fail();
}

static void
lets_a_box_be_closed_by_its_callback(void **state)
{
	struct clerk *k = *state;
	struct session s = { .o = &k->o };

	s.box =
	    office_box(&k->o, 1, "INBOX", 1, close_at_once, never_ready, &s);
	office_wait(&k->o, &s.opened, 1);
	assert_null(s.box);
}

static void
free_all(void *arg, uint32_t number, bool known, const struct err *e)
{
	struct session *s = arg;

	(void)number;
	(void)known;
	(void)e;
	s->answered++;
	client_free(&s->o->client);
	loop_stop(s->o->loop);
}

static void
lets_itself_be_freed_by_a_callback(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct letter *l;
	int i;

	clerk_begin(k, &s);
	for (i = 1; i <= 3; i++) {
		l = letter_open(s.box, 0, NULL);
		assert_non_null(l);
		s.params.number = (uint32_t)i;
		letter_commit(&l, &s.params, free_all);
	}
	office_wait(&k->o, &k->n_commits, 3);
	clerk_answer(k, 3, NULL);
	office_wait(&k->o, &s.answered, 1);
	office_wait(&k->o, &k->gone, 1);
	assert_int_equal(s.answered, 1);
	assert_null(k->o.client);
}

static void
refuses_a_mailbox_name_that_is_too_long(void **state)
{
	struct clerk *k = *state;
	struct session s;
	char *name = malloc(WIRE_MAILBOX_MAX + 2);

	assert_non_null(name);
	memset(name, 'x', WIRE_MAILBOX_MAX + 1);
	name[WIRE_MAILBOX_MAX + 1] = '\0';
	session_begin(&s, &k->o, 1, name, 1);
	assert_int_equal(s.e.kind, ERR_DELIVER);
	session_end(&s);
	office_turn(&k->o, 5);
	assert_int_equal(k->packets, 0);
	free(name);
}

static void
tells_of_messages_that_do_not_get_through(void **state)
{
	struct client_note note = { .number = 7,
		.held = true,
		.why = CLIENT_WHY_LARGE,
		.hold_after = 3,
		.size = 1ull << 40,
		.reason = "too large",
		.header = SPAN("Subject: x\r\nFrom: a@b\r\n\r\n") };
	struct clerk *k = *state;
	struct session s;

	session_begin(&s, &k->o, 1, "INBOX", 1);
	client_note(s.box, &note);
	office_wait(&k->o, &k->n_notes, 1);
	assert_int_equal(k->notes[0].box, k->last_box);
	assert_int_equal(k->notes[0].token, WIRE_NO_TOKEN);
	assert_int_equal(k->notes[0].cookie, WIRE_NO_COOKIE);
	assert_int_equal(k->notes[0].number, 7);
	assert_int_equal(k->notes[0].state, LEDGER_HELD);
	assert_int_equal(k->notes[0].why, LEDGER_WHY_SIZE);
	assert_int_equal(k->notes[0].hold_after, 3);
	assert_int_equal(k->notes[0].size, 1ull << 40);
	assert_string_equal(k->reason, "too large");
	assert_non_null(strstr(k->about, "a@b"));
	note.header = SPAN("");
	client_note(s.box, &note);
	office_wait(&k->o, &k->n_notes, 2);
	assert_string_equal(k->about, "");
	session_end(&s);
}

/* ---- names ---- */

static unsigned int n_named, nameless;
static char last_name[64];

static void
on_name(void *arg, uint32_t number, const char *uidl)
{
	struct session *s = arg;

	(void)number;
	n_named++;
	nameless += uidl == NULL;
	snprintf(last_name, sizeof(last_name), "%s", uidl != NULL ? uidl : "");
	loop_stop(s->o->loop);
}

static void
hears_the_names_of_messages(void **state)
{
	struct wire_name names[] = { { 3, SPAN("uidl-3") }, { 4, SPAN("") },
		{ 5, SPAN("uidl-5") } };
	struct clerk *k = *state;
	struct session s;
	struct set set;

	n_named = nameless = 0;
	session_begin(&s, &k->o, 1, "", 0);
	set_init(&set);
	set_add(&set, 3, 5);
	client_names(s.box, &set, on_name);
	set_deinit(&set);
	office_wait(&k->o, &k->named, 1);
	wire_put_number(&k->out, k->last_box);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(wire_put_name(&k->out, &names[i]));
	clerk_send(k, WIRE_NAMED);
	office_wait(&k->o, &n_named, 3);
	assert_int_equal(nameless, 1);
	assert_string_equal(last_name, "uidl-5");
	session_end(&s);
}

static void
names_nothing_when_the_deliverer_goes(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct set set;

	n_named = nameless = 0;
	session_begin(&s, &k->o, 1, "", 0);
	set_init(&set);
	set_add(&set, 3, 5);
	client_names(s.box, &set, on_name);
	office_wait(&k->o, &k->named, 1);
	ipc_free(&k->ipc);
	office_wait(&k->o, &n_named, 3);
	assert_int_equal(nameless, 3);
	client_names(s.box, &set, on_name); /* nobody is there */
	office_wait(&k->o, &n_named, 6);
	set_deinit(&set);
	session_end(&s);
}

/* ---- local servers ---- */

struct caller {
	struct clerk *k;
	unsigned int told;
	int fd;
	struct err e;
};

static void
on_dialled(void *arg, int fd, const struct err *e)
{
	struct caller *c = arg;

	c->told++;
	c->fd = fd;
	err_clear(&c->e);
	if (e != NULL)
		c->e = *e;
	loop_stop(c->k->o.loop);
}

static void
answer_dial(struct clerk *k, uint32_t account, const char *text)
{
	struct wire_dialled d = { .account = account };
	int fd = memfd_create("server", MFD_CLOEXEC);

	if (text != NULL)
		err_set(&d.e, ERR_DELIVER, 0, "%s", text);
	wire_put_dialled(&k->out, &d);
	ipc_send_fds(k->ipc, WIRE_DIALLED, buf_span(&k->out), &fd,
	    text == NULL ? 1 : 0, text == NULL);
	if (text != NULL)
		close(fd);
	buf_clear(&k->out);
}

static void
dials_and_gets_a_descriptor_or_a_reason(void **state)
{
	struct clerk *k = *state;
	struct caller a = { .k = k }, b = { .k = k };

	client_dial(k->o.client, 6, on_dialled, &a);
	client_dial(k->o.client, 7, on_dialled, &b);
	office_wait(&k->o, &k->dialled, 2);
	assert_int_equal(k->account, 7);
	answer_dial(k, 6, NULL);
	answer_dial(k, 7, "nobody there");
	office_wait(&k->o, &b.told, 1);
	assert_int_equal(a.told, 1);
	assert_true(a.fd >= 0);
	assert_int_equal(a.e.kind, ERR_NONE);
	assert_int_equal(b.fd, -1);
	assert_string_equal(b.e.text, "nobody there");
	close(a.fd);
}

static void
tells_nobody_who_has_cancelled_his_dial(void **state)
{
	struct clerk *k = *state;
	struct caller a = { .k = k }, b = { .k = k };

	client_dial(k->o.client, 6, on_dialled, &a);
	client_dial(k->o.client, 6, on_dialled, &b);
	client_dial_cancel(k->o.client, &a);
	office_wait(&k->o, &k->dialled, 2);
	answer_dial(k, 6, NULL);
	answer_dial(k, 6, NULL);
	office_wait(&k->o, &b.told, 1);
	assert_int_equal(a.told, 0);
	close(b.fd);
}

static void
answers_dials_when_the_deliverer_goes(void **state)
{
	struct clerk *k = *state;
	struct caller a = { .k = k };

	client_dial(k->o.client, 6, on_dialled, &a);
	ipc_free(&k->ipc);
	office_wait(&k->o, &a.told, 1);
	assert_int_equal(a.fd, -1);
	assert_int_equal(a.e.kind, ERR_DELIVER);
	client_dial(k->o.client, 6, on_dialled, &a);
	assert_int_equal(a.told, 1); /* never from inside the call */
	office_wait(&k->o, &a.told, 2);
}

/* ---- accounts ---- */

struct reader {
	struct clerk *k;
	unsigned int told, in_vain;
	struct client_record record;
};

static void
on_record(void *arg, const struct client_record *record)
{
	struct reader *r = arg;

	r->told++;
	if (record != NULL)
		r->record = *record;
	else
		r->in_vain++;
	loop_stop(r->k->o.loop);
}

static void
answer_recall(struct clerk *k, uint32_t account, bool known, uint32_t refused)
{
	struct wire_recalled w = { account, known,
		{ .refused = refused,
		    .refused_at = 99,
		    .mark = 5,
		    .held = 6,
		    .waiting = 7,
		    .salt = "0123456789abcde" } };

	wire_put_recalled(&k->out, &w);
	clerk_send(k, WIRE_RECALLED);
}

static void
recalls_what_is_remembered_of_accounts(void **state)
{
	struct clerk *k = *state;
	struct reader a = { .k = k }, b = { .k = k };

	client_recall(k->o.client, 6, on_record, &a);
	client_recall(k->o.client, 7, on_record, &b);
	office_wait(&k->o, &k->recalled, 2);
	assert_int_equal(k->account, 7);
	answer_recall(k, 6, true, 3);
	answer_recall(k, 7, false, 3);
	office_wait(&k->o, &b.told, 1);
	assert_int_equal(a.told, 1);
	assert_int_equal(a.in_vain, 0);
	assert_int_equal(a.record.refused, 3);
	assert_int_equal(a.record.refused_at, 99);
	assert_int_equal(a.record.mark, 5);
	assert_int_equal(a.record.held, 6);
	assert_int_equal(a.record.waiting, 7);
	assert_memory_equal(a.record.salt, "0123456789abcde", CLIENT_SALT);
	assert_int_equal(b.in_vain, 1);
}

static void
remembers_of_an_account_what_it_is_told(void **state)
{
	struct client_record r = { .refused = 3, .refused_at = 99, .mark = 5 };
	struct clerk *k = *state;

	client_remember(k->o.client, 6, &r);
	office_wait(&k->o, &k->remembered, 1);
	assert_int_equal(k->remember.account, 6);
	assert_int_equal(k->remember.refused, 3);
	assert_int_equal(k->remember.refused_at, 99);
	assert_int_equal(k->remember.mark, 5);
}

static void
tells_nobody_who_has_cancelled_his_recall(void **state)
{
	struct clerk *k = *state;
	struct reader a = { .k = k }, b = { .k = k };

	client_recall(k->o.client, 6, on_record, &a);
	client_recall(k->o.client, 6, on_record, &b);
	client_recall_cancel(k->o.client, &a);
	office_wait(&k->o, &k->recalled, 2);
	answer_recall(k, 6, true, 1);
	answer_recall(k, 6, true, 2);
	office_wait(&k->o, &b.told, 1);
	assert_int_equal(a.told, 0);
	assert_int_equal(b.record.refused, 2);
}

static void
answers_recalls_when_the_deliverer_goes(void **state)
{
	struct client_record r = { .refused = 3 };
	struct clerk *k = *state;
	struct reader a = { .k = k };

	client_recall(k->o.client, 6, on_record, &a);
	ipc_free(&k->ipc);
	office_wait(&k->o, &a.told, 1);
	assert_int_equal(a.in_vain, 1);
	client_remember(k->o.client, 6, &r); /* nobody is there */
	client_recall(k->o.client, 6, on_record, &a);
	assert_int_equal(a.told, 1); /* never from inside the call */
	office_wait(&k->o, &a.told, 2);
	client_recall(k->o.client, 6, on_record, &a); /* nor after its end */
}

/* ---- how it went ---- */

static struct client_delivery went;
static char went_to[64];

static void
on_delivered(void *arg, uint32_t number, bool known, const struct err *e)
{
	struct session *s = arg;

	went = *client_delivery(s->box);
	snprintf(went_to, sizeof(went_to), "%s", went.to);
	session_on_letter(arg, number, known, e);
}

static void
tells_how_a_delivery_went(void **state)
{
	const struct histogram *latency;
	struct clerk *k = *state;
	struct session s;
	struct letter *l;
	struct err e;

	clerk_begin(k, &s);
	latency = client_latency(k->o.client);
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	assert_int_equal(letter_write(l, SPAN("A: b\r\n\r\n"), &e), 0);
	office_turn(&k->o, 30);
	s.params.number = 1;
	letter_commit(&l, &s.params, on_delivered);
	office_wait(&k->o, &k->n_commits, 1);
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &s.answered, 1);
	assert_int_equal(went.octets, 8);
	assert_true(went.ms >= 30 && went.ms < 10000);
	assert_string_equal(went_to, "~/Maildir");
	assert_int_equal(latency->count, 1);
	assert_true(latency->sum_us > 0 && latency->sum_us < 30000);
	/* what failed says nothing of how long a delivery takes */
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	letter_commit(&l, &s.params, on_delivered);
	office_wait(&k->o, &k->n_commits, 2);
	clerk_answer(k, 1, "no disk");
	office_wait(&k->o, &s.answered, 2);
	assert_int_equal(latency->count, 1);
	session_end(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, clerk_setup, clerk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_what_the_ledger_knows),
		TEST(is_full_when_too_many_letters_wait),
		TEST(is_full_when_too_many_octets_wait),
		TEST(always_takes_one_letter),
		TEST(answers_everything_when_the_deliverer_goes),
		TEST(tells_nobody_of_a_closed_box),
		TEST(gives_back_files_that_come_for_a_closed_box),
		TEST(carries_sets_and_listings_of_any_size),
		TEST(lets_a_box_be_closed_by_its_callback),
		TEST(lets_itself_be_freed_by_a_callback),
		TEST(refuses_a_mailbox_name_that_is_too_long),
		TEST(tells_of_messages_that_do_not_get_through),
		TEST(hears_the_names_of_messages),
		TEST(names_nothing_when_the_deliverer_goes),
		TEST(dials_and_gets_a_descriptor_or_a_reason),
		TEST(tells_nobody_who_has_cancelled_his_dial),
		TEST(answers_dials_when_the_deliverer_goes),
		TEST(recalls_what_is_remembered_of_accounts),
		TEST(remembers_of_an_account_what_it_is_told),
		TEST(tells_nobody_who_has_cancelled_his_recall),
		TEST(answers_recalls_when_the_deliverer_goes),
		TEST(tells_how_a_delivery_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
