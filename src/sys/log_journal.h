/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_LOG_JOURNAL_H
#define MAILHAUL_SYS_LOG_JOURNAL_H

/*
 * To the systemd journal in its own protocol, so that the fields are fields
 * there: "journalctl MAILHAUL_ACCOUNT=work". It is for the process that may
 * open sockets; the others' lines come through that one.
 *
 *	MESSAGE=work: error: ...	PRIORITY=3	MAILHAUL_UID=7
 *	SYSLOG_IDENTIFIER=mailhaul	MAILHAUL_SUBJECT=work
 */

#include <stdbool.h>

#include "sys/log_line.h"

#define LOG_JOURNAL_PATH "/run/systemd/journal/socket"

/* Does the journal read what is written to fd? By $JOURNAL_STREAM, systemd.exec
 * (5), which others may have inherited whose fd leads elsewhere by now. */
bool log_journal_reads(int fd);

/* 0, or -1 when there is no such socket; lines then go the other way. Opening
 * it again closes the one before. */
int log_journal_open(const char *path);
void log_journal_close(void);

/* False when the line was not taken: not open, restarting, or not keeping up.
 * It never waits. */
bool log_journal_send(const struct log_line *line);

#endif
