/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SEATS_H
#define MAILHAUL_PROC_SEATS_H

/*
 * The accounts of a team by the number that engine and deliverer know them
 * by. Data only. A number is used again when nobody can mean the account that
 * had it before; and the target that a deliverer knows stays behind it, for
 * the same account when it comes again.
 *
 *	FREE -> WAITING -> WORKING (-> LEAVING) -> SPARE -> WAITING ...
 */

#include <stdbool.h>
#include <stdint.h>

#include "proc/stores.h"
#include "proc/tunnels.h"
#include "util/buf.h"
#include "util/secret.h"

enum seat_state {
	SEAT_FREE,
	SEAT_SPARE,   /* no account, but the deliverer knows the target */
	SEAT_WAITING, /* for the deliverer and the engine; account is set */
	SEAT_WORKING, /* the engine has it */
	SEAT_LEAVING, /* the same, and is to drop it */
	SEAT_ENDING,  /* the engine never had it; its owner is to be told */
	SEAT_ORPHAN   /* nobody wants it any more, but the engine had it and
	                 may still speak of it */
};

struct seat {
	uint32_t number; /* its place */
	uint32_t name;   /* what its owner calls it */
	enum seat_state state;
	void *post;           /* of its deliverer; not ours */
	struct buf target;    /* packed, without its number */
	bool told, known;     /* the deliverer that runs was told the target,
	                       and has answered */
	struct buf account;   /* packed, with its secret; until it WORKs */
	struct secret *newer; /* instead of the one in account */
	struct stores_pair trust; /* that the account was given with */
	struct tunnel_recipe *tunnel[TUNNEL_KINDS]; /* each may be NULL */
	bool stays;
	bool poll;     /* WAITING: is to be looked at */
	uint8_t pause; /* WAITING: WIRE_PAUSE, WIRE_RESUME or 0 */
};

struct seats { /* zeroed is empty */
	struct seat **v;
	uint32_t n;
};

void seats_deinit(struct seats *s);

/* The one that has an account of that name, or NULL. */
struct seat *seats_find(const struct seats *s, uint32_t name);
/* NULL when there is none of that number. */
struct seat *seats_at(const struct seats *s, uint32_t number);

/* Is there an account of that post? */
bool seats_wanted(const struct seats *s, const void *post);

/* One for a new account, WAITING: the SPARE one of the post with that target
 * (as of wire_pack_target() with the number 0), else a FREE one. Takes both
 * buffers. */
struct seat *seats_take(struct seats *s, void *post, uint32_t name,
    struct buf *target, struct buf *account);

/* The target with its number, for the deliverer. */
void seat_pack_target(const struct seat *s, struct buf *b);

/* The engine has the account now. */
void seat_works(struct seat *s);
/* The account is gone: SPARE, or FREE when no deliverer knows the target. */
void seat_leave(struct seat *s);
/* The account ends before the engine got it. */
void seat_end(struct seat *s);
/* No deliverer of its post runs any more. True: the engine has the account,
 * which is an ORPHAN now. */
bool seat_forget(struct seat *s);

#endif
