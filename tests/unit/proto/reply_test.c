/* SPDX-License-Identifier: ISC */
#include "proto/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum err_kind
kind_of(const char *line, enum err_kind otherwise)
{
	struct span code;
	struct span args;
	struct span text;

	reply_split(span_of(line), &code, &args, &text);
	return reply_kind(code, text, otherwise);
}

static void
knows_what_real_servers_say(void **state)
{
	static const struct {
		const char *line;
		enum err_kind kind;
	} t[] = {
		/* clang-format off */
		{ "[AUTHENTICATIONFAILED] Authentication failed.", ERR_AUTH },
		{ "[authenticationfailed]", ERR_AUTH },
		{ "[AUTHORIZATIONFAILED] no", ERR_AUTH },
		{ "[EXPIRED] That password isn't valid any more", ERR_AUTH },
		{ "[PRIVACYREQUIRED] use TLS", ERR_AUTH },
		{ "[AUTH] Web login required", ERR_AUTH },
		{ "[AUTH/EXPIRED] so RFC 2449 8 wants it", ERR_AUTH },
		{ "[WEBALERT https://accounts.example/x] Web login required.",
		    ERR_AUTH },
		{ "[ALERT] Please log in via your web browser: "
		  "https://support.google.com/mail/accounts/answer/78754 "
		  "(Failure)", ERR_AUTH },
		{ "SELECT Unsafe Login. Please contact kefu@188.com for help",
		    ERR_AUTH },
		{ "[OVERQUOTA] Account exceeded command or bandwidth limits.",
		    ERR_THROTTLE },
		{ "[ALERT] Account exceeded bandwidth limits.", ERR_THROTTLE },
		{ "[ALERT] Too many simultaneous connections. (Failure)",
		    ERR_THROTTLE },
		{ "Success [THROTTLED]", ERR_THROTTLE },
		{ "Request is throttled. Suggested Backoff Time: 299961 "
		  "milliseconds", ERR_THROTTLE },
		{ "[LIMIT] UID FETCH Rate limit hit.", ERR_THROTTLE },
		{ "[UNAVAILABLE] Maximum number of connections from user+IP "
		  "exceeded (mail_max_userip_connections=10)", ERR_THROTTLE },
		{ "[LOGIN-DELAY] Logins must be at least 5 minutes apart",
		    ERR_THROTTLE },
		{ "login too often", ERR_THROTTLE },
		{ "Session invalidated - AccessTokenExpired", ERR_NET },
		{ "[INUSE] Mailbox in use", ERR_LOCKED },
		{ "[LOCKED] x", ERR_LOCKED },
		{ "[IN-USE] Unable to lock maildrop", ERR_LOCKED },
		{ "[in-use] Do you have another POP session running?",
		    ERR_LOCKED },
		{ "Unable to lock maildrop: Mailbox is locked by POP server",
		    ERR_LOCKED },
		{ "bob lock busy!  Is another session active? (11)",
		    ERR_LOCKED },
		{ "maildrop already locked", ERR_LOCKED },
		{ "Mailbox is locked by another POP3 session.", ERR_LOCKED },
		{ "mail storage services unavailable, wait a few minutes and "
		  "try again", ERR_TEMP },
		{ "User is authenticated but not connected.", ERR_TEMP },
		{ "Server Unavailable. 15", ERR_TEMP },
		{ "[UNAVAILABLE] Temporary authentication failure.", ERR_TEMP },
		{ "[UNAVAILABLE] UID SEARCH Backend error. sc=x", ERR_TEMP },
		{ "UID FETCH Service is temporarily not available", ERR_TEMP },
		{ "[SERVERBUG] Internal error occurred.", ERR_TEMP },
		{ "[CONTACTADMIN] x", ERR_TEMP },
		{ "[SYS/TEMP] x", ERR_TEMP },
		{ "[SYS/NEW] x", ERR_TEMP },
		{ "[IN-USE] Mailbox is locked by another POP3 session.",
		    ERR_LOCKED },
		{ "[SYS/TEMP] Temporary system problem. Please try again later.",
		    ERR_TEMP },
		{ "Connection closed. 14", ERR_TEMP },
		{ "IMAP server shutting down", ERR_TEMP },
		{ "LOGIN Login error or password error", ERR_AUTH },
		{ "login allowed only every 15 minutes", ERR_THROTTLE },
		{ "Exceeded the login limit for a 15 minute period. Reduce the "
		  "frequency of requests to the POP3 server.", ERR_THROTTLE },
		{ "Too many login attempts, please try again later",
		    ERR_THROTTLE },
		{ "Session expired, please login again.", ERR_NET },
		{ "Disconnected for inactivity.", ERR_NET },
		{ "Disconnected due to inactivity", ERR_NET },
		{ "idle for too long", ERR_NET },
		{ "Autologout; idle for too long", ERR_NET },
		{ "Autologout", ERR_NET },
		{ "Too many invalid IMAP commands.", ERR_PROTO },
		{ "[NONEXISTENT] Unknown Mailbox: x (Failure)", ERR_MAILBOX },
		{ "[NOPERM] Permission denied", ERR_MAILBOX },
		/* clang-format on */
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (kind_of(t[i].line, ERR_NONE) != t[i].kind)
			fail_msg("%s: %s", t[i].line,
			    err_kind_name(kind_of(t[i].line, ERR_NONE)));
	}
}

static void
leaves_the_rest_to_the_caller(void **state)
{
	static const char *const t[] = { "", "no", "[ALERT] hello",
		"[AUTHENTICATION] no such code", "[LIMITED] no such code",
		"account is locked", "invalid password, please try again",
		"[] x", "[", "]", "[AUTH", "Message 5 is unavailable",
		"Login fail. Account is abnormal, service is not open, "
		"password is incorrect, login frequency limited, or system is "
		"busy." };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(kind_of(t[i], ERR_AUTH), ERR_AUTH);
		assert_int_equal(kind_of(t[i], ERR_MESSAGE), ERR_MESSAGE);
	}
}

static void
does_not_blame_the_password_for_a_permanent_fault(void **state)
{
	(void)state;
	assert_int_equal(kind_of("[SYS/PERM] x", ERR_AUTH), ERR_TEMP);
	assert_int_equal(kind_of("[SYS/PERM] x", ERR_MESSAGE), ERR_MESSAGE);
}

static void
knows_how_long_it_is_asked_to_wait(void **state)
{
	static const struct {
		const char *text;
		unsigned int s;
	} t[] = {
		/* clang-format off */
		{ "Request is throttled. Suggested Backoff Time: 299961 "
		  "milliseconds", 300 },
		{ "Suggested Backoff Time: 50 milliseconds", 1 },
		{ "suggested backoff time: 1000 ms", 1 },
		{ "Suggested Backoff Time: 0 milliseconds", 0 },
		{ "Suggested Backoff Time: 89117", 0 },
		{ "Suggested Backoff Time: 86400001 milliseconds", 86400 },
		{ "Suggested Backoff Time: 18446744073709551615 milliseconds",
		    86400 },
		{ "Suggested Backoff Time: 18446744073709551616 milliseconds",
		    0 },
		{ "Suggested Backoff Time: ", 0 },
		{ "Suggested Backoff Time", 0 },
		{ "Logins must be at least 5 minutes apart", 300 },
		{ "Logins must be at least 1 minute apart", 60 },
		{ "login allowed only every 15 minutes", 900 },
		{ "Exceeded the login limit for a 15 minute period. Reduce the "
		  "frequency of requests to the POP3 server.", 900 },
		{ "Exceeded the login limit for a 15-minute period", 900 },
		{ "login too often; wait 30 seconds", 30 },
		{ "Please wait for at least 10s.", 10 },
		{ "wait, or leave it; try again in 2 hours", 7200 },
		{ "try again in 1 min, retry after 3 min", 60 },
		{ "Retry after 25 hours", 86400 },
		{ "retry in 307445734561825861 minutes", 86400 },
		{ "retry in 3 hrs", 0 },
		{ "wait 5 monkeys", 0 },
		{ "wait 5 minutesome", 0 },
		{ "wait a few minutes and try again", 0 },
		{ "wait until all of the 5 minutes are over", 0 },
		{ "Server Unavailable. 15", 0 },
		{ "Too many connections from 10 seconds ago", 0 },
		{ "wait 5", 0 },
		{ "wait 5 ", 0 },
		{ "wait", 0 },
		{ "", 0 },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (reply_after_s(span_of(t[i].text)) != t[i].s)
			fail_msg("%s: %u", t[i].text,
			    reply_after_s(span_of(t[i].text)));
}

static void
splits_code_arguments_and_text(void **state)
{
	static const struct {
		const char *line, *code, *args, *text;
	} t[] = {
		/* clang-format off */
		{ "", "", "", "" },
		{ "hello", "", "", "hello" },
		{ "  hello \r", "", "", "hello" },
		{ "[AUTH] no", "AUTH", "", "no" },
		{ " [AUTH]no", "AUTH", "", "no" },
		{ "[AUTH]", "AUTH", "", "" },
		{ "[UIDNEXT 5] ok", "UIDNEXT", "5", "ok" },
		{ "[COPYUID 701  ]", "COPYUID", "701", "" },
		{ "[ PERMANENTFLAGS (\\* \\Seen) ] x", "PERMANENTFLAGS",
		    "(\\* \\Seen)", "x" },
		{ "[HIGHESTMODSEQ 123]", "HIGHESTMODSEQ", "123", "" },
		{ "[] x", "", "", "x" },
		{ "[never closed", "", "", "[never closed" },
		{ "text [CODE] text", "", "", "text [CODE] text" },
		/* clang-format on */
	};
	struct span code;
	struct span args;
	struct span text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		reply_split(span_of(t[i].line), &code, &args, &text);
		assert_true(span_eq(code, span_of(t[i].code)));
		assert_true(span_eq(args, span_of(t[i].args)));
		assert_true(span_eq(text, span_of(t[i].text)));
	}
}

static void
survives_any_octet(void **state)
{
	char line[3];
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		struct span s = span_make(line, sizeof(line));
		struct span code;
		struct span args;
		struct span text;

		line[0] = '[';
		line[1] = (char)c;
		line[2] = ']';
		reply_split(s, &code, &args, &text);
		assert_true(code.n + args.n + text.n <= s.n);
		assert_int_equal(reply_kind(code, text, ERR_NET), ERR_NET);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_real_servers_say),
		cmocka_unit_test(leaves_the_rest_to_the_caller),
		cmocka_unit_test(
		    does_not_blame_the_password_for_a_permanent_fault),
		cmocka_unit_test(knows_how_long_it_is_asked_to_wait),
		cmocka_unit_test(splits_code_arguments_and_text),
		cmocka_unit_test(survives_any_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
