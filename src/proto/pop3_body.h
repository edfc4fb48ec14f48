/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_POP3_BODY_H
#define MAILHAUL_PROTO_POP3_BODY_H

/*
 * Takes dot-stuffing off the body of RETR and TOP (RFC 1939 3) and finds its
 * end, fed at any split. Octets are handed out as spans of the input, as long
 * as they can be: a span ends only before a stuffed dot, at the end of the
 * body or at the end of the input. NUL, 8-bit, bare CR and bare LF pass.
 *
 * Where does a line begin? If any LF counted, a message with LF "." CRLF in it
 * that went through a server which stuffs after CRLF only would end early, and
 * the rest of it would be read as the server's replies: its sender would speak
 * for the server. So a line begins after CRLF, and the end is CRLF "." CRLF
 * and nothing else. Some servers end all their lines with LF. They show it in
 * the status line before the body, which no sender of mail can write; only
 * then (bare) a line begins after any LF, and "." LF is an end too.
 */

#include <stdbool.h>

#include "util/span.h"

enum pop3_body_answer {
	POP3_BODY_MORE, /* all input is used */
	POP3_BODY_RUN,  /* *run: octets of the message */
	POP3_BODY_OVER  /* the final dot and its line end are used */
};

enum pop3_body_at {
	POP3_BODY_AT_LINE, /* a line begins here */
	POP3_BODY_AT_TEXT,
	POP3_BODY_AT_CR,    /* behind a CR of the text */
	POP3_BODY_AT_DOT,   /* behind a dot that began a line */
	POP3_BODY_AT_DOT_CR /* behind that and a CR */
};

struct pop3_body {
	enum pop3_body_at at;
	bool bare;
};

void pop3_body_init(struct pop3_body *b, bool bare);

/* *run is valid as long as the octets of *in are. */
enum pop3_body_answer pop3_body_next(
    struct pop3_body *b, struct span *in, struct span *run);

#endif
