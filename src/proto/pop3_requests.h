/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_POP3_REQUESTS_H
#define MAILHAUL_PROTO_POP3_REQUESTS_H

/*
 * The transaction state of RFC 1939 5: what is asked after login, and the
 * answers, which come in the order of the questions. It knows nothing of
 * greetings, TLS and logins; proto/pop3.c hands it the lines that are its.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/pop3.h"
#include "proto/pop3_body.h"
#include "proto/pop3_queue.h"
#include "util/buf.h"
#include "util/span.h"

#define POP3_REQUEST_S 300 /* for the answer to most requests */

enum pop3_part {
	POP3_PART_STATUS, /* +OK or -ERR */
	POP3_PART_LINES,  /* of a listing, up to the dot */
	POP3_PART_BODY    /* of a message */
};

struct pop3_requests {
	struct pop3_queue asked;
	size_t said; /* of them have gone into the output */
	bool quitting;
	enum pop3_part part;   /* what comes next from the server */
	bool answered;         /* the oldest well and wholly: DONE is due */
	struct pop3_body body; /* in PART_BODY */
};

void pop3_requests_init(struct pop3_requests *r);
void pop3_requests_deinit(struct pop3_requests *r);

void pop3_requests_ask(
    struct pop3_requests *r, enum pop3_request request, uint32_t number);

/* Says what may be said now: one at a time without pipelining, and QUIT only
 * when all else is answered, since it makes deletions final. */
void pop3_requests_say(
    struct pop3_requests *r, bool pipelining, struct buf *out);

/* The answer to the oldest; something was said. bare: see proto/pop3_body.h;
 * quotable: of text, what may be shown */
enum pop3_event pop3_requests_ok(struct pop3_requests *r, struct span text,
    bool bare, struct pop3_info *info);
enum pop3_event pop3_requests_no(struct pop3_requests *r, struct span text,
    struct span quotable, struct pop3_info *info);
enum pop3_event pop3_requests_line(
    struct pop3_requests *r, struct span line, struct pop3_info *info);
enum pop3_event pop3_requests_over(struct pop3_requests *r);
enum pop3_event pop3_requests_body(
    struct pop3_requests *r, struct span *in, struct pop3_info *info);

/* The event that is due without input when answered is set. */
enum pop3_event pop3_requests_done(
    struct pop3_requests *r, struct pop3_info *info);

/* Of the oldest: seconds it may take and its name; 0 and "ready" if none. */
unsigned int pop3_requests_timeout(const struct pop3_requests *r);
const char *pop3_requests_name(const struct pop3_requests *r);

#endif
