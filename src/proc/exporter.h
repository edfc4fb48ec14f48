/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_EXPORTER_H
#define MAILHAUL_PROC_EXPORTER_H

/* The engine's answer to Prometheus: GET /metrics at a socket that the
 * supervisor has opened. */

#include "deliver/client.h"
#include "proc/desks.h"
#include "util/pack.h"

struct exporter;

/* Tells how long deliveries took, so far. */
typedef void (*exporter_fn)(void *arg, struct histogram *sum);

/* fd is the exporter's from now on. u: as WIRE_METRICS has it. */
struct exporter *exporter_new(struct loop *loop, int fd, struct unpack *u,
    struct desks *desks, exporter_fn fn, void *arg);
void exporter_free(struct exporter **x);
void exporter_restarts(struct exporter *x, uint32_t n); /* NULL is fine */

#endif
