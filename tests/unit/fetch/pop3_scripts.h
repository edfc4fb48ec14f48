/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_FETCH_POP3_SCRIPTS_H
#define MAILHAUL_TESTS_UNIT_FETCH_POP3_SCRIPTS_H

/* What the tests of the POP3 half of a fetch share. */

#include "unit/fetch/scripts.h"

#define UIDL_TWO ALWAYS("UIDL", "+OK\r\n1 a\r\n2 b\r\n.\r\n")
#define LOG_IN HELLO, CAPA, USER, PASS
#define CAPA_TOP ALWAYS("CAPA", "+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n")
#define CAPA_BARE ALWAYS("CAPA", "+OK\r\nPIPELINING\r\n.\r\n")
#define LOG_IN_TOP HELLO, CAPA_TOP, USER, PASS
#define LOG_IN_BARE HELLO, CAPA_BARE, USER, PASS
#define DELE ALWAYS("DELE", "+OK\r\n")
#define QUIT_LOST THEN_HANG_UP("QUIT", NULL)

/* Messages of 22 octets; the header is all that TOP shows of one. */
#define HEADER(id) "Message-ID: <" id ">\r\n\r\n"
#define RETR(n, id) ONCE("RETR " n, "+OK\r\n" HEADER(id) "x\r\n.\r\n")
#define TOP(n, id) ONCE("TOP " n " 0", "+OK\r\n" HEADER(id) ".\r\n")
#define LIST_22 ALWAYS("LIST", "+OK\r\n1 22\r\n2 22\r\n.\r\n")
#define RETR_TWO                                                               \
	ONCE("RETR 1", "+OK\r\n1\r\n.\r\n"), ONCE("RETR 2", "+OK\r\n2\r\n.\r\n")

static struct rig *rig;

static int
set_up(void **state)
{
	(void)state;
	rig = rig_new(true);
	rig->params.pop3.capa = true;
	rig->params.pop3.pipelining = true;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* clang-format on */

#endif
