/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_LOGIN_H
#define MAILHAUL_PROC_LOGIN_H

/*
 * "mailhaul login": the first tokens of an account with oauth2, and every later
 * time that the provider wants its user to be asked again. The user does it
 * with a browser, on this machine or on another one.
 */

#include "conf/conf.h"

enum login_way {
	LOGIN_ANY, /* LOGIN_DEVICE if the provider has it, else LOGIN_PASTE */
	LOGIN_DEVICE, /* a code to be entered on any device (RFC 8628) */
	LOGIN_PASTE,  /* the URL where a browser ends up is pasted */
	LOGIN_LISTEN  /* a browser on this machine ends up here (RFC 8252) */
};

struct login_options {
	enum login_way way;
	const char *redirect; /* where the browser ends up, for LOGIN_PASTE;
	                         NULL: at a port of its own machine */
};

/* The exit status, as in mailhaul(1). May become another user for good: who owns
 * the state directory. */
int login_run(
    struct conf *conf, const char *name, const struct login_options *options);

#endif
