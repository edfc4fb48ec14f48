/* SPDX-License-Identifier: ISC */
#include "proto/lmtp.h"

#include <stdio.h>

#include "unit/proto/split.h"
#include "util/buf.h"
#include "util/mem.h"

#define LOG_MAX (4 * 1024 * 1024)
#define RECIPIENTS_MAX 8

struct message {
	const char *sender;
	const char *recipients; /* separated by blanks */
	const char *body;
	bool eight_bit, bare;
};

/* What a run sends when it is ready; it quits behind the last. */
struct plan {
	bool smtp;
	enum lmtp_tls tls;
	const struct message *messages;
	size_t n;
	size_t piece; /* of the body; 0: whole */
};

struct run {
	struct lmtp *m;
	const struct plan *plan;
	struct buf log;
	size_t next; /* message */
	bool over;
};

static void
send_mail(struct run *run)
{
	const struct message *it = &run->plan->messages[run->next];
	struct span rest = span_of(it->recipients);
	struct span recipients[RECIPIENTS_MAX];
	struct lmtp_mail mail = { .sender = span_of(it->sender),
		.recipients = recipients,
		.size = strlen(it->body),
		.eight_bit = it->eight_bit,
		.bare = it->bare };

	while (rest.n > 0)
		recipients[mail.n++] = span_until(&rest, ' ');
	run->next++;
	lmtp_mail(run->m, &mail);
}

static void
send_body(struct run *run)
{
	struct span body = span_of(run->plan->messages[run->next - 1].body);
	size_t piece = run->plan->piece > 0 ? run->plan->piece : SIZE_MAX;

	while (body.n > 0)
		lmtp_body(run->m, span_take(&body, piece));
	lmtp_end(run->m);
}

/* CR is R, LF is N, so that a log is one line per event. */
static void
log_octets(struct run *run, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r')
			buf_addc(&run->log, 'R');
		else if (s.p[i] == '\n')
			buf_addc(&run->log, 'N');
		else
			buf_addc(&run->log, s.p[i]);
	}
}

/* All that waits is "sent" at once, and logged as "> ...". */
static void
send_all(struct run *run)
{
	struct span out = lmtp_output(run->m);

	while (out.n > 0) {
		buf_add(&run->log, SPAN("> "));
		log_octets(run, span_until(&out, '\n'));
		buf_addc(&run->log, '\n');
	}
	lmtp_sent(run->m, lmtp_output(run->m).n);
	assert_false(lmtp_output_is_body(run->m));
}

static void
log_event(struct run *run, enum lmtp_event ev, const struct lmtp_info *info)
{
	static const char *const names[] = { "more", "upgrade", "ready", "body",
		"answer", "sent", "closed", "failed" };
	static const char *const verdicts[] = { "accepted", "later", "never" };

	if (ev == LMTP_ANSWER)
		buf_printf(&run->log, "answer %zu %s\n", info->recipient,
		    verdicts[info->verdict]);
	else if (ev == LMTP_FAILED)
		buf_printf(&run->log, "failed %s\n",
		    err_kind_name(lmtp_error(run->m)->kind));
	else
		buf_printf(&run->log, "%s\n", names[ev]);
}

static void *
open_run(const void *arg)
{
	struct run *run = mem_new(sizeof(*run));
	struct lmtp_params p = { .helo = "me" };

	run->plan = arg;
	p.smtp = run->plan->smtp;
	p.tls = run->plan->tls;
	run->m = lmtp_new(&p);
	buf_init(&run->log, LOG_MAX);
	return run;
}

static void
act(struct run *run, enum lmtp_event ev)
{
	if (ev == LMTP_BODY) {
		assert_true(lmtp_in_body(run->m));
		send_body(run);
		assert_false(lmtp_in_body(run->m));
	}
	if (ev == LMTP_READY || ev == LMTP_SENT) {
		if (run->next < run->plan->n)
			send_mail(run);
		else
			lmtp_quit(run->m);
	}
	send_all(run);
}

static void
feed(void *arg, struct span piece)
{
	struct run *run = arg;
	struct lmtp_info info;
	enum lmtp_event ev;

	while ((ev = lmtp_step(run->m, &piece, &info)) != LMTP_MORE) {
		if (run->over)
			return;
		send_all(run); /* was said before */
		log_event(run, ev, &info);
		run->over = ev == LMTP_CLOSED || ev == LMTP_FAILED;
		act(run, ev);
		if (run->over || (ev == LMTP_UPGRADE && piece.n == 0))
			return;
	}
	assert_int_equal(piece.n, 0);
	assert_false(lmtp_has_news(run->m));
	send_all(run);
}

/* Begins a turn in TLS. */
static void
feed_upgraded(void *arg, struct span piece)
{
	struct run *run = arg;

	if (strcmp(lmtp_state_name(run->m), "tls") == 0 && piece.p[0] != '!') {
		lmtp_upgraded(run->m);
		send_all(run);
	}
	feed(arg, piece);
}

static char *
close_run(void *arg)
{
	struct run *run = arg;
	char *log = mem_spandup(buf_span(&run->log));

	lmtp_free(&run->m);
	lmtp_free(&run->m);
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

/* The same, whatever the pieces of the body are. */
static void
check_message(bool smtp, const struct message *message, struct span server,
    const char *want)
{
	struct plan plan = { smtp, LMTP_TLS_DONE, message, 1, 0 };

	for (; plan.piece < 8; plan.piece++)
		check(&plan, server, want);
}

#define PLAIN "220 hi\r\n250 you\r\n"
#define PIPE "220 hi\r\n250-you\r\n250 PIPELINING\r\n"
#define CHUNK "220 hi\r\n250-you\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
#define FULL                                                                   \
	"220 hi\r\n250-you\r\n250-PIPELINING\r\n250-CHUNKING\r\n"              \
	"250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 100\r\n"                     \
	"250 ENHANCEDSTATUSCODES\r\n"
#define GREETED "> LHLO meR\nready\n"
#define BYE "221 bye\r\n"
#define GONE "sent\n> QUITR\nclosed\n"

static const struct message to_one = { "al@x", "bob@y", "hi\r\n.\r\n", false,
	false };
static const struct message to_three = { "al@x", "a@y b@y c@y", "hi\r\n", false,
	false };

/* ---- good days ---- */

static void
delivers_one_command_at_a_time(void **state)
{
	(void)state;
	check_message(false, &to_one,
	    SPAN(PLAIN "250 ok\r\n250 ok\r\n354 go\r\n250 saved\r\n" BYE),
	    GREETED "> MAIL FROM:<al@x>R\n> RCPT TO:<bob@y>R\n> DATAR\nbody\n"
		    "> hiR\n> ..R\n> .R\nanswer 0 accepted\n" GONE);
}

static void
sends_the_envelope_in_one_flight(void **state)
{
	static const struct plan plan = { false, LMTP_TLS_DONE, &to_three, 1,
		0 };
	struct run *run = open_run(&plan);

	(void)state;
	feed(run, SPAN(PIPE));
	assert_true(span_eq(buf_span(&run->log),
	    SPAN("> LHLO meR\nready\n> MAIL FROM:<al@x>R\n> RCPT TO:<a@y>R\n"
		 "> RCPT TO:<b@y>R\n> RCPT TO:<c@y>R\n> DATAR\n")));
	free(close_run(run));
	run = open_run(&plan);
	feed(run, SPAN(CHUNK));
	assert_true(span_eq(buf_span(&run->log),
	    SPAN("> LHLO meR\nready\n> MAIL FROM:<al@x>R\n> RCPT TO:<a@y>R\n"
		 "> RCPT TO:<b@y>R\n> RCPT TO:<c@y>R\n")));
	free(close_run(run));
	run = open_run(&plan);
	feed(run, SPAN(PLAIN));
	assert_true(span_eq(buf_span(&run->log),
	    SPAN("> LHLO meR\nready\n> MAIL FROM:<al@x>R\n")));
	free(close_run(run));
}

static void
takes_one_answer_for_each_recipient(void **state)
{
	(void)state;
	check_message(false, &to_three,
	    SPAN(PIPE "250 ok\r\n250 ok\r\n550 5.1.1 who?\r\n250 ok\r\n"
		      "354 go\r\n250 2.0.0 saved\r\n452 4.2.2 full\r\n" BYE),
	    GREETED "> MAIL FROM:<al@x>R\n> RCPT TO:<a@y>R\n"
		    "> RCPT TO:<b@y>R\n> RCPT TO:<c@y>R\n> DATAR\n"
		    "answer 1 never\nbody\n> hiR\n> .R\n"
		    "answer 0 accepted\nanswer 2 later\n" GONE);
}

static void
takes_one_answer_for_all_in_smtp(void **state)
{
	static const char greeted[] = "> EHLO meR\nready\n> MAIL FROM:<al@x>R\n"
				      "> RCPT TO:<a@y>R\n> RCPT TO:<b@y>R\n"
				      "> RCPT TO:<c@y>R\n> DATAR\n"
				      "answer 1 later\nbody\n> hiR\n> .R\n";
	char want[512];

	(void)state;
	snprintf(want, sizeof(want), "%s%s%s", greeted,
	    "answer 0 accepted\nanswer 2 accepted\n", GONE);
	check_message(true, &to_three,
	    SPAN(PIPE "250 ok\r\n251 ok\r\n450 4.1.1 hm\r\n250 ok\r\n"
		      "354 go\r\n250 queued\r\n" BYE),
	    want);
	snprintf(want, sizeof(want), "%s%s%s", greeted,
	    "answer 0 never\nanswer 2 never\n", GONE);
	check_message(true, &to_three,
	    SPAN(PIPE "250 ok\r\n250 ok\r\n450 4.1.1 hm\r\n250 ok\r\n"
		      "354 go\r\n554 spam\r\n" BYE),
	    want);
}

static void
sends_octets_as_they_are_in_a_chunk(void **state)
{
	static const struct message m = { "", "bob@y", ".\r\n\xe9.\r\n", true,
		false };

	(void)state;
	check_message(false, &m,
	    SPAN(FULL "250 ok\r\n250 ok\r\n250 saved\r\n" BYE),
	    GREETED "> MAIL FROM:<> SIZE=7 BODY=8BITMIMER\n"
		    "> RCPT TO:<bob@y>R\n> BDAT 7 LASTR\nbody\n> .R\n"
		    "> \xe9.R\nanswer 0 accepted\n" GONE);
}

static void
sends_many_messages_over_one_connection(void **state)
{
	static const struct message two[] = { { "al@x", "a@y", "1\r\n", false,
						  false },
		{ "", "b@y", "2\r\n", false, false } };
	static const struct plan plan = { false, LMTP_TLS_NONE, two, 2, 0 };

	(void)state;
	check(&plan,
	    SPAN(CHUNK "250 ok\r\n250 ok\r\n250 saved\r\n"
		       "250 ok\r\n250 ok\r\n450 not now\r\n" BYE),
	    GREETED "> MAIL FROM:<al@x>R\n> RCPT TO:<a@y>R\n"
		    "> BDAT 3 LASTR\nbody\n> 1R\nanswer 0 accepted\nsent\n"
		    "> MAIL FROM:<>R\n> RCPT TO:<b@y>R\n"
		    "> BDAT 3 LASTR\nbody\n> 2R\nanswer 0 later\n" GONE);
}

/* ---- refusals ---- */

#define FLIGHT                                                                 \
	GREETED "> MAIL FROM:<al@x>R\n> RCPT TO:<a@y>R\n> RCPT TO:<b@y>R\n"    \
		"> RCPT TO:<c@y>R\n> DATAR\n"
#define ALL_LATER "answer 0 later\nanswer 1 later\nanswer 2 later\n"
#define ALL_NEVER "answer 0 never\nanswer 1 never\nanswer 2 never\n"

static void
gives_all_the_verdict_on_the_sender(void **state)
{
	(void)state;
	check_message(false, &to_three,
	    SPAN(PIPE "451 4.3.0 busy\r\n503 no\r\n503 no\r\n503 no\r\n"
		      "503 no\r\n" BYE),
	    FLIGHT ALL_LATER GONE);
	check_message(false, &to_three, SPAN(PLAIN "550 no\r\n" BYE),
	    GREETED "> MAIL FROM:<al@x>R\n" ALL_NEVER GONE);
}

static void
ends_a_body_for_nobody_with_a_dot(void **state)
{
	(void)state;
	check_message(false, &to_three,
	    SPAN(PIPE "250 ok\r\n550 no\r\n550 no\r\n550 no\r\n354 go\r\n"
		      "554 nobody\r\n250 reset\r\n" BYE),
	    FLIGHT ALL_NEVER "> .R\n> RSETR\n" GONE);
	check_message(false, &to_three,
	    SPAN(PIPE "550 no\r\n503 no\r\n503 no\r\n503 no\r\n354 go\r\n"
		      "250 ok\r\n" BYE),
	    FLIGHT ALL_NEVER "> .R\n" GONE);
}

static void
resets_what_may_be_half_open(void **state)
{
	(void)state;
	check_message(false, &to_three,
	    SPAN(PIPE "250 ok\r\n550 no\r\n550 no\r\n550 no\r\n503 no\r\n"
		      "250 reset\r\n" BYE),
	    FLIGHT ALL_NEVER "> RSETR\n" GONE);
	check_message(false, &to_one,
	    SPAN(PLAIN "250 ok\r\n450 no\r\n250 reset\r\n" BYE),
	    GREETED "> MAIL FROM:<al@x>R\n> RCPT TO:<bob@y>R\n> RSETR\n"
		    "answer 0 later\n" GONE);
	check_message(false, &to_one,
	    SPAN(CHUNK "250 ok\r\n450 no\r\n500 what?\r\n"),
	    GREETED "> MAIL FROM:<al@x>R\n> RCPT TO:<bob@y>R\n> RSETR\n"
		    "answer 0 later\nfailed proto\n");
}

static void
gives_all_that_are_left_the_verdict_on_data(void **state)
{
	(void)state;
	check_message(false, &to_three,
	    SPAN(PIPE "250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n451 no\r\n"
		      "250 reset\r\n" BYE),
	    FLIGHT "answer 1 never\n> RSETR\nanswer 0 later\n"
		   "answer 2 later\n" GONE);
}

static void
answers_at_once_what_cannot_be_asked(void **state)
{
	static const struct message large = { "al@x", "a@y b@y c@y",
		"0123456789012345678901234567890123456789012345678"
		"0123456789012345678901234567890123456789012345678901",
		false, true };
	static const struct message foreign = { "\xc3\xa4l@x",
		"b\xc3\xb6@y bob@y", "hi\r\n", false, false };

	(void)state;
	check_message(false, &large, SPAN(FULL BYE), GREETED ALL_NEVER GONE);
	check_message(false, &foreign,
	    SPAN(PLAIN "250 ok\r\n250 ok\r\n354 go\r\n250 saved\r\n" BYE),
	    GREETED "> MAIL FROM:<>R\nanswer 0 never\n> RCPT TO:<bob@y>R\n"
		    "> DATAR\nbody\n> hiR\n> .R\nanswer 1 accepted\n" GONE);
	check_message(false, &foreign,
	    SPAN(FULL "250 ok\r\n250 ok\r\n250 ok\r\n250 1\r\n250 2\r\n" BYE),
	    GREETED "> MAIL FROM:<\xc3\xa4l@x> SIZE=4 SMTPUTF8R\n"
		    "> RCPT TO:<b\xc3\xb6@y>R\n> RCPT TO:<bob@y>R\n"
		    "> BDAT 4 LASTR\nbody\n> hiR\nanswer 0 accepted\n"
		    "answer 1 accepted\n" GONE);
}

/* The body is held open here, and the server speaks. */
static void
hears_in_the_body(const char *words, const char *want)
{
	static const struct plan lmtp = { false, LMTP_TLS_DONE, &to_three, 1,
		0 };
	struct run *run = open_run(&lmtp);
	struct span in =
	    SPAN("250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n");
	struct lmtp_info info;
	enum lmtp_event ev;

	feed(run, SPAN(PIPE));
	assert_int_equal(lmtp_step(run->m, &in, &info), LMTP_ANSWER);
	assert_int_equal(lmtp_step(run->m, &in, &info), LMTP_BODY);
	lmtp_body(run->m, SPAN("hi"));
	assert_true(lmtp_output_is_body(run->m));
	buf_clear(&run->log);
	in = span_of(words);
	do {
		ev = lmtp_step(run->m, &in, &info);
		log_event(run, ev, &info);
	} while (ev != LMTP_FAILED);
	lmtp_body(run->m, SPAN("nobody hears it"));
	lmtp_end(run->m);
	buf_addc(&run->log, '\0');
	assert_string_equal(buf_span(&run->log).p, want);
	free(close_run(run));
}

static void
takes_a_refusal_in_the_body_for_one_and_ends(void **state)
{
	(void)state;
	hears_in_the_body(
	    "552 too big\r\n552 x\r\n", "answer 0 never\nfailed proto\n");
	hears_in_the_body("452 full\r\n", "answer 0 later\nfailed temp\n");
	hears_in_the_body("250 saved\r\n", "failed proto\n");
	hears_in_the_body("354 more\r\n", "failed proto\n");
	hears_in_the_body("421 bye\r\n", "failed temp\n");
}

/* What the server said of the only recipient. */
static void
says_of_bob(const char *answer, const char *want)
{
	static const struct plan plan = { false, LMTP_TLS_DONE, &to_one, 1, 0 };
	struct run *run = open_run(&plan);
	struct span in = span_of(answer);
	struct lmtp_info info;

	feed(run, SPAN(PLAIN "250 ok\r\n"));
	assert_int_equal(lmtp_step(run->m, &in, &info), LMTP_ANSWER);
	assert_string_equal(info.err.text, want);
	assert_int_equal(info.err.kind, ERR_MESSAGE);
	free(close_run(run));
}

static void
quotes_the_server(void **state)
{
	(void)state;
	says_of_bob("550 5.1.1 <bob@y> User doesn't exist\r\n",
	    "bob@y: \"550 5.1.1 <bob@y> User doesn't exist\"");
	says_of_bob("450-4.2.0 come\r\n450 4.2.0 later\033[0m\r\n",
	    "bob@y: \"450 4.2.0 come later\\x1B[0m\"");
	says_of_bob("550\r\n", "bob@y: \"550\"");
}

/* ---- what is wrong with servers ---- */

static void
fails_when_the_server_breaks_the_protocol(void **state)
{
	static const struct {
		const char *server, *end;
	} cases[] = {
		{ "+OK POP3\r\n", "failed proto\n" },
		{ "220 hi\r\n250-x\r\n251 y\r\n", "failed proto\n" },
		{ PLAIN "354 go\r\n", "failed proto\n" },
		{ PLAIN "250 ok\r\n354 go\r\n", "failed proto\n" },
		{ PLAIN "250 ok\r\n250 ok\r\n250 ok\r\n", "failed proto\n" },
		{ PIPE "550 no\r\n250 ok\r\n", "failed proto\n" },
		{ PLAIN "250 ok\r\n250 ok\r\n354 go\r\n354 go\r\n",
		    "failed proto\n" },
		{ PLAIN "421 bye\r\n", "failed temp\n" },
		{ PLAIN "250 ok\r\n250 ok\r\n354 go\r\n421 bye\r\n",
		    "failed temp\n" },
		{ "421 bye\r\n", "failed temp\n" },
		{ "554 no\r\n", "failed deliver\n" },
	};
	static const struct plan plan = { false, LMTP_TLS_DONE, &to_one, 1, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *log =
		    split_every_one(&ops, &plan, span_of(cases[i].server));

		assert_true(strlen(log) >= strlen(cases[i].end));
		assert_string_equal(
		    log + strlen(log) - strlen(cases[i].end), cases[i].end);
		assert_null(strstr(log, "accepted"));
		free(log);
	}
}

static void
fails_when_the_server_speaks_unasked(void **state)
{
	struct lmtp_params p = { .helo = "me" };
	struct lmtp *m = lmtp_new(&p);
	struct span in = SPAN(PLAIN);
	struct lmtp_info info;

	(void)state;
	assert_int_equal(lmtp_step(m, &in, &info), LMTP_READY);
	assert_int_equal(lmtp_timeout(m), 0);
	in = SPAN("250 I say\r\n");
	assert_int_equal(lmtp_step(m, &in, &info), LMTP_FAILED);
	assert_int_equal(lmtp_error(m)->kind, ERR_PROTO);
	assert_string_equal(
	    lmtp_error(m)->text, "the server speaks unasked: 250 I say");
	lmtp_free(&m);
}

static void
wonders_what_a_strange_greeting_is(void **state)
{
	struct lmtp_params p = { .helo = "me", .smtp = true };
	struct lmtp *m = lmtp_new(&p);
	struct span in = SPAN("* OK IMAP4rev1\r\n");
	struct lmtp_info info;

	(void)state;
	assert_int_equal(lmtp_step(m, &in, &info), LMTP_FAILED);
	assert_string_equal(lmtp_error(m)->text,
	    "this is no reply: * OK IMAP4rev1 (is it an SMTP server?)");
	lmtp_free(&m);
}

/* ---- STARTTLS ---- */

static void
check_tls(const struct span *turns, size_t n, const char *want)
{
	static const struct plan plan = { true, LMTP_TLS_UPGRADE, &to_one, 1,
		0 };
	char *log = split_every(&upgrade_ops, &plan, turns, n);

	assert_string_equal(log, want);
	free(log);
}

#define ASKED "> EHLO meR\n> STARTTLSR\n"

static void
says_all_again_in_tls(void **state)
{
	const struct span turns[] = { SPAN("220 hi\r\n250-x\r\n250 CHUNKING\r\n"
					   "220 go\r\n"),
		SPAN("250-x\r\n250 SIZE\r\n250 ok\r\n250 ok\r\n354 go\r\n"
		     "250 ok\r\n" BYE) };

	(void)state;
	check_tls(turns, 2,
	    ASKED "upgrade\n> EHLO meR\nready\n> MAIL FROM:<al@x> SIZE=7R\n"
		  "> RCPT TO:<bob@y>R\n> DATAR\nbody\n> hiR\n> ..R\n> .R\n"
		  "answer 0 accepted\n" GONE);
}

static void
says_no_mail_when_tls_is_refused(void **state)
{
	const struct span turn = SPAN(PIPE "502 no\r\n250 x\r\n");

	(void)state;
	check_tls(&turn, 1, ASKED "failed tls\n");
}

/* Whole, the octets stand behind the answer; later, before TLS has begun. */
static void
refuses_bytes_behind_starttls(void **state)
{
	static const struct plan plan = { true, LMTP_TLS_UPGRADE, &to_one, 1,
		0 };
	const struct span turns[] = { SPAN(PIPE "220 go\r\n250 evil\r\n"),
		SPAN(PIPE "220 go\r\n"), SPAN("!250 evil\r\n") };
	char *log = split_run(&upgrade_ops, &plan, turns, 1, 1, 0, SIZE_MAX);

	(void)state;
	assert_string_equal(log, ASKED "failed tls\n");
	free(log);
	check_tls(turns + 1, 2, ASKED "upgrade\nfailed tls\n");
}

/* ---- ends ---- */

static void
ends_in_words_wherever_it_is(void **state)
{
	static const struct {
		const char *server, *state;
		unsigned int timeout;
	} cases[] = {
		{ "", "greeting", 300 },
		{ "220 hi\r\n", "hello", 300 },
		{ PLAIN, "envelope", 300 },
		{ PLAIN "250 ok\r\n250 ok\r\n354 go\r\n", "end", 600 },
		{ PLAIN "250 ok\r\n550 no\r\n", "rset", 300 },
	};
	static const struct plan plan = { false, LMTP_TLS_DONE, &to_one, 1, 0 };
	struct lmtp_info info;

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		struct run *run = open_run(&plan);
		struct span none = SPAN("");

		feed(run, span_of(cases[i / 2].server));
		assert_string_equal(
		    lmtp_state_name(run->m), cases[i / 2].state);
		assert_int_equal(lmtp_timeout(run->m), cases[i / 2].timeout);
		if (i % 2 == 0)
			assert_int_equal(lmtp_eof(run->m), LMTP_FAILED);
		else
			lmtp_expire(run->m);
		assert_int_equal(lmtp_step(run->m, &none, &info), LMTP_FAILED);
		assert_int_equal(lmtp_error(run->m)->kind, ERR_NET);
		assert_non_null(
		    strstr(lmtp_error(run->m)->text, cases[i / 2].state));
		assert_int_equal(lmtp_timeout(run->m), 0);
		free(close_run(run));
	}
}

static void
takes_the_end_after_quit_for_an_answer(void **state)
{
	static const struct plan plan = { false, LMTP_TLS_DONE, &to_one, 0, 0 };
	struct run *run = open_run(&plan);

	(void)state;
	feed(run, SPAN(PLAIN));
	assert_string_equal(lmtp_state_name(run->m), "quit");
	assert_int_equal(lmtp_timeout(run->m), 30);
	assert_int_equal(lmtp_eof(run->m), LMTP_CLOSED);
	assert_string_equal(lmtp_state_name(run->m), "closed");
	free(close_run(run));
}

static void
tells_what_it_knows_before_the_end(void **state)
{
	static const struct message foreign = { "", "b\xc3\xb6@y bob@y", "x",
		false, true };
	static const struct plan plan = { false, LMTP_TLS_DONE, &foreign, 1,
		0 };
	struct run *run = open_run(&plan);
	struct span in = SPAN(PLAIN);
	struct lmtp_info info;

	(void)state;
	assert_int_equal(lmtp_step(run->m, &in, &info), LMTP_READY);
	send_mail(run);
	assert_true(lmtp_has_news(run->m));
	lmtp_eof(run->m);
	assert_int_equal(lmtp_step(run->m, &in, &info), LMTP_ANSWER);
	assert_int_equal(info.verdict, LMTP_NEVER);
	assert_int_equal(lmtp_step(run->m, &in, &info), LMTP_FAILED);
	assert_int_equal(lmtp_step(run->m, &in, &info), LMTP_FAILED);
	free(close_run(run));
}

static void
waits_as_long_as_it_is_told(void **state)
{
	struct lmtp_params p = { .helo = "me", .timeout_s = 1000 };
	struct lmtp *m = lmtp_new(&p);
	struct span to = SPAN("bob@y");
	struct lmtp_mail mail = { .recipients = &to, .n = 1 };
	struct span in = SPAN(PLAIN);
	struct lmtp_info info;

	(void)state;
	assert_int_equal(lmtp_timeout(m), 300); /* not longer */
	assert_int_equal(lmtp_step(m, &in, &info), LMTP_READY);
	assert_int_equal(lmtp_timeout(m), 0);
	lmtp_mail(m, &mail);
	assert_int_equal(lmtp_timeout(m), 1000);
	in = SPAN("250 ok\r\n250 ok\r\n354 go\r\n");
	lmtp_sent(m, lmtp_output(m).n);
	assert_int_equal(lmtp_replies(m), 2);
	assert_int_equal(lmtp_step(m, &in, &info), LMTP_BODY);
	assert_int_equal(lmtp_replies(m), 5);
	lmtp_free(&m);
}

static void
takes_pieces_as_large_as_it_says(void **state)
{
	char *piece = mem_new(LMTP_PIECE_MAX);
	struct lmtp_params p = { .helo = "me" };
	struct lmtp *m = lmtp_new(&p);
	struct span to = SPAN("bob@y");
	struct lmtp_mail mail = { .recipients = &to, .n = 1 };
	struct span in = SPAN(PIPE);
	struct lmtp_info info;

	(void)state;
	mail.size = LMTP_PIECE_MAX + LMTP_PIECE_MAX / 2 - 1;
	assert_int_equal(lmtp_step(m, &in, &info), LMTP_READY);
	lmtp_mail(m, &mail);
	lmtp_sent(m, lmtp_output(m).n);
	in = SPAN("250 ok\r\n250 ok\r\n354 go\r\n");
	assert_int_equal(lmtp_step(m, &in, &info), LMTP_BODY);
	memset(piece, 'x', LMTP_PIECE_MAX);
	lmtp_body(m, span_make(piece, LMTP_PIECE_MAX / 2));
	lmtp_body(m, span_make(piece, LMTP_PIECE_MAX / 2 - 1));
	memset(piece, '\n', LMTP_PIECE_MAX);
	lmtp_body(m, span_make(piece, LMTP_PIECE_MAX / 2));
	lmtp_end(m);
	assert_int_equal(lmtp_output(m).n, LMTP_PIECE_MAX * 2 - 1 + 3);
	lmtp_free(&m);
	free(piece);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivers_one_command_at_a_time),
		cmocka_unit_test(sends_the_envelope_in_one_flight),
		cmocka_unit_test(takes_one_answer_for_each_recipient),
		cmocka_unit_test(takes_one_answer_for_all_in_smtp),
		cmocka_unit_test(sends_octets_as_they_are_in_a_chunk),
		cmocka_unit_test(sends_many_messages_over_one_connection),
		cmocka_unit_test(gives_all_the_verdict_on_the_sender),
		cmocka_unit_test(ends_a_body_for_nobody_with_a_dot),
		cmocka_unit_test(resets_what_may_be_half_open),
		cmocka_unit_test(gives_all_that_are_left_the_verdict_on_data),
		cmocka_unit_test(answers_at_once_what_cannot_be_asked),
		cmocka_unit_test(takes_a_refusal_in_the_body_for_one_and_ends),
		cmocka_unit_test(quotes_the_server),
		cmocka_unit_test(fails_when_the_server_breaks_the_protocol),
		cmocka_unit_test(fails_when_the_server_speaks_unasked),
		cmocka_unit_test(wonders_what_a_strange_greeting_is),
		cmocka_unit_test(says_all_again_in_tls),
		cmocka_unit_test(says_no_mail_when_tls_is_refused),
		cmocka_unit_test(refuses_bytes_behind_starttls),
		cmocka_unit_test(ends_in_words_wherever_it_is),
		cmocka_unit_test(takes_the_end_after_quit_for_an_answer),
		cmocka_unit_test(tells_what_it_knows_before_the_end),
		cmocka_unit_test(waits_as_long_as_it_is_told),
		cmocka_unit_test(takes_pieces_as_large_as_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
