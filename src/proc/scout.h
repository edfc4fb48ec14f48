/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SCOUT_H
#define MAILHAUL_PROC_SCOUT_H

/*
 * A process that finds out where the mail of an address is: it asks the DNS,
 * and reads what was fetched for it by HTTPS. All of that may be hostile, so
 * it is behind the engine's walls: no file, no program. Whoever started it
 * trusts nothing that it says.
 */

#include "util/buf.h"

/* What is fetched for it, the better first. */
enum scout_page { SCOUT_AUTOCONFIG, SCOUT_WELL_KNOWN, SCOUT_PAGES };

#define SCOUT_PAGE_MAX ((size_t)256 * 1024)
#define SCOUT_TRIED_MAX 16 /* lines of SCOUT_NOTHING */

/* Not those of enum wire_type, which a process says that cannot be started. */
enum scout_type {
	/* to it */
	SCOUT_ASK = 64, /* whether POP3 is wanted, the address */
	SCOUT_PIECE,    /* page, octets of it */
	SCOUT_PAGE,     /* page, why there is none ("": that was all of it) */
	/* from it, once */
	SCOUT_FOUND,  /* as of setup_found_pack() */
	SCOUT_NOTHING /* number, so many lines: what was tried */
};

/* "https://autoconfig.example.org/mail/config-v1.1.xml", without what comes
 * behind "?"; the caller frees it. */
char *scout_url(enum scout_page page, const char *domain);

int scout_main(void);

#endif
