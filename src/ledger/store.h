/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_STORE_H
#define MAILHAUL_LEDGER_STORE_H

/*
 * The ledger's file: made, opened, and checked before anything trusts it.
 * What is found there is never made anew: an empty, foreign, newer or damaged
 * file is an error that says what to do; one of an older program is brought
 * up to date, in one transaction. A new ledger is built under another
 * name (path.new) and renamed, so path is a whole ledger or does not exist.
 */

#include "ledger/db.h"
#include "util/err.h"

#define STORE_APPLICATION 0x6d68616c /* "mhal" */
#define STORE_SCHEMA 3
#define STORE_TOKEN 16 /* characters */

/* token is filled with the ledger's token and a NUL. */
struct db *store_open(
    const char *path, char token[STORE_TOKEN + 1], struct err *e);

/* Beside another process that may have it open: never made, not upgraded,
 * and not read through. None, and one that is too old to know of messages in
 * trouble, are an error with sys ENOENT. */
struct db *store_open_existing(
    const char *path, char token[STORE_TOKEN + 1], struct err *e);

#endif
