/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_LOGIN_DEVICE_H
#define MAILHAUL_PROC_LOGIN_DEVICE_H

/* Shows a code and asks until it was entered on another device (RFC 8628). */

#include "proc/login_flow.h"

struct login_device;

/* flow must live as long. */
struct login_device *login_device_new(const struct login_flow *flow);
void login_device_free(struct login_device **d); /* done is not called */

#endif
