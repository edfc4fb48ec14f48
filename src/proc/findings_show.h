/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_FINDINGS_SHOW_H
#define MAILHAUL_PROC_FINDINGS_SHOW_H

/* Findings for people. */

#include <stdint.h>
#include <stdio.h>

#include "proc/findings.h"

/* All of it, under the account's name; now in Unix seconds. */
void findings_show(FILE *out, const struct conf_account *a,
    const struct findings *f, int64_t now);
/* The mailboxes alone, a line each, with indent in front. */
void findings_show_mailboxes(
    FILE *out, const struct findings *f, const char *indent);

/* What is wrong and what to do, as errors of ours; nothing if all is well. */
void findings_show_error(
    FILE *out, const struct conf_account *a, const struct findings *f);

#endif
