/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_FETCH_SURVEY_RIG_H
#define MAILHAUL_TESTS_UNIT_FETCH_SURVEY_RIG_H

/* A survey of the scripted server; what it tells is written as lines, "KIND
 * text|text|number,number". Set up by TEST_IMAP() or TEST_POP3(). */

#include <inttypes.h>
#include <stdio.h>

#include "fetch/survey.h"
#include "unit/fetch/scripts.h"
#include "util/buf.h"
#include "util/mem.h"

static struct rig *rig;
static struct survey *survey;
static struct err end_err;
static unsigned int ends;
static struct buf told;

static inline void
write_fact(void *arg, const struct fact *f)
{
	static const char *const names[FACT_KINDS] = { "REACHED", "TLS",
		"CERTIFICATE", "GREETING", "OFFERED", "LOGIN", "CAN", "SERVER",
		"QUIRK", "USE", "MAILBOX", "REST", "MAILDROP", "WARNING" };

	(void)arg;
	assert_in_range(f->kind, 0, FACT_KINDS - 1);
	buf_printf(&told, "%s %s", names[f->kind], f->text[0]);
	for (size_t i = 1; i < FACT_TEXTS; i++)
		if (f->text[i][0] != '\0')
			buf_printf(&told, "|%s", f->text[i]);
	if (f->kind == FACT_MAILBOX || f->kind == FACT_REST ||
	    f->kind == FACT_MAILDROP)
		buf_printf(&told, "|%" PRIu64 ",%" PRIu64 ",%" PRIu64,
		    f->number[0], f->number[1], f->number[2]);
	buf_addc(&told, '\n');
}

static inline void
on_survey_end(void *arg, const struct err *e)
{
	(void)arg;
	end_err = *e;
	ends++;
	survey_free(&survey); /* fine here */
	loop_stop(rig_env(rig)->loop);
}

static inline void
begin_survey(void)
{
	const struct survey_params params = { .env = rig_env(rig),
		.fetch = &rig->params,
		.fact = write_fact,
		.end = on_survey_end };

	ends = 0;
	buf_clear(&told);
	rig->heard[0] = '\0';
	survey = survey_new(&params);
}

/* at is called when the client has said mark, which is not answered. */
static inline void
run_until(const struct rig_rule *script, const char *mark, loop_fn at)
{
	begin_survey();
	rig_play(rig, script, mark, at, NULL);
	assert_int_equal(ends, 1);
	buf_addc(&told, '\0');
}

static inline void
run_survey(const struct rig_rule *script)
{
	run_until(script, NULL, NULL);
}

static inline bool
tells(const char *line)
{
	return strstr(buf_span(&told).p, line) != NULL;
}

static inline int
set_up_survey(bool is_pop3)
{
	rig = rig_new(is_pop3);
	buf_init(&told, 1 << 20);
	return 0;
}

static inline int
set_up_imap(void **state)
{
	(void)state;
	return set_up_survey(false);
}

static inline int
set_up_pop3(void **state)
{
	(void)state;
	return set_up_survey(true);
}

static inline int
tear_down(void **state)
{
	(void)state;
	survey_free(&survey);
	rig_free(&rig);
	buf_deinit(&told);
	return 0;
}

/* clang-format off */
#define TEST_IMAP(test) cmocka_unit_test_setup_teardown(test, set_up_imap, tear_down)
#define TEST_POP3(test) cmocka_unit_test_setup_teardown(test, set_up_pop3, tear_down)

/* clang-format on */

#endif
