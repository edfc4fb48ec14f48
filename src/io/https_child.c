/* SPDX-License-Identifier: ISC */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/https.h"
#include "io/https_wire.h"
#include "io/sandbox.h"
#include "io/tls_ca.h"
#include "sys/file.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/text.h"

#define LIBRARY "libcurl.so.4"
#define REDIRECTIONS 5
#define FILES 64
#define CHUNK 16384
#define STATUS_FAILED 1

/*
 * What we use of libcurl. It is not linked: with all the libraries that it
 * brings, it would cost each of our processes memory and the time of its
 * start, and whoever has no account with OAuth2 needs none of it.
 */
struct library {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*easy_perform)(CURL *curl);
	CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
	const char *(*easy_strerror)(CURLcode code);
	struct curl_slist *(*slist_append)(
	    struct curl_slist *list, const char *line);
};

struct transfer {
	const struct https_request *request;
	struct library lib;
	CURL *curl;
	struct buf body;
	char host[256]; /* for errors */
	char words[CURL_ERROR_SIZE];
	bool much;
};

/* ---- the library ---- */

/* A function, out of what dlsym(3) has. */
static bool
find(void *handle, const char *name, void *to)
{
	void *symbol = dlsym(handle, name);

	memcpy(to, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static int
load(struct library *lib, struct err *e)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL)
		return err_set(e, ERR_CONFIG, 0,
		    "install libcurl4 for oauth2: %s", dlerror());
	if (!find(handle, "curl_global_init", &lib->global_init) ||
	    !find(handle, "curl_easy_init", &lib->easy_init) ||
	    !find(handle, "curl_easy_setopt", &lib->easy_setopt) ||
	    !find(handle, "curl_easy_perform", &lib->easy_perform) ||
	    !find(handle, "curl_easy_getinfo", &lib->easy_getinfo) ||
	    !find(handle, "curl_easy_strerror", &lib->easy_strerror) ||
	    !find(handle, "curl_slist_append", &lib->slist_append) ||
	    lib->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_CONFIG, 0,
		    LIBRARY " cannot be used: install libcurl4 anew");
	return 0;
}

/* ---- walls ---- */

/* To find out where a name leads, and to load what does. Not /etc: root may
 * read other things there. */
static void
put_up_walls(unsigned int timeout_ms)
{
	static const char *const paths[] = { "/etc/resolv.conf", "/etc/hosts",
		"/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
		"/etc/services", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf",
		"/usr/lib", "/lib", "/lib64", "/usr/lib64", "/usr/local/lib",
		"/dev/urandom", "/dev/null" };
	struct sandbox_place places[sizeof(paths) / sizeof(*paths)];
	const struct rlimit none = { 0, 0 };
	const struct rlimit files = { FILES, FILES };
	const struct rlimit cpu = { timeout_ms / 1000 + 2,
		timeout_ms / 1000 + 2 };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (access(paths[i], R_OK) == 0)
			places[n++] = (struct sandbox_place){ paths[i], false };
	(void)setrlimit(RLIMIT_FSIZE, &none);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)setrlimit(RLIMIT_CPU, &cpu);
	/* what the kernel lacks does not keep mail from coming */
	(void)sandbox_https(places, n, NULL);
}

/* ---- the request ---- */

static size_t
on_body(char *p, size_t one, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)one; /* is 1 */
	t->much |= buf_add(&t->body, span_make(p, n)) != 0;
	return t->much ? 0 : n;
}

/* Any that is refused spoils the whole: they are not there for show. */
static bool
say(struct transfer *t, CURLoption option, const char *value)
{
	return t->lib.easy_setopt(t->curl, option, value) == CURLE_OK;
}

static bool
set(struct transfer *t, CURLoption option, long value)
{
	return t->lib.easy_setopt(t->curl, option, value) == CURLE_OK;
}

static bool
set_manners(struct transfer *t)
{
	const struct https_request *r = t->request;

	return say(t, CURLOPT_URL, r->url) &&
	    say(t, CURLOPT_PROTOCOLS_STR, "https") &&
	    say(t, CURLOPT_REDIR_PROTOCOLS_STR, "https") &&
	    set(t, CURLOPT_FOLLOWLOCATION, r->follow && r->form.n == 0) &&
	    set(t, CURLOPT_MAXREDIRS, REDIRECTIONS) &&
	    set(t, CURLOPT_DISALLOW_USERNAME_IN_URL, 1) &&
	    set(t, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) &&
	    set(t, CURLOPT_NETRC, CURL_NETRC_IGNORED) &&
	    set(t, CURLOPT_NOSIGNAL, 1) &&
	    set(t, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms) &&
	    set(t, CURLOPT_CONNECTTIMEOUT_MS, (long)r->timeout_ms) &&
	    say(t, CURLOPT_USERAGENT, "mailhaul/" MAILHAUL_VERSION) &&
	    say(t, CURLOPT_PROXY, r->proxy == NULL ? "" : r->proxy) &&
	    say(t, CURLOPT_NOPROXY, "");
}

/* Those we hand over, and no others that the library may know of. */
static bool
set_trust(struct transfer *t, const struct buf *ca)
{
	struct span pem = buf_span(ca);
	struct curl_blob blob = { .data = (void *)(uintptr_t)pem.p,
		.len = pem.n,
		.flags = CURL_BLOB_NOCOPY };

	return set(t, CURLOPT_SSL_VERIFYPEER, 1) &&
	    set(t, CURLOPT_SSL_VERIFYHOST, 2) &&
	    set(t, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	    say(t, CURLOPT_CAINFO, NULL) && say(t, CURLOPT_CAPATH, NULL) &&
	    t->lib.easy_setopt(t->curl, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK;
}

static bool
set_form(struct transfer *t)
{
	struct span form = t->request->form;
	struct curl_slist *lines = NULL;

	if (form.n == 0)
		return true;
	lines = t->lib.slist_append(lines, "Accept: application/json");
	lines = t->lib.slist_append(lines, "Expect:");
	return t->lib.easy_setopt(t->curl, CURLOPT_HTTPHEADER, lines) ==
	    CURLE_OK &&
	    set(t, CURLOPT_POSTFIELDSIZE, (long)form.n) &&
	    say(t, CURLOPT_POSTFIELDS, form.p);
}

static bool
set_ends(struct transfer *t)
{
	curl_write_callback write_body = on_body;

	return t->lib.easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, write_body) ==
	    CURLE_OK &&
	    t->lib.easy_setopt(t->curl, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	    t->lib.easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->words) ==
	    CURLE_OK;
}

static int
prepare(struct transfer *t, const struct buf *ca, struct err *e)
{
	t->curl = t->lib.easy_init();
	if (t->curl == NULL)
		return err_set(e, ERR_TEMP, 0, LIBRARY " does not begin");
	if (!set_manners(t) || !set_trust(t, ca) || !set_form(t) ||
	    !set_ends(t))
		return err_set(e, ERR_CONFIG, 0,
		    LIBRARY " is too old (7.85 is needed) or has no TLS");
	return 0;
}

/* ---- its end ---- */

static enum err_kind
kind_of(CURLcode code)
{
	static const struct {
		CURLcode code;
		enum err_kind kind;
	} kinds[] = {
		{ CURLE_COULDNT_RESOLVE_PROXY, ERR_NET },
		{ CURLE_COULDNT_RESOLVE_HOST, ERR_NET },
		{ CURLE_COULDNT_CONNECT, ERR_NET },
		{ CURLE_PROXY, ERR_NET },
		{ CURLE_OPERATION_TIMEDOUT, ERR_NET },
		{ CURLE_SEND_ERROR, ERR_NET },
		{ CURLE_RECV_ERROR, ERR_NET },
		{ CURLE_GOT_NOTHING, ERR_NET },
		{ CURLE_PARTIAL_FILE, ERR_NET },
		{ CURLE_OUT_OF_MEMORY, ERR_TEMP },
		{ CURLE_URL_MALFORMAT, ERR_CONFIG },
		{ CURLE_LOGIN_DENIED, ERR_CONFIG },
		{ CURLE_SSL_CONNECT_ERROR, ERR_TLS },
		{ CURLE_SSL_CERTPROBLEM, ERR_TLS },
		{ CURLE_SSL_CIPHER, ERR_TLS },
		{ CURLE_PEER_FAILED_VERIFICATION, ERR_TLS },
		{ CURLE_SSL_CACERT_BADFILE, ERR_TLS },
		{ CURLE_SSL_ISSUER_ERROR, ERR_TLS },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].code == code)
			return kinds[i].kind;
	return ERR_PROTO;
}

static int
explain(struct transfer *t, CURLcode code, struct err *e)
{
	char shown[200];

	if (t->much)
		return err_set(e, ERR_PROTO, 0,
		    "%s: an answer of more than %zu octets", t->host,
		    HTTPS_BODY_MAX);
	if (t->words[0] == '\0')
		return err_set(e, kind_of(code), 0, "%s: %s", t->host,
		    t->lib.easy_strerror(code));
	return err_set(e, kind_of(code), 0, "%s: %s", t->host,
	    text_printable(shown, sizeof(shown), span_of(t->words)));
}

static int
perform(struct transfer *t, struct https_answer *a, struct err *e)
{
	CURLcode code = t->lib.easy_perform(t->curl);
	char *type = NULL;
	long status = 0;

	if (code != CURLE_OK)
		return explain(t, code, e);
	t->lib.easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	t->lib.easy_getinfo(t->curl, CURLINFO_CONTENT_TYPE, &type);
	a->status = (unsigned int)status;
	a->type = span_of(type);
	a->body = buf_span(&t->body);
	return 0;
}

static void
note_host(struct transfer *t)
{
	struct span rest = span_of(t->request->url);

	(void)span_iskip(&rest, SPAN("https://"));
	rest = span_until(&rest, '/');
	rest = span_until(&rest, '?');
	text_printable(t->host, sizeof(t->host), rest);
}

/* ---- all of it ---- */

static int
read_request(struct buf *b, struct https_request *r, struct err *e)
{
	ssize_t n = 1;
	size_t room;

	buf_init(b, HTTPS_REQUEST_MAX);
	while (n > 0) {
		char *p = buf_room(b, CHUNK, &room);

		n = room == 0 ? 0 : read(STDIN_FILENO, p, room);
		if (n > 0)
			buf_wrote(b, (size_t)n);
	}
	if (n < 0 || !https_unpack_request(buf_span(b), r))
		return err_set(
		    e, ERR_TEMP, 0, "the request by HTTPS did not arrive");
	return 0;
}

/* The option of an oauth2 section has another name than that of mail. */
static int
read_ca(const char *ca_file, struct buf *ca, struct err *e)
{
	int r = tls_read_ca(ca_file, NULL, ca, e);
	struct span text = span_of(e->text);
	char shown[ERR_TEXT_MAX];

	if (r != 0 && span_skip(&text, SPAN("tls-ca-file: ")))
		return err_set(e, e->kind, e->sys, "ca-file: %s",
		    text_printable(shown, sizeof(shown), text));
	return r;
}

static int
work(struct transfer *t, struct https_answer *a, struct err *e)
{
	struct buf ca;
	int r = -1;

	note_host(t);
	if (read_ca(t->request->ca_file, &ca, e) == 0 &&
	    load(&t->lib, e) == 0) {
		put_up_walls(t->request->timeout_ms);
		r = prepare(t, &ca, e);
		if (r == 0)
			r = perform(t, a, e);
	}
	buf_deinit(&ca);
	return r;
}

int
https_main(void)
{
	struct https_request request = { 0 };
	struct transfer t = { .request = &request };
	struct https_answer answer = { 0 };
	struct buf in, out;
	struct err e = { 0 };
	int r;

	/* systemd(1) tells all of a service: ours wait for the answer */
	(void)signal(SIGTERM, SIG_IGN);
	(void)sandbox_secrets(NULL);
	buf_init(&t.body, HTTPS_BODY_MAX);
	r = read_request(&in, &request, &e);
	if (r == 0)
		r = work(&t, &answer, &e);
	https_pack_reply(&out, &answer, r == 0 ? NULL : &e);
	r = file_write_all(STDOUT_FILENO, buf_span(&out), "stdout", NULL);
	buf_wipe(&out);
	buf_wipe(&t.body);
	buf_wipe(&in);
	https_request_deinit(&request);
	/* what libraries do at their end is nobody's need here */
	_exit(r == 0 ? EXIT_SUCCESS : STATUS_FAILED);
}
