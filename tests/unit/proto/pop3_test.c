/* SPDX-License-Identifier: ISC */
#include "proto/pop3.h"

#include <stdio.h>

#include "unit/proto/fixed_nonce.h"
#include "unit/proto/split.h"
#include "util/buf.h"
#include "util/mem.h"

#define LOG_MAX (4 * 1024 * 1024)
#define PASSWORD "pass word"

/* What a run asks when it is ready, and what it is like. */
struct plan {
	enum pop3_tls tls;
	bool capa;
	bool pipelining;
	const char *asks; /* S U L R1 T1 D1 N Q, separated by blanks */
};

/* ... and how it logs in */
static enum sasl_auth auth;
static bool has_token;
/* the response to a challenge; "": there is none; NULL: not yet */
static const char *response;

struct run {
	struct pop3 *m;
	const struct plan *plan;
	struct buf log;
	bool in_data;
	bool tls;
};

static struct pop3 *
new_machine(const struct plan *plan)
{
	struct secret *secret = secret_new(SPAN(PASSWORD));
	struct pop3_params p = {
		.tls = plan->tls,
		.user = "bob",
		.secret = secret,
		.capa = plan->capa,
		.pipelining = plan->pipelining,
		.auth = auth,
		.secret_is_token = has_token,
	};
	struct pop3 *m = pop3_new(&p);

	secret_free(&secret);
	return m;
}

static void
ask_one(struct pop3 *m, struct span word)
{
	char what = word.p[0];
	uint32_t n = 0;

	for (size_t i = 1; i < word.n; i++)
		n = n * 10 + (uint32_t)(word.p[i] - '0');
	if (what == 'S')
		pop3_stat(m);
	else if (what == 'U')
		pop3_uidl(m);
	else if (what == 'L')
		pop3_list(m);
	else if (what == 'R')
		pop3_retr(m, n);
	else if (what == 'T')
		pop3_top(m, n);
	else if (what == 'D')
		pop3_dele(m, n);
	else if (what == 'N')
		pop3_noop(m);
	else
		pop3_quit(m);
}

static void
ask(struct pop3 *m, const char *asks)
{
	struct span rest = span_of(asks);

	while (rest.n > 0)
		ask_one(m, span_until(&rest, ' '));
}

/* CR is R, LF is N, NUL is 0, so that a log is one line per event. */
static void
log_octets(struct run *run, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r')
			buf_addc(&run->log, 'R');
		else if (s.p[i] == '\n')
			buf_addc(&run->log, 'N');
		else if (s.p[i] == '\0')
			buf_addc(&run->log, '0');
		else
			buf_addc(&run->log, s.p[i]);
	}
}

/* All that waits is "sent" at once, and logged as "> ...". */
static void
send_all(struct run *run)
{
	struct span out = pop3_output(run->m);

	if (out.n == 0)
		return;
	assert_false(
	    span_has(out, SPAN(PASSWORD)) && !pop3_output_is_secret(run->m));
	assert_false(run->plan->tls == POP3_TLS_UPGRADE && !run->tls &&
	    span_has(out, SPAN(PASSWORD)));
	while (out.n > 0) {
		buf_add(&run->log, SPAN("> "));
		log_octets(run, span_until(&out, '\n'));
		buf_addc(&run->log, '\n');
	}
	pop3_sent(run->m, pop3_output(run->m).n);
	assert_false(pop3_output_is_secret(run->m));
}

static void
log_end(struct run *run, const struct pop3_info *info)
{
	buf_printf(&run->log, "done %u %u %s\n", info->request, info->number,
	    info->ok ? "ok" : err_kind_name(info->err.kind));
}

static void
log_listed(struct run *run, const struct pop3_info *info)
{
	buf_printf(&run->log, "uidl %u ", info->number);
	log_octets(run, info->uidl);
	buf_addc(&run->log, '\n');
}

static void
log_data(struct run *run, const struct pop3_info *info)
{
	assert_true(info->data.n > 0);
	if (!run->in_data)
		buf_printf(&run->log, "data %u ", info->number);
	run->in_data = true;
	log_octets(run, info->data);
}

static void
log_event(struct run *run, enum pop3_event ev, const struct pop3_info *info)
{
	static const char *const names[] = { "more", "upgrade", "challenged",
		"ready", "stat", "uidl", "list", "begin", "data", "end", "done",
		"closed", "failed" };

	if (run->in_data && ev != POP3_BODY_DATA) {
		buf_addc(&run->log, '\n');
		run->in_data = false;
	}
	if (ev == POP3_BODY_DATA)
		log_data(run, info);
	else if (ev == POP3_DONE)
		log_end(run, info);
	else if (ev == POP3_UIDL)
		log_listed(run, info);
	else if (ev == POP3_STAT)
		buf_printf(&run->log, "stat %u %lu\n", info->count,
		    (unsigned long)info->size);
	else if (ev == POP3_LIST)
		buf_printf(&run->log, "list %u %lu\n", info->number,
		    (unsigned long)info->size);
	else if (ev == POP3_BODY_BEGIN || ev == POP3_BODY_END)
		buf_printf(&run->log, "%s %u\n", names[ev], info->number);
	else if (ev == POP3_CLOSED)
		buf_printf(&run->log, "closed %s\n", info->ok ? "ok" : "no");
	else if (ev == POP3_CHALLENGED)
		buf_printf(&run->log, "challenged %.*s\n", (int)info->data.n,
		    info->data.p);
	else if (ev == POP3_FAILED)
		buf_printf(&run->log, "failed %s\n",
		    err_kind_name(pop3_error(run->m)->kind));
	else
		buf_printf(&run->log, "%s\n", names[ev]);
}

static void *
open_run(const void *arg)
{
	struct run *run = mem_new(sizeof(*run));

	run->plan = arg;
	run->m = new_machine(arg);
	run->tls = run->plan->tls == POP3_TLS_DONE;
	buf_init(&run->log, LOG_MAX);
	return run;
}

/* That to "bGFzdA==" is the last. */
static void
respond(struct pop3 *m, struct span challenge)
{
	struct err e;

	err_set(&e, ERR_TEMP, 0, "no ticket");
	if (response == NULL)
		return;
	if (*response == '\0')
		pop3_respond_failed(m, &e);
	else
		pop3_respond(
		    m, span_of(response), span_eq(challenge, SPAN("bGFzdA==")));
	pop3_respond(m, SPAN("nobody asks"), true);
}

static bool
terminal(enum pop3_event ev)
{
	return ev == POP3_CLOSED || ev == POP3_FAILED;
}

static void
feed(void *arg, struct span piece)
{
	struct run *run = arg;
	struct span log = buf_span(&run->log);
	struct pop3_info info;
	enum pop3_event ev;

	if (span_has(log, SPAN("failed ")) || span_has(log, SPAN("closed "))) {
		assert_true(terminal(pop3_step(run->m, &piece, &info)));
		return;
	}
	while ((ev = pop3_step(run->m, &piece, &info)) != POP3_MORE) {
		if (ev == POP3_READY || ev == POP3_UPGRADE ||
		    ev == POP3_CHALLENGED || terminal(ev))
			send_all(run); /* was said before */
		log_event(run, ev, &info);
		if (ev == POP3_UPGRADE && piece.n == 0) {
			run->tls = true;
			return; /* the next turn is spoken in TLS */
		}
		if (ev == POP3_CHALLENGED)
			respond(run->m, info.data);
		if (ev == POP3_READY)
			ask(run->m, run->plan->asks);
		if (terminal(ev))
			return;
		send_all(run);
	}
	assert_int_equal(piece.n, 0);
	send_all(run);
}

/* Begins a turn in TLS. */
static void
feed_upgraded(void *arg, struct span piece)
{
	struct run *run = arg;

	if (run->tls && strcmp(pop3_state_name(run->m), "tls") == 0) {
		pop3_upgraded(run->m);
		send_all(run);
	}
	feed(arg, piece);
}

static char *
close_run(void *arg)
{
	struct run *run = arg;
	char *log;

	if (run->in_data)
		buf_addc(&run->log, '\n');
	log = mem_spandup(buf_span(&run->log));
	pop3_free(&run->m);
	pop3_free(&run->m);
	buf_deinit(&run->log);
	free(run);
	return log;
}

static const struct split_ops ops = { open_run, feed, close_run };
static const struct split_ops upgrade_ops = { open_run, feed_upgraded,
	close_run };

static void
check(const struct plan *plan, struct span server, const char *want)
{
	char *log = split_every_one(&ops, plan, server);

	assert_string_equal(log, want);
	free(log);
}

#define LOGIN "+OK\r\n+OK\r\n+OK\r\n"
#define LOGGED_IN "> USER bobR\n> PASS pass wordR\nready\n"
#define CAPA_LOGIN "+OK\r\n+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n+OK\r\n+OK\r\n"
#define CAPA_LOGGED_IN "> CAPAR\n" LOGGED_IN

/* ---- a session ---- */

static void
fetches_mail_from_greeting_to_quit(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true,
		"S U L R1 T2 D1 N Q" };

	(void)state;
	check(&plan,
	    SPAN(CAPA_LOGIN "+OK 2 320\r\n"
			    "+OK\r\n1 abc\r\n2   d e f \r\n.\r\n"
			    "+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n"
			    "+OK 120 octets\r\nSubject: x\r\n\r\n..\r\n.\r\n"
			    "+OK\r\nSubject: y\r\n\r\n.\r\n"
			    "+OK deleted\r\n+OK\r\n+OK bye\r\n"),
	    CAPA_LOGGED_IN
	    "> STATR\n> UIDLR\n> LISTR\n> RETR 1R\n> TOP 2 0R\n> DELE 1R\n"
	    "> NOOPR\n"
	    "stat 2 320\ndone 1 0 ok\n"
	    "uidl 1 abc\nuidl 2 d e f\ndone 2 0 ok\n"
	    "list 1 120\nlist 2 200\ndone 3 0 ok\n"
	    "begin 1\ndata 1 Subject: xRNRN.RN\nend 1\ndone 4 1 ok\n"
	    "begin 2\ndata 2 Subject: yRNRN\nend 2\ndone 6 2 ok\n"
	    "done 5 1 ok\ndone 7 0 ok\n> QUITR\nclosed ok\n");
}

static void
waits_for_each_answer_without_pipelining(void **state)
{
	static const struct plan offered_not_wanted = { POP3_TLS_DONE, true,
		false, "D1 D2" };
	static const struct plan wanted_not_offered = { POP3_TLS_DONE, false,
		true, "D1 D2" };

	(void)state;
	check(&offered_not_wanted, SPAN(CAPA_LOGIN "+OK\r\n-ERR\r\n"),
	    CAPA_LOGGED_IN "> DELE 1R\ndone 5 1 ok\n> DELE 2R\n"
			   "done 5 2 message\n");
	check(&wanted_not_offered, SPAN(LOGIN "+OK\r\n-ERR\r\n"),
	    LOGGED_IN "> DELE 1R\ndone 5 1 ok\n> DELE 2R\n"
		      "done 5 2 message\n");
}

static void
keeps_answers_in_order_with_refusals_between(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true,
		"R1 R2 R3 D1 D9 U R4" };

	(void)state;
	check(&plan,
	    SPAN(CAPA_LOGIN "+OK\r\na\r\n.\r\n"
			    "-ERR no such message\r\n"
			    "+OK\r\n-ERR this is mail\r\n+OK\r\n..\r\n.\r\n"
			    "+OK\r\n-ERR\r\n-ERR [SYS/TEMP] busy\r\n"
			    "+OK\r\n.\r\n"),
	    CAPA_LOGGED_IN
	    "> RETR 1R\n> RETR 2R\n> RETR 3R\n> DELE 1R\n> DELE 9R\n"
	    "> UIDLR\n> RETR 4R\n"
	    "begin 1\ndata 1 aRN\nend 1\ndone 4 1 ok\n"
	    "done 4 2 message\n"
	    "begin 3\ndata 3 -ERR this is mailRN+OKRN.RN\nend 3\n"
	    "done 4 3 ok\ndone 5 1 ok\ndone 5 9 message\ndone 2 0 temp\n"
	    "begin 4\nend 4\ndone 4 4 ok\n");
}

static void
keeps_every_octet_of_a_message(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false, "R1" };
	char all[256 * 4 + 200];
	struct pop3_info info;
	struct pop3 *m = new_machine(&plan);
	struct buf got;
	struct buf want;
	struct span in = SPAN(LOGIN);
	size_t i;

	(void)state;
	buf_init(&want, sizeof(all));
	buf_init(&got, sizeof(all));
	for (i = 0; i < 256; i++)
		if (i != '.') {
			buf_addc(&want, (char)i);
			buf_addc(&want, (char)(255 - i));
		}
	buf_add(&want, SPAN("\r\n"));
	assert_int_equal(pop3_step(m, &in, &info), POP3_READY);
	ask(m, "R1");
	in = SPAN("+OK\r\n");
	assert_int_equal(pop3_step(m, &in, &info), POP3_BODY_BEGIN);
	in = buf_span(&want);
	while (pop3_step(m, &in, &info) == POP3_BODY_DATA)
		buf_add(&got, info.data);
	in = SPAN(".\r\n");
	assert_int_equal(pop3_step(m, &in, &info), POP3_BODY_END);
	assert_true(span_eq(buf_span(&got), buf_span(&want)));
	buf_deinit(&got);
	buf_deinit(&want);
	pop3_free(&m);
}

static void
is_not_fooled_by_lone_line_ends_before_a_dot(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true, "R1 D1" };

	(void)state;
	check(&plan,
	    SPAN(CAPA_LOGIN "+OK\r\na\n.\r\n-ERR evil\r\nb\r.\r\n+OK\r\n"
			    ".\r\n+OK\r\n"),
	    CAPA_LOGGED_IN "> RETR 1R\n> DELE 1R\nbegin 1\n"
			   "data 1 aN.RN-ERR evilRNbR.RN+OKRN\nend 1\n"
			   "done 4 1 ok\ndone 5 1 ok\n");
}

static void
understands_a_server_that_ends_lines_with_lf(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false,
		"U R1 Q" };

	(void)state;
	check(&plan, SPAN("+OK\n+OK\n+OK\n+OK\n1 abc\n.\n+OK\na\n..\n.\n+OK\n"),
	    LOGGED_IN "> UIDLR\nuidl 1 abc\ndone 2 0 ok\n> RETR 1R\nbegin 1\n"
		      "data 1 aN.N\nend 1\ndone 4 1 ok\n> QUITR\n"
		      "closed ok\n");
}

/* ---- TLS ---- */

static void
logs_in_after_stls(void **state)
{
	static const struct plan plan = { POP3_TLS_UPGRADE, false, false, "Q" };
	static const struct span turns[] = { { "+OK hi\r\n+OK\r\n", 13 },
		{ "+OK\r\n+OK\r\n+OK\r\n", 15 } };
	char *log = split_every(&upgrade_ops, &plan, turns, 2);

	(void)state;
	assert_string_equal(log,
	    "> STLSR\nupgrade\n> USER bobR\n> PASS pass wordR\nready\n"
	    "> QUITR\nclosed ok\n");
	free(log);
}

#define CAPA_SASL(words) "+OK\r\n+OK\r\nUIDL\r\nSASL " words "\r\n.\r\n"

static void
logs_in_by_scram(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true, "N" };

	(void)state;
	nonce_is_fixed = true;
	check(&plan,
	    SPAN(CAPA_SASL(
		"PLAIN SCRAM-SHA-256") "+ "
				       "cj1meWtvK2QybGJiRmdPTlJ2OXFreGRhd0xhYmM"
				       "scz1jMkZzZEE9PSxpPTY0\r\n"
				       "+ "
				       "dj1qL1RObFV2THNGV2pwQ01jd3hDUmF4cUltNCt"
				       "aM3V1d1ZGcjN0cTJ4V1FvPQ==\r\n+OK\r\n+"
				       "OK\r\n"),
	    "> CAPAR\n> AUTH SCRAM-SHA-256 "
	    "biwsbj1ib2Iscj1meWtvK2QybGJiRmdPTlJ2OXFreGRhd0w=R\n"
	    "> "
	    "Yz1iaXdzLHI9ZnlrbytkMmxiYkZnT05Sdjlxa3hkYXdMYWJjLHA9ZXd3cG1lRmtWTF"
	    "BmQUIybXE0M0FGVmc2T0tCamxaTkN0QWkrNG9PLzlpaz0=R\n"
	    "> R\nready\n> NOOPR\ndone 7 0 ok\n");
	check(&plan,
	    SPAN(CAPA_SASL(
		"PLAIN SCRAM-SHA-256") "+ "
				       "cj1meWtvK2QybGJiRmdPTlJ2OXFreGRhd0xhYmM"
				       "scz1jMkZzZEE9PSxpPTY0\r\n"
				       "+OK\r\n"),
	    "> CAPAR\n> AUTH SCRAM-SHA-256 "
	    "biwsbj1ib2Iscj1meWtvK2QybGJiRmdPTlJ2OXFreGRhd0w=R\n"
	    "> "
	    "Yz1iaXdzLHI9ZnlrbytkMmxiYkZnT05Sdjlxa3hkYXdMYWJjLHA9ZXd3cG1lRmtWTF"
	    "BmQUIybXE0M0FGVmc2T0tCamxaTkN0QWkrNG9PLzlpaz0=R\n"
	    "failed auth\n");
	nonce_is_fixed = false;
}

static void
refuses_a_token_with_a_blank(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true, "N" };

	(void)state;
	has_token = true;
	check(&plan, SPAN(CAPA_SASL("XOAUTH2")), "> CAPAR\nfailed config\n");
	has_token = false;
}

static void
logs_in_by_cram_md5(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true, "N" };

	(void)state;
	auth = SASL_CRAM_MD5;
	check(&plan, SPAN(CAPA_SASL("CRAM-MD5") "+ PGFAYj4=\r\n+OK\r\n+OK\r\n"),
	    "> CAPAR\n> AUTH CRAM-MD5R\n> "
	    "Ym9iIGMzYTgwNTVjM2Q0MTU4MWJkZGVlY2Y1MTA4N2Q0ZmFiR\nready\n> "
	    "NOOPR\n"
	    "done 7 0 ok\n");
	check(&plan, SPAN(CAPA_SASL("CRAM-MD5") "+ !\r\n-ERR\r\n"),
	    "> CAPAR\n> AUTH CRAM-MD5R\n> *R\nfailed proto\n");
	auth = SASL_AUTO;
}

#define ASKS "+OK\r\n+ \r\n"
#define ASKED "> AUTH GSSAPIR\nchallenged \n"
#define ANSWERED ASKED "> bW9yZQ==R\n"

static void
lets_others_answer_for_gssapi(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false, "" };

	static const struct {
		const char *response, *said, *want;
	} all[] = {
		{ "bW9yZQ==", ASKS "+ bGFzdA==\r\n+OK\r\n",
		    ANSWERED "challenged bGFzdA==\n> bW9yZQ==R\nready\n" },
		{ "bW9yZQ==", ASKS "+OK\r\n", ANSWERED "failed auth\n" },
		{ "bW9yZQ==", ASKS "-ERR\r\n", ANSWERED "failed auth\n" },
		{ "", ASKS "-ERR\r\n", ASKED "> *R\nfailed temp\n" },
		{ NULL, ASKS "+ \r\n", ASKED "failed proto\n" },
		{ NULL, ASKS "+OK\r\n", ASKED "failed auth\n" },
		{ NULL, ASKS "-ERR\r\n", ASKED "failed auth\n" },
	};

	(void)state;
	auth = SASL_GSSAPI;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		response = all[i].response;
		check(&plan, span_of(all[i].said), all[i].want);
	}
	auth = SASL_AUTO;
	response = NULL;
}

static void
says_whom_it_has_waited_for(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false, "" };
	struct span in = SPAN(ASKS);
	struct pop3_info info;
	struct pop3 *m;

	(void)state;
	auth = SASL_GSSAPI;
	m = new_machine(&plan);
	assert_int_equal(pop3_step(m, &in, &info), POP3_CHALLENGED);
	assert_int_equal(pop3_timeout(m), 120);
	pop3_expire(m);
	assert_int_equal(pop3_step(m, &in, &info), POP3_FAILED);
	assert_non_null(strstr(pop3_error(m)->text, "Kerberos has not"));
	pop3_respond(m, SPAN("x"), true);
	pop3_free(&m);
	auth = SASL_AUTO;
}

static void
says_how_it_logs_in(void **state)
{
	struct pop3_params p = { .user = "bob", .capa = true };
	struct span in = SPAN(CAPA_SASL("SCRAM-SHA-1-PLUS SCRAM-SHA-1"));
	struct pop3 *m = pop3_new(&p);
	struct pop3_info info;

	(void)state;
	pop3_bind(m, SPAN("ABC"));
	assert_null(pop3_login_choice(m));
	assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
	assert_int_equal(
	    pop3_login_choice(m)->mechanism, SASL_SCRAM_SHA_1_PLUS);
	assert_string_equal(pop3_login_choice(m)->why,
	    "the strongest of those the server offers");
	pop3_free(&m);
}

static void
asks_capa_in_tls(void **state)
{
	static const struct plan plan = { POP3_TLS_UPGRADE, true, true, "Q" };
	static const struct span turns[] = { { "+OK hi\r\n+OK\r\n", 13 },
		{ "+OK\r\nSASL PLAIN\r\nUIDL\r\n.\r\n+OK\r\n+OK\r\n", 36 } };
	char *log = split_every(&upgrade_ops, &plan, turns, 2);

	(void)state;
	assert_string_equal(log,
	    "> STLSR\nupgrade\n> CAPAR\n> AUTH PLAIN AGJvYgBwYXNzIHdvcmQ=R\n"
	    "ready\n> QUITR\nclosed ok\n");
	free(log);
}

/* Whatever a stranger says before TLS, and however it is cut, no octet of the
 * login comes out. */
static void
says_no_secret_before_tls(void **state)
{
	static const struct plan plan = { POP3_TLS_UPGRADE, true, true, "Q" };

	static const struct {
		const char *server, *log;
	} t[] = {
		/* clang-format off */
		{ "+OK\r\n-ERR\r\n+OK\r\n+OK\r\n",
		    "> STLSR\nfailed tls\n" },
		{ "+OK\r\n-ERR unknown command\r\n",
		    "> STLSR\nfailed tls\n" },
		{ "+OK\r\n+ \r\n+OK\r\n", "> STLSR\nfailed proto\n" },
		{ "+OK\r\nSTLS\r\n.\r\n", "> STLSR\nfailed proto\n" },
		{ "-ERR\r\n+OK\r\n", "failed temp\n" },
		{ "* PREAUTH hi\r\n+OK\r\n", "failed proto\n" },
		{ "\r\n+OK\r\n", "failed proto\n" },
		/* clang-format on */
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check(&plan, span_of(t[i].server), t[i].log);
}

static void
refuses_octets_behind_stls(void **state)
{
	static const struct plan plan = { POP3_TLS_UPGRADE, true, true, "" };
	static const char *const evil[] = { "+OK\r\n+OK\r\n+", "+OK\n+OK\n\n",
		"+OK\r\n+OK\r\n+OK\r\n+OK\r\nUIDL\r\n.\r\n" };
	struct pop3_info info;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct pop3 *m = new_machine(&plan);
		struct span in = span_of(evil[i]);

		assert_int_equal(pop3_step(m, &in, &info), POP3_FAILED);
		assert_int_equal(pop3_error(m)->kind, ERR_TLS);
		assert_true(span_eq(pop3_output(m), SPAN("STLS\r\n")));
		pop3_free(&m);
	}
}

static void
refuses_octets_between_stls_and_tls(void **state)
{
	static const struct plan plan = { POP3_TLS_UPGRADE, true, true, "" };
	struct pop3 *m = new_machine(&plan);
	struct span in = SPAN("+OK\r\n+OK\r\n");
	struct pop3_info info;

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_UPGRADE);
	assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
	in = SPAN("+OK\r\n");
	assert_int_equal(pop3_step(m, &in, &info), POP3_FAILED);
	assert_int_equal(pop3_error(m)->kind, ERR_TLS);
	pop3_free(&m);
}

/* ---- what goes wrong ---- */

static void
survives_hostile_answers(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true,
		"S U L R1 Q" };

	static const struct {
		struct span server;
		const char *log; /* behind the requests */
	} t[] = {

#define HOSTILE(s) SPAN(CAPA_LOGIN s)
		/* clang-format off */
		{ HOSTILE("what?\r\n"), "failed proto\n" },
		{ HOSTILE("\r\n"), "failed proto\n" },
		{ HOSTILE("+ x\r\n"), "failed proto\n" },
		{ HOSTILE("\0+OK\r\n"), "failed proto\n" },
		{ HOSTILE("+OK 4294967296 1\r\n"), "done 1 0 ok\n" },
		{ HOSTILE("+OK 4294967295 18446744073709551616\r\n"),
		    "stat 4294967295 0\ndone 1 0 ok\n" },
		{ HOSTILE("+OK -1 -1\r\n+OK\r\n-1 a\r\n0 b\r\n4294967296 c\r\n"
		    "4294967295 d\r\n\r\n \r\n1\r\n1 \r\n2 \0\r\n"
		    "..\r\n. \r\n. 3 e\r\n3 ../x\r\nx\r\n.\r\n"),
		    "done 1 0 ok\nuidl 4294967295 d\nuidl 1 \nuidl 1 \n"
		    "uidl 2 \nuidl 3 e\nuidl 3 ../x\ndone 2 0 ok\n" },
		{ HOSTILE("+OK 0 0\r\n-ERR\r\n+OK\r\n1 -1\r\n1 x\r\n2\r\n"
		    "3 99999999999999999999\r\n4 5 6\r\n.\r\n"),
		    "stat 0 0\ndone 1 0 ok\ndone 2 0 mailbox\nlist 1 0\n"
		    "list 1 0\nlist 2 0\nlist 3 0\nlist 4 5\ndone 3 0 ok\n" },
		/* clang-format on */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *want = mem_printf(CAPA_LOGGED_IN
		    "> STATR\n> UIDLR\n> LISTR\n> RETR 1R\n%s",
		    t[i].log);

		check(&plan, t[i].server, want);
		free(want);
	}
}

static void
fails_when_the_server_speaks_unasked(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false, "N" };

	(void)state;
	check(&plan, SPAN(LOGIN "+OK\r\n+OK\r\n"),
	    LOGGED_IN "> NOOPR\ndone 7 0 ok\nfailed proto\n");
	check(&plan, SPAN(LOGIN "+OK\r\n-ERR idle\r\n"),
	    LOGGED_IN "> NOOPR\ndone 7 0 ok\nfailed proto\n");
	check(&plan, SPAN(LOGIN "+OK\r\n-ERR [SYS/TEMP] bye\r\n"),
	    LOGGED_IN "> NOOPR\ndone 7 0 ok\nfailed temp\n");
}

static void
tells_what_the_server_wants_of_us(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, false, "" };
	struct pop3_info info;
	unsigned int days = 7;
	struct pop3 *m = new_machine(&plan);
	struct span in = SPAN("+OK\r\n+OK\r\nUIDL\r\nLOGIN-DELAY 900 USER\r\n"
			      "EXPIRE 0\r\n.\r\n+OK\r\n+OK\r\n");

	(void)state;
	assert_int_equal(pop3_login_delay_s(m), 0);
	assert_false(pop3_expires(m, &days));
	assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
	assert_int_equal(pop3_login_delay_s(m), 900);
	assert_true(pop3_expires(m, &days));
	assert_int_equal(days, 0);
	/* behind the login it is another list */
	in = SPAN("+OK\r\nLOGIN-DELAY 60\r\n.\r\n");
	assert_int_equal(pop3_step(m, &in, &info), POP3_READY);
	assert_int_equal(pop3_login_delay_s(m), 60);
	assert_false(pop3_expires(m, &days));
	pop3_free(&m);
}

static void
passes_on_how_long_it_is_asked_to_wait(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false, "" };
	struct pop3_info info;
	struct pop3 *m = new_machine(&plan);
	struct span in = SPAN(LOGIN);

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_READY);
	pop3_stat(m); /* Hotmail refuses this, and not the login */
	in = SPAN("-ERR login allowed only every 15 minutes\r\n"
		  "-ERR [SYS/TEMP] retry in 1 hour\r\n");
	assert_int_equal(pop3_step(m, &in, &info), POP3_DONE);
	assert_int_equal(info.err.kind, ERR_THROTTLE);
	assert_int_equal(info.err.after_s, 900);
	assert_int_equal(pop3_step(m, &in, &info), POP3_FAILED);
	assert_int_equal(pop3_error(m)->kind, ERR_TEMP);
	assert_int_equal(pop3_error(m)->after_s, 3600);
	pop3_free(&m);
}

static struct pop3 *
ready_machine(const char *asks)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true, "" };
	struct pop3 *m = new_machine(&plan);
	struct span in = SPAN(CAPA_LOGIN);
	struct pop3_info info;

	assert_int_equal(pop3_step(m, &in, &info), POP3_READY);
	ask(m, asks);
	return m;
}

static void
never_repeats_the_secret_after_the_server(void **state)
{
	struct pop3 *m = ready_machine("S L");
	struct span in = SPAN("-ERR no\r\n-ERR LIST after " PASSWORD "?\r\n"
			      "-ERR bye, " PASSWORD "\r\n");
	struct pop3_info info;

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_DONE);
	assert_string_equal(info.err.text, "the server refuses STAT: no");
	assert_int_equal(pop3_step(m, &in, &info), POP3_DONE);
	assert_string_equal(info.err.text, "the server refuses LIST");
	assert_int_equal(pop3_step(m, &in, &info), POP3_FAILED);
	assert_string_equal(pop3_error(m)->text, "the server speaks unasked");
	pop3_free(&m);
}

static void
says_whether_quit_was_accepted(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false, "Q" };
	struct pop3 *m;
	struct pop3_info info;
	struct span in = SPAN(LOGIN);

	(void)state;
	check(&plan, SPAN(LOGIN "+OK\r\nmore\r\n"),
	    LOGGED_IN "> QUITR\nclosed ok\n");
	check(&plan, SPAN(LOGIN "-ERR some are left\r\n"),
	    LOGGED_IN "> QUITR\nclosed no\n");
	m = new_machine(&plan);
	assert_int_equal(pop3_step(m, &in, &info), POP3_READY);
	pop3_quit(m);
	assert_int_equal(pop3_eof(m), POP3_FAILED);
	assert_int_equal(pop3_error(m)->kind, ERR_NET);
	pop3_free(&m);
}

static void
stays_closed_once_it_is(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false, "Q" };
	struct pop3 *m = new_machine(&plan);
	struct pop3_info info;
	struct span in = SPAN(LOGIN);

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_READY);
	pop3_quit(m);
	in = SPAN("-ERR 3 of 5 are left\r\n");
	assert_int_equal(pop3_step(m, &in, &info), POP3_CLOSED);
	in = SPAN("+OK\r\n");
	assert_int_equal(pop3_step(m, &in, &info), POP3_CLOSED);
	assert_false(info.ok);
	assert_int_not_equal(info.err.kind, ERR_NONE);
	assert_int_equal(pop3_eof(m), POP3_CLOSED);
	pop3_expire(m);
	pop3_retr(m, 1);
	assert_int_equal(pop3_step(m, &in, &info), POP3_CLOSED);
	pop3_free(&m);
}

/* Whatever was said before, its end and silence end the machine. */
static void
fails_at_every_end_and_every_silence(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true,
		"U R1 D1" };
	static const char server[] =
	    CAPA_LOGIN "+OK\r\n1 a\r\n.\r\n+OK\r\na\r\n..\r\n.\r\n+OK\r\n";
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(server) - 1; n++) {
		struct run *eof = open_run(&plan);
		struct run *silence = open_run(&plan);
		struct span none = SPAN("");
		struct pop3_info info;

		if (n > 0) {
			feed(eof, span_make(server, n));
			feed(silence, span_make(server, n));
		}
		assert_true(pop3_timeout(eof->m) > 0);
		assert_int_equal(pop3_eof(eof->m), POP3_FAILED);
		pop3_expire(silence->m);
		assert_int_equal(
		    pop3_step(silence->m, &none, &info), POP3_FAILED);
		assert_int_equal(pop3_error(eof->m)->kind, ERR_NET);
		assert_int_equal(pop3_error(silence->m)->kind, ERR_NET);
		pop3_uidl(eof->m);
		assert_int_equal(pop3_output(eof->m).n, 0);
		free(close_run(eof));
		free(close_run(silence));
	}
}

static void
may_idle_when_nothing_is_asked(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false, "" };
	struct pop3 *m = new_machine(&plan);
	struct span in = SPAN(LOGIN);
	struct pop3_info info;

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_READY);
	assert_int_equal(pop3_timeout(m), 0);
	assert_int_equal(pop3_pending(m), 0);
	pop3_noop(m);
	assert_true(pop3_timeout(m) > 0);
	assert_int_equal(pop3_pending(m), 1);
	assert_string_equal(pop3_state_name(m), "noop");
	pop3_free(&m);
}

/* The user's number is for what takes long; a NOOP is not given an hour. */
static void
waits_as_long_as_it_is_told(void **state)
{
	static const struct {
		unsigned int told, login, uidl, noop;
	} t[] = { { 0, 300, 300, 120 }, { 2, 2, 2, 2 },
		{ 3600, 300, 3600, 120 } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct secret *secret = secret_new(SPAN(PASSWORD));
		struct pop3_params p = {
			.user = "bob", .secret = secret, .timeout_s = t[i].told
		};
		struct pop3 *m = pop3_new(&p);
		struct span in = SPAN(LOGIN);
		struct pop3_info info;

		assert_int_equal(pop3_timeout(m), t[i].login);
		assert_int_equal(pop3_step(m, &in, &info), POP3_READY);
		pop3_uidl(m);
		assert_int_equal(pop3_timeout(m), t[i].uidl);
		in = SPAN("-ERR no\r\n");
		assert_int_equal(pop3_step(m, &in, &info), POP3_DONE);
		pop3_noop(m);
		assert_int_equal(pop3_timeout(m), t[i].noop);
		secret_free(&secret);
		pop3_free(&m);
	}
}

static void
shows_what_the_server_said_of_itself(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, true, true, "" };
	struct pop3 *m = new_machine(&plan);
	struct span in = SPAN("+OK Dovecot ready.\r\n+OK\r\nTOP\r\n"
			      "EXPIRE 0 \r\nUIDL\r\n.\r\n");
	struct pop3_info info;

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
	assert_true(span_eq(pop3_greeting(m), SPAN("Dovecot ready.")));
	assert_true(span_eq(pop3_capabilities(m), SPAN("TOP\nEXPIRE 0\nUIDL")));
	assert_true(pop3_can(m, "uidl"));
	assert_true(pop3_can(m, "EXPIRE"));
	assert_false(pop3_can(m, "PIPELINING"));
	pop3_free(&m);
}

static void
marks_the_output_while_a_secret_is_in_it(void **state)
{
	static const struct plan plan = { POP3_TLS_DONE, false, false, "" };
	struct pop3 *m = new_machine(&plan);
	struct span in = SPAN("+OK\r\n+OK\r\n");
	struct pop3_info info;

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
	assert_true(pop3_output_is_secret(m));
	pop3_sent(m, pop3_output(m).n - 1);
	assert_true(pop3_output_is_secret(m));
	pop3_sent(m, 1);
	assert_false(pop3_output_is_secret(m));
	assert_int_equal(pop3_output(m).n, 0);
	pop3_free(&m);
}

/* ---- very much of everything ---- */

/* Feeds n times x and returns the last event. */
static enum pop3_event
feed_many(struct pop3 *m, char x, size_t n, size_t *data)
{
	char piece[65536];
	enum pop3_event last = POP3_MORE;
	struct pop3_info info;

	memset(piece, x, sizeof(piece));
	while (n > 0 && last != POP3_FAILED) {
		struct span whole = span_make(piece, sizeof(piece));
		struct span in = span_take(&whole, n);

		n -= in.n;
		do {
			last = pop3_step(m, &in, &info);
			*data += last == POP3_BODY_DATA ? info.data.n : 0;
		} while (last != POP3_MORE && last != POP3_FAILED);
	}
	return last;
}

static void
streams_a_line_of_ten_megabytes(void **state)
{
	struct pop3 *m = ready_machine("R1");
	struct span in = SPAN("+OK\r\n");
	struct pop3_info info;
	size_t data = 0;

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_BODY_BEGIN);
	assert_int_equal(feed_many(m, 'x', 10000000, &data), POP3_MORE);
	assert_int_equal(data, 10000000);
	in = SPAN("\r\n.\r\n");
	assert_int_equal(pop3_step(m, &in, &info), POP3_BODY_DATA);
	assert_int_equal(pop3_step(m, &in, &info), POP3_BODY_END);
	pop3_free(&m);
}

static void
skips_a_listing_line_of_ten_megabytes(void **state)
{
	struct pop3 *m = ready_machine("U");
	struct span in = SPAN("+OK\r\n1 ");
	struct pop3_info info;
	size_t data = 0;

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
	assert_int_equal(feed_many(m, 'x', 10000000, &data), POP3_MORE);
	in = SPAN("\r\n2 b\r\n.\r\n");
	assert_int_equal(pop3_step(m, &in, &info), POP3_UIDL);
	assert_int_equal(info.number, 1);
	assert_int_equal(info.uidl.n, 0);
	assert_int_equal(pop3_step(m, &in, &info), POP3_UIDL);
	assert_true(span_eq(info.uidl, SPAN("b")));
	assert_int_equal(pop3_step(m, &in, &info), POP3_DONE);
	pop3_free(&m);
}

static void
gives_up_lines_without_end(void **state)
{
	static const char *const before[] = { "", "+OK ", "+OK\r\n1 " };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct pop3 *m = ready_machine("U");
		struct span in = span_of(before[i]);
		struct pop3_info info;
		size_t data = 0;

		assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
		assert_int_equal(
		    feed_many(m, 'x', 20000000, &data), POP3_FAILED);
		assert_int_equal(pop3_error(m)->kind, ERR_PROTO);
		pop3_free(&m);
	}
}

static void
streams_a_million_uidl_lines(void **state)
{
	struct pop3 *m = ready_machine("U");
	struct span in = SPAN("+OK\r\n");
	struct pop3_info info;
	char line[64];
	uint32_t i;

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
	for (i = 1; i <= 1000000; i++) {
		int n = snprintf(line, sizeof(line), "%u 00%08x\r\n", i, i);

		in = span_make(line, (size_t)n);
		assert_int_equal(pop3_step(m, &in, &info), POP3_UIDL);
		assert_int_equal(info.number, i);
		assert_int_equal(info.uidl.n, 10);
		assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
	}
	pop3_free(&m);
}

static void
gives_up_a_listing_without_end(void **state)
{
	struct pop3 *m = ready_machine("U L");
	struct span in = SPAN("+OK\r\n1 a\r\n.\r\n+OK\r\n");
	struct pop3_info info;
	size_t data = 0;

	(void)state;
	assert_int_equal(pop3_step(m, &in, &info), POP3_UIDL);
	assert_int_equal(pop3_step(m, &in, &info), POP3_DONE);
	assert_int_equal(pop3_step(m, &in, &info), POP3_MORE);
	assert_int_equal(feed_many(m, '\n', 10000000, &data), POP3_MORE);
	assert_int_equal(feed_many(m, '\n', 1, &data), POP3_FAILED);
	assert_int_equal(pop3_error(m)->kind, ERR_PROTO);
	assert_non_null(strstr(pop3_error(m)->text, "10000000 messages"));
	pop3_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetches_mail_from_greeting_to_quit),
		cmocka_unit_test(waits_for_each_answer_without_pipelining),
		cmocka_unit_test(keeps_answers_in_order_with_refusals_between),
		cmocka_unit_test(keeps_every_octet_of_a_message),
		cmocka_unit_test(is_not_fooled_by_lone_line_ends_before_a_dot),
		cmocka_unit_test(understands_a_server_that_ends_lines_with_lf),
		cmocka_unit_test(logs_in_after_stls),
		cmocka_unit_test(logs_in_by_scram),
		cmocka_unit_test(logs_in_by_cram_md5),
		cmocka_unit_test(refuses_a_token_with_a_blank),
		cmocka_unit_test(lets_others_answer_for_gssapi),
		cmocka_unit_test(says_whom_it_has_waited_for),
		cmocka_unit_test(says_how_it_logs_in),
		cmocka_unit_test(asks_capa_in_tls),
		cmocka_unit_test(says_no_secret_before_tls),
		cmocka_unit_test(refuses_octets_behind_stls),
		cmocka_unit_test(refuses_octets_between_stls_and_tls),
		cmocka_unit_test(survives_hostile_answers),
		cmocka_unit_test(fails_when_the_server_speaks_unasked),
		cmocka_unit_test(tells_what_the_server_wants_of_us),
		cmocka_unit_test(passes_on_how_long_it_is_asked_to_wait),
		cmocka_unit_test(never_repeats_the_secret_after_the_server),
		cmocka_unit_test(says_whether_quit_was_accepted),
		cmocka_unit_test(stays_closed_once_it_is),
		cmocka_unit_test(fails_at_every_end_and_every_silence),
		cmocka_unit_test(may_idle_when_nothing_is_asked),
		cmocka_unit_test(waits_as_long_as_it_is_told),
		cmocka_unit_test(shows_what_the_server_said_of_itself),
		cmocka_unit_test(marks_the_output_while_a_secret_is_in_it),
		cmocka_unit_test(streams_a_line_of_ten_megabytes),
		cmocka_unit_test(skips_a_listing_line_of_ten_megabytes),
		cmocka_unit_test(gives_up_lines_without_end),
		cmocka_unit_test(streams_a_million_uidl_lines),
		cmocka_unit_test(gives_up_a_listing_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
