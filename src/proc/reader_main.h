/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_READER_MAIN_H
#define MAILHAUL_PROC_READER_MAIN_H

/*
 * The process that opens a user's files as that user, answers one question
 * (reader.h) and ends. Its link to the supervisor is WIRE_FD. Returns the
 * exit status of the process.
 */
int reader_main(void);

#endif
