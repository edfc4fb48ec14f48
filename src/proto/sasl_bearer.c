/* SPDX-License-Identifier: ISC */
#include "proto/sasl_bearer.h"

#include <jansson.h>
#include <stdio.h>

#include "util/text.h"

#define FIELD_END '\x01'
#define JSON_MAX 8192
#define VALUE_MAX 60
#define WORDS_MAX 200

/* RFC 6750 2.1 allows less, but who makes tokens may know better. */
static bool
is_clean(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

static int
check(const char *user, struct span token, struct err *e)
{
	if (token.n == 0)
		return err_set(e, ERR_CONFIG, 0, "there is no access token");
	if (!is_clean(token) || span_find(token, ' ') < token.n)
		return err_set(e, ERR_CONFIG, 0,
		    "the access token holds a blank or a control character");
	if (!is_clean(span_of(user)))
		return err_set(e, ERR_CONFIG, 0,
		    "the user holds a control character, which cannot go "
		    "along with an access token");
	return 0;
}

static int
full(struct err *e)
{
	return err_set(e, ERR_CONFIG, 0, "user or access token is too long");
}

static int
put_token(struct buf *out, struct span token)
{
	return buf_addc(out, FIELD_END) != 0 ||
		buf_add(out, SPAN("auth=Bearer ")) != 0 ||
		buf_add(out, token) != 0 || buf_addc(out, FIELD_END) != 0 ||
		buf_addc(out, FIELD_END) != 0
	    ? -1
	    : 0;
}

int
sasl_bearer_xoauth2(
    struct buf *out, const char *user, struct span token, struct err *e)
{
	if (check(user, token, e) != 0)
		return -1;
	if (buf_add(out, SPAN("user=")) != 0 ||
	    buf_add(out, span_of(user)) != 0 || put_token(out, token) != 0)
		return full(e);
	return 0;
}

/* saslname of RFC 5801 4. */
static int
put_saslname(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		struct span said = span_make(s.p + i, 1);

		if (s.p[i] == ',')
			said = SPAN("=2C");
		else if (s.p[i] == '=')
			said = SPAN("=3D");
		if (buf_add(out, said) != 0)
			return -1;
	}
	return 0;
}

int
sasl_bearer_oauthbearer(struct buf *out, const char *user, struct span token,
    const char *host, unsigned int port, struct err *e)
{
	if (check(user, token, e) != 0)
		return -1;
	if (buf_add(out, SPAN("n,a=")) != 0 ||
	    put_saslname(out, span_of(user)) != 0 || buf_addc(out, ',') != 0 ||
	    (host != NULL &&
		buf_printf(out, "%chost=%s%cport=%u", FIELD_END, host,
		    FIELD_END, port) != 0) ||
	    put_token(out, token) != 0)
		return full(e);
	return 0;
}

/* ---- refusals ---- */

static void
add_word(char *words, const char *name, const char *value)
{
	struct span s = span_of(words);

	(void)snprintf(words + s.n, WORDS_MAX - s.n, "%s%s%.*s",
	    s.n > 0 ? ", " : "", name, VALUE_MAX, value);
}

static bool
is_number(const char *s)
{
	struct span rest = span_of(s);
	uint64_t n;

	return text_number(&rest, 999, &n) && rest.n == 0;
}

static void
add_value(char *words, const json_t *object, const char *key, const char *name)
{
	const json_t *value = json_object_get(object, key);
	char number[32];

	if (json_is_integer(value)) {
		(void)snprintf(number, sizeof(number), "%lld",
		    (long long)json_integer_value(value));
		add_word(words, name, number);
	} else if (json_is_string(value) && *json_string_value(value) != '\0') {
		const char *s = json_string_value(value);

		/* Google says "400" there, RFC 7628 "invalid_token" */
		add_word(words,
		    span_eq(span_of(key), SPAN("status")) && !is_number(s)
			? ""
			: name,
		    s);
	}
}

void
sasl_bearer_refusal(struct err *e, struct span json)
{
	json_t *object =
	    json.n > JSON_MAX ? NULL : json_loadb(json.p, json.n, 0, NULL);
	char words[WORDS_MAX] = "";

	add_value(words, object, "status", "status ");
	add_value(words, object, "error", "");
	add_value(words, object, "scope", "for the scope ");
	json_decref(object);
	if (*words == '\0')
		err_set(e, ERR_AUTH, 0, "the token was refused");
	else
		err_set(e, ERR_AUTH, 0, "the token was refused (%s)", words);
}

/* RFC 7628 3.2.3; Google and Microsoft want an empty line for XOAUTH2. */
struct span
sasl_bearer_answer(bool oauthbearer)
{
	return oauthbearer ? SPAN("\x01") : SPAN("");
}
