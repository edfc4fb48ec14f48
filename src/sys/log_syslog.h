/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_LOG_SYSLOG_H
#define MAILHAUL_SYS_LOG_SYSLOG_H

/* To syslog(3), facility mail. Its names collide with those of sys/log.h, so
 * neither knows the other. */

void log_syslog_open(void);
void log_syslog_send(int priority, const char *text); /* log_priority() */

#endif
