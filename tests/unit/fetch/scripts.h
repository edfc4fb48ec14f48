/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_FETCH_SCRIPTS_H
#define MAILHAUL_TESTS_UNIT_FETCH_SCRIPTS_H

/* Rules that most scripts share. A macro with a name of a server's answer is
 * a text; the others are rules. */

#include <string.h>

#include "unit/fetch/rig.h"

/* clang-format off */
#define ONCE(hear, say) { (hear), (say), false, false, 0 }
#define ALWAYS(hear, say) { (hear), (say), false, true, 0 }
#define THEN_HANG_UP(hear, say) { (hear), (say), true, false, 0 }
#define END { NULL, NULL, false, false, 0 }

#define GREETING ONCE(NULL, "* OK [CAPABILITY IMAP4rev1] hello\r\n")
#define LOGIN ONCE(" LOGIN ", "%T OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n")
#define LOGIN_PLAIN ONCE(" LOGIN ", "%T OK [CAPABILITY IMAP4rev1] in\r\n")
#define LOGOUT THEN_HANG_UP(" LOGOUT", "* BYE bye\r\n%T OK bye\r\n")
#define OK "%T OK done\r\n"

/* What SELECT says of a mailbox. */
#define BOX(exists, uidvalidity, uidnext) "* " exists " EXISTS\r\n" \
	"* OK [UIDVALIDITY " uidvalidity "] v\r\n" \
	"* OK [UIDNEXT " uidnext "] n\r\n%T OK [READ-WRITE] s\r\n"
/* A message whose body is a digit. */
#define MAIL(number, uid, digit) "* " number " FETCH (UID " uid \
	" BODY[] {3}\r\n" digit "\r\n)\r\n"

#define HELLO ONCE(NULL, "+OK hello\r\n")
#define CAPA ALWAYS("CAPA", "+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n")
#define USER ONCE("USER ", "+OK\r\n")
#define PASS ONCE("PASS ", "+OK\r\n")
#define STAT(n) ALWAYS("STAT", "+OK " n " 100\r\n")
#define LIST ALWAYS("LIST", "+OK\r\n1 3\r\n2 3\r\n.\r\n")
#define QUIT THEN_HANG_UP("QUIT", "+OK bye\r\n")
/* clang-format on */

#endif
