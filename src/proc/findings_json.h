/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_FINDINGS_JSON_H
#define MAILHAUL_PROC_FINDINGS_JSON_H

/* Findings for programs. The names do not change; see mailhaul(1). */

#include <jansson.h>

#include "proc/findings.h"

/* An object; mailboxes_only is what "list" shows. */
json_t *findings_json(const struct conf_account *a, const struct findings *f,
    bool mailboxes_only);

#endif
