/* SPDX-License-Identifier: ISC */
/* By way of proto/imap.h, whose first half it is. */
#include "proto/imap_entry.h"

#include "unit/proto/fixed_nonce.h"
#include "unit/proto/imap_talk.h"

#ifndef MAILHAUL_VERSION
#define MAILHAUL_VERSION "1"
#endif

#define TURNS(...)                                                             \
	{                                                                      \
		__VA_ARGS__                                                    \
	}

static void
expect(struct talk talk, const char *want)
{
	talk_expect(&talk, want);
}

/* ---- the usual ways in ---- */

static void
logs_in_by_plain_with_an_initial_response(void **state)
{
	(void)state;
	expect(
	    (struct talk){
		.turns = TURNS(SPAN(
		    "* OK hi\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n"
		    "A1 OK\r\nA2 OK in\r\n* CAPABILITY X\r\nA3 OK\r\n")) },
	    "READY\n--\nA1 CAPABILITY\r\n"
	    "A2 AUTHENTICATE PLAIN AGJvYgBwYXNz\r\nA3 CAPABILITY\r\n");
}

static void
logs_in_by_plain_without_an_initial_response(void **state)
{
	static const char *const plus[] = { "+ \r\n", "+\r\n", "+ go ahead\n",
		"+x\r\n", "+ ====\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(plus) / sizeof(plus[0]); i++) {
		char *said =
		    mem_printf("* OK [CAPABILITY AUTH=PLAIN] hi\r\n%s"
			       "* CAPABILITY IMAP4rev1 ID\r\nA1 OK in\r\n",
			plus[i]);

		expect((struct talk){ .turns = TURNS(span_of(said)) },
		    "READY\n--\nA1 AUTHENTICATE PLAIN\r\nAGJvYgBwYXNz\r\n");
		free(said);
	}
}

static void
asks_again_for_capabilities_after_the_login(void **state)
{
	(void)state;
	/* what was told before the login does not count */
	expect((struct talk){ .turns = TURNS(SPAN(
				  "* OK [CAPABILITY AUTH=PLAIN SASL-IR] hi\r\n"
				  "A1 OK in\r\nA2 NO\r\n")) },
	    "READY\n--\nA1 AUTHENTICATE PLAIN AGJvYgBwYXNz\r\n"
	    "A2 CAPABILITY\r\n");
	/* unless it is volunteered */
	expect((struct talk){ .turns = TURNS(SPAN(
				  "* OK [CAPABILITY AUTH=PLAIN SASL-IR] hi\r\n"
				  "* OK [CAPABILITY X] x\r\nA1 OK in\r\n")) },
	    "READY\n--\nA1 AUTHENTICATE PLAIN AGJvYgBwYXNz\r\n");
}

static void
asks_again_for_what_the_proxy_of_icloud_changes(void **state)
{
	(void)state;
	expect((struct talk){ .turns = TURNS(SPAN(
				  "* OK [CAPABILITY AUTH=PLAIN SASL-IR] hi\r\n"
				  "A1 OK [CAPABILITY X xapplepushservice] x\r\n"
				  "* CAPABILITY X XAPPLEPUSHSERVICE\r\n"
				  "A2 OK\r\n")) },
	    "READY\n--\nA1 AUTHENTICATE PLAIN AGJvYgBwYXNz\r\n"
	    "A2 CAPABILITY\r\n");
}

static void
noop(struct imap *m)
{
	imap_noop(m);
}

static void
sends_id_in_front_of_requests_and_waits_for_no_answer(void **state)
{
	(void)state;
	expect((struct talk){ .id = true,
		   .ready = noop,
		   .turns = TURNS(SPAN("* OK [CAPABILITY AUTH=PLAIN SASL-IR] "
				       "hi\r\nA1 OK [CAPABILITY id] in\r\n"
				       "A3 OK\r\n* ID NIL\r\nA2 BAD\r\n")) },
	    "READY\nDONE 3 ok\n--\nA1 AUTHENTICATE PLAIN AGJvYgBwYXNz\r\n"
	    "A2 ID (\"name\" \"mailhaul\" \"version\" \"" MAILHAUL_VERSION
	    "\")\r\nA3 NOOP\r\n");
	expect((struct talk){ .id = false,
		   .turns = TURNS(SPAN("* OK [CAPABILITY AUTH=PLAIN SASL-IR] "
				       "hi\r\n"
				       "A1 OK [CAPABILITY ID] in\r\n")) },
	    "READY\n--\nA1 AUTHENTICATE PLAIN AGJvYgBwYXNz\r\n");
}

/* ---- LOGIN ---- */

#define SAYS_CAN(words) "* OK [CAPABILITY " words "] hi\r\n"
#define SAYS_IN "A1 OK [CAPABILITY X]\r\n"

static void
logs_in_by_login_when_plain_is_not_offered(void **state)
{
	(void)state;
	expect((struct talk){ .user = "b\"o\\b",
		   .secret = "p a{s}s%*",
		   .turns = TURNS(SPAN(SAYS_CAN("IMAP4rev1") SAYS_IN)) },
	    "READY\n--\nA1 LOGIN \"b\\\"o\\\\b\" \"p a{s}s%*\"\r\n");
	expect((struct talk){ .auth = SASL_LOGIN,
		   .secret = "",
		   .turns = TURNS(SPAN(SAYS_CAN("AUTH=PLAIN") SAYS_IN)) },
	    "READY\n--\nA1 LOGIN \"bob\" \"\"\r\n");
}

static void
sends_as_literals_what_cannot_be_quoted(void **state)
{
	(void)state;
	expect((struct talk){ .user = "b\xc3\xb6",
		   .secret = "\xff\r\n",
		   .turns = TURNS(SPAN(SAYS_CAN("X") "+ \r\n+\r\n"
						     "+ what?\r\n" SAYS_IN)) },
	    "READY\n--\n"
	    "A1 LOGIN {3}\r\nb\xc3\xb6 {3}\r\n\xff\r\n\r\n");
	expect((struct talk){ .user = "b\xc3\xb6",
		   .secret = "\xff",
		   .turns = TURNS(SPAN(SAYS_CAN("LITERAL+") SAYS_IN)) },
	    "READY\n--\nA1 LOGIN {3+}\r\nb\xc3\xb6 {1+}\r\n\xff\r\n");
	expect((struct talk){ .user = "bob",
		   .secret = "\xff",
		   .turns = TURNS(SPAN(SAYS_CAN("LITERAL-") SAYS_IN)) },
	    "READY\n--\nA1 LOGIN \"bob\" {1+}\r\n\xff\r\n");
}

static void
waits_for_large_literals_with_literal_minus(void **state)
{
	char secret[5001] = { 0 };
	char *want;

	(void)state;
	memset(secret, 'x', 5000);
	want =
	    mem_printf("READY\n--\nA1 LOGIN \"bob\" {5000}\r\n%s\r\n", secret);
	expect((struct talk){ .secret = secret,
		   .turns = TURNS(SPAN(SAYS_CAN("LITERAL-") "+\r\n" SAYS_IN)) },
	    want);
	free(want);
}

static void
honours_logindisabled(void **state)
{
	(void)state;
	expect((struct talk){ .turns = TURNS(SPAN(SAYS_CAN("LOGINDISABLED"))) },
	    "FAILED auth: the server does not allow LOGIN here\n--\n");
	expect((struct talk){ .auth = SASL_LOGIN,
		   .turns = TURNS(SPAN(SAYS_CAN("logindisabled AUTH=PLAIN"))) },
	    "FAILED auth: the server does not allow LOGIN here; it offers "
	    "PLAIN: set auth = auto\n--\n");
}

/* ---- refusals ---- */

/* What waits to be sent is dropped when a session fails: each answer comes in
 * a turn of its own here. */
#define CAN_PLAIN SPAN(SAYS_CAN("AUTH=PLAIN SASL-IR"))
#define SENT_PLAIN "A1 AUTHENTICATE PLAIN AGJvYgBwYXNz\r\n"
#define SENT_LOGIN "A1 LOGIN \"bob\" \"pass\"\r\n"

static void
says_that_a_login_was_refused(void **state)
{
	(void)state;
	expect((struct talk){ .turns = TURNS(
				  CAN_PLAIN, SPAN("A1 NO try another\r\n")) },
	    "FAILED auth: the server refuses the login: \"try another\"\n"
	    "--\n" SENT_PLAIN);
	expect((struct talk){ .turns = TURNS(SPAN(SAYS_CAN("X")),
				  SPAN("A1 NO [UNAVAILABLE] later\r\n")) },
	    "FAILED temp: the server refuses the login: "
	    "\"[UNAVAILABLE] later\"\n--\n" SENT_LOGIN);
	expect((struct talk){ .turns = TURNS(
				  SPAN(SAYS_CAN("X")), SPAN("A1 NO\r\n")) },
	    "FAILED auth: the server refuses the login\n--\n" SENT_LOGIN);
	expect((struct talk){ .turns = TURNS(SPAN(SAYS_CAN("X")),
				  SPAN("* BYE [ALERT] go away\r\nA1 NO\r\n")) },
	    "FAILED net: the server ends the session: \"[ALERT] go away\"\n"
	    "--\n" SENT_LOGIN);
}

static void
quotes_no_server_that_repeats_the_password(void **state)
{
	(void)state;
	expect(
	    (struct talk){
		.turns = TURNS(SPAN(SAYS_CAN("X")),
		    SPAN("A1 BAD what is LOGIN \"bob\" \"pass\"?\r\n")) },
	    "FAILED auth: the server refuses the login\n--\n" SENT_LOGIN);
	expect((struct talk){ .secret = "p\\\"w",
		   .turns = TURNS(SPAN(SAYS_CAN("X")),
		       SPAN("A1 BAD LOGIN \"bob\" \"p\\\\\\\"w\"?\r\n")) },
	    "FAILED auth: the server refuses the login\n--\n"
	    "A1 LOGIN \"bob\" \"p\\\\\\\"w\"\r\n");
	expect((struct talk){ .turns = TURNS(CAN_PLAIN,
				  SPAN("A1 NO AUTHENTICATE PLAIN AGJvYgBwYXNz "
				       "failed\r\n")) },
	    "FAILED auth: the server refuses the login\n--\n" SENT_PLAIN);
	expect((struct talk){ .turns = TURNS(SPAN(SAYS_CAN("X")),
				  SPAN("* BYE what is LOGIN \"bob\" "
				       "\"pass\"?\r\n")) },
	    "FAILED net: the server ends the session\n--\n" SENT_LOGIN);
	expect((struct talk){ .turns = TURNS(SPAN(SAYS_CAN("X")),
				  SPAN("A9 BAD LOGIN bob pass?\r\n")) },
	    "FAILED proto: an answer to a command that was not "
	    "sent\n--\n" SENT_LOGIN);
}

static void
tries_login_once_when_plain_is_broken(void **state)
{
	(void)state;
	expect(
	    (struct talk){ .turns = TURNS(CAN_PLAIN, SPAN("A1 BAD what?\r\n"),
			       SPAN("A2 BAD no\r\n")) },
	    "FAILED auth: the server refuses the login: \"no\"\n"
	    "--\n" SENT_PLAIN "A2 LOGIN \"bob\" \"pass\"\r\n");
	expect(
	    (struct talk){
		.turns =
		    TURNS(SPAN(SAYS_CAN("AUTH=PLAIN SASL-IR LOGINDISABLED")),
			SPAN("A1 BAD what?\r\n")) },
	    "FAILED auth: the server refuses the login: \"what?\"\n"
	    "--\n" SENT_PLAIN);
	expect((struct talk){ .auth = SASL_PLAIN,
		   .turns = TURNS(CAN_PLAIN, SPAN("A1 BAD what?\r\n")) },
	    "FAILED auth: the server refuses the login: \"what?\"\n"
	    "--\n" SENT_PLAIN);
}

static void
cancels_a_login_that_never_ends(void **state)
{
	(void)state;
	expect((struct talk){ .turns = TURNS(SPAN(SAYS_CAN("AUTH=PLAIN")),
				  SPAN("+ \r\n+ \r\n"), SPAN("A1 BAD\r\n")) },
	    "FAILED proto: the server asks for more than SASL PLAIN has\n"
	    "--\nA1 AUTHENTICATE PLAIN\r\nAGJvYgBwYXNz\r\n*\r\n");
	expect((struct talk){ .turns = TURNS(CAN_PLAIN, SPAN("+ \xff!\r\n"),
				  SPAN("A1 OK\r\n")) },
	    "FAILED proto: the server asks for more than SASL PLAIN has\n"
	    "--\n" SENT_PLAIN "*\r\n");
	expect((struct talk){ .turns = TURNS(CAN_PLAIN, SPAN("+ \r\n"),
				  SPAN("+ \r\n"), SPAN("+ \r\n")) },
	    "FAILED proto: the server goes on with a cancelled login\n"
	    "--\n" SENT_PLAIN "*\r\n");
}

/* ---- SASL by other mechanisms ---- */

#define USER .user = "user", .secret = "pencil"
#define CAN_SCRAM SAYS_CAN("AUTH=PLAIN AUTH=SCRAM-SHA-1 SASL-IR")
#define SENT_SCRAM "A1 AUTHENTICATE SCRAM-SHA-1 " SCRAM_OURS "\r\n"
#define SENT_PROOF SENT_SCRAM SCRAM_PROOF "\r\n"
#define SAYS_FIRST "+ " SCRAM_FIRST "\r\n"
#define SAYS_LAST "+ " SCRAM_LAST "\r\n"

static void
logs_in_by_scram(void **state)
{
	(void)state;
	nonce_is_fixed = true;
	expect(
	    (struct talk){ USER,
		.turns = TURNS(SPAN(CAN_SCRAM SAYS_FIRST SAYS_LAST SAYS_IN)) },
	    "READY\n--\n" SENT_PROOF "\r\n");
	expect((struct talk){ USER,
		   .turns = TURNS(SPAN(SAYS_CAN(
		       "AUTH=SCRAM-SHA-1") "+ \r\n" SAYS_FIRST SAYS_LAST
			   SAYS_IN)) },
	    "READY\n--\nA1 AUTHENTICATE SCRAM-SHA-1\r\n" SCRAM_OURS
	    "\r\n" SCRAM_PROOF "\r\n\r\n");
	nonce_is_fixed = false;
}

static void
believes_no_server_that_proves_nothing(void **state)
{
	(void)state;
	nonce_is_fixed = true;
	expect((struct talk){ USER,
		   .turns = TURNS(SPAN(CAN_SCRAM), SPAN(SAYS_IN)) },
	    "FAILED auth: the server says OK before it has proven in "
	    "SCRAM-SHA-1 that it knows the password: it may be another "
	    "server\n--\n" SENT_SCRAM);
	expect((struct talk){ USER,
		   .turns = TURNS(SPAN(CAN_SCRAM SAYS_FIRST), SPAN(SAYS_IN)) },
	    "FAILED auth: the server says OK before it has proven in "
	    "SCRAM-SHA-1 that it knows the password: it may be another "
	    "server\n--\n" SENT_PROOF);
	expect((struct talk){ USER,
		   .turns = TURNS(SPAN(CAN_SCRAM SAYS_FIRST),
		       SPAN("+ dj1ybUY5cHFWOFM3c3VBb1pXamE0ZEpSa0ZzS1I=\r\n"),
		       SPAN("A1 OK in\r\n")) },
	    "FAILED auth: the server does not prove in SCRAM-SHA-1 that it "
	    "knows the password: it may be another server\n--\n" SENT_PROOF
	    "*\r\n");
	nonce_is_fixed = false;
}

static void
advises_when_scram_is_refused(void **state)
{
	(void)state;
	nonce_is_fixed = true;
	expect((struct talk){ USER,
		   .turns = TURNS(
		       SPAN(CAN_SCRAM SAYS_FIRST), SPAN("A1 NO no\r\n")) },
	    "FAILED auth: the server refuses the login by SCRAM (is the "
	    "password right? then set auth = plain): \"no\"\n--\n" SENT_PROOF);
	expect(
	    (struct talk){ USER, .auth = SASL_SCRAM_SHA_1,
		.turns = TURNS(SPAN(CAN_SCRAM SAYS_FIRST),
		    SPAN("+ ZT1pbnZhbGlkLXByb29m\r\n"), SPAN("A1 NO no\r\n")) },
	    "FAILED auth: the server ends SCRAM: the password is wrong "
	    "(invalid-proof)\n--\n" SENT_PROOF "*\r\n");
	/* the secret is not put to use for a second time */
	expect((struct talk){ USER,
		   .turns = TURNS(
		       SPAN(CAN_SCRAM SAYS_FIRST), SPAN("A1 BAD what?\r\n")) },
	    "FAILED auth: the server refuses the login by SCRAM (is the "
	    "password right? then set auth = plain): "
	    "\"what?\"\n--\n" SENT_PROOF);
	nonce_is_fixed = false;
}

static void
ends_scram_that_is_garbage_or_too_much_work(void **state)
{
	(void)state;
	nonce_is_fixed = true;
	expect((struct talk){ USER,
		   .turns = TURNS(SPAN(CAN_SCRAM), SPAN("+ garbage!\r\n"),
		       SPAN("A1 BAD\r\n")) },
	    "FAILED proto: the server's SASL challenge is not "
	    "base64\n--\n" SENT_SCRAM "*\r\n");
	expect((struct talk){ USER,
		   .turns = TURNS(SPAN(CAN_SCRAM),
		       SPAN("+ "
			    "cj1meWtvK2QybGJiRmdPTlJ2OXFreGRhd0x4LHM9UVVKRCxpPT"
			    "EwMDAwMDAwMDAw\r\n"),
		       SPAN("A1 BAD\r\n")) },
	    "FAILED proto: the server wants 10000000000 iterations for SCRAM; "
	    "more than 1000000 are not done: set auth = plain\n--\n" SENT_SCRAM
	    "*\r\n");
	nonce_is_fixed = false;
}

#define PLUS USER, .binding = SPAN("ABC")
#define CAN_PLUS SAYS_CAN("AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-1-PLUS SASL-IR")
#define SENT_PLUS                                                              \
	"A1 AUTHENTICATE SCRAM-SHA-1-PLUS "                                    \
	"cD10bHMtZXhwb3J0ZXIsLG49dXNlcixyPWZ5a28rZDJsYmJGZ09OUnY5cWt4ZGF3TA==" \
	"\r\n"
#define SENT_AGAIN                                                             \
	"A2 AUTHENTICATE SCRAM-SHA-1 " SCRAM_OURS "\r\n" SCRAM_PROOF "\r\n\r"  \
	"\n"
#define SAYS_AGAIN SAYS_FIRST SAYS_LAST "A2 OK [CAPABILITY X]\r\n"

static void
binds_to_the_channel(void **state)
{
	(void)state;
	nonce_is_fixed = true;
	expect((struct talk){ PLUS, .turns = TURNS(SPAN(CAN_PLUS)) },
	    "--\n" SENT_PLUS);
	expect((struct talk){ PLUS, .tls = IMAP_TLS_UPGRADE,
		   .turns = TURNS(SPAN("* OK hi\r\nA1 OK\r\n"),
		       SPAN("* CAPABILITY AUTH=SCRAM-SHA-1-PLUS SASL-IR\r\n"
			    "A2 OK\r\n")) },
	    "UPGRADE\n--\nA1 STARTTLS\r\nA2 CAPABILITY\r\n"
	    "A3 AUTHENTICATE SCRAM-SHA-1-PLUS "
	    "cD10bHMtZXhwb3J0ZXIsLG49dXNlcixyPWZ5a28rZDJsYmJGZ09OUnY5cWt4ZGF3TA"
	    "==\r\n");
	nonce_is_fixed = false;
}

static void
goes_on_without_a_binding_that_the_server_does_not_know(void **state)
{
	(void)state;
	nonce_is_fixed = true;
	/* e=unsupported-channel-binding-type */
	expect(
	    (struct talk){ PLUS,
		.turns = TURNS(SPAN(CAN_PLUS),
		    SPAN(
			"+ "
			"ZT11bnN1cHBvcnRlZC1jaGFubmVsLWJpbmRpbmctdHlwZQ==\r\n"),
		    SPAN("A1 NO no\r\n" SAYS_AGAIN)) },
	    "READY\n--\n" SENT_PLUS "*\r\n" SENT_AGAIN);
	/* the password was not put to use */
	expect((struct talk){ PLUS,
		   .turns = TURNS(SPAN(CAN_PLUS "A1 NO no\r\n" SAYS_AGAIN)) },
	    "READY\n--\n" SENT_PLUS SENT_AGAIN);
	expect((struct talk){ PLUS,
		   .turns = TURNS(
		       SPAN(CAN_PLUS "A1 NO no\r\n"), SPAN("A2 NO no\r\n")) },
	    "FAILED auth: the server refuses the login by SCRAM (is the "
	    "password right? then set auth = plain): \"no\"\n--\n" SENT_PLUS
	    "A2 AUTHENTICATE SCRAM-SHA-1 " SCRAM_OURS "\r\n");
	/* nor was it, but something else is wrong */
	expect((struct talk){ PLUS,
		   .turns = TURNS(
		       SPAN(CAN_PLUS), SPAN("A1 NO [UNAVAILABLE] no\r\n")) },
	    "FAILED temp: the server refuses the login by SCRAM with channel "
	    "binding (is the password right? then set auth = scram-sha-256): "
	    "\"[UNAVAILABLE] no\"\n--\n" SENT_PLUS);
	/* and that was the second way */
	expect((struct talk){ PLUS,
		   .turns = TURNS(SPAN(SAYS_CAN("AUTH=SCRAM-SHA-1-PLUS "
						"AUTH=PLAIN SASL-IR")),
		       SPAN("A1 NO no\r\n"), SPAN("A2 BAD what?\r\n")) },
	    "FAILED auth: the server refuses the login: "
	    "\"what?\"\n--\n" SENT_PLUS
	    "A2 AUTHENTICATE PLAIN AHVzZXIAcGVuY2ls\r\n");
	/* e=channel-bindings-dont-match */
	expect((struct talk){ PLUS,
		   .turns = TURNS(SPAN(CAN_PLUS),
		       SPAN("+ ZT1jaGFubmVsLWJpbmRpbmdzLWRvbnQtbWF0Y2g=\r\n"),
		       SPAN("A1 NO no\r\n")) },
	    "FAILED auth: the server ends SCRAM: its TLS session is another "
	    "one than ours: somebody is in between, or the provider ends TLS "
	    "elsewhere (channel-bindings-dont-match)\n--\n" SENT_PLUS "*\r\n");
	/* who asks for it by name gets nothing less */
	expect((struct talk){ PLUS, .auth = SASL_SCRAM_SHA_1_PLUS,
		   .turns = TURNS(SPAN(CAN_PLUS), SPAN("A1 NO no\r\n")) },
	    "FAILED auth: the server refuses the login: "
	    "\"no\"\n--\n" SENT_PLUS);
	nonce_is_fixed = false;
}

static void
answers_login_and_cram_md5(void **state)
{
	(void)state;
	expect(
	    (struct talk){
		.turns = TURNS(SPAN(SAYS_CAN(
		    "AUTH=LOGIN LOGINDISABLED SASL-IR") "+ VXNlcm5hbWU6\r\n+ "
							"UGFzc3dvcmQ6\r"
							"\n" SAYS_IN)) },
	    "READY\n--\nA1 AUTHENTICATE LOGIN\r\nYm9i\r\ncGFzcw==\r\n");
	expect((struct talk){ .tls = IMAP_TLS_NONE,
		   .user = "tim",
		   .secret = "tanstaaftanstaaf",
		   .turns = TURNS(SPAN(SAYS_CAN(
		       "AUTH=CRAM-MD5 AUTH=PLAIN SASL-IR") "+ "
							   "PDE4OTYuNjk3MTcwOTU"
							   "yQHBvc3RvZmZpY2Uucm"
							   "VzdG9uLm1jaS5uZXQ+"
							   "\r\n" SAYS_IN)) },
	    "READY\n--\nA1 AUTHENTICATE CRAM-MD5\r\n"
	    "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n");
	expect((struct talk){ .auth = SASL_CRAM_MD5,
		   .turns = TURNS(SPAN(SAYS_CAN("AUTH=CRAM-MD5")),
		       SPAN("+ \r\n"), SPAN("A1 BAD\r\n")) },
	    "FAILED proto: the server's CRAM-MD5 challenge is empty\n--\n"
	    "A1 AUTHENTICATE CRAM-MD5\r\n*\r\n");
}

static void
logs_in_by_a_certificate(void **state)
{
	(void)state;
	expect((struct talk){ .certificate = true,
		   .secret = "",
		   .turns =
		       TURNS(SPAN(SAYS_CAN("AUTH=EXTERNAL SASL-IR") SAYS_IN)) },
	    "READY\n--\nA1 AUTHENTICATE EXTERNAL Ym9i\r\n");
	/* nothing to say is "=" */
	expect((struct talk){ .certificate = true,
		   .user = "",
		   .secret = "",
		   .turns =
		       TURNS(SPAN(SAYS_CAN("AUTH=EXTERNAL SASL-IR") SAYS_IN)) },
	    "READY\n--\nA1 AUTHENTICATE EXTERNAL =\r\n");
	expect((struct talk){ .certificate = true,
		   .user = "",
		   .secret = "",
		   .turns = TURNS(
		       SPAN(SAYS_CAN("AUTH=EXTERNAL") "+ \r\n" SAYS_IN)) },
	    "READY\n--\nA1 AUTHENTICATE EXTERNAL\r\n\r\n");
}

#define TOKEN .token = true, .secret = "t0ken.s3cr3t"
#define CAN_TOKEN                                                              \
	SAYS_CAN("AUTH=XOAUTH2 AUTH=OAUTHBEARER LOGINDISABLED SASL-IR")
#define SENT_TOKEN                                                             \
	"A1 AUTHENTICATE XOAUTH2 "                                             \
	"dXNlcj1ib2IBYXV0aD1CZWFyZXIgdDBrZW4uczNjcjN0AQE=\r\n"

static void
logs_in_by_a_token(void **state)
{
	(void)state;
	expect((struct talk){ TOKEN, .turns = TURNS(SPAN(CAN_TOKEN SAYS_IN)) },
	    "READY\n--\n" SENT_TOKEN);
	expect((struct talk){ TOKEN,
		   .turns =
		       TURNS(SPAN(SAYS_CAN("AUTH=XOAUTH2") "+ \r\n" SAYS_IN)) },
	    "READY\n--\nA1 AUTHENTICATE "
	    "XOAUTH2\r\ndXNlcj1ib2IBYXV0aD1CZWFyZXIgdDBrZW4uczNjcjN0AQE=\r\n");
	expect((struct talk){ TOKEN, .host = "imap.example.org",
		   .turns = TURNS(
		       SPAN(SAYS_CAN("AUTH=OAUTHBEARER SASL-IR") SAYS_IN)) },
	    "READY\n--\nA1 AUTHENTICATE OAUTHBEARER "
	    "bixhPWJvYiwBaG9zdD1pbWFwLmV4YW1wbGUub3JnAXBvcnQ9MTQzAWF1dGg9QmVhcm"
	    "VyIHQwa2VuLnMzY3IzdAEB\r\n");
}

static void
answers_the_refusal_of_a_token_and_says_why(void **state)
{
	(void)state;
	/* Google */
	expect(
	    (struct talk){ TOKEN,
		.turns = TURNS(SPAN(CAN_TOKEN),
		    SPAN("+ "
			 "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2Nvc"
			 "GUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==\r\n"),
		    SPAN("A1 NO SASL\r\n")) },
	    "FAILED auth: the token was refused (status 400, for the scope "
	    "https://mail.google.com/)\n--\n" SENT_TOKEN "\r\n");
	expect((struct talk){ TOKEN, .auth = SASL_OAUTHBEARER,
		   .host = "imap.example.org",
		   .turns = TURNS(SPAN(CAN_TOKEN),
		       SPAN("+ "
			    "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleG"
			    "FtcGxlX3Njb3BlIn0=\r\n"),
		       SPAN("A1 NO no\r\n")) },
	    "FAILED auth: the token was refused (invalid_token, for the scope "
	    "example_scope)\n--\n"
	    "A1 AUTHENTICATE OAUTHBEARER "
	    "bixhPWJvYiwBaG9zdD1pbWFwLmV4YW1wbGUub3JnAXBvcnQ9MTQzAWF1dGg9QmVhcm"
	    "VyIHQwa2VuLnMzY3IzdAEB\r\nAQ==\r\n");
	/* an OK behind it is none */
	expect((struct talk){ TOKEN,
		   .turns = TURNS(SPAN(CAN_TOKEN), SPAN("+ e30=\r\n"),
		       SPAN("A1 OK in\r\n")) },
	    "FAILED auth: the token was refused\n--\n" SENT_TOKEN "\r\n");
	expect((struct talk){ TOKEN,
		   .turns = TURNS(SPAN(CAN_TOKEN), SPAN("+ e30=\r\n+ e30=\r\n"),
		       SPAN("A1 BAD\r\n")) },
	    "FAILED proto: the server asks for more than SASL XOAUTH2 has\n"
	    "--\n" SENT_TOKEN "\r\n*\r\n");
	/* Microsoft; and a server that repeats what it heard */
	expect((struct talk){ TOKEN,
		   .turns = TURNS(SPAN(CAN_TOKEN),
		       SPAN("A1 NO AUTHENTICATE failed.\r\n")) },
	    "FAILED auth: the server refuses the login: "
	    "\"AUTHENTICATE failed.\"\n--\n" SENT_TOKEN);
	expect((struct talk){ TOKEN,
		   .turns = TURNS(SPAN(CAN_TOKEN),
		       SPAN("A1 BAD AUTHENTICATE XOAUTH2 "
			    "dXNlcj1ib2IBYXV0aD1CZWFyZXIgdDBrZW4uczNjcjN0AQE="
			    "\r\n")) },
	    "FAILED auth: the server refuses the login\n--\n" SENT_TOKEN);
	expect((struct talk){ TOKEN,
		   .turns = TURNS(SPAN(CAN_TOKEN),
		       SPAN("A1 NO [UNAVAILABLE] later\r\n")) },
	    "FAILED temp: the server refuses the login: "
	    "\"[UNAVAILABLE] later\"\n--\n" SENT_TOKEN);
}

static void
says_nothing_secret_where_there_is_no_way(void **state)
{
	(void)state;
	expect((struct talk){ .auth = SASL_SCRAM_SHA_256,
		   .turns = TURNS(SPAN(SAYS_CAN("AUTH=PLAIN AUTH=LOGIN"))) },
	    "FAILED auth: the server does not offer SCRAM-SHA-256; it offers "
	    "PLAIN LOGIN: set auth = auto\n--\n");
	expect((struct talk){ .turns = TURNS(SPAN(CAN_TOKEN)) },
	    "FAILED auth: the server takes no password here; it offers XOAUTH2 "
	    "OAUTHBEARER: set oauth2, then run \"mailhaul login\"\n--\n");
	expect((struct talk){ TOKEN,
		   .turns = TURNS(SPAN(SAYS_CAN("AUTH=PLAIN"))) },
	    "FAILED auth: the server takes no access token; it offers "
	    "PLAIN\n--\n");
	/* who knows the password already does not have us show it */
	expect((struct talk){ .auth = SASL_SCRAM_SHA_256,
		   .secret = "s3cr3t",
		   .turns = TURNS(SPAN(SAYS_CAN("AUTH=PLAIN AUTH=Xs3cr3t"))) },
	    "FAILED auth: the server does not offer SCRAM-SHA-256: "
	    "set auth = auto\n--\n");
	expect((struct talk){ .auth = SASL_GSSAPI,
		   .turns = TURNS(SPAN(SAYS_CAN("AUTH=PLAIN"))) },
	    "FAILED auth: the server does not offer GSSAPI; it offers PLAIN: "
	    "set auth = auto\n--\n");
	expect((struct talk){ .auth = SASL_APOP,
		   .turns = TURNS(SPAN(SAYS_CAN("AUTH=PLAIN"))) },
	    "FAILED config: APOP is for POP3: set auth = auto\n--\n");
}

/* ---- responses from elsewhere ---- */

#define CAN_GSSAPI SAYS_CAN("AUTH=GSSAPI SASL-IR")
#define SENT_GSSAPI "A1 AUTHENTICATE GSSAPI\r\n"

/* What it says to what. */
static void
respond(struct imap *m, struct imap_info *info)
{
	bool last = span_eq(info->data, SPAN("d3JhcA=="));

	imap_respond(m, last ? SPAN("bGFzdA==") : SPAN("Zmlyc3Q="), last);
	imap_respond(m, SPAN("nobody asks"), last);
}

static void
give_up(struct imap *m, struct imap_info *info)
{
	struct err e;

	(void)info;
	err_set(&e, ERR_TEMP, 0, "no ticket");
	imap_respond_failed(m, &e);
	imap_respond(m, SPAN("too late"), true);
}

static void
lets_others_answer_for_gssapi(void **state)
{
	(void)state;
	expect((struct talk){ .auth = SASL_GSSAPI,
		   .challenged = respond,
		   .turns = TURNS(SPAN(CAN_GSSAPI "+ \r\n+ d3JhcA==\r\n"),
		       SPAN(SAYS_IN)) },
	    "CHALLENGED \nCHALLENGED d3JhcA==\nREADY\n--\n" SENT_GSSAPI
	    "Zmlyc3Q=\r\nbGFzdA==\r\n");
	/* it has no password, and needs none */
	expect((struct talk){ .auth = SASL_GSSAPI,
		   .secret = "",
		   .challenged = respond,
		   .turns = TURNS(
		       SPAN(CAN_GSSAPI "+ d3JhcA==\r\n"), SPAN(SAYS_IN)) },
	    "CHALLENGED d3JhcA==\nREADY\n--\n" SENT_GSSAPI "bGFzdA==\r\n");
}

static void
gives_up_when_they_have_no_answer(void **state)
{
	(void)state;
	expect((struct talk){ .auth = SASL_GSSAPI,
		   .challenged = give_up,
		   .turns = TURNS(SPAN(CAN_GSSAPI "+ \r\n"),
		       SPAN("A1 BAD cancelled\r\n")) },
	    "CHALLENGED \nFAILED temp: no ticket\n--\n" SENT_GSSAPI "*\r\n");
	expect((struct talk){ .auth = SASL_GSSAPI,
		   .challenged = respond,
		   .turns = TURNS(SPAN(CAN_GSSAPI "+ \r\n"),
		       SPAN("A1 NO who are you?\r\n")) },
	    "CHALLENGED \nFAILED auth: the server refuses the login: "
	    "\"who are you?\"\n--\n" SENT_GSSAPI "Zmlyc3Q=\r\n");
}

static void
waits_for_their_answer(void **state)
{
	static const struct {
		const char *said, *failed;
	} all[] = {
		{ "+ \r\n",
		    "proto: the server asks again before it was answered" },
		{ "A1 OK in\r\n",
		    "auth: the server says OK before it has shown by Kerberos "
		    "who it is: it may be another server" },
		{ "A1 NO\r\n", "auth: the server refuses the login" },
		{ "* BYE\r\n", "net: the server ends the session" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char *want = mem_printf("CHALLENGED \nFAILED %s\n--\n%s",
		    all[i].failed, SENT_GSSAPI);

		expect((struct talk){ .auth = SASL_GSSAPI,
			   .turns = TURNS(SPAN(CAN_GSSAPI "+ \r\n"),
			       span_of(all[i].said)) },
		    want);
		free(want);
	}
	expect((struct talk){ .auth = SASL_GSSAPI,
		   .challenged = respond,
		   .turns = TURNS(SPAN(CAN_GSSAPI "+ \r\n"), SPAN(SAYS_IN)) },
	    "CHALLENGED \nFAILED auth: the server says OK before it has shown "
	    "by Kerberos who it is: it may be another server\n--\n" SENT_GSSAPI
	    "Zmlyc3Q=\r\n");
}

static void
says_whom_it_has_waited_for(void **state)
{
	struct imap_params params = { .user = "bob", .auth = SASL_GSSAPI };
	struct span in = SPAN(CAN_GSSAPI "+ \r\n");
	struct imap *m = imap_new(&params);
	struct imap_info info;

	(void)state;
	assert_int_equal(imap_step(m, &in, &info), IMAP_CHALLENGED);
	assert_int_equal(imap_timeout(m), 120);
	imap_expire(m);
	assert_int_equal(imap_step(m, &in, &info), IMAP_FAILED);
	assert_string_equal(
	    imap_error(m)->text, "no answer of Kerberos for 120 s (login)");
	imap_respond(m, SPAN("x"), true);
	imap_free(&m);
}

static void
says_how_it_logs_in(void **state)
{
	struct imap_params params = { .user = "bob" };
	struct span in = CAN_PLAIN;
	struct imap_info info;
	struct imap *m = imap_new(&params);

	(void)state;
	assert_null(imap_login_choice(m));
	imap_step(m, &in, &info);
	assert_int_equal(imap_login_choice(m)->mechanism, SASL_PLAIN);
	assert_string_equal(imap_login_choice(m)->why,
	    "the strongest of those the server offers");
	in = SPAN("A1 BAD what?\r\nA2 OK [CAPABILITY X] in\r\n");
	assert_int_equal(imap_step(m, &in, &info), IMAP_READY);
	assert_int_equal(imap_login_choice(m)->mechanism, SASL_LOGIN);
	assert_true(imap_login_choice(m)->command);
	assert_string_equal(imap_login_choice(m)->why,
	    "the server does not understand AUTHENTICATE PLAIN");
	imap_free(&m);
}

/* ---- greetings ---- */

static void
wants_a_greeting(void **state)
{
	static const char *const no[] = { "* NO\r\n", "* BAD x\r\n",
		"A1 OK\r\n", "HTTP/1.1 400 Bad Request\r\n", "+OK ready\r\n",
		"220 smtp\r\n", "* CAPABILITY IMAP4rev1\r\n", "* 1 EXISTS\r\n",
		"* SEARCH 1\r\n", "* SEARCH\r\n", "*\r\n", "\x16\x03\x01\n",
		"* LIST () \"/\" a\r\n",
		"* 1 FETCH (UID 1 BODY[] {1}\r\na)\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		for (int tls = IMAP_TLS_DONE; tls <= IMAP_TLS_NONE; tls++) {
			struct talk talk = { .tls = (enum imap_tls)tls,
				.turns = TURNS(span_of(no[i])) };
			char *log =
			    split_every(&talk_ops, &talk, talk.turns, 1);

			assert_non_null(strstr(
			    log, "FAILED proto: this is no IMAP server"));
			assert_non_null(strstr(log, "\n--\n"));
			assert_string_equal(strstr(log, "--\n"), "--\n");
			free(log);
		}
	expect((struct talk){ .turns = TURNS(SPAN("* BYE busy\r\n")) },
	    "FAILED net: the server ends the session: \"busy\"\n--\n");
	expect((struct talk){ .turns = TURNS(SPAN("+OK hi\r\n")) },
	    "FAILED proto: this is no IMAP server, but looks like one for "
	    "POP3: \"OK hi\"\n--\n");
}

static void
takes_preauth_only_on_a_clear_connection_that_the_user_chose(void **state)
{
	(void)state;
	expect((struct talk){ .tls = IMAP_TLS_NONE,
		   .turns = TURNS(SPAN("* PREAUTH hi\r\nA1 OK\r\n")) },
	    "READY\n--\nA1 CAPABILITY\r\n");
	expect((struct talk){ .tls = IMAP_TLS_NONE,
		   .turns = TURNS(SPAN("* PREAUTH [CAPABILITY X] hi\r\n")) },
	    "READY\n--\n");
	expect((struct talk){ .tls = IMAP_TLS_DONE,
		   .turns = TURNS(SPAN("* PREAUTH hi\r\n")) },
	    "FAILED auth: PREAUTH unasked for: \"hi\"\n--\n");
	expect(
	    (struct talk){ .tls = IMAP_TLS_UPGRADE,
		.turns = TURNS(SPAN("* PREAUTH [CAPABILITY STARTTLS]\r\n")) },
	    "FAILED tls: PREAUTH before TLS leaves no way to STARTTLS: "
	    "\"[CAPABILITY STARTTLS]\"\n--\n");
}

/* ---- STARTTLS ---- */

#define UPGRADED                                                               \
	SPAN("* CAPABILITY AUTH=PLAIN SASL-IR\r\nA2 OK\r\n"                    \
	     "A3 OK [CAPABILITY X] in\r\n")
#define UPGRADED_SENT                                                          \
	"A1 STARTTLS\r\nA2 CAPABILITY\r\n"                                     \
	"A3 AUTHENTICATE PLAIN AGJvYgBwYXNz\r\n"

static void
upgrades_whatever_is_offered(void **state)
{
	static const char *const hello[] = { "* OK\r\n",
		"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\r\n",
		"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN LOGINDISABLED] hi\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(hello) / sizeof(hello[0]); i++)
		expect((struct talk){ .tls = IMAP_TLS_UPGRADE,
			   .turns = TURNS(span_of(hello[i]),
			       SPAN("A1 OK begin\r\n"), UPGRADED) },
		    "UPGRADE\nREADY\n--\n" UPGRADED_SENT);
}

static void
looks_at_nothing_else_before_tls(void **state)
{
	(void)state;
	expect((struct talk){ .tls = IMAP_TLS_UPGRADE,
		   .turns = TURNS(
		       SPAN("* OK [CAPABILITY LOGINDISABLED] hi\r\n"
			    "* CAPABILITY LOGINDISABLED\r\n* 5 EXISTS\r\n"
			    "* LIST () \"/\" x\r\n* SEARCH 1\r\n* 1 EXPUNGE\r\n"
			    "* 1 FETCH (UID 1 BODY[] {2}\r\nhi)\r\n"
			    "* OK [ALERT] send your password to evil\r\n"
			    "* PREAUTH\r\n+ \r\n+ \r\nA1 OK go\r\n"),
		       SPAN("A2 OK\r\nA3 OK\r\nA4 OK\r\n")) },
	    "UPGRADE\nREADY\n--\nA1 STARTTLS\r\nA2 CAPABILITY\r\n"
	    "A3 LOGIN \"bob\" \"pass\"\r\nA4 CAPABILITY\r\n");
}

static void
sends_no_credential_when_starttls_is_refused(void **state)
{
	(void)state;
	expect(
	    (struct talk){ .tls = IMAP_TLS_UPGRADE,
		.turns = TURNS(SPAN("* OK\r\n"), SPAN("A1 NO not here\r\n")) },
	    "FAILED tls: the server refuses STARTTLS: \"not here\"\n"
	    "--\nA1 STARTTLS\r\n");
	expect((struct talk){ .tls = IMAP_TLS_UPGRADE,
		   .turns = TURNS(SPAN("* OK\r\n"), SPAN("A1 BAD\r\n")) },
	    "FAILED tls: the server refuses STARTTLS\n--\nA1 STARTTLS\r\n");
	expect(
	    (struct talk){ .tls = IMAP_TLS_UPGRADE,
		.turns = TURNS(SPAN("* OK\r\n"), SPAN("* BYE\r\nA1 OK\r\n")) },
	    "FAILED net: the server ends the session\n--\nA1 STARTTLS\r\n");
	expect((struct talk){ .tls = IMAP_TLS_UPGRADE,
		   .turns = TURNS(SPAN("* OK\r\n"), SPAN("A2 OK\r\n")) },
	    "FAILED proto: an answer to a command that was not sent\n"
	    "--\nA1 STARTTLS\r\n");
}

static enum imap_event
step(struct imap *m, struct span in)
{
	struct imap_info info;

	return imap_step(m, &in, &info);
}

/* At every cut of answer and injected octets: in the same piece, or in
 * another one before imap_upgraded(). */
static void
refuses_octets_behind_starttls(void **state)
{
	static const char said[] = "* OK\r\nA1 OK go\r\n* CAPABILITY X\r\n";
	struct secret *secret = secret_new(SPAN("pass"));
	struct imap_params params = {
		.tls = IMAP_TLS_UPGRADE, .user = "bob", .secret = secret
	};

	(void)state;
	for (size_t cut = 0; cut < sizeof(said); cut++) {
		struct imap *m = imap_new(&params);
		struct span rest = span_of(said);
		struct span first = span_take(&rest, cut);
		enum imap_event ev = step(m, first);

		if (ev == IMAP_UPGRADE)
			assert_int_equal(cut, 16);
		if (ev != IMAP_FAILED)
			ev = step(m, rest);
		assert_int_equal(ev, IMAP_FAILED);
		assert_int_equal(imap_error(m)->kind, ERR_TLS);
		assert_int_equal(imap_output(m).n, 0);
		imap_upgraded(m);
		assert_int_equal(imap_output(m).n, 0);
		assert_int_equal(step(m, SPAN("x")), IMAP_FAILED);
		imap_free(&m);
	}
	secret_free(&secret);
}

/* What is heard at first, over a tunnel, without a secret. */
static struct err
enter_by_tunnel(enum imap_tls tls, struct span heard, enum imap_event want)
{
	struct secret *none = secret_new(SPAN(""));
	struct imap_params params = {
		.tls = tls, .user = "bob", .secret = none, .tunnelled = true
	};
	struct imap *m = imap_new(&params);
	struct err e;

	assert_int_equal(step(m, heard), want);
	e = *imap_error(m);
	imap_free(&m);
	secret_free(&none);
	return e;
}

static void
takes_preauth_by_a_tunnel(void **state)
{
	(void)state;
	enter_by_tunnel(
	    IMAP_TLS_NONE, SPAN("* PREAUTH [CAPABILITY X] hi\r\n"), IMAP_READY);
	enter_by_tunnel(
	    IMAP_TLS_DONE, SPAN("* PREAUTH [CAPABILITY X] hi\r\n"), IMAP_READY);
	assert_int_equal(enter_by_tunnel(IMAP_TLS_UPGRADE,
			     SPAN("* PREAUTH hi\r\n"), IMAP_FAILED)
			     .kind,
	    ERR_TLS);
}

static void
says_that_a_secret_is_missing(void **state)
{
	struct err e = enter_by_tunnel(IMAP_TLS_NONE,
	    SPAN("* OK [CAPABILITY AUTH=PLAIN SASL-IR] hi\r\n"), IMAP_FAILED);

	(void)state;
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(
	    e.text, "the server wants a login, and there is no password");
}

static void
forgets_the_greeting_of_before_tls(void **state)
{
	struct secret *secret = secret_new(SPAN("pass"));
	struct imap_params params = {
		.tls = IMAP_TLS_UPGRADE, .user = "bob", .secret = secret
	};
	struct imap *m = imap_new(&params);

	(void)state;
	assert_int_equal(step(m, SPAN("* OK hi\r\nA1 OK\r\n")), IMAP_UPGRADE);
	imap_upgraded(m);
	imap_upgraded(m); /* once is enough */
	assert_int_equal(imap_greeting(m).n, 0);
	assert_true(
	    span_eq(imap_output(m), SPAN("A1 STARTTLS\r\nA2 CAPABILITY\r\n")));
	imap_free(&m);
	secret_free(&secret);
}

static void
passes_on_how_long_it_is_asked_to_wait(void **state)
{
	(void)state;
	expect(
	    (struct talk){ .turns = TURNS(SPAN("* BYE wait 5 minutes\r\n")) },
	    "FAILED net: the server ends the session: \"wait 5 minutes\" "
	    "(in 300 s)\n--\n");
	expect((struct talk){ .turns = TURNS(SPAN("* OK [CAPABILITY X] hi\r\n"),
				  SPAN("A1 NO try again in 2 h\r\n")) },
	    "FAILED auth: the server refuses the login: \"try again in 2 h\" "
	    "(in 7200 s)\n--\nA1 LOGIN \"bob\" \"pass\"\r\n");
}

static void
believes_nothing_of_the_kind_before_tls(void **state)
{
	(void)state;
	expect((struct talk){ .tls = IMAP_TLS_UPGRADE,
		   .turns = TURNS(SPAN("* BYE wait 5 minutes\r\n")) },
	    "FAILED net: the server ends the session: \"wait 5 minutes\"\n"
	    "--\n");
	expect((struct talk){ .tls = IMAP_TLS_UPGRADE,
		   .turns = TURNS(
		       SPAN("* OK\r\n"), SPAN("A1 NO wait 5 minutes\r\n")) },
	    "FAILED tls: the server refuses STARTTLS: \"wait 5 minutes\"\n"
	    "--\nA1 STARTTLS\r\n");
	/* nor that the password is wrong, which was not said */
	expect(
	    (struct talk){ .tls = IMAP_TLS_UPGRADE,
		.turns = TURNS(SPAN("* BYE [AUTHENTICATIONFAILED] no\r\n")) },
	    "FAILED temp: the server ends the session: "
	    "\"[AUTHENTICATIONFAILED] no\"\n--\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_in_by_scram),
		cmocka_unit_test(believes_no_server_that_proves_nothing),
		cmocka_unit_test(advises_when_scram_is_refused),
		cmocka_unit_test(ends_scram_that_is_garbage_or_too_much_work),
		cmocka_unit_test(binds_to_the_channel),
		cmocka_unit_test(
		    goes_on_without_a_binding_that_the_server_does_not_know),
		cmocka_unit_test(answers_login_and_cram_md5),
		cmocka_unit_test(logs_in_by_a_certificate),
		cmocka_unit_test(logs_in_by_a_token),
		cmocka_unit_test(answers_the_refusal_of_a_token_and_says_why),
		cmocka_unit_test(says_nothing_secret_where_there_is_no_way),
		cmocka_unit_test(says_how_it_logs_in),
		cmocka_unit_test(logs_in_by_plain_with_an_initial_response),
		cmocka_unit_test(logs_in_by_plain_without_an_initial_response),
		cmocka_unit_test(asks_again_for_capabilities_after_the_login),
		cmocka_unit_test(
		    asks_again_for_what_the_proxy_of_icloud_changes),
		cmocka_unit_test(
		    sends_id_in_front_of_requests_and_waits_for_no_answer),
		cmocka_unit_test(logs_in_by_login_when_plain_is_not_offered),
		cmocka_unit_test(sends_as_literals_what_cannot_be_quoted),
		cmocka_unit_test(waits_for_large_literals_with_literal_minus),
		cmocka_unit_test(honours_logindisabled),
		cmocka_unit_test(says_that_a_login_was_refused),
		cmocka_unit_test(quotes_no_server_that_repeats_the_password),
		cmocka_unit_test(tries_login_once_when_plain_is_broken),
		cmocka_unit_test(cancels_a_login_that_never_ends),
		cmocka_unit_test(lets_others_answer_for_gssapi),
		cmocka_unit_test(gives_up_when_they_have_no_answer),
		cmocka_unit_test(waits_for_their_answer),
		cmocka_unit_test(says_whom_it_has_waited_for),
		cmocka_unit_test(wants_a_greeting),
		cmocka_unit_test(
		    takes_preauth_only_on_a_clear_connection_that_the_user_chose),
		cmocka_unit_test(takes_preauth_by_a_tunnel),
		cmocka_unit_test(says_that_a_secret_is_missing),
		cmocka_unit_test(upgrades_whatever_is_offered),
		cmocka_unit_test(looks_at_nothing_else_before_tls),
		cmocka_unit_test(sends_no_credential_when_starttls_is_refused),
		cmocka_unit_test(refuses_octets_behind_starttls),
		cmocka_unit_test(forgets_the_greeting_of_before_tls),
		cmocka_unit_test(passes_on_how_long_it_is_asked_to_wait),
		cmocka_unit_test(believes_nothing_of_the_kind_before_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
