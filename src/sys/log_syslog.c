/* SPDX-License-Identifier: ISC */
#include "sys/log_syslog.h"

#include <syslog.h>

void
log_syslog_open(void)
{
	openlog("mailhaul", LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_syslog_send(int priority, const char *text)
{
	syslog(priority, "%s", text);
}
