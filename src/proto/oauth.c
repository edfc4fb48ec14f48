/* SPDX-License-Identifier: ISC */
#include "proto/oauth.h"

#include <stdlib.h>
#include <string.h>

#include "proto/oauth_error.h"
#include "proto/oauth_form.h"
#include "proto/oauth_json.h"
#include "util/betray.h"
#include "util/mem.h"
#include "util/text.h"

#define TOKEN_MAX 16384 /* also of a code; encoded it fits in a form */
#define URL_MAX 2048
#define USER_CODE_MAX 64
#define SCOPE_MAX 4096
#define EXPIRES_MAX_S ((uint64_t)10 * 365 * 86400)

/* RFC 8628 3.2 */
#define DEVICE_EXPIRES_S 900 /* it must be said; this is what most mean */
#define DEVICE_EXPIRES_MAX_S 86400
#define DEVICE_INTERVAL_S 5
#define DEVICE_INTERVAL_MAX_S 300

/* ---- what is asked ---- */

static void
put(struct buf *out, const char *name, const char *value)
{
	oauth_form_put(out, name, span_of(value));
}

static void
put_client(struct buf *out, const struct oauth_client *c)
{
	put(out, "client_id", c->id);
	if (c->secret != NULL)
		oauth_form_put(out, "client_secret", secret_span(c->secret));
}

static void
put_scopes(struct buf *out, const struct oauth_client *c)
{
	if (c->scopes != NULL && c->scopes[0] != '\0')
		put(out, "scope", c->scopes);
}

/* RFC 8628 3.1. Google wants the secret only with the token, others from the
 * start; who does not want it ignores it. */
void
oauth_put_device(struct buf *out, const struct oauth_client *c)
{
	put_client(out, c);
	put_scopes(out, c);
}

void
oauth_put_device_poll(struct buf *out, const struct oauth_client *c,
    const struct secret *device_code)
{
	put(out, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
	oauth_form_put(out, "device_code", secret_span(device_code));
	put_client(out, c);
}

void
oauth_put_code(struct buf *out, const struct oauth_client *c,
    const struct secret *code, const char *redirect, const char *verifier)
{
	put(out, "grant_type", "authorization_code");
	oauth_form_put(out, "code", secret_span(code));
	put(out, "redirect_uri", redirect);
	put(out, "code_verifier", verifier);
	put_client(out, c);
}

/* Without scopes: what was granted stays (RFC 6749 6). */
void
oauth_put_refresh(struct buf *out, const struct oauth_client *c,
    const struct secret *refresh_token)
{
	put(out, "grant_type", "refresh_token");
	oauth_form_put(out, "refresh_token", secret_span(refresh_token));
	put_client(out, c);
}

void
oauth_put_url(struct buf *out, const char *auth_url,
    const struct oauth_client *c, const char *redirect, const char *state,
    const char *challenge, const char *hint)
{
	buf_add(out, span_of(auth_url));
	if (strchr(auth_url, '?') == NULL)
		buf_addc(out, '?');
	put(out, "response_type", "code");
	put(out, "client_id", c->id);
	put(out, "redirect_uri", redirect);
	put_scopes(out, c);
	put(out, "state", state);
	put(out, "code_challenge", challenge);
	put(out, "code_challenge_method", "S256");
	if (hint != NULL)
		put(out, "login_hint", hint);
}

/* ---- what is answered ---- */

/* RFC 6749 appendix A: tokens, codes and scopes are visible ASCII and SP. */
static bool
is_visible(struct span s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return s.n > 0 && s.n <= max;
}

static struct secret *
read_secret(const struct oauth_json *j, const char *name)
{
	struct span s = span_of(oauth_json_text(j, name));

	return is_visible(s, TOKEN_MAX) ? secret_new(s) : NULL;
}

/* It is shown on a terminal, and somebody opens it. */
static char *
read_url(const struct oauth_json *j, const char *name)
{
	struct span url = span_of(oauth_json_text(j, name));
	struct span rest = url;

	if (!is_visible(url, URL_MAX) || span_find(url, ' ') < url.n ||
	    !span_iskip(&rest, SPAN("https://")))
		return NULL;
	return mem_spandup(url);
}

static char *
read_text(const struct oauth_json *j, const char *name, size_t max)
{
	struct span s = span_of(oauth_json_text(j, name));

	return is_visible(s, max) ? mem_spandup(s) : NULL;
}

/* Takes what says that it is no success, whatever its status is: GitHub has an
 * error in a 200. NULL: *verdict. */
static struct oauth_json *
read_answer(unsigned int status, struct span body, const char *success,
    enum oauth_verdict *verdict, struct err *e)
{
	struct oauth_json *j = oauth_json_new(body);
	const char *name = j == NULL ? NULL : oauth_json_text(j, "error");
	const char *more =
	    j == NULL ? NULL : oauth_json_text(j, "error_description");
	bool good = j != NULL && status / 100 == 2 &&
	    (name == NULL || oauth_json_has(j, success));

	if (good)
		return j;
	*verdict = oauth_refused(status, name, more, e);
	oauth_json_free(&j);
	return NULL;
}

/* Of "meaning (name: more)": as far as it is good. */
static size_t
good_length(const char *text, const struct secret *sent)
{
	const char *name = strstr(text, " (");
	const char *more = name == NULL ? NULL : strstr(name, ": ");

	if (more != NULL &&
	    !betrays(span_make(text, (size_t)(more - text)), "", sent))
		return (size_t)(more - text);
	return name == NULL ? 0 : (size_t)(name - text);
}

void
oauth_hush(struct err *e, const struct secret *sent)
{
	const struct err said = *e;
	size_t n = good_length(said.text, sent);

	if (!betrays(span_of(said.text), "", sent))
		return;
	err_set(e, said.kind, said.sys, "%.*s%sits words repeat a secret)",
	    (int)n, said.text, memchr(said.text, '(', n) == NULL ? " (" : "; ");
	e->after_s = said.after_s;
}

static unsigned int
read_seconds(const struct oauth_json *j, const char *name, uint64_t max,
    unsigned int otherwise)
{
	uint64_t n = otherwise;

	(void)oauth_json_number(j, name, max, &n);
	return (unsigned int)n;
}

static int
read_device(const struct oauth_json *j, struct oauth_device *d, struct err *e)
{
	d->device_code = read_secret(j, "device_code");
	d->user_code = read_text(j, "user_code", USER_CODE_MAX);
	d->url = read_url(j, "verification_uri");
	if (d->url == NULL) /* Google, as the draft had it */
		d->url = read_url(j, "verification_url");
	d->url_complete = read_url(j, "verification_uri_complete");
	d->expires_s = read_seconds(
	    j, "expires_in", DEVICE_EXPIRES_MAX_S, DEVICE_EXPIRES_S);
	d->interval_s = read_seconds(
	    j, "interval", DEVICE_INTERVAL_MAX_S, DEVICE_INTERVAL_S);
	if (d->device_code != NULL && d->user_code != NULL && d->url != NULL)
		return 0;
	return err_set(e, ERR_PROTO, 0,
	    "the provider gave no usable %s for a login by code (RFC 8628)",
	    d->url == NULL             ? "https URL"
		: d->user_code == NULL ? "user_code"
				       : "device_code");
}

enum oauth_verdict
oauth_read_device(unsigned int status, struct span body,
    struct oauth_device *out, struct err *e)
{
	enum oauth_verdict verdict = OAUTH_FAILED;
	struct oauth_json *j =
	    read_answer(status, body, "device_code", &verdict, e);
	int rc;

	*out = (struct oauth_device){ 0 };
	if (j == NULL)
		return OAUTH_FAILED; /* there is nothing to wait for yet */
	rc = read_device(j, out, e);
	oauth_json_free(&j);
	if (rc == 0)
		return OAUTH_OK;
	oauth_device_deinit(out);
	return OAUTH_FAILED;
}

/* RFC 6749 7.1: a token of a type that we do not know must not be used. */
static bool
is_bearer(const struct oauth_json *j)
{
	const char *type = oauth_json_text(j, "token_type");

	return !oauth_json_has(j, "token_type") ||
	    span_ieq(span_of(type), SPAN("Bearer"));
}

static int
read_tokens(const struct oauth_json *j, struct oauth_tokens *t, struct err *e)
{
	if (!is_bearer(j))
		return err_set(e, ERR_PROTO, 0,
		    "the provider gave a token that is not of the type Bearer");
	t->access = read_secret(j, "access_token");
	t->refresh = read_secret(j, "refresh_token");
	t->scope = read_text(j, "scope", SCOPE_MAX);
	(void)oauth_json_number(j, "expires_in", EXPIRES_MAX_S, &t->expires_s);
	if (t->access == NULL)
		return err_set(e, ERR_PROTO, 0,
		    "the provider gave no usable access_token");
	/* to go on with the old one would end in an hour, and without a word */
	if (t->refresh == NULL &&
	    span_of(oauth_json_text(j, "refresh_token")).n > 0)
		return err_set(e, ERR_PROTO, 0,
		    "the provider gave a refresh_token that is none");
	return 0;
}

enum oauth_verdict
oauth_read_tokens(unsigned int status, struct span body,
    struct oauth_tokens *out, struct err *e)
{
	enum oauth_verdict verdict = OAUTH_FAILED;
	struct oauth_json *j =
	    read_answer(status, body, "access_token", &verdict, e);
	int rc;

	*out = (struct oauth_tokens){ 0 };
	if (j == NULL)
		return verdict;
	rc = read_tokens(j, out, e);
	oauth_json_free(&j);
	if (rc == 0)
		return OAUTH_OK;
	oauth_tokens_deinit(out);
	return OAUTH_FAILED;
}

/* ---- where the browser was sent to ---- */

static struct span
query_of(struct span url)
{
	struct span rest = span_trim(url);
	struct span before = span_until(&rest, '?');

	if (rest.n == 0 && span_find(before, '=') < before.n)
		rest = before; /* the query alone */
	return span_until(&rest, '#');
}

static int
check_state(struct span query, const char *state, struct err *e)
{
	struct buf said;
	int n;
	bool same;

	buf_init(&said, TOKEN_MAX);
	n = oauth_form_find(query, "state", &said);
	same = n == 1 && span_eq(buf_span(&said), span_of(state));
	buf_deinit(&said);
	if (same)
		return 0;
	return err_set(e, ERR_PROTO, 0,
	    n == 0
		? "this is not the URL that the browser was sent to at the "
		  "end: it has no state in it"
		: "this URL belongs to another login: its state is not ours");
}

/* What stands there once, as a string; NULL: nothing does. */
static char *
read_member(struct span query, const char *name)
{
	struct buf b;
	char *text = NULL;

	buf_init(&b, TOKEN_MAX);
	if (oauth_form_find(query, name, &b) == 1)
		text = mem_spandup(buf_span(&b));
	buf_deinit(&b);
	return text;
}

/* A refusal needs no state to be heard: nothing is done for it. */
static bool
read_refusal(struct span query, struct err *e)
{
	char *name = read_member(query, "error");
	char *more = read_member(query, "error_description");
	bool refused = name != NULL;

	if (refused)
		(void)oauth_refused(400, name, more, e);
	free(name);
	free(more);
	return refused;
}

static struct secret *
read_code(struct span query, struct err *e)
{
	struct secret *code = NULL;
	struct buf b;
	int n;

	buf_init(&b, TOKEN_MAX);
	n = oauth_form_find(query, "code", &b);
	if (n == 1 && is_visible(buf_span(&b), TOKEN_MAX))
		code = secret_new(buf_span(&b));
	buf_wipe(&b);
	if (code == NULL)
		err_set(e, ERR_PROTO, 0,
		    n == 0 ? "this is not the URL that the browser was sent to "
			     "at the end: it has no code in it"
			   : "the code in this URL is damaged");
	return code;
}

struct secret *
oauth_read_redirect(struct span url, const char *state, struct err *e)
{
	struct span query = query_of(url);

	if (read_refusal(query, e) || check_state(query, state, e) != 0)
		return NULL;
	return read_code(query, e);
}

/* ---- life ---- */

void
oauth_device_deinit(struct oauth_device *d)
{
	secret_free(&d->device_code);
	free(d->user_code);
	free(d->url);
	free(d->url_complete);
	*d = (struct oauth_device){ 0 };
}

void
oauth_tokens_deinit(struct oauth_tokens *t)
{
	secret_free(&t->access);
	secret_free(&t->refresh);
	free(t->scope);
	*t = (struct oauth_tokens){ 0 };
}
