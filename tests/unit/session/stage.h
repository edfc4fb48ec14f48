/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_SESSION_STAGE_H
#define MAILHAUL_TESTS_UNIT_SESSION_STAGE_H

/*
 * What tests of sessions share: a scripted server in a thread, a loop with a
 * watchdog, and all that is logged at level trace. Include it behind
 * cmocka.h.
 */

#include "io/conn.h"
#include "sys/log.h"
#include "unit/io/peer.h"
#include "util/mem.h"

#define STAGE_WATCHDOG_MS 15000

struct stage {
	struct loop *loop;
	struct dns *dns;
	struct loop_timer *watchdog;
	struct conn_params conn;
	struct peer peer;
	/* for TLS */
	struct identity ca, id;
	struct tls_ctx *ctx;
};

/* The log of a stage, lines between LF. */
static char stage_log[262144];

static inline void
stage_sink(enum log_level level, const char *line)
{
	size_t at = strlen(stage_log);

	(void)level;
	snprintf(stage_log + at, sizeof(stage_log) - at, "%s\n", line);
}

static inline void
stage_expired(void *arg)
{
	(void)arg;
	fail_msg("nothing happened for %d s", STAGE_WATCHDOG_MS / 1000);
}

static inline void
stage_make_tls(struct stage *s)
{
	struct buf pem;
	struct err e;

	s->ca = identity_ca("a test authority");
	s->id = identity_server(&s->ca, "IP:127.0.0.1");
	buf_init(&pem, 65536);
	identity_pem(&s->ca, &pem);
	s->ctx = tls_ctx_new_pem(buf_span(&pem), &e);
	assert_non_null(s->ctx);
	buf_deinit(&pem);
	s->conn.ctx = s->ctx;
	s->peer.id = &s->id;
}

static inline void
stage_begin(struct stage *s, peer_fn script, bool tls)
{
	struct err e;

	*s = (struct stage){ 0 };
	stage_log[0] = '\0';
	log_set_sink(stage_sink);
	log_set_level(LOG_LEVEL_TRACE);
	s->loop = loop_new();
	s->dns = dns_new(s->loop, &e);
	assert_non_null(s->dns);
	s->watchdog = loop_timer_new(s->loop, stage_expired, s);
	loop_timer_arm(s->watchdog, STAGE_WATCHDOG_MS);
	if (tls)
		stage_make_tls(s);
	s->peer.script = script;
	peer_begin(&s->peer);
	s->conn.host = "127.0.0.1";
	s->conn.port = s->peer.port;
	s->conn.connect_timeout_ms = 10000;
	s->conn.tls_timeout_ms = 10000;
}

/* After the session is freed. True when the script saw all it wanted. */
static inline bool
stage_end(struct stage *s)
{
	bool good = peer_end(&s->peer);

	loop_timer_free(&s->watchdog);
	tls_ctx_free(&s->ctx);
	identity_free(&s->ca);
	identity_free(&s->id);
	dns_free(&s->dns);
	loop_free(&s->loop);
	log_set_sink(NULL);
	log_set_level(LOG_LEVEL_INFO);
	return good;
}

/* ---- for scripts ---- */

/* For clients that may be gone: nobody minds. */
static inline void
stage_say(struct peer *p, const char *s)
{
	(void)!send(p->fd, s, strlen(s), MSG_NOSIGNAL);
}

/* Reads until this has come; false at the end of file. */
static inline bool
stage_hear_until(struct peer *p, const char *mark)
{
	char all[65536];
	size_t n = 0;

	while (n + 1 < sizeof(all)) {
		ssize_t r = peer_read(p, all + n, 1);

		if (r != 1)
			return false;
		all[++n] = '\0';
		if (n >= strlen(mark) &&
		    memcmp(all + n - strlen(mark), mark, strlen(mark)) == 0)
			return true;
	}
	return false;
}

#endif
