/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_listing.h"

#include <sys/socket.h>
#include <unistd.h>

#include "unit/fetch/pop3_ready.h"

/* The ledger's side is not there: what it is told is lost. */
struct desk {
	struct loop *loop;
	struct client *client;
	struct pop3 *m;
	struct pop3_listing l;
};

static void
on_box(void *arg, struct client_box_info *info)
{
	(void)arg;
	(void)info;
}

static void
on_ready(void *arg)
{
	(void)arg;
}

static void
begin(struct desk *d)
{
	static const struct draft_style style = { 0 };
	struct client_box_params params = { .mailbox = "", .style = &style };
	int pair[2];

	*d = (struct desk){ .loop = loop_new(), .m = ready_machine(NULL) };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	close(pair[1]);
	d->client = client_new(d->loop, pair[0]);
	d->l.ledger =
	    client_box_open(d->client, &params, on_box, on_ready, NULL);
}

static void
end(struct desk *d)
{
	pop3_listing_deinit(&d->l);
	client_box_close(&d->l.ledger);
	client_free(&d->client);
	loop_free(&d->loop);
	pop3_free(&d->m);
}

static void
list(struct desk *d)
{
	struct pop3_info a = { .number = 1, .uidl = SPAN("x") };
	struct pop3_info b = { .number = 2, .uidl = SPAN("x") };

	pop3_listing_uidl(&d->l, &a);
	assert_true(d->l.begun);
	pop3_listing_uidl(&d->l, &b);
	pop3_listing_end(&d->l, on_box);
	assert_false(d->l.begun);
}

static enum pop3_listing_answer
again(struct desk *d, uint32_t repeated)
{
	struct client_box_info info = { .repeated = repeated };

	return pop3_listing_again(&d->l, &info, d->m);
}

static void
is_done_when_each_message_has_its_uidl(void **state)
{
	struct desk d;

	(void)state;
	begin(&d);
	list(&d);
	assert_int_equal(again(&d, 0), POP3_LISTING_DONE);
	assert_said(d.m, "");
	end(&d);
}

static void
asks_for_sizes_when_uidls_are_repeated(void **state)
{
	struct pop3_info size = { .number = 2, .size = 0 };
	struct desk d;

	(void)state;
	begin(&d);
	list(&d);
	assert_int_equal(again(&d, 2), POP3_LISTING_AGAIN);
	assert_said(d.m, "LIST\r\n"); /* UIDL follows its answer */
	assert_int_equal(pop3_pending(d.m), 2);
	pop3_listing_size(&d.l, &size);
	list(&d);
	assert_int_equal(again(&d, 2), POP3_LISTING_DONE);
	end(&d);
}

static void
despairs_of_a_server_without_sizes(void **state)
{
	struct pop3_info other = { .number = 9, .size = 5 };
	struct desk d;

	(void)state;
	begin(&d);
	list(&d);
	assert_int_equal(again(&d, 2), POP3_LISTING_AGAIN);
	pop3_listing_size(&d.l, &other);
	list(&d);
	assert_int_equal(again(&d, 2), POP3_LISTING_HOPELESS);
	end(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_done_when_each_message_has_its_uidl),
		cmocka_unit_test(asks_for_sizes_when_uidls_are_repeated),
		cmocka_unit_test(despairs_of_a_server_without_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
