/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_DOORS_H
#define MAILHAUL_PROC_DOORS_H

/* The sockets that the daemon opens to this machine, as configured. */

#include "conf/conf.h"
#include "util/err.h"

/* The control socket: a descriptor, or -1. *group is who may ask besides its
 * owner, -1: nobody. */
int doors_control(const struct conf *conf, int *group, struct err *e);

/* For the metrics. *fd is -1 when there are to be none. 0, or -1. */
int doors_metrics(const struct conf *conf, int *fd, struct err *e);

/* Takes away the path of the control socket, and that of the metrics. */
void doors_remove(const struct conf *conf, bool metrics);

#endif
