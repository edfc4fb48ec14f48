/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_USERS_JOIN_H
#define MAILHAUL_PROC_USERS_JOIN_H

/*
 * For a command that does one thing and ends: the accounts that users have in
 * their own files are put behind those of the configuration.
 */

#include "conf/conf.h"

/* What is wrong with them: "user alice: ...". */
typedef void (*users_say_fn)(const void *arg, const char *line);

/* Nothing when the configuration has no users. Waits for all of them, each as long as READER_MS (reader.h). */
void users_join(struct conf *conf, users_say_fn say, const void *arg);

#endif
