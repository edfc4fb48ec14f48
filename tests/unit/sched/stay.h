/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_SCHED_STAY_H
#define MAILHAUL_TESTS_UNIT_SCHED_STAY_H

/*
 * What tests of accounts that stay have in common: a rig, a configuration, a
 * keeper, and clocks that a test can put forward. A test is
 *
 *	stay_keep(script);
 *	UNTIL(stay_is(STATUS_WATCHING));
 *	keeper_pause(stay.keeper);
 *	UNTIL(...)
 *
 * Timers take their real time, so intervals are short. Chance is none: each
 * wait is the shortest, but for a few milliseconds.
 */

#include "sched/keeper_own.h"
#include "sys/clock.h"
#include "unit/fetch/scripts.h"

struct stay {
	struct rig *rig;
	struct scripted *host; /* of the rig */
	struct loop *loop;     /* likewise */
	struct hosts *hosts;
	struct secret *secret;
	struct conf_account conf; /* before stay_keep() at will */
	uint64_t start_ms;        /* likewise */
	struct keeper *keeper;
	unsigned int changed, polled, wanted, left;
	struct fetch_result answer; /* of the last poll */
	char logged[8192];          /* the lines of the log */
	void (*at_want)(void);      /* NULL: nothing */
	void (*at_polled)(void);
	void (*at_left)(void);
};

extern struct stay stay;

int stay_set_up(void **state);
int stay_set_up_pop3(void **state);
int stay_tear_down(void **state);

/* Mailboxes instead of INBOX alone; at most 8. */
void stay_fetch(const char *const *names, size_t n);
/* A keeper, once the host follows the script. */
void stay_keep(const struct rig_rule *script);
/* Ends it, and begins another one, as after a restart of the engine. */
void stay_restart(void);

/* Runs the loop until something happens. It does so within seconds. */
void stay_step(void);
#define UNTIL(it)                                                              \
	while (!(it))                                                          \
	stay_step()
/* So long nothing of interest happens. */
void stay_pass(unsigned int ms);

/* For what is not a keeper: something happened. */
void stay_happened(void *arg);

struct status stay_status(void);
bool stay_is(enum status_state state);
bool stay_heard(const char *text, unsigned int times); /* at least */
bool stay_logged(const char *text);

/* All clocks, at once and for good. */
void stay_forward(uint64_t s);
/* The wall clock alone shows this from now on. */
void stay_set_wall(int64_t s);

/* clang-format off */
#define GREET_ALL ALWAYS(NULL, "* OK [CAPABILITY IMAP4rev1] hello\r\n")
#define LET_ALL_IN ALWAYS(" LOGIN ", \
	"%T OK [CAPABILITY IMAP4rev1 UIDPLUS IDLE] in\r\n")
#define LET_ALL_IN_TO_POLL ALWAYS(" LOGIN ", "%T OK [CAPABILITY IMAP4rev1] in\r\n")
#define REFUSE ONCE(" LOGIN ", "%T NO [AUTHENTICATIONFAILED] wrong\r\n")
#define EMPTY ALWAYS(" SELECT ", BOX("0", "7", "1"))
#define IDLES ALWAYS(" IDLE", "+ idling\r\n")
#define DONE ALWAYS("DONE", OK)
#define ALL_LEAVE { " LOGOUT", "* BYE bye\r\n%T OK bye\r\n", true, true, 0 }
#define ONE_MAIL ONCE(" UID FETCH ", MAIL("1", "1", "1") OK)
/* Behind what is special to a test. */
#define REST GREET_ALL, LET_ALL_IN, EMPTY, \
	ALWAYS(" UID SEARCH ", "* SEARCH\r\n" OK), \
	ALWAYS(" STATUS ", OK), IDLES, DONE, ALL_LEAVE, END

/* The same of POP3, for a maildrop that has one message. */
#define POP3_REST ALWAYS(NULL, "+OK hello\r\n"), \
	ALWAYS("CAPA", "+OK\r\nUIDL\r\n.\r\n"), ALWAYS("USER ", "+OK\r\n"), \
	ALWAYS("PASS ", "+OK\r\n"), ALWAYS("STAT", "+OK 1 3\r\n"), \
	ALWAYS("UIDL", "+OK\r\n1 a\r\n.\r\n"), \
	ALWAYS("LIST", "+OK\r\n1 3\r\n.\r\n"), \
	ALWAYS("RETR", "+OK\r\n1\r\n.\r\n"), \
	{ "QUIT", "+OK bye\r\n", true, true, 0 }, END

#define TEST(name) cmocka_unit_test_setup_teardown( \
	name, stay_set_up, stay_tear_down)
#define TEST_POP3(name) cmocka_unit_test_setup_teardown( \
	name, stay_set_up_pop3, stay_tear_down)
/* clang-format on */

#endif
