/* SPDX-License-Identifier: ISC */
#include "proc/login_code.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/digest.h"
#include "io/http.h"
#include "io/listen.h"
#include "proc/login_paste.h"
#include "util/mem.h"

#define RANDOM_OCTETS 32 /* RFC 7636 7.1 */
#define TRIES 3          /* of pasting */
#define LAST_WORD_MS 200 /* for a browser to read why it failed */

struct login_code {
	const struct login_flow *flow; /* not ours */
	int fd;                        /* holds the port; -1: http has it */
	struct http *http;
	struct login_paste *paste;
	unsigned int tries;
	struct loop_timer *timer; /* until it is given up; then the next step */
	struct https *https;
	char *redirect;
	char state[DIGEST_BASE64URL + 1];
	char verifier[DIGEST_BASE64URL + 1];
	struct secret *code; /* once it is there */
	struct err err;      /* else why it is not */
	bool decided;
};

/* ---- the code for tokens ---- */

static void
hush(const struct login_code *c, struct err *e)
{
	struct secret *verifier = secret_new(span_of(c->verifier));

	oauth_hush(e, verifier);
	oauth_hush(e, c->code);
	oauth_hush(e, c->flow->client.secret);
	secret_free(&verifier);
}

static void
on_tokens(void *arg, const struct https_answer *answer, const struct err *e)
{
	struct login_code *c = arg;
	struct oauth_tokens tokens;
	struct err why;

	c->https = NULL;
	if (e == NULL &&
	    oauth_read_tokens(answer->status, answer->body, &tokens, &why) !=
		OAUTH_OK) {
		hush(c, &why);
		e = &why;
	}
	c->flow->done(c->flow->arg, e == NULL ? &tokens : NULL, e);
}

static void
redeem(struct login_code *c)
{
	struct buf form;

	buf_init(&form, OAUTH_FORM_MAX);
	oauth_put_code(
	    &form, &c->flow->client, c->code, c->redirect, c->verifier);
	c->https = login_flow_post(
	    c->flow, c->flow->provider->token_url, &form, on_tokens, c);
}

/* ---- how it goes on ---- */

static void
on_timer(void *arg)
{
	struct login_code *c = arg;

	if (!c->decided)
		err_set(&c->err, ERR_TEMP, 0,
		    "the browser did not come back in time: run the command "
		    "again");
	c->decided = true;
	login_paste_free(&c->paste);
	if (c->code != NULL)
		redeem(c);
	else
		c->flow->done(c->flow->arg, NULL, &c->err);
}

/* What is said now may still be on its way. */
static void
decide(struct login_code *c, uint64_t ms)
{
	c->decided = true;
	loop_timer_arm(c->timer, ms);
}

/* ---- the browser comes to us ---- */

/* Any page can have a browser ask us anything: only who knows our state ends
 * the login. */
static bool
on_page(void *arg, const struct http_request *request, struct buf *body,
    const char **type)
{
	struct login_code *c = arg;
	struct span query = span_of(request->query);
	bool ours = span_has(query, span_of(c->state));

	(void)type;
	if (strcmp(request->path, "/") != 0)
		return false;
	if (c->decided) {
		(void)buf_printf(body, "You may close this page.\n");
		return true;
	}
	c->code = oauth_read_redirect(query, c->state, &c->err);
	if (c->code != NULL) {
		(void)buf_printf(body,
		    "mailhaul has heard from your provider and goes on in the "
		    "terminal. You may close this page.\n");
		decide(c, 0);
		return true;
	}
	(void)buf_printf(body, "mailhaul: %s\n", c->err.text);
	if (ours && c->err.kind != ERR_PROTO)
		decide(c, LAST_WORD_MS);
	return true;
}

/* ---- or what it was sent to is pasted ---- */

static void
on_paste(void *arg, enum login_paste_event event, struct span line)
{
	struct login_code *c = arg;

	if (c->decided)
		return;
	switch (event) {
	case LOGIN_PASTE_LINE:
		c->code = oauth_read_redirect(line, c->state, &c->err);
		break;
	case LOGIN_PASTE_TOO_LONG:
		err_set(&c->err, ERR_PROTO, 0,
		    "that is no URL: it is longer than %d octets",
		    LOGIN_PASTE_MAX);
		break;
	case LOGIN_PASTE_END:
		err_set(&c->err, c->tries == 0 ? ERR_CANCEL : ERR_PROTO, 0,
		    c->tries == 0 ? "nothing was pasted"
				  : "no URL with a code in it was pasted");
		decide(c, 0);
		return;
	}
	if (c->code != NULL || c->err.kind != ERR_PROTO ||
	    ++c->tries == TRIES) {
		decide(c, 0);
		return;
	}
	fprintf(stderr, "mailhaul: %s\n", c->err.text);
	printf("Paste the URL: ");
	fflush(stdout);
}

/* ---- where it comes back to ---- */

/* A port that nobody else gets meanwhile: where we do not listen, nobody shall
 * hear the code. */
static int
take_port(struct err *e)
{
	const struct sockaddr_in any = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	(void)err_set(e, ERR_TEMP, errno, "no port of 127.0.0.1 can be had: %s",
	    strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static unsigned int
port_of(int fd)
{
	struct sockaddr_in at = { 0 };
	socklen_t n = sizeof(at);

	(void)getsockname(fd, (struct sockaddr *)&at, &n);
	return ntohs(at.sin_port);
}

/* ---- what is asked of the user ---- */

static int
make_word(char out[DIGEST_BASE64URL + 1], struct err *e)
{
	char octets[RANDOM_OCTETS];

	if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
		return err_set(e, ERR_TEMP, errno, "there is no randomness: %s",
		    strerror(errno));
	digest_base64url(span_make(octets, sizeof(octets)), out);
	mem_wipe(octets, sizeof(octets));
	return 0;
}

static void
show_url(const struct login_code *c)
{
	char challenge[DIGEST_BASE64URL + 1];
	struct buf url;

	digest_base64url(span_of(c->verifier), challenge);
	buf_init(&url, OAUTH_FORM_MAX);
	oauth_put_url(&url, c->flow->provider->auth_url, &c->flow->client,
	    c->redirect, c->state, challenge, c->flow->account->user);
	printf("    %.*s\n\n", (int)buf_span(&url).n, buf_span(&url).p);
	buf_deinit(&url);
}

static void
show_paste(const struct login_code *c, bool ours)
{
	printf("At the end the browser is sent to %s%s.\nCopy the whole URL of "
	       "that page from the address bar.\n\nPaste the URL: ",
	    c->redirect,
	    ours ? "\nand shows that it cannot be reached: that is as it "
		   "should be"
		 : "");
}

static void
show(const struct login_code *c)
{
	bool listening = c->http != NULL;

	printf("Open this URL in a browser%s, and log in there:\n\n",
	    listening ? " on this machine" : "");
	show_url(c);
	if (listening)
		printf("Waiting until that is done.\n");
	else
		show_paste(c, c->fd >= 0);
	fflush(stdout);
}

/* ---- life ---- */

static int
open_port(struct login_code *c, bool listening, struct err *e)
{
	c->fd = listening ? listen_ip("127.0.0.1", 0, e) : take_port(e);
	if (c->fd < 0)
		return -1;
	c->redirect = mem_printf("http://127.0.0.1:%u/", port_of(c->fd));
	if (listening) {
		c->http = http_new(c->flow->loop, c->fd, on_page, c);
		c->fd = -1;
	}
	return 0;
}

static int
start(struct login_code *c, bool listening, const char *redirect, struct err *e)
{
	if (make_word(c->state, e) != 0 || make_word(c->verifier, e) != 0)
		return -1;
	if (redirect != NULL)
		c->redirect = mem_strdup(redirect);
	else if (open_port(c, listening, e) != 0)
		return -1;
	if (!listening) /* before anybody is asked to paste */
		c->paste = login_paste_new(c->flow->loop, on_paste, c);
	show(c);
	loop_timer_arm(c->timer, LOGIN_FLOW_WAIT_MS);
	return 0;
}

struct login_code *
login_code_new(const struct login_flow *flow, bool listen, const char *redirect,
    struct err *e)
{
	struct login_code *c = mem_new(sizeof(*c));

	c->flow = flow;
	c->fd = -1;
	c->timer = loop_timer_new(flow->loop, on_timer, c);
	if (start(c, listen, redirect, e) != 0)
		login_code_free(&c);
	return c;
}

void
login_code_free(struct login_code **p)
{
	struct login_code *c = *p;

	*p = NULL;
	if (c == NULL)
		return;
	http_free(&c->http);
	login_paste_free(&c->paste);
	https_free(&c->https);
	loop_timer_free(&c->timer);
	if (c->fd >= 0)
		close(c->fd);
	secret_free(&c->code);
	free(c->redirect);
	mem_wipe(c->verifier, sizeof(c->verifier));
	free(c);
}
