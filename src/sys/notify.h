/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_NOTIFY_H
#define MAILHAUL_SYS_NOTIFY_H

/*
 * What a service tells its manager: the protocol of sd_notify(3), spoken by
 * systemd and some others, without its library. Where no manager asked for
 * it (no $NOTIFY_SOCKET) nothing is done. What cannot be told is lost: it
 * never fails, and waits for a second at most.
 */

#include <stdbool.h>
#include <stdint.h>

bool notify_wanted(void);

/* Assignments, one a line: "READY=1\nSTATUS=%s". No value may have a newline
 * of its own. */
void notify_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "RELOADING=1" with the time that Type=notify-reload wants. READY=1 ends
 * it. */
void notify_reloading(void);

/* Within this time WATCHDOG=1 is expected again and again; 0: not from this
 * process. */
uint64_t notify_watchdog_ms(void);

#endif
