/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_POP3_LOGIN_H
#define MAILHAUL_PROTO_POP3_LOGIN_H

/*
 * The authorization state of RFC 1939 4: from the greeting to the login, with
 * STLS and CAPA on the way. It is fed whole lines by proto/pop3.c and knows
 * nothing of mail. All that is ever said of a credential is said here, in the
 * words of proto/pop3_way.h.
 */

#include <stdbool.h>
#include <stddef.h>

#include "proto/pop3.h"
#include "proto/pop3_way.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/span.h"

struct pop3_login {
	unsigned int st; /* enum st in pop3_login.c */
	struct pop3_way way;
	bool insecure;         /* TLS is demanded and has not begun */
	bool capa;             /* may be asked */
	unsigned int answers;  /* to challenges */
	struct err cancelled;  /* why we sent "*" */
	struct span challenge; /* of POP3_CHALLENGED; borrowed from its line */
	size_t behind;         /* octets in hand behind the present line */

	struct buf *output; /* not ours */
	bool output_is_secret;

	struct buf greeting;
	struct buf capabilities; /* separated by LF */
	size_t capa_lines;
	bool in_capa; /* in the lines of its answer */
	struct err err;
};

void pop3_login_init(
    struct pop3_login *l, const struct pop3_params *params, struct buf *output);
void pop3_login_deinit(struct pop3_login *l);

/* POP3_MORE, _UPGRADE, _CHALLENGED, _READY or _FAILED (err says why). behind: how many
 * octets of input are in hand behind this line. */
enum pop3_event pop3_login_line(
    struct pop3_login *l, struct span line, size_t behind);

/* After POP3_CHALLENGED: POP3_MORE or _FAILED. Nothing happens when it is not
 * due any more. */
enum pop3_event pop3_login_respond(
    struct pop3_login *l, struct span response, bool last);
enum pop3_event pop3_login_give_up(struct pop3_login *l, const struct err *why);

bool pop3_login_in_tls(const struct pop3_login *l); /* after POP3_UPGRADE */
enum pop3_event pop3_login_upgraded(struct pop3_login *l);

/* Of what the server says, at any time, what may be shown: it may repeat the
 * credential. */
struct span pop3_login_quotable(const struct pop3_login *l, struct span text);

unsigned int pop3_login_timeout(const struct pop3_login *l);
const char *pop3_login_name(const struct pop3_login *l);

#endif
