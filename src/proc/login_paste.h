/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_LOGIN_PASTE_H
#define MAILHAUL_PROC_LOGIN_PASTE_H

/*
 * Lines from standard input, of a terminal or not, as they come. A terminal
 * would cut a pasted line of more than 4,095 octets (N_TTY(4), canonical
 * mode): it hands over each octet as long as this lives.
 */

#include "io/loop.h"
#include "util/span.h"

struct login_paste;

#define LOGIN_PASTE_MAX 32768

enum login_paste_event {
	LOGIN_PASTE_LINE,
	LOGIN_PASTE_TOO_LONG,
	LOGIN_PASTE_END
};

/* line is borrowed, a secret, and never blank. login_paste_free() inside is
 * fine. After the end nothing comes any more. */
typedef void (*login_paste_fn)(
    void *arg, enum login_paste_event event, struct span line);

struct login_paste *login_paste_new(
    struct loop *loop, login_paste_fn fn, void *arg);
void login_paste_free(struct login_paste **p); /* the terminal is as before */

#endif
