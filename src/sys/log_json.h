/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_LOG_JSON_H
#define MAILHAUL_SYS_LOG_JSON_H

/* LOG_JSON: {"time":"2026-05-04T03:02:01.007Z","level":"info",
 * "subject":"work","message":"...","uid":"7"}, in one line, in UTF-8. */

#include <stdint.h>

#include "sys/log_line.h"
#include "util/buf.h"

#define LOG_JSON_MAX 32768 /* every line fits */

/* s and us: the time. A field whose name is taken is left out. */
void log_json_write(
    struct buf *b, const struct log_line *line, int64_t s, uint32_t us);

#endif
