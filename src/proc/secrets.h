/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SECRETS_H
#define MAILHAUL_PROC_SECRETS_H

/* Where an account says its secret is, it is fetched from: file, credential,
 * literal, or a command with a deadline, which delays nobody else. Of an account
 * that is a user's own, as that user. */

#include <stdbool.h>

#include "conf/conf.h"
#include "io/loop.h"

struct secrets_wait;

#define SECRETS_COMMAND_MS 60000

/* secret is the callee's; NULL and e when there is none. From the loop. */
typedef void (*secrets_fn)(
    void *arg, struct secret *secret, const struct err *e);

/* A command is run, and a file of a user's own read, by a process. */
bool secrets_need_process(const struct conf_account *account);

struct secrets_wait *secrets_get(struct loop *loop,
    const struct conf_account *account, secrets_fn fn, void *arg);
void secrets_cancel(struct secrets_wait **w); /* fn is not called */

#endif
