/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_owed.h"

#include <string.h>

#include "unit/fetch/pop3_ready.h"

#define CAPA_TOP "+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n"
#define CAPA_NO_TOP "+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n"

struct desk {
	struct pop3 *m;
	struct pop3_owed o;
	struct set fresh;
};

static void
begin(struct desk *d, const char *capa)
{
	struct set owed;

	d->m = ready_machine(capa);
	pop3_owed_init(&d->o);
	set_init(&d->fresh);
	set_init(&owed);
	set_add(&owed, 3, 5);
	pop3_owed_take(&d->o, &owed, d->m, &d->fresh);
	assert_true(set_empty(&owed));
	set_deinit(&owed);
}

static void
end(struct desk *d)
{
	pop3_owed_deinit(&d->o);
	set_deinit(&d->fresh);
	pop3_free(&d->m);
}

static void
done(struct desk *d, uint32_t number, bool ok)
{
	struct pop3_info info = {
		.request = POP3_REQ_TOP, .number = number, .ok = ok
	};

	pop3_owed_done(&d->o, &info, &d->fresh);
}

static void
never(void *arg, uint32_t number, bool same, const struct err *e)
{
	(void)arg;
	(void)number;
	(void)same;
	(void)e;
	fail();
}

static void
asks_for_headers(void **state)
{
	struct desk d;

	(void)state;
	begin(&d, CAPA_TOP);
	assert_true(set_empty(&d.fresh));
	assert_false(pop3_owed_idle(&d.o));
	pop3_owed_ask(&d.o, d.m);
	pop3_owed_ask(&d.o, d.m);
	assert_said(d.m, "TOP 3 0\r\nTOP 4 0\r\n");
	assert_int_equal(d.o.asked, 2);
	assert_int_equal(set_first(&d.o.todo), 5);
	end(&d);
}

static void
asks_nothing_of_a_server_without_top(void **state)
{
	struct desk d;

	(void)state;
	begin(&d, CAPA_NO_TOP);
	assert_true(pop3_owed_idle(&d.o));
	assert_int_equal(set_count(&d.fresh), 3);
	end(&d);
	begin(&d, NULL); /* it did not say */
	assert_false(pop3_owed_idle(&d.o));
	end(&d);
}

static void
gives_up_when_the_first_top_is_refused(void **state)
{
	struct desk d;

	(void)state;
	begin(&d, CAPA_TOP);
	pop3_owed_ask(&d.o, d.m);
	done(&d, 3, false);
	assert_true(pop3_owed_idle(&d.o));
	assert_int_equal(set_count(&d.fresh), 3);
	end(&d);
	begin(&d, CAPA_TOP);
	pop3_owed_ask(&d.o, d.m);
	pop3_owed_ask(&d.o, d.m);
	pop3_owed_begin(&d.o);
	done(&d, 3, true);
	done(&d, 4, false); /* of this one alone */
	assert_int_equal(set_count(&d.fresh), 1);
	assert_true(set_has(&d.fresh, 4));
	assert_false(pop3_owed_idle(&d.o));
	end(&d);
}

static void
compares_nothing_without_size_or_of_endless_headers(void **state)
{
	static char line[60000];
	struct desk d;

	(void)state;
	memset(line, 'x', sizeof(line));
	begin(&d, CAPA_TOP);
	pop3_owed_begin(&d.o);
	pop3_owed_data(&d.o, SPAN("From: a\r\n\r\n"));
	pop3_owed_end(&d.o, NULL, 3, 0, never, &d.fresh);
	assert_true(set_has(&d.fresh, 3));
	pop3_owed_begin(&d.o);
	pop3_owed_data(&d.o, span_make(line, sizeof(line)));
	pop3_owed_data(&d.o, span_make(line, sizeof(line)));
	pop3_owed_data(&d.o, SPAN("From: a\r\n\r\n"));
	pop3_owed_end(&d.o, NULL, 4, 120011, never, &d.fresh);
	assert_true(set_has(&d.fresh, 4));
	assert_int_equal(d.o.waiting, 0);
	end(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_headers),
		cmocka_unit_test(asks_nothing_of_a_server_without_top),
		cmocka_unit_test(gives_up_when_the_first_top_is_refused),
		cmocka_unit_test(
		    compares_nothing_without_size_or_of_endless_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
