/* SPDX-License-Identifier: ISC */
#include "proto/oauth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

/* RFC 7636 appendix B */
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static const struct oauth_client public_client = { .id = "s6BhdRkqt3",
	.scopes = "example_scope other" };

/* ---- what is asked ---- */

static void
compare(struct buf *b, const char *want)
{
	buf_addc(b, '\0');
	assert_string_equal(buf_span(b).p, want);
	buf_deinit(b);
}

static void
asks_for_a_device_code_as_rfc_8628_has_it(void **state)
{
	const struct oauth_client c = { .id = "1406020730",
		.scopes = "example_scope" };
	const struct oauth_client bare = { .id = "1406020730" };
	struct buf b;

	(void)state;
	buf_init(&b, OAUTH_FORM_MAX);
	oauth_put_device(&b, &c);
	compare(&b, "client_id=1406020730&scope=example_scope");
	buf_init(&b, OAUTH_FORM_MAX);
	oauth_put_device(&b, &bare);
	compare(&b, "client_id=1406020730");
}

static void
asks_whether_the_code_was_entered(void **state)
{
	const struct oauth_client c = { .id = "1406020730", .scopes = "x" };
	struct secret *code =
	    secret_new(SPAN("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"));
	struct buf b;

	(void)state;
	buf_init(&b, OAUTH_FORM_MAX);
	oauth_put_device_poll(&b, &c, code);
	compare(&b,
	    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
	    "&device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"
	    "&client_id=1406020730");
	secret_free(&code);
}

static void
gives_a_code_for_tokens_with_its_verifier(void **state)
{
	struct secret *code = secret_new(SPAN("SplxlOBeZQQYbYS6WxSbIA"));
	struct secret *secret = secret_new(SPAN("7Fjfp0ZBr1KtDRbnfVdmIw+/ "));
	const struct oauth_client c = { .id = "s6BhdRkqt3", .secret = secret };
	struct buf b;

	(void)state;
	buf_init(&b, OAUTH_FORM_MAX);
	oauth_put_code(&b, &c, code, "http://127.0.0.1:8080/", VERIFIER);
	compare(&b,
	    "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA"
	    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2F"
	    "&code_verifier=" VERIFIER "&client_id=s6BhdRkqt3"
	    "&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw%2B%2F%20");
	secret_free(&code);
	secret_free(&secret);
}

static void
refreshes_as_rfc_6749_has_it(void **state)
{
	struct secret *token = secret_new(SPAN("tGzv3JOkF0XG5Qx2TlKWIA"));
	struct buf b;

	(void)state;
	buf_init(&b, OAUTH_FORM_MAX);
	oauth_put_refresh(&b, &public_client, token);
	compare(&b,
	    "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"
	    "&client_id=s6BhdRkqt3");
	secret_free(&token);
}

static void
the_largest_token_fits_in_a_form(void **state)
{
	char *octets = mem_new(16384);
	struct oauth_tokens t;
	struct err e;
	char *json;
	struct buf b;

	(void)state;
	memset(octets, '+', 16383);
	json =
	    mem_printf("{\"access_token\":\"%s+\",\"refresh_token\":\"%s+\"}",
		octets, octets);
	assert_int_equal(
	    oauth_read_tokens(200, span_of(json), &t, &e), OAUTH_OK);
	buf_init(&b, OAUTH_FORM_MAX);
	oauth_put_refresh(&b, &public_client, t.refresh);
	assert_true(span_has(buf_span(&b), SPAN("%2B&client_id=")));
	buf_deinit(&b);
	oauth_tokens_deinit(&t);
	free(json);
	json = mem_printf("{\"access_token\":\"%s++\"}", octets);
	assert_int_equal(
	    oauth_read_tokens(200, span_of(json), &t, &e), OAUTH_FAILED);
	assert_int_equal(e.kind, ERR_PROTO);
	free(json);
	free(octets);
}

static void
makes_the_url_for_a_browser(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, OAUTH_FORM_MAX);
	oauth_put_url(&b, "https://server.example.com/authorize",
	    &public_client, "http://127.0.0.1:1/", "xyz", CHALLENGE, NULL);
	compare(&b,
	    "https://server.example.com/authorize?response_type=code"
	    "&client_id=s6BhdRkqt3"
	    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F"
	    "&scope=example_scope%20other&state=xyz"
	    "&code_challenge=" CHALLENGE "&code_challenge_method=S256");
	buf_init(&b, OAUTH_FORM_MAX);
	oauth_put_url(&b, "https://a/?access_type=offline",
	    &(struct oauth_client){ .id = "i", .scopes = "" }, "r", "s", "c",
	    "a&b@x");
	compare(&b,
	    "https://a/?access_type=offline&response_type=code&client_id=i"
	    "&redirect_uri=r&state=s&code_challenge=c"
	    "&code_challenge_method=S256&login_hint=a%26b%40x");
}

/* ---- tokens ---- */

static bool
secret_is(const struct secret *s, const char *want)
{
	return want == NULL
	    ? s == NULL
	    : s != NULL && span_eq(secret_span(s), span_of(want));
}

static void
reads_tokens(void **state)
{
	static const struct {
		unsigned int status;
		const char *body, *access, *refresh, *scope;
		uint64_t expires_s;
	} t[] = {
		/* clang-format off */
		/* RFC 6749 5.1 */
		{ 200, "{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\","
		  "\"token_type\":\"example\",\"token_type\":\"Bearer\","
		  "\"expires_in\":3600,"
		  "\"refresh_token\":\"tGzv3JOkF0XG5Qx2TlKWIA\","
		  "\"example_parameter\":\"example_value\"}",
		    "2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA", NULL,
		    3600 },
		{ 200, "{\"access_token\":\"a\",\"token_type\":\"bearer\"}",
		    "a", NULL, NULL, 0 },
		{ 201, "{\"access_token\":\"a\"}", "a", NULL, NULL, 0 },
		{ 200, "{\"access_token\":\"a b~!\",\"scope\":\"x y\"}",
		    "a b~!", NULL, "x y", 0 },
		{ 200, "{\"access_token\":\"a\",\"expires_in\":\"3599\"}",
		    "a", NULL, NULL, 3599 },
		{ 200, "{\"access_token\":\"a\",\"expires_in\":-5}",
		    "a", NULL, NULL, 0 },
		{ 200, "{\"access_token\":\"a\",\"expires_in\":null}",
		    "a", NULL, NULL, 0 },
		{ 200, "{\"access_token\":\"a\",\"expires_in\":1e30}",
		    "a", NULL, NULL, (uint64_t)3650 * 86400 },
		{ 200, "{\"access_token\":\"a\",\"refresh_token\":null}",
		    "a", NULL, NULL, 0 },
		{ 200, "{\"access_token\":\"a\",\"refresh_token\":\"\"}",
		    "a", NULL, NULL, 0 },
		{ 200, "{\"access_token\":\"a\",\"scope\":[\"x\"]}",
		    "a", NULL, NULL, 0 },
		{ 200, "{\"access_token\":\"a\",\"error\":\"\"}",
		    "a", NULL, NULL, 0 },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct oauth_tokens o;
		struct err e = { 0 };

		assert_int_equal(
		    oauth_read_tokens(t[i].status, span_of(t[i].body), &o, &e),
		    OAUTH_OK);
		assert_true(secret_is(o.access, t[i].access));
		assert_true(secret_is(o.refresh, t[i].refresh));
		assert_int_equal(o.expires_s, t[i].expires_s);
		if (t[i].scope == NULL)
			assert_null(o.scope);
		else
			assert_string_equal(o.scope, t[i].scope);
		oauth_tokens_deinit(&o);
		assert_null(o.access);
		oauth_tokens_deinit(&o);
	}
}

static void
takes_no_other_answers_for_tokens(void **state)
{
	static const struct {
		unsigned int status;
		const char *body;
		enum oauth_verdict verdict;
		enum err_kind kind;
	} t[] = {
		/* clang-format off */
		{ 200, "", OAUTH_FAILED, ERR_PROTO },
		{ 200, "{}", OAUTH_FAILED, ERR_PROTO },
		{ 200, "[]", OAUTH_FAILED, ERR_PROTO },
		{ 200, "<html>Sign in</html>", OAUTH_FAILED, ERR_PROTO },
		{ 200, "{\"access_token\":", OAUTH_FAILED, ERR_PROTO },
		{ 200, "{\"access_token\":\"\"}", OAUTH_FAILED, ERR_PROTO },
		{ 200, "{\"access_token\":5}", OAUTH_FAILED, ERR_PROTO },
		{ 200, "{\"access_token\":{}}", OAUTH_FAILED, ERR_PROTO },
		{ 200, "{\"access_token\":\"a\\u0001b\"}", OAUTH_FAILED,
		    ERR_PROTO },
		{ 200, "{\"access_token\":\"a\\r\\nb\"}", OAUTH_FAILED,
		    ERR_PROTO },
		{ 200, "{\"access_token\":\"\\u00e4\"}", OAUTH_FAILED,
		    ERR_PROTO },
		{ 200, "{\"access_token\":\"a\",\"refresh_token\":\"\\n\"}",
		    OAUTH_FAILED, ERR_PROTO },
		{ 200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}",
		    OAUTH_FAILED, ERR_PROTO },
		{ 200, "{\"access_token\":\"a\",\"token_type\":7}",
		    OAUTH_FAILED, ERR_PROTO },
		{ 200, "{\"error\":\"invalid_grant\"}", OAUTH_FAILED,
		    ERR_AUTH },
		{ 200, "{\"error\":\"authorization_pending\"}", OAUTH_PENDING,
		    ERR_TEMP },
		/* a token does not come with a refusal */
		{ 400, "{\"access_token\":\"a\"}", OAUTH_FAILED, ERR_PROTO },
		{ 400, "{\"error\":\"authorization_pending\"}", OAUTH_PENDING,
		    ERR_TEMP },
		{ 428, "{\"error\":\"authorization_pending\"}", OAUTH_PENDING,
		    ERR_TEMP },
		{ 400, "{\"error\":\"slow_down\"}", OAUTH_SLOW_DOWN,
		    ERR_THROTTLE },
		{ 400, "{\"error\":\"invalid_request\"}", OAUTH_FAILED,
		    ERR_CONFIG },
		{ 400, "{\"error\":{\"code\":400}}", OAUTH_FAILED, ERR_PROTO },
		{ 400, "<html>no</html>", OAUTH_FAILED, ERR_PROTO },
		{ 404, "<html>no</html>", OAUTH_FAILED, ERR_CONFIG },
		{ 302, "", OAUTH_FAILED, ERR_CONFIG },
		{ 429, "slow", OAUTH_FAILED, ERR_THROTTLE },
		{ 503, "{\"error\":\"invalid_grant\"}", OAUTH_FAILED,
		    ERR_TEMP },
		{ 502, "<html>Bad gateway</html>", OAUTH_FAILED, ERR_TEMP },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct oauth_tokens o;
		struct err e = { 0 };

		assert_int_equal(
		    oauth_read_tokens(t[i].status, span_of(t[i].body), &o, &e),
		    t[i].verdict);
		assert_int_equal(e.kind, t[i].kind);
		assert_true(strlen(e.text) > 0);
		assert_null(o.access);
		assert_null(o.refresh);
	}
}

static void
says_what_to_do_when_a_grant_is_gone(void **state)
{
	struct oauth_tokens o;
	struct err e;

	(void)state;
	assert_int_equal(oauth_read_tokens(400,
			     SPAN("{\"error\":\"invalid_grant\","
				  "\"error_description\":\"AADSTS70008: The "
				  "refresh token has expired.\\r\\n"
				  "Trace ID: 1\"}"),
			     &o, &e),
	    OAUTH_FAILED);
	assert_string_equal(e.text,
	    "the provider does not let us in any more: run \"mailhaul login\" "
	    "again (invalid_grant: AADSTS70008: The refresh token has "
	    "expired.)");
}

static void
hushes_what_repeats_a_secret(void **state)
{
#define AGAIN                                                                  \
	"the provider does not let us in any more: run \"mailhaul login\" "    \
	"again ("

	static const struct {
		const char *body, *text;
	} t[] = {
		/* clang-format off */
		{ "{\"error\":\"invalid_grant\",\"error_description\":"
		    "\"what is s3cr3t-t0ken?\"}",
		    AGAIN "invalid_grant; its words repeat a secret)" },
		{ "{\"error\":\"invalid_grant\",\"error_description\":"
		    "\"what is s\\u0033cr3t...\"}",
		    AGAIN "invalid_grant; its words repeat a secret)" },
		{ "{\"error\":\"s3cr3t-t0ken\",\"error_description\":\"x\"}",
		    "the provider has refused (its words repeat a secret)" },
		{ "{\"error\":\"invalid_grant\",\"error_description\":"
		    "\"what is it?\"}", AGAIN "invalid_grant: what is it?)" },
		{ "{\"error\":\"invalid_grant\"}", AGAIN "invalid_grant)" },
		/* clang-format on */
	};
	struct secret *sent = secret_new(SPAN("s3cr3t-t0ken"));

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct oauth_tokens o;
		struct err e;

		assert_int_equal(
		    oauth_read_tokens(400, span_of(t[i].body), &o, &e),
		    OAUTH_FAILED);
		e.after_s = 7;
		oauth_hush(&e, NULL);
		oauth_hush(&e, sent);
		assert_string_equal(e.text, t[i].text);
		assert_int_equal(e.kind, ERR_AUTH);
		assert_int_equal(e.after_s, 7);
	}
	secret_free(&sent);
}

/* ---- device ---- */

static void
reads_a_device_code(void **state)
{
	struct oauth_device d;
	struct err e;

	(void)state;
	/* RFC 8628 3.2 */
	assert_int_equal(
	    oauth_read_device(200,
		SPAN("{\"device_code\": "
		     "\"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS\","
		     "\"user_code\": \"WDJB-MJHT\","
		     "\"verification_uri\": \"https://example.com/device\","
		     "\"verification_uri_complete\":"
		     "\"https://example.com/device?user_code=WDJB-MJHT\","
		     "\"expires_in\": 1800,\"interval\": 7}"),
		&d, &e),
	    OAUTH_OK);
	assert_true(secret_is(
	    d.device_code, "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"));
	assert_string_equal(d.user_code, "WDJB-MJHT");
	assert_string_equal(d.url, "https://example.com/device");
	assert_string_equal(
	    d.url_complete, "https://example.com/device?user_code=WDJB-MJHT");
	assert_int_equal(d.expires_s, 1800);
	assert_int_equal(d.interval_s, 7);
	oauth_device_deinit(&d);
	oauth_device_deinit(&d);
}

#define DEVICE(more)                                                           \
	"{\"device_code\":\"d\",\"user_code\":\"u\","                          \
	"\"verification_uri\":\"https://x/\"" more "}"

static void
fills_in_what_a_device_answer_lacks(void **state)
{
	static const struct {
		const char *body;
		unsigned int expires_s, interval_s;
		bool complete;
	} t[] = {
		/* clang-format off */
		{ DEVICE(""), 900, 5, false },
		/* Google */
		{ "{\"device_code\":\"d\",\"user_code\":\"u\","
		  "\"verification_url\":\"https://x/\",\"expires_in\":\"60\"}",
		    60, 5, false },
		{ DEVICE(",\"interval\":0"), 900, 0, false },
		{ DEVICE(",\"interval\":\"2\""), 900, 2, false },
		{ DEVICE(",\"interval\":-3"), 900, 5, false },
		{ DEVICE(",\"interval\":1e9,\"expires_in\":1e9"),
		    86400, 300, false },
		{ DEVICE(",\"verification_uri_complete\":\"https://y/?u\""),
		    900, 5, true },
		{ DEVICE(",\"verification_uri_complete\":\"javascript:a\""),
		    900, 5, false },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct oauth_device d;
		struct err e;

		assert_int_equal(
		    oauth_read_device(200, span_of(t[i].body), &d, &e),
		    OAUTH_OK);
		assert_string_equal(d.url, "https://x/");
		assert_int_equal(d.expires_s, t[i].expires_s);
		assert_int_equal(d.interval_s, t[i].interval_s);
		assert_int_equal(d.url_complete != NULL, t[i].complete);
		oauth_device_deinit(&d);
	}
}

static void
takes_no_other_answers_for_a_device_code(void **state)
{
	static const struct {
		unsigned int status;
		const char *body;
		enum err_kind kind;
	} t[] = {
		/* clang-format off */
		{ 200, "{}", ERR_PROTO },
		{ 200, "", ERR_PROTO },
		{ 200, "{\"device_code\":\"d\",\"user_code\":\"u\"}",
		    ERR_PROTO },
		{ 200, "{\"device_code\":\"d\",\"user_code\":\"u\","
		  "\"verification_uri\":\"http://x/\"}", ERR_PROTO },
		{ 200, "{\"device_code\":\"d\",\"user_code\":\"u\","
		  "\"verification_uri\":\"https://x/\\u001b[2J\"}",
		    ERR_PROTO },
		{ 200, "{\"device_code\":\"d\",\"user_code\":\"u\","
		  "\"verification_uri\":\"https://x/ y\"}", ERR_PROTO },
		{ 200, "{\"device_code\":\"d\",\"user_code\":\"\\u202eu\","
		  "\"verification_uri\":\"https://x/\"}", ERR_PROTO },
		{ 200, "{\"device_code\":\"\",\"user_code\":\"u\","
		  "\"verification_uri\":\"https://x/\"}", ERR_PROTO },
		{ 400, "{\"error\":\"unauthorized_client\"}", ERR_CONFIG },
		{ 400, "{\"error\":\"authorization_pending\"}", ERR_TEMP },
		{ 404, "not found", ERR_CONFIG },
		{ 500, "oops", ERR_TEMP },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct oauth_device d;
		struct err e = { 0 };

		assert_int_equal(
		    oauth_read_device(t[i].status, span_of(t[i].body), &d, &e),
		    OAUTH_FAILED);
		assert_int_equal(e.kind, t[i].kind);
		assert_null(d.device_code);
		assert_null(d.url);
	}
}

/* ---- where the browser was sent to ---- */

static void
finds_the_code(void **state)
{
	static const struct {
		const char *url, *code;
	} t[] = {
		/* RFC 6749 4.1.2 */
		{ "https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA"
		  "&state=xyz",
		    "SplxlOBeZQQYbYS6WxSbIA" },
		{ "http://127.0.0.1:5/?state=xyz&code=a%2Fb&scope=x%20y",
		    "a/b" },
		{ "  http://127.0.0.1:5/?state=xyz&code=a#_=_\r\n", "a" },
		{ "/?state=xyz&code=a", "a" },
		{ "?state=xyz&code=a", "a" },
		{ "state=xyz&code=a", "a" },
		{ "code=a&state=%78yz", "a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct err e;
		struct secret *code =
		    oauth_read_redirect(span_of(t[i].url), "xyz", &e);

		assert_true(secret_is(code, t[i].code));
		secret_free(&code);
	}
}

/* Just so long that nothing is left behind it. */
static void
takes_a_long_refusal(void **state)
{
	const size_t n = 16384;
	char *word = mem_new(n + 1);
	char *url;

	(void)state;
	memset(word, 'a', n);
	for (int i = 0; i < 2; i++) {
		struct err e = { 0 };

		url = i == 0
		    ? mem_printf("?error=%s", word)
		    : mem_printf("?error=x&error_description=%s", word);
		assert_null(oauth_read_redirect(span_of(url), "xyz", &e));
		assert_int_equal(e.kind, ERR_AUTH);
		free(url);
	}
	free(word);
}

static void
finds_no_code(void **state)
{
	static const struct {
		const char *url;
		enum err_kind kind;
		const char *words;
	} t[] = {
		/* clang-format off */
		{ "", ERR_PROTO, "not the URL" },
		{ "xyz", ERR_PROTO, "not the URL" },
		{ "SplxlOBeZQQYbYS6WxSbIA", ERR_PROTO, "not the URL" },
		{ "https://login.example/?client_id=1", ERR_PROTO,
		    "not the URL" },
		{ "http://127.0.0.1/?code=a", ERR_PROTO, "no state" },
		{ "http://127.0.0.1/?code=a&state=xyzz", ERR_PROTO,
		    "another login" },
		{ "http://127.0.0.1/?code=a&state=", ERR_PROTO,
		    "another login" },
		{ "http://127.0.0.1/?code=a&state=xyz&state=xyz", ERR_PROTO,
		    "another login" },
		{ "http://127.0.0.1/?state=xyz", ERR_PROTO, "no code" },
		{ "http://127.0.0.1/#state=xyz&code=a", ERR_PROTO,
		    "not the URL" },
		{ "http://127.0.0.1/?state=xyz#code=a", ERR_PROTO, "no code" },
		{ "http://127.0.0.1/?state=xyz&code=a&code=b", ERR_PROTO,
		    "damaged" },
		{ "http://127.0.0.1/?state=xyz&code=%", ERR_PROTO, "damaged" },
		{ "http://127.0.0.1/?state=xyz&code=%0d%0a", ERR_PROTO,
		    "damaged" },
		{ "http://127.0.0.1/?state=xyz&code=", ERR_PROTO, "damaged" },
		{ "http://127.0.0.1/?error=access_denied&state=xyz", ERR_AUTH,
		    "declined (access_denied)" },
		{ "http://127.0.0.1/?error=access_denied"
		  "&error_description=The+user%0d%0asaid+no", ERR_AUTH,
		    "declined (access_denied: The user)" },
		{ "http://127.0.0.1/?error=%1b[2J&state=xyz&code=a", ERR_AUTH,
		    "\\x1B[2J" },
		{ "http://127.0.0.1/?error=invalid_scope", ERR_CONFIG,
		    "invalid_scope" },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct err e = { 0 };

		assert_null(oauth_read_redirect(span_of(t[i].url), "xyz", &e));
		assert_int_equal(e.kind, t[i].kind);
		assert_non_null(strstr(e.text, t[i].words));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_a_device_code_as_rfc_8628_has_it),
		cmocka_unit_test(asks_whether_the_code_was_entered),
		cmocka_unit_test(gives_a_code_for_tokens_with_its_verifier),
		cmocka_unit_test(refreshes_as_rfc_6749_has_it),
		cmocka_unit_test(the_largest_token_fits_in_a_form),
		cmocka_unit_test(makes_the_url_for_a_browser),
		cmocka_unit_test(reads_tokens),
		cmocka_unit_test(takes_no_other_answers_for_tokens),
		cmocka_unit_test(says_what_to_do_when_a_grant_is_gone),
		cmocka_unit_test(hushes_what_repeats_a_secret),
		cmocka_unit_test(reads_a_device_code),
		cmocka_unit_test(fills_in_what_a_device_answer_lacks),
		cmocka_unit_test(takes_no_other_answers_for_a_device_code),
		cmocka_unit_test(finds_the_code),
		cmocka_unit_test(takes_a_long_refusal),
		cmocka_unit_test(finds_no_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
